"""One instant of the whole database, as a file and a connection that reads it.

SQLite: VACUUM INTO, then the copy is opened. PostgreSQL: pg_dump of an exported snapshot, which a
connection goes on reading; the dump itself is proved by the drill, which restores it.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text

from clinic import backup_archive, backup_checks
from clinic.backup_manifest import BackupProblem, Manifest
from clinic.small_files import paced
from db import sqlite_driver

TOOL_SECONDS = 4 * 3600


@contextlib.contextmanager
def taken(engine: Engine, target: Path) -> Iterator[Connection]:
    """Write the database as it is now into this new file; a connection to what was written."""
    if engine.dialect.name == "sqlite":
        _vacuum(engine, target)
        with opened(target) as connection:
            yield connection
        return
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        schema = connection.scalar(text("SELECT current_schema()"))  # a clinic is one schema
        dump = ("--format=custom", "--compress=0", "--no-owner", "--no-privileges")
        dump += (f"--schema={schema}",)
        run_tool("pg_dump", engine.url, *dump, f"--snapshot={snapshot}", f"--file={target}")
        target.chmod(0o600)
        yield connection


def size(engine: Engine) -> int:
    """About how large a snapshot will be."""
    if engine.dialect.name == "sqlite":
        return Path(engine.url.database).stat().st_size
    with engine.connect() as connection:
        return connection.scalar(text("SELECT pg_database_size(current_database())"))


def _vacuum(engine: Engine, target: Path) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    # In no transaction.
    with contextlib.closing(engine.raw_connection()) as connection, paced(target):
        connection.cursor().execute("VACUUM INTO ?", (str(target),))


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Connection]:
    """A connection that only reads this SQLite file, and believes nothing that stands in it."""

    def connect():
        connection = sqlite_driver.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        return connection

    engine = create_engine("sqlite://", module=sqlite_driver, creator=connect, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def described(
    connection: Connection, database: Path, kind: str, at: datetime, before: Manifest | None
) -> Manifest:
    """The snapshot's manifest, with what is wrong with it; compared with the last one's."""
    problems = backup_checks.is_whole(connection)
    is_same = before and before.epoch == _setting(connection, "epoch")
    is_same = is_same and before.revision == _revision(connection)
    before = before if is_same else None  # another history, or other columns
    problems += backup_checks.trail_problems(connection, before, all_of_it=kind != "periodic")
    tables, changed = backup_checks.row_digests(connection, before)
    counts = "SELECT count(*), max(recorded_at) FROM visit"
    visits, newest = connection.execute(text(counts)).one()
    seq, trail = connection.execute(text(_TRAIL)).first() or (0, "")
    return Manifest(
        clinic=_setting(connection, "clinic_name") or "Puskesmas",
        clinic_ref=_setting(connection, "clinic_ref"),
        kind=kind,
        taken_at=at.isoformat(),
        engine=connection.dialect.name,
        revision=_revision(connection),
        epoch=_setting(connection, "epoch"),
        patients=connection.scalar(text("SELECT count(*) FROM patient")),
        visits=visits,
        newest_visit_at=_utc(newest),
        audit_seq=seq,
        audit_hash=trail,
        size=database.stat().st_size,
        sha256=backup_archive.digest_of(database),
        tables=tables,
        sample=backup_checks.sample(connection),
        problems=problems + changed,
    )


def _utc(moment: datetime | str | None) -> str:
    """As ISO text; SQLite tells a bare text, which is UTC."""
    if moment is None:
        return ""
    moment = datetime.fromisoformat(str(moment))
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).isoformat()


_TRAIL = "SELECT seq, hash FROM audit_entry ORDER BY seq DESC LIMIT 1"


def _setting(connection: Connection, key: str) -> str:
    found = connection.scalar(text("SELECT value FROM setting WHERE key = :key"), {"key": key})
    return str(found or "").strip('"')


def _revision(connection: Connection) -> str:
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


# --- PostgreSQL's own tools -----------------------------------------------------------------------


def run_tool(name: str, url: URL, *arguments: str) -> str:
    """Run pg_dump or pg_restore on this database; what it printed. Raises BackupProblem."""
    program = _tool(name)
    if program is None:
        raise BackupProblem(
            f"{name} belum terpasang. Pasang paket postgresql-client di server ini."
        )
    done = subprocess.run(  # noqa: S603
        [program, *arguments],
        env={**os.environ, **_address(url), "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TOOL_SECONDS,
    )
    if done.returncode:
        raise BackupProblem(
            f"{name} gagal: {(done.stderr.strip().splitlines() or ['?'])[-1][:200]}"
        )
    return done.stdout


def _tool(name: str) -> str | None:
    """Where this program is; Debian keeps it outside the PATH."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    return str(newest) if newest else shutil.which(name)


def _address(url: URL) -> dict[str, str]:
    """In the environment: a password must not stand in the list of processes."""
    parts = {
        "PGHOST": url.host or url.query.get("host"),
        "PGPORT": url.port or url.query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    return {name: str(value) for name, value in parts.items() if value}
