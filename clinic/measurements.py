"""Vital signs: rows with their own author; a correction ends a row and adds another.

What a correction leaves as it was keeps its own time of measuring: a weight that is put right
makes no old pressure the newest. A further measurement is a row beside the earlier ones.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Select, select

from clinic import audit
from clinic.audit import Actor
from clinic.queue_changes import bump_rooms_with
from clinic.queue_steps import is_cut_off
from clinic.record_errors import MeasuredMeanwhile, NotOpen
from clinic.vital_signs import VITAL_RANGES
from db import db, utcnow
from formatting import number_text
from models import QueueEntry, Visit, VisitStatus, VitalSigns

VITALS = tuple(VITAL_RANGES)
PRESSURE = ("systolic", "diastolic")
# What is measured at once: half a pressure is none.
READINGS = (PRESSURE, *((name,) for name in VITALS if name not in PRESSURE))

Vitals = Mapping[str, Decimal | int | None]


@dataclass(frozen=True)
class Boxes:
    """What stands in a page's boxes; fields that are not in `values` it did not have.

    `shown` names the rows that stood there when it was shown: what is unchanged since then was
    not typed. None of a page that does not say so: what stands now. `is_new`: measured again,
    and what was measured before holds on.
    """

    values: Vitals
    shown: Collection[str] | None = None
    is_new: bool = False


@dataclass(frozen=True)
class Own:
    """What one person measured in one room and holds, oldest first."""

    rows: Sequence[VitalSigns] = ()

    @property
    def values(self) -> dict[str, Decimal | int]:
        """The newest value of each sign."""
        return {name: value for name, value in _values(self.rows).items() if value is not None}

    @property
    def refs(self) -> list[str]:
        """The rows that these values stand in."""
        rows = [_holder(self.rows, reading) for reading in READINGS]
        return list(dict.fromkeys(row.public_id for row in rows if row))

    @property
    def at(self) -> datetime | None:
        """When something was measured last."""
        return self.rows[-1].occurred_at if self.rows else None


def own_measurements(user_id: int, visit: Visit, entry: QueueEntry | None) -> Own:
    """What this person measured in this room (or at the screening desk, entry None)."""
    rows = _rows_of(user_id, visit, entry).where(VitalSigns.ended_at.is_(None))
    return Own(db.session.scalars(rows).all())


def _rows_of(user_id: int, visit: Visit, entry: QueueEntry | None) -> Select:
    return (
        select(VitalSigns)
        .where(
            VitalSigns.visit_id == visit.id,
            VitalSigns.entry_id == (entry.id if entry else None),
            VitalSigns.recorded_by_id == user_id,
        )
        .order_by(VitalSigns.occurred_at, VitalSigns.id)
    )


def _holder(rows: Sequence[VitalSigns], reading: Sequence[str]) -> VitalSigns | None:
    """The newest of these rows that has something of this reading."""
    found = [row for row in rows if any(getattr(row, name) is not None for name in reading)]
    return found[-1] if found else None


def _values(rows: Sequence[VitalSigns]) -> dict[str, Decimal | int | None]:
    holders = {reading: _holder(rows, reading) for reading in READINGS}
    return {
        name: getattr(row, name) if row else None
        for reading, row in holders.items()
        for name in reading
    }


def newest(visit: Visit, name: str) -> Decimal | int | None:
    """The value of this sign that was measured last, whoever did; None when nobody did."""
    column = getattr(VitalSigns, name)
    rows = select(column).where(
        VitalSigns.visit_id == visit.id, VitalSigns.ended_at.is_(None), column.is_not(None)
    )
    return db.session.scalar(
        rows.order_by(VitalSigns.occurred_at.desc(), VitalSigns.id.desc()).limit(1)
    )


def weight_text(visit: Visit) -> str:
    """The newest weight of this visit, by which doses are checked; '' when nobody weighed."""
    weight = newest(visit, "weight")
    return f"BB {number_text(weight)} kg" if weight is not None else ""


@dataclass(frozen=True)
class Difference:
    """What a page's boxes say beyond what stands: `changed` is to be written.

    What is `untouched` stands as it was shown. Of `conflicts`, with what stands there now, both
    this page and another one have changed what was shown.
    """

    own: Own
    changed: dict[str, Decimal | int | None] = field(default_factory=dict)
    untouched: list[str] = field(default_factory=list)
    conflicts: dict[str, Decimal | int | None] = field(default_factory=dict)


def difference(
    user_id: int, visit: Visit, entry: QueueEntry | None, values: Vitals | Boxes
) -> Difference:
    """The boxes, reading by reading, beside what this person has measured there."""
    boxes = values if isinstance(values, Boxes) else Boxes(values)
    own = own_measurements(user_id, visit, entry)
    now = before = _values(own.rows)
    if boxes.shown is not None and set(boxes.shown) != set(own.refs):
        rows = _rows_of(user_id, visit, entry).where(VitalSigns.public_id.in_(boxes.shown))
        before = _values(db.session.scalars(rows).all())
    found = Difference(own)
    for reading in READINGS:
        if not boxes.values.keys() & set(reading):
            continue
        was, stands = ({name: at[name] for name in reading} for at in (before, now))
        typed = {name: boxes.values.get(name, was[name]) for name in reading}
        if typed == was:
            found.untouched.extend(reading)
        elif boxes.is_new or (typed != stands and stands == was):
            found.changed.update(typed)
        elif typed != stands:
            found.conflicts.update(stands)
    return replace(found, changed=_anew(boxes, found)) if boxes.is_new else found


def _anew(boxes: Boxes, found: Difference) -> dict[str, Decimal | int | None]:
    """What was measured again: what the boxes changed, else all that they hold.

    Nothing where a row that was not shown yet says it: then it was sent again.
    """
    changed, held = (
        {name: value for name, value in typed.items() if value is not None}
        for typed in (found.changed, boxes.values)
    )
    said = changed or held
    since = [row for row in found.own.rows if row.public_id not in (boxes.shown or ())]
    is_there = boxes.shown is not None and any(
        all(getattr(row, name) == value for name, value in said.items()) for row in since
    )
    return {} if is_there else said


def has_measured(actor: Actor, entry: QueueEntry, values: Vitals | Boxes) -> bool:
    """Whether all of this stands as this person's in this room."""
    found = difference(actor.user_id, entry.visit, entry, values)
    return not found.changed and not found.conflicts


