"""`make run` on a computer whose clock jumps: real processes, and a library between them and it."""

import importlib.util
import platform
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from clinic import audit, clock
from db import Base, UtcDateTime, db
from models import AuditEntry, ServiceDay, WorkerBeat
from tests import clients
from tests.browser import LiveServer, until

LIBRARY = importlib.util.find_spec("libfaketime")  # its package holds one for this processor only
pytestmark = [
    pytest.mark.engines("sqlite"),
    pytest.mark.skipif(
        not LIBRARY or platform.machine() != "x86_64", reason="libfaketime is not installed"
    ),
]
DAY = 24 * 3600


class TurnedClock:
    """What the server's processes take for the time: so many seconds from the true one."""

    def __init__(self, folder: Path):
        library = Path(LIBRARY.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
        self._file = folder / "clock"
        self.turn(0)
        self.environ = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def turn(self, seconds: int) -> None:
        aside = self._file.with_suffix(".new")
        aside.write_text(f"{seconds:+d}\n")
        aside.rename(self._file)


@pytest.fixture
def turned(tmp_path):
    return TurnedClock(tmp_path)


@pytest.fixture
def server(app, turned):
    config = app.config["ALUR"]
    server = LiveServer(
        ALUR_DATA=str(config.data),
        DATABASE_URL=config.database_url,
        ALUR_WEB_PROCESSES="2",
        **turned.environ,
    )
    yield server
    if server.process.poll() is None:
        server.stop()


def statuses(clerk: clients.Browser) -> set[int]:
    """What several new connections get: more than one process answers."""
    tabs = [clerk.tab() for _ in range(8)]
    found = {tab.get("/pendaftaran").status for tab in tabs}
    for tab in tabs:
        tab.close()
    return found


def mend(clerk: clients.Browser) -> None:
    now = datetime.now(UTC) + timedelta(hours=8)
    typed = {"date": f"{now:%d-%m-%Y}", "time": f"{now:%H.%M}", "salah": "1"}
    clerk.post("/sistem/jam", typed).expect(303)


def test_the_day_goes_on_through_every_jump(app, server, turned):
    began = datetime.now(UTC)
    clerk = clients.Browser(server.address).log_in("loket")
    serials = iter(range(1, 20))
    tickets = []

    def register() -> None:
        tickets.append(clients.register(clerk, clients.person(next(serials))))

    def mark() -> WorkerBeat | None:
        db.session.rollback()
        return db.session.get(WorkerBeat, clock.NAME, populate_existing=True)

    until(mark, "the worker's first beat")
    register()
    for jump in (-DAY, DAY):
        turned.turn(jump)
        assert statuses(clerk) == {503}
        turned.turn(0)
        assert statuses(clerk) == {200}
        register()
    turned.turn(DAY)
    assert statuses(clerk) == {503}
    mend(clerk)
    assert statuses(clerk) == {200}, "one was told, and all processes know"
    register()
    server.stop()

    turned.turn(-int(time.time()) + 600)  # 1970; same boot, so what was corrected is known
    server.start()
    until(lambda: any("komputer ini tampaknya salah" in line for line in server.lines), "a notice")
    clerk = clients.Browser(server.address).log_in("loket")
    assert statuses(clerk) == {503}
    mend(clerk)
    register()
    turned.turn(0)
    register()
    until(lambda: '"offset": 0.0' in mark().note, "the worker has noted that the clock is right")
    server.stop(9)

    assert [ticket.label for ticket in tickets] == [f"U{n:03}" for n in range(1, 7)]
    db.session.rollback()
    assert db.session.scalar(select(func.count(ServiceDay.id))) == 1
    assert audit.broken_link() is None
    found = list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))
    assert found.count("set_clock") == 2
    assert found.count("clock_restored") == 1
    assert wrong_dates(began) == []


def wrong_dates(began: datetime) -> list[str]:
    """Instants in any table that nobody's watch has shown."""
    earliest, latest = began - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=13)
    return [
        f"{column}: {at}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, UtcDateTime)
        for at in db.session.scalars(select(column).where(column.is_not(None)))
        if not earliest < at < latest
    ]
