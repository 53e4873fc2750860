"""The waiting-room board: numbers and rooms only, inside the clinic's networks."""

import re

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from clinic import queue_watch, queues, settings, storage_faults
from db import db, sqlite_driver, transaction
from models import LoginSession
from tests import factories


def called(code="UMUM", name="Siti Aminah"):
    entry = factories.entry(code, factories.patient(name))
    with transaction():
        queues.act(factories.actor("umum"), entry, "panggil")
    return entry


def page(client, path="/layar", **options) -> str:
    response = client.get(path, **options)
    assert response.status_code == 200
    return response.get_data(as_text=True)


def test_the_board_needs_no_login_and_reloads_itself(client):
    html = page(client)
    assert re.search(r'<meta http-equiv="refresh" content="\d+">', html)
    assert "<script" not in html
    assert "Belum ada panggilan" in html


def test_the_board_shows_the_last_four_calls_newest_first(client):
    entries = [called() for _ in range(5)]
    html = page(client)
    shown = re.findall(r'class="number[^"]*">(\w+)<', html)
    assert shown == [entry.visit.label for entry in reversed(entries[1:])]


def test_who_is_called_and_has_not_come_stays_on_the_board(client):
    """Before those who are inside, and beyond the four cards in a line of their own."""
    inside = called()
    with transaction():
        queues.act(factories.actor("umum"), db.session.merge(inside), "mulai")
    waiting = [called(code) for code in ("GIGI", "UMUM", "KIA", "UMUM", "GIGI", "UMUM")]
    with transaction():
        queues.act(factories.actor("umum"), db.session.merge(waiting[-1]), "mulai")
    html = page(client)
    labels = [entry.visit.label for entry in waiting]
    assert re.findall(r'class="number[^"]*">(\w+)<', html) == labels[4:0:-1]
    line = re.search("Juga dipanggil: (.*?)</p>", html)[1]
    assert line == f"<b>{labels[0]}</b>&nbsp;Poli Gigi dan Mulut"
    one = page(client, "/layar/umum")
    assert "Juga dipanggil" not in one
    assert re.findall(r'class="number[^"]*">(\w+)<', one)[:2] == [labels[3], labels[1]]


def test_a_board_with_many_calls_uses_the_short_names_so_that_all_find_room(client):
    for code in ("GIGI", "UMUM", "KIA") * 3:
        called(code)
    factories.entry("UMUM")
    html = page(client)
    line = re.search("Juga dipanggil: (.*?)</p>", html)[1]
    assert line.count("<b>") == 5 and "&nbsp;GIGI" in line and "Poli" not in line
    assert "UMUM <b>1</b>" in html
    assert re.search(r"Menunggu:\s+UMUM <b>", html)


def test_the_board_tells_no_name_complaint_or_id(client):
    entry = called(name="Wulan Rahasia")
    factories.entry("GIGI", factories.patient("Budi Tersembunyi"), complaint="sakit gigi")
    html = page(client)
    person = entry.visit.patient
    for secret in ("Wulan", "Budi", "sakit gigi", entry.public_id, person.mrn, person.nik):
        assert secret not in html
    assert entry.visit.label in html


def test_the_board_counts_who_waits(client):
    for _ in range(3):
        factories.entry("GIGI")
    html = page(client)
    assert re.search(r"Poli Gigi dan Mulut\D+3\b", html)


def test_one_room_s_board(client):
    here, there = called("UMUM"), called("GIGI")
    html = page(client, "/layar/umum")
    assert here.visit.label in html
    assert there.visit.label not in html
    assert client.get("/layar/TIDAKADA").status_code == 404


def test_a_room_that_is_closed_has_no_board(client):
    with transaction():
        factories.poli("GIGI").is_active = False
    assert client.get("/layar/gigi").status_code == 404


@pytest.mark.parametrize(
    ("address", "status"),
    [("127.0.0.1", 200), ("192.168.1.20", 200), ("8.8.8.8", 403), ("2001:db8::1", 403), ("", 403)],
)
def test_the_board_is_for_the_clinic_s_networks(client, address, status):
    called()
    response = client.get("/layar", environ_base={"REMOTE_ADDR": address})
    assert response.status_code == status
    if status == 403:
        assert "jaringan" in response.get_data(as_text=True)
        assert "U001" not in response.get_data(as_text=True)


def test_the_head_narrows_the_networks(client):
    with transaction():
        settings.set_value("board_networks", "192.168.7.0/24")
    assert client.get("/layar").status_code == 403
    inside = {"REMOTE_ADDR": "192.168.7.9"}
    assert client.get("/layar", environ_base=inside).status_code == 200


def test_the_board_neither_sets_a_cookie_nor_extends_a_session(sign_in):
    client = sign_in("umum")
    rows = select(LoginSession.seen_at, LoginSession.idle_until)
    before = db.session.execute(rows).all()
    response = client.get("/layar")
    assert "Set-Cookie" not in response.headers
    db.session.rollback()
    assert db.session.execute(rows).all() == before


RELOADS = re.compile(r'<meta http-equiv="refresh" content="5">')


def test_whatever_goes_wrong_the_board_asks_again_by_itself(client, monkeypatch):
    """A TV has no keyboard: what stands on it must go away without one."""
    monkeypatch.setitem(client.application.config, "PROPAGATE_EXCEPTIONS", False)
    assert RELOADS.search(client.get("/layar/TIDAKADA").get_data(as_text=True))
    outside = client.get("/layar", environ_base={"REMOTE_ADDR": "8.8.8.8"})
    assert RELOADS.search(outside.get_data(as_text=True))

    def fail(problem):
        def failing(*_):
            raise problem

        monkeypatch.setattr(queue_watch, "board", failing)
        return client.get("/layar")

    for problem, status in (
        (OperationalError("", {}, sqlite_driver.OperationalError("unable to open")), 503),
        (ValueError("a mistake of ours"), 500),
    ):
        answer = fail(problem)
        assert answer.status_code == status
        assert RELOADS.search(answer.get_data(as_text=True))
        assert "Set-Cookie" not in answer.headers
    storage_faults.forget()
    monkeypatch.undo()
    assert client.get("/layar").status_code == 200
