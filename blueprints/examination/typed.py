"""What a request typed in the examination's form."""

import secrets
from dataclasses import dataclass
from typing import Any, NamedTuple

from werkzeug.datastructures import MultiDict

from blueprints.examination.forms import ExaminationForm
from clinic import diagnoses
from models import UnsavedText

MOST_KEYS, LONGEST_KEY = 8, 12


class Options(NamedTuple):
    """What a search found to tick, and whether it is only called nearly so."""

    terms: list[Any]
    is_near: bool


NO_OPTIONS = Options([], is_near=False)


@dataclass
class Typed:
    """What a request typed, to be shown again when it could not be stored."""

    form: ExaminationForm
    lines: list[diagnoses.Line]
    version: int
    options: Options = NO_OPTIONS
    problem: str = ""
    is_conflict: bool = False
    kept: UnsavedText | None = None  # where it was read from, if the request did not send it
    digests: str | None = None  # what the page showed, see shown_form; None of one that did not say
    both: frozenset[str] | None = None  # the parts that two people wrote, where that is known


def keys_sent(sent: MultiDict) -> list[str]:
    """Key of the form that was sent, and before it those whose text it took over."""
    found = sent.get("ketikan", "")[:200].split()
    return [key for key in found if len(key) <= LONGEST_KEY][-MOST_KEYS:]


def next_keys(sent: MultiDict) -> str:
    """For the form that is shown now with what was sent."""
    return " ".join([*keys_sent(sent)[1 - MOST_KEYS :], secrets.token_hex(4)])
