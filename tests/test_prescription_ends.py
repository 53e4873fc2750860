"""How prescriptions end: taken back in time, never sent, fetched on another day, or not at all."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from clinic import (
    allergies,
    days,
    dispensing,
    dispensing_queue,
    history,
    prescription_changes,
    prescription_warnings,
    prescriptions,
    queues,
)
from clinic.dispensing_steps import Changed
from clinic.record_errors import NotOpen, RecordError
from db import db, transaction, utcnow
from models import (
    AuditEntry,
    Dispensing,
    EntryState,
    Prescription,
    PrescriptionLine,
    PrescriptionState,
    QueueEntry,
    ServiceDay,
    StockMove,
    Visit,
    VisitStatus,
)
from tests import factories, pharmacy
from tests.databases import count_queries
from tests.pages import post
from tests.test_dispensing import hand_over, ready
from tests.test_prescriptions import PCT, finish, of, save, served
from tests.test_stock_pages import words_of

PCT_TITLE = "Parasetamol 500 mg tablet"
TAKEN = "Farmasi sudah menyerahkan"


def cancel(made, reason="salah obat") -> None:
    with transaction():
        found = prescriptions.by_ref(made.public_id)
        prescription_changes.cancel(factories.actor("umum"), found, reason)


def state_of(made) -> PrescriptionState:
    db.session.rollback()
    return prescriptions.by_ref(made.public_id).state


def one_line(quantity=10, stocked=50, **options):
    of = pharmacy.medicine()
    pharmacy.receive(of, stocked)
    return pharmacy.line(of, quantity)


def next_day() -> None:
    with transaction():
        for day in db.session.scalars(select(ServiceDay).order_by(ServiceDay.on)).all():
            day.on -= timedelta(days=2)
            db.session.flush()
        days.open_day()


# --- Taken back by who wrote it ---------------------------------------------------------------


def test_a_reviewed_one_is_taken_back_while_nothing_of_it_was_given(app):
    made = ready(one_line())
    cancel(made)
    assert state_of(made) is PrescriptionState.CANCELLED


@pytest.mark.engines("sqlite")
def test_who_saw_it_before_a_line_was_taken_back_hands_nothing_out(app):
    made = ready(one_line(), pharmacy.line(pharmacy.medicine()))
    seen = prescriptions.by_ref(made.public_id).version
    with transaction():
        (_, second) = prescriptions.active_lines(prescriptions.by_ref(made.public_id))
        prescription_changes.cancel_line(factories.actor("umum"), second, "salah obat")
    with pytest.raises(Changed, match="baru saja diubah"):
        hand_over(made, version=seen)
    assert state_of(made) is PrescriptionState.REVIEWED


def test_what_was_begun_to_be_given_is_not_taken_back(app):
    of = pharmacy.medicine()
    batch = pharmacy.receive(of, 50)
    made = ready(pharmacy.line(of), one_line())
    first, second = (line.id for line in made.lines)
    held = {"line_id": first, "medicine_id": of.id, "batch_id": batch.id, "quantity": 4}
    with transaction():
        db.session.add(Dispensing(given_by_id=factories.user("farmasi").id, **held))
    assert state_of(made) is PrescriptionState.REVIEWED
    with pytest.raises(RecordError, match=TAKEN):
        cancel(made)
    with pytest.raises(RecordError, match=TAKEN), transaction():
        line = db.session.get(PrescriptionLine, second)
        prescription_changes.cancel_line(factories.actor("umum"), line, "salah")
    assert state_of(made) is PrescriptionState.REVIEWED


def test_who_gives_and_who_cancels_at_once_get_one_result_and_a_sentence(app):
    made = ready(one_line())
    ref, version = made.public_id, prescriptions.by_ref(made.public_id).version
    entry_id, gate = pharmacy.pharmacy_entry(made).id, threading.Barrier(2)
    doctor, pharmacist = factories.actor("umum"), factories.actor("farmasi")
    db.session.rollback()

    def press(gives: bool) -> str:
        with app.app_context():
            gate.wait(30)
            try:
                with transaction():
                    if gives:
                        entry = db.session.get(QueueEntry, entry_id)
                        dispensing.hand_over(pharmacist, entry, ref, version, {})
                    else:
                        found = prescriptions.by_ref(ref)
                        prescription_changes.cancel(doctor, found, "salah obat")
            except RecordError as refused:
                return str(refused)
            finally:
                db.session.remove()
        return ""

    with ThreadPoolExecutor(2) as pool:
        given, cancelled = pool.map(press, (True, False))
    if given:
        assert (state_of(made), cancelled) == (PrescriptionState.CANCELLED, "")
        assert "sudah dibatalkan" in given
    else:
        assert state_of(made) is PrescriptionState.DISPENSED
        assert TAKEN in cancelled


# --- Never sent -------------------------------------------------------------------------------


def drafted() -> QueueEntry:
    entry = served()
    save(entry, PCT)
    return entry


def step(entry, action, **how) -> None:
    with transaction():
        queues.act(factories.actor("umum"), db.session.get(QueueEntry, entry.id), action, **how)


def in_record(entry) -> list:
    db.session.rollback()
    return list(history.visit_summary(entry.visit).prescriptions)


@pytest.mark.parametrize("action", ["pindah", "batal"])
def test_a_draft_ends_with_its_stay_and_an_undone_step_gives_it_back(app, action):
    entry = drafted()
    assert in_record(entry) == []
    with transaction():  # so that the visit goes on
        queues.enqueue(factories.actor(), entry.visit, factories.poli("KIA"))
    target = factories.poli("GIGI") if action == "pindah" else None
    step(entry, action, reason="salah poli", target=target)
    (report,) = in_record(entry)
    assert (report.state_text, [line.title for line in report.lines]) == ("tidak jadi", [PCT_TITLE])
    assert report.close_reason.endswith("sebelum Selesai: salah poli")
    assert not report.is_open and report.short_text == ""
    assert not dispensing_queue.waiting(entry.visit.service_day, utcnow())
    step(entry, "urungkan")
    assert of(entry).state is PrescriptionState.DRAFT
    finish(entry, PCT, version=1)
    assert of(entry).state is PrescriptionState.SENT


def test_what_was_dropped_warns_of_nothing_in_the_next_room(app):
    entry = drafted()
    step(entry, "pindah", reason="salah poli", target=factories.poli("GIGI"))
    there = next(each for each in entry.visit.entries if each.poli.code == "GIGI")
    with transaction():
        queues.act(factories.actor("gigi"), there, "mulai", "Cocok dengan kartu")
    finish(there, PCT, by="gigi")
    assert of(there).state is PrescriptionState.SENT
    assert [report.state_text for report in in_record(there)] == ["tidak jadi", "menunggu farmasi"]


def test_what_the_end_of_a_day_cut_off_is_sent_when_its_examination_is_completed(app):
    entry, sent = drafted(), served("GIGI", "gigi", factories.patient("Sudah Selesai"))
    finish(sent, PCT, by="gigi")
    next_day()
    assert of(entry).state is PrescriptionState.DRAFT
    assert of(sent).state is PrescriptionState.SENT  # waits for its patient
    finish(entry, PCT, version=1)
    assert of(entry).state is PrescriptionState.SENT
    there = dispensing_queue.entries_of(of(entry).visit)
    assert there == [], "the patient is not there any more"


def completed(doctor, entry) -> str:
    """What the room is told when it finishes what was cut off, as a browser sends it."""
    address = f"/kunjungan/{entry.visit.public_id}?antrean={entry.public_id}"
    sent = {"entry": entry.public_id, "version": "1", "aksi": "selesai", "assessment": "ISPA"}
    told = post(doctor, address, sent | {"disposition": "pulang"}, follow_redirects=True).text
    assert of(entry).state is PrescriptionState.SENT
    return told


@pytest.mark.engines("sqlite")
def test_the_room_is_told_where_a_prescription_went_whose_patient_is_not_there_any_more(
    app, sign_in
):
    doctor, pharmacist = sign_in("umum"), sign_in("farmasi")
    first, second = drafted(), drafted()
    with transaction():
        days.end(days.latest_day(), utcnow())
    told = completed(doctor, first)
    assert "pasien tidak antre" in told and "Hari sebelumnya, belum diambil" in told
    assert "Hari sebelumnya, belum diambil" in pharmacist.get("/farmasi").text
    with transaction():
        days.open_day()
    told = completed(doctor, second)
    assert "pasien tidak antre" in told and "Belum di antrean farmasi" in told
    page = pharmacist.get("/farmasi").text
    assert "Belum di antrean farmasi" in page and "Hari sebelumnya" not in page


def test_an_emptied_draft_is_nobodys(app):
    entry = served()
    save(entry, PCT)
    finish(entry, version=1)
    assert of(entry).state is PrescriptionState.CANCELLED
    assert in_record(entry) == []


# --- Fetched on another day, or not at all ----------------------------------------------------


def left_over(*lines, reviewed=True, **options):
    """A prescription whose day is over; its patient still stood in the pharmacy's queue."""
    made = ready(*lines, **options) if reviewed else pharmacy.prescription(*lines, **options)
    next_day()
    return prescriptions.by_ref(made.public_id)


