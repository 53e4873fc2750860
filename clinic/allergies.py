"""Allergies belong to the person, not to a visit; one that does not hold is ended, with why."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from clinic import audit
from clinic.audit import Actor
from clinic.record_errors import RecordError
from db import db, utcnow
from models import Allergy, Patient
from validators import clean_text


def current(patient: Patient) -> list[Allergy]:
    """The allergies that hold now, the oldest first."""
    rows = select(Allergy).where(Allergy.patient_id == patient.id, Allergy.ended_at.is_(None))
    return list(db.session.scalars(rows.order_by(Allergy.id)))


def labels(rows: Sequence[Allergy]) -> list[str]:
    """As a banner shows them: "Amoksisilin (gatal)"."""
    return [f"{row.substance} ({row.reaction})" if row.reaction else row.substance for row in rows]


def mark(patient: Patient | None) -> list[str] | None:
    """For the counter, which reads nothing clinical: that there is an allergy, not to what."""
    return ["ada, lihat di ruang periksa"] if patient and current(patient) else None


def among(patient_ids: Iterable[int]) -> set[int]:
    """Which of these people have one; 1 query."""
    rows = select(Allergy.patient_id).where(
        Allergy.patient_id.in_(set(patient_ids)), Allergy.ended_at.is_(None)
    )
    return set(db.session.scalars(rows))


def ended(patient: Patient) -> list[Allergy]:
    """What was once recorded and does not hold, the newest first."""
    rows = select(Allergy).where(Allergy.patient_id == patient.id, Allergy.ended_at.is_not(None))
    return list(db.session.scalars(rows.order_by(Allergy.ended_at.desc(), Allergy.id.desc())))


def add_allergy(actor: Actor, patient: Patient, substance: str, reaction: str = "") -> Allergy:
    """Record an allergy of the person; the same words sent twice are recorded once.

    Raises RecordError when empty, or when the substance is already there.
    """
    substance, reaction = clean_text(substance, 100), clean_text(reaction, 200)
    if not substance:
        raise RecordError("Tulis obat, makanan, atau zat penyebab alergi.", "substance")
    for known in current(patient):
        if known.substance.lower() == substance.lower():
            if known.reaction == reaction and known.recorded_by_id == actor.user_id:
                return known
            raise RecordError(f"Alergi {known.substance} sudah tercatat.", "substance")
    allergy = Allergy(
        patient_id=patient.id,
        original_patient_id=patient.id,
        substance=substance,
        reaction=reaction,
        recorded_by_id=actor.user_id,
    )
    db.session.add(allergy)
    db.session.flush()
    _log(actor, "add_allergy", allergy, patient)
    return allergy


def end_allergy(actor: Actor, allergy: Allergy, reason: str) -> Allergy:
    """End an allergy that does not hold; it stays in the record. Raises RecordError."""
    reason = clean_text(reason, 300)
    if not reason:
        raise RecordError("Tulis alasan mengakhiri alergi ini.", "reason")
    if allergy.ended_at:
        raise RecordError("Alergi ini sudah diakhiri.")
    allergy.ended_at, allergy.ended_by_id, allergy.end_reason = utcnow(), actor.user_id, reason
    db.session.flush()
    _log(actor, "end_allergy", allergy, db.session.get(Patient, allergy.patient_id), reason)
    return allergy


def _log(actor: Actor, action: str, allergy: Allergy, patient: Patient, reason: str = "") -> None:
    audit.record(
        actor,
        action,
        object_type="allergy",
        object_ref=allergy.public_id,
        patient_ref=patient.public_id,
        reason=reason,
    )
