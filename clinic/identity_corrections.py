"""The records staff correct an identity without a visit: seen beside the record, saved once."""

from collections.abc import Collection, Mapping

from clinic import asking, audit, patients, queues, registration, visit_person
from clinic.registration import JUST_TAKEN, TAKEN, NeedsReasons, RegistrationError, StaleDraft
from clinic.review import Application, Review, review
from db import db, utcnow
from models import PairSource, Patient, RegistrationDraft

CHANGED = (
    "Identitas ini baru saja diubah petugas lain. Yang Anda ketik tetap ada: "
    "periksa lagi perbandingannya, lalu simpan."
)


class NothingChanged(RegistrationError):
    """The record says already what was typed."""


def seen(patient: Patient) -> str:
    """Which record, and which state of it, a comparison shows."""
    return f"{patient.public_id}:{patient.version}"


def save(
    actor: audit.Actor,
    draft: RegistrationDraft,
    application: Application,
    compared_with: str,
    reasons: Mapping[str, str],
    answers: Mapping[str, str],
    asked: Collection[str] = (),
) -> bool:
    """Correct the record once; True if a pair of records waits for a decision now.

    `compared_with` is `seen` of the record that the check page showed. Raises StaleDraft,
    NeedsReasons, NothingChanged.
    """
    if draft.saved_at:
        return False
    patient = application.patient
    if compared_with != seen(patient):
        raise StaleDraft(CHANGED)
    found = review(application, with_likely=False)
    answers = asking.of_today(draft.answers | dict(answers), patient)
    asked = asking.of_today(dict.fromkeys(asked, ""), patient)
    missing = registration.missing_reasons(found, reasons, draft)
    waiting = asking.unanswered(answers, asked, found.besides)
    if missing or waiting:
        raise NeedsReasons(missing, waiting)
    claimed = found.owner if application.identity.nik != patient.nik else None
    _update(actor, patient, application, _why(draft, found, reasons), found.owner is not None)
    _remember(actor, patient, answers, claimed, reasons.get(TAKEN, ""))
    queues.bump_rooms_of(patient)
    draft.answers, draft.reasons = answers, registration.applying(found, reasons)
    draft.saved_at = utcnow()
    db.session.flush()
    return claimed is not None or "ragu" in answers.values()


def _update(
    actor: audit.Actor, patient: Patient, application: Application, why: str, is_disputed: bool
) -> None:
    try:
        is_new = visit_person.correct(
            actor, patient, application.identity, why, nik_disputed=is_disputed
        )
    except patients.NikTaken as taken:
        raise NeedsReasons({TAKEN: JUST_TAKEN}) from taken
    if not is_new:
        raise NothingChanged("Tidak ada yang berubah, jadi tidak ada yang disimpan.")


def _why(draft: RegistrationDraft, found: Review, reasons: Mapping[str, str]) -> str:
    """Why it is corrected, and why in spite of warnings."""
    applying = registration.applying(found, reasons)
    said = [f"{rule}: {text}" if rule else text for rule, text in applying.items()]
    return "; ".join([draft.fields.get("alasan", "").strip(), *said])


def _remember(
    actor: audit.Actor,
    patient: Patient,
    answers: Mapping[str, str],
    claimed: Patient | None,
    reason: str,
) -> None:
    """Two records that claim one NIK, or that may be one person, go to the worklist."""
    text = f"Satu NIK, dua pasien. Alasan perbaikan: {reason}"
    source = PairSource.RECORDS
    asking.remember(actor, patient, answers, disputed_with=claimed, reason=text, source=source)
