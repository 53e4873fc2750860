"""*Tutup hari*: a service day is ended step by step; each can fail, be repeated and be resumed.

A button and the clock only ask; the worker takes the steps (clinic/closing_work.py).
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select

from clinic import activity, audit, days, settings
from clinic.audit import Actor
from db import db, utcnow
from models import ClosingStep, QueueEntry, ServiceDay, StepName, StepState

PENDING = (StepState.WAITING, StepState.RUNNING)
ORDER = {name: place for place, name in enumerate(StepName)}


class ClosingError(ValueError):
    """What was asked for can't be done; a sentence for the head."""


# --- Asking -----------------------------------------------------------------------------------


def ask(actor: Actor, day: ServiceDay, at: datetime | None = None) -> None:
    """Let the worker take all steps of this day, those of an earlier closing again.

    And those of closed days to which something was added since. Raises ClosingError while a
    closing of this day runs.
    """
    if any(step.state in PENDING for step in steps(day)):
        raise ClosingError("Penutupan hari ini sedang berjalan.")
    _want_all(actor, day, at or utcnow())
    for other in _outdated_but(day):
        _want_all(audit.SYSTEM, other, at or utcnow())


def _want_all(actor: Actor, day: ServiceDay, at: datetime) -> None:
    known = {step.name: step for step in steps(day)}
    for name in StepName:
        step = known.get(name) or ClosingStep(service_day_id=day.id, name=name, tries=0)
        db.session.add(step)
        _want(step, actor, at)
    db.session.flush()
    audit.record(actor, "close_day", day)


def _outdated_but(day: ServiceDay) -> list[ServiceDay]:
    """Closed days to which something was added since, from paper."""
    rows = (
        select(ServiceDay)
        .join(ClosingStep, ClosingStep.service_day_id == ServiceDay.id)
        .where(
            ClosingStep.state == StepState.OUTDATED,
            ServiceDay.closed_at.is_not(None),
            ServiceDay.id != day.id,
        )
        .distinct()
    )
    return list(db.session.scalars(rows))


def ask_again(actor: Actor, step: ClosingStep, at: datetime | None = None) -> None:
    """Let one step be taken now. Raises ClosingError while it waits or runs already."""
    if step.state in PENDING:
        raise ClosingError("Langkah ini sedang berjalan.")
    if step.state is StepState.OUTDATED:
        raise ClosingError("Hari ini dibuka lagi sesudah langkah ini. Tutup lagi harinya.")
    _want(step, actor, at or utcnow())
    audit.record(actor, "repeat_closing", step.day, details=step.name.value)


def take_back(actor: Actor, day: ServiceDay) -> int:
    """The day was closed too early: it goes on, all patients stand where they stood. How many.

    Raises ClosingError for a day that is not the newest, or is not closed.
    """
    newest = days.latest_day()
    if newest is None or newest.id != day.id or not days.is_current(day.on, None):
        raise ClosingError("Hanya hari ini yang dapat dibuka lagi.")
    if day.closed_at is None:
        raise ClosingError("Hari ini belum ditutup.")
    return days.give_back(actor, day)


def _want(step: ClosingStep, actor: Actor, at: datetime) -> None:
    step.state, step.note = StepState.WAITING, ""
    step.asked_at, step.asked_by_id = at, actor.user_id
    step.started_at = step.ended_at = None


def ask_when_due(at: datetime) -> None:
    """Ask for what closes by itself: today from the set time on, an earlier day at once.

    Of earlier days the last two are looked at: a save may have begun today's before the worker
    came to yesterday's. One that a wrong clock dated ahead is today's, or over.
    """
    newest = days.latest_day()
    past = select(ServiceDay.id).where(ServiceDay.on <= days.clinic_date(at))
    looked_at = or_(
        ServiceDay.on > days.clinic_date(at),
        ServiceDay.id.in_(past.order_by(ServiceDay.on.desc()).limit(2)),
    )
    for day in db.session.scalars(select(ServiceDay).where(looked_at)).all():
        is_over = day != newest or not days.is_current(day.on, None, at)
        if _needs_closing(day) and (is_over or _is_due(day, at)):
            ask(audit.SYSTEM, day, at)


def _needs_closing(day: ServiceDay) -> bool:
    """Never closed, or open again. What was only added to a closed day waits for the next close."""
    states = {step.state for step in steps(day)}
    return not states or (StepState.OUTDATED in states and day.closed_at is None)


def _is_due(day: ServiceDay, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(settings.value("time_zone")))
    closes = closing_time()
    if closes is None:
        return False
    # 00.00 is the end of a day, not its beginning.
    is_after_midnight = closes < (datetime.min + days.NIGHT).time()
    last_date = day.on + timedelta(days=is_after_midnight)
    if last_date >= local.date() and (last_date > local.date() or local.time() < closes):
        return False
    return not activity.is_looked_after(day, at)


def closing_time() -> time | None:
    """When the day closes by itself, in clinic time; None: only by hand or by the next day."""
    hour, _, minute = settings.value("closes_at").partition(".")
    return time(int(hour), int(minute)) if hour else None


def still_here(day: ServiceDay) -> int:
    """How many visits of this day are not over; one may stand in two rooms."""
    rows = select(func.count(QueueEntry.visit_id.distinct())).where(
        QueueEntry.service_day_id == day.id, QueueEntry.state.in_(days.STILL_HERE)
    )
    return db.session.scalar(rows) or 0


# --- Reading ----------------------------------------------------------------------------------


def steps(day: ServiceDay) -> list[ClosingStep]:
    """The day's steps in their order; none before it was first asked for."""
    rows = db.session.scalars(select(ClosingStep).where(ClosingStep.service_day_id == day.id))
    return sorted(rows, key=lambda step: ORDER[step.name])


def recent_days(count: int) -> list[tuple[ServiceDay, set[StepState]]]:
    """The newest days with the states of their steps; 2 queries."""
    newest = select(ServiceDay).order_by(ServiceDay.on.desc()).limit(count)
    states = {day: set() for day in db.session.scalars(newest)}
    by_id = {day.id: day for day in states}
    rows = select(ClosingStep.service_day_id, ClosingStep.state).where(
        ClosingStep.service_day_id.in_(by_id)
    )
    for day_id, state in db.session.execute(rows):
        states[by_id[day_id]].add(state)
    return list(states.items())


def is_running(day: ServiceDay) -> bool:
    """Whether a step waits for the worker or is being taken."""
    return any(step.state in PENDING for step in steps(day))
