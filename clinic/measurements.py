"""Vital signs: rows with their own author; a correction ends a row and adds another."""

from collections.abc import Mapping
from decimal import Decimal

from sqlalchemy import select

from clinic import audit
from clinic.audit import Actor
from clinic.queue_changes import bump_rooms_with
from clinic.queue_steps import is_cut_off
from clinic.record_errors import NotOpen
from clinic.vital_signs import VITAL_RANGES
from db import db, utcnow
from formatting import number_text
from models import QueueEntry, Visit, VisitStatus, VitalSigns

VITALS = tuple(VITAL_RANGES)

Vitals = Mapping[str, Decimal | int | None]


def own_measurement(user_id: int, visit: Visit, entry: QueueEntry | None) -> VitalSigns | None:
    """What this person measured in this room (or at the screening desk, entry None)."""
    return db.session.scalar(
        select(VitalSigns)
        .where(
            VitalSigns.visit_id == visit.id,
            VitalSigns.entry_id == (entry.id if entry else None),
            VitalSigns.recorded_by_id == user_id,
            VitalSigns.ended_at.is_(None),
        )
        .order_by(VitalSigns.id.desc())
        .limit(1)
    )


def newest(visit: Visit, name: str) -> Decimal | int | None:
    """The value of this sign that was measured last, whoever did; None when nobody did."""
    column = getattr(VitalSigns, name)
    rows = select(column).where(
        VitalSigns.visit_id == visit.id, VitalSigns.ended_at.is_(None), column.is_not(None)
    )
    return db.session.scalar(
        rows.order_by(VitalSigns.occurred_at.desc(), VitalSigns.id.desc()).limit(1)
    )


def has_measured(actor: Actor, entry: QueueEntry, values: Vitals) -> bool:
    """Whether just these values stand as this person's in this room."""
    own = own_measurement(actor.user_id, entry.visit, entry)
    return all(value == (getattr(own, name) if own else None) for name, value in values.items())


def weight_text(visit: Visit) -> str:
    """The newest weight of this visit, by which doses are checked; '' when nobody weighed."""
    rows = select(VitalSigns.weight).where(
        VitalSigns.visit_id == visit.id,
        VitalSigns.ended_at.is_(None),
        VitalSigns.weight.is_not(None),
    )
    weight = db.session.scalar(rows.order_by(VitalSigns.id.desc()).limit(1))
    return f"BB {number_text(weight)} kg" if weight is not None else ""


def measure(
    actor: Actor, visit: Visit, entry: QueueEntry | None, values: Vitals
) -> VitalSigns | None:
    """Add what one person measured; one's own earlier row in the same room ends when it differs.

    Fields that are not in `values` stay as they were. Raises NotOpen when something differs and
    the visit has ended, unless the day's end cut this room's examination off.
    """
    own = own_measurement(actor.user_id, visit, entry)
    before = {name: getattr(own, name) if own else None for name in VITALS}
    after = before | {name: value for name, value in values.items() if name in VITALS}
    if after == before:
        return own
    late = entry if entry and is_cut_off(entry) else None
    if visit.status != VisitStatus.OPEN and late is None:
        raise NotOpen("Kunjungan ini sudah berakhir, jadi tanda vital tidak dapat ditambah.")
    if own:
        own.ended_at = utcnow()
    row = None
    if any(value is not None for value in after.values()):
        row = VitalSigns(
            visit_id=visit.id,
            entry_id=entry.id if entry else None,
            recorded_by_id=actor.user_id,
            occurred_at=(late and late.ended_at) or utcnow(),  # the patient has gone since
            **after,
        )
        db.session.add(row)
    db.session.flush()
    if own is None or row is None:  # the rows of the queue say whether there are any
        bump_rooms_with(visit)
    audit.record(actor, "measure", visit, details="corrected" if own else "")
    return row
