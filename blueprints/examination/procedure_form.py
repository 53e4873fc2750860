"""The actions in the examination's form: the list, what to tick, the search."""

from typing import Any, NamedTuple

from flask import request

from blueprints.examination import procedure_fields
from blueprints.examination.forms import ExaminationForm
from blueprints.examination.typed import NO_OPTIONS, Options, Typed
from clinic import action_list, procedures
from clinic.procedures import Line, ProcedureInput
from models import Examination, Poli, QueueEntry

SHORTEST_SEARCH = 2


class Shown(NamedTuple):
    """An action of the list; quantity and note as typed, whatever they are."""

    line: Line
    quantity: str
    note: str


def context(
    form: ExaminationForm, entry: QueueEntry, examination: Examination | None, typed: Typed | None
) -> dict[str, Any]:
    """What examination/_procedures.html shows."""
    if typed is not None and procedure_fields.entered(request.form) is not None:
        return _about(form, _typed_lines(examination), entry.poli)
    return about(form, procedures.stored_lines(examination), entry.poli)


def about(form: ExaminationForm, lines: list[Line], poli: Poli) -> dict[str, Any]:
    """These lines, and the actions that are offered beside them."""
    return _about(form, [Shown(line, str(line.quantity), line.note) for line in lines], poli)


def _about(form: ExaminationForm, shown: list[Shown], poli: Poli) -> dict[str, Any]:
    query = form.procedure_search.data or ""
    listed = {each.line.code for each in shown}
    options = search_options(query, poli, listed)
    return {
        "procedures": shown,
        "action_offers": action_list.offers(poli, listed),
        "action_options": options.terms,
        "actions_are_near": options.is_near,
        "action_query": query,
        "actions_ticked": [],
    }


def _typed_lines(examination: Examination | None) -> list[Shown]:
    """What the request sent, ticked ones included, but for what only stands in the search box."""
    search = request.form.get(procedure_fields.SEARCH, "").strip()
    sent = [each for each in procedure_fields.entered(request.form) or [] if each.text != search]
    return shown_lines(sent, examination)


def shown_lines(sent: list[ProcedureInput], examination: Examination | None) -> list[Shown]:
    """Typed actions with their titles, and quantity and note as they were typed."""
    found: dict[str, Shown] = {}
    for each in sent:
        for line in procedures.lines([ProcedureInput(each.text)], examination):
            found.setdefault(line.typed, Shown(line, each.quantity or "1", each.note))
    return list(found.values())


def theirs(examination: Examination, typed: Typed) -> dict[str, str]:
    """The stored actions where they differ from what was typed."""
    sent = procedure_fields.entered(request.form)
    stored = procedures.stored_lines(examination)
    if sent is None:
        return {}
    mine = [
        (each.line.typed, each.quantity.strip(), each.note.strip())
        for each in shown_lines(sent, examination)
    ]
    if mine == [(line.typed, str(line.quantity), line.note) for line in stored]:
        return {}
    return {"procedure": "; ".join(line.words for line in stored) or "belum ada tindakan"}


def search_options(text: str, poli: Poli | None, listed: set[str]) -> Options:
    """Actions for what was typed in the search box, the room's usual ones first."""
    if len(text.strip()) < SHORTEST_SEARCH:
        return NO_OPTIONS
    first = action_list.usual_codes(poli) if poli else []
    terms, is_near = action_list.offered(text, first)
    left = [term for term in terms if term.code not in listed]
    return Options(left, is_near and bool(left))
