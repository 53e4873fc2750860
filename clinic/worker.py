"""What the background process does at each beat; `background.py` is its loop.

Every step has its own short transaction and may be repeated: a killed worker loses nothing.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text, update

import timekeeping
from clinic import (
    answers,
    audit,
    clock,
    closing,
    disk_space,
    import_work,
    internet,
    name_index,
    notices,
    pair_scan,
    reachability,
    self_check,
    settings,
    speed,
    unsaved,
)
from db import BUSY_TIMEOUT_MS, SQLITE_IS_WAL_SAFE, db, transaction, utcnow
from models import LoginSession, WorkerBeat

NAME = "worker"
STATISTICS = "statistics"
STATISTICS_EVERY = timedelta(days=1)
# Rows looked at per index: enough for the query planner, a few milliseconds at 100,000 patients.
ANALYSIS_LIMIT = 1000
PAIRS = "pairs"
PAIRS_EVERY = timedelta(minutes=1)
PEOPLE_COMPARED = 100  # at once: a second of one core, at 100,000 patients
SELF_CHECK = "self_check"
NAMES = "names"
NAMES_FOLDED = 500  # at once
CHECKPOINT_WAIT_MS = 200
IMPORT_SECONDS = 4.0  # then the sign of life is due again

log = logging.getLogger("alur.worker")
_started = timekeeping.uptime()


def running_for() -> timedelta:
    """Since the worker was started, whatever the clock did."""
    return timedelta(seconds=timekeeping.uptime() - _started)


def run_once(at: datetime | None = None) -> None:
    """All that is due at this instant (default now), the sign of life first.

    While the clock is wrong nothing is due.
    """
    is_right = clock.is_right()
    at = at or utcnow()
    with transaction():
        beat(NAME, at)
        if not is_right:
            return
        clock.keep()
        end_expired_sessions(at)
        unsaved.clear(at)
        answers.clear(at)
        closing.ask_when_due(at)
    if _is_sqlite():
        checkpoint()
        refresh_statistics(at)
    fold_names(at)
    find_pairs(at)


def keep_watch(data: Path) -> None:
    """What must go on even while nothing can be saved: the pages' notices, room held back."""
    notices.refresh(data, utcnow())
    speed.clear(data / "state")
    with contextlib.suppress(OSError):
        disk_space.hold_back(data)


def check_itself(data: Path, at: datetime | None = None) -> bool:
    """Some seconds of the daily self-check, when it is due or going on; true when it did some."""
    at = at or utcnow()
    last = db.session.get(WorkerBeat, SELF_CHECK)
    place = last.note if last else ""
    if not place and not self_check.is_due(last and last.beat_at, at):
        return False
    done = self_check.go_on(data, place, at)
    with transaction():
        self_check.keep(done.found, at)
        beat(SELF_CHECK, at, done.place)
    return True


def ask_for_self_check(at: datetime) -> None:
    """Begin it at the next round, in the caller's transaction."""
    beat(SELF_CHECK, at, next(iter(self_check.STEPS)))


def try_internet() -> None:
    """Ask once whether the internet is there; takes some seconds where it is not."""
    target = settings.value("internet_target")
    db.session.rollback()  # no read stays open meanwhile
    if not target:
        return
    is_there = reachability.is_reachable(target)
    if clock.is_right():
        with transaction():
            internet.keep(utcnow(), target, is_there)


def beat(name: str, at: datetime, note: str = "") -> WorkerBeat:
    """Say that `name` was alive, or done, at this instant."""
    row = db.session.get(WorkerBeat, name)
    if row is None:
        row = WorkerBeat(name=name)
        db.session.add(row)
    started_at = at - running_for()
    row.pid, row.started_at, row.beat_at, row.note = os.getpid(), started_at, at, note
    db.session.flush()
    return row


def end_expired_sessions(at: datetime) -> int:
    """End the login sessions whose time is over; how many."""
    ended = db.session.execute(
        update(LoginSession)
        .where(LoginSession.ended_at.is_(None), LoginSession.expires_at <= at)
        .values(ended_at=LoginSession.expires_at)
    )
    return ended.rowcount


def checkpoint() -> bool:
    """On a SQLite with the WAL-reset bug, fold the log into the database; true when done.

    There nobody else checkpoints (db.py), and TRUNCATE holds the write lock meanwhile, so that
    no commit can slip in between.
    """
    if SQLITE_IS_WAL_SAFE:
        return False
    with contextlib.closing(db.engine.raw_connection()) as connection:  # in no transaction
        cursor = connection.cursor()
        # It holds the write lock while it waits for readers: not for long.
        cursor.execute(f"PRAGMA busy_timeout={CHECKPOINT_WAIT_MS}")
        is_busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    if is_busy:
        log.warning("checkpoint put off: someone is reading")
    return not is_busy


def refresh_statistics(at: datetime) -> bool:
    """Once a day, let SQLite's query planner look at the tables; true when done."""
    last = db.session.get(WorkerBeat, STATISTICS)
    if last is not None and timedelta() <= at - last.beat_at < STATISTICS_EVERY:
        return False
    with transaction() as session:
        # Not PRAGMA optimize: it only looks at tables that this very connection has used.
        session.execute(text(f"PRAGMA analysis_limit={ANALYSIS_LIMIT}"))
        session.execute(text("ANALYZE"))
        beat(STATISTICS, at)
    return True


def fold_names(at: datetime) -> bool:
    """After an upgrade that folds names otherwise, rewrite some stored keys; true when it did."""
    last = db.session.get(WorkerBeat, NAMES)
    folding, _, place = (last.note if last else "").partition(":")
    if folding != str(name_index.FOLDING):
        place = "0"
    if not place:
        return False
    with transaction():
        reached = name_index.refold(int(place), NAMES_FOLDED)
        beat(NAMES, at, f"{name_index.FOLDING}:{reached}" if reached else str(name_index.FOLDING))
    return True


def find_pairs(at: datetime) -> int:
    """Once a minute, compare some people with the register; how many pairs are new."""
    last = db.session.get(WorkerBeat, PAIRS)
    if last is not None and timedelta() <= at - last.beat_at < PAIRS_EVERY:
        return 0
    done = pair_scan.look(last.note if last else "", PEOPLE_COMPARED)
    if done.is_idle:
        return 0
    with transaction():
        found = pair_scan.keep(audit.SYSTEM, done)
        beat(PAIRS, at, done.place)
    return found


def import_patients(data: Path, must_stop: Callable[[], bool] = lambda: False) -> bool:
    """Some seconds of the oldest import that waits; true when there is more to do at once.

    `data` is the folder that holds the clinic's files.
    """
    if not clock.is_right():
        return False
    end = time.monotonic() + IMPORT_SECONDS
    while not must_stop():
        work = import_work.prepare(data)
        if work is None:
            return False
        with transaction():
            import_work.store(work)
        if time.monotonic() > end:
            break
    return True


def _is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"
