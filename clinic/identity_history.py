"""What a patient's identity was before: versions, and the names and numbers of former days."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic import audit
from clinic.names import fold
from db import db, utcnow
from models import AliasKind, Patient, PatientAlias, PatientVersion


def keep_version(actor: audit.Actor, patient: Patient, before: dict[str, Any], reason: str) -> None:
    """Keep how the changed fields stood; call it before they change."""
    plain = {name: v.isoformat() if isinstance(v, date) else v for name, v in before.items()}
    db.session.add(
        PatientVersion(
            patient_id=patient.id,
            version=patient.version,
            before=plain,
            reason=reason[:300],
            changed_by_id=actor.user_id,
        )
    )


def nik_held_since(patient: Patient) -> datetime:
    """The instant from which the patient has had the NIK of today."""
    versions = select(PatientVersion).where(PatientVersion.patient_id == patient.id)
    changes = [row.changed_at for row in db.session.scalars(versions) if "nik" in row.before]
    return max([patient.registered_at, *changes])


def keep_alias(patient: Patient, kind: AliasKind, old: str | None, new: str | None) -> None:
    """Go on finding the patient by `old`; what is the present value again is no alias any more."""
    active = db.session.scalars(
        select(PatientAlias).where(
            PatientAlias.patient_id == patient.id,
            PatientAlias.kind == kind,
            PatientAlias.ended_at.is_(None),
        )
    ).all()
    for alias in active:
        if new and fold(alias.value) == fold(new):
            alias.ended_at = utcnow()
    if old and old not in {alias.value for alias in active}:
        db.session.add(
            PatientAlias(
                patient_id=patient.id, original_patient_id=patient.id, kind=kind, value=old
            )
        )
