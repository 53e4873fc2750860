"""One prepared database per engine and run; each test gets its own copy of it.

A test that wrote nothing leaves its copy to the next one.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import Table, event

import cli
import db as db_module
from app import create_app
from clinic import clock, demo, reference, routing, settings
from config import Config
from db import Base, db, transaction
from tests import postgres
from tests.folders import temporary_folder

MIGRATIONS = Path(__file__).parent.parent / "migrations" / "versions"
# The parameters stand in the hash itself, so that logging in is cheap too.
CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(cli.DEMO_PASSWORD)


def prepare(app: Flask) -> None:
    """Tables, reference data and the demo clinic's staff (no patients)."""
    with app.app_context():
        if any(MIGRATIONS.glob("*.py")):
            cli.prepare_database()
        else:
            db.create_all()
            with transaction():
                reference.seed()
                settings.set_value("epoch", settings.new_epoch())
        clock.judge()
        with transaction():
            demo.create_staff(CHEAP_HASH)
        db.engine.dispose()


class Database:
    """The application on one engine, and how its database becomes fresh again."""

    def __init__(self, data: Path, url: str):
        # A test process opens every desk's pages again and again: a tenth of its time.
        db_module.STATEMENTS_KEPT = 1000
        self.app = create_app(Config("127.0.0.1", 8000, data, url, wants_demo=False, hosts=()))
        prepare(self.app)
        self.is_dirty = True
        with self.app.app_context():
            routing.forget()
            routing.load()
            self.routing = dict(routing._loaded)
            db.session.remove()
            event.listen(db.engine, "commit", self._note_commit)

    def _note_commit(self, _connection) -> None:
        self.is_dirty = True

    def fresh(self) -> Flask:
        if self.is_dirty:
            self.copy()
            # An old version may come again.
            self.app.extensions.pop("drawn_queues", None)
            routing.forget()
            routing._loaded.update(self.routing)
            self.is_dirty = False
        return self.app

    def close(self) -> None:
        with self.app.app_context():
            db.engine.dispose()


class Sqlite(Database):
    name = "sqlite"

    def __init__(self, data: Path):
        self.file = data / "db" / "alur.db"
        self.template = data / "template.db"
        super().__init__(data, f"sqlite:///{self.file}")
        self._remove_log()
        self.file.rename(self.template)

    def _remove_log(self) -> None:
        for suffix in ("-wal", "-shm"):
            self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)

    def copy(self) -> None:
        with self.app.app_context():
            db.engine.dispose()  # of the file that was there before
        self._remove_log()
        shutil.copyfile(self.template, self.file)


class Postgresql(Database):
    """Each changed table is restored from a second schema: a new database a test took 0.7 s."""

    name = "postgresql"
    # Large, and changed by no test.
    KEPT = {"icd10_term"}

    def __init__(self, data: Path):
        self.server = postgres.Server()
        self.server.run("CREATE DATABASE alur")
        super().__init__(data, self.server.url("alur"))
        tables = [t for t in Base.metadata.sorted_tables if t.name not in self.KEPT]
        self._run(
            "CREATE SCHEMA pristine",
            "CREATE TABLE pristine.written (name text PRIMARY KEY, by xid NOT NULL)",
            *(f"CREATE TABLE pristine.{t.name} AS TABLE public.{t.name}" for t in tables),
            *(f"INSERT INTO pristine.written VALUES ('{t.name}', '0')" for t in tables),  # noqa: S608
        )
        # One session and one function: what was parsed and planned once serves every test.
        self.connect()
        body = "".join(self._restoring(table) for table in tables)
        self.restorer.execute(
            f"CREATE PROCEDURE pristine.restore() LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        )

    def connect(self) -> None:
        self.restorer = psycopg.connect(self._address(), autocommit=True)
        # A replica's session checks no foreign keys and fires no triggers.
        self.restorer.execute("SET session_replication_role = replica")

    def _restoring(self, table: Table) -> str:
        """It is as it was when it has as many rows, and all from the transaction that wrote it."""
        name = table.name
        kept, lost = f"pristine.{name}", f"public.{name}"
        (count,) = self.restorer.execute(f"SELECT count(*) FROM {kept}").fetchone()  # noqa: S608
        changed = f"(SELECT count(*) FROM {lost}) <> {count}"  # noqa: S608
        if count:
            by = f"(SELECT by FROM pristine.written WHERE name = '{name}')"  # noqa: S608
            changed += f" OR EXISTS (SELECT FROM {lost} WHERE xmin <> {by})"
        sql = f"IF {changed} THEN DELETE FROM {lost}; INSERT INTO {lost} SELECT * FROM {kept};"  # noqa: S608
        sql += "UPDATE pristine.written SET by = pg_current_xact_id()::xid"
        sql += f" WHERE name = '{name}'; END IF;"
        if "id" in table.columns:
            last = f"SELECT coalesce(max(id), 0) + 1 FROM {kept}"  # noqa: S608
            (after,) = self.restorer.execute(last).fetchone()
            sql += f"PERFORM setval('public.{name}_id_seq', {after}, false);"
        return sql

    def _address(self) -> str:
        return self.server.url("alur").replace("+psycopg", "")

    def _run(self, *statements: str) -> None:
        with psycopg.connect(self._address()) as connection:
            connection.execute("; ".join(statements))

    def copy(self) -> None:
        self.restorer.execute("CALL pristine.restore()")

    def close(self) -> None:
        super().close()
        self.restorer.close()
        self.server.stop()


ENGINES = {"sqlite": Sqlite, "postgresql": Postgresql}


class Databases:
    """The engines of this run, each prepared when it is first asked for."""

    def __init__(self) -> None:
        # One data folder for all: the audit key of the process is that folder's.
        self.data = temporary_folder()
        self._prepared: dict[str, Database] = {}

    def __getitem__(self, name: str) -> Database:
        if name not in self._prepared:
            self._prepared[name] = ENGINES[name](self.data)
        return self._prepared[name]

    def close(self) -> None:
        for database in self._prepared.values():
            database.close()
        shutil.rmtree(self.data, ignore_errors=True)


NO_QUERY = ("BEGIN", "SAVEPOINT", "RELEASE", "PRAGMA", "ROLLBACK", "COMMIT", "--")


@contextlib.contextmanager
def count_queries() -> Iterator[list[str]]:
    """The SQL statements that run inside, in order; beginnings and pragmas don't count.

    Heard at the driver, so that those which pass SQLAlchemy by are counted too.
    """
    statements: list[str] = []
    is_over = False

    def note(statement: object) -> None:
        text = str(statement).strip()
        # A connection that is still in use when it is over goes on telling.
        if not is_over and not text.startswith(NO_QUERY):
            statements.append(text)

    class Heard(psycopg.Cursor):
        def execute(self, query, *rest, **options):
            note(query)
            return super().execute(query, *rest, **options)

    def listen(connection, *_rest) -> None:
        if isinstance(connection, psycopg.Connection):
            connection.cursor_factory = Heard
        else:
            connection.set_trace_callback(note)

    def leave(connection, *_rest) -> None:
        if isinstance(connection, psycopg.Connection):
            connection.cursor_factory = psycopg.Cursor
        elif connection is not None:
            connection.set_trace_callback(None)

    pool = db.engine.pool
    event.listen(pool, "checkout", listen)
    event.listen(pool, "checkin", leave)
    if db.session().in_transaction():  # its connection was taken before
        listen(db.session.connection().connection.driver_connection)
    try:
        yield statements
    finally:
        is_over = True
        event.remove(pool, "checkout", listen)
        event.remove(pool, "checkin", leave)
