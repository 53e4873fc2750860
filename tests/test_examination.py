"""The examination room's page: who may open it, the form, saving, finishing, screening."""

import gzip
import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape

import pytest
from sqlalchemy import select

from clinic import allergies, days, queues, records
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from models import (
    Addendum,
    Allergy,
    AuditEntry,
    DatePrecision,
    Diagnosis,
    EntryState,
    Examination,
    Procedure,
    QueueEntry,
    ServiceDay,
    UserPoli,
    Visit,
    VitalSigns,
)
from tests import factories, past_visits
from tests.databases import count_queries
from tests.pages import post, words_of

HARMFUL = '<b>"Siti" & O\'Neil</b> 😀'


@pytest.fixture
def umum(sign_in):
    return sign_in("umum")


def served(code="UMUM", person=None, by="umum", **fields) -> QueueEntry:
    entry = factories.entry(code, person, **fields)
    with transaction():
        queues.act(factories.actor(by), entry, "mulai")
    return entry


def address(entry, tail="") -> str:
    return f"/kunjungan/{entry.visit.public_id}{tail}"


def send(client, entry, action="simpan", version=0, **fields):
    data = {"aksi": action, "entry": entry.public_id, "version": str(version), **fields}
    return post(client, address(entry), data)


def text_of(response) -> str:
    return unescape(re.sub(r"\s+", " ", response.get_data(as_text=True)))


def hidden(response, name) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', response.get_data(as_text=True))[1]


def examination(entry) -> Examination | None:
    db.session.rollback()
    return records.open_examination(entry)


def all_rows(model, **where):
    db.session.rollback()
    return list(db.session.scalars(select(model).filter_by(**where).order_by(model.id)))


# --- Who may open it --------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("username", "status"),
    [("umum", 200), ("kepala", 200), ("rekammedis", 200)]
    + [("gigi", 404), ("loket", 403), ("ti", 403)],
)
def test_who_may_read_the_page(sign_in, username, status):
    entry = served()
    assert sign_in(username).get(address(entry)).status_code == status


@pytest.mark.parametrize(
    ("username", "status"),
    [("umum", 303), ("kepala", 303), ("rekammedis", 403), ("gigi", 404), ("loket", 403)],
)
def test_who_may_write(sign_in, username, status):
    entry = served()
    assert send(sign_in(username), entry, subjective="demam").status_code == status
    assert (examination(entry) is not None) == (status == 303)


def in_two_rooms() -> QueueEntry:
    """Served in UMUM and waiting in GIGI: both rooms may read the patient today."""
    entry = served()
    with transaction():
        visit = db.session.get_one(Visit, entry.visit_id)
        queues.enqueue(factories.actor(), visit, factories.poli("GIGI"))
    return entry


def test_another_room_of_the_visit_writes_nothing_in_ones_own(sign_in):
    entry = in_two_rooms()
    assert send(sign_in("gigi"), entry, subjective="dari gigi").status_code == 404
    assert examination(entry) is None


def test_an_old_visit_of_ones_room_needs_a_reason_first(umum):
    person = factories.patient()
    past_visits.add(person, 1, since=2)
    (old,) = all_rows(Visit)
    response = umum.get(f"/kunjungan/{old.public_id}")
    assert response.status_code == 303
    assert response.location == f"/pasien/{old.patient.public_id}"


def test_strangers_are_sent_to_the_login_and_unknown_visits_are_not_found(client, umum):
    entry = served()
    response = client.get(address(entry))
    assert response.status_code == 303 and response.location.startswith("/masuk?lanjut=")
    assert umum.get("/kunjungan/0193-unknown").status_code == 404
    assert umum.get(address(entry) + "?antrean=unknown").status_code == 404
    assert umum.get(address(entry, "/tambahan")).status_code == 405


def test_reading_is_logged_once_and_changes_nothing_else(umum):
    entry = served()
    umum.get("/bantuan")
    before = len(all_rows_of_audit())
    umum.get(address(entry))
    added = all_rows_of_audit()[before:]
    assert [(row.action, row.patient_ref) for row in added] == [
        ("view_visit", entry.visit.patient.public_id)
    ]
    assert examination(entry) is None and entry.state is EntryState.IN_SERVICE


def all_rows_of_audit(action=""):
    db.session.rollback()
    trail = list(db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq)))
    return [row for row in trail if action in ("", row.action)]


# --- What the page shows ----------------------------------------------------------------------


def test_identity_allergies_and_earlier_visits_stand_above_the_form(umum):
    person = factories.patient()
    past_visits.add(person, 7)
    with transaction():
        allergies.add_allergy(factories.actor("umum"), person, "Amoksisilin", "gatal")
    page = umum.get(address(served(person=person))).get_data(as_text=True)
    form = page.index('id="isian"')
    for text in ("Siti Aminah", "14-05-1985", "Perempuan", person.mrn, "Amoksisilin (gatal)"):
        assert 0 < page.index(text) < form, text
    for text in ("keluhan 1<", "TD\u00a0120/80", "J06.9", "terapi 1<", "keluhan 3<"):
        assert 0 < page.index(text) < form, text
    assert "keluhan 4<" not in page
    assert person.nik not in page


def test_earlier_visits_that_have_no_place_are_named_with_their_diagnoses(umum):
    person = factories.patient()
    past_visits.add(person, 4)
    entry = served(person=person)
    with transaction():
        other = queues.enqueue(factories.actor(), entry.visit, factories.poli("TB"))
        queues.act(factories.actor("kepala"), other, "mulai")
        examination = records.save(
            factories.actor("kepala"), other, ExaminationInput(assessment="Batuk"), 0
        )
    page = text_of(umum.get(address(entry, f"?antrean={entry.public_id}")))
    (title,) = db.session.scalars(
        select(Diagnosis.title).where(Diagnosis.code == "J06.9").distinct()
    )
    rows, _, further = page.partition("Sebelum itu:")
    assert "keluhan 1<" in rows and "keluhan 2<" not in rows
    assert further.partition("</p>")[0].count(title) == 2
    assert examination.finished_at is None


