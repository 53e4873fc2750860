"""Who was served on paper: the room's staff write down what was done, from a list."""

from collections.abc import Collection

from sqlalchemy import BindParameter, Select, bindparam, func, select
from sqlalchemy.orm import contains_eager, joinedload

from clinic import audit, records
from clinic.records import ExaminationInput
from db import db, run
from models import EntryState, Examination, Practitioner, QueueEntry, Slip, Visit


def unwritten(poli_ids: Collection[int], limit: int) -> list[QueueEntry]:
    """Stays in these rooms whose examination stands on paper only, the oldest first."""
    rows = (
        _unwritten(select(QueueEntry), poli_ids)
        .options(contains_eager(QueueEntry.visit).joinedload(Visit.patient))
        .options(contains_eager(QueueEntry.visit).joinedload(Visit.service_day))
        .options(joinedload(QueueEntry.poli))
        .order_by(Visit.occurred_at, QueueEntry.id)
        .limit(limit)
    )
    return list(db.session.scalars(rows))


def count_unwritten(poli_ids: Collection[int]) -> int:
    """How many they are."""
    return run(UNWRITTEN, {"rooms": list(poli_ids)}).scalar_one()


def _unwritten(rows: Select, poli_ids: Collection[int] | BindParameter) -> Select:
    return (
        rows.select_from(Slip)
        .join(Visit, Visit.id == Slip.visit_id)
        .join(QueueEntry, QueueEntry.visit_id == Visit.id)
        .where(
            Slip.unwritten_since.is_not(None),
            QueueEntry.state == EntryState.DONE,
            QueueEntry.undone_at.is_(None),
            QueueEntry.poli_id.in_(poli_ids),
        )
    )


# Takes `rooms`.
UNWRITTEN = _unwritten(select(func.count(QueueEntry.id)), bindparam("rooms", expanding=True))


def write(
    actor: audit.Actor, entry: QueueEntry, form: ExaminationInput, practitioner_id: int
) -> Examination:
    """Write one down and take it off the list. Raises what `records.write_from_paper` does."""
    examination = records.write_from_paper(actor, entry, form, practitioner_id)
    slip = db.session.scalars(select(Slip).where(Slip.visit_id == entry.visit_id)).one()
    slip.unwritten_since = None
    db.session.flush()
    return examination


def practitioners() -> list[Practitioner]:
    """Who may have treated, by name."""
    known = select(Practitioner).where(Practitioner.is_active)
    return list(db.session.scalars(known.order_by(func.lower(Practitioner.name))))
