"""Is the server's clock right? And the clinic's own time when it is not.

The worker's beat keeps the newest instant that was right, with the computer's uptime at it: within
one run of the computer the true time follows from it, and after a restart it can't be earlier.
A clock that contradicts it is not believed until somebody looks at a watch (`set_time`) or until
it comes right by itself. Judging costs a query, so it is done at the start and after a jump only.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select

import timekeeping
from clinic import audit, days
from db import db, utcnow
from models import AuditEntry, LoginSession, ServiceDay, WorkerBeat

NAME = "clock"
# No clock can be right that is long before this program. Dead batteries give 1970, 2000, 2020.
RELEASED = datetime(2024, 1, 1, tzinfo=UTC)
TOLERANCE = timedelta(minutes=2)
# A clock that skips hours into another day would end the queue of today. Less is followed, and so
# is a time server that mends the clock before anybody has worked since the computer was started.
SKIP = timedelta(hours=1)
# A clinic that was off over Lebaran must not be asked; a wrong month or year must.
LONGEST_CLOSED = timedelta(days=14)
_NEWEST = select(AuditEntry.at).order_by(AuditEntry.seq.desc()).limit(1)


class Verdict(StrEnum):
    RIGHT = "right"
    BEHIND = "behind"
    AHEAD = "ahead"
    IMPOSSIBLE = "impossible"  # before this release


@dataclass(frozen=True)
class Known:
    """What the database and the running computer tell about the time."""

    newest: datetime | None = None  # it is not earlier
    expected: datetime | None = None  # it is this, if the computer was not switched off since
    offset: float = 0.0  # the correction in force
    is_untouched: bool = False  # nobody has worked since the computer was switched on


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    system: datetime
    known: Known


def is_right() -> bool:
    """Whether the clock can be believed; asks the database only after a jump, and while not."""
    return timekeeping.is_fine() or judge().verdict is Verdict.RIGHT


def judge() -> Judgement:
    """Hold the clock against what is known; all processes go by the outcome."""
    known, system = _known(), timekeeping.system_now()
    offset = _offset_to_keep(system, known)
    verdict = verdict_of(system + timedelta(seconds=offset), known)
    if verdict is Verdict.RIGHT:
        timekeeping.adopt(system, offset)
    elif timekeeping.state() in (timekeeping.UNKNOWN, timekeeping.RIGHT):
        at = known.expected or known.newest or RELEASED
        timekeeping.hold(at, goes_on=known.expected is not None)
    return Judgement(verdict, system, known)


def verdict_of(at: datetime, known: Known) -> Verdict:
    """What to think of a clock that says `at`."""
    if at < RELEASED:
        return Verdict.IMPOSSIBLE
    earliest = max((instant for instant in (known.newest, known.expected) if instant), default=at)
    if at < earliest - TOLERANCE:
        return Verdict.BEHIND
    if known.expected:
        skips = at - known.expected > SKIP and not known.is_untouched
        is_ahead = skips and days.clinic_date(at) != days.clinic_date(known.expected)
    else:
        is_ahead = at - earliest > LONGEST_CLOSED
    return Verdict.AHEAD if is_ahead else Verdict.RIGHT


def _known() -> Known:
    mark = db.session.get(WorkerBeat, NAME, populate_existing=True)
    audited = db.session.scalar(_NEWEST)
    note = json.loads(mark.note) if mark else {}
    newest = max((at for at in (mark and mark.beat_at, audited) if at), default=None)
    started = None
    if note.get("boot") and note["boot"] == timekeeping.boot():
        started = mark.beat_at - timedelta(seconds=note["uptime"])
    if timekeeping.state() in (timekeeping.RIGHT, timekeeping.HELD):
        expected = timekeeping.continued()
    else:
        expected = started and started + timedelta(seconds=timekeeping.uptime())
    is_untouched = bool(started and audited and audited < started)
    return Known(newest, expected, note.get("offset", 0.0), is_untouched)


def _offset_to_keep(system: datetime, known: Known) -> float:
    """The correction in force, unless the computer's clock has come right without it."""
    if not known.offset:
        return 0.0
    corrected = system + timedelta(seconds=known.offset)
    if known.expected:
        is_right = abs(system - known.expected) < abs(corrected - known.expected)
    else:
        is_right = verdict_of(system, known) is Verdict.RIGHT
    return 0.0 if is_right else known.offset


def keep() -> None:
    """Note that it is now: the worker's beat, while the clock is right. Never goes back."""
    mark = db.session.get(WorkerBeat, NAME)
    now, offset = utcnow(), timekeeping.offset()
    if mark and offset != json.loads(mark.note)["offset"]:
        audit.record(audit.SYSTEM, "clock_restored", details=_correction(offset))
    _write(max(now, mark.beat_at) if mark else now, now, offset)


def _write(at: datetime, now: datetime, offset: float) -> None:
    uptime = timekeeping.uptime() + (at - now).total_seconds()
    note = json.dumps({"boot": timekeeping.boot(), "uptime": uptime, "offset": offset})
    row = WorkerBeat(name=NAME, pid=os.getpid(), started_at=now, beat_at=at, note=note)
    db.session.merge(row)
    db.session.flush()


def set_time(actor: audit.Actor, at: datetime | None) -> ServiceDay | None:
    """Somebody looked at a watch: it is `at`, or (None) what the computer's clock says.

    Alur goes on with a correction of the computer's clock until that comes right. Gives the
    service day that the wrong clock dated in the future. Call `timekeeping.forget` if it fails.
    """
    before, system = utcnow(), timekeeping.system_now()
    offset = float(round((at - system).total_seconds())) if at else 0.0
    timekeeping.adopt(system, offset)
    now = utcnow()
    _write(now, now, offset)
    _move_sessions(before, now)
    audit.record(
        actor, "set_clock", details=f"{_stamp(before)} -> {_stamp(now)}; {_correction(offset)}"
    )
    return days.bring_back(actor)


def _move_sessions(before: datetime, now: datetime) -> None:
    """Nobody is logged out by a correction, and nobody stays logged in for longer by it."""
    live = select(LoginSession).where(
        LoginSession.ended_at.is_(None), LoginSession.idle_until > before
    )
    for row in db.session.scalars(live):
        row.seen_at += now - before
        row.idle_until += now - before
        row.expires_at += now - before


def _correction(offset: float) -> str:
    return f"correction {offset:+.0f} s"


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
