"""What the desk's form said, to be stored or to be shown again.

All of a visit's prescriptions are one form: the button of one must not lose what was typed for
another, which would then stand there at its full amounts again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from flask import request

from clinic.dispensing import Given
from clinic.dispensing_review import ASPECTS, ReviewInput

LONGEST_VERSION = 9


class Returned(NamedTuple):
    """How much of a medicine came back, and why."""

    quantity: str
    reason: str


@dataclass(frozen=True)
class Typed:
    """Of one request: what stands in the page's fields, whose button it was, what was wrong."""

    ref: str = ""
    given: Mapping[str, Given] = field(default_factory=dict)  # by line
    reviews: Mapping[str, ReviewInput] = field(default_factory=dict)  # by prescription
    returned: Mapping[str, Returned] = field(default_factory=dict)  # by what was handed out
    problem: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    field: str = ""


def typed_sent(ref: str = "") -> Typed:
    """All that the form says, by the button of this prescription or of what came back."""
    return Typed(
        ref,
        {
            each: Given(
                _text(f"jumlah-{each}"),
                _text(f"alasan-{each}"),
                _text(f"lebih-{each}"),
                _text(f"alergi-{each}"),
            )
            for each in _refs("jumlah-")
        },
        {each: _review(each) for each in _refs("problems-")},
        {
            each: Returned(_text(f"quantity-{each}"), _text(f"reason-{each}"))
            for each in _refs("quantity-")
        },
    )


def version_sent(ref: str = "") -> int:
    """Of the prescription, as it stood when the page was shown."""
    typed = request.form.get(f"version-{ref}") or request.form.get("version", "")
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= LONGEST_VERSION
    return int(typed) if is_number else -1


def _refs(start: str) -> list[str]:
    return [name.removeprefix(start) for name in request.form if name.startswith(start)]


def _text(name: str) -> str:
    return request.form.get(name, "").strip()


def _review(ref: str) -> ReviewInput:
    """The aspects that were ticked, and what was found."""
    ticked = frozenset(name for name in ASPECTS if request.form.get(f"{name}-{ref}") == "1")
    return ReviewInput(ticked, request.form.get(f"problems-{ref}", ""))
