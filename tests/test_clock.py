"""A clock that jumps: nothing gets a wrong date, no queue ends, and anybody's watch mends it."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

import sessions
import timekeeping
from clinic import (
    clock,
    closing,
    days,
    queue_version,
    queue_watch,
    queues,
    worker,
)
from clinic.clock import Known, Verdict
from db import db, transaction, utcnow
from models import (
    AuditEntry,
    EntryState,
    KeptAnswer,
    LoginSession,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
    WorkerBeat,
)
from tests import factories
from tests.backing_up import back_up
from tests.pages import login, polled, post
from tests.test_registration import FIELDS

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
QUEUE = "/poli/UMUM"
CLOCK = "/sistem/jam"
REAL_TIME = time.time


class Machine:
    """The computer that the test runs on, with hands on its clock."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.time = time.time

    def turn(self, by: timedelta) -> None:
        self.ahead += by

    def set(self, at: datetime) -> None:
        self.ahead = at - datetime.fromtimestamp(self.time(), UTC)

    def restart(self, *, off: bool) -> None:
        """Alur starts anew; `off`: the computer was switched off meanwhile."""
        timekeeping.forget()
        if off:
            with transaction():
                mark = db.session.get_one(WorkerBeat, clock.NAME)
                mark.note = json.dumps(json.loads(mark.note) | {"boot": "an earlier one"})


@pytest.fixture
def machine(app, monkeypatch):
    found = Machine()
    monkeypatch.setattr("time.time", lambda: found.time() + found.ahead.total_seconds())
    timekeeping.adopt(timekeeping.system_now(), 0)
    worker.run_once()
    yield found
    found.ahead = timedelta()
    timekeeping.adopt(timekeeping.system_now(), 0)


def typed(at: datetime, **more: str) -> dict[str, str]:
    """As the watch of somebody in the clinic shows it (WITA)."""
    local = at + 8 * HOUR
    return {"date": f"{local:%d-%m-%Y}", "time": f"{local:%H.%M}", "salah": "1", **more}


def stored() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.max(AuditEntry.seq)))


def labels() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Visit.label).order_by(Visit.id)))


def actions() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


# --- What is believed -------------------------------------------------------------------------

NOON = datetime(2026, 12, 1, 4, tzinfo=UTC)  # in the clinic


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("at", "known", "verdict"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), Known(), Verdict.IMPOSSIBLE),
        (datetime(2020, 1, 1, tzinfo=UTC), Known(NOON), Verdict.IMPOSSIBLE),
        (NOON, Known(), Verdict.RIGHT),
        (NOON - MINUTE, Known(NOON), Verdict.RIGHT),
        (NOON - 3 * MINUTE, Known(NOON), Verdict.BEHIND),
        # Off since noon: over night, over Lebaran; a wrong month.
        (NOON + 13 * DAY, Known(NOON), Verdict.RIGHT),
        (NOON + 31 * DAY, Known(NOON), Verdict.AHEAD),
        # Running since noon: it should be two o'clock.
        (NOON + HOUR, Known(NOON, NOON + 2 * HOUR), Verdict.BEHIND),
        (NOON + 5 * HOUR, Known(NOON, NOON + 2 * HOUR), Verdict.RIGHT),
        (NOON + 26 * HOUR, Known(NOON, NOON + 2 * HOUR), Verdict.AHEAD),
        (NOON + 26 * HOUR, Known(NOON, NOON + 2 * HOUR, is_untouched=True), Verdict.RIGHT),
        # Midnight, and a time server that just mended some minutes.
        (NOON + 12 * HOUR + MINUTE, Known(NOON, NOON + 12 * HOUR - MINUTE), Verdict.RIGHT),
    ],
)
def test_what_is_believed(app, at, known, verdict):
    assert clock.verdict_of(at, known) is verdict


