"""Alur looks after itself: faults of the disk, banners, speed, self-check, logs, support file."""

import fcntl
import io
import json
import logging
import os
import resource
import threading
import time
import zipfile
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

import logs
from clinic import disk_space, drills, notices, self_check, speed, storage_faults, worker
from clinic.disk_space import GB, MB, Room, Space
from clinic.storage_faults import Fault
from db import db, sqlite_driver, transaction, utcnow
from faults import NOT_SAVED, UNSURE
from models import AuditEntry, Patient, Role, SelfCheck, Visit
from tests import factories
from tests.browser import until
from tests.clients import TOKEN, person
from tests.pages import post

NOW = utcnow()
sqlite_only = pytest.mark.engines("sqlite")


@pytest.fixture
def data(folder):
    """The clinic's folder, with nothing of an earlier test in it."""
    for path in (folder / "state").glob("*"):
        path.unlink()
    (folder / disk_space.BALLAST).unlink(missing_ok=True)
    notices.forget()
    storage_faults.forget()
    yield folder
    reopen()
    (folder / disk_space.BALLAST).unlink(missing_ok=True)
    (folder / "state" / "notices.json").unlink(missing_ok=True)
    notices.forget()
    storage_faults.forget()


def reopen() -> None:
    """No connection stays open: one that outlives its pool still holds the old files."""
    db.session.remove()
    db.engine.dispose()


def page_text(response) -> str:
    return response.get_data(as_text=True)


# --- A save that the disk refuses -------------------------------------------------------------


@contextmanager
def full_database():
    """SQLite itself finds no room: what a full disk is to it, without a disk of our own."""
    reopen()
    pages = db.session.scalar(text("PRAGMA page_count"))
    db.session.rollback()
    with db.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    try:
        yield
    finally:
        reopen()


@contextmanager
def small_files():
    """No file may grow beyond 64 KB: the disk refuses each write behind that (SQLITE_IOERR)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only():
    def read_only(connection, _record) -> None:
        connection.execute("PRAGMA query_only=1")

    reopen()
    event.listen(db.engine, "connect", read_only)
    try:
        yield
    finally:
        event.remove(db.engine, "connect", read_only)
        reopen()


@sqlite_only
@pytest.mark.parametrize(
    ("fault", "sentence", "outcome"),
    [
        (full_database, Fault.FULL, NOT_SAVED),
        # What a commit could not sync may be found when the database is opened again.
        (small_files, Fault.BROKEN_DISK, UNSURE),
        (read_only, Fault.READ_ONLY, NOT_SAVED),
    ],
)
def test_a_save_that_fails_says_so_keeps_what_was_typed_and_works_again(
    data, sign_in, fault, sentence, outcome
):
    client = sign_in("loket")
    client.get("/pendaftaran/baru")
    fields = person(1) | {"complaint": "pusing " * 30}
    reopen()
    with fault():
        sent = (post(client, "/pendaftaran/baru", fields) for _ in range(40))
        refused = next(answer for answer in sent if answer.status_code != 303)
    page = page_text(refused)
    assert refused.status_code == 503
    assert sentence.value in page
    assert [said for said in (NOT_SAVED, UNSURE) if said in page] == [outcome]
    assert 'action="/pendaftaran/baru"' in page
    assert f'name="name" value="{fields["name"]}"' in page
    assert sentence.value in page_text(client.get("/pendaftaran")), "all are told on each page"
    again = post(client, "/pendaftaran/baru", fields)
    assert again.status_code == 303, "no restart was needed"
    assert "data-notice" not in page_text(client.get("/pendaftaran"))


@sqlite_only
@pytest.mark.parametrize("reason", ["", "sesuai KTP"])
def test_what_was_typed_is_shown_only_where_something_was(data, sign_in, reason):
    """The check page sends its version besides, which nobody has typed."""
    client = sign_in("loket")
    draft = post(client, "/pendaftaran/baru", person(1)).location
    fields = {"version": "1"} | ({"override_reason": reason} if reason else {})
    with read_only():
        page = page_text(post(client, draft, fields))
    assert ("<table>" in page, "Yang diketik masih ada di bawah ini." in page) == (
        bool(reason),
    ) * 2
    assert "kirim lagi sebentar lagi." in page and 'name="version" value="1"' in page


@pytest.mark.engines("postgresql")
def test_a_commit_whose_answer_is_lost_is_not_called_unsaved(data, sign_in):
    client = sign_in("loket")
    client.get("/pendaftaran/baru")

    def end_it(connection) -> None:
        pid = connection.connection.driver_connection.info.backend_pid
        with psycopg.connect(str(db.engine.url).replace("+psycopg", "")) as other:
            other.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])

    event.listen(db.engine, "commit", end_it)
    try:
        answer = post(client, "/pendaftaran/baru", person(1))
    finally:
        event.remove(db.engine, "commit", end_it)
    assert answer.status_code == 503
    page = page_text(answer)
    assert UNSURE in page
    assert NOT_SAVED not in page
    assert f'name="name" value="{person(1)["name"]}"' in page
    assert post(client, "/pendaftaran/baru", person(1)).status_code == 303


@contextmanager
def no_database(data):
    """What stands in its place can't be opened."""
    database = data / "db" / "alur.db"
    reopen()
    moved = database.rename(database.with_name("elsewhere.db"))
    database.mkdir()
    try:
        yield
    finally:
        database.rmdir()
        moved.rename(database)
        reopen()


