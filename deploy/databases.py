"""A copy of the database before an upgrade, and its return. A program of its own, so that it runs
with the new release's packages and as the account that owns the data:

    python deploy/databases.py take|put-back|entries|beside|drop-beside FILE

For SQLite and PostgreSQL. `make_copy` is what an upgrade calls a backup; the clinic's backups
(encrypted, with copies elsewhere) go on beside it.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlalchemy import URL, NullPool, create_engine, make_url, text  # noqa: E402
from sqlalchemy.exc import DBAPIError  # noqa: E402

from clinic import restore_postgres  # noqa: E402
from clinic.backup_making import newest_path  # noqa: E402
from clinic.backup_manifest import BackupProblem  # noqa: E402
from config import read_config  # noqa: E402
from db import sqlite_driver  # noqa: E402


def _put_back_schema(url: URL, source: Path) -> None:
    """`pg_restore --clean` would stumble over the tables that only the newer release has."""
    engine = create_engine(url, poolclass=NullPool)

    def rename(old: str, new: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(f'ALTER SCHEMA "{old}" RENAME TO "{new}"')

    with engine.connect() as connection:
        schema = connection.scalar(text("SELECT current_schema()"))
    aside = f"{schema}_{time.strftime('%Y%m%d_%H%M%S')}"
    if schema:  # else a killed try has moved it
        rename(schema, aside)
    try:
        _postgres("pg_restore", url, "--single-transaction", str(source))
    except subprocess.CalledProcessError:
        if schema:
            rename(aside, schema)
        raise


BESIDE = "upgrade"  # of the database for a rehearsal


def make_copy(url: URL, target: Path) -> None:
    """All that is stored, checked, in a file that is there whole or not at all."""
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    if url.drivername.startswith("sqlite"):
        with contextlib.closing(sqlite_driver.connect(url.database, timeout=60)) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
        _check(part)
    else:
        with create_engine(
            url, poolclass=NullPool
        ).connect() as connection:  # one clinic is one schema
            schema = connection.scalar(text("SELECT current_schema()"))
        _postgres("pg_dump", url, "--format=custom", f"--schema={schema}", f"--file={part}")
    part.chmod(0o600)
    _sync(part)
    part.replace(target)
    _sync(target.parent)


def _check(path: Path) -> None:
    with contextlib.closing(sqlite_driver.connect(path)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    if found != [("ok",)] or orphans:
        raise SystemExit("Salinan basis data tidak utuh; pembaruan tidak dijalankan.")


def put_back(url: URL, source: Path) -> None:
    """The database as it was in this copy; may be repeated. What stands there now is kept aside."""
    if not url.drivername.startswith("sqlite"):
        _put_back_schema(url, source)
        return
    place = Path(url.database)
    fresh = place.with_name(f"{place.name}.back")
    shutil.copyfile(source, fresh)
    fresh.chmod(0o600)
    _sync(fresh)
    aside = f"{place.name}.upgrade-{time.strftime('%Y%m%d-%H%M%S')}"
    for suffix in ("", "-wal", "-shm"):  # an old log beside the copy would spoil it
        found = place.with_name(place.name + suffix)
        if found.exists():
            found.rename(place.with_name(aside + suffix))
    fresh.replace(place)
    _sync(place.parent)


def set_aside_newer(snapshot: Path, source: Path) -> None:
    """A backup's snapshot that knows entries which went with the database: it would doubt all."""
    if snapshot.exists() and snapshot.stat().st_mtime > source.stat().st_mtime:
        snapshot.rename(snapshot.with_name(f"{snapshot.name}.upgrade"))
        _sync(snapshot.parent)


def make_beside(url: URL, source: Path, folder: Path) -> str:
    """The address of a database beside the clinic's, filled from this copy, to try a migration on.

    SQLite's is in this folder. Empty, and on stderr why, where PostgreSQL does not let us.
    """
    if url.drivername.startswith("sqlite"):
        place = folder / "alur.db"
        shutil.copyfile(source, place)
        return f"sqlite:///{place}"
    side = url.set(database=restore_postgres.side_name(url, BESIDE))
    try:
        restore_postgres.make(url, side.database)
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        _postgres("pg_restore", side, *options, str(source))
        entries(side)  # it is found as the clinic's is
    except (BackupProblem, DBAPIError, subprocess.CalledProcessError) as problem:
        told = str(problem).splitlines()[0]
        print(f"Tidak ada basis data samping: {told}", file=sys.stderr)
        return ""
    return side.render_as_string(hide_password=False)


def drop_beside(url: URL) -> None:
    """The database for the rehearsal is not needed any more."""
    if not url.drivername.startswith("sqlite"):
        with contextlib.suppress(BackupProblem):
            restore_postgres.drop(url, restore_postgres.side_name(url, BESIDE))


def entries(url: URL) -> int:
    """How many saves the audit trail knows: did anybody save since?"""
    options = {"module": sqlite_driver} if url.drivername.startswith("sqlite") else {}
    engine = create_engine(url, poolclass=NullPool, **options)
    with engine.connect() as connection:
        return connection.scalar(text("SELECT value FROM counter WHERE name = 'audit'")) or 0


def _postgres(tool: str, url: URL, *options: str) -> None:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    # In the environment: a command line can be read by every account of the machine.
    environ = {**os.environ, "PGPASSWORD": url.password or ""}
    address = make_url(address).set(password=None).render_as_string()
    subprocess.run([tool, f"--dbname={address}", *options], check=True, env=environ)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    what, file = sys.argv[1], Path(sys.argv[2])
    config = read_config()
    address = make_url(config.database_url)
    steps = {
        "take": lambda: make_copy(address, file),
        "put-back": lambda: (
            put_back(address, file),
            set_aside_newer(newest_path(config.data), file),
        ),
        "entries": lambda: print(entries(address)),
        "beside": lambda: print(make_beside(address, file, config.tmp / BESIDE / "db")),
        "drop-beside": lambda: drop_beside(address),
    }
    steps[what]()