# --- While it is wrong ------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-DAY, DAY], ids=["back", "ahead"])
def test_a_jump_stops_the_work_and_nothing_else(machine, app, sign_in, jump):
    first = factories.entry()
    doctor, clerk = sign_in("umum"), sign_in("loket")
    fragment = polled(doctor.get(QUEUE))
    poll = fragment.replace("&amp;", "&")
    before, at = stored(), utcnow()

    machine.turn(jump)
    page = doctor.get(QUEUE)
    assert page.status_code == 503
    assert "Jam server salah" in page.get_data(as_text=True)
    assert post(doctor, f"{QUEUE}/panggil").status_code == 503
    assert doctor.get(poll).status_code == 409, "the queue says that it can't be brought up to date"
    fragment = {"HX-Request": "true"}
    assert post(clerk, "/pendaftaran/saran", headers=fragment).data == b"", "the form stays"
    assert clerk.get("/pendaftaran").status_code == 503
    assert stored() == before
    machine.restart(off=False)  # what somebody tries first
    assert clerk.get("/pendaftaran").status_code == 503
    # What cares for nobody goes on, in the time that it really is.
    for path in ("/healthz", "/layar", "/bantuan", "/masuk"):
        assert app.test_client().get(path).status_code == 200, path
    other = login(app.test_client(), "gigi")
    assert other.get("/").status_code == 503
    entry = db.session.scalar(select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(1))
    assert (entry.action, abs(entry.at - at) < MINUTE) == ("log_in", True)
    assert days.current_day().id == first.service_day_id

    machine.turn(-jump)
    assert doctor.get(poll).status_code == 204
    second = factories.entry()
    assert (first.service_day_id, labels()) == (second.service_day_id, ["U001", "U002"])
    assert post(doctor, f"{QUEUE}/panggil").status_code == 303, "called; nobody was logged out"
    assert actions()[-1] == "call"


@pytest.mark.parametrize("by", [-DAY, DAY])
def test_no_refused_form_is_kept_at_a_wrong_time(machine, sign_in, by):
    clerk = sign_in("loket")
    with transaction():
        db.session.scalars(select(LoginSession)).one().ended_at = utcnow()
    machine.turn(by)
    page = post(clerk, "/pendaftaran/baru", {"name": "Siti Aminah"})
    assert page.status_code == 401 and 'name="resend"' in page.get_data(as_text=True)
    assert db.session.scalar(select(func.count()).select_from(KeptAnswer)) == 0


def test_what_was_typed_waits_until_the_clock_is_right(machine, sign_in):
    clerk = sign_in("loket")
    machine.turn(-DAY)
    typed = {"name": "Siti Aminah", "address": 'Jalan "A" <1>', "nik": "3171015708850001"}
    page = post(clerk, "/pendaftaran/baru", typed)
    assert page.status_code == 503
    html = page.get_data(as_text=True)
    assert 'value="Siti Aminah"' in html and "317101••••••0001" in html
    resend = {"resend": json.dumps([["name", "Siti Aminah"]]), "lanjut": "/pendaftaran/baru"}
    shown = post(clerk, CLOCK, {**resend, "date": "31-02-2026", "time": "7.30"})
    assert "Tanggal 31-02-2026 tidak ada" in shown.get_data(as_text=True)
    assert "Siti Aminah" in shown.get_data(as_text=True)
    answer = post(clerk, CLOCK, {**resend, "aksi": "benar", "salah": "1"})
    assert answer.status_code == 200
    assert 'name="name" value="Siti Aminah"' in answer.get_data(as_text=True)
    assert post(clerk, "/pendaftaran/baru", {"name": "Siti Aminah"}).status_code == 422


@pytest.mark.engines("sqlite")
def test_the_worker_waits_too(machine, sign_in):
    sign_in("loket")
    mark, at = db.session.get(WorkerBeat, clock.NAME).beat_at, utcnow()
    machine.turn(DAY)
    worker.run_once()
    db.session.expire_all()
    assert db.session.get(WorkerBeat, clock.NAME).beat_at == mark
    assert abs(db.session.get(WorkerBeat, worker.NAME).beat_at - at) < MINUTE, "a sign of life"
    assert db.session.scalars(select(LoginSession)).one().ended_at is None
    assert not worker.import_patients(None)
    machine.turn(-DAY)
    worker.run_once()
    db.session.expire_all()
    assert db.session.get(WorkerBeat, clock.NAME).beat_at > mark


# --- Who mends it -----------------------------------------------------------------------------


def test_only_who_reads_no_records_by_chance_may_mend_it(machine, sign_in):
    machine.turn(-DAY)
    assert sign_in("umum").get(CLOCK).status_code == 403
    assert "Minta petugas pendaftaran" in sign_in("umum").get(QUEUE).get_data(as_text=True)
    for username in ("loket", "kepala", "ti"):
        page = sign_in(username).get(CLOCK)
        assert (page.status_code, 'name="date"' in page.get_data(as_text=True)) == (503, True)