def hand_over_late(made, version=None, by="farmasi", **given):
    with transaction():
        seen = version or prescriptions.by_ref(made.public_id).version
        said = {
            line.public_id: each for line, each in zip(made.lines, given.values(), strict=False)
        }
        return dispensing.hand_over(factories.actor(by), None, made.public_id, seen, said)


def close(made, reason=dispensing.UNFETCHED, version=None, by="farmasi"):
    with transaction():
        seen = version or prescriptions.by_ref(made.public_id).version
        return dispensing.close_unfetched(factories.actor(by), made.public_id, seen, reason)


def left_as(made) -> tuple:
    """How the day left its queue and visit."""
    entry = pharmacy.pharmacy_entry(made)
    return entry.state, entry.visit.status, entry.ended_at, entry.visit.ended_at


def test_what_is_fetched_the_next_day_changes_no_queue_and_no_visit(app):
    made = left_over(one_line())
    before = left_as(made)
    assert before[:2] == (EntryState.UNFINISHED, VisitStatus.UNFINISHED)
    version = made.version
    hand_over_late(made)
    assert state_of(made) is PrescriptionState.DISPENSED
    assert left_as(made) == before
    assert pharmacy.balance(made.lines[0].medicine) == 40
    with pytest.raises(Changed, match="sudah diserahkan oleh apt. Dewi"):
        hand_over_late(made, version=version, by="kepala")
    assert pharmacy.balance(made.lines[0].medicine) == 40


