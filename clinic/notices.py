"""The one line at the top of a page when something is wrong that concerns its reader.

No page asks the database for it: free space is a system call, this process remembers a failed
save, and what else there is the worker writes into a small file, whose age is its sign of life.
"""

import contextlib
import json
import os
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import DBAPIError

import timekeeping
from clinic import disk_space, self_check, storage_faults, system_status
from clinic.disk_space import Room
from clinic.status_check import State
from db import db
from models import Role

CHIEFS = frozenset({Role.HEAD, Role.OPERATOR})
LOOKED_AT_SECONDS = 5
WORKER_GONE_SECONDS = 300
WRITTEN_EVERY = timedelta(minutes=1)
DISK_FULL = "Disk server hampir penuh, penyimpanan bisa gagal. Beri tahu kepala atau petugas TI."
DISK_FULL_CHIEFS = "Disk server hampir penuh, penyimpanan bisa gagal. Kosongkan disk sekarang."
DISK_LOW = "Disk server mulai penuh. Lihat halaman Sistem."
NO_WORKER = "Pekerja latar tidak berjalan: cadangan dan tutup hari tertunda. Lihat halaman Sistem."


@dataclass(frozen=True)
class Notice:
    level: str  # error, warning
    text: str
    is_for_all: bool = False


_started = time.monotonic()
_seen: dict[Path, tuple[float, list[Notice]]] = {}


def top(data: Path, role: Role) -> Notice | None:
    """What an account of this role must know first."""
    mine = (notice for notice in _present(data) if notice.is_for_all or role in CHIEFS)
    return next(mine, None)


def _present(data: Path) -> list[Notice]:
    """The worst first; looked at anew every few seconds only. A failed save is known at once."""
    now = time.monotonic()
    looked_at, found = _seen.get(data, (-LOOKED_AT_SECONDS, []))
    if now - looked_at >= LOOKED_AT_SECONDS:
        found = [*_of_disk(data), *_of_worker(data)]
        _seen[data] = now, found
    fault = storage_faults.present()
    if fault:
        text = f"Penyimpanan terganggu: {fault.value} {storage_faults.ADVICE[fault]}"
        return [Notice("error", text, is_for_all=True), *found]
    return found


def forget() -> None:
    """Look anew at the next page."""
    _seen.clear()


def _of_disk(data: Path) -> list[Notice]:
    room = disk_space.space(data).room
    if room is Room.ALARM:
        return [Notice("error", DISK_FULL_CHIEFS), Notice("error", DISK_FULL, is_for_all=True)]
    return [Notice("warning", DISK_LOW)] if room is Room.LOW else []


def settle(data: Path, name: str) -> None:
    """This line of the worker's has just been mended: say so no more; its sign of life stays."""
    forget()
    path = _file(data)
    with contextlib.suppress(OSError, ValueError):
        written_at, told = path.stat().st_mtime, json.loads(path.read_text())
        told["texts"] = [text for text in told["texts"] if not text.startswith(f"{name}:")]
        _write(path, told)
        os.utime(path, (written_at, written_at))


# --- What the worker says ---------------------------------------------------------------------


def _file(data: Path) -> Path:
    return data / "state" / "notices.json"


def _of_worker(data: Path) -> list[Notice]:
    try:
        age = timekeeping.system_now().timestamp() - _file(data).stat().st_mtime
        told = json.loads(_file(data).read_text())
    except (OSError, ValueError):
        return []  # not started yet, or being replaced
    # After a start the file is as old as the night was long, until the worker's first round.
    is_new = time.monotonic() - _started < WORKER_GONE_SECONDS
    gone = [Notice("error", NO_WORKER)] if abs(age) > WORKER_GONE_SECONDS and not is_new else []
    return gone + [Notice("error", text) for text in told["texts"]]


def refresh(data: Path, at: datetime) -> None:
    """The worker's part: its sign of life, and each minute the lines that are red."""
    path = _file(data)
    try:
        written_at = datetime.fromisoformat(json.loads(path.read_text())["at"])
        is_due = not timedelta() <= at - written_at < WRITTEN_EVERY
    except (OSError, ValueError, KeyError):
        is_due = True
    with contextlib.suppress(OSError):  # a disk that is full: the pages see that for themselves
        if is_due:
            _write(path, {"at": at.isoformat(), "texts": _red_lines(data, at)})
    with contextlib.suppress(OSError):
        os.utime(path)  # possible even on a full disk


def _write(path: Path, told: dict) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(told))
    aside.replace(path)


def _red_lines(data: Path, at: datetime) -> list[str]:
    # What the pages see for themselves is not told twice.
    seen_there = {"Ruang disk", "Pekerja latar"}
    try:
        lines = system_status.quick_checks(data, at)
        lines.append(self_check.summary(at, [line.name for line in lines]))
    except DBAPIError as problem:
        fault = storage_faults.fault_of(problem) or storage_faults.Fault.UNREACHABLE
        return [f"{fault.value} {storage_faults.ADVICE[fault]}"]
    finally:
        db.session.rollback()
    return [
        f"{check.name}: {check.figures}. {check.sentence}"
        for check in lines
        if check.state is State.BAD and check.name not in seen_there
    ]
