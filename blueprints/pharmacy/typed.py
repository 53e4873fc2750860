"""What the pharmacy's forms said, to be stored or to be shown again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request

from clinic.dispensing import Given
from clinic.dispensing_review import ASPECTS, ReviewInput

LONGEST_VERSION = 9


@dataclass(frozen=True)
class Typed:
    """Of one request: for which prescription, what, and what was wrong with it."""

    ref: str = ""
    given: Mapping[str, Given] = field(default_factory=dict)
    review: ReviewInput = ReviewInput(frozenset())
    returned: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    field: str = ""


def version_sent() -> int:
    typed = request.form.get("version", "")
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= LONGEST_VERSION
    return int(typed) if is_number else -1


def given_sent() -> dict[str, Given]:
    """What the form says of each line."""
    form = request.form
    refs = [name.partition("-")[2] for name in form if name.startswith("jumlah-")]
    return {
        ref: Given(
            form.get(f"jumlah-{ref}", "").strip(),
            form.get(f"alasan-{ref}", "").strip(),
            form.get(f"lebih-{ref}", "").strip(),
            form.get(f"alergi-{ref}", "").strip(),
        )
        for ref in refs
    }


def review_sent() -> ReviewInput:
    """The aspects that were ticked, and what was found."""
    ticked = frozenset(name for name in ASPECTS if request.form.get(name) == "1")
    return ReviewInput(ticked, request.form.get("problems", ""))