def test_on_its_day_it_is_not_handed_out_without_the_queue(app):
    made = ready(one_line())
    with pytest.raises(NotOpen):
        hand_over_late(made)
    with pytest.raises(RecordError, match="dari antrean farmasi"):
        close(made)
    assert state_of(made) is PrescriptionState.REVIEWED


def test_late_too_nothing_is_given_before_the_review(app):
    with pytest.raises(RecordError, match="Telaah"):
        hand_over_late(left_over(one_line(), reviewed=False))


def test_what_nobody_fetched_is_closed_with_its_reason_once(app):
    made = left_over(one_line(), pharmacy.line(None), reviewed=False)
    before = left_as(made)
    with pytest.raises(RecordError, match="Tulis alasan"):
        close(made, " ")
    version = made.version
    close(made)
    with pytest.raises(Changed, match="sudah ditutup"):
        close(made, version=version, by="kepala")
    with pytest.raises(Changed, match="sudah ditutup"):
        hand_over_late(made, version=version)
    assert left_as(made) == before
    (report,) = history.visit_summary(made.visit).prescriptions
    assert (report.state_text, report.close_reason) == ("tidak diserahkan", "Tidak diambil")
    assert [line.handed for line in report.lines] == [
        "tidak diserahkan (Tidak diambil)",
        "resep luar, disalin",
    ]
    assert pharmacy.balance(made.lines[0].medicine) == 50
    assert db.session.query(AuditEntry).filter_by(action="close_prescription").count() == 1


