"""The rows of backups: asking for one, whether one is due, what became of it at each place."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from clinic import audit, backup_places, settings
from clinic.audit import Actor
from clinic.backup_making import Made
from db import db, utcnow
from models import AuditEntry, Backup, BackupCopy, BackupKind, BackupState, CopyState

EVERY = timedelta(minutes=15)
RETRY_PLACE, RETRY_HUNG = timedelta(minutes=5), timedelta(hours=1)
MOST_ATTEMPTS = 3
KEPT = (BackupState.DONE, BackupState.DOUBTFUL)
PENDING = (BackupState.WAITING, BackupState.RUNNING)
HUNG = "Tidak menjawab."
DISK = "Disk data"  # ALUR_DATA/backups, in the list of places


# --- Asking ---------------------------------------------------------------------------------------


def ask(actor: Actor, kind: BackupKind, at: datetime | None = None) -> Backup:
    """Have the worker make one soon; who asks twice gets the one that waits already."""
    waiting = select(Backup).where(Backup.kind == kind, Backup.state == BackupState.WAITING)
    backup = db.session.scalar(waiting.limit(1))
    if backup:
        return backup
    backup = Backup(kind=kind, asked_by_id=actor.user_id, asked_at=at or utcnow())
    db.session.add(backup)
    db.session.flush()
    if kind is not BackupKind.PERIODIC:
        ref = {"object_type": "backup", "object_ref": backup.public_id}
        audit.record(actor, "ask_backup", details=kind.value, **ref)
    return backup


def asked_since(kind: BackupKind, at: datetime) -> Backup | None:
    """The newest of this kind that was asked for since this instant."""
    found = select(Backup).where(Backup.kind == kind, Backup.asked_at >= at)
    found = found.order_by(Backup.id.desc()).limit(1)
    return db.session.scalar(found.options(selectinload(Backup.copies)))


def is_periodic_due(at: datetime) -> bool:
    """Whether a quarter of an hour has passed, and anything was saved meanwhile.

    So there is one in opening hours, whatever hours those are, and none of a sleeping clinic.
    """
    last = db.session.scalar(select(Backup.asked_at).order_by(Backup.id.desc()).limit(1))
    if last is not None and abs(at - last) < EVERY:
        return False
    return has_unsaved_changes()


def has_unsaved_changes() -> bool:
    """Whether the audit trail has gone on since the newest backup."""
    done = newest()
    return done is None or _audit_seq() != done.audit_seq


def _audit_seq() -> int:
    return db.session.scalar(select(func.max(AuditEntry.seq))) or 0


def is_pending() -> bool:
    """Whether one waits, or is being made (by a process that may have been killed)."""
    found = select(Backup.id).where(Backup.state.in_(PENDING)).limit(1)
    return db.session.scalar(found) is not None


def next_waiting() -> Backup | None:
    """The one that is to be made now."""
    found = select(Backup).where(Backup.state == BackupState.WAITING).order_by(Backup.id)
    return db.session.scalar(found.limit(1))


def resume() -> None:
    """What was being made when its maker was killed waits again, or is given up.

    Called while holding the lock of `backup_making.alone`: nobody is making one.
    """
    for backup in db.session.scalars(select(Backup).where(Backup.state == BackupState.RUNNING)):
        backup.state = BackupState.WAITING
        if backup.attempts >= MOST_ATTEMPTS:
            fail(backup, f"Terputus {MOST_ATTEMPTS} kali. Periksa listrik dan ruang disk.")


# --- What becomes of one --------------------------------------------------------------------------


def begin(backup: Backup) -> None:
    """It is being made."""
    backup.state = BackupState.RUNNING
    backup.attempts += 1


def fail(backup: Backup, problem: str) -> None:
    """It was not made."""
    backup.state, backup.ended_at, backup.problem = BackupState.FAILED, utcnow(), problem[:500]


def finish(backup: Backup, made: Made) -> None:
    """It lies on this server's disk."""
    manifest = made.manifest
    backup.state = BackupState.DOUBTFUL if manifest.problems else BackupState.DONE
    backup.problem = " ".join(manifest.problems)[:500]
    backup.taken_at, backup.name = manifest.at, made.path.name
    backup.size, backup.digest = made.path.stat().st_size, made.digest
    backup.patients, backup.visits = manifest.patients, manifest.visits
    backup.audit_seq, backup.ended_at = manifest.audit_seq, utcnow()


