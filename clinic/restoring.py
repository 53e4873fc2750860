"""From a backup back to a running clinic: a side copy, the switch, and the way back.

A side copy is a whole ALUR_DATA of its own (db/, keys/), brought up to date before anything is
switched. The switch is a request in a file, carried out before the server starts, while nothing
has the database open (`apply_switch`); the set in use goes aside by rename, and an undo is the
same switch with that set. Each step may be repeated: a power cut in between loses nothing.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, NullPool, create_engine, select

from clinic import backup_keys, backup_manifest, restore_postgres, restore_reading
from clinic.backup_manifest import BackupProblem, Manifest
from clinic.restore_reading import Opened, Trust
from clinic.small_files import sync_folder, write_aside
from db import sqlite_driver, utcnow
from models import User

WAS_EMPTY = (
    "Sebelum pemulihan server ini kosong, jadi tidak ada data untuk dipakai lagi. "
    "Tidak ada yang berubah."
)
REQUEST = "switch.json"
STATUS = "status.json"
SUFFIXES = ("-wal", "-shm", "")  # the database itself last: it is what tells that all is moved
PREPARE_SECONDS = 3600
JOB_GIVEN_UP = timedelta(hours=2)
_STAMP = "%Y%m%d-%H%M%S"  # in UTC, the beginning of a mark
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Status:
    """How far a side copy is; `sentence` says why it was refused."""

    mark: str
    state: str  # opening, ready, refused, checked (a drill), set_aside
    sentence: str = ""
    name: str = ""
    is_drill: bool = False
    is_signed: bool = False
    compared: int = 0
    code: str = ""  # of a drill with the paper key, for the server that the backup is from
    manifest: Manifest | None = None
    by: str = ""  # who restored over a set that was put aside

    @property
    def at(self) -> datetime:
        """When it was opened or put aside."""
        return datetime.strptime(self.mark[:15], _STAMP).replace(tzinfo=UTC)


def folder(data: Path) -> Path:
    """Where side copies and sets that were put aside lie."""
    return data / "restore"


def new_mark() -> str:
    """The name of a new side copy; also puts its folder there."""
    return f"{utcnow():{_STAMP}}-{secrets.token_hex(2)}"


def side(data: Path, mark: str) -> Path:
    """The side copy's own ALUR_DATA."""
    return folder(data) / mark


def keep_status(data: Path, status: Status) -> None:
    """For the page that waits."""
    folder(data).mkdir(mode=0o700, exist_ok=True)
    path = folder(data) / f"{status.mark}.{STATUS}"
    write_aside(path, json.dumps(asdict(status)).encode())


def has_open_job(data: Path) -> bool:
    """Whether a backup is being opened now; a job that was killed is forgotten after a while."""
    since = utcnow() - JOB_GIVEN_UP
    return any(one.state == "opening" and one.at > since for one in all_sides(data))


def start_job(data: Path, url: URL, order: dict[str, Any]) -> str:
    """Have a process of its own open a backup; the mark by which its status is known.

    The order, and so the key in it, goes through a pipe and is nowhere else.
    """
    mark = order.get("mark") or new_mark()
    keep_status(data, Status(mark, "opening", name=order["name"], is_drill=order["is_drill"]))
    address = url.render_as_string(hide_password=False)
    job = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "open-backup"],
        cwd=_ROOT,
        env={**os.environ, "ALUR_DATA": str(data), "DATABASE_URL": address},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    job.stdin.write(json.dumps(order | {"mark": mark}).encode())
    job.stdin.close()
    return mark


def status_of(data: Path, mark: str) -> Status | None:
    """What is known of a side copy."""
    if not set(mark) <= set("0123456789abcdef-"):
        return None
    try:
        told = json.loads((folder(data) / f"{mark}.{STATUS}").read_text())
    except FileNotFoundError:
        return None
    manifest = told["manifest"] and Manifest(**told["manifest"])
    return Status(**{**told, "manifest": manifest})


def all_sides(data: Path) -> list[Status]:
    """Every side copy and set put aside, the newest first."""
    marks = [path.name.removesuffix(f".{STATUS}") for path in folder(data).glob(f"*.{STATUS}")]
    found = (status_of(data, mark) for mark in sorted(marks, reverse=True))
    return [one for one in found if one]


def open_side(data: Path, url: URL, mark: str, source: Path, secret: str, trust: Trust) -> Opened:
    """Check a backup, unpack it as a side copy and bring its schema up to date.

    Raises BackupProblem, and leaves nothing of it behind.
    """
    if url.get_backend_name() == "sqlite":
        _check_disk(data, Path(url.database))
    place = side(data, mark)
    opened = check(url, mark, place, source, secret, trust)
    try:
        prepare(place, side_url(url, place, mark))
    except BaseException:
        discard(url, mark, place)
        raise
    return opened


def check(url: URL, mark: str, place: Path, source: Path, secret: str, trust: Trust) -> Opened:
    """Check a backup by unpacking it there, as the clinic's engine does. Raises BackupProblem."""
    _check_engine(backup_manifest.read(source), url)
    opened = restore_reading.open_aside(source, place, secret, trust)
    if url.get_backend_name() == "sqlite":
        return opened
    try:
        return replace(opened, compared=restore_postgres.load(url, mark, place, opened.manifest))
    except BaseException:
        discard(url, mark, place)
        raise


