"""General consent: asked at the first visit, kept as signed; its absence never stops care.

Indonesian law wants it shown (Permenkes 24/2022, UU 27/2022); treatment does not depend on it.
"""

from sqlalchemy import select

from clinic import audit, patients
from clinic.audit import Actor
from clinic.record_errors import RecordError
from db import add_row, db, utcnow
from models import Consent, ConsentDecision, Patient, Signer
from validators import clean_text


class ConsentChanged(RecordError):
    """Somebody recorded another one since the page was shown."""


def current(patient: Patient) -> Consent | None:
    """What holds now. After a merge there may be two: the later one."""
    return next((one for one in _of(patient) if one.ended_at is None), None)


def former(patient: Patient) -> list[Consent]:
    """What does not hold any more, the newest first."""
    found = _of(patient)
    held = next((one for one in found if one.ended_at is None), None)
    return [one for one in found if one is not held]


def record(
    actor: Actor,
    patient: Patient,
    decision: ConsentDecision,
    signer: Signer,
    signed_by: str,
    seen: str = "",
) -> Consent:
    """Record what was signed; `seen` is the public id of what held when the page was shown.

    The same words sent twice are recorded once; it stands on the record that counts, even if it
    was merged a moment ago. Raises RecordError without a name where somebody
    else signed, ConsentChanged when something newer holds than what was seen.
    """
    name, patient = clean_text(signed_by, 100), patients.current(patient)
    if signer == Signer.PATIENT:
        name = name or patient.name
    if not name:
        raise RecordError("Tulis nama yang menandatangani.", "signed_by")
    before = current(patient)
    if before and (before.decision, before.signer, before.signed_by) == (decision, signer, name):
        return before
    if (before.public_id if before else "") != seen:
        raise ConsentChanged("Persetujuan ini baru saja dicatat orang lain. Periksa, lalu simpan.")
    if before:
        before.ended_at, before.ended_by_id = utcnow(), actor.user_id
    consent = Consent(
        patient_id=patient.id,
        original_patient_id=patient.id,
        decision=decision,
        signer=signer,
        signed_by=name,
        recorded_by_id=actor.user_id,
    )
    add_row(consent)
    ref = patient.public_id
    audit.record(actor, "record_consent", consent, patient_ref=ref, details=decision.value)
    return consent


def _of(patient: Patient) -> list[Consent]:
    rows = select(Consent).where(Consent.patient_id == patient.id)
    return list(db.session.scalars(rows.order_by(Consent.recorded_at.desc(), Consent.id.desc())))