def test_the_entry_that_is_being_served_is_chosen(umum):
    entry = factories.entry()
    with transaction():
        other = queues.enqueue(factories.actor(), entry.visit, factories.poli("TB"))
        queues.act(factories.actor("umum"), other, "mulai")
    assert hidden(umum.get(address(entry)), "entry") == other.public_id
    page = umum.get(address(entry, f"?antrean={entry.public_id}"))
    assert "Mulai periksa" in text_of(page) and 'id="isian"' not in text_of(page)


def test_a_waiting_patient_can_be_started_or_measured(umum):
    entry = factories.entry()
    page = text_of(umum.get(address(entry)))
    assert f'action="/antrean/{entry.public_id}/mulai"' in page
    assert address(entry, "/tanda-vital") in page
    assert 'name="subjective"' not in page
    assert send(umum, entry, subjective="demam").status_code == 409


def test_what_other_rooms_found_in_this_visit_is_shown(umum, sign_in):
    entry = served()
    form = {"assessment": "Anemia", "disposition": "rujuk_internal", "refer_to": "LAB"}
    assert send(umum, entry, "selesai", **form).status_code == 303
    (there,) = all_rows(QueueEntry, poli_id=factories.poli("LAB").id)
    with transaction():
        queues.act(factories.actor("lab"), there, "mulai")
    lab = sign_in("lab")
    assert "Selesai, kembali ke" in text_of(lab.get(address(there)))
    answer = send(lab, there, "selesai", objective="Hb 9,1", disposition="pulang")
    assert answer.location == "/poli/LAB"
    back = all_rows(QueueEntry, poli_id=factories.poli("UMUM").id)[-1]
    with transaction():
        queues.act(factories.actor("umum"), back, "mulai")
    page = text_of(umum.get(address(entry)))
    assert hidden_entry(page) == back.public_id
    assert page.index("Hb 9,1") < page.index('id="isian"')


def hidden_entry(page: str) -> str:
    return re.search(r'name="entry" value="([^"]*)"', page)[1]


def test_everything_typed_is_escaped(umum):
    person = factories.patient("Siti <script>alert(1)</script>")
    entry = served(person=person, complaint=HARMFUL)
    texts = dict.fromkeys(records.TEXTS, HARMFUL)
    send(umum, entry, diagnosis=HARMFUL, allergy_substance=HARMFUL, **texts)
    assert examination(entry).therapy == HARMFUL
    page = umum.get(address(entry)).get_data(as_text=True)
    assert "<b>&#34;Siti" not in page and "<script>alert" not in page
    assert HARMFUL in unescape(page)


def test_a_usual_page_is_small(umum):
    person = factories.patient()
    past_visits.add(person, 5)
    entry = served(person=person)
    send(umum, entry, systolic="120", diagnosis="J06.9", subjective="demam " * 20)
    page = umum.get(address(entry))
    assert len(gzip.compress(page.data, 6)) <= 6 * 1024


@pytest.mark.engines("sqlite")
def test_the_page_takes_the_same_queries_at_5_and_200_earlier_visits(umum):
    people = {5: factories.patient("Ani"), 200: factories.patient("Budi")}
    for size, person in people.items():
        past_visits.add(person, size)
    counts = []
    for person in people.values():
        url = address(served(person=person))
        umum.get(url)
        with count_queries() as statements:
            assert umum.get(url).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]


# --- Saving -----------------------------------------------------------------------------------


def test_a_draft_is_saved_and_shown_again(umum):
    entry = served()
    fields = {
        "systolic": "120", "diastolic": "80", "temperature": "36,5", "weight": "54.2",
        "subjective": "Demam\ndua hari", "objective": "Faring merah", "assessment": "ISPA",
        "plan": "Istirahat", "therapy": "Parasetamol 3x500 mg", "disposition": "kontrol",
        "diagnosis": ["J06.9", "A09"], "case_type-1": "lama", "case_type-2": "baru",
    }  # fmt: skip
    response = send(umum, entry, **fields)
    assert response.status_code == 303
    assert response.location == address(entry, f"?antrean={entry.public_id}")
    stored = examination(entry)
    assert stored.subjective == "Demam\ndua hari" and stored.finished_at is None
    assert [(row.code, row.case_type) for row in all_rows(Diagnosis)] == [
        ("J06.9", "lama"),
        ("A09", "baru"),
    ]
    page = text_of(umum.get(response.location))
    assert re.search(r'role="status"[^>]* tabindex="-1" data-autofocus>Tersimpan pukul', page)
    for text in ('value="36,5"', "Parasetamol 3x500 mg", 'value="kontrol" checked', "J06.9"):
        assert text in page, text
    assert hidden(umum.get(response.location), "version") == "1"


def test_case_types_may_be_counted_from_zero_as_well(umum):
    entry = served()
    send(umum, entry, diagnosis=["J06.9", "A09"], **{"case_type-0": "lama", "case_type-1": "baru"})
    assert [row.case_type for row in all_rows(Diagnosis)] == ["lama", "baru"]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(("name", "table"), [("diagnosis", Diagnosis), ("procedure", Procedure)])
def test_what_is_too_much_is_said_and_none_is_left_out(umum, name, table):
    entry, typed = served(), [f"luka nomor {nth}" for nth in range(1, 22)]
    refused = send(umum, entry, **{name: typed})
    page = text_of(refused)
    assert refused.status_code == 422
    assert "Paling banyak 20" in page and "kurangi 1 di antaranya" in page
    assert all(f'name="{name}" value="{text}"' in page for text in typed)
    assert all_rows(table) == []
    assert send(umum, entry, **{name: typed[:20]}).status_code == 303
    assert len(all_rows(table)) == 20


