"""The database object, SQLite's settings and the one place that writes: `transaction()`.

Imports only what imports none of our modules, so that every module may import it.
"""

import contextlib
import fcntl
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import CursorResult, DateTime, Engine, Executable, MetaData, Select, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator
from uuid6 import uuid7

import new_rows
import timekeeping

try:  # bundles a SQLite without the WAL-reset bug; no wheel on some processors
    from pysqlite3 import dbapi2 as sqlite_driver
except ImportError:
    import sqlite3 as sqlite_driver

# SQLite 3.7.0 to 3.51.2 can corrupt a WAL database when a checkpoint and a commit race.
WAL_SAFE_SQLITE = (3, 51, 3)
SQLITE_IS_WAL_SAFE = sqlite_driver.sqlite_version_info >= WAL_SAFE_SQLITE

# Longer than gunicorn's worker timeout: a stuck worker is killed before others give up.
BUSY_TIMEOUT_MS = 15_000


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
Row = TypeVar("Row", bound=Base)


def run(statement: Executable, values: Any = None) -> CursorResult:
    """A statement of plain values, built once, straight on the transaction's connection.

    25 microseconds, where the session's own way to it takes 65. It flushes nothing before.
    """
    return db.session().connection().execute(statement, values)


def add_row(row: Row) -> Row:
    """Add a row and flush, so that it has its id."""
    session = db.session()
    if not new_rows.store(session, row):
        session.add(row)
        session.flush()
    return row


def grouped(rows: Select, column: str) -> defaultdict[Any, list]:
    """What the statement finds by the value of one column, in its order; [] where there is none."""
    found: defaultdict[Any, list] = defaultdict(list)
    for row in db.session.scalars(rows):
        found[getattr(row, column)].append(row)
    return found


class UtcDateTime(TypeDecorator):
    """An instant. Stored as UTC, always read back with its time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect):
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect):
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utcnow() -> datetime:
    """The clinic's time: the computer's, unless that jumped or was corrected."""
    return timekeeping.now()


def new_public_id() -> str:
    """An opaque id for URLs and exchange; sorts by time, so its index grows at one end."""
    return str(uuid7())


# A compiled statement keeps 100 KB, and every desk's pages have 374. At most half more than so
# many stay (500 by default): the usual work of the desks has 152, and compiles none anew.
STATEMENTS_KEPT = 128


def engine_options(url: str) -> dict:
    """Options of `create_engine` for this database address."""
    # The same few, whose caches are warm. Fewer save no memory: more are opened and closed then.
    pool = {"pool_size": 10, "pool_use_lifo": True}
    pool["query_cache_size"] = STATEMENTS_KEPT
    if url.startswith("sqlite"):
        # Of its statements a connection keeps 128 by default: 1 MB more, and no faster.
        connect = {"timeout": 15, "cached_statements": 32}
        return {"module": sqlite_driver, "connect_args": connect, **pool}
    return {"pool_pre_ping": True, **pool}


@event.listens_for(Engine, "do_connect")
def _make_none_anew(dialect, _record, arguments, _options) -> None:
    """Where a database has been, SQLite must not put an empty one in the place of a lost one."""
    path = arguments[0] if dialect.name == "sqlite" and arguments else ""
    if os.path.exists(_writers_file(path)) and not os.path.exists(path):
        raise sqlite_driver.OperationalError(f"unable to open database file: {path} is gone")


def _writers_file(database: str) -> str:
    return f"{database}.writer"


def _file_of(path: str) -> tuple[int, int]:
    """Which file stands there now, by device and number; (0, 0) when there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


@event.listens_for(Engine, "connect")
def _set_pragmas(connection, record) -> None:
    if not isinstance(connection, sqlite_driver.Connection):
        _assume_memory(connection)
        return
    connection.isolation_level = None  # the driver's own BEGIN is deferred and loses updates
    pragmas = [
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",  # NORMAL loses acknowledged saves at a power cut
        "foreign_keys=ON",
        "recursive_triggers=ON",  # else INSERT OR REPLACE passes the audit table's triggers
        "trusted_schema=OFF",
        "cache_size=-200",  # KiB of each connection; the system's own cache is behind it
    ]
    if not SQLITE_IS_WAL_SAFE:
        pragmas.append("wal_autocheckpoint=0")  # only the worker checkpoints then
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    place = connection.execute("PRAGMA database_list").fetchone()[2]
    record.info["file"] = place, _file_of(place)


def _assume_memory(connection) -> None:
    """A clinic's database fits in memory; PostgreSQL's default is the cost of a spinning disk.

    With that it reads a table of 100,000 rows whole rather than look 500 of one patient up.
    """
    connection.autocommit = True  # else the pool's rollback takes the setting back
    connection.execute("SET random_page_cost = 1.1")
    connection.autocommit = False


@event.listens_for(Engine, "begin")
def _begin(connection) -> None:
    if connection.dialect.name == "sqlite":
        _refuse_lost_file(connection)
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")


def _refuse_lost_file(connection) -> None:
    """Of a file that was removed or replaced, SQLite goes on using what is nowhere any more."""
    place, file = connection.info["file"]
    if place and _file_of(place) != file:
        connection.invalidate()
        lost = sqlite_driver.OperationalError(f"unable to open database file: {place} is gone")
        raise OperationalError("BEGIN", {}, lost)


_lock_files = threading.local()


@contextlib.contextmanager
def _writers_turn(engine: Engine) -> Iterator[None]:
    """Let the writers of all processes wait in line.

    SQLite's own busy wait sleeps in growing steps: with 8 writers its p99 is seven times higher.
    On PostgreSQL an advisory lock does the same (see `transaction`).
    """
    if engine.dialect.name != "sqlite" or not engine.url.database:
        yield
        return
    path = _writers_file(engine.url.database)
    # Kept open for each thread: flock is held by the open file, so threads exclude each other too.
    key = (os.getpid(), path)
    if getattr(_lock_files, "key", None) != key:
        _lock_files.file = open(path, "a")  # noqa: SIM115
        _lock_files.key = key
    fcntl.flock(_lock_files.file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(_lock_files.file, fcntl.LOCK_UN)


def _begin_writing(session: Session) -> None:
    connection = session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
    if connection.dialect.name == "postgresql":
        # One clinic is one schema. Writers in line mean the same rules on both engines, and no
        # deadlock between the rows of a queue and the head of the audit chain.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext(current_schema()))")


_writing_since: dict[int, float] = {}  # by thread


def oldest_write() -> float:
    """For how many seconds this process has been trying to write; 0 when it is not."""
    return max((time.monotonic() - began for began in list(_writing_since.values())), default=0.0)


@contextlib.contextmanager
def _counted() -> Iterator[None]:
    _writing_since[threading.get_ident()] = time.monotonic()
    try:
        yield
    finally:
        del _writing_since[threading.get_ident()]


@contextlib.contextmanager
def transaction() -> Iterator[Session]:
    """The only scope that writes: all of it is stored, or nothing.

    Opened by POST views, commands and the worker, never by `clinic`. It ends the read that the
    login check began (objects are read again when used) and refuses to nest.
    """
    session = db.session()
    if session.info.get("is_writing"):
        raise RuntimeError("transaction() does not nest: let the edge open it once")
    session.rollback()
    with _counted(), _writers_turn(db.engine):
        session.info.update(is_writing=True, commit="")
        try:
            _begin_writing(session)
            yield session
            session.flush()
            session.info["commit"] = "begun"  # what it came to, faults.py may have to guess
            session.commit()
            session.info["commit"] = "done"
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info["is_writing"] = False
