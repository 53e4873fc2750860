"""General consent: asked at the first visit, kept as signed; its absence never stops care.

Indonesian law wants it shown (Permenkes 24/2022, UU 27/2022); treatment does not depend on it.
"""

from datetime import date

from sqlalchemy import select

from clinic import audit, days, patients
from clinic.audit import Actor
from clinic.record_errors import RecordError
from db import add_row, db, utcnow
from formatting import age_on
from models import Consent, ConsentDecision, Patient, Signer
from validators import clean_text

# Ages in years: working values, from no law; the clinic must confirm them.
ADULT = 18  # below it the page proposes a parent
SIGNS = 17  # below it the patient signs with a reason: married, say
SIGNS_WITH_REASON = 12  # below it never
OF_GROWN_UPS = (Signer.PATIENT, Signer.SPOUSE, Signer.CHILD)  # who sign for no child
LONGEST_REASON = 300


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
    reason: str = "",
) -> Consent:
    """Record what was signed; `seen` is the public id of what held when the page was shown.

    The same words sent twice are recorded once; signed again by somebody who saw what holds, they
    are recorded anew. It stands on the record that counts, even if it was merged a moment ago.
    Raises RecordError without a name where somebody else signed, or for a signature that the
    patient's age does not let stand, ConsentChanged when something newer holds than what was seen.
    """
    name, patient = clean_text(signed_by, 100), patients.current(patient)
    reason = clean_text(reason, LONGEST_REASON)
    _check_signer(signer, age(patient, days.clinic_date()), reason)
    if signer == Signer.PATIENT:
        name = name or patient.name
    if not name:
        raise RecordError("Tulis nama yang menandatangani.", "signed_by")
    before = current(patient)
    if (before.public_id if before else "") != seen:
        if before and (before.decision, before.signer, before.signed_by) == (
            decision,
            signer,
            name,
        ):
            return before
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
    said = decision.value
    audit.record(actor, "record_consent", consent, patient_ref=ref, reason=reason, details=said)
    return consent


def age(patient: Patient, on: date) -> int | None:
    """In whole years; None where the birth date is unknown, or cannot be."""
    born = patient.birth_date
    return None if born is None or born > on else age_on(born, on).years


def asks_why(years: int | None) -> bool:
    """Whether a patient of this age signs only with a reason, which the audit keeps."""
    return years is not None and SIGNS_WITH_REASON <= years < SIGNS


def _check_signer(signer: Signer, years: int | None, reason: str) -> None:
    if signer not in OF_GROWN_UPS or years is None:
        return
    if years < SIGNS_WITH_REASON:
        raise RecordError("Anak ini belum dapat. Pilih orang tua atau wali.", "signer")
    if asks_why(years) and not reason:
        sentence = f"Belum {SIGNS} tahun: pilih orang tua atau wali, atau tulis mengapa."
        raise RecordError(sentence, "reason")


def _of(patient: Patient) -> list[Consent]:
    rows = select(Consent).where(Consent.patient_id == patient.id)
    return list(db.session.scalars(rows.order_by(Consent.recorded_at.desc(), Consent.id.desc())))
