"""*Tidak jadi*: a prescription whose stay ended before "Selesai" was never sent, so it is none.

Every step that ends a stay (`queue_changes.take`) comes here; an undone step gives the draft back.
The end of a day keeps it: the examination may still be completed.
"""

from datetime import datetime

from sqlalchemy import select

from clinic import audit
from clinic.audit import Actor
from db import db
from models import Examination, Prescription, PrescriptionState, QueueEntry


def drop(actor: Actor, entry: QueueEntry, reason: str, at: datetime) -> None:
    """End what was only drafted in this stay, with the reason of the stay's end."""
    for draft in _of(entry, PrescriptionState.DRAFT):
        draft.state, draft.close_reason = PrescriptionState.CANCELLED, reason[:300]
        draft.closed_at, draft.closed_by_id = at, actor.user_id
        db.session.flush()
        audit.record(actor, "drop_prescription", draft, reason=reason)


def give_back(actor: Actor, entry: QueueEntry, ended_at: datetime | None) -> None:
    """The stay goes on as it stood before: so does what was dropped at that instant."""
    for draft in _of(entry, PrescriptionState.CANCELLED):
        if draft.closed_at != ended_at:
            continue
        draft.state, draft.close_reason = PrescriptionState.DRAFT, ""
        draft.closed_at = draft.closed_by_id = None
        db.session.flush()
        audit.record(actor, "resume_prescription", draft)


def _of(entry: QueueEntry, state: PrescriptionState) -> list[Prescription]:
    rows = (
        select(Prescription)
        .join(Prescription.examination)
        .where(
            Examination.entry_id == entry.id,
            Prescription.visit_id == entry.visit_id,  # which has an index
            Prescription.number.is_(None),
            Prescription.state == state,
        )
    )
    return list(db.session.scalars(rows))
