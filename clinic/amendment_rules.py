"""Who may correct a finished examination at once, until when, and whose request is whose."""

from datetime import datetime, timedelta

from sqlalchemy import select

from clinic import settings
from db import db, utcnow
from models import Amendment, AuditEntry, Examination, Role, User

DECIDERS = (Role.RECORDS, Role.HEAD)


def free_until(examination: Examination) -> datetime:
    """The instant until which its author corrects without asking."""
    return examination.finished_at + free_time()


def free_time() -> timedelta:
    """For how long an author corrects without asking."""
    return timedelta(hours=settings.value("amend_free_hours"))


def is_free(user_id: int, examination: Examination, at: datetime | None = None) -> bool:
    """Whether this account's correction applies at once."""
    return is_author(user_id, examination) and (at or utcnow()) <= free_until(examination)


def is_author(user_id: int, examination: Examination) -> bool:
    """Who recorded or finished it, or the practitioner who answers for it."""
    if user_id == examination.recorded_by_id:
        return True
    practitioner_id = db.session.get(User, user_id).practitioner_id
    if practitioner_id is not None and practitioner_id == examination.practitioner_id:
        return True
    finished = select(AuditEntry.seq).where(
        AuditEntry.object_ref == examination.public_id,
        AuditEntry.action == "finish_examination",
        AuditEntry.user_id == user_id,
    )
    return db.session.scalar(finished.limit(1)) is not None


def is_own(user_id: int, amendment: Amendment) -> bool:
    """Whether this account, or another one of the same practitioner, asked for it."""
    if user_id == amendment.requested_by_id:
        return True
    mine = db.session.get(User, user_id).practitioner_id
    return mine is not None and mine == amendment.requested_by.practitioner_id