def test_a_diagnosis_is_removed_and_another_made_the_primary_one(umum):
    entry = served()
    send(umum, entry, diagnosis=["J06.9", "A09", "K29.7"])
    fields = {"case_type-1": "hapus", "case_type-2": "baru", "case_type-3": "baru"}
    codes = ["J06.9", "A09", "K29.7"]
    send(umum, entry, version=1, diagnosis=codes, diagnosis_primary="K29.7", **fields)
    active = [row for row in all_rows(Diagnosis) if row.ended_at is None]
    active.sort(key=lambda row: row.position)
    assert [(row.code, row.is_primary) for row in active] == [("K29.7", True), ("A09", False)]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("field", "typed"),
    [("systolic", "1200"), ("temperature", "3,65"), ("saturation", "abc")]
    + [("weight", "-3"), ("subjective", "x" * 10_001), ("disposition", "terbang")],
)
def test_an_unusable_value_is_refused_with_everything_kept(umum, field, typed):
    entry = served()
    fields = {"therapy": "Parasetamol", "diagnosis": "J06.9", "pulse": "80", field: typed}
    response = send(umum, entry, version=0, **fields)
    assert response.status_code == 422
    page = text_of(response)
    assert f'href="#f-{field}"' in page
    for text in ("Parasetamol", 'value="J06.9"', 'value="80"'):
        assert text in page
    if field not in ("disposition",):
        assert typed in page
    assert examination(entry) is None and all_rows(VitalSigns) == []


def test_an_unusual_value_is_saved_and_warned_about(umum):
    entry = served()
    response = send(umum, entry, systolic="230", diastolic="120")
    assert response.status_code == 303
    assert 'data-rule="VITAL-systolic" data-level="warning"' in text_of(umum.get(response.location))
    assert all_rows(VitalSigns)[0].systolic == 230


def test_an_allergy_is_added_with_the_examination(umum):
    entry = served()
    send(umum, entry, allergy_substance="Ibuprofen", allergy_reaction="bengkak")
    assert "Ibuprofen (bengkak)" in text_of(umum.get(address(entry)))
    response = send(umum, entry, version=1, allergy_substance="ibuprofen", plan="lain")
    assert response.status_code == 422 and "sudah tercatat" in text_of(response)
    assert len(all_rows(Allergy)) == 1 and examination(entry).plan == ""


def test_no_allergy_is_no_red_banner_and_what_was_typed_stays(umum):
    entry = served()
    response = send(umum, entry, allergy_substance="tidak ada", plan="kontrol")
    page = text_of(response)
    assert response.status_code == 422 and 'href="#f-allergy_substance"' in page
    assert "Kosongkan bila tidak ada" in page and 'value="tidak ada"' in page and "kontrol" in page
    assert all_rows(Allergy) == []


@pytest.mark.parametrize("action", ["simpan", "selesai"])
def test_a_reaction_without_its_allergy_is_asked_about_and_not_lost(umum, action):
    entry = served()
    typed = {"allergy_reaction": "bengkak bibir", "disposition": "pulang", "assessment": "ISPA"}
    response = send(umum, entry, action, **typed)
    page = text_of(response)
    assert response.status_code == 422 and 'href="#f-allergy_substance"' in page
    assert "kosongkan reaksinya" in page and 'value="bengkak bibir"' in page
    assert send(umum, entry, action, **typed | {"allergy_reaction": "  "}).status_code == 303
    assert all_rows(Allergy) == []


def test_the_form_of_another_patient_is_refused_and_kept(umum):
    mine, other = served(), served(person=factories.patient("Budi", sex="L"))
    data = {"aksi": "simpan", "version": "0", "therapy": "Parasetamol"}
    for fields in (
        {"entry": other.public_id},
        {"entry": ""},
        {"entry": mine.public_id, "patient": other.visit.patient.public_id},
    ):
        response = post(umum, address(mine), data | fields)
        assert response.status_code == 409
        assert "Parasetamol" in text_of(response)
        assert "Cocokkan nama dan tanggal lahir" in text_of(response)
    assert all_rows(Examination) == []


def test_a_conflict_shows_both_texts_and_loses_none(umum, sign_in):
    entry = served()
    send(umum, entry, plan="rencana pertama", therapy="sama", diagnosis="J06.9")
    response = send(sign_in("kepala"), entry, plan="rencana kedua", therapy="sama", diagnosis="A09")
    assert response.status_code == 409
    page = text_of(response)
    assert "rencana pertama" in page and "rencana kedua" in page
    assert "dr. Bagus Prasetyo" in page and 'value="A09"' in page
    assert examination(entry).plan == "rencana pertama"
    version = hidden(response, "version")
    assert version == "1"
    again = send(umum, entry, version=version, plan="rencana pertama dan kedua")
    assert again.status_code == 303
    assert examination(entry).plan == "rencana pertama dan kedua"


def test_a_conflict_shows_the_firsts_diagnoses_lab_order_and_end(umum, sign_in):
    entry, second = served(), sign_in("kepala")
    first = {"diagnosis": ["J06.9", "A09"], "case_type-1": "lama", "case_type-2": "baru"}
    first |= {"lab_sent": "1", "lab": ["GDS"], "lab_note": "puasa"}
    first |= {"disposition": "rujuk_internal", "refer_to": "LAB"}
    send(umum, entry, **first)
    mine = {"diagnosis": "J06.9", "case_type-1": "baru", "lab_sent": "1", "refer_to": "GIZI"}
    response = send(second, entry, disposition="rujuk_internal", **mine)
    page = words_of(response)
    for text in ("(lama); A09", "Gula darah sewaktu puasa", "Rujuk internal ke Laboratorium"):
        assert text in page, text
    # What the first had found is one press away; with it nothing is ended.
    assert re.search(r'name="diagnosis_favourite" value="A09"', text_of(response))
    both = mine | {"diagnosis_favourite": "A09", "lab": ["GDS"], "lab_note": "puasa"}
    assert send(second, entry, version=1, **both).status_code == 303
    active = [row.code for row in all_rows(Diagnosis) if row.ended_at is None]
    assert sorted(active) == ["A09", "J06.9"]


