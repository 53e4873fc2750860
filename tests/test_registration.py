"""The counter, through its pages: find, form, check page, one save, ticket, corrections."""

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from html import unescape

import pytest
from sqlalchemy import event, select

from blueprints.registration import check as check_page
from blueprints.registration import compare, drafted, filling
from blueprints.registration.forms import NO_SUCH_ROOM
from clinic import (
    allergies,
    days,
    drafts,
    households,
    identity_warnings,
    patients,
    queue_lines,
    queues,
    reference,
    registration,
    review,
    settings,
    wrong_patient,
)
from clinic import further_room as further_room_of
from clinic.audit import SYSTEM
from db import db, transaction, utcnow
from formatting import age_text, clock_time, long_date, mask_nik
from models import (
    AuditEntry,
    DraftKind,
    Examination,
    Level,
    NoNikReason,
    OutboxEntry,
    Override,
    Patient,
    PatientVersion,
    Poli,
    Priority,
    QueueEntry,
    RegistrationDraft,
    ServiceDay,
    Visit,
    VisitCorrection,
    VisitStatus,
)
from tests import factories
from tests.pages import post, text_of, words_of
from tests.stored import count
from tests.test_polling import poll_address
from validators import full_years, parse_age

FIELDS = {
    "nik": "3171015708850001",
    "name": "Siti Aminah",
    "sex": "P",
    "birth_date": "17-08-1985",
    "address": "Jalan Kenanga 12",
    "complaint": "demam dan batuk",
    "poli": "UMUM",
}


@pytest.fixture
def clerk(sign_in):
    return sign_in("loket")


def draft_of(response) -> str:
    assert response.status_code == 303, response.get_data(as_text=True)
    assert "/pendaftaran/periksa/" in response.location
    return response.location.rsplit("/", 1)[-1]


def check(clerk, url="/pendaftaran/baru", **changes):
    """The check page's text and its draft, after sending the form."""
    draft = draft_of(post(clerk, url, FIELDS | changes))
    return clerk.get(f"/pendaftaran/periksa/{draft}").get_data(as_text=True), draft


def confirm(clerk, draft, version="1", **reasons):
    return post(clerk, f"/pendaftaran/periksa/{draft}", {"version": version, **reasons})


def register(clerk, url="/pendaftaran/baru", reason="", **changes) -> Visit:
    """A saved visit."""
    page, draft = check(clerk, url, **changes)
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    response = confirm(clerk, draft, version, **({"override_reason": reason} if reason else {}))
    assert response.status_code == 303, response.get_data(as_text=True)
    return visit_of(response.location)


def test_the_check_page_and_the_ticket_say_that_there_is_an_allergy_not_to_what(clerk):
    person = factories.patient()
    with transaction():
        doctor = factories.actor("umum")
        allergy = allergies.add_allergy(doctor, db.session.merge(person), "Udang")
    url = f"/pendaftaran/pasien/{person.public_id}"
    page, draft = check(clerk, url)
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    ticket = clerk.get(confirm(clerk, draft, version, override_reason="memang").location)
    for text in (page, ticket.get_data(as_text=True)):
        assert "Alergi: ada" in text and "Udang" not in text
    with transaction():
        allergies.end_allergy(doctor, db.session.merge(allergy), "keliru")
    assert "Alergi" not in clerk.get(url).get_data(as_text=True)
    assert "Alergi" not in check(clerk, nik="3171015708850002", name="Orang Baru")[0]


def years_old() -> int:
    """Of who is registered by FIELDS."""
    return full_years(date(1985, 8, 17), days.clinic_date())


def visit_of(location: str) -> Visit:
    ref = location.rsplit("/", 1)[-1]
    return db.session.scalars(select(Visit).where(Visit.public_id == ref)).one()


# --- The walk ---------------------------------------------------------------------------------


def test_a_new_patient_is_read_back_saved_and_stands_in_the_queue(clerk):
    page, draft = check(clerk)
    assert "Periksa kembali" in page
    assert "Siti Aminah" in page
    assert "Senin" not in page  # 17 August 1985 was a Saturday
    assert "Sabtu, 17 Agustus 1985" in page
    assert "Klaster 3" in page
    assert FIELDS["nik"] not in page
    assert count(Visit) == 0

    response = confirm(clerk, draft)
    visit = visit_of(response.location)
    entry = db.session.scalars(select(QueueEntry)).one()
    assert (visit.label, visit.cluster, visit.age_years) == ("U001", "3", years_old())
    assert (entry.state, entry.poli.code) == ("waiting", "UMUM")
    ticket = clerk.get(response.location).get_data(as_text=True)
    assert 'data-number="U001"' in ticket
    assert f'data-entry="{entry.public_id}"' in ticket
    (roll,) = re.findall(r'<section class="ticket .*?</section>', ticket, re.DOTALL)
    day, mrn = long_date(visit.service_day.on), visit.patient.mrn
    for text in (entry.poli.name, "Klaster 3", f'<b class="num">{mrn}</b>', day, "depan: <b>0</b>"):
        assert text in roll
    assert count(OutboxEntry) == 1
    actions = set(db.session.scalars(select(AuditEntry.action)))
    assert {"create_patient", "register_visit"} <= actions


def rolls(clerk, visit: Visit) -> list[str]:
    """What each ticket of the page says, in order."""
    page = clerk.get(f"/pendaftaran/tiket/{visit.public_id}")
    found = re.findall(r'<section class="ticket .*?</section>', text_of(page), re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]


def test_a_ticket_is_looked_at_by_all_but_who_has_just_made_it(clerk, sign_in):
    visit = register(clerk)
    viewed = select(AuditEntry.user_id).where(AuditEntry.action == "view_identity")
    address = f"/pendaftaran/tiket/{visit.public_id}"
    assert clerk.get(address).status_code == 200
    assert db.session.scalars(viewed).all() == []
    assert sign_in("kepala").get(address).status_code == 200
    with transaction():
        days.latest_day().on -= timedelta(days=3)
    assert clerk.get(address).status_code == 200
    noted = [factories.user(name).id for name in ("kepala", "loket")]
    assert db.session.scalars(viewed.order_by(AuditEntry.seq)).all() == noted


def test_a_ticket_leads_to_where_the_patient_stands_now(clerk):
    factories.visit(factories.patient("Budi"))
    visit = register(clerk)
    with transaction():
        queues.enqueue(factories.actor(), db.session.merge(visit), factories.poli("GIGI"))
    first, second = rolls(clerk, visit)
    at = clock_time(visit.occurred_at, settings.value("time_zone"))
    for roll, room, before in ((first, "Poli Umum", 1), (second, "Poli Gigi dan Mulut", 0)):
        assert f"U002 {room} " in roll and f"depan: {before}" in roll and f", {at} " in roll

    def act(room: str, step: str, reason: str = "") -> None:
        with transaction():
            entries = db.session.merge(visit).entries
            entry = next(each for each in entries if each.poli.code == room)
            queues.act(factories.actor("kepala"), entry, step, reason)

    act("UMUM", "mulai")
    first, _ = rolls(clerk, visit)
    assert first.endswith(" Dilayani") and "depan" not in first
    act("UMUM", "selesai")
    (left,) = rolls(clerk, visit)
    assert "Poli Gigi" in left, "nobody waits where it is over"
    act("GIGI", "batal", "pulang")
    (last,) = rolls(clerk, visit)
    assert last.endswith(" Batal")
    page = clerk.get(f"/pendaftaran/tiket/{visit.public_id}").text
    for end in ("pendaftaran/kunjungan/{}/identitas", "pendaftaran/kunjungan/{}/ubah"):
        assert f'href="/{end.format(visit.public_id)}"' in page
    assert f'href="/kunjungan/{visit.public_id}/label"' in page


def test_the_same_save_again_gives_the_same_ticket(clerk):
    _, draft = check(clerk)
    first, second = confirm(clerk, draft), confirm(clerk, draft)
    assert first.location == second.location
    assert clerk.get(f"/pendaftaran/periksa/{draft}").location == first.location
    assert count(Visit) == 1
    assert count(Patient) == 1


def test_numbers_are_dense_in_each_series(clerk):
    for serial in range(3):
        register(clerk, nik=f"317101570885000{serial + 1}", name=f"Orang {'ABC'[serial]}")
    register(clerk, nik="3171015708850009", name="Dewi Gigi", poli="GIGI", complaint="sakit gigi")
    labels = list(db.session.scalars(select(Visit.label).order_by(Visit.id)))
    assert labels == ["U001", "U002", "U003", "G001"]


def test_a_draft_that_changed_meanwhile_is_not_saved(clerk):
    _, draft = check(clerk)
    post(clerk, "/pendaftaran/baru", FIELDS | {"draft": draft, "complaint": "sakit perut"})
    response = confirm(clerk, draft, version="1")
    assert response.status_code == 409
    assert "diubah di tempat lain" in response.get_data(as_text=True)
    assert "sakit perut" in response.get_data(as_text=True)
    assert count(Visit) == 0
    assert confirm(clerk, draft, version="2").status_code == 303


def test_going_back_keeps_everything_and_updates_the_same_draft(clerk):
    _, draft = check(clerk, phone="0812 3456 7890", village="Dasan Agung")
    form = clerk.get(f"/pendaftaran/baru?draf={draft}").get_data(as_text=True)
    assert "0812 3456 7890" in form
    assert "Dasan Agung" in form
    assert draft_of(post(clerk, "/pendaftaran/baru", FIELDS | {"draft": draft})) == draft
    assert count(RegistrationDraft) == 1


def test_a_draft_that_was_left_is_listed_for_its_clerk_only(clerk, sign_in):
    _, draft = check(clerk)
    assert f"/pendaftaran/periksa/{draft}" in clerk.get("/pendaftaran").get_data(as_text=True)
    assert draft not in sign_in("kepala").get("/pendaftaran").get_data(as_text=True)
    post(clerk, f"/pendaftaran/draf/{draft}/buang")
    assert draft not in clerk.get("/pendaftaran").get_data(as_text=True)
    assert clerk.get(f"/pendaftaran/periksa/{draft}").status_code == 410


def test_the_form_behind_the_check_page_leads_back_to_what_was_typed(clerk, sign_in):
    """The browser's Back asks for the form anew: what was typed is one press away."""
    draft = check(clerk, name="Siti Maimunah")[1]
    page = clerk.get("/pendaftaran/baru").get_data(as_text=True)
    there = f"/pendaftaran/baru?draf={draft}"
    assert "untuk <b>Siti Maimunah</b> belum disimpan" in page and f'href="{there}"' in page
    assert "belum disimpan" not in clerk.get(there).get_data(as_text=True)
    patient = factories.patient("Orang Lain")
    assert "belum disimpan" not in clerk.get(f"/pendaftaran/pasien/{patient.public_id}").text
    assert "belum disimpan" not in sign_in("kepala").get("/pendaftaran/baru").text
    with transaction():
        db.session.scalars(select(RegistrationDraft)).one().updated_at -= timedelta(minutes=11)
    assert "belum disimpan" not in clerk.get("/pendaftaran/baru").text
    draft = check(clerk)[1]
    confirm(clerk, draft)
    assert "belum disimpan" not in clerk.get("/pendaftaran/baru").text
    check(clerk, nik="3171015708850002", name="Siti Maimunah")
    assert "belum disimpan" in clerk.get("/pendaftaran/baru").text
    with transaction():
        newest = select(RegistrationDraft).order_by(RegistrationDraft.id.desc())
        db.session.scalars(newest).first().paper = {"tanggal": "01-03-2026"}
    assert "belum disimpan" not in clerk.get("/pendaftaran/baru").text, "a slip's is listed there"


def test_the_form_of_a_further_room_leads_back_to_what_was_typed_too(clerk):
    visit = register(clerk)
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ruang"
    assert "belum disimpan" not in clerk.get(url).text
    draft = draft_of(further_room(clerk, visit))
    assert f'href="{url}?draf={draft}">Lanjutkan isian itu' in clerk.get(url).text
    assert "belum disimpan" not in clerk.get("/pendaftaran/baru").text
    other = register(clerk, nik="3171011708850002", name="Joko", sex="L")
    other = f"/pendaftaran/kunjungan/{other.public_id}/ruang"
    assert "belum disimpan" not in clerk.get(other).text


