"""What the examination page shows: who it is, what was before, the form or the finished text."""

from collections.abc import Mapping

from flask import abort, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

import access
from blueprints.examination import (
    lab_order_form,
    prescription_form,
    room_form,
    stored_words,
    typed_words,
    unusual,
)
from blueprints.examination.form_context import form_context, theirs
from blueprints.examination.forms import ExaminationForm
from blueprints.examination.typed import Typed, next_keys
from clinic import (
    allergies,
    consents,
    days,
    dispensing_queue,
    history,
    last_writers,
    paper_texts,
    papers,
    records,
    remarkable,
    right_patient,
)
from clinic.counter_notes import CounterNote, counter_notes
from clinic.unsaved import Place
from clinic.visit_summaries import VisitSummary
from clinic.vital_signs import field_of, vital_findings
from db import db, utcnow
from models import (
    ConsentDecision,
    EntryState,
    Examination,
    Patient,
    Poli,
    PoliKind,
    QueueEntry,
    Role,
    Visit,
)
from page_form import PageForm

EARLIER_VISITS = 3  # of more the page passes 6 KB; the whole history is one link away
# Of several rooms' entries the page takes the one that is most likely meant.
PREFERRED = (
    EntryState.IN_SERVICE,
    EntryState.CALLED,
    EntryState.WAITING,
    EntryState.SKIPPED,
    EntryState.AWAITING_RESULT,
)


def entries_of(visit: Visit) -> list[QueueEntry]:
    rows = (
        select(QueueEntry)
        .where(QueueEntry.visit_id == visit.id, QueueEntry.undone_at.is_(None))
        .options(joinedload(QueueEntry.poli))
        .order_by(QueueEntry.id)
    )
    return list(db.session.scalars(rows))


def first_entry(visit: Visit) -> QueueEntry:
    """What stands for the visit as a whole, whatever room it is in by now."""
    return min(visit.entries, key=lambda each: each.id)


def chosen_entry(visit: Visit, ref: str = "") -> QueueEntry | None:
    """The entry that was asked for, else the one in the account's rooms that is being served."""
    mine = [entry for entry in entries_of(visit) if access.may_use_room(entry.poli)]
    if ref:
        return next((entry for entry in mine if entry.public_id == ref), None) or abort(404)
    return min(mine, key=preference, default=None)


def preference(entry: QueueEntry) -> tuple[int, int]:
    """Sorts a visit's entries: the one that is most likely meant first."""
    is_open = entry.state in PREFERRED
    return (PREFERRED.index(entry.state) if is_open else len(PREFERRED), -entry.id)