def test_a_conflict_says_nothing_where_both_wrote_the_same(umum, sign_in):
    entry = served()
    same = {"diagnosis": "J06.9", "case_type-1": "baru", "lab_sent": "1", "lab": ["GDS"]}
    same |= {"disposition": "rujuk_internal", "refer_to": "LAB"}
    send(umum, entry, plan="satu", **same)
    page = words_of(send(sign_in("kepala"), entry, plan="dua", **same))
    assert page.count("Tersimpan oleh") == 1 and "Pakai juga" not in page


def test_a_form_with_errors_keeps_the_version_it_was_opened_with(umum):
    entry = served()
    send(umum, entry, plan="rencana pertama")
    response = send(umum, entry, version=0, plan="usang", pulse="999")
    assert response.status_code == 422 and hidden(response, "version") == "0"


# --- Diagnosis search -------------------------------------------------------------------------


def test_searching_without_script_keeps_everything_and_saves_nothing(umum):
    entry = served()
    fields = {"therapy": "Parasetamol", "pulse": "999", "diagnosis": ["J06.9"]}
    response = send(umum, entry, "cari", diagnosis_search="diare", version=0, **fields)
    assert response.status_code == 200
    page = text_of(response)
    for text in ("Parasetamol", 'value="999"', 'value="J06.9"', 'value="diare"'):
        assert text in page, text
    assert re.search(r'type="checkbox" name="diagnosis" value="A09', page)
    assert examination(entry) is None


def test_enter_in_the_search_box_searches_and_elsewhere_saves(umum):
    entry = served()
    assert send(umum, entry, "lanjut", diagnosis_search="diare").status_code == 200
    assert examination(entry) is None
    assert send(umum, entry, "lanjut", diagnosis_search="a09").status_code == 303
    assert [row.code for row in all_rows(Diagnosis)] == ["A09"]
    saved = send(umum, entry, "lanjut", version=1, plan="x")
    assert saved.status_code == 303
    assert saved.location.endswith("#isian"), "Tab goes on in the form"


@pytest.mark.parametrize("action", ["simpan", "selesai"])
def test_words_left_in_the_search_box_are_asked_about_before_anything_is_saved(umum, action):
    entry = served()
    fields = {"assessment": "diare", "disposition": "pulang", "diagnosis_search": "diare"}
    response = send(umum, entry, action, **fields)
    assert response.status_code == 422 and 'href="#f-diagnosis_search"' in text_of(response)
    assert 'value="A09' in text_of(response) and 'name="diagnosis" value="diare"' in text_of(
        response
    )
    assert examination(entry) is None


def test_what_was_ticked_counts_and_the_words_that_led_there_do_not(umum):
    entry = served()
    send(umum, entry, diagnosis=["J06.9"], **{"case_type-1": "baru"})
    fields = {"case_type-1": "baru", "diagnosis_search": "diare"}
    response = send(umum, entry, version=1, diagnosis=["J06.9", "A09"], **fields)
    assert response.status_code == 303
    assert [row.code for row in all_rows(Diagnosis)] == ["J06.9", "A09"]


def test_a_text_without_a_code_is_recorded_when_it_was_ticked(umum):
    entry = served()
    fields = {"diagnosis": "pegal linu", "diagnosis_search": "pegal linu"}
    response = send(umum, entry, **fields)
    assert "tanpa kode ICD-10" in text_of(umum.get(response.location))
    assert [(row.code, row.title) for row in all_rows(Diagnosis)] == [("", "pegal linu")]


def test_the_search_fragment_keeps_what_was_ticked(umum):
    entry = served()
    url = address(entry, "/diagnosis")
    fragment = umum.get(url, query_string={"q": "diare", "diagnosis": ["J06.9"]})
    page = text_of(fragment)
    assert fragment.status_code == 200 and page.lstrip().startswith('<div id="diagnosis-options"')
    assert 'value="J06.9" checked' in page and 'value="A09' in page
    assert text_of(umum.get(url, query_string={"q": "d"})).count("value=") == 1
    assert "tanpa kode" in text_of(umum.get(url, query_string={"q": "zzzzqq"}))
    for known in ("I10", "i10", " I10 "):  # one box for a code: two would undo each other
        page = text_of(umum.get(url, query_string={"q": known}))
        assert (page.count('value="I10"'), "tanpa kode" in page) == (1, False), known
    page = text_of(umum.get(url, query_string={"q": "I10", "diagnosis": ["I10"]}))
    assert page.count("value=") == page.count("checked") == 1
    page = text_of(send(umum, entry, "cari", diagnosis_search="I10"))
    assert (page.count('name="diagnosis" value="I10"'), "tanpa kode" in page) == (1, False)
    assert "Set-Cookie" not in fragment.headers


@pytest.mark.parametrize(
    ("typed", "is_near"), [("diare", False), ("dhiare", True), ("zzzzqq", False)]
)
def test_diagnoses_that_are_only_called_nearly_so_are_shown_as_such(umum, typed, is_near):
    entry = served()
    fragment = text_of(umum.get(address(entry, "/diagnosis"), query_string={"q": typed}))
    page = text_of(send(umum, entry, "cari", diagnosis_search=typed))
    for found in (fragment, page):
        assert ("nama mirip, baca dulu" in found) == is_near
        assert ('value="A09.9"' in found) == (typed != "zzzzqq")


# --- Finishing --------------------------------------------------------------------------------


def test_the_room_that_the_patient_goes_to_is_said_by_its_name(umum):
    entry = served()
    to = {"disposition": "rujuk_internal", "refer_to": "GIZI"}
    answer = send(umum, entry, "selesai", assessment="gizi kurang", **to)
    name = factories.poli("GIZI").name
    assert f"Pasien antre di {name} dan kembali ke sini" in words_of(umum.get(answer.location))
    visit, record = (
        f"/kunjungan/{entry.visit.public_id}",
        f"/pasien/{entry.visit.patient.public_id}",
    )
    amend = f"/pemeriksaan/{examination(entry).public_id}/pembetulan"
    for address_ in (f"{visit}?antrean={entry.public_id}", record, amend):
        page = words_of(umum.get(address_, follow_redirects=True))
        assert (f"ke {name}" in page, "ke GIZI" in page) == (True, False), address_