@pytest.mark.parametrize("year", [1970, 2020])
def test_a_dead_battery_is_mended_by_the_clerks_watch(machine, app, sign_in, year):
    """The computer was off, and starts in a year long ago."""
    factories.entry()
    machine.set(datetime(year, 1, 1, tzinfo=UTC))
    machine.restart(off=True)
    clerk = login(app.test_client(), "loket")  # is possible
    assert clerk.get("/pendaftaran").status_code == 503
    refused = post(clerk, CLOCK, {"aksi": "benar", "salah": "1"})
    assert refused.status_code == 503, "that year can't be right, whoever says so"
    with_year = post(clerk, CLOCK, typed(datetime(year, 1, 2, tzinfo=UTC)))
    assert "Periksa tahunnya" in with_year.get_data(as_text=True)
    assert "Isi tanggal dan jam" in post(clerk, CLOCK, {"salah": "1"}).get_data(as_text=True)

    truth = datetime.fromtimestamp(machine.time(), UTC)
    assert post(clerk, CLOCK, typed(truth)).status_code == 303
    assert abs(utcnow() - truth) < 2 * MINUTE
    assert clerk.get("/pendaftaran").status_code == 200, "still logged in"
    factories.entry()
    assert labels() == ["U001", "U002"]
    worker.run_once()
    timekeeping.forget()  # other processes, and a restart
    assert clock.is_right()
    assert abs(utcnow() - truth) < 2 * MINUTE
    assert "jam komputer lambat" in sign_in("ti").get("/sistem").get_data(as_text=True)
    dates = db.session.scalars(select(AuditEntry.at)).all()
    dates += db.session.scalars(select(WorkerBeat.started_at)).all()
    dates += db.session.scalars(select(LoginSession.seen_at)).all()
    assert min(dates) > truth - HOUR, "nothing is dated in that year"

    machine.set(truth)  # the time server is back
    assert clerk.get("/pendaftaran").status_code == 200
    worker.run_once()
    assert timekeeping.offset() == 0
    assert actions().count("set_clock") == actions().count("clock_restored") == 1
    worker.run_once()
    assert actions().count("clock_restored") == 1


def test_a_day_dated_in_the_future_comes_back_with_its_queue(machine, sign_in):
    """The computer started with tomorrow's date; it is put right while patients wait."""
    machine.turn(3 * DAY)
    machine.restart(off=True)
    clerk = sign_in("loket")
    first = factories.entry()
    assert clerk.get("/pendaftaran").status_code == 200, "it may have been off for three days"
    worker.run_once()
    machine.turn(-3 * DAY)
    assert clerk.get("/pendaftaran").status_code == 503
    assert post(clerk, CLOCK, {"aksi": "benar", "salah": "1"}).status_code == 303
    assert clerk.get("/pendaftaran").status_code == 200, "neither logged out nor asked again"
    second = factories.entry()
    assert (first.service_day_id, labels()) == (second.service_day_id, ["U001", "U002"])
    db.session.expire_all()
    assert db.session.get(ServiceDay, first.service_day_id).on == days.clinic_date()
    assert actions().count("redate_day") == 1
    assert db.session.get(WorkerBeat, clock.NAME).beat_at <= utcnow(), "lowered by a person only"
    worker.run_once()
    assert clock.is_right()


@pytest.mark.engines("sqlite")
def test_a_backup_of_before_the_day_got_its_true_date_does_not_make_the_next_one_doubtful(
    machine, sign_in, folder
):
    machine.turn(3 * DAY)
    machine.restart(off=True)
    clerk = sign_in("loket")
    factories.entry()
    worker.run_once()
    assert back_up(folder).problem == ""
    machine.turn(-3 * DAY)
    assert post(clerk, CLOCK, {"aksi": "benar", "salah": "1"}).status_code == 303
    assert actions().count("redate_day") == 1
    assert back_up(folder).problem == ""


