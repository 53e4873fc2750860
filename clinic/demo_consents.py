"""The demo clinic's general consents: most have signed at their first visit, a few refused."""

from datetime import date, datetime

from sqlalchemy import func, select

from clinic.demo_bulk import insert_only
from db import db, new_public_id
from models import Consent, ConsentDecision, Patient, Signer, User, Visit

UNASKED, REFUSING = 9, 97  # every so manieth
ADULT_YEARS = 18


def write(clerk: User) -> None:
    """For patients who have been here, as old as their first visit; a child's parent signs."""
    first = (
        select(Patient, func.min(Visit.occurred_at))
        .join(Visit, Visit.patient_id == Patient.id)
        .where(~Patient.is_unknown)
        .group_by(Patient.id)
        .order_by(Patient.id)
    )
    rows = [
        _row(patient, at, clerk)
        for place, (patient, at) in enumerate(db.session.execute(first), start=1)
        if place % UNASKED
    ]
    for place, row in enumerate(rows, start=1):
        if not place % REFUSING:
            row["decision"] = ConsentDecision.REFUSED
    insert_only(Consent, rows)


def _row(patient: Patient, at: datetime, clerk: User) -> dict:
    is_child = _is_child(patient.birth_date, at.date()) and patient.mother_name
    return {
        "public_id": new_public_id(),
        "patient_id": patient.id,
        "original_patient_id": patient.id,
        "decision": ConsentDecision.GIVEN,
        "signer": Signer.PARENT if is_child else Signer.PATIENT,
        "signed_by": patient.mother_name if is_child else patient.name,
        "recorded_at": at,
        "recorded_by_id": clerk.id,
    }


def _is_child(born: date | None, on: date) -> bool:
    return born is not None and on.year - born.year < ADULT_YEARS