def newest(*, at_all: bool = False) -> Backup | None:
    """The newest good backup; with `at_all` also one that a check found wanting."""
    states = KEPT if at_all else (BackupState.DONE,)
    found = select(Backup).where(Backup.state.in_(states)).order_by(Backup.id.desc()).limit(1)
    return db.session.scalar(found.options(selectinload(Backup.copies)))


def since() -> datetime | None:
    """When the first good backup was taken."""
    good = select(Backup.taken_at).where(Backup.name != "")
    return db.session.scalar(good.order_by(Backup.id).limit(1))


def recent(limit: int = 20) -> list[Backup]:
    """The newest rows, whatever became of them."""
    found = select(Backup).order_by(Backup.id.desc()).limit(limit)
    return list(db.session.scalars(found.options(selectinload(Backup.copies))))


# --- Places ---------------------------------------------------------------------------------------


def places() -> list[str]:
    """The configured places, as they were written."""
    return settings.value("backup_places").splitlines()


def folder_at(place: str) -> Path:
    """Our folder at this place."""
    return backup_places.folder_of(Path(place), settings.value("clinic_ref"))


def note_copies(place: str, names: Iterable[str], at: datetime, remark: str = "") -> None:
    """These were copied to this place and read back."""
    found = select(Backup).where(Backup.name.in_(list(names)))
    for backup in db.session.scalars(found.options(selectinload(Backup.copies))):
        note_copy(backup, place, "", at, remark)
        row_of(backup, place).reread_at = at


def note_copy(backup: Backup, place: str, problem: str, at: datetime, remark: str = "") -> None:
    """How the copy at this place is: there (with a remark), or not because of the `problem`."""
    row = row_of(backup, place)
    if row is None:
        row = BackupCopy(place=place)
        backup.copies.append(row)
    row.state = CopyState.BAD if problem else CopyState.GOOD
    row.reason, row.tried_at = (problem or remark)[:300], at
    db.session.flush()


def row_of(backup: Backup, place: str) -> BackupCopy | None:
    """What is known of the backup's copy at this place."""
    return next((row for row in backup.copies if row.place == place), None)


def note_rotated(place: str, names: Iterable[str]) -> None:
    """These are gone from this place, as younger ones took their turn."""
    rows = (
        select(BackupCopy)
        .join(BackupCopy.backup)
        .where(BackupCopy.place == place, Backup.name.in_(list(names)))
    )
    for row in db.session.scalars(rows):
        row.state, row.reason = CopyState.ROTATED, ""


def note_tried(actor: Actor, place: str, is_good: bool) -> None:
    """Somebody tried this place; if it works, what is missing there is copied at once."""
    audit.record(actor, "try_backup_place", details=place)
    backup = newest(at_all=True)
    row = row_of(backup, place) if backup else None
    if row and row.state == CopyState.BAD and is_good:
        row.tried_at -= RETRY_HUNG


def sources(folder: Path) -> list[backup_places.Source]:
    """The backups that lie on this server's disk, the newest first."""
    there = {path.name: path for path in folder.glob("cadangan-*.alur")}
    found = select(Backup.name, Backup.digest).where(Backup.name.in_(there))
    rows = db.session.execute(found.order_by(Backup.name.desc()))
    return [backup_places.Source(there[name], digest) for name, digest in rows]


def places_due(at: datetime) -> list[str]:
    """Where the newest backup is missing, and it is time to try (again)."""
    backup = newest(at_all=True)
    if backup is None:
        return []
    rows = {row.place: row for row in backup.copies}
    return [place for place in places() if _is_due(rows.get(place), at)]


def _is_due(row: BackupCopy | None, at: datetime) -> bool:
    if row is None:
        return True
    wait = RETRY_HUNG if row.reason == HUNG else RETRY_PLACE
    return row.state == CopyState.BAD and abs(at - row.tried_at) >= wait