@pytest.mark.engines("sqlite")
def test_a_day_that_the_wrong_clock_closed_gets_its_true_date_too(machine, sign_in):
    machine.turn(3 * DAY)
    machine.restart(off=True)
    clerk = sign_in("loket")
    first = factories.entry()
    close(first)
    worker.run_once()
    machine.turn(-3 * DAY)
    post(clerk, CLOCK, {"aksi": "benar", "salah": "1"})
    db.session.expire_all()
    assert db.session.get(ServiceDay, first.service_day_id).on == days.clinic_date()
    assert factories.entry().service_day_id == first.service_day_id
    assert labels() == ["U001", "U002"]


@pytest.mark.engines("sqlite")
def test_a_second_correction_of_the_clock_does_not_move_the_day_again(machine, sign_in):
    factories.entry()
    clerk = ahead_by(5 * DAY, machine, sign_in)
    late = factories.entry()
    machine.turn(-5 * DAY)
    post(clerk, CLOCK, {"aksi": "benar", "salah": "1"})
    was = db.session.get(ServiceDay, late.service_day_id).on
    noon = utcnow().replace(hour=4)  # of the next day: in the night this one's would go on
    machine.set(noon + (DAY if noon.date() == days.clinic_date() else 2 * DAY))
    machine.restart(off=True)
    assert clock.is_right()
    post(sign_in("kepala"), CLOCK, {"aksi": "benar", "salah": "1"})
    db.session.expire_all()
    assert db.session.get(ServiceDay, late.service_day_id).on == was
    assert factories.entry().visit.service_day.on == days.clinic_date()


@pytest.mark.engines("sqlite")
def test_beside_a_day_of_today_it_keeps_its_date_and_that_is_said(machine, sign_in):
    factories.entry()
    machine.turn(3 * DAY)
    machine.restart(off=True)
    clerk = sign_in("loket")
    late = factories.entry()
    machine.turn(-3 * DAY)
    post(clerk, CLOCK, {"aksi": "benar", "salah": "1"})
    assert "dibuka saat jam salah" in clerk.get("/pendaftaran").get_data(as_text=True)
    assert factories.entry().service_day_id == late.service_day_id
    assert labels() == ["U001", "U001", "U002"]


@pytest.mark.parametrize("closed", ["open", "closed while the clock was wrong", "closed since"])
def test_the_next_day_ends_a_day_of_the_future_and_is_dated_right(machine, sign_in, closed):
    first = factories.entry()
    head = ahead_by(5 * DAY, machine, sign_in)
    late = factories.entry()
    worker.run_once()
    if closed == "closed while the clock was wrong":
        close(late)
    machine.turn(-5 * DAY)
    post(head, CLOCK, {"aksi": "benar", "salah": "1"})
    if closed == "closed since":
        close(late)
    worker.run_once()

    head = ahead_by(2 * DAY, machine, sign_in)  # not one: at night the day before goes on
    assert days.current_day() is None
    was = present(head)
    assert was.endswith(".0"), "the queue page has no day before the first patient"
    assert "Dibuka saat jam salah" in head.get("/sistem").get_data(as_text=True)
    today = factories.entry()
    again = factories.entry()
    db.session.expire_all()
    assert today.visit.service_day.on == days.clinic_date() == days.latest_day().on
    assert (days.current_day(), days.todays()) == (days.latest_day(), days.latest_day())
    assert present(head) not in (was, was.removesuffix(".0"))
    assert again.visit.service_day == today.visit.service_day
    assert labels()[-2:] == ["U001", "U002"]
    kept = db.session.get_one(QueueEntry, late.id)
    assert kept.state is EntryState.UNFINISHED
    assert kept.visit.status is VisitStatus.UNFINISHED
    assert open_days() == 1
    assert "Sudah berakhir" in head.get("/sistem").get_data(as_text=True)
    closing.ask_when_due(utcnow())
    assert closing.steps(kept.visit.service_day), "its closing is done as any other's"

    ahead_by(3 * DAY, machine, sign_in)  # that date has come
    assert factories.entry().service_day_id == first.service_day_id + 1 == late.service_day_id
    assert labels()[-1] == "U002", "no number twice in one day"
    assert (open_days(), days.current_day().on) == (1, days.clinic_date())
    assert days.dated_ahead() is None