@pytest.mark.parametrize(
    ("end", "said", "queued"),
    [
        ({"disposition": "pulang"}, "Pasien kembali ke antrean MTBS", "MTBS"),
        ({"disposition": "kontrol"}, "Pasien kembali ke antrean MTBS", "MTBS"),
        (
            {"disposition": "rujuk_eksternal", "refer_external": "RSUD"},
            "Pasien tidak kembali ke MTBS",
            None,
        ),
        (
            {"disposition": "rujuk_internal", "refer_to": "FARMASI"},
            "Pasien antre di Farmasi, tidak kembali ke MTBS",
            "FARMASI",
        ),
        ({"disposition": "meninggal"}, "Tercatat meninggal", None),
    ],
)
def test_a_patient_on_loan_stands_where_the_last_doctor_sent_them(umum, end, said, queued):
    sender = factories.entry("MTBS")
    with transaction():
        queues.act(factories.actor("kia"), sender, "mulai")
        there = queues.refer(factories.actor("kia"), sender, factories.poli("UGD"))
        queues.act(factories.actor("umum"), there, "mulai")
    page = text_of(umum.get(address(there)))
    room = factories.poli("MTBS").name
    assert (
        f"Selesai, kembali ke {room}" in page
        and f"Kontrol nanti, sekarang kembali ke {room}" in page
    )
    answer = send(umum, there, "selesai", assessment="sesak", **end)
    said = said.replace("MTBS", room).replace("Farmasi", factories.poli("FARMASI").name)
    assert said in words_of(umum.get(answer.location))
    stays = all_rows(QueueEntry, visit_id=there.visit_id)
    standing = [each.poli.code for each in stays if each.state in days.STILL_HERE]
    assert standing == ([queued] if queued else [])


def test_a_place_outside_is_said_as_it_was_written(umum):
    entry = served()
    to = {"disposition": "rujuk_eksternal", "refer_external": "LAB"}  # no room of this house
    send(umum, entry, "selesai", assessment="anemia", **to)
    page = words_of(umum.get(f"/kunjungan/{entry.visit.public_id}?antrean={entry.public_id}"))
    assert "ke LAB" in page


def test_finishing_leads_to_the_queue_with_a_message(umum):
    entry = served()
    response = send(umum, entry, "selesai", assessment="ISPA", disposition="pulang")
    assert (response.status_code, response.location) == (303, "/poli/UMUM")
    assert examination(entry).finished_at
    db.session.refresh(entry)
    assert entry.state is EntryState.DONE
    again = send(umum, entry, "selesai", assessment="ISPA", disposition="pulang")
    assert again.status_code == 303
    assert [row.action for row in all_rows_of_audit()].count("finish_examination") == 1


FINISHED = {
    "assessment": "batuk",
    "disposition": "pulang",
    "diagnosis": ["K30", "R05"],
    "case_type-1": "baru",
    "case_type-2": "baru",
    "diagnosis_primary": "K30",
}


@pytest.mark.parametrize(
    ("differing", "shown"),
    [
        ({"systolic": "170", "diastolic": "100"}, "Tekanan sistolik 170"),
        ({"case_type-2": "lama"}, "R05"),
        ({"diagnosis_primary": "R05"}, "R05"),
        ({"procedure": "jahit luka"}, "jahit luka"),
    ],
)
def test_an_end_that_says_anything_else_than_a_colleagues_is_no_second_press(
    umum, sign_in, differing, shown
):
    entry = served()
    colleague = sign_in("kepala")
    assert send(colleague, entry, "selesai", **FINISHED).status_code == 303
    assert send(umum, entry, "selesai", **FINISHED).status_code == 303, "all the same"
    late = send(umum, entry, "selesai", **FINISHED | differing)
    assert late.status_code == 409
    page = words_of(late)
    assert shown in page[page.index("Tulisan Anda yang belum tersimpan") :]
    assert all_rows(VitalSigns) == []


def test_another_reason_than_a_colleagues_is_no_second_press(umum, sign_in):
    man = factories.patient("Budi", sex="L")
    entry = served(person=man)
    form = {"assessment": "hamil", "disposition": "pulang", "diagnosis": "Z34.9"}
    first = form | {"override_reason": "salah jenis kelamin di kartu"}
    assert send(sign_in("kepala"), entry, "selesai", **first).status_code == 303
    assert send(umum, entry, "selesai", **first).status_code == 303
    assert send(umum, entry, "selesai", **form).status_code == 303, "none was typed"
    other = form | {"override_reason": "kode sementara"}
    assert send(umum, entry, "selesai", **other).status_code == 409


def test_an_unfinished_form_is_answered_with_what_is_missing(umum):
    entry = served()
    response = send(umum, entry, "selesai", subjective="demam", disposition="pulang")
    assert response.status_code == 422
    assert 'href="#f-assessment"' in text_of(response) and "demam" in text_of(response)
    outside = send(umum, entry, "selesai", assessment="ISPA", disposition="rujuk_eksternal")
    assert outside.status_code == 422 and 'href="#f-refer_external"' in text_of(outside)
    assert examination(entry) is None


@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        ({"disposition": "rujuk_eksternal", "refer_external": "RSUD", "refer_to": "LAB"}, "RSUD"),
        ({"disposition": "rujuk_eksternal", "refer_to": "RSUD"}, "RSUD"),
        ({"disposition": "rujuk_internal", "refer_to": "GIGI", "refer_external": "x"}, "GIGI"),
        ({"disposition": "pulang", "refer_to": "GIGI"}, ""),
    ],
)
def test_where_to_is_taken_from_the_field_that_belongs_to_the_choice(umum, fields, stored):
    entry = served()
    assert send(umum, entry, "selesai", assessment="ISPA", **fields).status_code == 303
    assert examination(entry).refer_to == stored