@sqlite_only
def test_the_page_comes_out_even_when_nothing_can_be_read(data, sign_in):
    client = sign_in("loket")
    page = page_text(client.get("/pendaftaran/baru"))
    typed = person(1) | {"csrf_token": TOKEN.search(page)[1]}
    with no_database(data):
        page = client.get("/pendaftaran")
        assert page.status_code == 503
        assert Fault.UNREACHABLE.value in page_text(page)
        assert client.get("/healthz").status_code == 503
        refused = page_text(client.post("/pendaftaran/baru", data=typed))
        assert f'name="name" value="{typed["name"]}"' in refused
        assert f'name="csrf_token" value="{typed["csrf_token"]}"' in refused, "ready to be sent"
    assert client.post("/pendaftaran/baru", data=typed).status_code == 303


@sqlite_only
def test_what_had_not_asked_yet_who_it_is_says_it_too(data, app, sign_in):
    client, stranger = sign_in("umum"), app.test_client()
    stranger.get("/masuk")
    with no_database(data):
        answers = [
            client.get("/poli/UMUM/baris?v=1"),
            client.get("/tidak-ada"),
            client.get("/layar"),
            stranger.post("/masuk", data={"username": "umum", "password": "x"}),
        ]
    for answer in answers:
        assert answer.status_code == 503
        is_said = 'http-equiv="refresh"' if answer.request.path == "/layar" else Fault.UNREACHABLE
        assert is_said in page_text(answer)
        assert "Set-Cookie" not in answer.headers, "nobody is logged out by it"
    assert client.get("/poli/UMUM").status_code == 200


@sqlite_only
def test_a_lost_database_is_neither_written_to_nor_made_anew(data, sign_in):
    client = sign_in("loket")
    database = data / "db" / "alur.db"
    client.get("/pendaftaran")
    kept = database.rename(database.with_name("elsewhere.db"))
    try:
        for _ in range(2):  # with the old connection, and with a new one
            assert client.get("/healthz").status_code == 503
            page = page_text(client.get("/pendaftaran"))
            assert Fault.UNREACHABLE.value in page
            assert "make restore" in page, "whoever reads it knows how to go on"
            assert not database.exists()
    finally:
        kept.rename(database)
    assert client.get("/pendaftaran").status_code == 200, "no restart was needed"


@sqlite_only
def test_on_a_full_disk_one_can_log_in(data, app):
    assert disk_space.hold_back(data)
    held = disk_space.held_back(data)
    enter = {"username": "loket", "password": "coba-alur-sekarang", "lanjut": "/pendaftaran"}
    with full_database():
        for _ in range(300):
            client = app.test_client()
            client.get("/masuk")
            refused = post(client, "/masuk", enter)
            if refused.status_code != 303:
                break
    page = page_text(refused)
    assert (refused.status_code, Fault.FULL.value in page) == (503, True)
    assert "Anda belum masuk." in page
    assert "Ruang simpanan" in page
    assert 'name="lanjut" value="/pendaftaran"' in page
    assert disk_space.held_back(data) == held - held // 2, "the rest is for the next time"
    assert post(client, "/masuk", enter).location == "/pendaftaran"
    assert disk_space.hold_back(data), "it is made whole again"
    assert disk_space.held_back(data) == held


