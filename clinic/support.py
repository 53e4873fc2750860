"""One file for whoever helps from outside: how the system is, and nothing about any patient.

Each part stands for itself: one that can't be had says why, and the others are there.
"""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from clinic import disk_space, self_check, settings, speed, system_status, versions
from clinic.status_check import Check
from db import Base, db, utcnow
from logs import CRASHES, FILE, last_lines, scrub
from models import WorkerBeat

LOG_LINES = 2000
# Nothing that somebody typed as free text, and nothing that opens a door.
TOLD_SETTINGS = (
    *("time_zone", "idle_minutes", "wait_warn_minutes", "wait_late_minutes", "priority_ratio"),
    *("elderly_from_years", "kb_cluster", "amend_free_hours", "mrn_template", "is_demo"),
)


def bundle(data: Path) -> bytes:
    """The file, as .zip."""
    parts: dict[str, Callable[[], str]] = {
        "versi.csv": lambda: _table(asdict(versions.versions()).items()),
        "pengaturan.csv": lambda: _table((key, settings.value(key)) for key in TOLD_SETTINGS),
        "keadaan.csv": lambda: _table(_line(c) for c in system_status.checks(data)),
        "pemeriksaan.csv": lambda: _table(
            (row.checked_at, row.state, row.name, row.figures, row.sentence)
            for row in self_check.newest()
        ),
        "pekerja.csv": lambda: _table(_beats()),
        "jumlah-baris.csv": lambda: _table(_counts()),
        "kecepatan.csv": lambda: _table(_speed(data)),
        "disk.csv": lambda: _table(_files(data)),
        "log.txt": lambda: scrub("\n".join(last_lines(data / "logs" / FILE, LOG_LINES))),
        "crash.txt": lambda: scrub("\n".join(last_lines(data / "logs" / CRASHES, LOG_LINES))),
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in parts.items():
            file.writestr(name, _told(part))
    return written.getvalue()


def _told(part: Callable[[], str]) -> str:
    try:
        return part()
    except (SQLAlchemyError, OSError, ValueError) as problem:
        db.session.rollback()
        return f"tidak dapat dibaca: {type(problem).__name__}"


def _table(rows: Iterable[Iterable]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _line(check: Check) -> tuple:
    return check.state.value, check.name, check.figures, check.sentence


def _beats() -> Iterable[tuple]:
    yield "dibuat", utcnow()
    for row in db.session.scalars(select(WorkerBeat).order_by(WorkerBeat.name)):
        yield row.name, row.pid, row.started_at, row.beat_at


def _counts() -> Iterable[tuple]:
    for table in Base.metadata.sorted_tables:
        yield table.name, db.session.scalar(select(func.count()).select_from(table))


def _speed(data: Path) -> Iterable[tuple]:
    yield "halaman", "jumlah", "ms 50%", "ms 95%", "kesalahan"
    for page, timing in speed.last_hour(data / "state").slowest(1000):
        yield page, timing.count, timing.within(0.5), timing.within(0.95), timing.errors


def _files(data: Path) -> Iterable[tuple]:
    """Sizes by folder; the names of files that patients were imported from stay here."""
    space = disk_space.space(data)
    yield "kosong", space.free
    yield "seluruhnya", space.total
    for folder in sorted(path for path in data.iterdir() if path.is_dir()):
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        yield folder.name, len(sizes), sum(sizes)
