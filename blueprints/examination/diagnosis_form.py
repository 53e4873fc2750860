"""The diagnoses in the examination's form: the list, its warnings, what to tick, the search."""

from collections.abc import Sequence
from typing import Any

from flask import request

from blueprints.examination.forms import ExaminationForm, stored_lines
from blueprints.examination.typed import NO_OPTIONS, Options, Typed
from clinic import diagnoses, favourites, icd10
from clinic.diagnoses import Line
from models import Examination, QueueEntry

SHORTEST_SEARCH = 2


def context(
    form: ExaminationForm, entry: QueueEntry, examination: Examination | None, typed: Typed | None
) -> dict[str, Any]:
    """What examination/_diagnoses.html shows."""
    lines = typed.lines if typed else stored_lines(examination)
    return found(form.diagnosis_search.data or "", typed.options if typed else NO_OPTIONS) | about(
        lines, entry, stored_lines(examination) if typed and is_contested(typed) else ()
    )


def is_contested(typed: Typed) -> bool:
    """Whether another list is stored than the one that was changed here."""
    return typed.is_conflict and (typed.both is None or "diagnosis" in typed.both)


def found(query: str, options: Options, ticked: Sequence[Line] = ()) -> dict[str, Any]:
    """What examination/_diagnosis_options.html shows; only what is no code is offered as text."""
    is_text = bool(query.strip()) and not diagnoses.is_known(query)
    free_text = query if is_text else ""
    return {
        "options": options.terms,
        "options_are_near": options.is_near,
        "ticked": ticked,
        "query": query,
        "free_text": free_text,
    }


def about(lines: list[Line], entry: QueueEntry, others: Sequence[Line] = ()) -> dict[str, Any]:
    """The list with its warnings, and what is offered beside it; `others` are a colleague's."""
    mine = {line.typed for line in lines}
    return {
        "not_mine": [line for line in others if line.typed not in mine],
        "lines": lines,
        "unusual": diagnoses.findings(lines, entry.visit),
        "offers": favourites.offers(
            entry.visit, entry.poli, {line.code for line in (*lines, *others)}
        ),
    }


def theirs(examination: Examination, typed: Typed) -> dict[str, str]:
    """The stored diagnoses where they differ from what was typed."""
    stored, mine = (
        [f"{line.code} {line.title} ({line.case_type})".strip() for line in lines]
        for lines in (stored_lines(examination), typed.lines)
    )
    if stored == mine:
        return {}
    return {"diagnosis": "; ".join(stored) or "belum ada diagnosis"}


def search_options(text: str, entry: QueueEntry | None, listed: Sequence[Line]) -> Options:
    """ICD-10 terms for what was typed in the search box, the room's usual ones first."""
    if len(text.strip()) < SHORTEST_SEARCH:
        return NO_OPTIONS
    first = favourites.usual_codes(entry.poli) if entry else []
    terms, is_near = icd10.offered(text.strip(), first=first)
    codes = {line.code for line in listed}
    left = [term for term in terms if term.code not in codes]
    return Options(left, is_near and bool(left))


def primary_said(examination: Examination) -> str:
    """The primary of several, in a sentence, where the page that was sent had not asked for it."""
    held = diagnoses.active(examination)
    if len(held) < 2 or "diagnosis_primary" in request.form:
        return ""
    first = diagnoses.line_of(held[0])
    title = first.title if first.title != first.code else ""
    named = f"{first.code} {title}".strip()
    return f"Diagnosis utama: {named}; bila keliru, buka kunjungannya, lalu Betulkan."
