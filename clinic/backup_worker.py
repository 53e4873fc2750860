"""The backups' part of the background work, in a process of its own; `cli.py worker` starts it.

Every step has its own short transaction and may be repeated. Killed anywhere, it leaves files
that the next run removes, and a row that the next run takes up again.
"""

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from clinic import (
    audit,
    backup_making,
    backup_places,
    backup_status,
    backups,
    drills,
    notices,
    settings,
    side_work,
    worker,
)
from clinic.backup_making import Made
from clinic.backup_manifest import BackupProblem
from clinic.status_check import State
from db import db, transaction, utcnow
from models import Backup, BackupKind

BYTES_A_SECOND = 512 * 1024  # a place that is slower does not answer
PATIENCE = 60
NICENESS = 9  # more than the worker's own
FIRST_MINUTE = timedelta(minutes=1)

log = logging.getLogger("alur.backup")


def is_due(at: datetime) -> bool:
    """Whether there is anything to do; a few small queries."""
    return backups.is_pending() or (_is_calm() and _is_routine_due(at))


def _is_calm() -> bool:
    """Not in the first minute: whoever starts a server is waiting for its first page."""
    return worker.running_for() >= FIRST_MINUTE


def _is_routine_due(at: datetime) -> bool:
    return bool(backups.is_periodic_due(at) or backups.places_due(at) or drills.is_due(at))


def run(data: Path, must_stop: Callable[[], bool] = lambda: False) -> None:
    """All that is due: backups, copies, the nightly drill. Nothing when somebody is at it."""
    try:
        with backup_making.alone(data):
            _run(data, must_stop)
    except BlockingIOError:
        log.info("another process is making a backup")


def _run(data: Path, must_stop: Callable[[], bool]) -> None:
    is_calm = _is_calm()
    with transaction():
        backups.resume()
        if is_calm and backups.is_periodic_due(utcnow()):
            backups.ask(audit.SYSTEM, BackupKind.PERIODIC)
    while not must_stop() and (waiting := backups.next_waiting()):
        make(data, waiting.id)
    if not must_stop() and is_calm and (due := backups.places_due(utcnow())):
        copy_to(data, due)
        _settle(data)
    if not must_stop() and is_calm and drills.is_due(utcnow()):
        drill(data)
        _settle(data)


def make(data: Path, backup_id: int) -> Backup:
    """Make the backup of this row and copy it everywhere; call it inside `alone`."""
    with transaction():
        backup = db.session.get_one(Backup, backup_id)
        backups.begin(backup)
        kind, others = backup.kind.value, _other_keys()

    try:
        made = _unhurried(backup_making.make, db.engine, data, kind, _now(), others)
    except BackupProblem as problem:
        with transaction():
            backup = db.session.get_one(Backup, backup_id)
            backups.fail(backup, str(problem))
        return backup
    backup_making.tell(data, "Menyalin ke tempat lain", 75)
    with transaction():
        backup = db.session.get_one(Backup, backup_id)
        backups.finish(backup, made)
    _settle(data)
    _reread_own(backup, made.path, made.digest)
    copy_to(data, backups.places())
    _settle(data)
    backup_making.clear(data)
    return backup


def _settle(data: Path) -> None:
    """What this has mended is red on no page until the worker looks again, a minute later."""
    for check in backup_status.checks(utcnow(), data / "keys"):
        if check.state is not State.BAD:
            notices.settle(data, check.name)
    db.session.rollback()  # no read stays open


def _unhurried(work: Callable[..., Made], *arguments: Any) -> Made:
    """Do this in a thread of the lowest priority.

    This process itself keeps its own: one that others push aside must not hold a writer's turn.
    """
    with ThreadPoolExecutor(1, initializer=os.nice, initargs=(NICENESS,)) as thread:
        return thread.submit(work, *arguments).result()


def _now() -> datetime:
    return utcnow().replace(microsecond=0)


def _other_keys() -> list[str]:
    office = settings.value("health_office_key")
    return [office] if office else []


def _reread_own(backup: Backup, path: Path, digest: str) -> None:
    """The server's own disk is a place too; rotation there waits while the newest is in doubt."""
    done: dict = {"copied": [path.name], "removed": [], "problem": "", "remark": ""}
    try:
        backup_places.reread(path, digest)
        if not backup.problem:
            done["removed"] = backup_places.rotate(path.parent, settings.value("time_zone"))
    except (BackupProblem, OSError) as problem:
        done |= {"copied": [], "problem": str(problem)}
    _note(backups.DISK, done)


def copy_to(data: Path, places: list[str]) -> None:
    """Bring these places up to date, each in a child that may hang."""
    for place in places:
        wanted = backups.sources(data / "backups")
        if not wanted:
            return
        folder, zone = backups.folder_at(place), settings.value("time_zone")
        seconds = PATIENCE + sum(one.path.stat().st_size for one in wanted[:4]) / BYTES_A_SECOND
        db.session.rollback()  # no read stays open while a slow disk writes
        try:
            done = side_work.in_child(
                lambda folder=folder, wanted=wanted, zone=zone: backup_places.serve(
                    folder, wanted, zone
                ),
                seconds=seconds,
            )
        except BackupProblem as problem:
            done = {"copied": [], "removed": [], "problem": str(problem), "remark": ""}
        _note(place, done)


def _note(place: str, done: dict) -> None:
    at = utcnow()
    with transaction():
        backups.note_copies(place, done["copied"], at, done["remark"])
        backups.note_rotated(place, done["removed"])
        newest = backups.newest(at_all=True)
        if newest is not None and newest.name not in done["copied"]:
            backups.note_copy(newest, place, done["problem"], at, done["remark"])


def drill(data: Path) -> None:
    """Restore the newest snapshot aside, read it, and re-read its copies; keep the result."""
    found = drills.nightly(data)
    with transaction():
        drills.keep(audit.SYSTEM, found)