@sqlite_only
def test_a_record_is_shown_while_nothing_can_be_written_and_noted_afterwards(data, sign_in):
    client, patient = sign_in("kepala"), factories.patient()
    address = f"/pasien/{patient.public_id}"
    db.session.rollback()
    client.get(address)
    noted = len(views_of(patient))
    reopen()
    with read_only():
        page = client.get(address)
        assert page.status_code == 200
        assert patient.name in page_text(page)
        assert Fault.READ_ONLY.value in page_text(client.get(address))
    assert len(views_of(patient)) == noted
    client.get(address)
    details = views_of(patient)
    assert len(details) == noted + 3
    assert sum(text.startswith("at 20") for text in details) == 2


def views_of(patient: Patient) -> list[str]:
    db.session.rollback()
    rows = select(AuditEntry.details).where(
        AuditEntry.patient_ref == patient.public_id, AuditEntry.action == "view_record"
    )
    return list(db.session.scalars(rows))


def sqlite_error(words: str) -> OperationalError:
    return OperationalError("", {}, sqlite_driver.OperationalError(words))


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (sqlite_error("database or disk is full"), Fault.FULL),
        (sqlite_error("database is locked"), Fault.BUSY),
        (sqlite_error("no such table: x"), None),
        (OperationalError("", {}, psycopg.errors.DiskFull()), Fault.FULL),
        (OperationalError("", {}, psycopg.OperationalError("refused")), Fault.UNREACHABLE),
        (IntegrityError("", {}, psycopg.errors.UniqueViolation()), None),
        (OSError(28, "no space"), Fault.FULL),
        (OSError(30, "read-only"), Fault.READ_ONLY),
        (FileNotFoundError(2, "none"), None),
    ],
)
def test_which_fault_an_error_tells_of(error, fault):
    assert storage_faults.fault_of(error) is fault


@sqlite_only
def test_while_a_save_waits_for_the_disk_every_page_says_so(app, sign_in, data, monkeypatch):
    clerk, other = sign_in("loket"), sign_in("umum")
    answers: list[int] = []

    def save() -> None:
        with app.app_context():
            answers.append(post(clerk, "/pendaftaran/baru", person(1)).status_code)

    waits = threading.Thread(target=save)
    monkeypatch.setattr(storage_faults, "STUCK_SECONDS", 0.02)
    with open(f"{db.engine.url.database}.writer") as line:
        fcntl.flock(line, fcntl.LOCK_EX)  # as one whose commit does not come back
        waits.start()
        until(lambda: Fault.STUCK.value in page_text(other.get("/bantuan")), "a page says it")
        assert not answers
    waits.join()
    assert answers == [303], "it was only late"
    assert Fault.STUCK.value not in page_text(other.get("/bantuan"))


# --- Room on the disk ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "total", "room"),
    [
        (60 * GB, 500 * GB, Room.ENOUGH),
        (49 * GB, 500 * GB, Room.SHRINKING),
        (GB, 500 * GB, Room.LOW),
        (499 * MB, 500 * GB, Room.ALARM),
        (2 * MB, 8 * MB, Room.ENOUGH),
        (1 * MB, 8 * MB, Room.LOW),
    ],
)
def test_marks_of_the_disk(free, total, room):
    assert Space(free, total).room is room


def test_the_ballast_is_laid_once_and_given_up_by_a_button(data, sign_in):
    assert disk_space.hold_back(data)
    assert not disk_space.hold_back(data), "it is there already"
    size = disk_space.held_back(data)
    assert 0 < size <= 256 * MB
    assert (data / disk_space.BALLAST).stat().st_blocks * 512 >= size, "it really takes room"
    client = sign_in("ti")
    assert "Buka ruang simpanan disk" in page_text(client.get("/sistem"))
    post(client, "/sistem/ruang-simpanan")
    assert disk_space.held_back(data) == 0
    page = page_text(client.get("/sistem"))
    assert "dibuka. Kosongkan disk sekarang" in page
    assert "Buka ruang simpanan disk" not in page
    db.session.rollback()
    assert db.session.scalar(select(AuditEntry.action).order_by(AuditEntry.seq.desc()))