def test_after_the_end_the_page_is_read_only_and_takes_addenda(umum, sign_in):
    entry = served()
    send(umum, entry, "selesai", assessment="ISPA", disposition="pulang", therapy="obat")
    page = umum.get(address(entry))
    assert 'id="isian"' not in text_of(page) and "Tulis tambahan" in text_of(page)
    late = send(umum, entry, version=1, therapy="obat lain")
    assert late.status_code == 409 and "obat lain" in text_of(late)
    assert examination(entry).therapy == "obat"
    ref = examination(entry).public_id
    data = {"examination": ref, "text": "Hasil menyusul"}
    assert post(sign_in("gigi"), address(entry, "/tambahan"), data).status_code == 404
    assert post(umum, address(entry, "/tambahan"), data | {"text": " "}).status_code == 422
    assert post(umum, address(entry, "/tambahan"), data).status_code == 303
    assert [row.text for row in all_rows(Addendum)] == ["Hasil menyusul"]
    assert "Hasil menyusul" in text_of(umum.get(address(entry)))
    assert post(umum, address(entry, "/tambahan"), data | {"examination": "x"}).status_code == 404


def finished(entry, client) -> str:
    """The ref of its examination."""
    send(client, entry, "selesai", assessment="ISPA", disposition="pulang")
    return examination(entry).public_id


def test_the_next_doctor_sees_addenda_drafts_and_treated_teeth_at_a_glance(umum, sign_in):
    person, gigi = factories.patient(), sign_in("gigi")
    first = served(person=person)
    data = {"examination": finished(first, umum), "text": "Rontgen: gambaran TB paru aktif"}
    post(umum, address(first, "/tambahan"), data)
    draft = served("GIGI", person, "gigi")
    chart = {"room_form": "gigi", "tooth": "36", "tooth_condition": "karies"}
    send(gigi, draft, **chart, tooth_action="tumpatan sementara")
    seen = words_of(umum.get(address(served(person=person))))
    rows = seen.partition("Kunjungan sebelumnya")[2].partition("Anamnesis")[0]
    assert "Tambahan: Rontgen: gambaran TB paru aktif" in rows
    assert rows.count("Belum selesai") == 1
    assert "36: tumpatan sementara" in rows
    record = text_of(umum.get(f"/pasien/{person.public_id}"))
    assert '<span class="tag">tambahan</span>' in record


@pytest.mark.parametrize(
    ("born", "precision", "told"),
    [
        (date(1971, 7, 1), DatePrecision.YEAR, "tahun lahir ~1971"),
        (date(2026, 3, 1), DatePrecision.MONTH, "bulan lahir ~03-2026"),
        (date(1971, 7, 1), DatePrecision.DAY, "tahun lahir 01-07-1971"),
    ],
)
def test_an_estimated_birth_date_does_not_look_like_a_known_one(umum, born, precision, told):
    person = factories.patient(birth_date=born, birth_precision=precision)
    assert told in words_of(umum.get(address(served(person=person))))


def test_an_examination_that_was_finished_on_a_later_day_says_which(umum):
    entry = served()
    finished(entry, umum)
    signed = re.compile(rf"dr\. Bagus Prasetyo, {days.clinic_date():%d-%m-%Y} \d\d\.\d\d")
    assert not signed.search(words_of(umum.get(address(entry))))
    with transaction():
        examination(entry).occurred_at -= timedelta(days=3)
    assert signed.search(words_of(umum.get(address(entry))))


def test_an_addendum_is_in_the_audit_trail(umum):
    entry = served()
    ref = finished(entry, umum)
    post(umum, address(entry, "/tambahan"), {"examination": ref, "text": "menyusul"})
    (found,) = all_rows_of_audit("add_addendum")
    assert (found.object_ref, found.patient_ref) == (ref, entry.visit.patient.public_id)


def test_another_room_of_the_visit_adds_nothing_to_ones_own(umum, sign_in):
    entry = in_two_rooms()
    data = {"examination": finished(entry, umum), "text": "dari gigi"}
    assert post(sign_in("gigi"), address(entry, "/tambahan"), data).status_code == 404
    assert all_rows(Addendum) == []


def test_an_addendum_goes_to_an_examination_of_the_pages_own_visit(umum):
    entry, other = served(), served(person=factories.patient("Budi Santoso", sex="L"))
    data = {"examination": finished(other, umum), "text": "milik Siti"}
    assert post(umum, address(entry, "/tambahan"), data).status_code == 404
    assert all_rows(Addendum) == []


def test_a_patient_moved_away_meanwhile_costs_no_text(umum):
    entry = served()
    with transaction():
        queues.act(factories.actor("umum"), entry, "pindah", "salah", factories.poli("GIGI"))
    response = send(umum, entry, subjective="tulisan panjang")
    assert response.status_code == 409 and "tulisan panjang" in text_of(response)
    # A form that could not be stored anyway is told that first: there is nothing to correct.
    for wrong in ({"pulse": "x"}, {"procedure_search": "jahit"}, {"temperature": "41,9"}):
        response = send(umum, entry, "selesai", subjective="tulisan panjang", **wrong)
        assert response.status_code == 409 and "tulisan panjang" in text_of(response)
        assert "tidak sedang dilayani di ruang Anda" in text_of(response)


@pytest.mark.engines("sqlite")
def test_who_lost_the_room_while_writing_keeps_the_text_and_sees_nothing_else(umum):
    entry = served()
    old = {"assessment": "dari orang lain"}
    send(umum, entry, **old)
    with transaction():
        staff = factories.user("umum")
        for room in db.session.scalars(select(UserPoli).filter_by(user_id=staff.id)):
            room.is_active = False
    refused = send(umum, entry, subjective="batuk tiga hari <b>")
    page = refused.get_data(as_text=True)
    assert refused.status_code == 404
    assert "batuk tiga hari &lt;b&gt;" in page
    assert entry.visit.patient.name not in page and "dari orang lain" not in page
    assert "belum disimpan" not in umum.get(address(entry)).get_data(as_text=True)


# --- Screening --------------------------------------------------------------------------------