@pytest.mark.engines("sqlite")
def test_the_drafts_of_a_clerks_years_are_not_read_for_todays(clerk):
    asked = []

    @event.listens_for(db.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, values, *_rest):
        asked.append((statement, values))

    clerk.get("/pendaftaran/baru")
    clerk.get("/pendaftaran")
    event.remove(db.engine, "before_cursor_execute", note)
    found = [each for each in asked if "registration_draft.drafted_on IN (" in each[0]]
    assert len(found) >= 2
    for sql, values in found:
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
        assert "drafted_on=?" in plan[0][-1], plan


def test_a_draft_dropped_by_mistake_is_taken_back_by_its_clerk(clerk, sign_in):
    _, draft = check(clerk)
    done = post(clerk, f"/pendaftaran/draf/{draft}/buang")
    page = clerk.get(done.location).get_data(as_text=True)
    assert "Dibuang: Siti Aminah, Poli Umum." in page
    back = f"/pendaftaran/draf/{draft}/kembalikan"
    assert f'action="{back}"' in page
    head = sign_in("kepala")
    assert "Dibuang" not in head.get(done.location).get_data(as_text=True)
    post(head, back)
    assert draft not in clerk.get("/pendaftaran").get_data(as_text=True)
    for _ in range(2):
        again = clerk.get(post(clerk, back).location).get_data(as_text=True)
        assert f"/pendaftaran/periksa/{draft}" in again and "Dibuang" not in again
    actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.object_ref == draft))
    assert sorted(actions) == ["drop_draft", "take_back_draft"]
    assert "Dibuang" not in clerk.get(done.location).get_data(as_text=True)


def test_what_was_dropped_yesterday_stays_dropped(clerk):
    _, draft = check(clerk)
    there = post(clerk, f"/pendaftaran/draf/{draft}/buang").location
    with transaction():
        kept = drafts.by_ref(draft)
        kept.drafted_on -= timedelta(days=1)
    assert "Dibuang" not in clerk.get(there).get_data(as_text=True)
    post(clerk, f"/pendaftaran/draf/{draft}/kembalikan")
    assert drafts.by_ref(draft).dropped_at


def test_the_newest_drafts_are_listed_with_their_rooms_and_the_rest_is_counted(clerk):
    for number in range(12):
        post(clerk, "/pendaftaran/baru", FIELDS | {"complaint": f"demam {number}"})
    page = clerk.get("/pendaftaran").get_data(as_text=True)
    assert "Belum disimpan (12)" in page and "2 lagi" in page
    newest, rest = page.split("<details>")[0], page.split("<details>")[1]
    assert (newest.count("/buang"), rest.count("/buang")) == (10, 2)
    assert "· Poli Umum<" in page and "· UMUM<" not in page


def test_a_draft_about_a_visit_is_listed_with_its_patient_and_what_it_is(clerk):
    entry = factories.entry("UMUM", factories.patient("Nuraini Sasak"))
    other = factories.entry("UMUM", factories.patient("Made Wirya"))
    for visit in (entry.visit, other.visit):
        there = f"/pendaftaran/kunjungan/{visit.public_id}/ruang"
        check(clerk, there, poli="GIGI", complaint="gigi ngilu")
    there = f"/pendaftaran/kunjungan/{other.visit.public_id}/identitas"
    draft = check(clerk, there, name="Made Wirya Kusuma")[1]
    page = clerk.get("/pendaftaran").text
    for visit, name in ((entry.visit, "Nuraini Sasak"), (other.visit, "Made Wirya")):
        assert re.search(rf">{name}</a>.*· {visit.label}, tambah ruang: Poli Gigi", page), name
        assert f'Buang<span class="vh"> pendaftaran {name}</span>' in page
    assert re.search(rf">Made Wirya Kusuma</a>.*· {other.visit.label}, lengkapi identitas<", page)
    dropped = clerk.get(post(clerk, f"/pendaftaran/draf/{draft}/buang").location).text
    assert f"Dibuang: Made Wirya Kusuma, {other.visit.label}, lengkapi identitas." in dropped


def test_yesterdays_draft_is_not_saved_today_but_nothing_typed_is_lost(clerk):
    _, draft = check(clerk)
    with transaction():
        row = db.session.scalars(select(RegistrationDraft)).one()
        row.drafted_on -= timedelta(days=1)
    for response in (clerk.get(f"/pendaftaran/periksa/{draft}"), confirm(clerk, draft)):
        assert response.status_code == 410
        assert "Isi ulang dengan data ini" in response.get_data(as_text=True)
    assert count(Visit) == 0
    form = clerk.get(f"/pendaftaran/baru?draf={draft}").get_data(as_text=True)
    assert "Jalan Kenanga 12" in form
    again = draft_of(post(clerk, "/pendaftaran/baru", FIELDS | {"draft": draft}))
    assert again != draft


# --- The form ---------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"nik": "123"}, "NIK harus 16 angka"),
        ({"nik": "0000000000000000"}, "bukan NIK asli"),
        ({"nik": "3171018108450001"}, "NIK"),
        ({"nik": ""}, "pilih alasan tanpa NIK"),
        ({"nik": "", "no_nik_reason": "BAYI", "birth_order": "9"}, "Urutan lahir"),
        ({"mother_nik": "123"}, "NIK ibu harus 16 angka"),
        ({"mother_nik": FIELDS["nik"]}, "ibu"),
        ({"kk_number": FIELDS["nik"]}, "KK"),
        ({"name": ""}, "Isi nama pasien"),
        ({"sex": ""}, "Pilih jenis kelamin"),
        ({"sex": "X", "pregnant": "ya", "complaint": "hamil muda"}, "Pilih jenis kelamin"),
        ({"birth_date": ""}, "Isi tanggal lahir"),
        ({"birth_date": "31-02-1990"}, "Tanggal"),
        ({"birth_date": "29-02-1985"}, "29 Februari 1985 tidak ada"),
        ({"birth_date": "01-01-2090"}, "lahir"),
        ({"address": ""}, "Isi alamat"),
        ({"complaint": " "}, "Isi keluhan"),
        ({"complaint": "a" * 10_001}, "10"),
        ({"poli": ""}, "Pilih ruang"),
        ({"poli": "HANTU"}, "Pilih ruang lain"),
        ({"bpjs_number": "123"}, "13 angka"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_everything_typed_stays(clerk, changes, sentence):
    response = post(clerk, "/pendaftaran/baru", FIELDS | {"phone": "0819000111"} | changes)
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert "Periksa isian berikut" in page
    assert sentence in page
    assert "0819000111" in page
    assert count(RegistrationDraft) == 0


@pytest.mark.parametrize(
    "text", ["1985-08-17", "17-08-1985", "17/08/1985", "17081985", "17.08.1985"]
)
def test_birth_dates_as_people_type_them(clerk, text):
    page, _ = check(clerk, birth_date=text)
    assert "17 Agustus 1985" in page


@pytest.mark.parametrize(
    "name",
    [
        "D'Angelo \"Boy\" O'Neill",
        "<script>alert(1)</script>",
        "Siti 😀 Aminah",
        "Suharti",
        "N" * 100,
        "Jóse Ñuñez & anak",
    ],
)
def test_unusual_names_come_back_as_typed(clerk, name):
    visit = register(clerk, name=name, reason="sesuai kartu")
    assert visit.patient.name == name
    ticket = clerk.get(f"/pendaftaran/tiket/{visit.public_id}").get_data(as_text=True)
    assert "<script>alert(1)" not in ticket


def test_the_summary_of_refused_fields_names_each_of_them(clerk):
    typed = FIELDS | {"name": "a" * 101, "village": "b" * 61, "payer": "TUKAR"}
    page = post(clerk, "/pendaftaran/baru", typed).text
    summary = page.partition("Periksa isian berikut")[2].partition("</ul>")[0]
    assert ">Nama: Tulisan terlalu panjang (101 huruf" in summary
    assert ">Kelurahan/desa: Tulisan terlalu panjang (61 huruf" in summary
    assert ">Pembiayaan: Pilih salah satu dari daftar." in summary
    assert "NIK: NIK" not in summary


def test_a_complaint_of_ten_thousand_letters_is_kept(clerk):
    visit = register(clerk, complaint="demam " + "x" * 9_994, reason="panjang sekali")
    assert len(visit.complaint) == 10_000


def test_the_nik_offers_birth_date_and_sex_without_a_script(clerk):
    page = post(clerk, "/pendaftaran/mirip", {"nik": "3171015708450001"}).get_data(as_text=True)
    assert "17-08-1945" in page
    typed = {"nik": "3171015708450001", "name": "Minah", "aksi": "pakai_nik"}
    form = post(clerk, "/pendaftaran/baru", typed)
    text = form.get_data(as_text=True)
    assert form.status_code == 200
    assert 'value="17-08-1945"' in text
    assert "Minah" in text


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ({"birth_date": "18-08-1985"}, True),
        ({"sex": "L"}, True),
        ({"birth_date": "", "birth_date_estimated": "41"}, True),
        ({"birth_date": "17/08/1985"}, False),
    ],
)
def test_the_nik_is_offered_on_the_form_while_it_differs(clerk, typed, offered):
    page = post(clerk, "/pendaftaran/mirip", FIELDS | typed).get_data(as_text=True)
    assert ('value="pakai_nik"' in page) == offered
    assert ("Beda dengan isian" in page) == (offered and "birth_date_estimated" not in typed)
    if offered:
        fill = json.loads(unescape(re.search(r'data-fill="([^"]+)"', page)[1]))
        assert fill == {"birth_date": "17-08-1985", "birth_date_estimated": "", "sex": "P"}
    sent = post(clerk, "/pendaftaran/baru", FIELDS | typed | {"aksi": "pakai_nik"})
    form = sent.get_data(as_text=True)
    assert 'value="17-08-1985"' in form and 'value="P" checked' in form
    assert 'value="pakai_nik"' not in form


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(("answer", "priority"), [("ya", "HAMIL"), ("nifas", ""), ("tidak", "")])
def test_whether_she_is_pregnant_is_answered_where_it_is_asked(clerk, answer, priority):
    """Who presses the proposed room has passed the question on the form."""
    page, draft = check(clerk, complaint="kontrol kandungan", poli="KIA")
    assert re.findall(r'value="(hamil:\w+)"', page) == ["hamil:ya", "hamil:tidak", "hamil:nifas"]
    there = f"/pendaftaran/periksa/{draft}"
    gone = post(clerk, there, {"aksi": f"hamil:{answer}", "version": "1"})
    assert gone.status_code == 303 and gone.location == there
    page = clerk.get(there).get_data(as_text=True)
    assert 'data-rule="W3"' not in page and "tidak ditanyakan" not in page
    saved = confirm(clerk, draft, version="2", override_reason="minta ke KIA")
    visit = visit_of(saved.location)
    assert (visit.pregnant, visit.priority) == (answer, priority)


def test_one_press_on_the_check_page_takes_what_the_nik_says(clerk):
    page, draft = check(clerk, sex="L", birth_date="18-08-1985", phone="081234567890")
    assert page.count('value="pakai_nik"') == 1
    assert "Pakai dari NIK: 17-08-1985, perempuan" in page
    there = f"/pendaftaran/periksa/{draft}"
    gone = post(clerk, there, {"aksi": "pakai_nik", "version": "1", "override_reason-W1": "sebab"})
    assert gone.status_code == 303 and gone.location == there
    page = clerk.get(there).get_data(as_text=True)
    assert "cocok dengan tanggal lahir dan jenis kelamin" in page and "pakai_nik" not in page
    assert "data-rule" not in page
    row = db.session.scalars(select(RegistrationDraft)).one()
    assert row.reasons == {"W1": "sebab"} and count(Visit) == 0
    assert confirm(clerk, draft).status_code == 409, "the page before is stale"
    visit = visit_of(confirm(clerk, draft, version="2").location)
    patient = visit.patient
    assert (patient.sex, patient.birth_date, patient.phone) == (
        "P",
        date(1985, 8, 17),
        "+6281234567890",
    )


