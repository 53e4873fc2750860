"""Payer and card of a visit after its save: what is corrected stays, and what the record learns."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from clinic import days, queues
from db import db, transaction
from models import Override, Patient, PatientVersion, Visit, VisitCorrection
from tests import factories
from tests.pages import post
from tests.test_registration import check, confirm, register

CARD = "0007776665554"


@pytest.fixture
def clerk(sign_in):
    return sign_in("loket")


def address(visit, page="ubah") -> str:
    return f"/pendaftaran/kunjungan/{visit.public_id}/{page}"


def corrected(clerk, visit, **typed):
    told = {"payer": "JKN_PBI", "bpjs_number": CARD, "bpjs_home": "sini"}
    told |= {"complaint": visit.complaint, "alasan": "kartu BPJS menyusul"}
    return post(clerk, address(visit), told | typed)


def read_on(page: str) -> str:
    """The marks of the sentences that a page showed."""
    return re.search(r'name="dibaca" value="([^"]*)"', page)[1]


def complete(clerk, visit, **typed) -> None:
    _, draft = check(clerk, address(visit, "identitas"), **typed)
    assert confirm(clerk, draft, override_reason="diperiksa lagi").status_code == 303
    db.session.expire_all()


def test_an_identity_that_is_completed_leaves_a_corrected_payer_alone(clerk):
    visit = register(clerk)
    assert corrected(clerk, visit).status_code == 303
    complete(clerk, visit, phone="081234567890")
    assert (visit.payer, visit.bpjs_number, visit.bpjs_home) == ("JKN_PBI", CARD, "sini")
    assert visit.patient.phone and visit.patient.payer == "UMUM"


def test_a_payer_told_with_the_identity_is_a_correction_of_todays_visit_alone(clerk):
    visit = register(clerk)
    complete(clerk, visit, payer="JAMKESDA")
    assert visit.payer == "JAMKESDA"
    note = db.session.scalars(select(VisitCorrection)).one()
    assert (note.field, note.before, note.reason) == ("payer", "UMUM", "Identitas dilengkapi")
    with transaction():
        days.current_day().on -= timedelta(days=2)
        days.open_day()
    complete(clerk, visit, payer="JKN_PBI", bpjs_number=CARD)
    assert (visit.payer, visit.bpjs_number) == ("JAMKESDA", None)
    assert (visit.patient.payer, visit.patient.bpjs_number) == ("JKN_PBI", CARD)


def test_a_correction_goes_into_the_record_where_the_clerk_says_so(clerk):
    visit = register(clerk)
    page = clerk.get(address(visit)).get_data(as_text=True)
    assert 'name="juga_pasien" value="y" checked' in page
    assert corrected(clerk, visit, juga_pasien="y").status_code == 303
    db.session.expire_all()
    assert (visit.patient.payer, visit.patient.bpjs_number) == ("JKN_PBI", CARD)
    kept = db.session.scalars(select(PatientVersion)).one()
    assert kept.reason == "kartu BPJS menyusul"
    assert corrected(clerk, visit, payer="GRATIS_PROGRAM").status_code == 303
    db.session.expire_all()
    assert (visit.payer, visit.patient.payer) == ("GRATIS_PROGRAM", "JKN_PBI")
    page = clerk.get(address(visit)).get_data(as_text=True)
    assert 'name="juga_pasien" value="y">' in page, "not by itself where they differ"


def test_a_correction_of_the_complaint_alone_puts_no_record_back(clerk):
    visit = register(clerk)
    with transaction():
        db.session.get(Patient, visit.patient_id).payer = "JAMKESDA"
    told = {"payer": "UMUM", "complaint": "pusing", "alasan": "salah dengar", "juga_pasien": "y"}
    assert post(clerk, address(visit), told).status_code == 303
    db.session.expire_all()
    assert (visit.complaint, visit.patient.payer) == ("pusing", "JAMKESDA")


def test_a_card_of_somebody_else_is_read_before_it_is_kept(clerk):
    other = factories.patient("Nurhayati", bpjs_number=CARD)
    visit = register(clerk)
    asked = corrected(clerk, visit)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 422 and 'data-rule="BPJS-TAKEN"' in page and other.name in page
    assert db.session.get(Visit, visit.id, populate_existing=True).bpjs_number is None
    # With a danger sign that comes in the same correction, both are asked at once.
    sign = {"complaint": "sesak berat, bibir biru"}
    page = corrected(clerk, visit, dibaca=read_on(page), **sign).get_data(as_text=True)
    assert re.fullmatch(r"R1:\w+ BPJS-TAKEN:\w+", read_on(page))
    assert corrected(clerk, visit, dibaca=read_on(page), **sign).status_code == 303
    kept = db.session.scalars(select(Override.reason).where(Override.rule == "BPJS-TAKEN"))
    assert list(kept) == ["kartu BPJS menyusul"]


def test_another_card_of_somebody_else_is_read_anew(clerk):
    factories.patient("Nurhayati", bpjs_number=CARD)
    other = factories.patient("Suparman", bpjs_number="0001112223334")
    visit = register(clerk)
    first = read_on(corrected(clerk, visit).text)
    asked = corrected(clerk, visit, dibaca=first, bpjs_number=other.bpjs_number)
    assert asked.status_code == 422 and "Suparman" in asked.text
    assert db.session.get(Visit, visit.id, populate_existing=True).bpjs_number is None
    sent = {"dibaca": read_on(asked.text), "bpjs_number": other.bpjs_number}
    assert corrected(clerk, visit, **sent).status_code == 303


def test_a_member_without_a_number_is_told_of_after_the_correction(clerk):
    visit = register(clerk)
    page = clerk.get(corrected(clerk, visit, bpjs_number="").location).get_data(as_text=True)
    assert "Pembetulan tersimpan" in page and "nomor" in page.split("Pembetulan tersimpan")[1]


def test_of_a_cancelled_visit_the_counter_reads_who_cancelled_it_and_why(clerk):
    visit = register(clerk)
    with transaction():
        queues.act(factories.actor("umum"), visit.entries[0], "batal", "salah daftar")
    page = clerk.get(address(visit)).get_data(as_text=True)
    assert "sudah dibatalkan oleh" in page and "salah daftar" in page
    assert 'name="alasan"' not in page and "mereka membatalkannya" not in page
    assert f'{address(visit, "ruang")}">Daftarkan lagi' in page
    ticket = clerk.get(f"/pendaftaran/tiket/{visit.public_id}").get_data(as_text=True)
    assert "salah daftar" in ticket and "Betulkan kunjungan" not in ticket
