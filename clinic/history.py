"""A patient's visits as they are read: newest first, in as few queries at 500 visits as at 5."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from clinic import (
    amendment_lists,
    finishers,
    form_answers,
    form_sheets,
    immunizations,
    lab_reports,
    prescription_reports,
    triage,
)
from clinic.form_case import Case
from clinic.measurements import READINGS
from clinic.visit_summaries import Measured, RoomSummary, VisitSummary
from clinic.vital_signs import VITAL_RANGES
from db import db, grouped
from models import (
    Addendum,
    Diagnosis,
    EntryKind,
    EntryState,
    Examination,
    Patient,
    Procedure,
    QueueEntry,
    Source,
    Visit,
    VisitStatus,
    VitalSigns,
)

__all__ = [
    "PAGE",
    "Measured",
    "RoomSummary",
    "VisitSummary",
    "history",
    "visit_and_earlier",
    "visit_count",
    "visit_lines",
    "visit_summary",
]
PAGE = 20
Narrowed = Sequence[ColumnElement[bool]]  # conditions of clinic.history_filters


def history(
    patient: Patient, limit: int = PAGE, before: Visit | None = None, narrowed: Narrowed = ()
) -> list[VisitSummary]:
    """The patient's visits with all that was recorded, newest first.

    13 queries, 2 more with laboratory orders, 2 more with prescriptions.
    """
    return _summaries(_visits(patient, limit, before, narrowed))


def visit_lines(
    patient: Patient, limit: int = PAGE, before: Visit | None = None, narrowed: Narrowed = ()
) -> list[VisitSummary]:
    """Date, rooms, state and payer only, without anything clinical; 2 queries."""
    visits = _visits(patient, limit, before, narrowed)
    entries = _entries(visits)
    return [_line(visit, _rooms(entries[visit.id], {})) for visit in visits]


def visit_count(patient: Patient, narrowed: Narrowed = ()) -> int:
    """How many visits the record holds, cancelled ones included."""
    visits = select(func.count()).select_from(Visit).where(Visit.patient_id == patient.id)
    if narrowed:
        visits = visits.join(Visit.service_day).where(*narrowed)
    return db.session.scalar(visits) or 0


def visit_summary(visit: Visit) -> VisitSummary:
    """All that was recorded in this visit."""
    return _summaries([visit])[0]


def visit_and_earlier(visit: Visit, limit: int) -> tuple[VisitSummary, list[VisitSummary]]:
    """This visit and up to `limit` before it, in the queries of one reading."""
    first, *earlier = _summaries([visit, *_visits(visit.patient, limit, visit)])
    return first, earlier


def _visits(
    patient: Patient, limit: int, before: Visit | None, narrowed: Narrowed = ()
) -> list[Visit]:
    found: Select = (
        select(Visit)
        .join(Visit.service_day)
        .options(contains_eager(Visit.service_day))
        .where(Visit.patient_id == patient.id, *narrowed)
        # Visits written down from paper later stand where they happened.
        .order_by(Visit.occurred_at.desc(), Visit.id.desc())
        .limit(limit)
    )
    if before is not None:
        at_once = and_(Visit.occurred_at == before.occurred_at, Visit.id < before.id)
        found = found.where(or_(Visit.occurred_at < before.occurred_at, at_once))
    return list(db.session.scalars(found))


def _entries(visits: Sequence[Visit]) -> dict[int, list[QueueEntry]]:
    rows = (
        select(QueueEntry)
        .options(joinedload(QueueEntry.poli))
        .where(QueueEntry.visit_id.in_([visit.id for visit in visits]))
        .where(QueueEntry.undone_at.is_(None))
        .order_by(QueueEntry.id)
    )
    return grouped(rows, "visit_id")


def _summaries(visits: Sequence[Visit]) -> list[VisitSummary]:
    seen = [visit.id for visit in visits if visit.status != VisitStatus.CANCELLED]
    entries = _entries(visits)
    examined = _examined(seen)
    names = {entry.id: entry.poli.name for stay in entries.values() for entry in stay}
    vitals, lab, notes = _vitals(seen, names), lab_reports.by_visit(seen), triage.by_visit(seen)
    given = immunizations.by_visit([visit.id for visit in visits])  # given is given
    prescribed = prescription_reports.by_visit(seen)
    found = []
    for visit in visits:
        doses = tuple(given.get(visit.id, ()))
        clinical = {
            "complaint": visit.complaint,
            "vitals": tuple(each for each in vitals[visit.id] if not each.ended_at),
            "corrected_vitals": tuple(each for each in vitals[visit.id] if each.ended_at),
            "lab": lab.get(visit.id, ()),
            "prescriptions": prescribed.get(visit.id, ()),
            "triage": tuple(notes.get(visit.id, ())),
            "ended_at": visit.ended_at,
        }
        line = _line(visit, (), immunizations=doses, **clinical if visit.id in seen else {})
        found.append(replace(line, rooms=_rooms(entries[visit.id], examined, line.case)))
    return found


def _line(
    visit: Visit, rooms: tuple[RoomSummary, ...], complaint: str = "", **clinical: Any
) -> VisitSummary:
    return VisitSummary(
        ref=visit.public_id,
        on=visit.service_day.on,
        label=visit.label,
        status=visit.status,
        payer=visit.payer,
        complaint=complaint,
        rooms=rooms,
        age_months=visit.age_months,
        pregnant=visit.pregnant,
        paper_at=visit.recorded_at if visit.source == Source.PAPER else None,
        **clinical,
    )


def _rooms(
    entries: Sequence[QueueEntry], examined: dict[int, dict], case: Case | None = None
) -> tuple[RoomSummary, ...]:
    came_back = {
        entry.previous_entry_id: entry.poli.name
        for entry in entries
        if entry.kind is EntryKind.RESULT_BACK
    }
    found = []
    for entry in entries:
        findings = dict(examined.get(entry.id, {}) if entry.state != EntryState.CANCELLED else {})
        if case and findings:
            findings["sheets"] = form_sheets.sheets(findings["sheets"], case)
        if findings or entry.state != EntryState.MOVED:
            poli, back_to = entry.poli, came_back.get(entry.id, "")
            about = (poli.code, poli.name, poli.hue, entry.state, poli.kind)
            found.append(RoomSummary(*about, back_to=back_to, **findings))
    return tuple(found)


def _examined(visit_ids: Sequence[int]) -> dict[int, dict]:
    """By queue entry: the examination with its author, diagnoses and addenda."""
    rows = (
        finishers.with_finisher()
        .options(
            joinedload(Examination.practitioner),
            joinedload(Examination.recorded_by),
            joinedload(Examination.refer_room),
        )
        .where(Examination.visit_id.in_(visit_ids))
    )
    found = db.session.execute(rows).all()
    ids = [examination.id for examination, _ in found]
    diagnoses = grouped(
        select(Diagnosis)
        .where(Diagnosis.examination_id.in_(ids), Diagnosis.ended_at.is_(None))
        .order_by(Diagnosis.position, Diagnosis.id),
        "examination_id",
    )
    procedures = grouped(
        select(Procedure)
        .where(Procedure.examination_id.in_(ids), Procedure.ended_at.is_(None))
        .order_by(Procedure.position, Procedure.id),
        "examination_id",
    )
    addenda = grouped(
        select(Addendum)
        .options(joinedload(Addendum.recorded_by))
        .where(Addendum.examination_id.in_(ids))
        .order_by(Addendum.id),
        "examination_id",
    )
    amendments = amendment_lists.headers(ids)
    forms = form_answers.by_examination(ids)
    return {
        each.entry_id: {
            "examination": each,
            "author": finishers.author(each),
            "finisher": finishers.another(each, finisher),
            "diagnoses": tuple(diagnoses[each.id]),
            "procedures": tuple(procedures[each.id]),
            "addenda": tuple(addenda[each.id]),
            "amendments": amendments[each.id],
            "sheets": forms[each.id],
        }
        for each, finisher in found
    }


def _vitals(visit_ids: Sequence[int], rooms: dict[int, str]) -> dict[int, list[Measured]]:
    rows = (
        select(VitalSigns)
        .options(joinedload(VitalSigns.recorded_by))
        .where(VitalSigns.visit_id.in_(visit_ids))
        .order_by(VitalSigns.occurred_at, VitalSigns.id)
    )
    found, later = defaultdict(list), set()
    for row in reversed(db.session.scalars(rows).all()):
        signs = {name: getattr(row, name) for name in VITAL_RANGES}
        values = {name: value for name, value in signs.items() if value is not None}
        place = (row.visit_id, row.entry_id, row.occurred_at)
        said = {name: (*place, name, value) for name, value in values.items()}
        gone = {name for name in said if said[name] not in later}
        later.update(said.values())
        if row.ended_at:  # a correction takes over, in a row of its own, what it leaves as it was
            readings = [reading for reading in READINGS if gone & set(reading)]
            values = {name: values[name] for each in readings for name in each if name in values}
        if values:
            who, room = row.recorded_by.display_name, rooms.get(row.entry_id, "")
            measured = Measured(values, who, room, row.occurred_at, row.ended_at)
            found[row.visit_id].insert(0, measured)
    return found