def test_a_nurse_measures_before_the_call_and_the_room_sees_it(umum, sign_in):
    entry = factories.entry()
    url = address(entry, "/tanda-vital")
    assert umum.get(url).status_code == 200
    response = post(umum, url, {"systolic": "120", "diastolic": "80"})
    assert (response.status_code, response.location) == (303, "/poli/UMUM")
    (row,) = all_rows(VitalSigns)
    assert row.entry_id is None and row.recorded_by_id == factories.user("umum").id
    page = words_of(sign_in("kepala").get(address(entry)))
    assert "TD 120/80" in page and "meja skrining" in page
    db.session.refresh(entry)
    assert entry.state is EntryState.WAITING


def test_screening_warns_refuses_and_knows_the_patient(umum):
    entry = factories.entry()
    url = address(entry, "/tanda-vital")
    odd = post(umum, url, {"systolic": "240"})
    assert odd.location == url and 'data-rule="VITAL-systolic"' in text_of(umum.get(url))
    impossible = post(umum, url, {"systolic": "999", "pulse": "70"})
    assert impossible.status_code == 422 and 'value="70"' in text_of(impossible)
    wrong = post(umum, url, {"systolic": "120", "patient": "other"})
    assert wrong.status_code == 409
    assert [row.systolic for row in all_rows(VitalSigns)] == [240]


def test_an_empty_screening_is_not_called_saved_but_takes_ones_own_back(umum):
    entry = factories.entry()
    url = address(entry, "/tanda-vital")
    empty = post(umum, url, {"systolic": "", "triage_seen": " ", "triage_priority": ""})
    assert empty.status_code == 422 and "Belum ada yang diisi" in text_of(empty)
    assert all_rows(VitalSigns) == []
    post(umum, url, {"systolic": "120"})
    assert post(umum, url, {"systolic": ""}).status_code == 303
    assert [row.ended_at is None for row in all_rows(VitalSigns)] == [False]


def test_a_pressure_written_in_the_first_box_fills_both(umum):
    entry = served()
    assert send(umum, entry, systolic="110/70", diastolic="").status_code == 303
    row = all_rows(VitalSigns)[0]
    assert (row.systolic, row.diastolic) == (110, 70)
    told = send(umum, entry, version=1, systolic="110/70", diastolic="80")
    assert told.status_code == 422 and "Tulis 110 di Sistolik" in text_of(told)


@pytest.mark.engines("sqlite")
def test_an_urgent_triage_note_says_that_the_line_stays_as_it_is(umum):
    entry, urgent = factories.entry(), factories.entry("UGD", factories.patient("Orang lain"))
    order = "Urutan antrean tidak berubah: panggil dari barisnya"

    def told(entry, colour) -> str:
        url = address(entry, "/tanda-vital")
        sent = {"systolic": "120", "triage_priority": colour} | shown(umum, url)
        return text_of(umum.get(post(umum, url, sent).location))

    for colour in ("merah", "kuning"):
        assert f"{order}, atau pindahkan ke UGD." in told(entry, colour)
    assert order not in told(entry, "hijau")
    in_emergency = told(urgent, "merah")
    assert f"{order}." in in_emergency
    with transaction():
        queues.act(factories.actor("umum"), db.session.get(QueueEntry, entry.id), "mulai")
    assert order not in told(entry, "merah")


BLANK = {"systolic": "", "diastolic": "", "temperature": "", "weight": ""}


def shown(client, url) -> dict[str, str]:
    return {"shown-rows": hidden(client.get(url), "shown-rows")}


def test_two_pages_of_one_account_wipe_nothing_from_each_other(umum):
    entry = factories.entry()
    url = address(entry, "/tanda-vital")
    blank = BLANK | {"triage_seen": "", "triage_priority": ""}
    older = shown(umum, url)
    red = {"triage_seen": "pucat, sesak", "triage_priority": "merah"}
    post(umum, url, blank | older | red | {"systolic": "190", "diastolic": "120"})
    assert post(umum, url, blank | older | {"weight": "60"}).status_code == 303
    assert post(umum, url, blank | older).status_code == 422, "nothing was typed there"
    page = words_of(umum.get(url))
    assert "TD 190/120" in page and "BB 60 kg" in page and "Triase merah pucat, sesak" in page
    assert "dibetulkan" not in page
    seen = shown(umum, url)
    again = BLANK | {"systolic": "190", "diastolic": "120", "weight": "60"}
    again |= {"triage_seen": "tidak sesak lagi", "triage_priority": "hijau"}
    assert post(umum, url, again | seen).status_code == 303
    assert "Triase hijau tidak sesak lagi" in words_of(umum.get(url))


def test_what_two_pages_of_one_account_changed_is_told_with_both_values(umum):
    entry = factories.entry()
    url = address(entry, "/tanda-vital")
    older = shown(umum, url)
    first = {"temperature": "39,4", "weight": "13,5", "triage_seen": "kejang"}
    post(umum, url, BLANK | older | first | {"triage_priority": "merah"})
    typed = BLANK | older | {"weight": "15,3", "triage_seen": "rewel", "triage_priority": ""}
    told = post(umum, url, typed)
    assert told.status_code == 409 and "dari halaman lain" in words_of(told)
    for text in ("Berat badan 13,5", "kejang", 'value="15,3"', "rewel", 'value="39,4"'):
        assert text in text_of(told), text
    assert re.search(r'value="merah" checked', text_of(told)), "nobody typed there"
    fresh = {"shown-rows": hidden(told, "shown-rows"), "temperature": "39,4"}
    assert post(umum, url, typed | fresh | {"triage_priority": "merah"}).status_code == 303
    page = words_of(umum.get(url))
    assert "BB 15,3 kg" in page and "Suhu 39,4" in page and "Triase merah rewel" in page


