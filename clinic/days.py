"""Service days and the clinic's clock.

A day is a row that a save opens. It is never opened by the clock alone, never reset by midnight,
and a clock that jumped back goes on with the newest day.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from clinic import audit, settings, unsent_prescriptions
from db import db, utcnow
from models import EntryState, QueueEntry, ServiceDay, Visit, VisitStatus

STILL_HERE = (
    EntryState.WAITING,
    EntryState.CALLED,
    EntryState.IN_SERVICE,
    EntryState.AWAITING_RESULT,
    EntryState.SKIPPED,
)

# Built once. By date, not by id: the row of a past day may be opened later, for paper slips.
_LATEST = select(ServiceDay).order_by(ServiceDay.on.desc()).limit(1)


def clinic_date(at: datetime | None = None) -> date:
    """The clinic's calendar day at this instant (default now)."""
    zone = ZoneInfo(settings.value("time_zone"))
    return (at or utcnow()).astimezone(zone).date()


def latest_day() -> ServiceDay | None:
    """The newest service day, open or closed."""
    return db.session.scalar(_LATEST)


def current_day(at: datetime | None = None) -> ServiceDay | None:
    """Today's service day if it is open; the newest one when the clock runs behind it."""
    day = latest_day()
    return day if day and is_current(day.on, day.closed_at, at) else None


def is_current(on: date, closed_at: datetime | None, at: datetime | None = None) -> bool:
    """Whether the newest service day, of this date, is the one that goes on."""
    return closed_at is None and on >= clinic_date(at)


def open_day(at: datetime | None = None) -> ServiceDay:
    """The day that a save belongs to; opens it, ending what yesterday left open."""
    day = current_day(at)
    if day:
        return day
    before = latest_day()
    if before and before.on >= clinic_date(at):
        return before  # closed already, but a patient has come: the day goes on
    if before:
        is_left = or_(ServiceDay.id == before.id, ServiceDay.closed_at.is_(None))
        for left in db.session.scalars(select(ServiceDay).where(is_left)).all():
            _leave_unfinished(left, at or utcnow())
    day = ServiceDay(on=clinic_date(at), opened_at=at or utcnow())
    db.session.add(day)
    db.session.flush()
    return day


def day_of(at: datetime | None) -> ServiceDay:
    """The day of a visit that took place at this instant; None: now.

    A past day gets its row if it has none, closed from the start: today's queue goes on.
    """
    if at is None or clinic_date(at) >= clinic_date():
        return open_day()
    known = select(ServiceDay).where(ServiceDay.on == clinic_date(at))
    day = db.session.scalar(known)
    if day is None:
        open_day()  # first: what the newest day left open must not hide behind the past one
        day = db.session.scalar(known) or ServiceDay(
            on=clinic_date(at), opened_at=at, closed_at=utcnow()
        )
        db.session.add(day)
        db.session.flush()
    return day


def _leave_unfinished(day: ServiceDay, at: datetime) -> None:
    entries = select(QueueEntry).where(
        QueueEntry.service_day_id == day.id, QueueEntry.state.in_(STILL_HERE)
    )
    for entry in db.session.scalars(entries):
        entry.state = EntryState.UNFINISHED
        entry.ended_at = at
        entry.reason = unsent_prescriptions.DAY_OVER
        unsent_prescriptions.drop(audit.SYSTEM, entry, entry.reason, at)
    visits = select(Visit).where(Visit.service_day_id == day.id, Visit.status == VisitStatus.OPEN)
    for visit in db.session.scalars(visits):
        visit.status = VisitStatus.UNFINISHED
        visit.ended_at = at
    day.closed_at = day.closed_at or at


def midnight_utc(day: date) -> datetime:
    """The instant at which this clinic day begins."""
    zone = ZoneInfo(settings.value("time_zone"))
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