def test_a_clock_back_over_midnight_does_not_open_yesterday(app):
    """Yesterday had no patients, and the first of today came at half past midnight."""
    midnight = days.midnight_utc(days.clinic_date())
    with transaction():
        day = days.open_day(midnight + MINUTE)
        assert days.open_day(midnight - MINUTE) == day
        assert days.current_day(midnight - MINUTE) == day
        day.closed_at = midnight + 2 * MINUTE
        assert days.open_day(midnight - MINUTE) == day


def ahead_by(by, machine, sign_in):
    """The computer is started at that time; a head who is logged in then."""
    machine.turn(by)
    machine.restart(off=True)
    assert clock.is_right()
    worker.run_once()
    return sign_in("kepala")


def close(entry: QueueEntry) -> None:
    with transaction():
        days.end(db.session.get_one(QueueEntry, entry.id).visit.service_day, utcnow())


def open_days() -> int:
    is_open = ServiceDay.closed_at.is_(None)
    return db.session.scalar(select(func.count(ServiceDay.id)).where(is_open))


def present(head) -> str:
    """The version of the room's queue, the same for its page and for its poll."""
    room = factories.poli("UMUM")
    version = queue_version.present_version(room.id)
    assert head.get(f"{QUEUE}/baris?v={version}").status_code == 204
    return version


@pytest.mark.engines("sqlite")
def test_a_correction_logs_nobody_out_and_keeps_nobody_in(machine, app, sign_in):
    """A time server mends what was wrong since the start: 15 hours, in both directions."""
    clerk, doctor = sign_in("loket"), sign_in("umum")
    for jump in (15 * HOUR + DAY, -15 * HOUR - DAY):
        rows = db.session.scalars(select(LoginSession)).all()
        left = [(row.expires_at - utcnow(), row.idle_until - utcnow()) for row in rows]
        machine.turn(jump)
        assert post(clerk, CLOCK, {"aksi": "benar", "salah": "1"}).status_code == 303
        assert doctor.get(QUEUE).status_code == 200
        db.session.expire_all()
        rows = db.session.scalars(select(LoginSession)).all()
        now = [(row.expires_at - utcnow(), row.idle_until - utcnow()) for row in rows]
        for was, is_now in zip(left, now, strict=True):
            assert all(abs(a - b) < MINUTE for a, b in zip(was, is_now, strict=True))


@pytest.mark.engines("sqlite")
def test_a_time_server_before_the_first_patient_needs_no_one(machine, sign_in):
    """The battery is dead, the internet is not: every morning the clock is put forward."""
    clerk = sign_in("loket")
    with transaction():  # switched on after the newest entry of the audit trail
        mark = db.session.get_one(WorkerBeat, clock.NAME)
        mark.note = json.dumps(json.loads(mark.note) | {"uptime": 0})
    machine.turn(15 * HOUR)
    assert clerk.get("/masuk").status_code == 200
    assert clock.is_right()
    worker.run_once()
    assert clock.is_right()


@pytest.mark.engines("sqlite")
def test_two_people_mend_it_at_once(machine, sign_in):
    clerk, head = sign_in("loket"), sign_in("kepala")
    machine.turn(-DAY)
    truth = datetime.fromtimestamp(machine.time(), UTC)
    assert post(clerk, CLOCK, {"aksi": "lanjut", "salah": "1"}).status_code == 303
    assert post(head, CLOCK, {"aksi": "benar", "salah": "1"}).status_code == 303
    assert actions().count("set_clock") == 1, "the second one finds it mended"
    assert abs(utcnow() - truth) < MINUTE


@pytest.mark.engines("sqlite")
def test_a_clock_that_only_seems_right_can_be_mended_too(machine, sign_in):
    """The computer took up its clock where it was switched off: yesterday, and nobody can tell."""
    clerk = sign_in("loket")
    assert clerk.get(CLOCK).status_code == 200
    tomorrow = typed(utcnow() + DAY)
    del tomorrow["salah"]
    odd = post(clerk, CLOCK, tomorrow)
    assert (odd.status_code, "Cocokkan lagi" in odd.get_data(as_text=True)) == (422, True)
    assert tomorrow["date"] in odd.get_data(as_text=True)
    assert post(clerk, CLOCK, tomorrow | {"sure": "y"}).status_code == 303
    assert clerk.get(CLOCK).status_code == 200
    assert timekeeping.offset() > 23 * 3600
    assert post(clerk, CLOCK, {"aksi": "benar"}).status_code == 303
    assert timekeeping.offset() == 0


