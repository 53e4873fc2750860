"""What the queue pages say of the laboratory: critical values to read, results to validate."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BindParameter, Select, bindparam, func, or_, select, text
from sqlalchemy.orm import aliased, joinedload

from clinic.lab_reports import FLAG_WORDS, is_preliminary_result
from clinic.lab_values import shown
from clinic.names import called
from db import db
from models import (
    LabOrder,
    LabOrderState,
    LabResult,
    LabTest,
    Patient,
    Poli,
    QueueEntry,
    ServiceDay,
    User,
    UserPoli,
    Visit,
)


@dataclass(frozen=True)
class Alert:
    """A critical value that nobody of the sender's room has read yet."""

    ref: str
    label: str
    on: date  # the visit's day: its number is somebody else's on another
    patient: str
    patient_ref: str
    entry_ref: str
    test: str
    text: str
    flag_text: str
    author: str
    at: datetime
    is_preliminary: bool


def rooms_watched_with(poli_id: int | BindParameter[int]) -> Select:
    """Ids of the rooms that somebody works in who works in this one too."""
    here, there = aliased(UserPoli), aliased(UserPoli)
    return (
        select(there.poli_id)
        .join(here, here.user_id == there.user_id)
        .join(User, User.id == here.user_id)
        .where(here.poli_id == poli_id, here.is_active, there.is_active, User.is_active)
        .distinct()
    )


# As text: only so does SQLite see that its index holds just these rows.
_IS_UNREAD = (
    text("lab_result.ended_at IS NULL AND lab_result.read_at IS NULL"),
    text("lab_result.flag IN ('critical_low', 'critical_high', 'critical')"),
)


def _unread() -> Select:
    author = aliased(User)
    return (
        select(LabResult, LabOrder, Visit.label, ServiceDay.on, Patient)
        .add_columns(QueueEntry, LabTest.name, author, Poli.name)
        .join(LabOrder, LabOrder.id == LabResult.order_id)
        .join(QueueEntry, QueueEntry.id == LabOrder.entry_id)
        .join(Poli, Poli.id == QueueEntry.poli_id)
        .join(Visit, Visit.id == LabOrder.visit_id)
        .join(ServiceDay, ServiceDay.id == Visit.service_day_id)
        .join(Patient, Patient.id == Visit.patient_id)
        .join(LabTest, LabTest.id == LabResult.test_id)
        .join(author, author.id == LabResult.resulted_by_id)
        .where(
            *_IS_UNREAD,
            or_(
                QueueEntry.poli_id == bindparam("poli_id"),
                QueueEntry.poli_id.in_(rooms_watched_with(bindparam("poli_id"))),
            ),
        )
        .order_by(LabResult.id.desc())
    )


UNREAD = _unread()


def rooms_with_unread() -> set[int]:
    """Ids of the rooms that sent somebody whose critical value nobody there has read."""
    rooms = (
        select(QueueEntry.poli_id)
        .join(LabOrder, LabOrder.entry_id == QueueEntry.id)
        .join(LabResult, LabResult.order_id == LabOrder.id)
        .where(*_IS_UNREAD)
    )
    return set(db.session.scalars(rooms))


def alerts(poli_id: int) -> tuple[list[Alert], list[str]]:
    """The critical values for a room that sent the patient, on whatever day; one query.

    Beside them the other rooms that have some, by name: who works in both may look at this one.
    """
    here, elsewhere = [], set()
    for *about, entry, test, author, room in db.session.execute(UNREAD, {"poli_id": poli_id}):
        if entry.poli_id == poli_id:
            here.append(_alert(*about, entry, test, author))
        else:
            elsewhere.add(room)
    return here, sorted(elsewhere)


def _alert(result, order, label, on, patient, entry, test, author) -> Alert:
    is_preliminary = is_preliminary_result(order.state, order.needs_validation, result.validated_at)
    return Alert(
        ref=result.public_id,
        label=label,
        on=on,
        patient=called(patient),
        patient_ref=patient.public_id,
        entry_ref=entry.public_id,
        test=test,
        text=f"{shown(result.value, result.number)} {result.unit}".strip(),
        flag_text=FLAG_WORDS[result.flag],
        author=author.display_name,
        at=result.resulted_at,
        is_preliminary=is_preliminary,
    )


def result_by_ref(ref: str) -> LabResult | None:
    """The result of this public id, with its order, room and patient."""
    order = joinedload(LabResult.order)
    return db.session.scalar(
        select(LabResult)
        .options(
            joinedload(LabResult.test),
            order.joinedload(LabOrder.entry).joinedload(QueueEntry.poli),
            order.joinedload(LabOrder.visit).joinedload(Visit.patient),
        )
        .where(LabResult.public_id == ref)
    )


def waiting_for_validation() -> list[LabOrder]:
    """Orders whose results a second person has to look at, oldest first."""
    rows = (
        _unvalidated(LabOrder)
        .options(
            joinedload(LabOrder.visit).joinedload(Visit.patient),
            joinedload(LabOrder.entry).joinedload(QueueEntry.poli),
        )
        .order_by(LabOrder.id)
    )
    return list(db.session.scalars(rows))


def validation_count() -> int:
    """How many orders wait for a second person."""
    return db.session.scalar(_unvalidated(func.count(LabOrder.id))) or 0


def _unvalidated(what):
    waiting = (LabOrder.state == LabOrderState.RESULTED, LabOrder.needs_validation)
    return select(what).where(*waiting)
