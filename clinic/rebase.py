"""Two counters change one patient: what each of them left alone stays as the other made it."""

from dataclasses import fields, replace
from datetime import date
from typing import Any

from sqlalchemy import select

from clinic.patients import Identity, current, identity_of
from db import db
from models import Patient, PatientVersion

# Said in one breath: such fields are taken over together or not at all.
TOGETHER = (
    ("nik", "is_nik_as_printed", "no_nik_reason"),
    ("birth_date", "birth_precision"),
    ("address", "village", "rt", "rw"),
    ("phone", "phone_owner"),
)
_GROUPED = {name for group in TOGETHER for name in group}
GROUPS = (*TOGETHER, *((f.name,) for f in fields(Identity) if f.name not in _GROUPED))


def rebase(patient: Patient, identity: Identity, version: int) -> Identity:
    """`identity`, which was typed over this version of the patient, upon the present one.

    What was changed since, and left alone in the form, is taken from the patient, or from the one
    it was merged into. Where both changed the same thing the form counts; what it replaces stays
    as a PatientVersion.
    """
    if version >= patient.version and patient.merged_into_id is None:
        return identity
    stood = vars(identity_of(patient)) | _before(patient, version)
    present = identity_of(current(patient))
    taken = [
        name
        for group in GROUPS
        if all(plain(getattr(identity, name)) == plain(stood[name]) for name in group)
        for name in group
    ]
    return replace(identity, **{name: getattr(present, name) for name in taken})


def _before(patient: Patient, version: int) -> dict[str, Any]:
    """What was changed since this version, as it stood then."""
    steps = (
        select(PatientVersion.before)
        .where(PatientVersion.patient_id == patient.id, PatientVersion.version >= version)
        .order_by(PatientVersion.version.desc())
    )
    stood: dict[str, Any] = {}
    for before in db.session.scalars(steps):
        stood |= before  # newest first: what the oldest says remains
    return {name: plain(value) for name, value in stood.items()}


def plain(value: Any) -> Any:
    """As a PatientVersion and a PatientMerge keep it; nothing known is None."""
    if value == "":
        return None
    return value.isoformat() if isinstance(value, date) else value
