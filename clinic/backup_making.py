"""Makes one backup: snapshot, check, compress, encrypt. Copies and rows are others' business."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

import timekeeping
from clinic import backup_archive, backup_keys, backup_snapshot
from clinic.backup_manifest import BackupProblem, Manifest, file_name, read
from clinic.disk_errors import disk_error_text
from clinic.small_files import sync_folder
from db import sqlite_driver

BEGINNING = "cadangan-"  # of all that a killed backup may leave in tmp
UPLOADED = "unggahan-"  # a backup that somebody sent to the page
ROOM = 256 * 1024**2  # left to the clinic's own saves
PROGRESS = f"{BEGINNING}progress.json"


@dataclass(frozen=True)
class Made:
    """A finished backup on this server's disk."""

    manifest: Manifest
    path: Path
    digest: str


@dataclass(frozen=True)
class Progress:
    """What is being done, for the page that waits; in a file, as a row would cost a save's turn."""

    step: str = "Sebentar lagi dimulai"
    percent: int = 0


def progress(data: Path) -> Progress:
    """How far the backup is that is being made."""
    try:
        return Progress(**json.loads((data / "tmp" / PROGRESS).read_text()))
    except (OSError, ValueError, TypeError):
        return Progress()


def tell(data: Path, step: str, percent: int) -> None:
    """Say what is being done now."""
    (data / "tmp" / PROGRESS).write_text(json.dumps(asdict(Progress(step, percent))))


def newest_path(data: Path) -> Path:
    """The newest good backup, not encrypted, beside the database it is of."""
    return data / "db" / "newest.snapshot"


def newest_manifest(data: Path) -> Manifest | None:
    """What the newest good backup said of itself."""
    try:
        return read(newest_path(data))
    except BackupProblem:
        return None


@contextlib.contextmanager
def alone(data: Path) -> Iterator[None]:
    """One backup at a time, whoever makes it. Raises BlockingIOError."""
    with (data / "backup.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        clear(data)
        yield


def clear(data: Path) -> None:
    """Remove what a killed backup has left; nobody else is making one."""
    day_ago = timekeeping.system_now().timestamp() - 24 * 3600
    uploads = (data / "tmp").glob(f"{UPLOADED}*")  # a job removes its own, unless it was killed
    leftovers = [path for path in uploads if path.stat().st_mtime < day_ago]
    leftovers += [*(data / "tmp").glob(f"{BEGINNING}*"), *(data / "backups").glob(".*.part")]
    for path in leftovers:
        path.unlink()


def make(engine: Engine, data: Path, kind: str, at: datetime, others: list[str]) -> Made:
    """A backup in ALUR_DATA/backups, for the clinic's key and the `others`.

    One in which a check found something is made too: it may be all there is. Its manifest says
    what, and the newest good one keeps its place. Raises BackupProblem.
    """
    own, signing = backup_keys.public_key(data / "keys"), backup_keys.own_signing_key(data / "keys")
    if not own or not signing:
        raise BackupProblem("Kunci pemulihan belum dibuat. Buat dan cetak kartunya.")
    if shutil.disk_usage(data).free < 2 * backup_snapshot.size(engine) + ROOM:
        raise BackupProblem("Ruang disk data hampir habis; kosongkan supaya cadangan jalan lagi.")
    path = data / "backups" / file_name(at)
    while path.exists():  # of this very second, or the clock was set back
        at += timedelta(seconds=1)
        path = path.with_name(file_name(at))
    mark = f"{BEGINNING}{os.getpid()}"
    database, packed = data / "tmp" / f"{mark}.db", data / "tmp" / f"{mark}.packed"
    encrypted = data / "tmp" / f"{mark}.age"
    try:
        tell(data, "Memotret basis data", 5)
        with backup_snapshot.taken(engine, database) as connection:
            tell(data, "Memeriksa potret", 20)
            manifest = backup_snapshot.described(
                connection, database, kind, at, newest_manifest(data)
            )
        key = (data / "keys" / "audit.key").read_bytes()
        key_digest = hashlib.sha256(key).hexdigest()
        manifest = replace(manifest, recipients=[own, *others], key_sha256=key_digest)
        manifest = manifest.signed(signing)
        tell(data, "Memadatkan", 50)
        backup_archive.pack(manifest, database, key, packed)
        tell(data, "Mengenkripsi", 65)
        digest = backup_archive.encrypt(packed, encrypted)
        os.replace(encrypted, path)
        if not manifest.problems:
            os.replace(packed, newest_path(data))
        for folder in (path.parent, newest_path(data).parent):
            sync_folder(folder)
        return Made(manifest, path, digest)
    except (DBAPIError, sqlite_driver.Error) as problem:
        told = str(getattr(problem, "orig", problem))[:200]
        raise BackupProblem(f"Basis data tidak dapat dibaca utuh: {told}") from problem
    except OSError as problem:
        raise BackupProblem(f"Gagal menulis di disk data: {disk_error_text(problem)}.") from problem
    finally:
        for left in (database, packed, encrypted):
            left.unlink(missing_ok=True)
