"""A pregnancy that an examination finds counts for the visit, as one told at the counter does."""

from collections.abc import Mapping

from sqlalchemy import select

from clinic import audit, pregnancy, queue_changes, visit_person
from clinic.audit import Actor
from db import db
from models import AuditEntry, Examination

ACTION = "note_pregnancy"
NOT_KNOWN = ("", "tidak")


def note(actor: Actor, examination: Examination, answers: Mapping[str, str]) -> None:
    """Follow the dates of the pregnancy form; only this examination's own word is taken back."""
    visit = examination.visit
    is_running = pregnancy.is_running(answers, visit.service_day.on)
    if is_running and visit.pregnant in NOT_KNOWN and visit.patient.sex == "P":
        _tell(actor, examination, "ya")
    elif not is_running and visit.pregnant == "ya" and _was_noted_by(examination):
        _tell(actor, examination, "")  # what was said at the counter was doubted: not known


def _tell(actor: Actor, examination: Examination, pregnant: str) -> None:
    visit = examination.visit
    queue_changes.lock(*visit.entries)  # its rooms' screens draw themselves anew
    visit_person.tell_pregnancy(actor, visit, pregnant)
    db.session.flush()
    audit.record(actor, ACTION, examination, details="pregnant")


def _was_noted_by(examination: Examination) -> bool:
    """Whether the visit calls her pregnant since this examination."""
    noted = select(AuditEntry.seq).where(
        AuditEntry.object_ref == examination.public_id, AuditEntry.action == ACTION
    )
    return db.session.scalar(noted.limit(1)) is not None