def test_what_was_not_fetched_is_not_counted_as_what_the_patient_still_has(app):
    person = factories.patient("Tidak Mengambil")
    entry = served(person=person)
    finish(entry, PCT)
    next_day()
    there = served("GIGI", "gigi", person)
    save(there, PCT, by="gigi")

    def warned() -> list[str]:
        found = prescription_warnings.check(of(there))
        return [each.rule for each in found if each.rule == "MASIH-ADA"]

    assert warned() == ["MASIH-ADA"]
    close(of(entry))
    assert warned() == []


def test_the_worklist_keeps_earlier_ones_apart_for_30_days(app):
    old = left_over(one_line())
    outside = pharmacy.prescription(pharmacy.line(None))  # nothing to fetch here
    next_day()
    today = pharmacy.prescription(one_line())
    day, on = days.current_day(), days.clinic_date()
    assert [each.prescription.id for each in dispensing_queue.waiting(day, utcnow())] == [today.id]
    found, count = dispensing_queue.earlier(day, on)
    assert ([each.id for each in found], count) == ([old.id], 1)
    assert dispensing_queue.earlier(day, on + timedelta(days=31)) == ([], 0)
    assert dispensing_queue.old_count(day, on) == 0
    later = on + timedelta(days=31)
    found, count = dispensing_queue.earlier(day, later, is_old=True)
    assert ([each.id for each in found], count) == ([old.id], 1)
    assert dispensing_queue.old_count(day, later) == 1
    assert outside.state is PrescriptionState.SENT


def test_the_worklist_page_closes_and_hands_out(sign_in):
    unfetched, late = (
        left_over(one_line(), person=factories.patient(name))
        for name in ("Tidak Datang", "Datang Besok")
    )
    client = sign_in("farmasi")
    page = words_of(client.get("/farmasi"))
    assert "Hari sebelumnya, belum diambil 2" in page and "Tidak Datang" in page
    url = f"/farmasi/resep/{unfetched.public_id}/tutup"
    sent = {"version": unfetched.version, "alasan": "Tidak diambil"}
    for username, status in (("umum", 404), ("loket", 403)):
        assert post(sign_in(username), url, sent).status_code == status
    refused = post(client, url, sent | {"alasan": ""}, follow_redirects=True)
    assert "belum ditutup. Tulis alasan" in words_of(refused)
    for _ in range(2):  # a second press is harmless
        assert "ditutup, tidak ada" in words_of(post(client, url, sent, follow_redirects=True))
    assert "sudah ditutup" in words_of(post(sign_in("kepala"), url, sent, follow_redirects=True))
    # The record of who does not stand in a queue today opens with a reason.
    desk = f"/kunjungan/{late.visit.public_id}/farmasi"
    record = f"/pasien/{late.visit.patient.public_id}"
    assert client.get(desk).location == record
    post(client, f"{record}/buka", {"alasan": "mengambil obat kemarin"})
    page = words_of(client.get(desk))
    assert "sudah lewat" in page and "Serahkan obat" in page
    said = {"patient": late.visit.patient.public_id, "version": late.version, "aksi": "serahkan"}
    url = f"/farmasi/resep/{late.public_id}/serahkan"
    done = post(client, url, said, follow_redirects=True)
    assert "Kunjungannya tidak berubah" in words_of(done)
    assert state_of(late) is PrescriptionState.DISPENSED
    assert "Hari sebelumnya" not in words_of(client.get("/farmasi"))


