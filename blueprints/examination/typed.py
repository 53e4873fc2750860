"""What a request typed in the examination's form."""

import secrets
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import g
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from blueprints.examination.forms import ExaminationForm
from clinic import diagnoses, unsaved
from clinic.unsaved import LAST_STEP, Key, Place
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


def keys_sent(sent: MultiDict) -> list[Key]:
    """Key of the form that was sent, and before it those whose text it took over."""
    pairs = (each.partition(":") for each in sent.get("ketikan", "")[:200].split())
    found = [Key(name, _step(step)) for name, _, step in pairs if 0 < len(name) <= LONGEST_KEY]
    return found[-MOST_KEYS:]


def _step(text: str) -> int:
    """A form's own key has none: all that it sends is meant."""
    return min(int(text), LAST_STEP) if text.isdecimal() else LAST_STEP


def next_keys(sent: MultiDict, place: Place | None, kept: UnsavedText | None) -> str:
    """For the form that is shown now with what was sent, or with what was kept of it."""
    taken_over = keys_sent(sent)[1 - MOST_KEYS :]
    if taken_over and place:
        own = taken_over.pop()
        step = kept.step if kept else unsaved.step_of(current_user.id, place, own)
        taken_over.append(Key(own.name, step))
    g.form_key = secrets.token_hex(4)
    return " ".join([*(f"{name}:{step}" for name, step in taken_over), g.form_key])
