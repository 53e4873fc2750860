"""What the queue pages say of the laboratory: results to read, results to validate."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from clinic.lab_reports import FLAG_WORDS, is_preliminary_result
from clinic.lab_unread import to_read
from clinic.lab_values import CRITICAL, shown
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

CRITICAL_TITLE, OTHER_TITLE = "Nilai kritis", "Hasil lab belum dibaca"


@dataclass(frozen=True)
class Alert:
    """A result that nobody of the sender's room has read yet: see `clinic.lab_unread`.

    `before` is the value that it took the place of, '' where there was none.
    """

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
    is_critical: bool
    before: str = ""
    has_left: bool = False  # the visit is over
    withdrawn: str = ""  # why

    @property
    def title(self) -> str:
        if self.withdrawn:
            return "Hasil ditarik"
        if self.is_critical:
            return CRITICAL_TITLE
        if self.before:
            return "Hasil dikoreksi"
        return "Hasil datang sesudah pasien pulang" if self.has_left else "Hasil lab menyusul"


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


def _unread() -> Select:
    author = aliased(User)
    return (
        select(LabResult, LabOrder, Visit, ServiceDay.on, Patient)
        .add_columns(QueueEntry, LabTest.name, author, Poli.name)
        .join(LabOrder, LabOrder.id == LabResult.order_id)
        .join(QueueEntry, QueueEntry.id == LabOrder.entry_id)
        .join(Poli, Poli.id == QueueEntry.poli_id)
        .join(Visit, Visit.id == LabOrder.visit_id)
        .join(ServiceDay, ServiceDay.id == Visit.service_day_id)
        .join(Patient, Patient.id == Visit.patient_id)
        .join(LabTest, LabTest.id == LabResult.test_id)
        .join(author, author.id == func.coalesce(LabResult.ended_by_id, LabResult.resulted_by_id))
        .where(
            LabResult.id.in_(bindparam("ids", expanding=True)),
            or_(
                QueueEntry.poli_id == bindparam("poli_id"),
                QueueEntry.poli_id.in_(rooms_watched_with(bindparam("poli_id"))),
            ),
        )
        .order_by(LabResult.id.desc())
    )


UNREAD = _unread()


def rooms_with_unread() -> dict[int, str]:
    """By the rooms' ids what to say of those that sent somebody whose result nobody there read."""
    rows = (
        select(QueueEntry.poli_id, LabResult)
        .join(LabOrder, LabOrder.entry_id == QueueEntry.id)
        .join(LabResult, LabResult.order_id == LabOrder.id)
        .where(LabResult.id.in_(to_read()))
        .order_by(LabResult.id)
    )
    return _worst(db.session.execute(rows).tuples())


def _worst(found: Iterable[tuple[Any, LabResult]]) -> dict[Any, str]:
    """By room what to say of it: one critical value goes before all others."""
    said: dict[Any, str] = {}
    for room, result in found:
        said[room] = CRITICAL_TITLE if is_critical(result) else said.get(room, OTHER_TITLE)
    return said


def is_critical(result: LabResult) -> bool:
    """Whether it asks to be acted upon; not what has been withdrawn."""
    return result.ended_at is None and result.flag in CRITICAL


def alerts(poli_id: int) -> tuple[list[Alert], list[tuple[str, str]]]:
    """What a room that sent the patient has to read, of whatever day; one query if nothing.

    Beside it the other rooms that have some, by name: who works in both may look at this one.
    """
    here, elsewhere = [], []
    values = {"poli_id": poli_id, "ids": to_read()}
    found = db.session.execute(UNREAD, values).all() if values["ids"] else []
    for result, *about, entry, test, author, room in found:
        if entry.poli_id == poli_id:
            here.append((result, *about, entry, test, author))
        else:
            elsewhere.append((room, result))
    replaced = _replaced([result for result, *_ in here])
    return [_alert(*about, replaced) for about in here], sorted(_worst(elsewhere).items())


def _replaced(results: list[LabResult]) -> dict[int, str]:
    """By result, the value that it took the place of, if that one meant something else."""
    if not results:
        return {}
    rows = (
        select(LabResult)
        .where(LabResult.order_id.in_({each.order_id for each in results}))
        .where(LabResult.ended_at.is_not(None))
        .order_by(LabResult.id)
    )
    ended = db.session.scalars(rows).all()
    replaced = {}
    for result in results:
        before = [row for row in ended if row.id < result.id and _is_told(row, result)]
        if before:
            row = max(before, key=_known)
            replaced[result.id] = f"{shown(row.value, row.number)}{_in_brackets(row)}"
    return replaced


def _known(row: LabResult) -> tuple[bool, bool, int]:
    """What the room has read goes before what it may have acted on, and the newer one."""
    is_read = row.read_at is not None
    return is_read, row.flag in CRITICAL and not is_read, row.id


def _is_told(before: LabResult, result: LabResult) -> bool:
    """Whether it is the same test's, and meant something else."""
    if (before.order_id, before.test_id) != (result.order_id, result.test_id):
        return False
    if before.flag in CRITICAL or result.flag in CRITICAL:
        return True
    is_other = before.flag is not result.flag or before.flag is None
    finished_at = result.order.resulted_at
    return is_other and finished_at is not None and before.ended_at >= finished_at


def _in_brackets(result: LabResult) -> str:
    return f" ({FLAG_WORDS[result.flag]})" if result.flag else ""


def _alert(result, order, visit, on, patient, entry, test, author, replaced) -> Alert:
    is_preliminary = is_preliminary_result(order.state, order.needs_validation, result.validated_at)
    return Alert(
        ref=result.public_id,
        label=visit.label,
        on=on,
        patient=called(patient),
        patient_ref=patient.public_id,
        entry_ref=entry.public_id,
        test=test,
        text=f"{shown(result.value, result.number)} {result.unit}".strip(),
        flag_text=FLAG_WORDS.get(result.flag, ""),
        author=author.display_name,
        at=result.ended_at or result.resulted_at,
        is_preliminary=is_preliminary,
        is_critical=is_critical(result),
        before=replaced.get(result.id, ""),
        has_left=visit.ended_at is not None,
        withdrawn=result.end_reason,
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
