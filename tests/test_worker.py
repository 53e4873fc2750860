"""The background process: sign of life, ended sessions, care of the database."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from clinic import worker
from db import db, transaction, utcnow
from models import LoginSession, WorkerBeat
from tests import factories

NOW = utcnow()


def login_session(token: str, **fields) -> LoginSession:
    row = LoginSession(
        token_digest=token,
        user_id=factories.user("loket").id,
        idle_until=NOW + timedelta(minutes=15),
        **{"expires_at": NOW + timedelta(hours=12)} | fields,
    )
    with transaction():
        db.session.add(row)
    return row


def beats() -> dict[str, WorkerBeat]:
    db.session.rollback()
    return {row.name: row for row in db.session.scalars(select(WorkerBeat))}


def test_it_says_that_it_is_alive(app):
    worker.run_once(NOW)
    assert beats()["worker"].beat_at == NOW
    worker.run_once(NOW + timedelta(seconds=5))
    assert beats()["worker"].beat_at == NOW + timedelta(seconds=5)


def test_it_ends_expired_sessions_and_no_others(app):
    over = login_session("a" * 64, expires_at=NOW - timedelta(seconds=1))
    running = login_session("b" * 64)
    left = login_session(
        "c" * 64, expires_at=NOW - timedelta(hours=1), ended_at=NOW - timedelta(hours=9)
    )
    worker.run_once(NOW)
    db.session.rollback()
    assert over.ended_at == over.expires_at
    assert running.ended_at is None
    assert left.ended_at == NOW - timedelta(hours=9), "logged out before it expired"


@pytest.mark.engines("sqlite")
def test_it_measures_the_tables_once_a_day(app):
    factories.patient()
    worker.run_once(NOW)
    measured = db.session.scalars(text("SELECT tbl FROM sqlite_stat1")).all()
    assert "patient" in measured
    worker.run_once(NOW + timedelta(hours=23))
    assert beats()["statistics"].beat_at == NOW
    worker.run_once(NOW + timedelta(hours=24))
    assert beats()["statistics"].beat_at == NOW + timedelta(hours=24)


@pytest.mark.engines("sqlite")
def test_a_clock_that_was_ahead_does_not_stop_it(app):
    worker.run_once(NOW + timedelta(days=300))
    worker.run_once(NOW)
    assert beats()["statistics"].beat_at == NOW


@pytest.mark.engines("sqlite")
def test_on_an_old_sqlite_it_alone_folds_the_log_in(app, monkeypatch):
    monkeypatch.setattr(worker, "SQLITE_IS_WAL_SAFE", False)
    factories.patient()
    log = app.config["ALUR"].data / "db" / "alur.db-wal"
    assert log.stat().st_size > 0
    assert worker.checkpoint()
    assert log.stat().st_size == 0


@pytest.mark.engines("sqlite")
def test_a_long_reader_only_puts_the_checkpoint_off(app, monkeypatch):
    monkeypatch.setattr(worker, "SQLITE_IS_WAL_SAFE", False)
    monkeypatch.setattr(worker, "CHECKPOINT_WAIT_MS", 1)
    with db.engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM patient"))
        factories.patient()
        assert not worker.checkpoint()
    assert worker.checkpoint()


def test_on_a_safe_sqlite_it_leaves_the_log_alone(app, monkeypatch):
    monkeypatch.setattr(worker, "SQLITE_IS_WAL_SAFE", True)
    assert not worker.checkpoint()
