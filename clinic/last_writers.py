"""Who wrote a record last, to stand beside what somebody else typed meanwhile."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from db import db
from models import AuditEntry, Examination, Patient, User, VisitCorrection


class Writer(NamedTuple):
    """Whoever saved last, and when."""

    user_id: int
    name: str
    at: datetime


def of_examination(examination: Examination) -> Writer | None:
    """Who saved or finished it last, and when; once it may have been another record's."""
    visit = examination.visit
    left = select(VisitCorrection.before).where(
        VisitCorrection.visit_id == visit.id, VisitCorrection.field == "patient"
    )
    is_or_was = Patient.id.in_([visit.patient_id, visit.original_patient_id])
    whose = select(Patient.public_id).where(is_or_was | Patient.public_id.in_(left))
    found = db.session.execute(
        select(User.id, User.display_name, AuditEntry.at)
        .join(User, AuditEntry.user_id == User.id)
        .where(
            AuditEntry.object_ref == examination.public_id,
            AuditEntry.patient_ref.in_(whose),
            AuditEntry.action.in_(("save_examination", "finish_examination")),
        )
        .order_by(AuditEntry.seq.desc())
        .limit(1)
    ).first()
    return Writer(*found) if found else None
