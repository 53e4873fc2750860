"""A clinic to torment: on a disk and a database server of its own, with clerks who take notes."""

import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path

from flask import Flask

from app import create_app
from config import read_config
from db import db
from tests import postgres
from tests.browser import PATIENCE, LiveServer, children_of, until
from tests.clients import Browser, Crew, person, take_seat
from tests.databases import Database
from tests.folders import temporary_folder
from tests.test_clock_jumps import TurnedClock
from tests.torture import books, ledger, places

CLERKS = 4
MOST_PEOPLE = 3000  # in one storm
IS_BRIEF = os.environ.get("ALUR_TORTURE") == "brief"  # what CI has time for
STORM_SECONDS = float(os.environ.get("ALUR_STORM_SECONDS", "1.5" if IS_BRIEF else "6"))
SEES_EVERY = 0.1


def lay_data(databases, place: Path) -> None:
    """The demo clinic's staff and no patient (SQLite), and the keys of the audit trail."""
    shutil.copyfile(databases["sqlite"].template, place / "db" / "alur.db")
    for key in (databases.data / "keys").glob("*.key"):
        shutil.copy2(key, place / "keys")


class Clerks:
    """They register at this address, and each keeps a ledger."""

    def __init__(self, address: str, notes: Path, environ: dict[str, str]):
        self.notes, self.environ, self.serial = notes, environ, 1
        self.crew = Crew(address, CLERKS)

    @property
    def ledgers(self) -> list[Path]:
        return [self.notes / f"ledger-{number}" for number in range(CLERKS)]

    @contextmanager
    def storm(self):
        """The clerks register while the block runs; `outcomes` counts theirs afterwards."""
        self.crew.alike(take_seat)
        for path in self.notes.glob(f"*{ledger.TROUBLE}"):
            path.unlink()
        shares = []
        for path in self.ledgers:
            first = self.serial + len(shares)
            people = [person(n) for n in range(first, first + MOST_PEOPLE, CLERKS)]
            shares.append((people, str(path)))
        self.crew.start(ledger.register_until_told, shares)
        try:
            time.sleep(STORM_SECONDS / 3)
            yield
            time.sleep(STORM_SECONDS / 3)
        finally:
            self.crew.stop.set()
            by_clerk = self.crew.results()
            self.outcomes = sum(by_clerk, Counter())
            # Serials far apart make people who look alike, whom the desk must ask about.
            used = max(counted.total() - counted[ledger.NO_DRAFT] for counted in by_clerk)
            self.serial += CLERKS * (used + 1)

    def refuses(self) -> None:
        """Wait until something was not saved."""
        until(lambda: list(self.notes.glob(f"*{ledger.TROUBLE}")), "somebody notices it")

    def saves(self) -> None:
        """Wait until somebody was told that it is saved."""
        before = self._saved()
        until(lambda: self._saved() > before, "a save succeeds")

    def _saved(self) -> int:
        lines = sum((ledger.read(path) for path in self.ledgers), [])
        return sum(line["state"] == ledger.OK for line in lines)

    def settle(self) -> None:
        """What got no answer or a refusal is sent again, and is then there once."""
        shares = [
            ([line for line in ledger.read(path) if line["state"] != ledger.OK],)
            for path in self.ledgers
        ]
        for path, lines in zip(self.ledgers, self.crew.each(ledger.settle, shares), strict=True):
            settled = {line["draft"]: line for line in lines}
            unsettled = [line for line in lines if line["state"] != ledger.OK]
            assert not unsettled, Counter(str(line.get("status")) for line in unsettled)
            whole = [settled.get(line["draft"], line) for line in ledger.read(path)]
            path.write_text("".join(ledger.json.dumps(line) + "\n" for line in whole))

    def prove(self) -> str:
        """It has resumed by itself, and the ledgers agree with the database."""
        with self.storm():
            self.saves()
        self.check()  # what was refused is not there, what is unknown at most once
        self.settle()
        return self.check()

    @cached_property
    def app(self) -> Flask:
        return create_app(read_config(self.environ))

    def check(self) -> str:
        """The ledgers against the database, which goes on running."""
        with self.app.app_context():
            found = books.check(sum((ledger.read(path) for path in self.ledgers), []))
            db.session.remove()
            db.engine.dispose()
        return found


class Clinic(Clerks):
    """A clinic without patients, at whose disk, database and processes one can get."""

    def __init__(self, databases, kind: str):
        with ExitStack() as self.ends:  # also when it does not come so far
            self._set_up(databases, kind)
            self.ends = self.ends.pop_all()

    def _set_up(self, databases, kind: str) -> None:
        notes = temporary_folder(Path(tempfile.gettempdir()))
        self.ends.callback(shutil.rmtree, notes, ignore_errors=True)
        notes.chmod(0o711)  # PostgreSQL's account goes through
        self.disk = places.disk(notes)
        self.ends.callback(self.disk.remove)
        environ, self.postgres, self.clock = {}, None, None
        self.place = self.disk.place / "data"
        for name in ("db", "keys"):
            (self.place / name).mkdir(mode=0o700, parents=True)
        if kind == "postgresql":
            self.postgres = postgres.Server(self.disk.place / "postgres", ())
            self.ends.callback(self.postgres.stop)
            self.postgres.run("CREATE DATABASE alur")
            environ["DATABASE_URL"] = self.postgres.url("alur")
            Database(databases.data, environ["DATABASE_URL"]).close()
        lay_data(databases, self.place)
        os.sync()  # all this has been there for years
        if kind == "turned":
            self.clock = TurnedClock(notes)
            environ |= self.clock.environ
        self.server = LiveServer(ALUR_DATA=str(self.place), ALUR_DEMO="0", **environ)
        self.ends.callback(self.server.remove)
        super().__init__(self.server.address, notes, self.server.environ)
        self.ends.callback(self.crew.__exit__)
        self.staff = Browser(self.server.address).log_in("loket")

    @property
    def web(self) -> list[int]:
        """The processes that answer."""
        top = next(iter(children_of(self.server.process.pid)), 0)
        return [pid for pid, name in children_of(top).items() if name == "alur-web"]

    def sees(self, *sentences: str) -> str:
        """Look at a page until one of these stands there; which one."""

        def seen() -> str:
            page = self.staff.get("/bantuan?otomatis=1").text  # writes nothing
            time.sleep(SEES_EVERY)
            return next((sentence for sentence in sentences if sentence in page), "")

        return until(seen, f"a page says one of {sentences}")

    def crash(self) -> None:
        """All processes of the server end at once, who would start others anew first."""
        begun = [self.server.process.pid]
        for pid in begun:
            begun += children_of(pid)
            os.kill(pid, signal.SIGKILL)
        self.server.process.wait()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in begun), "all have ended")

    def power_returns(self) -> None:
        """After `disk.cut_power`: the computer starts again."""
        processes = [self.server.process, *([self.postgres.process] if self.postgres else [])]
        for process in processes:
            process.kill()
            process.wait()
        until(self._is_unmounted, "nobody holds the disk any more")
        self.disk.mount()
        if self.postgres:
            self.postgres.start()
        self.server.start()

    def _is_unmounted(self) -> bool:
        with suppress(OSError):
            self.disk.unmount()
            return True
        return False

    def postgres_ends(self, how: signal.Signals) -> None:
        """It, and what it has begun; then it can be started again."""
        others = children_of(self.postgres.process.pid)
        self.postgres.process.send_signal(how)
        self.postgres.process.wait(PATIENCE)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in others), "all have ended")

    def close(self) -> None:
        self.ends.close()
