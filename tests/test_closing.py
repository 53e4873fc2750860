"""The end of a service day: its steps, what they leave, and what can be done afterwards."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from clinic import (
    activity,
    audit,
    backup_worker,
    backups,
    closing,
    closing_work,
    days,
    queue_version,
    queues,
    records,
    room_page,
    settings,
    system_status,
    unfinished,
    unsaved,
    worker,
)
from clinic.measurements import VITALS, measure
from clinic.queue_steps import QueueError
from clinic.record_errors import NotOpen
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from formatting import long_date
from models import (
    AuditEntry,
    BackupCopy,
    CaseType,
    ClosingStep,
    Diagnosis,
    EntryState,
    LabOrderState,
    OutboxEntry,
    Prescription,
    PrescriptionState,
    QueueEntry,
    ServiceDay,
    StepName,
    StepState,
    Visit,
    VisitStatus,
    VitalSigns,
)
from tests import factories, pharmacy, test_laboratory
from tests.pages import post
from tests.test_system import fields_of

# What PostgreSQL could do otherwise (locks, states, dates in SQL) runs there too.
sqlite_only = pytest.mark.engines("sqlite")
DONE = dict.fromkeys(StepName, StepState.DONE)
HOUR = timedelta(hours=1)


def take(entry, *actions):
    for action in actions:
        with transaction():
            queues.act(factories.actor("umum"), db.session.get(QueueEntry, entry.id), action)


def begun(code="UMUM", **visit):
    entry = factories.entry(code, **visit)
    take(entry, "panggil", "mulai")
    return entry


def ask(by="kepala", day=None):
    with transaction():
        closing.ask(factories.actor(by), day or days.latest_day())


def states(day=None) -> dict:
    db.session.rollback()
    return {step.name: step.state for step in closing.steps(day or days.latest_day())}


def notes() -> dict:
    return {step.name: step.note for step in closing.steps(days.latest_day())}


def tell_outbox():
    """As the registration does with each visit (the factories don't)."""
    with transaction():
        for ref in db.session.scalars(select(Visit.public_id)).all():
            key = {"business_key": f"satusehat:visit:{ref}", "subject_ref": ref}
            if db.session.scalar(select(OutboxEntry).filter_by(**key)) is None:
                db.session.add(OutboxEntry(target="satusehat", subject_type="visit", **key))


def work(data, at=None):
    """The worker's rounds: what waits for a backup gets it, by the process that makes them."""
    closing_work.work(data, at or utcnow())
    if backups.is_pending():
        backup_worker.run(data)
        closing_work.work(data, at or utcnow())
    db.session.rollback()


def close(data, *, is_told=True):
    if is_told:
        tell_outbox()
    ask()
    work(data)


def written(entry, **fields):
    with transaction():
        found = db.session.get(QueueEntry, entry.id)
        examination = records.open_examination(found)
        version = examination.version if examination else 0
        form = ExaminationInput(**{"assessment": "ISPA", "disposition": "pulang"} | fields)
        return records.finish(factories.actor("umum"), found, form, version)


def settle(key, value):
    with transaction():
        settings.set_value(key, value)


def at_clock(hour, minute=0, days_on=0):
    """This time of the clinic's today; WITA is UTC+8."""
    on = days.clinic_date() + timedelta(days=days_on)
    return datetime(on.year, on.month, on.day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def due(at):
    with transaction():
        closing.ask_when_due(at)
    return states()


def test_all_steps_are_taken_in_their_order(app, folder):
    factories.entry()
    close(folder)
    assert states() == DONE
    visits, *others = closing.steps(days.latest_day())
    assert all(visits.ended_at <= step.ended_at for step in others), "of a day that is over"
    assert days.latest_day().closed_at is not None
    assert days.current_day() is None
    assert days.todays() == days.latest_day(), "who was registered today is still found at the desk"


def test_a_day_is_complete_when_its_last_step_is(app, folder, sign_in):
    factories.entry()
    tell_outbox()
    ask()
    closing_work.work(folder, utcnow())
    kepala = sign_in("kepala")
    assert StepState.DONE in states().values() and set(states().values()) != {StepState.DONE}
    assert "Lengkap" not in kepala.get("/tutup-hari").text
    work(folder)
    assert set(states().values()) == {StepState.DONE}
    assert "Lengkap" in kepala.get("/tutup-hari").text


def test_who_is_still_there_is_left_unfinished_with_what_is_missing(app, folder):
    waiting = factories.entry(person=factories.patient("Ani"))
    served = begun(person=factories.patient("Budi"))
    drafted = begun(person=factories.patient("Cici"))
    with transaction():
        entry = db.session.get(QueueEntry, drafted.id)
        records.save(factories.actor("umum"), entry, ExaminationInput(assessment="ISPA"), 0)
    done = begun(person=factories.patient("Dedi"))
    written(done)
    close(folder)
    found = {one.patient: one.missing for one in unfinished.of_day(days.latest_day())}
    assert found == {
        "Ani": "belum dilayani",
        "Budi": "pemeriksaan belum ditulis",
        "Cici": "tindak lanjut belum diisi",
    }
    assert "3 dari 4 kunjungan belum selesai" in notes()[StepName.VISITS]
    lacking = "kunjungan belum atau tidak selesai 3, pemeriksaan masih konsep "
    assert lacking in notes()[StepName.REPORT]
    for entry in (waiting, served, drafted):
        db.session.refresh(entry)
        assert (entry.state, entry.visit.status) == (EntryState.UNFINISHED, VisitStatus.UNFINISHED)
    db.session.refresh(done)
    assert (done.state, done.visit.status) == (EntryState.DONE, VisitStatus.FINISHED)


def drafted(name: str, *diagnosed: Diagnosis, **fields) -> None:
    entry = begun(person=factories.patient(name))
    with transaction():
        entry = db.session.get(QueueEntry, entry.id)
        made = records.save(factories.actor("umum"), entry, ExaminationInput(**fields), 0)
        for each in diagnosed:
            each.examination_id, each.recorded_by_id = made.id, made.recorded_by_id
            db.session.add(each)


def prescribed(name: str) -> Prescription:
    """Medicines of somebody who is being served in the pharmacy."""
    tablets = pharmacy.line(pharmacy.medicine())
    made = pharmacy.prescription(tablets, person=factories.patient(name))
    take(pharmacy.pharmacy_entry(made), "mulai")
    return made


def cough(**ended) -> Diagnosis:
    return Diagnosis(code="R05", title="Batuk", case_type=CaseType.NEW, **ended)


def test_each_stay_says_what_it_lacks(app):
    test_laboratory.sent(person=factories.patient("Ani"))
    at_laboratory = test_laboratory.sent(person=factories.patient("Gita"))
    made = {name: prescribed(name) for name in ("Budi", "Hadi")}
    with transaction():
        order = test_laboratory.order_of(at_laboratory)
        order.state, order.resulted_at = LabOrderState.RESULTED, utcnow()
        given, pharmacist = db.session.merge(made["Hadi"]), factories.user("farmasi")
        given.closed_by_id = pharmacist.id
        given.state, given.closed_at = PrescriptionState.DISPENSED, utcnow()
    drafted("Cici", cough(ended_at=utcnow(), ended_by_id=factories.user("umum").id), plan="obat")
    drafted("Dedi", cough(), disposition="pulang")
    drafted("Edi", disposition="pulang")
    drafted("Fitri", assessment="ISPA", disposition="pulang")
    found = unfinished.of_day(days.current_day())
    assert {(one.patient, one.room): one.missing for one in found} == {
        ("Ani", "Poli Umum"): "menunggu hasil dari ruang lain",
        ("Ani", "Laboratorium"): "hasil laboratorium",
        ("Budi", "Farmasi"): "obat belum diserahkan",
        ("Cici", "Poli Umum"): "diagnosis dan tindak lanjut belum diisi",
        ("Dedi", "Poli Umum"): "belum ditekan Selesai",
        ("Edi", "Poli Umum"): "diagnosis belum diisi",
        ("Fitri", "Poli Umum"): "belum ditekan Selesai",
        ("Gita", "Poli Umum"): "menunggu hasil dari ruang lain",
        ("Gita", "Laboratorium"): "belum ditekan Selesai",
        ("Hadi", "Farmasi"): "belum ditekan Selesai",
    }
    served, waiting = pharmacy.pharmacy_entry(made["Hadi"]), factories.entry()
    since = {one.entry_ref: one.since for one in unfinished.of_day(days.current_day())}
    assert since[served.public_id] == served.started_at > served.queued_at
    assert since[waiting.public_id] == waiting.queued_at


def test_what_the_end_cut_off_is_completed_afterwards(app, folder):
    served, unseen = begun(), factories.entry(person=factories.patient("Ani"))
    close(folder)
    room = [factories.poli().id]
    assert [one.entry_ref for one in unfinished.in_rooms(room)] == [served.public_id]
    assert room_page.present(*room, room).cut_off == 1
    with pytest.raises(QueueError, match="tidak selesai pada hari layanannya"):
        written(served, disposition="rujuk_internal", refer_to="LAB")
    examination = written(served)
    db.session.refresh(served)
    assert (served.state, served.visit.status) == (EntryState.DONE, VisitStatus.FINISHED)
    assert examination.finished_at > days.latest_day().closed_at
    assert room_page.present(*room, room).cut_off == 0
    with pytest.raises(records.NotOpen):
        written(unseen)


@sqlite_only
def test_a_rooms_list_of_what_was_cut_off_is_for_who_still_has_to_write(app, folder):
    """Not for medicines that nobody fetched, nor for whom the laboratory's result came too late."""
    prescribed("Ani")
    test_laboratory.sent(person=factories.patient("Budi"))
    begun(person=factories.patient("Cici"))
    close(folder)
    with transaction():
        days.latest_day().on -= timedelta(days=2)
    begun(person=factories.patient("Dedi"))
    close(folder)
    room, pharmacy_room = factories.poli().id, factories.poli("FARMASI").id
    listed = unfinished.in_rooms([room, pharmacy_room])
    assert [one.patient for one in listed] == ["Dedi", "Cici"], "the latest day first"
    assert room_page.present(room, [room]).cut_off == 2


@sqlite_only
def test_what_was_cut_off_long_ago_is_on_no_list_and_opens_no_record(app, folder):
    served = begun()
    person, room = served.visit.patient, [factories.poli().id]
    close(folder)
    for back, is_known in ((unfinished.KEPT_ON_LISTS - HOUR, True), (2 * HOUR, False)):
        with transaction():
            days.latest_day().on -= timedelta(days=2)
            db.session.get(QueueEntry, served.id).ended_at -= back
        assert bool(unfinished.in_rooms(room)) is is_known
        assert unfinished.is_or_was_in(person, room) is is_known
        assert room_page.present(*room, room).cut_off == is_known


@sqlite_only
def test_who_was_served_is_in_the_room_until_the_next_day_and_in_no_other(app):
    served = begun()
    written(served)
    person, room = served.visit.patient, [factories.poli().id]
    assert unfinished.is_or_was_in(person, room)
    assert not unfinished.is_or_was_in(person, [factories.poli("GIGI").id])
    with transaction():
        days.latest_day().on -= timedelta(days=2)
    assert not unfinished.is_or_was_in(person, room)


def test_every_rooms_open_page_learns_that_the_day_was_closed_and_opened_again(app, folder):
    """Also a page that asks neither before nor while it is closed."""
    waiting = factories.entry("KIA", factories.patient("Ani"))
    before = queues.room_queue(waiting.poli, days.current_day()).version
    close(folder)
    factories.entry()  # in another room: the day goes on
    assert queue_version.present_version(waiting.poli_id) != before
    closed_again = queues.room_queue(waiting.poli, days.current_day()).version
    close(folder)
    with transaction():
        closing.take_back(factories.actor("kepala"), days.latest_day())
    assert queue_version.present_version(waiting.poli_id) not in (before, closed_again)


@sqlite_only
def test_a_closed_day_keeps_the_time_of_its_closing_when_the_next_one_begins(app, folder):
    factories.entry()
    close(folder)
    with transaction():
        before = days.latest_day()
        before.on -= timedelta(days=2)
        closed_at = before.closed_at
    with transaction():
        assert days.open_day() != before
    db.session.refresh(before)
    assert before.closed_at == closed_at


@sqlite_only
def test_a_patient_who_comes_after_the_end_opens_the_day_again(app, folder):
    first = factories.entry()
    close(folder)
    late = factories.entry(person=factories.patient("Ani"))
    day = days.current_day()
    assert late.service_day_id == first.service_day_id == day.id
    assert set(states().values()) == {StepState.OUTDATED}
    take(late, "panggil", "mulai")
    db.session.refresh(first)
    assert first.state is EntryState.UNFINISHED, "who went home does not come back by itself"
    work(folder, utcnow())
    assert set(states().values()) == {StepState.OUTDATED}, "not closed under the late patient"
    with transaction():
        db.session.add(ServiceDay(on=day.on - timedelta(days=1), opened_at=utcnow()))
    with transaction():
        closing.ask_when_due(at_clock(0))
    assert set(states().values()) == {StepState.OUTDATED}, "nor with the day before"
    work(folder, utcnow())
    close(folder)
    assert states() == DONE


def test_a_day_closed_by_mistake_goes_on_as_it_stood(app, folder):
    waiting, served = factories.entry(), begun(person=factories.patient("Ani"))
    take(waiting, "panggil")
    close(folder)
    with transaction():
        assert closing.take_back(factories.actor("kepala"), days.latest_day()) == 2
    db.session.rollback()
    assert days.current_day() is not None
    for entry, state in ((waiting, EntryState.CALLED), (served, EntryState.IN_SERVICE)):
        assert (entry.state, entry.ended_at, entry.reason) == (state, None, "")
        assert entry.visit.status is VisitStatus.OPEN
    take(waiting, "urungkan")
    db.session.refresh(waiting)
    assert waiting.state is EntryState.WAITING, "the call before the closing is undone"
    with pytest.raises(closing.ClosingError, match="belum ditutup"), transaction():
        closing.take_back(factories.actor("kepala"), days.latest_day())


def test_who_stands_again_in_a_room_that_was_closed_is_found(app, folder, sign_in):
    entry, links = factories.entry("GIZI"), ('href="/poli/GIZI"', 'href="/poli/UMUM"')
    close(folder)
    with transaction():
        factories.poli("GIZI").is_active = False
    head, staff = sign_in("kepala"), sign_in("umum")
    assert links[0] not in head.get("/poli").text
    assert head.get("/layar/GIZI").status_code == 404
    with transaction():
        closing.take_back(factories.actor("kepala"), days.latest_day())
    for page in (head.get("/poli"), staff.get("/poli/UMUM")):
        assert all(link in page.text for link in links)
    assert entry.visit.label in head.get("/layar/GIZI").text
    assert links[0] not in sign_in("kia").get("/poli/KIA").text
    with transaction():
        queues.act(factories.actor("umum"), db.session.get(QueueEntry, entry.id), "batal", "pulang")
    assert links[0] not in head.get("/poli").text


def test_a_room_that_was_closed_stays_in_sight_until_all_begun_there_is_written(
    app, folder, sign_in
):
    served, link = begun(), 'href="/poli/UMUM"'
    close(folder)
    with transaction():
        factories.poli("UMUM").is_active = False
    head, staff = sign_in("kepala"), sign_in("umum")
    assert all(link in page.text for page in (head.get("/poli"), staff.get("/poli/GIZI")))
    assert "1 pemeriksaan" in head.get("/poli/UMUM").text
    assert head.get("/layar/UMUM").status_code == 404, "nobody is called there"
    assert link not in sign_in("kia").get("/poli/KIA").text
    written(served)
    assert not any(link in page.text for page in (head.get("/poli"), staff.get("/poli/GIZI")))


def test_who_was_cut_off_too_early_comes_back_once_the_day_goes_on(app, folder, sign_in):
    """Referred: one closing has ended the stay in both rooms, and both go on."""
    served = begun()
    with transaction():
        laboratory = factories.poli("LAB")
        entry = db.session.get(QueueEntry, served.id)
        sent = queues.refer(factories.actor("umum"), entry, laboratory, "periksa darah")
    assert closing.still_here(days.latest_day()) == 1, "one patient, in two rooms"
    close(folder)
    with pytest.raises(QueueError, match="sudah berakhir"):
        take(served, "urungkan")
    factories.entry(person=factories.patient("Ani"))  # opens the day again
    head, address = sign_in("kepala"), f"/tutup-hari/{days.latest_day().public_id}"
    assert "tekan <b>Urungkan</b>" in head.get(address).text
    undone = post(head, f"/antrean/{sent.public_id}/urungkan")
    assert undone.status_code == 303
    db.session.rollback()
    for entry, state in ((served, EntryState.AWAITING_RESULT), (sent, EntryState.WAITING)):
        db.session.refresh(entry)
        assert (entry.state, entry.ended_at, entry.reason) == (state, None, "")
    assert served.visit.status is VisitStatus.OPEN
    noted = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "undo")).one()
    assert (noted.object_ref, noted.user_id) == (sent.public_id, factories.user("kepala").id)
    assert noted.patient_ref == served.visit.patient.public_id
    assert "tekan <b>Urungkan</b>" not in head.get(address).text
    close(folder)
    db.session.refresh(sent)
    assert sent.state is EntryState.UNFINISHED


