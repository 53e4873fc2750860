"""Sets that restores put aside: what room they take, and when one may go.

The newest stays in any case. Records are never deleted: an older set is of a history that the
clinic has left, and the database in use and its backups are newer.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from clinic import audit, restore_postgres, restoring
from clinic.audit import Actor
from clinic.disk_space import size_text
from db import db
from validators import FieldError, clean_text

KEPT = timedelta(days=30)
LONGEST, SHORTEST = 300, 5  # of a reason


class AsideProblem(ValueError):
    """A set that can't go, with a sentence."""


@dataclass(frozen=True)
class Aside:
    """One set; `by` restored over it."""

    mark: str
    at: datetime
    by: str
    size: int
    may_go: bool


def sets(data: Path, now: datetime) -> list[Aside]:
    """All of them, the newest first."""
    found: list[Aside] = []
    for one in restoring.all_sides(data):
        if one.state == "set_aside":
            at = datetime.strptime(one.mark[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
            may_go = bool(found) and now - at > KEPT
            found.append(Aside(one.mark, at, one.by, _size(data, one.mark), may_go))
    return found


def _size(data: Path, mark: str) -> int:
    files = [path for path in restoring.side(data, mark).rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    if db.engine.dialect.name == "postgresql":
        wanted = text("SELECT pg_database_size(oid) FROM pg_database WHERE datname = :name")
        name = restore_postgres.side_name(db.engine.url, mark)
        size += db.session.scalar(wanted, {"name": name}) or 0
    return size


def give_up(actor: Actor, data: Path, mark: str, reason: str, now: datetime) -> None:
    """Take an old set off the list, to be wiped after this transaction. Raises AsideProblem."""
    try:
        reason = clean_text(reason, LONGEST)
    except FieldError as problem:
        raise AsideProblem(str(problem)) from problem
    one = next((one for one in sets(data, now) if one.mark == mark), None)
    if one is None:
        raise AsideProblem("Centang satu data yang disisihkan; mungkin sudah dibuang tadi.")
    if restoring.is_switch_asked(data):
        raise AsideProblem("Data sedang diganti. Tunggu sampai selesai.")
    if not one.may_go:
        raise AsideProblem("Yang terbaru dan yang belum 30 hari tetap disimpan.")
    if len(reason) < SHORTEST:
        raise AsideProblem("Tulis alasannya, misalnya: disk hampir penuh.")
    details = f"{mark[:15]} {size_text(one.size)}"
    audit.record(actor, "remove_set_aside", reason=reason, details=details)
    restoring.forget(data, mark)