@pytest.mark.engines("sqlite")
def test_a_save_that_fails_mends_nothing(machine, sign_in):
    clerk = sign_in("loket")
    machine.turn(-DAY)

    def fail(_connection):
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    clerk.get(CLOCK)
    event.listen(db.engine, "commit", fail)
    assert post(clerk, CLOCK, {"aksi": "benar", "salah": "1"}).status_code == 500
    event.remove(db.engine, "commit", fail)
    assert clerk.get("/pendaftaran").status_code == 503


# --- Midnight ---------------------------------------------------------------------------------


def test_midnight_ends_no_queue(machine, sign_in):
    """Who is looked after at night stays in the queue until the night is over."""
    entry = factories.entry()
    day, midnight = entry.service_day_id, days.midnight_utc(days.clinic_date() + DAY)
    with transaction():
        queues.call_next(factories.actor("umum"), factories.poli("UMUM"), None)
        queues.act(factories.actor("umum"), db.session.get_one(QueueEntry, entry.id), "mulai")
    token = sign_in("umum").get_cookie(sessions.COOKIE).value
    evening = queue_watch.poll(sessions.digest(token), "UMUM", utcnow(), db.engine)

    machine.set(midnight + HOUR)  # and no jump: so much time has passed
    timekeeping.adopt(timekeeping.system_now(), 0)
    doctor = sign_in("umum")
    token = doctor.get_cookie(sessions.COOKIE).value
    assert queue_watch.poll(sessions.digest(token), "UMUM", utcnow(), db.engine) == evening
    assert factories.entry().service_day_id == day
    assert labels() == ["U001", "U002"]
    visit = f"/kunjungan/{entry.visit.public_id}"
    written = {"entry": entry.public_id, "version": "0", "aksi": "simpan", "subjective": "mulas"}
    assert post(doctor, visit, written).status_code == 303
    db.session.expire_all()
    assert db.session.get(QueueEntry, entry.id).state is EntryState.IN_SERVICE

    assert days.current_day(midnight + 5 * HOUR) is None, "in the morning a new day begins"


@pytest.mark.parametrize("at", [2 * MINUTE, 5 * HOUR])
def test_what_was_typed_before_midnight_is_saved_after_it_while_the_day_goes_on(
    machine, sign_in, at
):
    day = factories.entry().service_day_id
    midnight = days.midnight_utc(days.clinic_date() + DAY)

    def turn_to(moment):
        machine.set(moment)
        timekeeping.adopt(timekeeping.system_now(), 0)
        return sign_in("loket")

    clerk = turn_to(midnight - 2 * MINUTE)
    checked = post(clerk, "/pendaftaran/baru", FIELDS).location
    saved = post(turn_to(midnight + at), checked, {"version": "1"})
    if at > 4 * HOUR:  # the night is over
        assert saved.status_code == 410
        return
    assert saved.status_code == 303
    assert "/tiket/" in saved.location
    db.session.rollback()
    newest = db.session.scalars(select(Visit).order_by(Visit.id.desc())).first()
    assert (newest.service_day_id, labels()) == (day, ["U001", "U002"])


def at_night(machine, midnight, hours, minutes=0):
    machine.set(midnight + hours * HOUR + minutes * MINUTE)
    timekeeping.adopt(timekeeping.system_now(), 0)


def draft(entry, version=0) -> tuple[str, dict[str, str]]:
    typed = {"entry": entry.public_id, "version": str(version), "aksi": "simpan"}
    return f"/kunjungan/{entry.visit.public_id}", typed | {"subjective": f"mulas {version}"}


def state_of(entry) -> EntryState:
    db.session.rollback()
    return db.session.get(QueueEntry, entry.id, populate_existing=True).state