@sqlite_only
def test_no_step_is_undone_on_a_closed_day_where_nobody_would_see_the_patient(app, folder, sign_in):
    entry, doctor = factories.entry(), sign_in("umum")
    with transaction():
        queues.act(factories.actor("umum"), db.session.get(QueueEntry, entry.id), "pulang", "lama")
    close(folder)
    address = f"/antrean/{entry.public_id}/urungkan"
    refused = post(doctor, address)
    assert refused.status_code == 409
    assert "Minta kepala puskesmas membuka lagi hari ini" in refused.text
    assert "urungkan" not in doctor.get(f"/antrean/{entry.public_id}/lainnya").text
    db.session.refresh(entry)
    assert (entry.state, entry.visit.status) == (EntryState.LEFT, VisitStatus.LEFT)
    with transaction():
        closing.take_back(factories.actor("kepala"), days.latest_day())
    assert post(doctor, address).status_code == 303
    db.session.refresh(entry)
    assert entry.state is EntryState.WAITING


def test_who_came_again_after_a_closing_stands_there_once_when_it_is_taken_back(
    app, folder, sign_in
):
    first = factories.entry()
    other = factories.entry("GIGI", factories.patient("Ani"))
    close(folder)
    with transaction():
        days.open_day()
        again = db.session.get(Visit, first.visit_id)
        again = queues.enqueue(factories.actor(), again, factories.poli("UMUM"))
    close(folder)
    address = f"/tutup-hari/{days.latest_day().public_id}/buka"
    assert post(sign_in("kepala"), address).status_code == 303
    db.session.rollback()
    stays = {entry.id: entry.state for entry in db.session.scalars(select(QueueEntry))}
    assert stays == {
        first.id: EntryState.UNFINISHED,
        again.id: EntryState.WAITING,
        other.id: EntryState.WAITING,
    }