def _check_disk(data: Path, database: Path) -> None:
    """A switch is a rename, which doesn't lead from one disk to another."""
    if os.stat(database.parent).st_dev != os.stat(data).st_dev:
        raise BackupProblem("DATABASE_URL ada di disk lain. Pindahkan basis data ke ALUR_DATA.")


def _check_engine(manifest: Manifest, url: URL) -> None:
    if manifest.engine != url.get_backend_name():
        names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        raise BackupProblem(
            f"Cadangan ini dari {names.get(manifest.engine, 'basis data lain')}, sedangkan server "
            f"ini memakai {names[url.get_backend_name()]}. Ubah DATABASE_URL dahulu."
        )


def side_url(url: URL, place: Path, mark: str) -> str:
    """The address of the side copy's database."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{place / 'db' / 'alur.db'}"
    side = url.set(database=restore_postgres.side_name(url, mark))
    return side.render_as_string(hide_password=False)


def prepare(place: Path, address: str) -> None:
    """Migrate a set, give it a new epoch and end its sessions, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "prepare-restored"],
        cwd=_ROOT,
        env={**os.environ, "ALUR_DATA": str(place), "DATABASE_URL": address},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PREPARE_SECONDS,
    )
    if done.returncode:
        write_aside(place / "prepare.log", done.stderr.encode())
        raise BackupProblem("Basis data cadangan gagal diperbarui ke versi ini.")


def prepare_set_aside(data: Path, url: URL, mark: str) -> None:
    """Bring a set that was put aside up to date for its use. Raises BackupProblem.

    One without an account never was a clinic: the next start would fill it as a new one.
    """
    place = side(data, mark)
    address = side_url(url, place, mark)
    prepare(place, address)
    driver = {"module": sqlite_driver} if url.get_backend_name() == "sqlite" else {}
    engine = create_engine(address, poolclass=NullPool, **driver)
    with engine.connect() as connection:
        if connection.scalar(select(User.id).limit(1)) is None:
            raise BackupProblem(WAS_EMPTY)


def discard(url: URL, mark: str, place: Path) -> None:
    """Remove a side copy that is not needed."""
    shutil.rmtree(place, ignore_errors=True)
    if url.get_backend_name() == "postgresql":
        restore_postgres.drop(url, restore_postgres.side_name(url, mark))


def forget(data: Path, mark: str) -> None:
    """Take a side copy off the list."""
    (folder(data) / f"{mark}.{STATUS}").unlink(missing_ok=True)


# --- The switch -----------------------------------------------------------------------------------


def ask_switch(data: Path, mark: str, *, by: str, reason: str, aside: str = "") -> None:
    """Have the set of this mark put in the place of the one in use, at the next start.

    A running server sees the request within a second or two and starts again. Who asked and why
    goes into the audit trail of the set that is used then.
    """
    request = {"mark": mark, "by": by, "reason": reason, "aside": aside or new_mark()}
    write_aside(folder(data) / REQUEST, json.dumps(request).encode())


def is_switch_asked(data: Path) -> bool:
    """Whether a switch waits to be carried out."""
    return (folder(data) / REQUEST).exists()


def apply_switch(data: Path, url: URL) -> dict[str, str] | None:
    """Carry a waiting switch out; what was asked, or None when nothing waits.

    Nothing may have the database open.
    """
    path = folder(data) / REQUEST
    if not path.exists():
        return None
    request = json.loads(path.read_text())
    mark, aside = request["mark"], side(data, request["aside"])
    place = side(data, mark)
    (aside / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    (aside / "db").mkdir(mode=0o700, exist_ok=True)
    if url.get_backend_name() == "sqlite":
        _swap_files(Path(url.database), place / "db" / "alur.db", aside / "db" / "alur.db")
    else:
        restore_postgres.swap(url, mark, request["aside"])
    _swap_key(data / "keys" / "audit.key", place, aside)
    newest = data / "db" / "newest.snapshot"  # of the other history
    if newest.exists():
        os.replace(newest, aside / "db" / newest.name)
    told = Status(request["aside"], "set_aside", name="Data sebelum pemulihan", by=request["by"])
    keep_status(data, told)
    (folder(data) / f"{mark}.{STATUS}").unlink(missing_ok=True)
    path.unlink()
    shutil.rmtree(place, ignore_errors=True)
    return request


def _swap_files(used: Path, side_copy: Path, aside: Path) -> None:
    """By rename, again and again the same: what was moved is not there any more."""
    if not side_copy.exists():
        return  # carried out already, up to the request's end
    if not aside.exists():
        for suffix in SUFFIXES:
            if Path(f"{used}{suffix}").exists():
                os.replace(f"{used}{suffix}", f"{aside}{suffix}")
        sync_folder(aside.parent)
    for suffix in SUFFIXES:
        if Path(f"{side_copy}{suffix}").exists():
            os.replace(f"{side_copy}{suffix}", f"{used}{suffix}")
    sync_folder(used.parent)


def _swap_key(used: Path, place: Path, aside: Path) -> None:
    new, old = place / "keys" / used.name, aside / "keys" / used.name
    if new.exists():
        if used.exists() and not old.exists():
            write_aside(old, used.read_bytes())
        os.replace(new, used)
    backup_keys.take_over(used.parent, place / "keys")
    sync_folder(used.parent)