def test_the_told_age_settles_the_century_of_the_nik(clerk):
    old = {"nik": "3171014101190007", "birth_date": "", "birth_date_estimated": "107"}
    page, draft = check(clerk, **old, sex="L")
    assert "Pakai dari NIK: 01-01-1919, perempuan" in page
    post(clerk, f"/pendaftaran/periksa/{draft}", {"aksi": "pakai_nik"})
    row = db.session.scalars(select(RegistrationDraft)).one()
    assert row.fields["birth_date"] == "01-01-1919"
    assert not row.fields.get("birth_date_estimated")


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("born", "age", "fits"),
    [(56, "20", False), (56, "56", True), (56, "60", True), (56, "66", False)]
    + [(0, "8 bulan", True), (2, "8 bulan", False), (20, "24", False)],
)
def test_an_age_that_contradicts_the_birth_date_is_said(clerk, born, age, fits):
    today = days.clinic_date()
    exact = date(today.year - born, 1, 1)
    both = {"birth_date": f"{exact:%d-%m-%Y}", "birth_date_estimated": age}
    sent = post(clerk, "/pendaftaran/baru", FIELDS | both)
    page = sent.get_data(as_text=True)
    assert sent.status_code == (303 if fits else 422), page
    assert ('href="#f-birth_date_estimated"' in page) == (not fits)
    if not fits:
        assert "Menurut tanggal lahir" in page and "kosongkan umur" in page


def test_the_nik_takes_the_place_of_an_age_that_was_typed(clerk):
    typed = FIELDS | {"birth_date": "", "birth_date_estimated": "20"}
    form = post(clerk, "/pendaftaran/baru", typed | {"aksi": "pakai_nik"}).get_data(as_text=True)
    assert filled(form, "birth_date") == "17-08-1985"
    assert filled(form, "birth_date_estimated") == ""


def test_of_whom_is_known_by_date_no_typed_age_is_taken_over(clerk):
    patient = register(clerk).patient
    _, draft = check(
        clerk,
        nik="",
        no_nik_reason="LUPA_KARTU",
        birth_date="",
        name="Siti A",
        birth_date_estimated="20",
    )
    there = f"/pendaftaran/pasien/{patient.public_id}?draf={draft}"
    form = clerk.get(there).get_data(as_text=True)
    assert filled(form, "birth_date") == "17-08-1985"
    assert filled(form, "birth_date_estimated") == ""


def test_an_unknown_region_is_told_once_the_clinic_knows_many(clerk, monkeypatch):
    monkeypatch.setattr(identity_warnings, "ENOUGH_PATIENTS", 1)
    assert "NIK-REGION" not in check(clerk)[0]
    register(clerk)
    other = {"name": "Wayan Sudra", "sex": "L", "birth_date": "01-02-1970"}
    page, draft = check(clerk, **other, nik="5203010102700001")
    assert 'data-rule="NIK-REGION" data-level="info"' in page and "awal NIK 520301" in page
    assert "/tiket/" in confirm(clerk, draft).location
    page, _ = check(clerk, **other | {"birth_date": "02-02-1970"}, nik="5203010202700001")
    assert "NIK-REGION" not in page


def test_a_clinic_with_few_patients_is_told_of_no_region(clerk):
    other = {"name": "Wayan Sudra", "sex": "L", "birth_date": "01-02-1970"}
    register(clerk)
    assert "NIK-REGION" not in check(clerk, **other, nik="5203010102700001")[0]


def payer_notes(page: str) -> list[str]:
    return re.findall(r'data-rule="(BPJS-(?:UNUSED|NONE))" data-level="info"', page)


CARD = {"bpjs_number": "0001113569638"}


@pytest.mark.engines("sqlite")
def test_a_card_without_jkn_is_told_at_each_visit_and_asks_for_nothing(clerk):
    page, draft = check(clerk, **CARD)
    assert payer_notes(page) == ["BPJS-UNUSED"]
    location = confirm(clerk, draft).location
    patient = visit_of(location).patient
    again = f"/pendaftaran/pasien/{patient.public_id}"
    assert payer_notes(check(clerk, again, **CARD)[0]) == ["BPJS-UNUSED"]
    assert payer_notes(check(clerk, again, **CARD, payer="JKN_PBI")[0]) == []
    assert payer_notes(check(clerk, again, **CARD, payer="JAMKESDA")[0]) == []


@pytest.mark.engines("sqlite")
def test_jkn_without_a_card_is_told_once(clerk):
    page, draft = check(clerk, payer="JKN_NON_PBI")
    assert payer_notes(page) == ["BPJS-NONE"]
    patient = visit_of(confirm(clerk, draft).location).patient
    again = f"/pendaftaran/pasien/{patient.public_id}"
    assert payer_notes(check(clerk, again, payer="JKN_NON_PBI")[0]) == []
    assert payer_notes(check(clerk, again, payer="JKN_PBI")[0]) == ["BPJS-NONE"]


@pytest.mark.engines("sqlite")
def test_a_further_room_says_nothing_of_the_payer(clerk):
    visit = register(clerk, **CARD)
    there = f"/pendaftaran/kunjungan/{visit.public_id}/ruang"
    told = {"complaint": "gigi berlubang", "poli": "GIGI", "sex": "P"}
    draft = draft_of(post(clerk, there, told))
    page = clerk.get(f"/pendaftaran/periksa/{draft}").get_data(as_text=True)
    assert payer_notes(page) == []


@pytest.mark.engines("sqlite")
def test_the_check_page_says_when_the_village_lies_outside(clerk):
    assert "luar wilayah" not in check(clerk, village="Jauh Sekali")[0], "no list, nothing to say"
    assert "<datalist" not in clerk.get("/pendaftaran/baru").get_data(as_text=True)
    with transaction():
        reference.seed_demo_villages()
    form = clerk.get("/pendaftaran/baru").get_data(as_text=True)
    assert 'list="desa"' in form and '<option value="Tirta Alur">' in form
    page, _ = check(clerk, village="Jauh Sekali")
    assert "Jalan Kenanga 12, Jauh Sekali (luar wilayah)" in page and "data-rule" not in page
    for village in ("Ds. Tirta Alur", ""):
        page, draft = check(clerk, village=village)
        assert "luar wilayah" not in page
    assert visit_of(confirm(clerk, draft).location).is_in_area is None


def test_an_age_differs_from_the_nik_only_when_it_is_far_off(clerk):
    page, _ = check(clerk, birth_date="", birth_date_estimated="40")
    assert "NIK-DATE" not in page
    assert "NIK-DATE" in check(clerk, birth_date="01-07-1986")[0]
    childs = {"birth_date": "", "birth_date_estimated": "2 tahun", "mother_name": "Siti"}
    page, draft = check(clerk, **childs)  # the mother's NIK in her child's field
    assert 'data-rule="NIK-DATE" data-level="warning"' in page and "jauh dari umur" in page
    assert confirm(clerk, draft).status_code == 422


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("changes", "rule", "field"),
    [
        ({"no_nik_reason": "LUPA_KARTU", "birth_date": "05-03-1909"}, "NIK-AGE", "birth_date"),
        (
            {"no_nik_reason": "TANPA_DOKUMEN", "birth_date": "", "birth_date_estimated": "120"},
            "NIK-AGE",
            "birth_date",
        ),
        ({"no_nik_reason": "BAYI", "birth_order": "1"}, "NO-BABY", "no_nik_reason"),
        ({"no_nik_reason": "ASING"}, "NO-PASSPORT-NO", "passport_no"),
    ],
)
def test_without_a_nik_too_what_is_unlikely_is_asked(clerk, changes, rule, field):
    page, draft = check(clerk, nik="", **changes)
    box = page[page.index(f'data-rule="{rule}" data-level="warning"') :]
    assert re.search(r'value="ubah:([a-z_]+)"', box)[1] == field
    assert confirm(clerk, draft).status_code == 422
    assert confirm(clerk, draft, override_reason="memang begitu").status_code == 303


def test_a_search_is_carried_into_the_new_form(clerk):
    post(clerk, "/pendaftaran", {"q": "Wayan Sudra", "birth_date": "01-02-1970", "aksi": "baru"})
    page = clerk.get("/pendaftaran/baru").get_data(as_text=True)
    assert "Wayan Sudra" in page
    assert "01-02-1970" in page
    post(clerk, "/pendaftaran", {"q": "3171 0157 0845 0001", "aksi": "baru"})
    assert 'value="3171015708450001"' in clerk.get("/pendaftaran/baru").get_data(as_text=True)
    post(clerk, "/pendaftaran", {"q": "Siti 17-08-1985 RM 000123", "aksi": "baru"})
    page = clerk.get("/pendaftaran/baru").get_data(as_text=True)
    assert 'name="birth_date" value="17-08-1985"' in page
    assert "tidak terbawa ke isian: <b>RM 000123</b>" in page


def test_after_a_save_the_new_form_is_empty(clerk):
    post(clerk, "/pendaftaran", {"q": "Wayan Sudra", "birth_date": "01-02-1970"})
    assert "Wayan Sudra" in clerk.get("/pendaftaran/baru").get_data(as_text=True)
    register(clerk)
    assert "Wayan Sudra" not in clerk.get("/pendaftaran/baru").get_data(as_text=True)


def test_a_result_says_all_that_tells_two_of_one_name_apart(clerk):
    visit = register(clerk, village="Sungai Pinang")
    post(clerk, "/pendaftaran", {"q": "siti aminah"})
    page = clerk.get("/pendaftaran").get_data(as_text=True)
    shown = re.search(r'<a class="pick".*?</a>', page, re.S)[0]
    assert f'data-patient="{visit.patient.public_id}"' in shown
    said = " ".join(re.sub(r"<[^>]+>", " ", shown).split())
    today = f"{days.clinic_date():%d-%m-%Y}"
    assert said == (
        f"Siti Aminah {years_old()} tahun, lahir 17-08-1985 · Perempuan · RM "
        f"{visit.patient.mrn} · NIK 317101••••••0001 · Sungai Pinang · terakhir {today}"
    )
    assert FIELDS["nik"] not in page


# --- No NIK, never a dead end -----------------------------------------------------------------


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("typed", ["17 Agustus 1990", "17 agt 1990", "17-Agt-1990", "17 8 1990"])
def test_a_birth_date_may_have_its_month_in_words(clerk, typed):
    page, _ = check(clerk, birth_date=typed, nik="3171015708900001")
    assert "17-08-1990" in page


@pytest.mark.engines("sqlite")
def test_the_sentence_of_an_impossible_nik_names_the_box_that_is_there(clerk):
    response = post(clerk, "/pendaftaran/baru", FIELDS | {"nik": "3171014008450001"})
    page = unescape(response.get_data(as_text=True))
    label = re.search(r'id="f-nik_as_printed"[^>]*><span>([^<]+)', page)[1]
    assert response.status_code == 422 and f'centang "{label}"' in page


@pytest.mark.engines("sqlite")
def test_two_phone_numbers_are_no_reason_to_stop(clerk):
    page, draft = check(clerk, phone="081234567890/081298765432")
    assert 'data-rule="PHONE-1" data-level="warning"' in page
    assert "disimpan hanya +6281234567890" in page
    assert confirm(clerk, draft).status_code == 422
    visit = visit_of(confirm(clerk, draft, override_reason="yang kedua suami").location)
    assert visit.patient.phone == "+6281234567890"


def test_whose_phone_it_is_may_stand_behind_the_number(clerk):
    page, _ = check(clerk, phone="WA 0812-3456-7890 (suami)")
    assert "+6281234567890, milik keluarga" in page and "PHONE-1" not in page
    page, _ = check(clerk, phone="0812-3456-7890 (suami)", phone_owner="tetangga")
    assert "milik tetangga" in page


NONE_IN_WORDS = {
    "no_nik_note": "-", "mother_nik": "--", "birth_order": "-", "passport_no": ".", "rt": "-",
    "rw": "\u2013", "mother_name": "- ", "village": "-", "phone": "- -", "bpjs_number": "\u2014",
    "kk_number": "...", "birth_date_estimated": "-",
}  # fmt: skip


