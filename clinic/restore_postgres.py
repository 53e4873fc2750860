"""Side copies on PostgreSQL: databases beside the clinic's, filled by pg_restore.

The clinic's own account makes them; it needs CREATEDB (`ALTER ROLE alur CREATEDB`).
"""

import contextlib
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from clinic import backup_snapshot, restore_reading
from clinic.backup_manifest import BackupProblem, Manifest
from db import Base

# What pg_restore may make, by the words of its list, and where the name of its table stands.
_TABLED = ("TABLE DATA", "TABLE", "DEFAULT", "CONSTRAINT", "FK CONSTRAINT", "TRIGGER")
_OTHERS = (
    "SCHEMA",
    "COMMENT",
    "SEQUENCE OWNED BY",
    "SEQUENCE SET",
    "SEQUENCE",
    "INDEX",
    "FUNCTION",
)
_FUNCTION = re.compile(r"CREATE FUNCTION (\w+)\(\)")
_LINE = re.compile(r"^\d+; \d+ \d+ ([A-Z][A-Z ]*[A-Z]) (\S+) (.+) \S+$")


def side_name(url: URL, mark: str) -> str:
    """The name of the side copy's database."""
    return f"{url.database[:40]}_{hashlib.sha256(mark.encode()).hexdigest()[:8]}"


@contextlib.contextmanager
def _server(url: URL) -> Iterator[Connection]:
    """A connection in no transaction."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")
    except DBAPIError as problem:
        told = str(problem.orig).splitlines()[0][:200]
        raise BackupProblem(f"PostgreSQL menolak: {told}") from problem
    finally:
        engine.dispose()


def _outside(url: URL) -> contextlib.AbstractContextManager[Connection]:
    """From where the clinic's own database may be renamed."""
    return _server(url.set(database="postgres"))


def load(url: URL, mark: str, place: Path, manifest: Manifest) -> int:
    """Fill a new side database from the dump that was unpacked there; patients compared."""
    dump = place / "db" / "alur.db"
    side = url.set(database=side_name(url, mark))
    _check_list(backup_snapshot.run_tool("pg_restore", url, "--list", str(dump)))
    try:
        make(url, side.database)
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        backup_snapshot.run_tool(
            "pg_restore", side, *options, f"--dbname={side.database}", str(dump)
        )
        dump.unlink()
        engine = create_engine(side, poolclass=NullPool)
        with engine.connect() as connection:
            return restore_reading.check_content(connection, manifest)
    except BaseException:
        drop(url, side.database)
        raise


def _check_list(told: str) -> None:
    """Only our tables and functions."""
    tables = set(Base.metadata.tables) | {"alembic_version"}
    functions = {
        name
        for path in restore_reading.MIGRATIONS.glob("*.py")
        for name in _FUNCTION.findall(path.read_text())
    }
    for line in told.splitlines():
        if not line or line.startswith(";"):
            continue
        found = _LINE.match(line)
        kind, name = (found[1], found[3]) if found else ("", line)
        is_ours = (
            (kind in _TABLED and name.split()[0] in tables)
            or (kind == "FUNCTION" and name.removesuffix("()") in functions)
            or (kind in _OTHERS and kind != "FUNCTION")
        )
        if not is_ours:
            raise BackupProblem("Di dalam cadangan itu ada benda yang bukan dari Alur.")


def make(url: URL, name: str) -> None:
    """A new side database, ready for a dump. Raises BackupProblem."""
    with _outside(url) as server:
        _drop(server, name)
        options = "TEMPLATE template0 ENCODING 'UTF8'"  # whatever the server's default is
        server.exec_driver_sql(f'CREATE DATABASE "{name}" {options}')
    with _server(url.set(database=name)) as server:
        server.exec_driver_sql("DROP SCHEMA public")  # the dump brings it


def drop(url: URL, name: str) -> None:
    """Remove a side database."""
    with _outside(url) as server:
        _drop(server, name)


def _drop(server: Connection, name: str) -> None:
    server.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}"')


def swap(url: URL, mark: str, aside: str) -> None:
    """Rename: the database in use goes aside, the side copy takes its name. May be repeated."""
    used, side, old = url.database, side_name(url, mark), side_name(url, aside)
    with _outside(url) as server:
        there = set(server.scalars(text("SELECT datname FROM pg_database")))
        if side not in there:
            return  # carried out already
        for name in (used, side):
            server.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = :name AND pid <> pg_backend_pid()"
                ),
                {"name": name},
            )
        if old not in there and used in there:
            server.exec_driver_sql(f'ALTER DATABASE "{used}" RENAME TO "{old}"')
        server.exec_driver_sql(f'ALTER DATABASE "{side}" RENAME TO "{used}"')
