"""How prescriptions end: taken back in time, never sent, fetched on another day, or not at all."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from clinic import dispensing, prescription_changes, prescriptions
from clinic.record_errors import RecordError
from db import db, transaction
from models import Dispensing, PrescriptionLine, PrescriptionState, QueueEntry
from tests import factories, pharmacy
from tests.test_dispensing import ready

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