@pytest.mark.engines("sqlite")
def test_a_dash_in_a_field_that_may_stay_empty_says_that_there_is_none(clerk):
    visit = register(clerk, **NONE_IN_WORDS, nik="-", no_nik_reason="LUPA_KARTU")
    kept = patients.identity_of(visit.patient)
    empty = NONE_IN_WORDS.keys() - {"birth_date_estimated"}
    assert {name: getattr(kept, name) for name in empty} == dict.fromkeys(empty)
    assert (kept.nik, kept.birth_date) == (None, date(1985, 8, 17))


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "-"}, "Isi nama pasien"),
        ({"nik": "-"}, "Isi NIK 16 angka"),
        ({"birth_date": "-", "birth_date_estimated": "."}, "Isi tanggal lahir"),
        ({"nik": "-5299"}, "NIK harus 16 angka"),
    ],
)
def test_a_dash_is_no_answer_where_one_is_needed(clerk, fields, says):
    response = post(clerk, "/pendaftaran/baru", FIELDS | fields)
    assert response.status_code == 422 and says in response.get_data(as_text=True)


@pytest.mark.engines("sqlite")
def test_a_dash_takes_the_card_off_a_visit(clerk):
    visit = register(clerk, bpjs_number="0001113569638", payer="JKN_PBI")
    changes = {"bpjs_number": "-", "payer": "UMUM", "complaint": visit.complaint}
    address = f"/pendaftaran/kunjungan/{visit.public_id}/ubah"
    assert post(clerk, address, changes | {"alasan": "salah kartu"}).status_code == 303
    assert db.session.get(Visit, visit.id).bpjs_number is None


@pytest.mark.parametrize("typed", ["", "   "])
def test_a_search_for_nothing_says_what_to_type(clerk, typed):
    response = post(clerk, "/pendaftaran", {"q": typed, "birth_date": "", "aksi": "baru"})
    page = clerk.get(response.location).get_data(as_text=True)
    assert response.location == "/pendaftaran"
    assert "Ketik nama, NIK, atau nomor lain dahulu." in page
    assert 'value="baru"' not in page


@pytest.mark.parametrize(
    ("reason", "more"),
    [
        ("BAYI", {"mother_nik": "3171015708850001", "birth_order": "1", "birth_date": "today"}),
        ("BAYI", {"birth_order": "1", "birth_date": "today"}),  # of a mother without NIK
        ("BAYI", {"mother_nik": "3171015708850001", "birth_date": "today"}),
        ("BELUM_BAWA", {}),
        ("LUPA_KARTU", {}),
        ("ASING", {"passport_no": "X1234567", "no_nik_note": "Australia"}),
        ("ASING", {"passport_no": "no. 12/AB"}),
        ("ASING", {}),
        ("TANPA_DOKUMEN", {}),
        ("TIDAK_DIKENAL", {"name": "", "birth_date": "", "address": ""}),
    ],
)
def test_every_reason_without_a_nik_leads_to_a_visit(clerk, app, reason, more):
    if more.get("birth_date") == "today":
        more = more | {"birth_date": f"{days.clinic_date():%d-%m-%Y}", "poli": "MTBS"}
    visit = register(clerk, nik="", no_nik_reason=reason, reason="sudah ditanyakan", **more)
    assert visit.patient.nik is None
    assert visit.patient.no_nik_reason == reason


def test_an_estimated_age_stays_the_same_date_at_the_next_visit(clerk):
    visit = register(
        clerk, nik="", no_nik_reason="TANPA_DOKUMEN", birth_date="", birth_date_estimated="40"
    )
    patient = visit.patient
    born, precision = patient.birth_date, patient.birth_precision
    assert precision == "year"
    page = clerk.get(f"/pendaftaran/pasien/{patient.public_id}").get_data(as_text=True)
    assert 'value="40 tahun"' in page
    register(
        clerk,
        f"/pendaftaran/pasien/{patient.public_id}",
        reason="kunjungan kedua hari ini",
        nik="",
        no_nik_reason="TANPA_DOKUMEN",
        birth_date="",
        birth_date_estimated="40 tahun",
        poli="GIGI",
        complaint="sakit gigi",
    )
    db.session.refresh(patient)
    assert (patient.birth_date, patient.birth_precision) == (born, precision)


# --- Warnings ---------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("reason", "field"),
    [("BAYI", "mother_nik"), ("BAYI", "birth_order"), ("ASING", "passport_no")],
)
def test_what_is_wanted_in_place_of_a_nik_asks_why_and_leads_to_its_field(clerk, reason, field):
    born = {"birth_date": f"{days.clinic_date() - timedelta(days=400):%d-%m-%Y}"}
    page, draft = check(clerk, nik="", no_nik_reason=reason, **(born if reason == "BAYI" else {}))
    rule = f"NO-{field.upper().replace('_', '-')}"
    asked = page.partition(f'data-rule="{rule}" data-level="warning"')[2].partition("</section>")[0]
    assert f'value="ubah:{field}"' in asked
    assert f'name="override_reason-{rule}"' in asked
    assert confirm(clerk, draft).status_code == 422
    assert confirm(clerk, draft, override_reason="tidak ada yang tahu").status_code == 303


def test_a_warning_asks_for_a_reason_and_keeps_it(clerk):
    page, draft = check(clerk, sex="L")  # the NIK says woman
    assert 'data-rule="NIK-SEX"' in page
    refused = confirm(clerk, draft)
    assert refused.status_code == 422
    assert "alasan" in refused.get_data(as_text=True)
    assert count(Visit) == 0
    saved = confirm(clerk, draft, **{"override_reason-NIK-SEX": "kartu salah cetak"})
    kept = db.session.scalars(select(Override)).one()
    assert saved.status_code == 303
    assert (kept.rule, kept.reason) == ("NIK-SEX", "kartu salah cetak")
    correcting = clerk.get(saved.location.replace("tiket", "kunjungan") + "/ubah").text
    assert re.search(r"Alasan saat mendaftar.*Alasan:</b> kartu salah cetak \(", correcting, re.S)


def test_the_reason_for_an_error_is_kept_too(clerk):
    register(clerk, poli="MTBS", reason="tidak ada dokter lain")
    kept = {row.rule: (row.level, row.reason) for row in db.session.scalars(select(Override))}
    assert kept["E3"] == (Level.ERROR, "tidak ada dokter lain")


def test_a_reason_has_four_letters(clerk):
    _, draft = check(clerk, sex="L")
    assert confirm(clerk, draft, override_reason=" ada ").status_code == 422
    assert confirm(clerk, draft, override_reason="anak").status_code == 303


def test_what_is_graver_is_asked_first(clerk):
    page, _ = check(clerk, sex="L", poli="MTBS", complaint="batuk 3 minggu")
    levels = re.findall(r'data-rule="[^"]+" data-level="(\w+)"', page)
    assert len(set(levels)) == 3
    assert levels == sorted(levels, key=("error", "warning", "info").index)


def test_a_child_under_five_without_its_mothers_name_is_asked_about(clerk):
    today = days.clinic_date()
    other = {"nik": "", "no_nik_reason": "LUPA_KARTU", "mother_name": ""}
    fifth = today.replace(day=min(today.day, 28), year=today.year - 5)
    page, _ = check(clerk, **other, birth_date=(fifth + timedelta(days=31)).isoformat())
    assert 'data-rule="MOTHER-1" data-level="warning"' in page
    assert "MOTHER-1" not in check(clerk, **other, birth_date=fifth.isoformat())[0]
    young = other | {"birth_date": today.isoformat(), "no_nik_reason": "BAYI", "birth_order": "1"}
    asked = {
        name: "MOTHER-1" in check(clerk, **young | {"name": name})[0]
        for name in (
            "By Ny Siti",
            "Bayi kembar 2 dari Ibu Siti",
            "By Tn Joko",
            "Nyoman Ibu",
            "Putri",
        )
    }
    assert [name for name, is_asked in asked.items() if not is_asked] == list(asked)[:2]


def test_a_typed_reason_survives_when_another_is_missing(clerk):
    _, draft = check(clerk, sex="L", birth_date="17-08-2023", mother_name="")
    page = confirm(clerk, draft, **{"override_reason-NIK-SEX": "kartu salah cetak"})
    assert page.status_code == 422
    assert "kartu salah cetak" in page.get_data(as_text=True)


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("changes", "rule", "level"),
    [
        ({"sex": "L", "nik": "", "no_nik_reason": "LUPA_KARTU", "pregnant": "ya"}, "E1", "error"),
        ({"poli": "MTBS"}, "E3", "error"),
        ({"pregnant": "ya"}, "W2", "warning"),
        ({"poli": "LAB", "complaint": "cek darah"}, "W8", "warning"),
        ({"complaint": "sakit gigi berlubang"}, "W7", "warning"),
        ({"complaint": "batuk 3 minggu"}, "P1", "info"),
        ({"cluster": "4"}, "K1", "warning"),
    ],
)
def test_wrong_choices_are_noticed(clerk, changes, rule, level):
    page, _ = check(clerk, **changes)
    assert f'data-rule="{rule}" data-level="{level}"' in page
    page, _ = check(clerk, name="Tanpa Masalah", nik="3171015708850002")
    assert f'data-rule="{rule}"' not in page


def test_a_red_flag_shows_at_once(clerk):
    page = post(clerk, "/pendaftaran/saran", {"complaint": "sesak berat"}).get_data(as_text=True)
    assert "UGD" in page
    assert 'role="alert"' in page
    calm = post(clerk, "/pendaftaran/saran", {"complaint": "kontrol"}).get_data(as_text=True)
    assert 'role="alert"' not in calm


def test_the_complaint_proposes_rooms_best_first(clerk):
    page = post(clerk, "/pendaftaran/saran", {"complaint": "mencret anak 3 th"})
    text = page.get_data(as_text=True)
    assert text.index('data-poli="MTBS"') > 0
    assert "mencret" in text
    assert post(clerk, "/pendaftaran/saran", {"nik": "abc", "birth_date": "x"}).status_code == 200


def test_the_chosen_cluster_is_kept_beside_the_computed_one(clerk):
    visit = register(clerk, cluster="4", reason="skrining TB")
    assert (visit.cluster, visit.computed_cluster) == ("4", "3")


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("years", "days_more", "changes", "first"),
    [
        (60, 0, {}, "LANSIA"),  # the birthday is today
        (60, 1, {}, ""),
        (4, 0, {}, "BALITA"),
        (60, 0, {"priority": "DISABILITAS"}, "DISABILITAS"),  # the clerk sees more than the rule
        (28, 0, {"pregnant": "ya", "poli": "KIA"}, "HAMIL"),
        (72, 0, {"poli": "UGD"}, "GAWAT"),
    ],
)
def test_the_counter_gives_priority_by_rule_unless_it_is_chosen(
    clerk, years, days_more, changes, first
):
    birthday = days.clinic_date() + timedelta(days=days_more)
    born = birthday.replace(year=birthday.year - years)  # multiples of 4: there is a 29 February
    told = {"nik": "", "no_nik_reason": "LUPA_KARTU", "birth_date": f"{born:%d-%m-%Y}"}
    visit = register(clerk, reason="memang begitu", **told | changes)
    entry = db.session.scalars(select(QueueEntry)).one()
    assert visit.priority == first
    assert entry.is_priority == (first not in ("", "GAWAT"))


# --- One person, one record -------------------------------------------------------------------


def test_a_taken_nik_is_never_attached_silently(clerk):
    owner = register(clerk).patient
    page, draft = check(clerk, name="Orang Lain Sekali", birth_date="01-01-1960")
    assert 'data-rule="NIK-TAKEN" data-level="error"' in page
    assert f"/pendaftaran/banding/{draft}/{owner.public_id}" in page
    response = confirm(clerk, draft, override_reason="NIK lama salah ketik")
    other = visit_of(response.location).patient
    assert other.id != owner.id
    assert other.is_nik_disputed
    assert not owner.is_nik_disputed


def test_a_nik_that_a_colleague_took_meanwhile_shows_their_patient(clerk):
    _, draft = check(clerk)
    owner = factories.patient("Siti Aminah", nik=FIELDS["nik"], birth_date=date(1985, 8, 17))
    response = confirm(clerk, draft)
    assert response.status_code == 422
    assert owner.mrn in response.get_data(as_text=True)
    assert count(Patient) == 1