# --- The line at the top ------------------------------------------------------------------------


def test_a_dead_worker_concerns_head_and_operator_only(data, sign_in, monkeypatch):
    notices.refresh(data, NOW)
    told = data / "state" / "notices.json"
    clients = {name: sign_in(name) for name in ("kepala", "ti", "loket")}
    addresses = {"kepala": "/poli", "ti": "/sistem", "loket": "/pendaftaran"}

    def who_is_told() -> set[str]:
        notices.forget()
        return {
            name
            for name, client in clients.items()
            if "Pekerja latar tidak berjalan" in page_text(client.get(addresses[name]))
        }

    assert who_is_told() == set()
    an_hour_ago = told.stat().st_mtime - 3600
    os.utime(told, (an_hour_ago, an_hour_ago))
    monkeypatch.setattr(notices, "_started", time.monotonic())
    assert who_is_told() == set(), "it has just been started and has not come to it"
    monkeypatch.setattr(notices, "_started", time.monotonic() - 301)
    assert who_is_told() == {"kepala", "ti"}
    notices.refresh(data, NOW + timedelta(seconds=5))
    assert who_is_told() == set()


def test_a_red_line_of_the_system_page_is_told_to_its_chiefs(data):
    with transaction():
        self_check.keep([self_check.Check("x", self_check.State.BAD, "rusak", "Tolong.")], NOW)
    notices.refresh(data, NOW)
    assert notices.top(data, Role.OPERATOR).text.startswith("Pemeriksaan harian:")
    assert notices.top(data, Role.REGISTRATION) is None
    told = json.loads((data / "state" / "notices.json").read_text())
    notices.refresh(data, NOW + timedelta(seconds=30))
    assert json.loads((data / "state" / "notices.json").read_text()) == told, "once a minute"


# --- Speed ----------------------------------------------------------------------------------------


def test_the_last_hour_is_summed_over_processes_without_patients(data, sign_in):
    client = sign_in("kepala")
    client.application.extensions["speed"]._begin()  # only the five slowest are shown
    patient = factories.patient()
    db.session.rollback()
    client.get(f"/pasien/{patient.public_id}")
    other = speed.Recorder(data / "state")
    other._pid = 1  # as another process would have written it
    other._minutes = {speed._minute(): {"POST /x": speed.Timing(speed.Counter({9: 40}), 2)}}
    other._write(speed._minute())
    page = page_text(client.get("/sistem"))
    assert "dalam 100 ms" in page
    assert speed.last_hour(data / "state").by_page["POST /x"].errors == 2
    assert speed.last_hour(data / "state").by_page["POST /x"].count == 40
    assert "/pasien/&lt;ref&gt;" in page or "/pasien/&lt;patient&gt;" in page
    written = "".join(path.read_text() for path in (data / "state").glob("speed-*"))
    assert patient.public_id not in written


def test_percentiles_of_the_speed_are_the_ends_of_classes(tmp_path):
    recorder = speed.Recorder(tmp_path)
    for milliseconds in [3] * 94 + [90] * 5 + [9000]:
        recorder.record("GET", "/a", milliseconds / 1000, 200)
    recorder.flush()
    timing = speed.last_hour(tmp_path).of("GET")
    assert (timing.count, timing.within(0.5), timing.within(0.95)) == (100, 5, 100)
    assert timing.within(1) == 10_000


def test_what_an_ended_process_left_is_cleared_after_hours(tmp_path):
    for name, age in (("speed-1.json", 8000), ("speed-2.json", 60)):
        (tmp_path / name).write_text("{}")
        at = NOW.timestamp() - age
        os.utime(tmp_path / name, (at, at))
    speed.clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["speed-2.json"]


# --- The daily self-check -------------------------------------------------------------------------


def check_all(data, at=NOW) -> dict[str, SelfCheck]:
    for _ in range(50):
        if not worker.check_itself(data, at):
            break
    else:
        raise AssertionError("it comes to no end")
    db.session.rollback()
    return {row.name: row for row in self_check.newest()}


