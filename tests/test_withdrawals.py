"""The counter takes back a registration: twice registered, or gone home before anybody began."""

import pytest
from sqlalchemy import select

from clinic import queues, withdrawals
from clinic.queue_steps import QueueError
from db import db, transaction
from models import (
    AuditEntry,
    EntryState,
    Poli,
    QueueEntry,
    QueueState,
    Visit,
    VisitStatus,
    VitalSigns,
)
from tests import factories
from tests.pages import post
from tests.test_wrong_patient import url_of

WHY = "terdaftar dua kali"


def entry_of(visit: Visit, room: str) -> QueueEntry:
    entries = select(QueueEntry).join(QueueEntry.poli)
    found = entries.where(QueueEntry.visit_id == visit.id, Poli.code == room)
    return db.session.scalars(found).one()


def withdraw(client, visit: Visit, reason: str = WHY):
    typed = {"aksi": "batalkan", "patient": visit.patient.public_id, "alasan_batal": reason}
    return post(client, url_of(visit), typed)


def act(visit: Visit, room: str, *actions: str, reason: str = "") -> None:
    for action in actions:
        with transaction():
            queues.act(factories.actor("umum"), entry_of(visit, room), action, reason)


def version_of(room: str) -> int:
    of_room = select(QueueState.version).join(Poli, Poli.id == QueueState.poli_id)
    return db.session.scalar(of_room.where(Poli.code == room))


def test_it_leaves_every_line_with_its_reason_and_the_rooms_see_it(sign_in):
    visit = factories.visit(factories.patient("Siti"), "UMUM")
    with transaction():
        queues.enqueue(
            factories.actor("loket"), db.session.get_one(Visit, visit.id), factories.poli("GIGI")
        )
    versions = [version_of(room) for room in ("UMUM", "GIGI")]
    clerk = sign_in("loket")
    assert 'value="batalkan"' in clerk.get(url_of(visit)).get_data(as_text=True)
    sent = withdraw(clerk, visit)
    assert (sent.status_code, sent.location) == (303, f"/pendaftaran/tiket/{visit.public_id}")
    for room in ("UMUM", "GIGI"):
        entry = entry_of(visit, room)
        assert (entry.state, entry.reason) == (EntryState.CANCELLED, WHY)
    assert db.session.get_one(Visit, visit.id).status is VisitStatus.CANCELLED
    assert all(version_of(room) > was for room, was in zip(("UMUM", "GIGI"), versions, strict=True))
    kept = select(AuditEntry.reason).where(AuditEntry.action == "cancel")
    assert db.session.scalars(kept).all() == [WHY, WHY]
    again = withdraw(clerk, visit)
    assert again.status_code == 409
    assert "tidak lagi menunggu di ruang mana pun" in again.get_data(as_text=True)


def test_no_undo_makes_a_patient_who_was_registered_anew_wait_twice(app):
    person = factories.patient()
    visit = factories.visit(person, "UMUM")
    with transaction():
        withdrawals.withdraw(factories.actor("loket"), visit, WHY)
    anew = factories.visit(person, "UMUM")
    with pytest.raises(QueueError, match=f"{anew.label} masih menunggu .* pasien yang sama"):
        act(visit, "UMUM", "urungkan")
    assert entry_of(visit, "UMUM").state is EntryState.CANCELLED
    act(anew, "UMUM", "batal", reason=WHY)
    act(visit, "UMUM", "urungkan")
    assert entry_of(visit, "UMUM").state is EntryState.WAITING


def test_the_room_brings_it_back_by_undo(app):
    visit = factories.visit(factories.patient("Siti"), "UMUM")
    with transaction():
        withdrawals.withdraw(factories.actor("loket"), visit, WHY)
    act(visit, "UMUM", "urungkan")
    assert entry_of(visit, "UMUM").state is EntryState.WAITING
    assert db.session.get_one(Visit, visit.id).status is VisitStatus.OPEN


@pytest.mark.engines("sqlite")
def test_without_a_reason_it_stays_and_the_sentence_stands_at_the_field(sign_in):
    visit = factories.visit(factories.patient("Siti"), "UMUM")
    sent = withdraw(sign_in("loket"), visit, " x ")
    page = sent.get_data(as_text=True)
    assert sent.status_code == 422
    assert '<a href="#f-alasan_batal">Tulis alasan membatalkan' in page and 'value=" x "' in page
    assert entry_of(visit, "UMUM").state is EntryState.WAITING


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("began", ["served", "served and moved", "measured"])
def test_what_a_room_has_begun_is_the_rooms_to_end(sign_in, began):
    visit = factories.visit(factories.patient("Siti"), "UMUM")
    if began == "measured":
        with transaction():
            by = factories.user("umum").id
            db.session.add(VitalSigns(visit_id=visit.id, pulse=80, recorded_by_id=by))
    else:
        act(visit, "UMUM", "panggil", "mulai")
    if "moved" in began:
        with transaction():
            entry, there = entry_of(visit, "UMUM"), factories.poli("GIGI")
            queues.act(factories.actor("umum"), entry, "pindah", "salah ruang", there)
    clerk = sign_in("loket")
    assert 'value="batalkan"' not in clerk.get(url_of(visit)).get_data(as_text=True)
    sent = withdraw(clerk, visit)
    assert sent.status_code == 409
    assert "sudah dilayani atau diukur" in sent.get_data(as_text=True)
    assert db.session.get_one(Visit, visit.id).status is VisitStatus.OPEN


@pytest.mark.engines("sqlite")
def test_called_or_skipped_is_not_yet_begun(app):
    for actions in (("panggil",), ("panggil", "lewati")):
        visit = factories.visit(factories.patient("Siti"), "UMUM")
        act(visit, "UMUM", *actions)
        with transaction():
            withdrawals.withdraw(factories.actor("loket"), visit, WHY)
        assert entry_of(visit, "UMUM").state is EntryState.CANCELLED


@pytest.mark.engines("sqlite")
def test_records_staff_do_not_cancel_what_waits(sign_in):
    visit = factories.visit(factories.patient("Siti"), "UMUM")
    staff = sign_in("rekammedis")
    assert 'value="batalkan"' not in staff.get(url_of(visit)).get_data(as_text=True)
    assert withdraw(staff, visit).status_code == 403