def test_two_pages_of_one_draft_wipe_no_vital_sign_and_tell_what_both_changed(umum):
    entry = served()
    send(umum, entry, subjective="panas")
    older = BLANK | shown(umum, address(entry))
    send(umum, entry, version=1, **older | {"temperature": "39,4", "weight": "13,5"})
    assert send(umum, entry, version=1, objective="faring merah", **older).status_code == 303
    assert "Suhu 39,4" in words_of(umum.get(address(entry)))
    told = send(umum, entry, version=2, **older | {"weight": "15,3"})
    assert told.status_code == 409
    for text in ("Berat badan 13,5", 'value="15,3"', 'value="39,4"'):
        assert text in text_of(told), text
    late = send(umum, entry, version=1, plan="kontrol", **older)
    assert late.status_code == 409 and 'value="39,4"' in text_of(late)
    merged = BLANK | {"temperature": "39,4", "weight": "15,3"}
    merged |= {"shown-rows": hidden(told, "shown-rows")}
    assert send(umum, entry, version=2, **merged).status_code == 303
    assert [row.weight for row in all_rows(VitalSigns) if not row.ended_at and row.weight] == [
        Decimal("15.3")
    ]


def test_a_corrected_measurement_stays_readable_and_counts_no_more(umum, sign_in):
    entry = served()
    assert "Ini pengukuran baru" not in text_of(umum.get(address(entry)))
    send(umum, entry, systolic="240", diastolic="130", pulse="99")
    send(umum, entry, version=1, systolic="130", diastolic="80", pulse="99")
    page = umum.get(address(entry)).get_data(as_text=True)
    assert "<s>TD\u00a0240/130</s>" in page and "dibetulkan" in page
    assert "TD sangat tinggi" not in page and "Nadi\u00a099" in page
    assert "<s>Nadi" not in page, "what was right is not struck out"
    send(umum, entry, "selesai", 1, assessment="ISPA", disposition="pulang")
    record = sign_in("kepala").get(f"/pasien/{entry.visit.patient.public_id}")
    assert "<s>TD\u00a0240/130</s>" in record.get_data(as_text=True)


def test_measured_again_stands_beside_the_first_measurement(umum):
    entry = served()
    send(umum, entry, systolic="80", diastolic="50", weight="60")
    opened = umum.get(address(entry))
    assert re.search(r"Ini pengukuran baru; yang tadi \(pukul \d\d\.\d\d\)", text_of(opened))
    fields = BLANK | {"shown-rows": hidden(opened, "shown-rows"), "vitals_new": "y"}
    fields |= {"systolic": "130", "diastolic": "80", "weight": "60"}
    assert send(umum, entry, version=1, **fields).status_code == 303
    assert send(umum, entry, version=1, **fields).status_code == 303, "sent twice"
    page = text_of(umum.get(address(entry)))
    assert "<b>TD 80/50" in page and "<b>TD 130/80<" in page and "<s>" not in page
    assert 'name="vitals_new"' in page and 'name="vitals_new" value="y" checked' not in page
    wrong = send(umum, entry, version=1, **fields | {"pulse": "x"})
    assert re.search(r'name="vitals_new" value="y" checked', text_of(wrong))


@pytest.mark.parametrize(("username", "status"), [("gigi", 404), ("loket", 403), ("ti", 403)])
def test_who_may_not_screen(sign_in, username, status):
    url = address(factories.entry(), "/tanda-vital")
    client = sign_in(username)
    assert client.get(url).status_code == status
    assert post(client, url, {"systolic": "120"}).status_code == status


def test_an_ended_visit_takes_no_vital_signs(umum):
    entry = served()
    send(umum, entry, "selesai", assessment="ISPA", disposition="pulang")
    response = post(umum, address(entry, "/tanda-vital"), {"systolic": "120"})
    assert response.status_code == 409 and all_rows(VitalSigns) == []


# --- Further ----------------------------------------------------------------------------------


def test_the_suggested_case_type_is_old_within_thirty_days(umum):
    person = factories.patient()
    past_visits.add(person, 1)
    entry = served(person=person)
    send(umum, entry, diagnosis=["J06.9", "A09"])
    stored = {row.code: row.case_type for row in all_rows(Diagnosis) if row.edition != "test"}
    assert stored == {"J06.9": "lama", "A09": "baru"}


def test_a_finished_examination_tells_its_author_and_time(umum):
    entry = served()
    with transaction():
        records.finish(
            factories.actor("umum"),
            entry,
            ExaminationInput(assessment="ISPA", disposition="pulang"),
            0,
        )
    page = words_of(umum.get(address(entry)))
    assert "dr. Bagus Prasetyo" in page and "ISPA" in page
    assert utcnow() - examination(entry).finished_at < timedelta(minutes=5)


def test_access_that_ended_meanwhile_gives_the_text_back_and_nothing_else(umum):
    entry = served(complaint="keluhan rahasia")
    with transaction():
        db.session.get(ServiceDay, entry.service_day_id).on = utcnow().date() - timedelta(days=9)
    response = send(umum, entry, subjective="tulisan panjang", diagnosis="J06.9")
    page = text_of(response)
    assert response.status_code == 409
    assert "tulisan panjang" in page and "J06.9" in page and "keluhan rahasia" not in page
    assert examination(entry) is None


def test_the_head_may_add_to_what_a_room_finished(umum, sign_in):
    entry = served()
    send(umum, entry, "selesai", assessment="ISPA", disposition="pulang")
    head = sign_in("kepala")
    assert "Tulis tambahan" in text_of(head.get(address(entry)))
    assert "Tulis tambahan" not in text_of(sign_in("rekammedis").get(address(entry)))
    data = {"examination": examination(entry).public_id, "text": "Diperiksa ulang"}
    assert post(head, address(entry, "/tambahan"), data).status_code == 303


def test_a_draft_sent_again_after_a_lost_answer_is_saved_not_somebody_elses(umum, sign_in):
    entry = served()
    umum.get(address(entry))
    typed = {"assessment": "ISPA", "temperature": "37,5"}
    assert send(umum, entry, **typed).status_code == 303
    again = send(umum, entry, **typed)
    assert again.status_code == 303 and len(all_rows(VitalSigns)) == 1
    assert examination(entry).version == 1
    assert send(umum, entry, **typed | {"temperature": "38,5"}).status_code == 409
    head = sign_in("kepala")
    head.get(address(entry))
    assert send(head, entry, **typed).status_code == 409, "not the head's measurement"
