"""Searching and reading patients: who sees what, reasons, allergies, the long history."""

import gzip
import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select

from clinic import allergies, days, queues, records
from clinic.diagnoses import DiagnosisInput
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from formatting import age_text, mask_nik
from models import (
    AliasKind,
    Allergy,
    AuditEntry,
    Patient,
    PatientAlias,
    QueueEntry,
    RecordAccess,
)
from tests import factories, past_visits
from tests.databases import count_queries
from tests.pages import post, words_of

READERS = ["kepala", "rekammedis"]
SECRET = "keputihan dan nyeri"


def url_of(person: Patient, tail: str = "") -> str:
    return f"/pasien/{person.public_id}{tail}"


def text_of(response) -> str:
    return unescape(re.sub(r"\s+", " ", response.get_data(as_text=True)))


def examined(person: Patient, code: str = "UMUM") -> QueueEntry:
    """A visit of today with a finished examination and an allergy."""
    entry = factories.entry(code, person, complaint=SECRET)
    actor = factories.actor("umum")
    form = ExaminationInput(
        assessment="vaginitis",
        therapy="metronidazol",
        disposition="pulang",
        diagnoses=(DiagnosisInput("N76.2"),),
        vitals={"systolic": 120, "diastolic": 80},
    )
    with transaction():
        queues.act(actor, entry, "mulai")
        records.finish(actor, entry, form, 0)
        allergies.add_allergy(actor, person, "Amoksisilin", "gatal")
    return entry


def audit_rows(**where):
    db.session.rollback()
    found = select(AuditEntry).filter_by(**where).order_by(AuditEntry.seq)
    return list(db.session.scalars(found))


# --- Who sees what ----------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["umum", *READERS])
def test_the_record_shows_everything_to_who_may_read_it(sign_in, username):
    person = factories.patient()
    examined(person)
    page = text_of(sign_in(username).get(url_of(person)))
    for text in ("Siti Aminah", SECRET, "TD 120/80", "N76.2", "vaginitis", "metronidazol"):
        assert text in page, text
    assert "Amoksisilin" in page and "dr. Bagus Prasetyo" in page
    assert person.nik not in page and person.nik[-4:] in page


def test_registration_sees_identity_and_visits_but_nothing_clinical(sign_in):
    person = factories.patient(mother_name="Aminah")
    examined(person)
    page = text_of(sign_in("loket").get(url_of(person)))
    for text in ("Siti Aminah", "Aminah", "Jalan Kenanga 12", factories.poli().name):
        assert text in page, text
    for text in (SECRET, "120/80", "N76.2", "vaginitis", "metronidazol", "Amoksisilin", "lergi"):
        assert text not in page, text
    assert [row.action for row in audit_rows(action="view_identity")] == ["view_identity"]


@pytest.mark.parametrize(
    ("username", "listing", "record"),
    [("ti", 403, 403), ("loket", 403, 200), ("umum", 200, 200), ("rekammedis", 200, 200)],
)
def test_roles(sign_in, username, listing, record):
    person = factories.patient()
    client = sign_in(username)
    assert client.get("/pasien").status_code == listing
    asked = post(client, "/pasien", {"q": "siti"}, follow_redirects=True)
    assert asked.status_code == listing
    assert client.get(url_of(person)).status_code == record


def test_unknown_patients_and_visits_are_not_found(sign_in, client):
    person, other = factories.patient(), factories.patient("Budi")
    past_visits.add(other, 1)
    head = sign_in("kepala")
    assert head.get("/pasien/unknown").status_code == 404
    foreign = db.session.scalar(select(QueueEntry)).visit.public_id
    assert head.get(url_of(person, f"?sebelum={foreign}")).status_code == 404
    assert head.get(url_of(person, "?sebelum=x")).status_code == 404
    assert client.get(url_of(person)).location.startswith("/masuk")


def test_viewing_is_logged(sign_in):
    person = factories.patient()
    sign_in("kepala").get(url_of(person))
    (row,) = audit_rows(action="view_record")
    assert row.patient_ref == person.public_id
    assert row.user_id == factories.user("kepala").id


# --- Opening with a reason --------------------------------------------------------------------


