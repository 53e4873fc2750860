"""Prescriptions that must not be forgotten: whose patient stands nowhere, or is about to leave."""

from sqlalchemy import func, select

from clinic.days import STILL_HERE
from db import db
from models import Prescription, PrescriptionLine, PrescriptionState, QueueEntry, Visit

OPEN = (PrescriptionState.SENT, PrescriptionState.REVIEWED)


def has_open(visit_id: int) -> bool:
    """Whether the pharmacy has something of this visit that is not handed out yet."""
    rows = select(Prescription.id).where(
        Prescription.visit_id == visit_id, Prescription.state.in_(OPEN)
    )
    return db.session.scalar(rows.limit(1)) is not None


def forgotten_count(day_id: int) -> int:
    """How many of the day's open prescriptions have a patient who stands in no room's queue."""
    still_here = select(QueueEntry.visit_id).where(
        QueueEntry.service_day_id == day_id, QueueEntry.state.in_(STILL_HERE)
    )
    ours = select(PrescriptionLine.id).where(
        PrescriptionLine.prescription_id == Prescription.id,
        PrescriptionLine.ended_at.is_(None),
        PrescriptionLine.medicine_id.is_not(None) | PrescriptionLine.is_compound,
    )
    rows = (
        select(func.count(Prescription.id))
        .join(Visit, Visit.id == Prescription.visit_id)
        .where(
            Visit.service_day_id == day_id,
            Prescription.state.in_(OPEN),
            Prescription.visit_id.not_in(still_here),
            ours.exists(),
        )
    )
    return db.session.scalar(rows) or 0