def show(
    visit: Visit,
    entry: QueueEntry | None,
    typed: Typed | None = None,
    addendum: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The page: a form while the patient is served, else what was recorded."""
    access.record_view("view_visit", visit.patient, "visit", visit.public_id)
    examination = records.open_examination(entry) if entry else None
    today, earlier = history.visit_and_earlier(visit, EARLIER_VISITS)
    writes, my_rooms = _may_write(entry, examination), _my_rooms(today)
    notes = counter_notes(visit)
    in_sight = _in_sight(earlier, today, examination, notes) if writes else earlier
    # What is said of the values is said of those that stand on the page.
    values = today.last_vitals | (typed.form.readable() if typed else {})
    context = {
        "visit": visit,
        "patient": visit.patient,
        "entry": entry,
        "on": today.on,
        "today": today,
        "earlier": in_sight,
        "further": earlier[len(in_sight) :],
        "allergies": allergies.banner(visit.patient),
        "counter_notes": notes,
        "consent_note": _consent_note(visit.patient),
        "findings": [
            each
            for each in vital_findings(values, visit.age_months, visit.pregnant)
            if not (typed and typed.form.cannot_be(field_of(each)))
        ],
        "examination": examination,
        "my_rooms": my_rooms,
        "corrects_lab": _corrects_lab(today, my_rooms),
        "writes": writes,
        "typed": typed,
        "addendum": addendum or {},
        "theirs": theirs(examination, typed) if typed and typed.is_conflict else {},
        "writer": last_writers.of_examination(examination) if typed and typed.is_conflict else None,
        "papers": papers.of_visit(visit),
        "paper_kinds": paper_texts.KINDS,
        "may_prescribe": _may_prescribe(today),
        "unfetched": dispensing_queue.unfetched_of(visit) if _is_pharmacy(entry) else None,
        "answers": _unwritten(typed.form, examination, visit, today)
        if typed and not writes
        else [],
    } | _keeping(entry, typed)
    if writes:
        context |= form_context(entry, examination, typed)
        sheets = room_form.own_sheets(context["form"], today.case._replace(vitals=values))
        said = [*context["findings"], *(each for sheet in sheets for each in sheet.findings)]
        said += remarkable.of_visit(today, access.page_settings()["time_zone"])
        said += lab_order_form.nothing_asked(context["form"], entry)
        context |= {"own_sheets": sheets, "vitals_seen": unusual.seen(said, is_typed=bool(typed))}
    return Response(
        render_template("examination/visit.html", **context),
        status,
        mimetype="text/html",
    )


def _keeping(entry: QueueEntry | None, typed: Typed | None) -> dict[str, object]:
    """What `examination/_keep.html` needs, which keeps what is typed."""
    kept = typed.kept if typed else None
    return {
        "kept": kept,
        "is_unsent": typed is not None and kept is None,
        "drawn_at": utcnow().timestamp(),
        "keys": next_keys(request.form, Place(entry) if entry else None, kept),
    }


def _in_sight(
    earlier: list[VisitSummary],
    today: VisitSummary,
    own: Examination | None,
    notes: list[CounterNote],
) -> list[VisitSummary]:
    """A room that was examined today takes two earlier visits' place: the page keeps its size.

    What the counter wrote takes one's.
    """
    seen = [room for room in today.examined if own is None or room.examination.id != own.id]
    return earlier[: max(EARLIER_VISITS - 2 * len(seen) - len(notes), 1)]


def _is_pharmacy(entry: QueueEntry | None) -> bool:
    """Whether somebody has come to the pharmacy and is not through with it."""
    return entry is not None and entry.poli.kind is PoliKind.PHARMACY and entry.state in PREFERRED


def _consent_note(patient: Patient) -> str:
    held = consents.current(patient)
    if held is None:
        return "persetujuan umum belum ada"
    return "persetujuan umum ditolak" if held.decision == ConsentDecision.REFUSED else ""


def _my_rooms(today: VisitSummary) -> set[str]:
    """Codes of the visit's rooms in which the account may add to what was finished."""
    if access.has_role(Role.HEAD):
        return {room.code for room in today.rooms}
    return {room.code for room in current_user.rooms}


def _corrects_lab(today: VisitSummary, my_rooms: set[str]) -> bool:
    """Whether a laboratory of the visit is the account's: its results are corrected there."""
    return any(room.kind is PoliKind.LABORATORY and room.code in my_rooms for room in today.rooms)


def _may_prescribe(today: VisitSummary) -> set[int]:
    """Finished examinations of a day that goes on, without a prescription that holds."""
    held = {each.examination_id for each in today.prescriptions if not each.is_cancelled}
    day = days.current_day()
    if day is None or day.on != today.on:
        return set()
    return {
        room.examination.id
        for room in today.examined
        if room.examination.id not in held and room.kind not in prescription_form.WITHOUT
    }


def _unwritten(
    form: ExaminationForm, examination: Examination | None, visit: Visit, today: VisitSummary
) -> list[typed_words.Answer]:
    stands = stored_words.of_examination(form, examination, visit, today)
    return typed_words.answers(form, request.form, visit, stands=stands)


def only_typed(
    form: PageForm, visit: Visit, labels: Mapping[str, str] = typed_words.NO_MORE
) -> Response:
    """Access has ended meanwhile (a new day, say): the text is given back, the record is not."""
    answers = typed_words.answers(form, request.form, visit, labels)
    html = render_template("examination/typed.html", visit=visit, answers=answers, kept=None)
    return Response(html, 409, mimetype="text/html")


def _may_write(entry: QueueEntry | None, examination: Examination | None) -> bool:
    if entry is None or (examination and examination.finished_at):
        return False
    return right_patient.may_write(entry)


def queue_address(poli: Poli) -> str:
    return url_for("poli.queue", code=poli.code)