def test_a_patient_of_another_room_opens_with_a_reason_for_half_an_hour(sign_in):
    person = factories.patient()
    examined(person, "UMUM")
    gigi = sign_in("gigi")
    asked = text_of(gigi.get(url_of(person)))
    assert 'name="alasan"' in asked and SECRET not in asked and "Amoksisilin" not in asked
    assert audit_rows(action="view_record") == []
    short = post(gigi, url_of(person, "/buka"), {"alasan": "perlu"})
    assert short.status_code == 422 and 'value="perlu"' in text_of(short)
    assert db.session.scalar(select(RecordAccess)) is None
    reason = "Dirujuk lewat telepon oleh dokter umum"
    opened = post(gigi, url_of(person, "/buka"), {"alasan": reason})
    assert (opened.status_code, opened.location) == (303, url_of(person))
    assert SECRET in text_of(gigi.get(url_of(person)))
    granted = db.session.scalars(select(RecordAccess)).one()
    assert granted.reason == reason
    assert timedelta(minutes=29) < granted.expires_at - utcnow() <= timedelta(minutes=30)
    noted = [(row.reason, row.patient_ref) for row in audit_rows(action="open_with_reason")]
    assert noted == [(reason, person.public_id)]
    with transaction():
        db.session.scalars(select(RecordAccess)).one().expires_at = utcnow()
    assert 'name="alasan"' in text_of(gigi.get(url_of(person)))


def test_a_reason_opens_for_one_account_only_and_only_for_poli_staff(sign_in):
    person = factories.patient()
    data = {"alasan": "cukup panjang alasannya"}
    assert post(sign_in("kia"), url_of(person, "/buka"), data).status_code == 303
    assert 'name="alasan"' in text_of(sign_in("gigi").get(url_of(person)))
    for username in ("loket", "ti", "rekammedis"):
        assert post(sign_in(username), url_of(person, "/buka"), data).status_code == 403


def test_a_reason_opens_one_patient_only(sign_in):
    person, other = factories.patient("Ani"), factories.patient("Budi", sex="L")
    kia = sign_in("kia")
    post(kia, url_of(person, "/buka"), {"alasan": "cukup panjang alasannya"})
    assert 'name="alasan"' not in text_of(kia.get(url_of(person)))
    assert 'name="alasan"' in text_of(kia.get(url_of(other)))


def test_a_patient_in_ones_room_today_opens_at_once_one_of_yesterday_does_not(sign_in):
    today, earlier = factories.patient("Ani"), factories.patient("Budi", sex="L")
    past_visits.add(earlier, 1)
    factories.entry("UMUM", today)
    umum = sign_in("umum")
    assert 'name="alasan"' not in text_of(umum.get(url_of(today)))
    assert 'name="alasan"' in text_of(umum.get(url_of(earlier)))


# --- Identity ---------------------------------------------------------------------------------


def test_a_merged_patient_leads_to_the_survivor(sign_in):
    gone, stays = factories.patient("Siti"), factories.patient("Siti Aminah")
    with transaction():
        db.session.get(Patient, gone.id).merged_into_id = stays.id
    response = sign_in("kepala").get(url_of(gone))
    assert response.status_code in (302, 303) and response.location == url_of(stays)


def test_other_names_and_numbers_are_shown_an_old_nik_masked(sign_in):
    person = factories.patient()
    old = "6472015405850999"
    with transaction():
        for kind, value in ((AliasKind.NAME, "Bu Amin"), (AliasKind.NIK, old)):
            db.session.add(
                PatientAlias(
                    patient_id=person.id, original_patient_id=person.id, kind=kind, value=value
                )
            )
    page = text_of(sign_in("kepala").get(url_of(person)))
    assert "Bu Amin" in page and "0999" in page and old not in page


# --- Search -----------------------------------------------------------------------------------