def test_what_is_older_than_30_days_has_a_list_of_its_own_and_is_closed_there(sign_in):
    person = factories.patient("Lama Sekali")
    made = left_over(one_line(), person=person)
    with transaction():
        allergies.add_allergy(factories.actor("umum"), db.session.merge(person), "Udang")
        db.session.get_one(Visit, made.visit_id).service_day.on -= timedelta(days=400)
    client = sign_in("farmasi")
    page = words_of(client.get("/farmasi"))
    assert "Lebih lama (1)" in page and "Lama Sekali" not in page
    page = client.get("/farmasi?masa=lama").get_data(as_text=True)
    assert "Lama Sekali" in page and "Alergi" in page
    url = re.search(r'action="(/farmasi/resep/[^"]+/tutup[^"]*)"', page)[1]
    refused = post(client, url, {"version": made.version, "alasan": ""}, follow_redirects=True)
    assert "Tulis alasan" in words_of(refused) and "Lama Sekali" in words_of(refused)
    sent = {"version": made.version, "alasan": "tidak pernah diambil"}
    done = words_of(post(client, url, sent, follow_redirects=True))
    assert "ditutup" in done and "Lebih lama" not in done
    assert state_of(made) is PrescriptionState.PARTIAL
    assert prescriptions.by_ref(made.public_id).close_reason == "tidak pernah diambil"
    assert not db.session.scalar(select(func.count(StockMove.id)).where(StockMove.kind == "out"))


def test_the_old_ones_are_found_by_the_index_of_the_open_ones(app):
    if db.engine.dialect.name != "sqlite":
        return
    wanted = dispensing_queue._unfetched(None, days.clinic_date(), is_old=True)
    sql = wanted.with_only_columns(func.count(Prescription.id)).compile(
        db.engine, compile_kwargs={"literal_binds": True}
    )
    plan = db.session.execute(text(f"EXPLAIN QUERY PLAN {sql}")).all()
    assert any("ix_prescription_open" in str(step) for step in plan), plan


def test_a_visit_that_never_stood_in_the_pharmacy_left_its_prescription_there(sign_in):
    made = pharmacy.prescription(one_line(), queued=False)
    client, desk = sign_in("farmasi"), f"/kunjungan/{made.visit.public_id}/farmasi"
    assert client.get(desk).status_code == 404  # today the queue brings the patient
    next_day()
    assert client.get(desk).location == f"/pasien/{made.visit.patient.public_id}"
    close(made)
    assert client.get(desk).status_code == 404


def test_who_comes_to_the_pharmacy_for_an_earlier_prescription_is_led_to_it(sign_in):
    person = factories.patient("Ambil Obat Kemarin")
    made = left_over(one_line(), person=person)
    left_over(one_line(), person=factories.patient("Orang Lain"))
    entry, client = factories.entry("FARMASI", person), sign_in("farmasi")
    here = f"/kunjungan/{entry.visit.public_id}"
    with transaction():
        queues.act(factories.actor("farmasi"), entry, "panggil")
    for _ in range(2):  # called, then served
        page = client.get(here)
        assert words_of(page).count("Resep R-") == 1 and f"Resep {made.number}" in words_of(page)
        assert f'href="/kunjungan/{made.visit.public_id}/farmasi"' in page.text
        post(client, f"/antrean/{entry.public_id}/mulai", {"jawaban": "1985"})
    assert "Serahkan obat" in words_of(client.get(f"/kunjungan/{made.visit.public_id}/farmasi"))
    hand_over_late(made)
    page = words_of(client.get(here))
    assert "belum diambil" not in page and "Selesai tanpa pemeriksaan" in page
    more = re.search(r'href="([^"]+)">Lainnya', client.get(here).text)[1]
    assert "Selesai tanpa pemeriksaan" in words_of(client.get(more))
    assert post(client, f"/antrean/{entry.public_id}/selesai").status_code == 303
    assert "Hanya mengambil obat" not in words_of(client.get(here))


@pytest.mark.engines("sqlite")
def test_the_worklist_asks_as_much_for_many_earlier_ones(sign_in):
    client, counts = sign_in("farmasi"), []
    client.is_checking = False
    for number in (1, 21):
        for _ in range(number):
            pharmacy.prescription(one_line(), person=factories.patient(f"Orang {number}"))
        next_day()
        client.get("/farmasi")
        with count_queries() as asked:
            page = client.get("/farmasi", headers={"Accept-Encoding": "gzip"})
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert len(page.data) <= 6 * 1024, len(page.data)
    client.is_checking = True
    assert "Halaman 1 dari 2" in words_of(client.get("/farmasi"))