def test_a_sound_clinic_is_found_sound_once_a_day(data, monkeypatch):
    monkeypatch.setattr(self_check, "CHAIN_SLICE", 3)
    with transaction():
        for _ in range(8):
            worker.audit.record(worker.audit.SYSTEM, "test")
    monkeypatch.setattr(self_check, "SLICE_SECONDS", 0.05)  # many rounds
    worker.run_once(NOW)  # as its loop does before
    newest = db.session.scalar(select(AuditEntry.seq).order_by(AuditEntry.seq.desc()))
    found = check_all(data)
    own = ("Keutuhan basis data", "Jejak audit seluruhnya", "Berkas kunci", "Sesi masuk")
    assert {found[name].state for name in own} == {"Baik"}, [
        (row.name, row.state, row.figures) for row in found.values()
    ]
    assert found["Jejak audit seluruhnya"].figures == f"{newest} catatan"
    assert "Ruang disk" in found, "the lines of the page are kept too"
    assert not worker.check_itself(data, NOW + timedelta(minutes=5))
    assert self_check.summary(NOW + timedelta(hours=3)).state != "Masalah"
    assert self_check.summary(NOW + timedelta(hours=49)).state == "Masalah", "red by itself"
    assert worker.check_itself(data, NOW + timedelta(hours=27))


@sqlite_only
def test_the_self_check_finds_what_was_broken(data):
    key, stray = data / "keys" / "exposed.key", data / "tmp" / "left"
    key.write_text("x")
    key.chmod(0o644)
    stray.write_text("x")
    old = NOW.timestamp() - 2 * 24 * 3600
    os.utime(stray, (old, old))
    factories.patient()
    with transaction():
        for number in range(3):
            worker.audit.record(worker.audit.SYSTEM, "test", details=str(number))
    db.session.rollback()
    connection = db.engine.raw_connection()
    for statement in (
        "PRAGMA foreign_keys=OFF",
        "DROP TRIGGER audit_entry_no_update",
        "UPDATE audit_entry SET reason = 'lain' WHERE seq = 2",
        "INSERT INTO worker_beat (name, pid, started_at, beat_at, note)"
        " VALUES ('x', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00', '')",
        "UPDATE patient SET household_id = 987654",
    ):
        connection.cursor().execute(statement)
    connection.close()
    reopen()
    try:
        found = check_all(data)
    finally:
        key.unlink()
        stray.unlink()
    assert found["Jejak audit seluruhnya"].state == "Masalah"
    assert "2" in found["Jejak audit seluruhnya"].figures
    assert found["Hubungan antartabel"].figures == "tabel patient"
    assert found["Berkas kunci"].state == "Masalah"
    assert found["Berkas sementara"].state == "Perhatian"
    assert self_check.summary(NOW).state == "Masalah"


def test_the_check_can_be_asked_for(data, sign_in):
    check_all(data)
    client = sign_in("ti")
    post(client, "/sistem/periksa")
    db.session.rollback()
    assert worker.check_itself(data, NOW + timedelta(minutes=1))
    assert "Pemeriksaan harian" in page_text(client.get("/sistem"))


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        ("2026-11-25T15:10:00+08:00", "2026-11-25T23:00:00+08:00", False),
        ("2026-11-25T15:10:00+08:00", "2026-11-26T09:00:00+08:00", False),
        ("2026-11-25T15:10:00+08:00", "2026-11-26T15:00:00+08:00", True),
        ("2026-11-24T15:10:00+08:00", "2026-11-26T09:00:00+08:00", True),
        ("2026-12-24T15:10:00+08:00", "2026-11-26T09:00:00+08:00", True),
    ],
)
def test_when_the_check_is_due(app, last, now, due):
    last, now = (type(NOW).fromisoformat(text) for text in (last, now))
    assert self_check.is_due(last, now) is due


@sqlite_only
def test_the_first_check_waits_for_the_first_backup_and_drill(app):
    with transaction():
        worker.audit.record(worker.audit.SYSTEM, "test")
    at = utcnow() + timedelta(minutes=1)
    assert not self_check.is_due(None, at), "its lines would say that there is no backup"
    assert self_check.is_due(None, at + timedelta(hours=1))
    with transaction():
        drills.keep(worker.audit.SYSTEM, drills.Found("alur-1"))
    assert self_check.is_due(None, at)


