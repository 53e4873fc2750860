"""Whether anybody still looks after the patients of a service day, at whatever desk."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select

from db import db
from models import AuditEntry, EntryState, Patient, QueueEntry, ServiceDay, UnsavedText, Visit

STILL_HERE = (
    EntryState.WAITING,
    EntryState.CALLED,
    EntryState.IN_SERVICE,
    EntryState.AWAITING_RESULT,
    EntryState.SKIPPED,
)
# Patients who still stand in a queue hold up what the clock would end, unless nothing was done for
# any of them for so long: then somebody has forgotten to press a button.
QUIET = timedelta(hours=2)


def is_looked_after(day: ServiceDay, at: datetime) -> bool:
    """Whether patients of this day are still in a queue, and something was done lately.

    A birth or an observation is hours without a step of the queue; what is typed, saved, measured
    or dispensed counts as well.
    """
    of_day = QueueEntry.service_day_id == day.id
    here = of_day, QueueEntry.state.in_(STILL_HERE)
    since = at - QUIET
    done = or_(_moved(of_day, since), _typed(of_day, since), _written(here, day, since))
    return bool(db.session.scalar(select(and_(exists().where(*here), done))))


def _moved(of_day: ColumnElement[bool], since: datetime) -> ColumnElement[bool]:
    moves = (QueueEntry.queued_at, QueueEntry.called_at, QueueEntry.started_at, QueueEntry.ended_at)
    return exists().where(of_day, or_(*(instant > since for instant in moves)))


def _typed(of_day: ColumnElement[bool], since: datetime) -> ColumnElement[bool]:
    """Text that a form sent by itself, saved since or not."""
    of_stay = UnsavedText.entry_id == QueueEntry.id
    return exists().where(of_stay, of_day, UnsavedText.typed_at > since)


def _written(
    here: tuple[ColumnElement[bool], ...], day: ServiceDay, since: datetime
) -> ColumnElement[bool]:
    """By the audit trail, which every desk writes; reading looks after nobody."""
    patients = (
        select(Patient.public_id)
        .join(Visit, Visit.patient_id == Patient.id)
        .join(QueueEntry, QueueEntry.visit_id == Visit.id)
        .where(*here)
    )
    reads = or_(AuditEntry.action.startswith("view_"), AuditEntry.action == "print_record")
    by_somebody = AuditEntry.at > since, AuditEntry.user_id.is_not(None)
    opened_again = AuditEntry.action == "reopen_day", AuditEntry.object_ref == day.public_id
    return or_(
        exists().where(AuditEntry.patient_ref.in_(patients), *by_somebody, ~reads),
        exists().where(*opened_again, *by_somebody),  # else the clock would close it at once
    )