def test_the_end_of_a_stay_is_not_undone_beside_a_later_one(app, folder, sign_in):
    first = factories.entry()
    close(folder)
    with transaction():
        days.open_day()
        visit = db.session.get(Visit, first.visit_id)
        queues.enqueue(factories.actor(), visit, factories.poli("UMUM"))
    refused = post(sign_in("kepala"), f"/antrean/{first.public_id}/urungkan")
    assert refused.status_code == 409
    db.session.refresh(first)
    assert first.state is EntryState.UNFINISHED


@sqlite_only
def test_a_day_is_opened_again_where_an_earlier_stay_in_the_room_was_undone_meanwhile(
    app, folder, sign_in
):
    """Cancelled, added again, cut off; then an earlier version undid the cancelling."""
    first = factories.entry()
    with transaction():
        queues.act(factories.actor(), db.session.get(QueueEntry, first.id), "batal", "salah")
        visit = db.session.get(Visit, first.visit_id)
        again = queues.enqueue(factories.actor(), visit, factories.poli("UMUM"))
    close(folder)
    with transaction():
        stored = db.session.get(QueueEntry, first.id)
        stored.state, stored.ended_at = EntryState.WAITING, None
    head = sign_in("kepala")
    address = f"/tutup-hari/{days.latest_day().public_id}/buka"
    assert post(head, address).status_code == 303
    assert post(head, f"/antrean/{again.public_id}/urungkan").status_code == 409
    db.session.rollback()
    stays = {entry.id: entry.state for entry in db.session.scalars(select(QueueEntry))}
    assert stays == {first.id: EntryState.WAITING, again.id: EntryState.UNFINISHED}