def test_search_finds_by_name_and_number_and_says_when_nobody_fits(sign_in):
    person = factories.patient()
    factories.patient("Budi Santoso", sex="L")
    head = sign_in("kepala")
    for q in ("aminah", person.mrn, person.nik):
        page = text_of(post(head, "/pasien", {"q": q}, follow_redirects=True))
        assert f'data-patient="{person.public_id}"' in page, q
        assert "Budi Santoso" not in page
    assert "Tidak ada pasien yang cocok" in text_of(
        post(head, "/pasien", {"q": "zulkarnaen"}, follow_redirects=True)
    )
    visit = factories.visit(person)
    page = words_of(post(head, "/pasien", {"q": "aminah"}, follow_redirects=True))
    age, on = age_text(person.birth_date, visit.service_day.on), visit.service_day.on
    assert (
        f"Siti Aminah 14-05-1985 {age} Perempuan {person.mrn} {mask_nik(person.nik)}"
        f" Tirta Alur {on:%d-%m-%Y} "
    ) in page
    found = post(head, "/pasien", {"q": "siti", "birth_date": "14-05-1985"}, follow_redirects=True)
    assert person.public_id in text_of(found)
    other = post(head, "/pasien", {"q": "siti", "birth_date": "14-05-1986"}, follow_redirects=True)
    assert f'data-patient="{person.public_id}"' not in text_of(other)
    wrong = post(head, "/pasien", {"q": "siti", "birth_date": "31-02-1985"})
    assert wrong.status_code == 422 and "31-02-1985" in text_of(wrong)


def test_a_search_for_nothing_says_what_to_type(sign_in):
    person, head = factories.patient(), sign_in("kepala")
    for q in ("", "   "):
        answer = post(head, "/pasien", {"q": q})
        assert answer.status_code == 422
        assert "Ketik nama atau nomor pasien" in text_of(answer)
    born = {"q": "", "birth_date": "14-05-1985"}
    page = text_of(post(head, "/pasien", born, follow_redirects=True))
    assert f'data-patient="{person.public_id}"' in page


# --- Allergies --------------------------------------------------------------------------------


def test_an_alert_stands_in_red_beside_the_allergies_and_warns_of_no_medicine(sign_in):
    person, umum = factories.patient(), sign_in("umum")
    entry = factories.entry("UMUM", person)
    url = url_of(person, "/alergi")
    assert post(umum, url, {"substance": " ", "is_alert": "1"}).status_code == 422
    post(umum, url, {"substance": "Amoksisilin"})
    post(umum, url, {"substance": "risiko jatuh", "reaction": "pakai tongkat", "is_alert": "1"})
    assert post(umum, url, {"substance": "risiko jatuh", "is_alert": "1"}).status_code == 422
    page = text_of(umum.get(url_of(person)))
    for text in ("Alergi: Amoksisilin", "Waspada: risiko jatuh (pakai tongkat)"):
        assert f'class="allergy">{text}<' in page
    row = text_of(umum.get("/poli/UMUM"))
    assert ">Alergi</span>" in row and ">Waspada</span>" in row
    found = entry.visit.patient
    assert [each.substance for each in allergies.current(found)] == ["Amoksisilin"]
    alert = allergies.held(found)[-1]
    end = f"/alergi/{alert.public_id}/akhiri"
    assert post(umum, url_of(person, end), {"reason": ""}).status_code == 422
    post(umum, url_of(person, end), {"reason": "sudah kuat berjalan"})
    page = text_of(umum.get(url_of(person)))
    assert 'class="allergy">Waspada' not in page
    # Who added it and who ended it, when, and why, stay to be read.
    who = (
        r"<s>risiko jatuh</s> dr. Bagus Prasetyo, [^;]+; diakhiri dr. Bagus Prasetyo, [^:]+: sudah"
    )
    assert re.search(who, page)
    assert ">Waspada</span>" not in text_of(umum.get("/poli/UMUM"))


def summary_of(response) -> list[str]:
    """Where the error summary that takes the focus leads to; each place is on the page."""
    page = text_of(response)
    (summary,) = re.findall(r'<div class="error-summary"[^>]* data-autofocus>.*?</div>', page)
    links = re.findall(r'href="([^"]*)"', summary)
    assert all(f'id="{link[1:]}"' in page for link in links)
    return links


def test_the_record_says_which_allergy_warns_of_no_medicine(sign_in):
    person = factories.patient()
    factories.entry("UMUM", person)
    umum = sign_in("umum")
    post(umum, url_of(person, "/alergi"), {"substance": "kromafin"})
    said = text_of(umum.get(url_of(person)))
    assert 'tidak mengenal "kromafin" sebagai obat' in said
    for more in ({"substance": "PNC"}, {"substance": "tuli", "is_alert": "1"}):
        post(umum, url_of(person, "/alergi"), more)
        assert "tidak mengenal" not in text_of(umum.get(url_of(person)))


