"""Prescriptions that must not be forgotten: which to give first, whose patient stands nowhere."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select

from clinic.days import STILL_HERE
from clinic.prescription_queue import OPEN, has_listed_line
from db import db
from models import Prescription, PrescriptionLine, QueueEntry, Visit

PLAIN_GOAL, COMPOUND_GOAL = 30, 60  # minutes from "Selesai" to the patient's hand
NEAR_GOAL = 10


class Due(NamedTuple):
    """Since when a prescription waits, and whether something is to be made."""

    sent_at: datetime
    has_compound: bool

    @property
    def goal(self) -> int:
        return COMPOUND_GOAL if self.has_compound else PLAIN_GOAL

    @property
    def near(self) -> int:
        """From so many minutes on its colour warns."""
        return self.goal - NEAR_GOAL

    @property
    def until(self) -> datetime:
        return self.sent_at + timedelta(minutes=self.goal)


def due(day_id: int) -> dict[str, Due]:
    """By the visit's public id: of its open prescriptions the one to give first; 1 query."""
    made = select(PrescriptionLine.id).where(
        PrescriptionLine.prescription_id == Prescription.id,
        PrescriptionLine.ended_at.is_(None),
        PrescriptionLine.is_compound,
    )
    rows = (
        select(Visit.public_id, Prescription.sent_at, made.exists())
        .join(Visit, Visit.id == Prescription.visit_id)
        .where(Visit.service_day_id == day_id, Prescription.state.in_(OPEN))
    )
    found: dict[str, Due] = {}
    for ref, sent_at, has_compound in db.session.execute(rows):
        each = Due(sent_at, has_compound)
        found[ref] = min(found.get(ref, each), each, key=lambda one: one.until)
    return found


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
    rows = (
        select(func.count(Prescription.id))
        .join(Visit, Visit.id == Prescription.visit_id)
        .where(
            Visit.service_day_id == day_id,
            Prescription.state.in_(OPEN),
            Prescription.visit_id.not_in(still_here),
            has_listed_line(),
        )
    )
    return db.session.scalar(rows) or 0
