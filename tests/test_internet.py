"""When the internet was there: tries on loopback, outages, and what nobody measured."""

import socket
import threading
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from clinic import internet, reachability, settings, worker
from clinic.status_check import State
from db import db, transaction, utcnow
from models import InternetSpan
from tests.postgres import free_port

ZONE, TARGET = ZoneInfo("Asia/Makassar"), "127.0.0.1:9"
DAY = date(2026, 3, 4)
MINUTE = timedelta(minutes=1)


def clock(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE)


def tries(began_at: datetime, answers: str, target: str = TARGET) -> datetime:
    """A try a minute, `+` or `-`; returns the instant of the last."""
    for number, answer in enumerate(answers):
        at = began_at + number * MINUTE
        with transaction():
            internet.keep(at, target, answer == "+")
    return at


def spans() -> list[tuple[bool, int]]:
    """Each span's state and whole minutes, as they were begun."""
    rows = db.session.scalars(select(InternetSpan).order_by(InternetSpan.id))
    return [(row.is_there, (row.ended_at - row.began_at) // MINUTE) for row in rows]


def minutes(day: date = DAY) -> tuple[float, float, int]:
    known, out, outages = internet.measured(day, day).between(day, day)
    return known / 60, out / 60, outages


# --- One try ------------------------------------------------------------------------------------


def test_a_port_that_listens_and_one_that_does_not():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert reachability.is_reachable(f"127.0.0.1:{port}")
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            assert connection.recv(1) == b"", "nothing is sent"
    assert not reachability.is_reachable(f"127.0.0.1:{free_port()}")
    assert not reachability.is_reachable(f"{'a' * 70}.:80"), "no name at all"


def test_a_name_that_never_resolves_holds_nothing_up(monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(60) and [])
    assert not reachability.is_reachable("mana.invalid:443", patience=0.05)
    ended.set()


# --- A chain of spans ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ("+++", [(True, 2)]),
        ("++-++", [(True, 4)]),  # one lost packet is none
        ("+-+-+", [(True, 4)]),
        ("++--++", [(True, 2), (False, 2), (True, 1)]),
        ("--", [(True, 0), (False, 1)]),
        ("-+", [(True, 1)]),
    ],
)
def test_two_failed_tries_begin_an_outage(app, answers, found):
    tries(clock(8), answers)
    assert spans() == found


def test_an_outage_in_minutes_by_hour(app):
    tries(clock(8, 50), "+" * 5 + "-" * 10 + "+" * 6)  # 08.55 to 09.05
    assert minutes() == (20, 10, 1)
    assert internet.measured(DAY, DAY).by_hour(DAY, DAY) == [(8, 600, 300), (9, 600, 300)]


def test_what_nobody_measured_is_neither_there_nor_out(app):
    tries(tries(clock(8), "+-----") + timedelta(hours=2), "---++")  # the server was off meanwhile
    assert minutes() == (9, 7, 2)


def test_another_address_begins_anew(app):
    tries(tries(clock(8), "+++") + MINUTE, "+++", target="127.0.0.1:8")
    assert spans() == [(True, 2), (True, 2)]


def test_a_clock_that_went_back_counts_no_minute_twice(app):
    tries(clock(8), "+" * 11)
    tries(clock(8, 5), "-" * 11)  # until 08.15
    assert minutes() == (15, 5, 1)


def test_midnight_parts_an_outage(app):
    tries(clock(23, 50), "+" * 5 + "-" * 10 + "+")
    assert minutes() == (10, 5, 1)
    assert minutes(DAY + timedelta(days=1)) == (5, 5, 0)


# --- The worker and the pages -------------------------------------------------------------------


def aim(target: str) -> None:
    with transaction():
        settings.set_value("internet_target", target)


def test_without_an_address_nothing_is_tried(app, sign_in):
    worker.try_internet()
    assert spans() == []
    assert internet.check(utcnow()).figures == "tidak diukur"
    assert "Tidak diukur" in sign_in("ti").get("/statistik").get_data(as_text=True)


def test_the_worker_keeps_what_it_finds(app):
    with socket.create_server(("127.0.0.1", 0)) as server:
        aim(f"127.0.0.1:{server.getsockname()[1]}")
        worker.try_internet()
        assert internet.check(utcnow()).figures.startswith("ada sejak")
    worker.try_internet()
    worker.try_internet()
    found = internet.check(utcnow())
    assert (found.state, found.figures[:11]) == (State.WATCH, "putus sejak")
    assert internet.check(utcnow() + timedelta(hours=1)).figures == "belum diukur"


def test_pages_and_file(app, sign_in):
    aim(TARGET)
    tries(clock(8, 50), "+" * 5 + "-" * 10 + "+" * 6)
    client, asked = sign_in("kepala"), f"per=hari&sampai={DAY:%d-%m-%Y}"
    page = client.get(f"/statistik?{asked}").get_data(as_text=True)
    assert "09.00 – 09.59" in page
    assert TARGET in page
    file = client.get(f"/statistik/internet.csv?{asked}")
    lines = file.get_data(as_text=True).removeprefix("\ufeff").splitlines()
    assert lines[1:] == ["2026-03-04;08.00;600;300", "2026-03-04;09.00;600;300"]
    assert file.mimetype == "text/csv"
    assert sign_in("loket").get("/statistik/internet.csv").status_code == 403
    assert "Internet" in client.get("/sistem").get_data(as_text=True)


@pytest.mark.parametrize(
    "typed", ["example.org", "http://x:80", "x:0", "x:70000", "x y:80", ":443"]
)
def test_an_address_that_can_not_be_tried(typed):
    with pytest.raises(settings.SettingError):
        settings.parse("internet_target", typed)