def test_who_was_added_again_by_mistake_stands_where_the_closing_cut_off(app):
    first = factories.entry()
    with transaction():
        days.end(days.latest_day(), utcnow())
    with transaction():
        days.open_day()
        visit = db.session.get(Visit, first.visit_id)
        again = queues.enqueue(factories.actor(), visit, factories.poli("UMUM"))
        queues.act(factories.actor("umum"), again, "batal", "sudah terdaftar")
    ends = days.cut_off(QueueEntry.visit_id == first.visit_id)
    assert [event.entry_id for event in ends] == [first.id]


@sqlite_only
def test_a_backup_that_is_still_being_copied_is_waited_for(app, folder, tmp_path):
    usb = str(tmp_path / "not plugged in")
    settle("backup_places", usb)
    factories.entry()
    ask()
    closing_work.work(folder, utcnow())
    backup_worker.run(folder)
    with transaction():  # as between the server's own disk and the other places
        db.session.execute(delete(BackupCopy).where(BackupCopy.place == usb))
    closing_work.work(folder, utcnow())
    assert states()[StepName.BACKUP] is StepState.RUNNING
    backup_worker.copy_to(folder, [usb])
    closing_work.work(folder, utcnow())
    assert states()[StepName.BACKUP] is StepState.FAILED
    assert usb in notes()[StepName.BACKUP]


