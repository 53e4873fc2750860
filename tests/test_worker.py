"""The background process: sign of life, ended sessions, care of the database."""

import logging
import os
import signal
import tempfile
import time
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import OperationalError

import background
from clinic import name_index, patients, search, worker
from db import db, transaction, utcnow
from models import LoginSession, Patient, PatientToken, WorkerBeat
from tests import factories
from tests.browser import PATIENCE

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


# --- Stored names after an upgrade that folds them otherwise ----------------------------------


def words_of(patient: Patient) -> set[str]:
    db.session.rollback()
    rows = select(PatientToken.word).where(PatientToken.patient_id == patient.id)
    return set(db.session.scalars(rows))


def fold_as_before(patient: Patient) -> None:
    """As if an older version had stored it."""
    with transaction():
        db.session.execute(
            update(Patient.__table__)
            .where(Patient.__table__.c.id == patient.id)
            .values(name_key="NOERHAJATI")
        )
        db.session.execute(delete(PatientToken).where(PatientToken.patient_id == patient.id))
        db.session.add(
            PatientToken(patient_id=patient.id, word="NOERHAJATI", prefix="NOER", sex="P")
        )


def test_names_of_an_older_folding_are_found_again(app):
    patient, other = factories.patient("Noerhajati"), factories.patient("Budi Santoso")
    key, words, others = patient.name_key, words_of(patient), words_of(other)
    assert key != "NOERHAJATI"
    fold_as_before(patient)
    assert not search.find("Nurhayati")
    assert worker.fold_names(NOW)
    db.session.expire_all()
    assert (patient.name_key, words_of(patient), words_of(other)) == (key, words, others)
    assert [one.patient.id for one in search.find("Nurhayati")] == [patient.id]
    assert db.session.get(Patient, patient.id).version == 1, "nobody has changed the person"


def test_former_names_are_folded_anew_too(app):
    patient = factories.patient("IGN Rai")
    with transaction():
        now = replace(patients.identity_of(patient), name="Wayan Sukerta")
        patients.update(factories.actor(), patient, now, "nama di KTP")
    words = words_of(patient)
    assert "NGURA" in words
    with transaction():
        rows = PatientToken.patient_id == patient.id
        db.session.execute(delete(PatientToken).where(rows, PatientToken.word == "GUSTI"))
        stale = update(PatientToken).where(rows, PatientToken.word == "NGURA")
        db.session.execute(stale.values(word="IGN", prefix="IGN"))
        name_index.refold(0, 10)
    assert words_of(patient) == words


def test_names_are_folded_anew_once_a_version(app):
    factories.patient()
    assert worker.fold_names(NOW), "some"
    assert worker.fold_names(NOW), "the end is seen"
    assert not worker.fold_names(NOW)
    assert beats()["names"].note == str(name_index.FOLDING)
    with transaction():
        db.session.get_one(WorkerBeat, "names").note = str(name_index.FOLDING - 1)
    assert worker.fold_names(NOW)


def test_it_goes_on_where_it_was_stopped(app):
    first, last = factories.patient("Noerhajati"), factories.patient("Noerhajati")
    key = first.name_key
    for patient in (first, last):
        fold_as_before(patient)
    with transaction():
        assert name_index.refold(0, 1) == first.id
        worker.beat("names", NOW, f"{name_index.FOLDING}:{first.id}")
    worker.fold_names(NOW)
    db.session.expire_all()
    assert [first.name_key, last.name_key] == [key, key]


@pytest.mark.engines("sqlite")
def test_a_fault_that_goes_on_is_told_once_a_minute_by_all_rounds(app, monkeypatch):
    def fails(_must_stop) -> int:
        raise OperationalError("", {}, psycopg.OperationalError("refused"))

    def round_of_work() -> None:
        os.waitpid(background._fork(fails), 0)

    with tempfile.TemporaryFile("w+") as told:
        handler = logging.StreamHandler(told)
        background.log.addHandler(handler)
        try:
            for _ in range(3):
                round_of_work()
            monkeypatch.setattr(background, "FAULT_TOLD_EVERY", 0)
            round_of_work()
        finally:
            background.log.removeHandler(handler)
        told.seek(0)
        assert told.read().count("worker step: refused") == 2


@pytest.mark.engines("sqlite")
def test_signals_that_come_while_one_is_heard_do_not_hang_the_work(app):
    """Whatever hung held the lock of the start, and Alur could not be started again."""

    is_there, says_so = os.pipe()

    def asked_to_stop(must_stop) -> int:
        os.write(says_so, b".")
        while not must_stop():
            time.sleep(0.001)
        time.sleep(0.2)  # the last steps, while more signals come
        return 7

    pid = background._fork(asked_to_stop)
    os.read(is_there, 1)
    end = time.monotonic() + PATIENCE
    while (ended := background._ended(pid)) is None and time.monotonic() < end:
        os.kill(pid, signal.SIGTERM)
    if ended is None:
        os.kill(pid, signal.SIGKILL)
    assert ended == 7, "it hangs"
