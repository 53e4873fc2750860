"""Service days and the clinic's clock.

A day is a row that a save opens. It is never opened by the clock alone, never reset by midnight,
and a clock that jumped back goes on with the newest day. One that a wrong clock dated ahead goes on
for the rest of the true day only: it is closed like any other, and the next day has its own date.
A closed day goes on when a patient comes after all; what its closing had done is then outdated and
done again (clinic/closing.py).
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from clinic import activity, audit, settings
from clinic.activity import STILL_HERE
from clinic.audit import Actor
from db import add_row, db, utcnow
from models import (
    ClosingStep,
    EntryState,
    QueueEntry,
    QueueEvent,
    QueueState,
    ServiceDay,
    StepName,
    StepState,
    Visit,
    VisitStatus,
)

CLOSED = "tutup"  # the step of an entry that the end of the day cut off
DAY_OVER = "Hari layanan ditutup"
# A day that nobody closed goes on after midnight, and when the night is over for as long as anybody
# is being looked after. But who is registered from this hour on begins the next day.
NIGHT, MORNING = timedelta(hours=4), timedelta(hours=6)

# Not a closed day that a wrong clock had dated ahead: until its date comes, no save belongs to it.
IN_REACH = or_(ServiceDay.closed_at.is_(None), ServiceDay.on <= bindparam("reach"))
# Built once. By date, not by id: the row of a past day may be opened later, for paper slips.
_LATEST = select(ServiceDay).where(IN_REACH).order_by(ServiceDay.on.desc()).limit(1)
_LATEST_FOR_SAVE = _LATEST.execution_options(populate_existing=True)


def clinic_date(at: datetime | None = None) -> date:
    """The clinic's calendar day at this instant (default now)."""
    zone = ZoneInfo(settings.value("time_zone"))
    return (at or utcnow()).astimezone(zone).date()


def reach(at: datetime | None = None) -> date:
    """How far ahead a day may be dated without a wrong clock: one may run back over midnight."""
    return clinic_date((at or utcnow()) + NIGHT)


def latest_day() -> ServiceDay | None:
    """The newest service day, open or closed; none that was dated ahead and is closed."""
    return db.session.scalar(_LATEST, {"reach": reach()})


def first_on() -> date | None:
    """The date of the clinic's first service day; None before there was any."""
    return db.session.scalar(select(func.min(ServiceDay.on)))


def current_day(at: datetime | None = None) -> ServiceDay | None:
    """Today's service day if it is open, in the night yesterday's; the newest one when the clock
    runs behind it."""
    day = latest_day()
    return day if day and is_current(day.on, day.closed_at, at) else None


def live_dates() -> set[date]:
    """Today, and in the night the date of the day that still goes on."""
    today, before = clinic_date(), clinic_date(utcnow() - MORNING)
    if before == today:
        return {today}
    day = current_day()
    return {today, before} if day and day.on == before else {today}


def todays() -> ServiceDay | None:
    """The day that goes on, or went on until it was closed today."""
    day = latest_day()
    return day if day and is_current(day.on, None) else None


def is_current(on: date, closed_at: datetime | None, at: datetime | None = None) -> bool:
    """Whether the newest service day, of this date, is the one that goes on.

    One that was dated ahead goes on while today, or the day whose night it is, has a day of its
    own: it was found on that day (else it had got that date, see `bring_back`).
    """
    now = at or utcnow()
    since = clinic_date(now - NIGHT)
    if closed_at is not None:
        return False
    if on < since:
        return on == clinic_date(now) - timedelta(days=1) and _is_looked_after(on, now)
    if on <= reach(now):
        return True
    own = select(ServiceDay.id).where(ServiceDay.on.between(since, clinic_date(now)))
    return db.session.scalar(own.limit(1)) is not None


def _is_looked_after(on: date, at: datetime) -> bool:
    is_open = ServiceDay.on == on, ServiceDay.closed_at.is_(None)
    day = db.session.scalar(select(ServiceDay).where(*is_open))
    return day is not None and activity.is_looked_after(day, at)


def goes_on(day: ServiceDay) -> bool:
    """Whether a save of now belongs to this day, closed today or not (see `open_day`)."""
    newest = latest_day()
    if newest is None or newest.id != day.id:
        return False
    return is_current(day.on, day.closed_at) or clinic_date() <= day.on <= reach()


def open_day(at: datetime | None = None, known: ServiceDay | None = None) -> ServiceDay:
    """The day that a save belongs to; opens it, ending what yesterday left open.

    So it also ends a day that was dated ahead, when the day on which it was opened has passed.
    `known` is the day of a visit that the save is about: as long as it goes on, no other begins.
    """
    before = db.session.scalar(_LATEST_FOR_SAVE, {"reach": reach(at)})
    is_early = before and before.on >= clinic_date((at or utcnow()) - MORNING)
    if before and (is_early or before == known) and is_current(before.on, before.closed_at, at):
        return before
    is_ours = before is not None and clinic_date(at) <= before.on <= reach(at)
    is_left = ServiceDay.closed_at.is_(None)
    if before and not is_ours:
        is_left = or_(is_left, ServiceDay.id == before.id)
    for left in db.session.scalars(select(ServiceDay).where(is_left)).all():
        end(left, at or utcnow())
    if before and is_ours:
        reopen(audit.SYSTEM, before)  # closed already, but a patient has come: the day goes on
        return before
    return add_row(ServiceDay(on=clinic_date(at), opened_at=at or utcnow()))


def dated_ahead(at: datetime | None = None) -> ServiceDay | None:
    """The day furthest ahead: a wrong clock opened it, and its visits keep its date."""
    ahead = select(ServiceDay).where(ServiceDay.on > clinic_date(at))
    return db.session.scalar(ahead.order_by(ServiceDay.on.desc()).limit(1))