def test_the_end_of_the_night_drops_nobody_who_is_looked_after(machine, sign_in):
    midnight, ugd = days.midnight_utc(days.clinic_date() + DAY), "/poli/UGD"
    at_night(machine, midnight, -2)
    served = factories.entry("UGD", factories.patient("Ani"))
    with transaction():
        queues.act(factories.actor("umum"), db.session.get_one(QueueEntry, served.id), "mulai")
    at_night(machine, midnight, 3, 50)
    waiting = factories.entry("UGD", factories.patient("Budi"))

    at_night(machine, midnight, 4, 5)
    with transaction():
        closing.ask_when_due(utcnow())
    assert closing.steps(days.latest_day()) == []
    doctor = sign_in("umum")
    version = queue_version.present_version(factories.poli("UGD").id)
    assert doctor.get(f"{ugd}/baris?v={version}").status_code == 204
    page = doctor.get(ugd).text
    assert served.public_id in page and waiting.public_id in page
    third = factories.entry("UGD", factories.patient("Cici"))
    assert (third.service_day_id, third.visit.label) == (served.service_day_id, "X003")
    assert post(doctor, f"{ugd}/panggil").status_code == 303
    assert state_of(waiting) is EntryState.CALLED

    at_night(machine, midnight, 5, 55)
    assert post(sign_in("umum"), *draft(served)).status_code == 303
    at_night(machine, midnight, 6, 30)
    with transaction():
        night = db.session.get_one(ServiceDay, served.service_day_id)
        assert days.open_day(known=night) == night, "a further room for one of its visits"
    doctor = sign_in("umum")
    assert served.public_id in doctor.get(ugd).text
    morning = factories.entry("UGD", factories.patient("Dedi"))
    assert morning.visit.label == "X001"
    assert morning.visit.service_day.on == days.clinic_date()
    assert [state_of(each) for each in (served, waiting)] == [EntryState.UNFINISHED] * 2
    page = doctor.get(ugd).text
    assert "1 pemeriksaan hari lalu belum selesai dicatat" in page
    assert "2 pasien belum dilayani ketika hari ditutup" in page
    listed = doctor.get(f"{ugd}/belum-selesai").text
    assert all(name in listed for name in ("Ani", "Budi", "Cici"))
    saved = post(doctor, *draft(served, 1))
    assert saved.location.startswith("/kunjungan/")

    factories.entry("UGD", waiting.visit.patient)
    assert "Budi" not in doctor.get(f"{ugd}/belum-selesai").text
    at_night(machine, midnight, 19)
    assert "belum dilayani ketika" not in sign_in("umum").get(ugd).text, "long gone home"


@pytest.mark.engines("sqlite")
def test_a_save_just_after_the_night_is_not_refused(machine, sign_in):
    """Nothing was done for hours, so that the day is over; nobody has ended it yet."""
    entry, midnight = factories.entry(), days.midnight_utc(days.clinic_date() + DAY)
    with transaction():
        queues.act(factories.actor("umum"), db.session.get_one(QueueEntry, entry.id), "mulai")
    at_night(machine, midnight, 4, 1)
    assert days.current_day() is None
    saved = post(sign_in("umum"), *draft(entry))
    assert saved.location.startswith("/kunjungan/")
    db.session.rollback()
    assert days.current_day().id == entry.service_day_id, "the patient is there, as one sees now"


# --- Between two looks ------------------------------------------------------------------------


@pytest.fixture
def jumps_after(machine, monkeypatch):
    """From now on the clock goes back a day after so many looks at it."""

    def set_up(looks: int) -> None:
        left = iter(range(looks))
        back = DAY.total_seconds()
        monkeypatch.setattr(
            "time.time", lambda: REAL_TIME() - (back if next(left, None) is None else 0)
        )

    yield set_up
    monkeypatch.setattr("time.time", REAL_TIME)


@pytest.mark.parametrize("is_judged", [True, False])
@pytest.mark.parametrize("looks", range(5))
def test_a_clock_that_jumps_between_two_looks_dates_nothing(jumps_after, looks, is_judged):
    if not is_judged:
        timekeeping.forget()
    jumps_after(looks)
    if not is_judged:
        clock.judge()
    for _ in range(5):
        assert abs(utcnow() - datetime.fromtimestamp(REAL_TIME(), UTC)) < MINUTE


def test_the_installed_service_can_tell_one_run_of_the_computer_from_another(app, monkeypatch):
    """Without the boot id a restart would make a jumped clock count as right."""
    unit = (Path(__file__).parent.parent / "deploy" / "alur.service").read_text()
    assert "\nProcSubset=pid" not in unit, "it hides /proc/sys"

    def told() -> str:
        return app.test_cli_runner().invoke(args=["ready-message"]).output

    assert "boot_id" not in told()
    monkeypatch.setattr(timekeeping, "boot", lambda: "")
    assert "boot_id tidak terbaca" in told()