def test_one_reason_for_all_does_not_answer_a_nik_that_an_older_patient_got_meanwhile(clerk):
    owner = factories.patient("Siti Aminah", nik=None, no_nik_reason=NoNikReason.FORGOT_CARD)
    _, draft = check(clerk)
    with transaction():
        identity = replace(patients.identity_of(owner), nik=FIELDS["nik"], no_nik_reason=None)
        patients.update(SYSTEM, owner, identity, "Kartu dibawa")
    response = confirm(clerk, draft, override_reason="sudah saya periksa")
    assert response.status_code == 422
    assert owner.mrn in response.get_data(as_text=True)
    assert count(Patient) == 1
    again = {"override_reason-NIK-TAKEN": "memang dua orang berbeda"}
    assert confirm(clerk, draft, **again).status_code == 303


def test_likely_patients_are_shown_on_the_form_and_the_check_page(clerk):
    known = factories.patient("Muhammad Yusuf", sex="L", birth_date=date(1990, 3, 4))
    factories.visit(known)
    age, today = age_text(known.birth_date, days.clinic_date()), days.clinic_date()
    facts = (
        f"{age} , 04-03-1990 Laki-laki No. RM {known.mrn} NIK {mask_nik(known.nik)} Tirta Alur"
        f" Terakhir {today:%d-%m-%Y}"
    )
    reasons = "nama beda ejaan · tanggal lahir sama · satu desa · jenis kelamin sama"
    typed = {"name": "M. Jusup", "sex": "L", "birth_date": "04-03-1990", "village": "Tirta Alur"}
    fragment = post(clerk, "/pendaftaran/mirip", typed)
    assert f'data-patient="{known.public_id}"' in text_of(fragment)
    assert f"Muhammad Yusuf Sangat mirip {facts} {reasons}" in words_of(fragment)
    vague = post(clerk, "/pendaftaran/mirip", typed | {"birth_date": ""})
    assert f"Muhammad Yusuf Mungkin sama {facts} nama beda ejaan" in words_of(vague)
    page, draft = check(clerk, nik="", no_nik_reason="LUPA_KARTU", **typed)
    assert f'data-patient="{known.public_id}"' in page
    asked = words_of(clerk.get(f"/pendaftaran/periksa/{draft}"))
    assert f"Orang yang sama? Muhammad Yusuf {facts} nama beda ejaan · tanggal lahir sama" in asked
    stranger = post(clerk, "/pendaftaran/mirip", {"name": "Ketut Ngurah", "sex": "L"})
    assert known.public_id not in stranger.get_data(as_text=True)


def test_using_the_known_patient_keeps_the_visit_that_was_typed(clerk):
    known = factories.patient("Siti Aminah", birth_date=date(1985, 8, 17), nik=FIELDS["nik"])
    _, draft = check(clerk, nik="", no_nik_reason="LUPA_KARTU", complaint="pusing sekali")
    url = f"/pendaftaran/pasien/{known.public_id}"
    form = clerk.get(f"{url}?draf={draft}").get_data(as_text=True)
    assert "pusing sekali" in form
    assert FIELDS["nik"] in form
    visit = register(clerk, url, draft=draft, complaint="pusing sekali")
    assert visit.patient_id == known.id
    assert count(Patient) == 1


def test_a_returning_patient_keeps_a_history_of_what_changed(clerk):
    known = factories.patient(
        "Siti Aminah", birth_date=date(1985, 8, 17), nik=FIELDS["nik"], address="Jalan Lama 1"
    )
    register(clerk, f"/pendaftaran/pasien/{known.public_id}", address="Jalan Baru 2")
    db.session.refresh(known)
    before = db.session.scalars(select(PatientVersion)).one()
    assert known.address == "Jalan Baru 2"
    assert before.before["address"] == "Jalan Lama 1"


# --- Emergency, second room, family -----------------------------------------------------------


def test_an_emergency_needs_no_name_and_is_completed_on_the_same_visit(clerk):
    key = "0198c7f2-0000-7000-8000-000000000001"
    typed = {"draft": key, "sex": "L", "complaint": "tidak sadar", "name": ""}
    first = post(clerk, "/pendaftaran/gawat", typed)
    assert post(clerk, "/pendaftaran/gawat", typed).location == first.location
    visit = visit_of(first.location)
    entry = db.session.scalars(select(QueueEntry)).one()
    assert (visit.priority, entry.poli.code, entry.rank) == ("GAWAT", "UGD", 0)
    assert visit.patient.is_unknown

    page, _ = check(clerk, f"/pendaftaran/kunjungan/{visit.public_id}/ruang", poli="GIGI")
    assert "umur belum diketahui" in page and "(perkiraan)" not in page
    _, draft = check(
        clerk,
        f"/pendaftaran/kunjungan/{visit.public_id}/identitas",
        name="Budi Hartono",
        sex="L",
        nik="3171011708850003",
    )
    assert confirm(clerk, draft).location == first.location
    db.session.refresh(visit.patient)
    assert (visit.patient.name, visit.patient.is_unknown) == ("Budi Hartono", False)
    assert visit.label == "X001"
    assert count(Visit) == 1


def test_a_completed_identity_is_what_reports_count(clerk):
    key = "0198c7f2-0000-7000-8000-000000000001"
    typed = {"draft": key, "sex": "P", "complaint": "sesak", "name": ""}
    visit = visit_of(post(clerk, "/pendaftaran/gawat", typed).location)
    assert (visit.age_years, visit.payer) == (None, "UMUM")
    url = f"/pendaftaran/kunjungan/{visit.public_id}/identitas"
    _, draft = check(clerk, url, payer="JAMKESDA", village="Tirta Alur")
    confirm(clerk, draft)
    db.session.refresh(visit)
    age = days.clinic_date().year - 1985
    assert visit.age_years in (age - 1, age)
    assert (visit.payer, visit.village) == ("JAMKESDA", "Tirta Alur")


def test_an_identity_that_is_completed_reaches_the_rooms_at_their_next_poll(clerk, sign_in):
    typed = {"nik": "", "no_nik_reason": "TIDAK_DIKENAL", "name": ""}
    visit = register(clerk, reason="tidak dikenal", **typed)
    room = sign_in("umum")
    address = poll_address(room)
    assert room.get(address).status_code == 204
    _, draft = check(clerk, f"/pendaftaran/kunjungan/{visit.public_id}/identitas")
    assert confirm(clerk, draft, override_reason="sesuai KTP").status_code == 303
    polled = room.get(address)
    assert polled.status_code == 200 and "Siti Aminah" in polled.get_data(as_text=True)


def test_a_visit_counts_by_the_identity_that_is_completed_on_a_later_day(clerk):
    person = factories.patient(
        "Tidak dikenal", birth_date=None, is_unknown=True, no_nik_reason=NoNikReason.UNKNOWN
    )
    visit = factories.visit(person)
    assert visit.cluster == "3"
    with transaction():
        days.current_day().on -= timedelta(days=2)
        days.open_day()
    url = f"/pendaftaran/kunjungan/{visit.public_id}/identitas"
    born = date(days.clinic_date().year - 10, 8, 17)
    told = {"birth_date": f"{born:%d-%m-%Y}", "nik": factories.nik(born, "P", 3)}
    _, draft = check(clerk, url, **told)
    confirm(clerk, draft, override_reason="keluarga yang bercerita")
    db.session.refresh(visit)
    assert (visit.patient.is_unknown, visit.cluster) == (False, "2")


def test_an_identity_is_not_written_on_whom_the_visit_was_moved_to(clerk):
    visit = register(clerk)
    _, draft = check(clerk, f"/pendaftaran/kunjungan/{visit.public_id}/identitas", name="Baru")
    right = factories.patient("Siti Rahayu")
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ubah"
    change = {"aksi": "ganti_pasien", "patient": right.public_id, "alasan_pasien": "salah pilih"}
    assert post(clerk, url, change).status_code == 303
    response = confirm(clerk, draft, override_reason="sudah dicek")
    page = clerk.get(response.location).get_data(as_text=True)
    assert "bukan untuk pasien" in page.split('role="alert"')[1].split("</div>")[0]
    assert f'href="/pendaftaran/tiket/{visit.public_id}"' in page and "pasien lain" in page
    db.session.refresh(right)
    assert right.name == "Siti Rahayu"


def test_what_was_typed_of_who_a_visit_is_comes_back_until_it_is_dropped_or_moved(clerk):
    visit = register(clerk)
    url = f"/pendaftaran/kunjungan/{visit.public_id}/identitas"

    def stands() -> str:
        return filled(clerk.get(url).get_data(as_text=True), "name")

    assert stands() == "Siti Aminah"
    first, second = (check(clerk, url, name=name)[1] for name in ("Siti Baru", "Siti Lama"))
    check(clerk, f"/pendaftaran/kunjungan/{visit.public_id}/ruang", poli="GIGI", name="Lain")
    assert stands() == "Siti Lama", "the last that was typed"
    post(clerk, f"/pendaftaran/draf/{second}/buang")
    assert stands() == "Siti Baru"
    with transaction():
        drafts.by_ref(first).drafted_on -= timedelta(days=1)
    assert stands() == "Siti Aminah", "of another day"
    with transaction():
        drafts.by_ref(first).drafted_on += timedelta(days=1)
    right = factories.patient("Siti Rahayu")
    with transaction():
        by, moved = factories.actor(), db.session.merge(visit)
        wrong_patient.reassign(by, moved, db.session.merge(right), "salah pilih")
    assert stands() == "Siti Rahayu", "it was typed of somebody else"


def test_an_emergency_does_not_take_the_key_of_another_draft(clerk):
    _, draft = check(clerk)
    response = post(
        clerk, "/pendaftaran/gawat", {"draft": draft, "sex": "L", "complaint": "pingsan"}
    )
    assert response.status_code == 409
    assert "pingsan" in response.get_data(as_text=True)


def test_an_emergency_without_sex_is_asked_for_it(clerk):
    key = "0198c7f2-0000-7000-8000-000000000001"
    response = post(clerk, "/pendaftaran/gawat", {"draft": key, "complaint": "kecelakaan"})
    assert response.status_code == 422
    assert "kecelakaan" in response.get_data(as_text=True)


def test_a_second_room_keeps_the_number_of_the_visit(clerk):
    visit = register(clerk)
    page, draft = check(
        clerk,
        f"/pendaftaran/kunjungan/{visit.public_id}/ruang",
        poli="GIGI",
        complaint="sakit gigi",
    )
    assert "hari ini dengan nomor" not in page, "it is no other visit"
    confirm(clerk, draft)
    codes = [entry.poli.code for entry in db.session.scalars(select(QueueEntry))]
    assert sorted(codes) == ["GIGI", "UMUM"]
    assert count(Visit) == 1
    assert "sakit gigi" in db.session.get(Visit, visit.id).complaint


def further_room(clerk, visit, **changes):
    """What the form of a further room answers."""
    typed = {"sex": "P", "poli": "GIGI", "complaint": "sakit gigi", **changes}
    return post(clerk, f"/pendaftaran/kunjungan/{visit.public_id}/ruang", typed)


def test_the_ticket_of_a_further_room_does_not_give_the_first_ones_cluster_as_its_own(clerk):
    visit = register(clerk, poli="GIGI", complaint="sakit gigi", reason="memang")
    draft = draft_of(further_room(clerk, visit, poli="KIA", complaint="periksa hamil"))
    ticket = clerk.get(confirm(clerk, draft, override_reason="hamil").location)
    first, further = ticket.get_data(as_text=True).split('class="ticket hue')[1:]
    assert "Poli Gigi" in first and "<p>Lintas klaster" in first
    assert "<p>Kunjungan dihitung: Lintas klaster" in further.partition("</section>")[0]


def test_a_form_that_is_sent_twice_becomes_one_draft(clerk):
    visit = register(clerk)
    drafts_before, opened = count(RegistrationDraft), f"{int(utcnow().timestamp())}"
    ways = {further_room(clerk, visit, dibuka=opened).location for _ in range(2)}
    assert len(ways) == 1 and count(RegistrationDraft) == drafts_before + 1
    further_room(clerk, visit, dibuka=opened, complaint="gusi bengkak")
    assert count(RegistrationDraft) == drafts_before + 2, "typed otherwise it is another one"
    for at in (opened, f"{int(opened) - 60}"):
        further_room(clerk, visit, dibuka=at, complaint="gigi goyang")
    assert count(RegistrationDraft) == drafts_before + 4, "so is a form that was opened anew"