@sqlite_only
def test_closing_an_earlier_day_takes_nobody_out_of_todays_line(app, folder):
    factories.entry()
    with transaction():
        earlier = days.latest_day()
        earlier.on -= timedelta(days=2)
    waiting = factories.entry(person=factories.patient("Ani"))
    ask(day=earlier)
    work(folder)
    assert states(earlier)[StepName.VISITS] is StepState.DONE
    db.session.refresh(waiting)
    assert (waiting.state, waiting.visit.status) == (EntryState.WAITING, VisitStatus.OPEN)


@sqlite_only
def test_an_earlier_day_is_not_opened_again(app, folder):
    factories.entry()
    close(folder)
    with transaction():
        days.latest_day().on -= timedelta(days=2)  # one still goes on before 04.00
    with pytest.raises(closing.ClosingError, match="Hanya hari ini"), transaction():
        closing.take_back(factories.actor("kepala"), days.latest_day())


@sqlite_only
def test_a_failed_step_says_why_and_holds_up_no_other(app, folder):
    factories.entry()
    close(folder, is_told=False)
    assert states() == DONE | {StepName.OUTBOX: StepState.FAILED}
    assert notes()[StepName.OUTBOX].startswith("1 kunjungan tidak ada di antrean kirim")
    work(folder, utcnow())
    assert closing.steps(days.latest_day())[-1].tries == 1, "not tried again at once"
    tell_outbox()
    work(folder, utcnow() + closing_work.TRY_AGAIN)
    assert states() == DONE