# --- Logs -----------------------------------------------------------------------------------------


@pytest.fixture
def log_file(tmp_path):
    handler = logs.SharedFile(tmp_path / logs.FILE)
    handler.addFilter(logs.Scrubber())
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger, tmp_path


def test_the_log_turns_by_size_and_keeps_five(log_file, monkeypatch):
    logger, folder = log_file
    monkeypatch.setattr(logs, "LARGEST", 2000)
    for number in range(200):
        logger.warning("%04d %s", number, "x" * 60)
    files = sorted(folder.glob("alur.log*"))
    assert sum(path.suffix != ".lock" for path in files) == logs.FILES
    assert all(path.stat().st_size <= 2000 for path in files)
    assert all(path.stat().st_mode & 0o077 == 0 for path in files if path.suffix != ".lock")
    assert logs.last_lines(folder / logs.FILE, 3)[-1].split()[2] == "0199"


def test_the_log_turns_by_age(log_file):
    logger, folder = log_file
    (folder / logs.FILE).write_text("2020-01-01 00:00:00,000 lama\n")
    logger.warning("baru")
    assert (folder / "alur.log.1").read_text().endswith("lama\n")
    assert "lama" not in (folder / logs.FILE).read_text()


def test_a_full_disk_loses_the_line_not_the_work(log_file):
    logger, folder = log_file
    (folder / logs.FILE).mkdir()
    logger.warning("nowhere to go")


def test_rows_in_database_errors_are_not_logged():
    line = (
        "NotNullViolation: null value\nDETAIL:  Failing row contains (7, Siti Aminah, Jl. Mawar)."
    )
    assert "Siti" not in logs.scrub(line)
    assert "41079" not in logs.scrub("nik 3171014107900001")
    for digits in range(13, 17):  # those of a BPJS card, up to those of a NIK
        number = "3171014107900001"[:digits]
        assert number[6:12] not in logs.scrub(f"peserta {number}"), digits


# --- What leaves the house ------------------------------------------------------------------------


def marked_clinic(sign_in) -> set[str]:
    """Patients through the pages, by good saves and failing ones; every word that is theirs."""
    client = sign_in("loket")
    for serial in (11, 12, 13):
        fields = person(serial) | {"phone": f"08123456{serial}90", "mother_name": "Sulastri Dewi"}
        saved = post(client, "/pendaftaran/baru", fields)
        post(client, saved.location, {"version": "1", "override_reason": "sudah ditanyakan"})
    with pytest.raises(IntegrityError), transaction():
        known = db.session.scalars(select(Patient)).first()
        db.session.add(Patient(name=known.name, nik=known.nik, sex=known.sex))
        db.session.flush()
    client.post("/pendaftaran/baru", data=fields)  # without a token
    db.session.rollback()
    words = set()
    for patient in db.session.scalars(select(Patient)):
        words |= {patient.name, patient.nik, patient.address, patient.phone, patient.mother_name}
    assert db.session.query(Visit).count() == 3
    return {word for word in words if word}


def test_no_word_of_a_patient_stands_in_logs_or_in_the_support_file(data, sign_in, caplog):
    words = marked_clinic(sign_in)
    logging.getLogger("alur").error("NIK %s", next(iter(w for w in words if w.isdecimal())))
    check_all(data)
    notices.refresh(data, NOW)
    response = post(sign_in("ti"), "/sistem/berkas-bantuan")
    assert response.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.data)) as file:
        parts = {name: file.read(name).decode() for name in file.namelist()}
    assert "patient,3" in parts["jumlah-baris.csv"]
    assert "Keutuhan basis data" in parts["pemeriksaan.csv"]
    assert "******" in parts["log.txt"]
    assert not [name for name, part in parts.items() if part.startswith("tidak dapat dibaca")]
    written = [path for path in (*data.glob("logs/*"), *data.glob("state/*")) if path.is_file()]
    texts = parts | {path.name: path.read_text(errors="replace") for path in written}
    for name, content in texts.items():
        found = [word for word in words if word.lower() in content.lower()]
        assert not found, (name, found)
    key = (data / "keys" / "session.key").read_bytes()
    assert key.hex() not in "".join(parts.values())