def just_before(monkeypatch, module, act) -> None:
    """Do this once when the module's next request has read all and is about to write."""
    real, left = module.transaction, [act]

    @contextmanager
    def later():
        if left:
            left.pop()()
        with real() as session:
            yield session

    monkeypatch.setattr(module, "transaction", later)


def test_a_form_that_is_sent_twice_at_once_becomes_one_draft_too(clerk, monkeypatch):
    fields = FIELDS | {"dibuka": f"{int(utcnow().timestamp())}"}
    ways = []

    def send() -> None:
        ways.append(post(clerk, "/pendaftaran/baru", fields).location)

    just_before(monkeypatch, filling, send)
    send()
    assert len(ways) == 2 and len(set(ways)) == 1 and count(RegistrationDraft) == 1


@pytest.mark.parametrize("which", ["aksi", "banding"])
def test_a_press_takes_back_nothing_that_another_tab_has_just_kept(clerk, monkeypatch, which):
    known = factories.patient("Siti Aminah", birth_date=date(1985, 8, 17))
    _, draft = check(clerk, nik="", no_nik_reason="LUPA_KARTU")
    fields = FIELDS | {"nik": "", "no_nik_reason": "LUPA_KARTU", "complaint": "gusi bengkak"}
    module = check_page if which == "aksi" else compare

    def retype() -> None:
        draft_of(post(clerk, "/pendaftaran/baru", fields | {"draft": draft}))

    just_before(monkeypatch, module, retype)
    if which == "aksi":
        refused = confirm(clerk, draft, aksi="hamil:ya")
    else:
        shown = {"version": "1", "patient_version": f"{known.version}", "aksi": "gabung"}
        refused = post(clerk, f"/pendaftaran/banding/{draft}/{known.public_id}", shown)
    assert refused.status_code == 409 and "Periksa lagi" in words_of(refused)
    kept = drafts.by_ref(draft)
    assert (kept.fields["complaint"], kept.version) == ("gusi bengkak", 2)


def test_what_is_said_for_a_further_room_stands_beside_its_own_denial(clerk):
    visit = register(clerk, complaint="batuk, tidak sesak")
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ruang"
    page, draft = check(clerk, url, complaint="sesak", poli="UGD")
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    assert confirm(clerk, draft, version, override_reason="memang").status_code == 303
    db.session.refresh(visit)
    assert visit.complaint == "batuk, tidak sesak; sesak"
    with transaction():
        further_room_of.add_complaint(visit, "Sesak")
        further_room_of.add_complaint(visit, "batuk, tidak sesak")
        assert visit.complaint == "batuk, tidak sesak; sesak"
        visit.complaint = "Batuk; Sesak"
        further_room_of.add_complaint(visit, "sesak")
    assert visit.complaint == "Batuk; Sesak"


def test_a_further_room_where_the_visit_stands_is_refused_on_the_form(clerk):
    visit = register(clerk)
    response = further_room(clerk, visit, poli="UMUM")
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert "Pasien U001 masih menunggu di Poli Umum. Nomor U001 berlaku di sana" in page
    assert "sakit gigi" in page
    page = further_room(clerk, visit, poli="UMUM", complaint="").get_data(as_text=True)
    assert "berlaku di sana" in page and "Isi keluhan" in page, "all that is wrong at once"
    confirm(clerk, draft_of(further_room(clerk, visit)))
    with transaction():
        entry = next(each for each in visit.entries if each.poli.code == "UMUM")
        for step in ("mulai", "selesai"):
            queues.act(factories.actor("umum"), db.session.merge(entry), step)
    draft_of(further_room(clerk, visit, poli="UMUM", complaint="demam lagi"))  # it is over there


def test_a_colleague_who_was_faster_with_the_same_further_room_leaves_a_sentence(clerk):
    visit = register(clerk)
    first, second = (draft_of(further_room(clerk, visit)) for _ in range(2))
    assert confirm(clerk, first).status_code == 303
    late = confirm(clerk, second, override_reason="memang dua kali")
    page = late.get_data(as_text=True)
    assert late.status_code == 409
    assert 'data-rule="ROOM-1" data-level="error"' in page and "di Poli Gigi" in page
    assert "override_reason-ROOM-1" not in page and "Simpan dan beri nomor" not in page
    assert len(visit.entries) == 2
    assert db.session.get(Visit, visit.id).complaint.count("sakit gigi") == 1


def test_what_is_told_for_a_further_room_reaches_the_first_one_at_its_next_poll(clerk, sign_in):
    visit = register(clerk)
    room = sign_in("umum")
    address = poll_address(room)
    draft = draft_of(further_room(clerk, visit, poli="KIA", complaint="mual", pregnant="ya"))
    assert room.get(address).status_code == 204
    assert confirm(clerk, draft, override_reason="kontrol").status_code == 303
    polled = room.get(address)
    assert polled.status_code == 200 and "Ibu hamil" in polled.get_data(as_text=True)


def test_a_race_after_the_review_is_a_sentence_too(clerk):
    """Two processes: each has reviewed before the other one saved."""
    visit = register(clerk)
    draft = drafts.by_ref(draft_of(further_room(clerk, visit)))
    application = drafted.read(draft).application()
    found = review.review(application)
    assert confirm(clerk, draft.public_id).status_code == 303
    with pytest.raises(registration.Stopped, match="tidak dapat masuk Poli Gigi"), transaction():
        registration._add_room(factories.actor(), application, found, draft)


def test_a_visit_of_a_past_day_gets_no_further_room_but_a_new_visit(clerk):
    visit = register(clerk)
    draft = draft_of(further_room(clerk, visit))
    with transaction():
        day = db.session.get(ServiceDay, visit.service_day_id)
        days.end(day, utcnow())
        day.on -= timedelta(days=3)
    ticket = clerk.get(f"/pendaftaran/tiket/{visit.public_id}").get_data(as_text=True)
    assert "/ruang" not in ticket and "Daftarkan kunjungan baru" in ticket
    late = confirm(clerk, draft, override_reason="tetap")
    assert late.status_code == 409 and "sudah lewat" in late.get_data(as_text=True)
    response = further_room(clerk, visit)
    assert response.location.startswith(f"/pendaftaran/pasien/{visit.patient.public_id}?draf=")
    page = clerk.get(response.location).get_data(as_text=True)
    assert "sudah lewat" in page and "sakit gigi" in page
    clerk.get(f"/pendaftaran/kunjungan/{visit.public_id}/ruang")
    assert count(QueueEntry) == 1


def test_a_further_room_reopens_a_day_that_was_closed_too_early(clerk):
    visit = register(clerk)
    with transaction():
        days.end(db.session.get(ServiceDay, visit.service_day_id), utcnow())
    assert confirm(clerk, draft_of(further_room(clerk, visit))).status_code == 303
    assert days.current_day().id == visit.service_day_id


def test_a_visit_of_another_day_is_no_visit_of_today(clerk):
    visit = register(clerk)
    with transaction():
        day = db.session.get(ServiceDay, visit.service_day_id)
        day.on -= timedelta(days=3)
    register(clerk, nik="3171011708850002", name="Budi Hartono", sex="L")  # today has begun
    page, _ = check(clerk, f"/pendaftaran/pasien/{visit.patient.public_id}")
    assert 'data-rule="W9"' not in page and "Buka tiket" not in page


def test_the_same_room_twice_is_stopped_but_not_forbidden(clerk):
    visit = register(clerk)
    page, draft = check(clerk, f"/pendaftaran/pasien/{visit.patient.public_id}")
    assert 'data-rule="W9" data-level="error"' in page
    assert "U001" in page
    assert confirm(clerk, draft).status_code == 422
    assert confirm(clerk, draft, override_reason="datang lagi sore").status_code == 303


def two_clerks(sign_in, room: str):
    """One patient at two counters: both have the check page, the second clerk's is still open."""
    clerk, known = sign_in("loket"), factories.patient()
    url = f"/pendaftaran/pasien/{known.public_id}"
    page, draft = check(clerk, url, poli=room, complaint="gusi bengkak")
    register(sign_in("kepala"), url, reason="sudah ditanyakan")
    return clerk, draft, berjalan(page)


def berjalan(page: str) -> dict[str, str]:
    """What the check page says of the running visits that it shows."""
    return {"berjalan": re.search(r'name="berjalan" value="([^"]*)"', page)[1]}


@pytest.mark.parametrize("says_what_was_shown", [True, False])
def test_a_visit_that_a_colleague_saved_meanwhile_is_shown_before_the_second(
    sign_in, says_what_was_shown
):
    clerk, draft, shown = two_clerks(sign_in, "GIGI")
    reason = {"override_reason": "sudah ditanyakan"} | (shown if says_what_was_shown else {})
    for _ in range(2):  # a double click too
        refused = confirm(clerk, draft, **reason)
        assert refused.status_code == 409 and count(Visit) == 1
    page = refused.get_data(as_text=True)
    assert "Buka tiket U001" in page and "gusi bengkak" in page and 'value="2"' in page
    seen = reason | (berjalan(page) if says_what_was_shown else {})
    ways = {confirm(clerk, draft, "2", **seen).location for _ in range(2)}
    assert len(ways) == 1 and visit_of(ways.pop()).label == "G001"


def test_one_reason_for_all_does_not_answer_a_second_visit_that_was_not_shown(sign_in):
    clerk, draft, shown = two_clerks(sign_in, "UMUM")
    for_all = {"override_reason": "sudah ditanyakan"}
    refused = confirm(clerk, draft, **for_all | shown)
    assert refused.status_code == 422 and count(Visit) == 1
    seen = berjalan(refused.get_data(as_text=True))
    assert confirm(clerk, draft, **for_all | seen).status_code == 422
    own = {"override_reason-W9": "kontrol sore"}
    assert confirm(clerk, draft, **for_all | seen | own).status_code == 303


def test_a_visit_that_is_moved_to_the_patient_meanwhile_is_shown_too(clerk):
    visit, known = register(clerk), factories.patient("Budi Hartono", no_nik_reason="LUPA_KARTU")
    url = f"/pendaftaran/pasien/{known.public_id}"
    own = {"name": "Budi Hartono", "nik": "", "no_nik_reason": "LUPA_KARTU"}
    page, draft = check(clerk, url, poli="GIGI", **own)
    with transaction():
        wrong_patient.reassign(factories.actor("loket"), visit, known, "salah pasien")
    reason = {"override_reason": "sudah ditanyakan"}
    assert confirm(clerk, draft, **reason | berjalan(page)).status_code == 409


def test_a_stay_that_is_over_is_no_double_registration(clerk):
    visit = register(clerk)
    with transaction():
        (entry,) = visit.entries
        for step in ("mulai", "selesai"):
            queues.act(factories.actor("umum"), entry, step)
    page, _ = check(clerk, f"/pendaftaran/pasien/{visit.patient.public_id}")
    assert 'data-rule="W9"' not in page
    assert "Kunjungan lain hari ini" in page and "Buka tiket U001" in page


BY_PRESS = re.compile(r'href="(/pendaftaran/baru\?keluarga=[^"]+)">([^<]+)</a>')


def family_forms(clerk, visit) -> dict[str, str]:
    """What the ticket offers for further members, and the form that each button opens."""
    ticket = clerk.get(f"/pendaftaran/tiket/{visit.public_id}").get_data(as_text=True)
    return {
        words: clerk.get(unescape(address)).get_data(as_text=True)
        for address, words in BY_PRESS.findall(ticket)
    }


