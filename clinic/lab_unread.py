"""Which results the sender's room still has to read, and that some came after the patient left.

Critical values until they are read; what was corrected or withdrawn; what is not normal and came
when nobody waited for it any more. The two last are found by the trail, where each such step has
a line of its own: an index over it is short, while most results are neither.
"""

from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import aliased

from clinic import audit
from clinic.audit import Actor
from db import db, utcnow
from models import (
    AuditEntry,
    LabFlag,
    LabOrder,
    LabResult,
    Poli,
    PoliKind,
    QueueEntry,
)

# What was corrected or came late stands so long; critical values until they are read.
CORRECTION_KEPT, LATE_KEPT = timedelta(days=30), timedelta(days=90)
LATE = "late_lab_result"
CHANGES = ("correct_lab_result", "withdraw_lab_result")
NOT_NORMAL = (LabFlag.LOW, LabFlag.HIGH, LabFlag.ABNORMAL)  # and not critical

_CRITICAL = "flag IN ('critical_low', 'critical_high', 'critical')"
# As text: only so does SQLite see that its index holds just these rows.
_IS_UNREAD = (
    text("lab_result.ended_at IS NULL AND lab_result.read_at IS NULL"),
    text(f"lab_result.{_CRITICAL}"),
)
gone = aliased(LabResult, name="gone")


def _newest():
    """The id of what holds in the place of `gone`, or of the last that held there."""
    each = aliased(LabResult, name="each")
    # One by one from the few that were corrected: no planner comes to begin with all that hold.
    return (
        select(func.max(each.id))
        .where(each.order_id == gone.order_id, each.test_id == gone.test_id)
        .correlate(gone)
        .scalar_subquery()
    )


def _ended_unread() -> tuple[ColumnElement[bool], ...]:
    """In SQL: `gone` ended lately, and nobody has read what came of it."""
    later = aliased(LabResult, name="later")
    was_read = or_(
        and_(later.id > gone.id, later.read_at.is_not(None)),
        and_(later.id == gone.id, later.read_at >= gone.ended_at),  # withdrawn
    )
    same = (later.order_id == gone.order_id, later.test_id == gone.test_id)
    return gone.ended_at > bindparam("corrected_since"), ~exists().where(*same, was_read)


def _once_critical() -> Select:
    """Somebody may have acted on it, finished or not."""
    is_critical = text(f"gone.ended_at IS NOT NULL AND gone.{_CRITICAL}")
    return select(_newest()).select_from(gone).where(is_critical, *_ended_unread())


def _changed() -> Select:
    """What the laboratory corrected so that it means something else, or withdrew."""
    last = aliased(LabResult, name="last")
    noted = (
        select(LabOrder.id)
        .join(AuditEntry, AuditEntry.object_ref == LabOrder.public_id)
        .where(AuditEntry.action.in_(CHANGES), AuditEntry.at > bindparam("corrected_since"))
    )
    means_other = or_(
        last.ended_at.is_not(None),
        last.flag.is_distinct_from(gone.flag),
        and_(last.flag.is_(None), last.value != gone.value),  # only a person can judge it
    )
    return (
        select(_newest())
        .select_from(gone)
        .join(LabOrder, LabOrder.id == gone.order_id)
        .join(QueueEntry, QueueEntry.id == LabOrder.entry_id)
        .join(Poli, Poli.id == QueueEntry.poli_id)
        .where(
            gone.order_id.in_(noted),
            gone.ended_at >= LabOrder.resulted_at,  # before that nobody else has seen it
            Poli.kind != PoliKind.LABORATORY,
            *_ended_unread(),
            exists().where(last.id == _newest(), means_other),
        )
    )


def _late() -> Select:
    """What is not normal and came late, or what has taken its place since."""
    last, read = aliased(LabResult, name="last"), aliased(LabResult, name="read")
    noted = select(AuditEntry.object_ref).where(
        AuditEntry.action == LATE, AuditEntry.at > bindparam("late_since")
    )
    is_unusual = and_(last.ended_at.is_(None), last.flag.in_(NOT_NORMAL))
    same = (read.order_id == gone.order_id, read.test_id == gone.test_id, read.id >= gone.id)
    return (
        select(_newest())
        .select_from(gone)
        .where(
            gone.public_id.in_(noted),
            ~exists().where(*same, read.read_at.is_not(None)),
            exists().where(last.id == _newest(), is_unusual),
        )
    )


_TO_READ = union_all(select(LabResult.id).where(*_IS_UNREAD), _once_critical(), _changed(), _late())


def to_read() -> set[int]:
    """Ids of the results that somebody has to read, in whatever room: most often none."""
    return set(db.session.scalars(_TO_READ, _since()))


def _since() -> dict[str, datetime]:
    now = utcnow()
    return {"corrected_since": now - CORRECTION_KEPT, "late_since": now - LATE_KEPT}


# --- What came late ---------------------------------------------------------------------------


def note(actor: Actor, order: LabOrder, result: LabResult) -> None:
    """This result came when its sender had nothing more to ask; a critical one is told anyway."""
    if result.flag in NOT_NORMAL and order.entry.poli.kind is not PoliKind.LABORATORY:
        about = {"object_type": "lab_result", "object_ref": result.public_id}
        audit.record(actor, LATE, **about, patient_ref=order.visit.patient.public_id)