def test_an_allergy_is_added_and_ended(sign_in):
    person = factories.patient()
    factories.entry("UMUM", person)
    umum = sign_in("umum")
    added = post(umum, url_of(person, "/alergi"), {"substance": "Udang", "reaction": "gatal"})
    assert added.status_code == 303
    assert 'class="allergy">Alergi: Udang' in text_of(umum.get(url_of(person)))
    twice = post(umum, url_of(person, "/alergi"), {"substance": "udang", "reaction": "sesak"})
    assert twice.status_code == 422 and 'value="sesak"' in text_of(twice)
    assert summary_of(twice) == ["#f-substance"], "in sight and with the focus, not far below"
    allergy = db.session.scalars(select(Allergy)).one()
    end = url_of(person, f"/alergi/{allergy.public_id}/akhiri")
    refused = post(umum, end, {"reason": ""})
    assert refused.status_code == 422 and summary_of(refused) == [f"#f-{allergy.public_id}"]
    assert post(umum, end, {"reason": "salah catat"}).status_code == 303
    page = text_of(umum.get(url_of(person)))
    assert "error-summary" not in page
    assert 'class="allergy"' not in page and "salah catat" in page
    assert post(umum, end, {"reason": "lagi"}).status_code == 422


def test_allergies_are_for_who_may_read_the_record(sign_in):
    person, other = factories.patient(), factories.patient("Budi")
    with transaction():
        allergy = allergies.add_allergy(factories.actor("umum"), person, "Udang", "")
    data = {"substance": "Telur", "reason": "salah"}
    end = f"/alergi/{allergy.public_id}/akhiri"
    for username, status in (("gigi", 404), ("loket", 403), ("ti", 403), ("rekammedis", 403)):
        client = sign_in(username)
        assert post(client, url_of(person, "/alergi"), data).status_code == status
        assert post(client, url_of(person, end), data).status_code == status
    head = sign_in("kepala")
    assert post(head, url_of(other, end), data).status_code == 404
    assert post(head, url_of(person, "/alergi/unknown/akhiri"), data).status_code == 404
    db.session.rollback()
    assert [row.substance for row in allergies.current(person)] == ["Udang"]


# --- History ----------------------------------------------------------------------------------


def test_a_long_history_is_paged_newest_first(sign_in):
    person = factories.patient()
    past_visits.add(person, 45)
    head = sign_in("kepala")
    seen, address = [], url_of(person)
    while address:
        page = text_of(head.get(address))
        seen += re.findall(r'<summary><span class="num">([-\d]+)</span>', page)
        more = re.search(r'href="([^"]+\?sebelum=[^"]+)"', page)
        address = more[1] if more else ""
    expected = [days.clinic_date() - timedelta(days=n) for n in range(1, 46)]
    assert seen == [f"{day:%d-%m-%Y}" for day in expected]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("username", ["kepala", "loket"])
def test_the_page_takes_the_same_queries_at_5_and_200_visits(sign_in, username):
    people = {5: factories.patient("Ani"), 200: factories.patient("Budi")}
    for size, person in people.items():
        past_visits.add(person, size)
    client = sign_in(username)
    counts = []
    for person in people.values():
        client.get(url_of(person))
        with count_queries() as statements:
            assert client.get(url_of(person)).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_full_page_of_history_is_small(sign_in):
    person = factories.patient()
    past_visits.add(person, 30)
    page = sign_in("kepala").get(url_of(person))
    assert len(gzip.compress(page.data, 6)) <= 6 * 1024


def test_a_cancelled_visit_is_shown_as_cancelled_without_its_content(sign_in):
    person = factories.patient()
    entry = factories.entry("UMUM", person, complaint=SECRET)
    with transaction():
        queues.act(factories.actor("umum"), entry, "batal", "salah pasien")
    page = text_of(sign_in("kepala").get(url_of(person)))
    assert "Kunjungan dibatalkan" in page and SECRET not in page