def filled(form: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', form)[1]


def has_mother(form: str) -> bool:
    return bool(filled(form, "mother_name") or filled(form, "mother_nik"))


def test_a_family_member_does_not_type_the_address_again(clerk):
    shared = {"kk_number": "3171010101200001", "address": "Jalan Kenanga 12", "rt": "007"}
    shared |= {"rw": "008", "village": "Dasan Baru", "phone": "+6281234567890"}
    paid = {"payer": "JKN_PBI", "bpjs_number": "0001113569638"}
    visit = register(clerk, **shared, **paid)
    forms = family_forms(clerk, visit)
    assert list(forms) == ["Anak Siti Aminah", "Anggota keluarga lain"]
    own = {"name": "", "nik": "", "birth_date": "", "bpjs_number": ""}
    for form in forms.values():
        assert {name: filled(form, name) for name in shared | own} == shared | own
        assert '<option value="JKN_PBI" selected>' in form
        assert f"Keluarga dari <b>Siti Aminah</b>, No. RM {visit.patient.mrn}" in form
    child = register(
        clerk,
        nik="",
        no_nik_reason="BELUM_BAWA",
        name="Putri",
        birth_date="17-08-2020",
        kk_number="3171010101200001",
        mother_name="Siti Aminah",
    )
    assert child.patient.household_id == visit.patient.household_id
    assert "Putri" in clerk.get(f"/pendaftaran/tiket/{visit.public_id}").get_data(as_text=True)


def test_only_who_is_said_to_be_a_child_or_a_sibling_gets_the_mother(clerk):
    visit = register(clerk)
    forms = family_forms(clerk, visit)
    mother = (filled(forms["Anak Siti Aminah"], name) for name in ("mother_name", "mother_nik"))
    assert tuple(mother) == ("Siti Aminah", FIELDS["nik"])
    assert not has_mother(forms["Anggota keluarga lain"])
    known = {"mother_name": "Siti Aminah", "mother_nik": FIELDS["nik"]}
    boy = {"nik": "3171011708150002", "name": "Dimas", "sex": "L", "birth_date": "17-08-2015"}
    forms = family_forms(clerk, register(clerk, **boy | known))
    assert list(forms) == ["Saudara kandung Dimas", "Anggota keluarga lain"]
    sibling = forms["Saudara kandung Dimas"]
    assert {name: filled(sibling, name) for name in known} == known
    assert not has_mother(forms["Anggota keluarga lain"])


@pytest.mark.engines("sqlite")
def test_a_girl_is_offered_no_child_of_hers(app):
    today, twelve = days.clinic_date(), date(days.clinic_date().year - 12, 1, 1)
    for born, kin in ((twelve, [households.CHILD]), (twelve.replace(year=today.year - 11), [])):
        assert households.kin_with_mother(factories.patient(birth_date=born), today) == kin


def test_a_man_whose_mother_is_unknown_has_no_mother_to_give(clerk):
    man = {"nik": "3171011708850002", "name": "Joko", "sex": "L"}
    forms = family_forms(clerk, register(clerk, **man))
    assert list(forms) == ["Anggota keluarga baru"]
    assert not has_mother(forms["Anggota keluarga baru"])


def test_a_mother_who_is_too_young_is_asked_about(clerk):
    man = {"nik": "3171011708830002", "name": "Joko", "sex": "L", "birth_date": "17-08-1983"}
    page, _ = check(clerk, **man, mother_nik=FIELDS["nik"])
    assert 'data-rule="MOTHER-NIK" data-level="warning"' in page


# --- Where a JKN member is registered ---------------------------------------------------------


def test_where_a_member_is_registered_is_asked_once_and_kept_by_each_visit(clerk):
    first = register(clerk, payer="JKN_PBI", bpjs_home="lain")
    page = clerk.get(f"/pendaftaran/pasien/{first.patient.public_id}").get_data(as_text=True)
    assert '<option value="lain" selected>' in page
    fields = FIELDS | {"payer": "JKN_PBI", "bpjs_home": "sini", "patient": first.patient.public_id}
    done = post(clerk, f"/pendaftaran/pasien/{first.patient.public_id}", fields)
    assert "Puskesmas ini" in clerk.get(done.location).get_data(as_text=True)
    db.session.refresh(first)
    assert first.bpjs_home == "lain"


@pytest.mark.parametrize(
    ("payer", "said", "kept"),
    [("JKN_NON_PBI", "sini", "sini"), ("JKN_PBI", "", ""), ("UMUM", "sini", "")],
)
def test_only_a_members_answer_counts_and_nobody_must_answer(clerk, payer, said, kept):
    assert register(clerk, payer=payer, bpjs_home=said).bpjs_home == kept


def test_a_baby_of_the_night_is_0_days_old_on_the_day_before(app):
    factories.visit()
    today = days.clinic_date()
    with transaction():
        days.latest_day().on = today - timedelta(days=1)  # it goes on until 04.00
    night = days.midnight_utc(today) + timedelta(hours=2, minutes=30)
    newborn = {"nik": None, "no_nik_reason": NoNikReason.NEWBORN}
    baby = factories.patient("By Ny Siti", birth_date=today, **newborn)
    unborn = factories.patient("By Ny Ani", birth_date=today + timedelta(days=1), **newborn)
    day = days.latest_day()
    for person, age in ((baby, 0), (unborn, None)):
        visit = Visit(occurred_at=night)
        registration.take_snapshot(visit, person, day)
        assert (visit.age_years, visit.age_months, visit.age_days) == (age,) * 3


@pytest.mark.parametrize("born_days_ago", [0, 1])
def test_in_the_night_form_and_check_page_tell_the_age_that_is_kept(
    clerk, monkeypatch, born_days_ago
):
    factories.visit()
    today = days.clinic_date()
    with transaction():
        days.latest_day().on = yesterday = today - timedelta(days=1)  # it goes on until 04.00
    on = today - timedelta(days=born_days_ago)
    person = factories.patient("Budi", birth_date=parse_age("216 bulan", on).birth_date)
    told = review.Application(patients.identity_of(person), "pusing", "UMUM", patient=person)
    monkeypatch.setattr(days, "is_current", lambda *_: True)  # whatever the hour of the test
    assert days.current_day().on == yesterday
    cluster = "2" if full_years(person.birth_date, yesterday) < 18 else "3"
    assert review.review(told).cluster.code == cluster
    fields = {"birth_date": f"{told.identity.birth_date:%d-%m-%Y}", "poli": "UMUM", "sex": "L"}
    beside = post(clerk, "/pendaftaran/saran", fields).get_data(as_text=True)
    assert f"Klaster {cluster}" in beside


def test_the_rooms_tell_the_age_of_a_baby_of_the_night(clerk, sign_in):
    born = days.clinic_date() + timedelta(days=1)  # as if the day went on after midnight
    baby = factories.patient("By Ny Siti", birth_date=born, nik=None, no_nik_reason="BAYI")
    entry = factories.entry("UMUM", baby)
    with transaction():
        db.session.get_one(Visit, entry.visit_id).age_days = 0
    desk = sign_in("umum")
    assert "0 hari" in desk.get("/poli/UMUM").get_data(as_text=True)
    assert "0 hari" in desk.get(f"/antrean/{entry.public_id}/lainnya").get_data(as_text=True)
    with transaction():
        queues.act(factories.actor("umum"), db.session.get_one(QueueEntry, entry.id), "mulai")
    assert "0 hari" in desk.get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)


def test_a_ticket_of_the_night_names_the_day_that_its_time_belongs_to(clerk):
    visit, today = factories.visit(), days.clinic_date()
    with transaction():
        days.latest_day().on = today - timedelta(days=1)
        at = days.midnight_utc(today) + timedelta(minutes=20)
        db.session.get_one(Visit, visit.id).occurred_at = at
    ticket = clerk.get(f"/pendaftaran/tiket/{visit.public_id}").get_data(as_text=True)
    assert f"{long_date(today)}, 00.20" in ticket


def test_a_birth_date_changed_at_a_second_registration_counts_in_the_first_of_the_day(clerk):
    born = days.clinic_date() - timedelta(days=500)
    baby = {"nik": "", "no_nik_reason": "BELUM_BAWA", "mother_name": "Sulastri"}
    first = register(clerk, name="Wildan", birth_date="05-10-1990", **baby)
    assert first.cluster == "3"
    url = f"/pendaftaran/pasien/{first.patient.public_id}"
    more = baby | {"poli": "GIGI", "complaint": "sakit gigi", "patient": first.patient.public_id}
    register(clerk, url, "salah ketik", name="Wildan", birth_date=f"{born:%d-%m-%Y}", **more)
    db.session.expire_all()
    assert (first.age_days, first.cluster, first.priority) == (500, "2", Priority.TODDLER)


# --- Corrections ------------------------------------------------------------------------------


def test_the_counter_learns_who_cancels_and_those_can(clerk, sign_in):
    visit = register(clerk)
    help_page = clerk.get("/bantuan").get_data(as_text=True).split('id="antrean"')[0]
    assert "ruangnya atau kepala" in help_page and "<b>Lainnya</b>" in help_page
    address, start = f"/pendaftaran/kunjungan/{visit.public_id}/ubah", visit.entries[0].public_id
    assert post(sign_in("umum"), f"/antrean/{start}/mulai", {}).status_code == 303
    correction = clerk.get(address).get_data(as_text=True)
    assert "petugas ruangnya atau kepala" in correction and "Batalkan antrean" in correction
    cancel = f"/antrean/{visit.entries[0].public_id}/batal"
    assert post(clerk, cancel, {"alasan": "terdaftar dua kali"}).status_code == 403
    more = sign_in("kepala").get(cancel.replace("batal", "lainnya")).get_data(as_text=True)
    assert "Batalkan antrean" in more
    assert post(sign_in("umum"), cancel, {"alasan": "terdaftar dua kali"}).status_code == 303
    db.session.refresh(visit)
    assert visit.status == VisitStatus.CANCELLED


def test_a_correction_that_changes_nothing_is_not_called_saved(clerk):
    visit = register(clerk, payer="JKN_PBI", bpjs_home="sini", bpjs_number="0001234567890")
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ubah"
    typed = {"payer": "JKN_PBI", "bpjs_number": "0001234567890", "bpjs_home": "sini"}
    typed |= {"complaint": FIELDS["complaint"], "alasan": "diperiksa lagi"}
    page = clerk.get(post(clerk, url, typed).location).get_data(as_text=True)
    assert "Tidak ada yang berubah" in page and "tersimpan.</div>" in page
    assert "Pembetulan tersimpan" not in page and count(VisitCorrection) == 0
    sent = post(clerk, url, typed | {"complaint": "pusing"})
    page = clerk.get(sent.location).get_data(as_text=True)
    assert "Pembetulan tersimpan" in page and "Tidak ada yang berubah" not in page


def test_payer_and_complaint_are_corrected_with_a_reason(clerk):
    visit = register(clerk)
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ubah"
    typed = {"payer": "JKN_PBI", "bpjs_number": "0001234567890", "complaint": "sakit kepala"}
    typed |= {"bpjs_home": "sini"}
    refused = post(clerk, url, typed)
    assert refused.status_code == 422
    assert "sakit kepala" in refused.get_data(as_text=True)
    assert post(clerk, url, typed | {"alasan": "kartu baru dibawa"}).status_code == 303
    db.session.refresh(visit)
    assert (visit.payer, visit.bpjs_home, visit.complaint) == ("JKN_PBI", "sini", "sakit kepala")
    notes = {n.field: n.before for n in db.session.scalars(select(VisitCorrection))}
    kept = select(VisitCorrection).where(VisitCorrection.field == "complaint")
    note = db.session.scalars(kept).one()
    said = (note.after, note.reason, note.corrected_by_id)
    assert said == ("sakit kepala", "kartu baru dibawa", factories.user().id)
    was = {"payer": "UMUM", "bpjs_number": "", "bpjs_home": "", "complaint": "demam dan batuk"}
    assert notes == was
    changed = {**typed, "payer": "UMUM", "alasan": "kartu orang lain"}
    post(clerk, url, changed)
    db.session.refresh(visit)
    assert visit.bpjs_home == "", "nobody's member is registered nowhere"


def opened_correction(clerk, url: str) -> dict[str, str]:
    """What the page's first form sends when nothing was typed, with a reason."""
    page = clerk.get(url).get_data(as_text=True)
    shown = re.findall(r'name="shown-(\w+)" value="([^"]*)"', page)
    sent = {name: unescape(value) for name, value in shown}
    return sent | {f"shown-{name}": value for name, value in sent.items()} | {"alasan": "salah"}


