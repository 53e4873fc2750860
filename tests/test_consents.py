"""General consent: asked, kept, visible where it is missing, and never in the way."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic import consents, days, merging
from clinic.consents import ConsentChanged
from clinic.record_errors import RecordError
from db import db, transaction
from models import AuditEntry, Consent, ConsentDecision, NoNikReason, Patient, Signer
from tests import factories
from tests.pages import post
from tests.test_patients import text_of

GIVEN, REFUSED = ConsentDecision.GIVEN, ConsentDecision.REFUSED
MISSING = "persetujuan umum belum ada"


@pytest.fixture
def siti(app) -> Patient:
    return factories.patient()


def say(person: Patient, decision=GIVEN, signer=Signer.PATIENT, name="", seen=None, by="loket"):
    held = consents.current(person)
    known = (held.public_id if held else "") if seen is None else seen
    with transaction():
        return consents.record(factories.actor(by), person, decision, signer, name, known)


def address(person: Patient) -> str:
    return f"/pasien/{person.public_id}/persetujuan"


def test_the_patient_signs_with_their_own_name(siti):
    said = say(siti)
    assert (said.decision, said.signed_by) == (GIVEN, siti.name)
    logged = db.session.scalars(select(AuditEntry).filter_by(action="record_consent")).one()
    assert (logged.patient_ref, logged.details) == (siti.public_id, "setuju")


def test_somebody_else_who_signs_is_named(siti):
    with pytest.raises(RecordError, match="nama yang menandatangani"):
        say(siti, signer=Signer.PARENT, name="  ")
    assert say(siti, signer=Signer.PARENT, name="Sumiati").signed_by == "Sumiati"


def test_a_newer_decision_ends_the_older_and_keeps_it(siti):
    first = say(siti)
    second = say(siti, REFUSED)
    assert consents.current(siti) is second
    assert consents.former(siti) == [first]
    assert first.ended_at is not None
    assert first.decision == GIVEN, "what was signed is not changed"


def test_the_same_words_twice_are_recorded_once(siti):
    assert say(siti) is say(siti, seen="")
    assert db.session.query(Consent).count() == 1


def test_the_same_words_signed_again_are_recorded_anew(sign_in, siti):
    first, clerk = say(siti), sign_in("loket")
    page = clerk.get(address(siti)).get_data(as_text=True)
    seen = re.search(r'name="seen" value="([^"]+)"', page)[1]
    fields = {"patient": siti.public_id, "decision": "setuju", "signer": "pasien", "seen": seen}
    for _ in range(2):
        assert post(clerk, address(siti), fields).status_code == 303
    assert consents.former(siti) == [first] and consents.current(siti).decision == GIVEN


def test_a_newer_one_that_was_not_seen_is_not_replaced(siti):
    say(siti, REFUSED, by="kepala")
    with pytest.raises(ConsentChanged):
        say(siti, GIVEN, seen="")
    assert consents.current(siti).decision == REFUSED


def test_a_merge_takes_it_along_and_its_undo_brings_it_back(siti):
    other = factories.patient(name="Siti Aminah", birth_date=siti.birth_date)
    say(siti)
    later = say(other, REFUSED)
    with transaction():
        records = factories.actor("rekammedis")
        merged = merging.merge(records, siti, other, {}, "satu orang")
    assert consents.current(siti).id == later.id, "of two the later one holds"
    with transaction():
        merging.undo(factories.actor("rekammedis"), merged, "ternyata dua orang")
    db.session.expire_all()
    assert consents.current(siti).decision == GIVEN
    assert consents.current(other).decision == REFUSED


# --- The pages --------------------------------------------------------------------------------


def test_the_paper_is_printed_and_what_was_signed_is_recorded(sign_in, siti):
    client = sign_in("loket")
    page = text_of(client.get(address(siti)))
    assert "Belum ada" in page
    assert "Menolaknya tidak menghentikan pelayanan" in page
    said = {"decision": "setuju", "signer": "orang_tua", "signed_by": "Sumiati", "seen": ""}
    assert post(client, address(siti), said).status_code == 303
    page = text_of(client.get(address(siti)))
    assert "<b>Setuju</b>, ditandatangani Sumiati (orang tua)" in page


@pytest.mark.parametrize(
    ("born", "signer"), [("2020-02-01", "orang_tua"), ("1980-02-01", "pasien")]
)
def test_nothing_is_agreed_beforehand_and_a_child_does_not_sign(sign_in, app, born, signer):
    person = factories.patient("Orang Baru", birth_date=date.fromisoformat(born))
    page = sign_in("loket").get(address(person)).get_data(as_text=True)
    ticked = re.findall(r'name="(\w+)" value="(\w+)"[^>]* checked', page)
    assert ticked == [("signer", signer)], "the decision is the patient's"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"signer": "pasien"}, "Pilih salah satu"),
        ({"decision": "mungkin", "signer": "pasien"}, "Pilih salah satu"),
        ({"decision": "setuju", "signer": "wali", "signed_by": ""}, "Tulis nama"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_is_kept(sign_in, siti, said, sentence):
    client = sign_in("loket")
    client.get(address(siti))
    answer = post(client, address(siti), said | {"seen": ""})
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert consents.current(siti) is None


def aged(years: int) -> Patient:
    """Some weeks before the next birthday."""
    born = days.clinic_date() - timedelta(days=int((years + 0.9) * 365.25))
    return factories.patient(f"Umur {years}", birth_date=born)


@pytest.mark.parametrize("signer", ["pasien", "suami_istri", "anak"])
def test_a_child_neither_signs_nor_has_a_spouse_who_does(sign_in, signer):
    child, client = aged(11), sign_in("loket")
    said = {"decision": "setuju", "signer": signer, "signed_by": "Dewi", "seen": ""}
    answer = post(client, address(child), said | {"reason": "sudah menikah"})
    assert answer.status_code == 422
    assert '<a href="#f-signer">Anak ini belum dapat' in text_of(answer)
    assert 'value="Dewi"' in text_of(answer) and consents.current(child) is None
    assert post(client, address(child), said | {"signer": "wali"}).status_code == 303


@pytest.mark.parametrize("years", [12, 16])
def test_who_is_not_grown_up_signs_with_a_reason_that_is_kept(sign_in, years):
    young, client = aged(years), sign_in("loket")
    assert 'name="reason"' in text_of(client.get(address(young)))
    said = {"decision": "setuju", "signer": "pasien", "signed_by": "", "seen": ""}
    answer = post(client, address(young), said)
    assert answer.status_code == 422 and '<a href="#f-reason">Belum 17 tahun' in text_of(answer)
    assert post(client, address(young), said | {"reason": "sudah menikah"}).status_code == 303
    logged = db.session.scalars(select(AuditEntry).filter_by(action="record_consent")).one()
    assert logged.reason == "sudah menikah"


def test_from_17_on_and_where_no_age_is_known_nobody_is_asked(app):
    nobody = factories.patient("Mr. X", birth_date=None, no_nik_reason=NoNikReason.UNKNOWN)
    for person in (aged(17), nobody):
        assert say(person).signed_by == person.name


def test_a_second_desk_is_shown_what_the_first_recorded(sign_in, siti):
    client = sign_in("loket")
    client.get(address(siti))
    say(siti, REFUSED, by="kepala")
    said = {"decision": "setuju", "signer": "wali", "signed_by": "Pak Made", "seen": ""}
    answer = post(client, address(siti), said)
    assert answer.status_code == 409
    assert 'value="Pak Made"' in answer.get_data(as_text=True)
    assert "Menolak" in text_of(answer)


def test_its_absence_is_visible_and_stops_nothing(sign_in, siti):
    entry = factories.entry("UMUM", siti)
    client = sign_in("loket")
    ticket = f"/pendaftaran/tiket/{entry.visit.public_id}"
    assert "Persetujuan umum belum ada" in text_of(client.get(ticket))
    client = sign_in("umum")
    room = f"/kunjungan/{entry.visit.public_id}"
    assert MISSING in text_of(client.get(room))
    say(siti)
    assert MISSING not in text_of(client.get(room))
    say(siti, REFUSED)
    assert "persetujuan umum ditolak" in text_of(client.get(room))


def test_the_page_of_a_merged_record_leads_to_the_survivor(sign_in, siti):
    other = factories.patient(name="Siti Aminah", birth_date=siti.birth_date)
    with transaction():
        merging.merge(factories.actor("rekammedis"), siti, other, {}, "satu orang")
    client = sign_in("loket")
    assert client.get(address(other)).location == address(siti)
