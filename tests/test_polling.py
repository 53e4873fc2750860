"""Unchanged polls are answered before Flask: only when there is nothing at all to say."""

from datetime import timedelta

import pytest
from flask import request_started
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from blueprints.poli import queue
from db import db, transaction, utcnow
from models import LoginSession, QueueEntry, User, UserPoli
from tests import factories
from tests.pages import polled


@pytest.fixture
def screen(sign_in):
    """A doctor's screen and the address that it polls."""
    factories.entry()
    client = sign_in("umum")
    return client, poll_address(client)


def poll_address(client) -> str:
    return polled(client.get("/poli/UMUM"))


def test_an_unchanged_poll_never_reaches_flask(app, screen):
    client, address = screen
    reached = []
    with request_started.connected_to(lambda *_, **__: reached.append(1), app):
        assert client.get(address).status_code == 204
        assert client.get(f"{address}&selesai=semua").status_code == 204
        assert not reached
        assert client.head(address).status_code == 204
        assert client.get(address + "1").status_code == 200
    assert len(reached) == 2


def test_a_change_is_told_at_the_next_poll(screen):
    client, address = screen
    assert client.get(address).status_code == 204
    entry = factories.entry()
    answer = client.get(address)
    assert answer.status_code == 200
    assert entry.public_id in answer.get_data(as_text=True)


def test_a_list_is_drawn_anew_each_minute_for_the_waiting_times_in_it(screen, monkeypatch):
    client, _ = screen
    first = client.get("/poli/UMUM/baris?v=0")
    assert first.status_code == 200
    with transaction():
        db.session.scalars(select(QueueEntry)).one().queued_at -= timedelta(minutes=40)
    monkeypatch.setattr(queue, "utcnow", lambda: utcnow() + timedelta(minutes=2))
    assert client.get("/poli/UMUM/baris?v=0").data != first.data


def end_session() -> None:
    db.session.scalars(select(LoginSession)).one().ended_at = utcnow()


def lock_screen() -> None:
    db.session.scalars(select(LoginSession)).one().idle_until = utcnow()


def let_session_run_out() -> None:
    db.session.scalars(select(LoginSession)).one().expires_at = utcnow()


def close_account() -> None:
    db.session.get(User, factories.user("umum").id).is_active = False


def take_room_away() -> None:
    key = factories.user("umum").id, factories.poli("UMUM").id
    db.session.get(UserPoli, key).is_active = False


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("happens", "status"),
    [
        (end_session, 401),
        (lock_screen, 401),
        (let_session_run_out, 401),
        (close_account, 401),
        (take_room_away, 404),
    ],
)
def test_who_may_not_look_any_more_is_told_at_the_next_poll(screen, happens, status):
    client, address = screen
    assert client.get(address).status_code == 204
    with transaction():
        happens()
    assert client.get(address).status_code == status


def test_a_version_alone_opens_nothing(app, screen, sign_in):
    _, address = screen
    assert app.test_client().get(address).status_code == 401
    assert sign_in("loket").get(address).status_code == 403
    assert sign_in("gigi").get(address).status_code == 404
    assert sign_in("kepala").get(address).status_code == 204


@pytest.mark.parametrize("cookie", ["", "x", "a.b", "ä", "%00"])
def test_a_nonsense_cookie_is_a_stranger_s(app, screen, cookie):
    _, address = screen
    client = app.test_client()
    client.set_cookie("alur", cookie)
    assert client.get(address).status_code == 401


def test_a_host_that_is_not_ours_gets_no_answer(app, screen, monkeypatch):
    client, address = screen
    monkeypatch.setitem(app.config, "TRUSTED_HOSTS", ["puskesmas.local"])
    monkeypatch.setattr(app.wsgi_app, "hosts", ["puskesmas.local"])
    assert client.get(address, base_url="http://evil.example").status_code == 400
    client.set_cookie("alur", client.get_cookie("alur").value, domain="puskesmas.local")
    assert client.get(address, base_url="http://puskesmas.local").status_code == 204


def test_when_the_database_fails_the_answer_carries_all_headers(screen):
    client, address = screen

    def refuse(*_):
        raise OperationalError("", {}, Exception("gone"))

    pool = db.engine.pool
    event.listen(pool, "checkout", refuse)
    try:
        assert client.get(address).status_code == 500  # PageClient looks at the headers
    finally:
        event.remove(pool, "checkout", refuse)
