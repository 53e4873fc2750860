"""What the queue pages say of the laboratory: critical values to read, results to validate.

What was critical and was corrected is said too: somebody may have acted on it.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import BindParameter, Select, bindparam, exists, func, or_, select, text, union_all
from sqlalchemy.orm import aliased, joinedload

from clinic.lab_reports import FLAG_WORDS, is_preliminary_result
from clinic.lab_values import CRITICAL, shown
from clinic.names import called
from db import db, utcnow
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

# Corrections stand so long; critical values until they are read.
CORRECTION_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Alert:
    """A critical value that nobody of the sender's room has read yet, or what it was corrected to.

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


_CRITICAL = "flag IN ('critical_low', 'critical_high', 'critical')"
# As text: only so does SQLite see that its index holds just these rows.
_IS_UNREAD = (
    text("lab_result.ended_at IS NULL AND lab_result.read_at IS NULL"),
    text(f"lab_result.{_CRITICAL}"),
)


def _corrections() -> Select:
    """Ids of what holds in the place of a critical value, and nobody has read since it ended."""
    gone, now, later = (aliased(LabResult, name=name) for name in ("gone", "now", "later"))
    was_read = exists().where(
        later.order_id == gone.order_id,
        later.test_id == gone.test_id,
        later.id > gone.id,
        later.read_at.is_not(None),
    )
    # One by one from the few that were corrected: no planner comes to begin with all that hold.
    holds = (
        select(now.id)
        .where(now.order_id == gone.order_id, now.test_id == gone.test_id, now.ended_at.is_(None))
        .correlate(gone)
        .scalar_subquery()
    )
    return select(holds).where(
        text(f"gone.ended_at IS NOT NULL AND gone.{_CRITICAL}"),
        gone.ended_at > bindparam("since"),
        ~was_read,
    )


_TO_READ = union_all(select(LabResult.id).where(*_IS_UNREAD), _corrections())


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
            LabResult.id.in_(bindparam("ids", expanding=True)),
            or_(
                QueueEntry.poli_id == bindparam("poli_id"),
                QueueEntry.poli_id.in_(rooms_watched_with(bindparam("poli_id"))),
            ),
        )
        .order_by(LabResult.id.desc())
    )


UNREAD = _unread()


def _to_read() -> list[int]:
    """Ids of the results that somebody has to read, in whatever room: most often none."""
    return [each for each in db.session.scalars(_TO_READ, _recent()) if each is not None]


def _recent() -> dict[str, datetime]:
    return {"since": utcnow() - CORRECTION_KEPT}


def is_correction_to_read(result: LabResult) -> bool:
    """Whether it took the place of a critical value and the sender's room is still told so."""
    return result.id in db.session.scalars(_corrections(), _recent()).all()


def rooms_with_unread() -> set[int]:
    """Ids of the rooms that sent somebody whose critical value nobody there has read."""
    rooms = (
        select(QueueEntry.poli_id)
        .join(LabOrder, LabOrder.entry_id == QueueEntry.id)
        .join(LabResult, LabResult.order_id == LabOrder.id)
        .where(LabResult.id.in_(_to_read()))
    )
    return set(db.session.scalars(rooms))


def alerts(poli_id: int) -> tuple[list[Alert], list[str]]:
    """What a room that sent the patient has to read, of whatever day; one query if nothing.

    Beside it the other rooms that have some, by name: who works in both may look at this one.
    """
    here, elsewhere = [], set()
    values = {"poli_id": poli_id, "ids": _to_read()}
    found = db.session.execute(UNREAD, values).all() if values["ids"] else []
    for *about, entry, test, author, room in found:
        if entry.poli_id == poli_id:
            here.append((*about, entry, test, author))
        else:
            elsewhere.add(room)
    replaced = _replaced([result for result, *_ in here])
    return [_alert(*about, replaced) for about in here], sorted(elsewhere)


def _replaced(results: list[LabResult]) -> dict[int, str]:
    """By result, the value that it took the place of; the critical one if it is not itself."""
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
        for row in ended:
            is_told = row.flag in CRITICAL or result.flag in CRITICAL
            if is_told and (row.order_id, row.test_id) == (result.order_id, result.test_id):
                replaced[result.id] = f"{shown(row.value, row.number)}{_in_brackets(row)}"
    return replaced


def _in_brackets(result: LabResult) -> str:
    return f" ({FLAG_WORDS[result.flag]})" if result.flag else ""


def _alert(result, order, label, on, patient, entry, test, author, replaced) -> Alert:
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
        flag_text=FLAG_WORDS.get(result.flag, ""),
        author=author.display_name,
        at=result.resulted_at,
        is_preliminary=is_preliminary,
        is_critical=result.flag in CRITICAL,
        before=replaced.get(result.id, ""),
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