def test_a_correction_changes_only_what_its_clerk_changed(clerk):
    visit = register(clerk)
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ubah"
    opened = opened_correction(clerk, url)
    assert confirm(clerk, draft_of(further_room(clerk, visit))).status_code == 303
    assert post(clerk, url, opened | {"payer": "JAMKESDA"}).status_code == 303
    db.session.refresh(visit)
    assert (visit.payer, visit.complaint) == ("JAMKESDA", "demam dan batuk; sakit gigi")
    assert list(db.session.scalars(select(VisitCorrection.field))) == ["payer"]


def test_two_corrections_of_one_field_ask_the_second_clerk(clerk):
    visit = register(clerk)
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ubah"
    opened = opened_correction(clerk, url)
    first = {"payer": "JKN_PBI", "bpjs_number": "0001234567890", "complaint": "pusing\r\nmual"}
    assert post(clerk, url, opened | first).status_code == 303
    second = opened | {"complaint": "sakit kepala", "alasan": "salah dengar"}
    asked = post(clerk, url, second)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 409
    assert "menjadi: pusing\nmual. Isian Anda: sakit kepala." in page
    assert "sakit kepala</textarea>" in page and "salah dengar" in page
    assert 'value="JKN_PBI" selected' in page and "0001234567890" in page
    assert db.session.get(Visit, visit.id, populate_existing=True).complaint == "pusing\nmual"
    paid = post(clerk, url, opened | {"payer": "JAMKESDA"}).get_data(as_text=True)
    assert "menjadi: JKN PBI (iuran dibayar pemerintah). Isian Anda: Jamkesda." in paid
    assert 'value="JAMKESDA" selected' in paid and "pusing\nmual</textarea>" in paid
    shown = {"shown-payer": "JKN_PBI", "shown-bpjs_number": "0001234567890"}
    assert [f'name="{name}" value="{value}"' in page for name, value in shown.items()] == [True] * 2
    again = second | shown | {"payer": "JKN_PBI", "bpjs_number": "0001234567890"}
    again |= {"shown-complaint": "pusing\r\nmual"}
    assert post(clerk, url, again).status_code == 303
    db.session.refresh(visit)
    assert (visit.payer, visit.complaint) == ("JKN_PBI", "sakit kepala")


def test_what_a_correction_was_shown_stays_when_it_is_asked_first(clerk):
    visit = register(clerk)
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ubah"
    opened = opened_correction(clerk, url)
    assert post(clerk, url, opened | {"payer": "JAMKESDA"}).status_code == 303
    for typed in ({"alasan": ""}, {"complaint": "sesak berat, bibir biru"}):
        page = post(clerk, url, opened | typed)
        assert page.status_code == 422
        assert 'name="shown-payer" value="UMUM"' in page.get_data(as_text=True)


def test_a_correction_is_in_the_audit_trail(clerk):
    visit = register(clerk)
    typed = {"payer": "JAMKESDA", "complaint": "pusing", "alasan": "kartu baru dibawa"}
    post(clerk, f"/pendaftaran/kunjungan/{visit.public_id}/ubah", typed)
    trail = select(AuditEntry).where(AuditEntry.action == "correct_visit")
    found = db.session.scalars(trail).one()
    assert (found.object_ref, found.patient_ref) == (visit.public_id, visit.patient.public_id)
    assert found.reason == "kartu baru dibawa" and "payer" in found.details


def test_a_cancelled_visit_is_not_corrected(clerk):
    visit = register(clerk)
    with transaction():
        queues.act(factories.actor("umum"), visit.entries[0], "batal", "salah daftar")
    typed = {"payer": "JAMKESDA", "complaint": "pusing", "alasan": "kartu baru dibawa"}
    refused = post(clerk, f"/pendaftaran/kunjungan/{visit.public_id}/ubah", typed)
    assert refused.status_code == 409 and "sudah dibatalkan" in refused.get_data(as_text=True)
    assert count(VisitCorrection) == 0


def test_the_room_reads_a_corrected_complaint_at_its_next_poll(clerk, sign_in):
    visit, room = register(clerk), sign_in("umum")
    address = poll_address(room)
    assert room.get(address).status_code == 204
    typed = {"payer": "UMUM", "complaint": "pusing berputar", "alasan": "salah dengar"}
    post(clerk, f"/pendaftaran/kunjungan/{visit.public_id}/ubah", typed)
    assert "pusing berputar" in room.get(address).get_data(as_text=True)


def test_another_sign_in_a_corrected_complaint_is_read_and_kept_once(clerk):
    visit = register(clerk)
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ubah"
    typed = {"payer": "UMUM", "alasan": "keluarga bercerita"}
    read = []

    def correct(complaint: str) -> tuple[int, int]:
        """The answer, and how often the room has been told something."""
        sent = post(clerk, url, typed | {"complaint": complaint, "dibaca": "".join(read[-1:])})
        read.extend(re.findall(r'name="dibaca" value="([^"]+)"', sent.text))
        return sent.status_code, count(Override)

    assert correct("sesak berat") == (422, 0)
    assert correct("sesak berat") == (303, 1)
    assert correct("sesak berat, kejang") == (422, 1), "its sentence is another one"
    assert correct("sesak berat, kejang") == (303, 2)
    assert correct("pegal") == (303, 3), "it is gone"
    assert correct("pegal dan gatal") == (303, 3)
    assert set(db.session.scalars(select(Override.reason))) == {"keluarga bercerita"}


def flags_in_the_room() -> tuple[bool, bool]:
    db.session.rollback()
    entry = db.session.scalars(select(QueueEntry)).first()
    row = queue_lines.room_queue(entry.poli, days.latest_day()).waiting[0]
    return row.has_red_flag, row.has_cough


@pytest.mark.parametrize(
    ("complaint", "rule", "flags"),
    [
        ("sesak berat, bibir biru", "R1", (True, False)),
        ("batuk darah 3 minggu", "P1", (True, True)),
    ],
)
def test_a_corrected_complaint_tells_its_signs_once_and_then_the_room(
    clerk, complaint, rule, flags
):
    visit = register(clerk)
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ubah"
    typed = {"payer": "UMUM", "complaint": complaint, "alasan": "keluarga baru bercerita"}
    assert flags_in_the_room() == (False, False)
    asked = post(clerk, url, typed)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 422 and f'data-rule="{rule}"' in page
    assert complaint in page and "keluarga baru bercerita" in page
    assert db.session.get(Visit, visit.id).complaint == "demam dan batuk"
    read = re.search(r'name="dibaca" value="([^"]+)"', page)[1]
    assert post(clerk, url, typed | {"dibaca": read}).status_code == 303
    assert flags_in_the_room() == flags
    more = typed | {"complaint": f"{complaint}, gatal", "alasan": "keluarga ingat lagi"}
    assert post(clerk, url, more).status_code == 303, "the sign was read before"
    assert flags_in_the_room() == flags, "it is still there"
    back = typed | {"complaint": "keram kaki", "alasan": "salah pasien"}
    assert post(clerk, url, back).status_code == 303, "what is gone need not be read"
    assert flags_in_the_room() == (False, False)
    again = post(clerk, url, typed | {"dibaca": read})
    assert again.status_code == 303 and flags_in_the_room() == flags


def test_a_visit_on_the_wrong_patient_moves_to_the_right_one(clerk):
    visit = register(clerk)
    right = factories.patient("Siti Rahayu")
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ubah"
    found = post(clerk, url, {"aksi": "cari", "q": "Siti Rahayu"}).get_data(as_text=True)
    assert right.public_id in found
    change = {"aksi": "ganti_pasien", "patient": right.public_id}
    assert post(clerk, url, change).status_code == 422
    assert post(clerk, url, change | {"alasan_pasien": "salah pilih nama"}).status_code == 303
    db.session.refresh(visit)
    assert visit.patient_id == visit.original_patient_id == right.id


def test_an_examined_visit_does_not_change_its_patient_at_the_counter(clerk):
    visit = register(clerk)
    right = factories.patient("Siti Rahayu")
    with transaction():
        entry = db.session.scalars(select(QueueEntry)).one()
        user = factories.user("umum")
        db.session.add(Examination(entry_id=entry.id, visit_id=visit.id, recorded_by_id=user.id))
    url = f"/pendaftaran/kunjungan/{visit.public_id}/ubah"
    change = {"aksi": "ganti_pasien", "patient": right.public_id, "alasan_pasien": "salah pilih"}
    response = post(clerk, url, change)
    assert response.status_code == 409
    assert "sudah diperiksa" in response.get_data(as_text=True)


# --- Small things that hurt when they break ----------------------------------------------------


def test_foreign_ids_and_wrong_methods_have_a_page(clerk):
    for kind in ("periksa", "tiket", "pasien"):
        missing = clerk.get(f"/pendaftaran/{kind}/tidak-ada")
        assert missing.status_code == 404
        assert "Halaman ini tidak ada" in missing.get_data(as_text=True)
    for refused in (clerk.delete("/pendaftaran/baru"), clerk.get("/pendaftaran/saran")):
        assert refused.status_code == 405
        assert "hanya menerima kiriman dari formulirnya" in refused.get_data(as_text=True)


def test_a_draft_that_lost_its_room_elsewhere_leads_to_its_form(clerk):
    other = factories.patient("Budi Santoso")
    _, draft = check(clerk)
    asks = {"draft": draft, "aksi": f"ini:{other.public_id}"}
    post(clerk, "/pendaftaran/baru", FIELDS | {"poli": "", "complaint": "gusi bengkak"} | asks)
    pressed = confirm(clerk, draft, aksi="pindah:GIGI")
    assert pressed.location == f"/pendaftaran/baru?draf={draft}#f-poli"
    form = words_of(clerk.get(pressed.location))
    assert "Pilih ruang" in form and "gusi bengkak" in form


def test_a_closed_room_is_refused_on_the_check_page_too(clerk):
    _, draft = check(clerk)
    with transaction():
        db.session.scalars(select(Poli).where(Poli.code == "UMUM")).one().is_active = False
    for does in (confirm, lambda *_: clerk.get(f"/pendaftaran/periksa/{draft}")):
        response = does(clerk, draft)
        assert response.status_code == 303
        path, _, field = response.location.partition("#")
        assert path.startswith("/pendaftaran/baru") and field == "f-poli"
        page = clerk.get(path).get_data(as_text=True)
        assert re.findall(r'class="flash flash-warning">([^<]+)', page) == [NO_SUCH_ROOM]
    assert count(Visit) == 0


def test_a_draft_knows_what_it_is_about(clerk):
    visit = register(clerk)
    check(clerk, f"/pendaftaran/kunjungan/{visit.public_id}/ruang", poli="GIGI")
    kinds = list(db.session.scalars(select(RegistrationDraft.kind).order_by(RegistrationDraft.id)))
    assert kinds == [DraftKind.NEW, DraftKind.ROOM]


def test_a_long_cough_is_known_in_the_room(clerk, sign_in):
    register(clerk, complaint="batuk 3 minggu")
    kept = db.session.scalars(select(Override)).one()
    assert (kept.rule, kept.level) == ("P1", "info")
    assert "Masker" in sign_in("umum").get("/poli/UMUM").get_data(as_text=True)


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("name", "Isi nama pasien seperti di kartunya."),
        ("address", "Isi alamat."),
        ("complaint", "Isi keluhan, beberapa kata saja."),
        ("birth_date", "Isi tanggal lahir"),
        ("village", ""),  # may be empty
    ],
)
def test_letters_that_nobody_sees_are_no_answer(clerk, field, sentence):
    typed = FIELDS | {"nik": "", "no_nik_reason": "LUPA_KARTU", field: "\u200b \u2060"}
    response = post(clerk, "/pendaftaran/baru", typed)
    assert response.status_code == (422 if sentence else 303)
    assert sentence in text_of(response)


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("typed", ["8 bln", "35 th", "1990", "1990-13-01"])
def test_an_age_in_the_birth_dates_box_is_led_to_the_ages(clerk, typed):
    page = post(clerk, "/pendaftaran/baru", FIELDS | {"birth_date": typed})
    assert page.status_code == 422
    assert ("atau isi umur di sebelahnya" in page.text) == ("-" not in typed)