@sqlite_only
def test_a_step_that_breaks_is_a_failed_step(app, folder, monkeypatch):
    factories.entry()

    def broken(_this):
        raise OSError("disk")

    monkeypatch.setitem(closing_work.TAKEN, StepName.OUTBOX, broken)
    close(folder)
    assert states()[StepName.OUTBOX] is StepState.FAILED
    assert notes()[StepName.OUTBOX] == closing_work.UNEXPECTED


@sqlite_only
def test_a_step_whose_worker_died_is_taken_again(app, folder):
    factories.entry()
    tell_outbox()
    ask()
    with transaction():
        step = closing.steps(days.latest_day())[0]
        step.state, step.started_at, step.tries = StepState.RUNNING, utcnow(), 1
    work(folder, utcnow())
    assert states() == DONE
    assert closing.steps(days.latest_day())[0].tries == 1, "the same try, gone on with"


@sqlite_only
def test_a_running_closing_is_not_asked_for_twice(app):
    factories.entry()
    ask()
    with pytest.raises(closing.ClosingError, match="sedang berjalan"):
        ask()
    with pytest.raises(closing.ClosingError), transaction():
        closing.ask_again(factories.actor("kepala"), closing.steps(days.latest_day())[0])
    assert db.session.query(ClosingStep).count() == len(StepName)


@sqlite_only
def test_it_closes_by_itself_from_the_set_time_on(app):
    written(begun())
    assert due(at_clock(14, 59)) == {}
    assert set(due(at_clock(15, 0)).values()) == {StepState.WAITING}
    assert closing.steps(days.latest_day())[0].asked_by is None


@sqlite_only
def test_without_a_set_time_it_closes_when_the_next_day_is_there(app):
    settle("closes_at", "")
    written(begun())
    assert due(at_clock(3, 59, days_on=1)) == {}, "the night belongs to the day before"
    assert set(due(at_clock(4, 0, days_on=1)).values()) == {StepState.WAITING}


@sqlite_only
def test_a_time_after_midnight_is_of_the_night_that_ends_the_day(app):
    settle("closes_at", "00.30")
    written(begun())
    assert due(at_clock(15, 0)) == due(at_clock(0, 29, days_on=1)) == {}
    assert set(due(at_clock(0, 30, days_on=1)).values()) == {StepState.WAITING}


def test_patients_in_the_queue_hold_it_up_until_nothing_has_happened_for_long(app):
    entry = factories.entry()
    with transaction():
        db.session.get(QueueEntry, entry.id).queued_at = at_clock(14, 50)
    assert due(at_clock(15, 0)) == {}
    assert due(at_clock(16, 49)) == {}
    assert set(due(at_clock(16, 50)).values()) == {StepState.WAITING}


def quiet_for(entry, since):
    with transaction():
        found = db.session.get(QueueEntry, entry.id)
        found.queued_at = found.called_at = found.started_at = since


def saved(entry):
    with transaction():
        found = db.session.get(QueueEntry, entry.id)
        records.save(factories.actor("umum"), found, ExaminationInput(plan="observasi"), 0)


def measured(entry):
    with transaction():
        visit = db.session.get(Visit, entry.visit_id)
        measure(factories.actor("gigi"), visit, None, {"pulse": 88})


def typed_only(entry):
    with transaction():
        place = unsaved.Place(db.session.get(QueueEntry, entry.id))
        typed = unsaved.Typed([unsaved.Key("tab")], 1, 0, [("plan", "observasi")])
        unsaved.keep(factories.actor("umum"), place, typed)


def taken_back(_entry):
    with transaction():
        days.end(days.latest_day(), utcnow())
    with transaction():
        closing.take_back(factories.actor("kepala"), days.latest_day())


def only_read(entry):
    with transaction():
        audit.record(factories.actor("kepala"), "view_record", entry.visit.patient)


@pytest.mark.parametrize(
    ("does", "is_held_up"),
    [(saved, True), (measured, True), (typed_only, True), (taken_back, True), (only_read, False)],
)
def test_who_is_treated_for_hours_without_a_step_of_the_queue_holds_it_up(app, does, is_held_up):
    """A birth, an observation: what is written of the patient says that somebody is there."""
    entry = factories.entry()
    with transaction():
        queues.act(audit.SYSTEM, db.session.get(QueueEntry, entry.id), "mulai")
    quiet_for(entry, utcnow() - timedelta(hours=3))
    day = days.latest_day()
    assert not activity.is_looked_after(day, utcnow())
    does(entry)
    assert activity.is_looked_after(day, utcnow()) is is_held_up
    assert not activity.is_looked_after(day, utcnow() + activity.QUIET)


@sqlite_only
def test_the_machine_was_off(app, folder):
    """Today's first patient came before the worker did: each day gets what it needs."""
    factories.entry()
    with transaction():
        before = days.latest_day()
        before.on -= timedelta(days=2)  # one still goes on before 04.00
    factories.entry(person=factories.patient("Ani"))
    tell_outbox()
    with transaction():
        closing.ask_when_due(utcnow())
    work(folder, utcnow())
    assert states(before) == DONE
    assert states() == {}


