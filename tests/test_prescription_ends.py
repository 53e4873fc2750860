"""How prescriptions end: taken back in time, never sent, fetched on another day, or not at all."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic import (
    days,
    dispensing,
    history,
    prescription_changes,
    prescription_queue,
    prescriptions,
    queues,
)
from clinic.record_errors import RecordError
from db import db, transaction
from models import AuditEntry, Dispensing, PrescriptionLine, PrescriptionState, QueueEntry
from tests import factories, pharmacy
from tests.test_dispensing import ready
from tests.test_prescriptions import PCT, finish, of, save, served

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


# --- Taken back by who wrote it ---------------------------------------------------------------


def test_a_reviewed_one_is_taken_back_while_nothing_of_it_was_given(app):
    made = ready(one_line())
    cancel(made)
    assert state_of(made) is PrescriptionState.CANCELLED


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
    assert not prescription_queue.unqueued(entry.visit.service_day)
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


def test_the_end_of_a_day_ends_its_drafts_without_anybody(app):
    entry, sent = drafted(), served("GIGI", "gigi", factories.patient("Sudah Selesai"))
    finish(sent, PCT, by="gigi")
    next_day()
    found = of(entry)
    assert (found.state, found.close_reason) == (
        PrescriptionState.CANCELLED,
        "Hari layanan berganti",
    )
    assert of(sent).state is PrescriptionState.SENT  # waits for its patient
    row = db.session.scalars(select(AuditEntry).filter_by(action="drop_prescription")).one()
    assert (row.user_id, row.object_ref) == (None, found.public_id)


def test_an_emptied_draft_is_nobodys(app):
    entry = served()
    save(entry, PCT)
    finish(entry, version=1)
    assert of(entry).state is PrescriptionState.CANCELLED
    assert in_record(entry) == []


def next_day() -> None:
    with transaction():
        day = days.current_day()
        day.on -= timedelta(days=1)
        days.open_day()