def measure(
    actor: Actor, visit: Visit, entry: QueueEntry | None, values: Vitals | Boxes
) -> VitalSigns | None:
    """Add what one person measured; one's own row ends whose value is corrected.

    Fields that are not in `values` stay as they were. Raises MeasuredMeanwhile when another page
    changed the same boxes; NotOpen when something differs and the visit has ended, unless the
    day's end cut this room's examination off.
    """
    found = difference(actor.user_id, visit, entry, values)
    rows, changed = list(found.own.rows), found.changed
    if found.conflicts:
        raise MeasuredMeanwhile
    if not changed:
        return rows[-1] if rows else None
    late = entry if entry and is_cut_off(entry) else None
    if visit.status != VisitStatus.OPEN and late is None:
        raise NotOpen("Kunjungan ini sudah berakhir, jadi tanda vital tidak dapat ditambah.")
    is_new = isinstance(values, Boxes) and values.is_new
    corrected = {} if is_new else _holders(rows, changed)
    left = [row for row in rows if row.id not in corrected] + _end(corrected, rows)
    row = None
    if any(value is not None for value in changed.values()):
        row = VitalSigns(
            visit_id=visit.id,
            entry_id=entry.id if entry else None,
            recorded_by_id=actor.user_id,
            occurred_at=(late and late.ended_at) or utcnow(),  # the patient has gone since
            **changed,
        )
        db.session.add(row)
    db.session.flush()
    if not rows or not (row or left):  # the rows of the queue say whether there are any
        bump_rooms_with(visit)
    audit.record(actor, "measure", visit, details="corrected" if corrected else "")
    return row


def _holders(rows: Sequence[VitalSigns], changed: Collection[str]) -> dict[int, set[str]]:
    """By row, the values in it that are corrected: of each sign the newest."""
    found: dict[int, set[str]] = defaultdict(set)
    for reading in READINGS:
        row = _holder(rows, reading) if set(reading) & set(changed) else None
        if row:
            found[row.id].update(reading)
    return found


def _end(corrected: Mapping[int, set[str]], rows: Sequence[VitalSigns]) -> list[VitalSigns]:
    """End these rows; what else stands in them holds on, as it was measured."""
    kept = []
    for row in rows:
        if row.id not in corrected:
            continue
        row.ended_at = utcnow()
        rest = {name: getattr(row, name) for name in VITALS if name not in corrected[row.id]}
        if any(value is not None for value in rest.values()):
            names = ("visit_id", "entry_id", "recorded_by_id", "occurred_at", "source")
            kept.append(VitalSigns(**{name: getattr(row, name) for name in names}, **rest))
    db.session.add_all(kept)
    db.session.flush()
    return kept