@sqlite_only
def test_the_worker_asks_and_the_trail_says_who(app):
    settle("closes_at", "04.00")
    written(begun())
    worker.run_once(utcnow())
    trail = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "close_day")).all()
    assert [(row.user_id, row.object_ref) for row in trail] == [(None, days.latest_day().public_id)]


@sqlite_only
@pytest.mark.parametrize(("typed", "stored"), [("15:30", "15.30"), ("7.05", "07.05"), ("", "")])
def test_the_time_as_it_is_typed(app, typed, stored):
    assert settings.parse("closes_at", typed) == stored


@sqlite_only
@pytest.mark.parametrize("typed", ["24.00", "15.60", "siang", "15", "7.5", "415"])
def test_no_time(app, typed):
    with pytest.raises(settings.SettingError, match="15.00"):
        settings.parse("closes_at", typed)


# --- Pages ------------------------------------------------------------------------------------


@sqlite_only
def test_the_page_closes_repeats_and_opens_again(app, sign_in, folder):
    head = sign_in("kepala")
    assert "Belum ada hari layanan" in head.get("/tutup-hari").text
    entry = factories.entry()
    page = head.get("/tutup-hari")
    assert "1 pasien masih di antrean" in page.text
    address = f"/tutup-hari/{days.latest_day().public_id}"
    refused = post(head, f"{address}/tutup")
    assert refused.status_code == 422
    assert "Beri centang" in refused.text
    assert post(head, f"{address}/tutup", {"yakin": "ya"}).status_code == 303
    assert "data-poll" in head.get(f"{address}/langkah").text
    assert post(head, f"{address}/tutup", {"yakin": "ya"}).status_code == 409
    work(folder, utcnow())
    assert head.get(f"{address}/langkah").headers["HX-Refresh"] == "true"
    page = head.get(address)
    assert "Ditutup" in page.text
    assert "belum dilayani" in page.text
    assert entry.visit.patient.name in page.text
    assert post(head, f"{address}/ulangi/outbox").status_code == 303
    assert post(head, f"{address}/ulangi/apa").status_code == 404
    work(folder, utcnow())
    assert post(head, f"{address}/buka").status_code == 303
    assert post(head, f"{address}/ulangi/outbox").status_code == 409, "the day is closed anew"
    assert "1 pasien masih di antrean" in head.get(address).text
    assert head.get("/tutup-hari/tidak-ada").status_code == 404
    by_head = AuditEntry.user_id == factories.user("kepala").id
    trail = select(AuditEntry.action).where(by_head, AuditEntry.object_type == "service_day")
    steps = list(db.session.scalars(trail.order_by(AuditEntry.seq)))
    assert steps == ["close_day", "repeat_closing", "reopen_day"]


@sqlite_only
def test_the_operator_sees_no_patient(app, sign_in):
    entry = factories.entry()
    page = sign_in("ti").get("/tutup-hari")
    assert entry.visit.label in page.text
    assert entry.visit.patient.name not in page.text


@sqlite_only
def test_a_doctor_completes_what_was_cut_off(app, sign_in, folder):
    entry, doctor = begun(person=factories.patient(birth_order=2)), sign_in("umum")
    close(folder)
    assert "1 pemeriksaan hari ini belum selesai" in doctor.get("/poli/UMUM").text
    page = doctor.get("/poli/UMUM/belum-selesai")
    assert "Siti Aminah (bayi ke-2)" in page.text
    assert "pemeriksaan belum ditulis" in page.text
    address = f"/kunjungan/{entry.visit.public_id}?antrean={entry.public_id}"
    assert address.replace("&", "&amp;") in page.text
    form = doctor.get(address)
    assert 'name="assessment"' in form.text
    assert "Tidak ada yang tertinggal" in sign_in("kepala").get("/poli/GIGI/belum-selesai").text
    with transaction():
        days.latest_day().on -= timedelta(days=3)
    assert 'name="assessment"' in doctor.get(address).text, "days later too"


def test_a_room_is_told_that_the_day_was_closed(app, sign_in, folder):
    entry, doctor = begun(), sign_in("umum")
    factories.entry("UMUM", factories.patient("Orang lain"))
    factories.entry("GIGI", factories.patient("Orang ketiga"))
    close(folder)
    page = doctor.get("/poli/UMUM").text
    assert "Hari ini ditutup pukul" in page
    assert "2 pasien belum selesai. Kepala puskesmas dapat membukanya lagi." in page
    assert "Pasien baru muncul" not in page
    pressed = post(doctor, "/poli/UMUM/panggil")
    assert pressed.status_code == 200
    assert "Hari ini sudah ditutup" in pressed.text
    assert "Tidak ada pasien yang menunggu" not in pressed.text
    ended = db.session.get(QueueEntry, entry.id)
    assert ended.reason == "Hari layanan ditutup"
    with transaction():
        days.latest_day().on -= timedelta(days=3)
    app.extensions.pop("drawn_queues")
    later = doctor.get("/poli/UMUM").text
    assert "Pasien baru muncul" in later
    assert "ditutup pukul" not in later
    assert "1 pemeriksaan hari lalu belum selesai" in later
    close_by = begun()
    close(folder)
    assert close_by.service_day_id != entry.service_day_id
    mixed = doctor.get("/poli/UMUM").text
    assert "2 pemeriksaan hari lalu dan hari ini belum selesai" in mixed


