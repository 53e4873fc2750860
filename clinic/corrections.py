"""Corrections after the save: payer, complaint, or the wrong patient; each with its reason."""

from sqlalchemy import select

from clinic import audit, patients, queues
from clinic.registration import take_snapshot
from db import db
from models import Examination, Patient, Visit, VisitCorrection, VisitStatus


class CorrectionError(Exception):
    """A correction that is refused, with a sentence for the clerk."""


def correct_visit(
    actor: audit.Actor, visit: Visit, changes: dict[str, str | None], reason: str
) -> list[str]:
    """Change payer, BPJS data or complaint of a visit; returns the names of what changed."""
    _refuse_ended(visit)
    changed = [name for name, new in changes.items() if getattr(visit, name) != new]
    for name in changed:
        _note(actor, visit, name, getattr(visit, name) or "", changes[name] or "", reason)
        setattr(visit, name, changes[name])
    if changed:
        _show_in_queues(visit)
        audit.record(actor, "correct_visit", visit, reason=reason, details=", ".join(changed))
    return changed


def reassign_patient(actor: audit.Actor, visit: Visit, patient: Patient, reason: str) -> None:
    """The visit was registered on the wrong person. Raises CorrectionError once it is examined."""
    _refuse_ended(visit)
    patient = patients.current(patient)
    if patient.id == visit.patient_id:
        raise CorrectionError("Kunjungan ini memang sudah atas nama pasien tersebut.")
    examined = select(Examination.id).where(Examination.visit_id == visit.id).limit(1)
    if db.session.scalar(examined):
        raise CorrectionError(
            "Pasien ini sudah diperiksa. Minta rekam medis memindahkan kunjungannya."
        )
    before = visit.patient
    _note(actor, visit, "patient", before.public_id, patient.public_id, reason)
    visit.patient_id = visit.original_patient_id = patient.id
    visit.bpjs_home = ""  # that of the wrong person
    take_snapshot(visit, patient, visit.service_day)
    db.session.flush()
    db.session.expire(visit, ["patient"])
    _show_in_queues(visit)
    for ref in (before.public_id, patient.public_id):
        audit.record(actor, "reassign_visit", visit, patient_ref=ref, reason=reason)


def _refuse_ended(visit: Visit) -> None:
    if visit.status not in (VisitStatus.OPEN, VisitStatus.FINISHED):
        raise CorrectionError("Kunjungan ini sudah dibatalkan atau berakhir; tidak dapat diubah.")


def _note(
    actor: audit.Actor, visit: Visit, field: str, before: str, after: str, reason: str
) -> None:
    db.session.add(
        VisitCorrection(
            visit_id=visit.id,
            field=field,
            before=before,
            after=after,
            reason=reason,
            corrected_by_id=actor.user_id,
        )
    )


def _show_in_queues(visit: Visit) -> None:
    for entry in visit.entries:
        queues.bump(entry.service_day_id, entry.poli_id)