def day_of(at: datetime | None) -> ServiceDay:
    """The day of a visit that took place at this instant; None: now.

    A past day gets its row if it has none, closed from the start: today's queue goes on. What the
    closing of a past day did is outdated.
    """
    if at is None or clinic_date(at) >= clinic_date():
        return open_day()
    known = select(ServiceDay).where(ServiceDay.on == clinic_date(at))
    day = db.session.scalar(known)
    if day is None:
        open_day()  # first: what the newest day left open must not hide behind the past one
        day = db.session.scalar(known)
    if day is None:
        day = add_row(ServiceDay(on=clinic_date(at), opened_at=at, closed_at=utcnow()))
        for name in StepName:  # so that the next closing takes them too
            outdated = {"state": StepState.OUTDATED, "asked_at": utcnow()}
            db.session.add(ClosingStep(service_day_id=day.id, name=name, **outdated))
    _outdate(day)
    return day


def reopen(actor: Actor, day: ServiceDay) -> None:
    """The day goes on after it was closed; what the closing did is outdated."""
    day.closed_at = None
    _outdate(day)
    draw_anew(day)
    db.session.flush()
    audit.record(actor, "reopen_day", day)


def _outdate(day: ServiceDay) -> None:
    done = update(ClosingStep).where(ClosingStep.service_day_id == day.id)
    db.session.execute(done.values(state=StepState.OUTDATED))


def draw_anew(day: ServiceDay | None) -> None:
    """Every room's screen: one that polls later must not find the version that it knows."""
    if day is None:  # nobody has come yet
        return
    rooms = update(QueueState).where(QueueState.service_day_id == day.id)
    db.session.execute(rooms.values(version=QueueState.version + 1))


def end(day: ServiceDay, at: datetime) -> int:
    """Close the day; whoever is still in a queue is left unfinished. How many visits that are.

    Drafts stay: what the end of the day cut off can be completed (clinic/unfinished.py).
    """
    draw_anew(day)
    entries = select(QueueEntry).where(
        QueueEntry.service_day_id == day.id, QueueEntry.state.in_(STILL_HERE)
    )
    for entry in db.session.scalars(entries).all():
        db.session.add(
            QueueEvent(
                entry_id=entry.id,
                action=CLOSED,
                from_state=entry.state,
                to_state=EntryState.UNFINISHED,
                reason=DAY_OVER,
                at=at,
            )
        )
        entry.state = EntryState.UNFINISHED
        entry.ended_at = at
        entry.reason = DAY_OVER
    visits = select(Visit).where(Visit.service_day_id == day.id, Visit.status == VisitStatus.OPEN)
    left = list(db.session.scalars(visits))
    for visit in left:
        visit.status = VisitStatus.UNFINISHED
        visit.ended_at = at
    day.closed_at = day.closed_at or at
    db.session.flush()
    return len(left)


def give_back(actor: Actor, day: ServiceDay) -> int:
    """A day that was closed too early goes on: all stand where they stood. How many stays.

    Who stands in the same room by another stay, or was added there again, stands by that one only.
    """
    events = cut_off(QueueEntry.service_day_id == day.id)
    for event in events:
        stand_again(event)
    reopen(actor, day)
    return len(events)


def cut_off(whose: ColumnElement[bool]) -> list[QueueEvent]:
    """The ends of these entries' stays that a closing made, and that hold."""
    other = aliased(QueueEntry)
    came_again = and_(other.id > QueueEntry.id, other.state != EntryState.CANCELLED)
    stands_there = exists().where(
        other.visit_id == QueueEntry.visit_id,
        other.poli_id == QueueEntry.poli_id,
        or_(came_again, other.state.in_(STILL_HERE)),
    )
    ended = (
        select(QueueEvent)
        .join(QueueEvent.entry)
        .where(
            whose,
            QueueEntry.state == EntryState.UNFINISHED,
            QueueEvent.action == CLOSED,
            QueueEvent.undone_at.is_(None),
            ~stands_there,
        )
    )
    return list(db.session.scalars(ended.order_by(QueueEvent.id)))


def stand_again(event: QueueEvent) -> None:
    """Undo the end of one stay: the entry stands as before the closing, its visit is open."""
    entry = event.entry
    entry.state, entry.ended_at, entry.reason = event.from_state, None, ""
    event.undone_at = utcnow()
    if entry.visit.status is VisitStatus.UNFINISHED:
        entry.visit.status, entry.visit.ended_at = VisitStatus.OPEN, None
    db.session.flush()


def bring_back(actor: audit.Actor) -> ServiceDay | None:
    """The day that a wrong clock, just mended, has dated ahead and whose queue goes on.

    It gets today's date unless today has a day of its own.
    """
    now, today = utcnow(), clinic_date()
    ahead = select(ServiceDay).where(ServiceDay.on > today, ServiceDay.opened_at > now)
    day = db.session.scalar(ahead.order_by(ServiceDay.on.desc()).limit(1))
    if day is None:
        return None
    day.opened_at = now  # so that a later correction of the clock does not move it again
    day.closed_at = day.closed_at and min(day.closed_at, now)
    if db.session.scalar(select(ServiceDay.id).where(ServiceDay.on == today)) is None:
        details = f"{day.on} -> {today}"
        day.on = today
        audit.record(actor, "redate_day", day, details=details)
    db.session.flush()
    return None if day.closed_at else day


def midnight_utc(day: date) -> datetime:
    """The instant at which this clinic day begins."""
    zone = ZoneInfo(settings.value("time_zone"))
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