@sqlite_only
def test_what_a_doctor_completes_is_stored_as_a_browser_sends_it(app, sign_in, folder):
    """Every field of the form, the empty vital signs too."""
    entry, doctor = begun(), sign_in("umum")
    address = f"/kunjungan/{entry.visit.public_id}?antrean={entry.public_id}"
    draft = dict.fromkeys(VITALS, "") | {"entry": entry.public_id, "version": "0"}
    draft |= {"aksi": "simpan", "assessment": "ISPA"}
    doctor.get(address)
    assert post(doctor, address, draft).status_code == 303
    close(folder)
    db.session.rollback()
    ended_at = db.session.get(QueueEntry, entry.id).ended_at
    sent = fields_of(doctor.get(address))
    assert all(sent[name] == [""] for name in VITALS)
    ended = sent | {"aksi": "simpan", "plan": "minum banyak"}
    assert post(doctor, address, ended).status_code == 303
    late = fields_of(doctor.get(address)) | {"temperature": "37,9"}
    late |= {"aksi": "selesai", "disposition": "pulang"}
    assert post(doctor, address, late).status_code == 303
    db.session.rollback()
    examination = db.session.get(QueueEntry, entry.id).examination
    assert examination.finished_at and examination.plan == "minum banyak"
    measured = db.session.scalars(select(VitalSigns)).one()
    assert (str(measured.temperature), measured.occurred_at) == ("37.9", ended_at)
    assert measured.recorded_at > ended_at


@sqlite_only
def test_nobody_measures_a_patient_who_has_gone(app, folder):
    entry = factories.entry()
    close(folder)
    with pytest.raises(NotOpen, match="sudah berakhir"), transaction():
        measure(factories.actor("umum"), db.session.get(Visit, entry.visit_id), None, {"pulse": 80})
    with transaction():
        visit = db.session.get(Visit, entry.visit_id)
        assert measure(factories.actor("umum"), visit, None, {"pulse": None}) is None


@sqlite_only
def test_nothing_of_a_day_is_lost_or_numbered_anew(app, folder):
    before = factories.entry().visit.label
    close(folder)
    after = factories.entry(person=factories.patient("Ani")).visit.label
    assert (before, after) == ("U001", "U002")
    assert db.session.query(ServiceDay).count() == 1


def test_what_is_added_to_a_closed_day_is_reported_with_the_next_close(app, folder):
    factories.entry()
    with transaction():
        yesterday = days.latest_day()
        yesterday.on -= timedelta(days=1)
    close(folder)
    factories.entry(person=factories.patient("Ani"))
    with transaction():
        assert days.day_of(utcnow() - timedelta(days=1)).id == yesterday.id
    assert set(states(yesterday).values()) == {StepState.OUTDATED}
    with transaction():
        closing.ask_when_due(at_clock(8))
    assert set(states(yesterday).values()) == {StepState.OUTDATED}, "not after each line"
    close(folder)
    assert states(yesterday) == states() == DONE, notes()


def test_days_that_are_known_from_slips_alone_are_closed_with_the_next_close(app, folder):
    """The clinic was without current for days: each of them gets its steps, not the last only."""
    on_paper = []
    for ago in (3, 2, 1):
        with transaction():
            day = days.day_of(utcnow() - timedelta(days=ago))
            assert day.closed_at is not None
            on_paper.append(day)
    factories.entry()
    with transaction():
        closing.ask_when_due(at_clock(0))
    assert set(states(on_paper[-1]).values()) == {StepState.OUTDATED}, "not before today's"
    close(folder)
    for _ in on_paper:
        work(folder)
    assert [states(day) for day in on_paper] == [DONE] * 3, notes()


@sqlite_only
def test_the_system_page_says_how_the_last_day_was_closed(app, folder):
    def line():
        return next(one for one in system_status.checks(folder) if one.name == "Tutup hari")

    factories.entry()
    assert (line().state, line().figures) == ("Baik", "belum ada")
    close(folder, is_told=False)
    assert line().state == "Masalah"
    tell_outbox()
    work(folder, utcnow() + closing_work.TRY_AGAIN)
    on = long_date(days.latest_day().on)
    assert (line().state, line().figures) == ("Baik", on)
    assert system_status.service_day(utcnow()).figures == f"{on}, sudah ditutup"
