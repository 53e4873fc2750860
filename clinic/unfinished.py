"""*Belum selesai*: who is still in a queue, or was when the day ended, and what is missing."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, literal_column, select
from sqlalchemy.orm import aliased

from clinic import days
from clinic.names import with_birth_order
from clinic.prescriptions import OPEN as PRESCRIPTION_OPEN
from db import db, utcnow
from models import (
    Diagnosis,
    EntryState,
    Examination,
    LabOrder,
    LabOrderState,
    Patient,
    Poli,
    PoliKind,
    Prescription,
    QueueEntry,
    ServiceDay,
    Visit,
)

# A room's list reminds so long; afterwards the record says it all the same.
KEPT_ON_LISTS = timedelta(days=30)
# Who was not called in before the day ended went home, or is still sitting there.
MAY_BE_HERE = timedelta(hours=12)
NOT_PRESSED = "belum ditekan Selesai"
LAB_OPEN = (LabOrderState.ORDERED, LabOrderState.SAMPLED)


@dataclass(frozen=True)
class Unfinished:
    """A stay that did not come to its end."""

    entry_ref: str
    visit_ref: str
    label: str
    patient: str
    room: str
    state: EntryState
    on: date
    since: datetime
    missing: str  # what has to be done, in words


def of_day(day: ServiceDay) -> list[Unfinished]:
    """All of a day, by room and number; one query."""
    here = QueueEntry.state.in_((*days.STILL_HERE, EntryState.UNFINISHED))
    return _found(QueueEntry.service_day_id == day.id, here)


def in_rooms(poli_ids: list[int]) -> list[Unfinished]:
    """Of days that are over, begun in these rooms and never ended; one query."""
    return _found(*_begun_and_cut_off(poli_ids, utcnow() - KEPT_ON_LISTS))


def rooms_with_some(poli_ids: list[int]) -> set[int]:
    """Those of these rooms of which `in_rooms` lists any; one query, of none no query."""
    if not poli_ids:  # as on nearly each page of a queue: building what is not asked took 2 ms
        return set()
    begun = select(QueueEntry.poli_id).join(QueueEntry.poli).distinct()
    found = begun.where(*_begun_and_cut_off(poli_ids, utcnow() - KEPT_ON_LISTS))
    return set(db.session.scalars(found))


def unserved_in(poli_ids: list[int]) -> list[Unfinished]:
    """Cut off lately while waiting for these rooms, and not there again since; one query."""
    return _found(*_unserved(poli_ids, utcnow() - MAY_BE_HERE))


def is_or_was_in(patient: Patient, poli_ids: list[int]) -> bool:
    """Whether the patient is or was in one of these rooms today, or was cut off in it lately.

    Who stood there when the night was over still does until the worker has ended the day.
    """
    day = days.latest_day()  # after its end too
    is_today = day is not None and days.is_current(day.on, None)
    of_today = QueueEntry.service_day_id == (day.id if is_today else None)
    is_of_the_night = day is not None and day.on >= days.clinic_date() - timedelta(days=1)
    of_the_night = QueueEntry.service_day_id == (day.id if is_of_the_night else None)
    found = (
        select(QueueEntry.id)
        .join(QueueEntry.visit)
        .where(
            Visit.patient_id == patient.id,
            QueueEntry.poli_id.in_(poli_ids),
            of_today
            | and_(of_the_night, QueueEntry.state.in_(days.STILL_HERE))
            | and_(*_cut_off(utcnow() - KEPT_ON_LISTS)),
        )
    )
    return db.session.scalar(found.limit(1)) is not None


def _begun_and_cut_off(poli_ids: list[Any], since: Any) -> list[ColumnElement[bool]]:
    # What nobody fetched at the pharmacy stands on a list of its own.
    done = aliased(Examination)
    written = exists().where(done.entry_id == QueueEntry.id, done.finished_at.is_not(None))
    return [
        Poli.kind != PoliKind.PHARMACY,
        QueueEntry.poli_id.in_(poli_ids),
        *_cut_off(since),
        ~written,  # it waited for a result, or for another room
    ]


def _cut_off(since: Any) -> list[ColumnElement[bool]]:
    # Who was never called in is unserved: there is nothing to write.
    return [*_unfinished(since), QueueEntry.started_at.is_not(None)]


def _unfinished(since: Any) -> list[ColumnElement[bool]]:
    return [
        # Said in the statement itself: SQLite would not use the index for a value beside it.
        QueueEntry.state == literal_column(f"'{EntryState.UNFINISHED}'"),
        QueueEntry.ended_at > since,
    ]


def _unserved(poli_ids: list[Any], since: Any) -> list[ColumnElement[bool]]:
    again, of_visit, its_visit = aliased(QueueEntry), aliased(Visit), aliased(Visit)
    came_again = exists().where(
        its_visit.id == QueueEntry.visit_id,
        of_visit.patient_id == its_visit.patient_id,
        again.visit_id == of_visit.id,
        again.poli_id == QueueEntry.poli_id,
        again.id > QueueEntry.id,
        again.state != EntryState.CANCELLED,
    )
    return [
        Poli.kind != PoliKind.PHARMACY,
        QueueEntry.poli_id.in_(poli_ids),
        *_unfinished(since),
        QueueEntry.started_at.is_(None),
        ~came_again,
    ]


# How many `in_rooms` would list of one room: takes `room` and `since`.
CUT_OFF = (
    select(func.count(QueueEntry.id))
    .join(QueueEntry.poli)
    .where(*_begun_and_cut_off([bindparam("room")], bindparam("since")))
)
# And `unserved_in`: takes `room` and `lately`.
UNSERVED = (
    select(func.count(QueueEntry.id))
    .join(QueueEntry.poli)
    .where(*_unserved([bindparam("room")], bindparam("lately")))
)
# Those among the first of the day that the statement around it reads.
CUT_OFF_OF_DAY = CUT_OFF.where(QueueEntry.service_day_id == ServiceDay.__table__.c.id).correlate(
    ServiceDay.__table__
)


def _found(*wanted: ColumnElement[bool]) -> list[Unfinished]:
    diagnosed = exists().where(
        Diagnosis.examination_id == Examination.id, Diagnosis.ended_at.is_(None)
    )
    ordered = exists().where(LabOrder.visit_id == Visit.id, LabOrder.state.in_(LAB_OPEN))
    prescribed = exists().where(
        Prescription.visit_id == Visit.id, Prescription.state.in_(PRESCRIPTION_OPEN)
    )
    rows = (
        select(
            QueueEntry,
            Visit,
            *(Patient.name, Patient.birth_order),
            Poli,
            ServiceDay.on,
            Examination,
            diagnosed,
            ordered,
            prescribed,
        )
        .join(Visit, Visit.id == QueueEntry.visit_id)
        .join(Patient, Patient.id == Visit.patient_id)
        .join(Poli, Poli.id == QueueEntry.poli_id)
        .join(ServiceDay, ServiceDay.id == QueueEntry.service_day_id)
        .outerjoin(Examination, Examination.entry_id == QueueEntry.id)
        .where(*wanted)
        .order_by(ServiceDay.on.desc(), Poli.position, Poli.id, QueueEntry.place, QueueEntry.id)
    )
    return [_line(*row) for row in db.session.execute(rows)]


def _line(entry, visit, name, nth, poli, on, examination, *facts) -> Unfinished:
    return Unfinished(
        entry.public_id,
        visit.public_id,
        visit.label,
        with_birth_order(name, nth),
        poli.name,
        entry.state,
        on,
        entry.started_at or entry.queued_at,
        _missing(entry, poli, examination, *facts),
    )


def _missing(entry, poli, examination, is_diagnosed, is_ordered, is_prescribed) -> str:
    if entry.started_at is None:
        return "belum dilayani"
    if poli.kind is PoliKind.LABORATORY:
        return "hasil laboratorium" if is_ordered else NOT_PRESSED
    if poli.kind is PoliKind.PHARMACY:
        return "obat belum diserahkan" if is_prescribed else NOT_PRESSED
    if examination is None:
        return "pemeriksaan belum ditulis"
    if examination.finished_at:
        return "menunggu hasil dari ruang lain"
    missing = [] if is_diagnosed or examination.assessment.strip() else ["diagnosis"]
    missing += [] if examination.disposition else ["tindak lanjut"]
    return f"{' dan '.join(missing)} belum diisi" if missing else NOT_PRESSED
