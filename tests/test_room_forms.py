"""The rooms' own forms: which room asks what, and answers on the way of every examination."""

import gzip
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from clinic import days, form_answers, history, queues, records, settings
from clinic.diagnoses import DiagnosisInput
from clinic.form_definitions import FORMS, item_of
from clinic.form_items import Item, Kind, parse, shown, words
from clinic.records import Conflict, ExaminationInput, RecordError
from db import db, transaction, utcnow
from models import AuditEntry, Examination, ExaminationAnswer, Poli, QueueEntry, ServiceDay
from tests import factories, past_visits
from tests.amending import amend
from tests.databases import count_queries
from tests.pages import post
from tests.test_examination import hidden, send, text_of, words_of

ON = date(2026, 11, 25)
FULL = ExaminationInput(
    assessment="sehat", disposition="pulang", diagnoses=(DiagnosisInput("Z34.9"),)
)


def served(code: str, by: str, person=None, **fields) -> QueueEntry:
    entry = factories.entry(code, person, **fields)
    with transaction():
        queues.act(factories.actor(by), entry, "mulai")
    return entry


def write(entry, by, version=0, finish=False, **fields) -> Examination:
    with transaction():
        form = ExaminationInput(**{**(vars(FULL) if finish else {}), **fields})
        return (records.finish if finish else records.save)(
            factories.actor(by), entry, form, version
        )


def answers(entry) -> dict:
    db.session.rollback()
    return form_answers.current(records.open_examination(entry))


def rows() -> list[ExaminationAnswer]:
    db.session.rollback()
    return list(db.session.scalars(select(ExaminationAnswer).order_by(ExaminationAnswer.id)))


# --- Definitions ------------------------------------------------------------------------------


def test_every_code_is_asked_once_and_fits_its_column():
    codes = [item.code for form in FORMS.values() for item in form.items]
    assert len(codes) == len(set(codes))
    assert all(len(code) <= 24 for code in codes)
    names = set(dir(records.ExaminationInput)) | set(records.VITALS)
    assert not names & set(codes), "a code is a field's name in the same form"
    assert all(len(name) <= 12 for name in FORMS)


NUMBER = Item("n", "LILA", Kind.NUMBER, "cm", 10, 60, 1)
WHOLE = Item("w", "DJJ", Kind.NUMBER, "per menit", 50, 250)
DAY = Item("d", "HPHT", Kind.DATE, low=-320, high=0)
PICK = Item("c", "Letak", Kind.CHOICE, choices={"kepala": "Kepala"})
MANY = Item("m", "Tanda", Kind.CHECKS, choices={"kejang": "Kejang", "biru": "Biru"})


@pytest.mark.parametrize(
    ("item", "typed", "kept", "said"),
    [
        (NUMBER, "23,5", "23.5", "23,5 cm"),
        (NUMBER, " 24.0 ", "24", "24 cm"),
        (NUMBER, "10", "10", "10 cm"),
        (NUMBER, "LILA 22,5 cm", "22.5", "22,5 cm"),
        (WHOLE, "140x/menit", "140", "140 per menit"),
        (Item("g", "G", Kind.NUMBER, low=1, high=20), "G1", "1", "1"),
        (WHOLE, "140", "140", "140 per menit"),
        (DAY, "01-06-2026", "2026-06-01", "01-06-2026"),
        (DAY, "25112026", "2026-11-25", "25-11-2026"),
        (PICK, "kepala", "kepala", "Kepala"),
        (MANY, ["biru", "kejang", "lain"], "kejang biru", "Kejang, Biru"),
        (MANY, [], "", ""),
        (NUMBER, "  ", "", ""),
        (Item("l", "Ket", Kind.LINE), " a   b ", "a b", "a b"),
        (Item("l", "Ket", Kind.NOTE), "a\nb", "a\nb", "a\nb"),
    ],
)
def test_answers_are_kept_in_one_way_and_said_in_words(item, typed, kept, said):
    assert parse(item, typed, ON) == kept
    assert words(item, kept) == said
    if item.kind is not Kind.CHECKS:
        assert parse(item, shown(item, kept), ON) == kept


@pytest.mark.parametrize(
    ("item", "typed", "sentence"),
    [
        (NUMBER, "9,9", "LILA harus 10 sampai 60 cm"),
        (NUMBER, "23,55", "1 angka di belakang koma"),
        (NUMBER, "dua", "angka"),
        (WHOLE, "140,5", "bulat"),
        (DAY, "26-11-2026", "HPHT harus"),
        (DAY, "01-01-2026", "HPHT harus"),
        (DAY, "kemarin", "HPHT: Tulis tanggal lengkap"),
        (PICK, "miring", "pilih salah satu"),
        (Item("l", "Ket", Kind.LINE), "a" * 121, "terlalu panjang"),
    ],
)
def test_what_cannot_be_an_answer_gets_a_sentence(item, typed, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse(item, typed, ON)


# --- Which room asks what ---------------------------------------------------------------------


def born(months: int) -> date:
    """So many months before today, the days about."""
    return days.clinic_date() - timedelta(days=months * 31)


@pytest.mark.parametrize(
    ("code", "months", "pregnant", "expected"),
    [
        ("UMUM", 360, "", ""),
        ("GIGI", 360, "", "gigi"),
        ("MTBS", 20, "", "mtbs"),
        ("IMUN", 9, "", "anak"),
        ("KIA", 360, "ya", "hamil"),
        ("KIA", 200, "nifas", "hamil"),
        ("KIA", 360, "", "hamil"),
        ("KIA", 9, "", "anak"),
    ],
)
def test_the_room_and_the_patient_choose_the_form(app, code, months, pregnant, expected):
    person = factories.patient(birth_date=born(months)) if months else factories.patient()
    entry = factories.entry(code, person, pregnant=pregnant)
    assert form_answers.proposed(entry.poli, entry.visit) == expected


def test_the_head_chooses_the_forms_of_a_room(sign_in):
    head = sign_in("kepala")
    page = head.get("/sistem/ruang/KIA")
    assert 'value="hamil" checked' in page.get_data(as_text=True)
    fields = {
        "name": "Poli Umum",
        "prefix": "U",
        "kind": "outpatient",
        "cluster_rule": "AGE",
        "sex": "",
        "redirect_code": "",
        "hue": "0",
        "is_active": "y",
        "position": "1",
    }
    sent = post(head, "/sistem/ruang/UMUM", fields | {"room_forms": ["mtbs", "gigi"]})
    assert sent.status_code == 303
    assert db.session.scalar(select(Poli.room_forms).where(Poli.code == "UMUM")) == "gigi mtbs"
    refused = post(head, "/sistem/ruang/UMUM", fields | {"room_forms": ["lain"]})
    assert refused.status_code == 422
    post(head, "/sistem/ruang/UMUM", fields)
    assert db.session.scalar(select(Poli.room_forms).where(Poli.code == "UMUM")) == ""


def test_an_unknown_form_in_the_setting_is_left_out(app):
    with transaction():
        factories.poli().room_forms = "lama gigi"
    assert form_answers.offered(factories.poli()) == ["gigi"]


# --- The way of an answer ---------------------------------------------------------------------


def test_answers_end_and_are_added_never_overwritten(app):
    entry = served("KIA", "kia")
    write(entry, "kia", forms={"hamil": {"gravida": "2", "arm_circumference": "23"}})
    examination = write(entry, "kia", 1, forms={"hamil": {"gravida": "3", "para": "1"}})
    assert examination.version == 2, "answers alone raise the version"
    assert answers(entry) == {"hamil": {"gravida": "3", "para": "1"}}
    kept = [(row.code, row.value, row.ended_at is None) for row in rows()]
    assert kept == [
        ("gravida", "2", False),
        ("arm_circumference", "23", False),
        ("gravida", "3", True),
        ("para", "1", True),
    ]
    assert all(row.ended_by_id for row in rows() if row.ended_at)


def test_the_same_again_changes_nothing_and_other_forms_stay(app):
    entry = served("KIA", "kia")
    write(entry, "kia", forms={"hamil": {"gravida": "2"}, "anak": {"head_circumference": "35"}})
    write(entry, "kia", 1, forms={"hamil": {"gravida": "2"}})
    write(entry, "kia", 1, plan="kontrol")
    assert len(rows()) == 2
    assert answers(entry)["anak"] == {"head_circumference": "35"}


def test_a_stale_version_is_a_conflict_and_writes_no_answer(app):
    entry = served("KIA", "kia")
    write(entry, "kia", forms={"hamil": {"gravida": "2"}})
    write(entry, "kepala", 1, forms={"hamil": {"gravida": "3"}})
    with pytest.raises(Conflict):
        write(entry, "kia", 1, forms={"hamil": {"gravida": "4"}})
    assert answers(entry) == {"hamil": {"gravida": "3"}}


def test_finishing_twice_counts_once_unless_an_answer_differs(app):
    entry = served("KIA", "kia")
    first = write(entry, "kia", finish=True, forms={"hamil": {"gravida": "2"}})
    again = write(entry, "kia", 1, finish=True, forms={"hamil": {"gravida": "2"}})
    assert again.id == first.id
    with pytest.raises(Conflict):
        write(entry, "kia", 1, finish=True, forms={"hamil": {"gravida": "3"}})
    done = select(func.count()).where(AuditEntry.action == "finish_examination")
    assert db.session.scalar(done) == 1


def test_a_correction_after_the_end_covers_the_forms(app):
    entry = served("KIA", "kia")
    done = write(entry, "kia", finish=True, forms={"hamil": {"gravida": "2", "para": "1"}})
    amendment = amend(done, "kia", forms={"hamil": {"gravida": "3"}, "anak": {}})
    assert [line.field for line in amendment.lines] == ["room_form"]
    assert answers(entry) == {"hamil": {"gravida": "3"}}
    assert len(rows()) == 3
    # The same press sent again counts once; of somebody else it waits.
    asked = amend(records.open_examination(entry), "kepala", forms={"hamil": {"gravida": "4"}})
    assert asked.applied_version is None
    assert answers(entry) == {"hamil": {"gravida": "3"}}


# --- Pages ------------------------------------------------------------------------------------

PREGNANT = {
    "room_form": "hamil",
    "lmp": "01-06-2026",
    "gravida": "2",
    "para": "1",
    "abortus": "0",
    "arm_circumference": "22,5",
}


def test_the_form_is_saved_shown_and_finished(sign_in):
    entry = served("KIA", "kia", pregnant="ya")
    on = entry.visit.service_day.on
    lmp = on - timedelta(days=100)
    client = sign_in("kia")
    client.get(f"/kunjungan/{entry.visit.public_id}")
    typed = PREGNANT | {"lmp": f"{lmp:%d-%m-%Y}"}
    assert send(client, entry, **typed).status_code == 303
    page = client.get(f"/kunjungan/{entry.visit.public_id}")
    assert 'value="22,5"' in page.get_data(as_text=True)
    assert "Usia kehamilan 14 minggu 2 hari" in words_of(page)
    assert 'data-rule="KEHAMILAN-LILA"' in page.get_data(as_text=True)
    end = {"assessment": "G2P1A0", "diagnosis": "Z34.9", "disposition": "pulang"}
    end["vitals_seen"] = hidden(page, "vitals_seen")
    assert send(client, entry, "selesai", 1, **typed, **end).status_code == 303
    record = words_of(client.get(f"/pasien/{entry.visit.patient.public_id}"))
    assert "LILA 22,5 cm" in record
    assert "14 minggu 2 hari" in record


def test_wrong_answers_are_refused_with_all_that_was_typed(sign_in):
    entry = served("KIA", "kia", pregnant="ya")
    client = sign_in("kia")
    client.get(f"/kunjungan/{entry.visit.public_id}")
    typed = PREGNANT | {"lmp": "31-02-2026", "risk_note": "lihat <b>ini</b>"}
    page = send(client, entry, **typed)
    assert page.status_code == 422
    assert 'href="#f-lmp"' in page.get_data(as_text=True)
    assert 'value="31-02-2026"' in page.get_data(as_text=True)
    assert "lihat &lt;b&gt;ini" in page.get_data(as_text=True)
    assert rows() == []


@pytest.mark.engines("sqlite")
def test_growth_is_noted_on_the_way_to_the_vaccines(sign_in):
    entry = served("IMUN", "kia", factories.patient("Bayi Sehat", birth_date=born(9)))
    client, url = sign_in("kia"), f"/kunjungan/{entry.visit.public_id}"
    client.get(url)
    typed = {"room_form": "anak", "weight": "8,1", "height": "70", "height_posture": "telentang"}
    wrong = send(client, entry, "imunisasi", **typed, head_circumference="440")
    assert wrong.status_code == 422
    assert "Lingkar kepala harus 20 sampai 70 cm" in words_of(wrong)
    assert 'value="8,1"' in text_of(wrong)
    assert rows() == []
    sent = send(client, entry, "imunisasi", **typed, head_circumference="44")
    assert sent.location == f"{url}/imunisasi"
    record = words_of(client.get(f"/pasien/{entry.visit.patient.public_id}"))
    for text in ("BB 8,1 kg", "TB 70 cm", "Lingkar kepala 44 cm", "Telentang"):
        assert text in record


@pytest.mark.parametrize(
    ("code", "months", "sex", "pregnant", "expected"),
    [
        ("KIA", 360, "P", "ya", ["hamil"]),
        ("KIA", 360, "P", "", ["hamil"]),
        ("KIA", 120, "P", "", ["hamil"]),
        ("KIA", 116, "P", "", ["anak"]),
        ("KIA", 9, "L", "", ["anak"]),
        ("KIA", 100, "P", "ya", ["hamil", "anak"]),  # never expected, never refused
        ("KIA", None, "P", "", ["hamil", "anak"]),
        ("KIA", None, "L", "", ["anak"]),
        ("KIA", 360, "L", "", ["hamil", "anak"]),  # in the wrong room: none is meant, both stay
        ("IMUN", 360, "P", "", ["anak"]),
    ],
)
def test_a_form_that_cannot_be_meant_for_the_patient_is_left_out(
    app, code, months, sex, pregnant, expected
):
    known = {"birth_date": born(months)} if months else {"no_nik_reason": "TIDAK_DIKENAL"}
    person = factories.patient(sex=sex, **{"birth_date": None} | known)
    entry = factories.entry(code, person, pregnant=pregnant)
    assert form_answers.suiting(entry.poli, entry.visit) == expected


@pytest.mark.engines("sqlite")
def test_the_other_form_of_the_room_is_one_press_away(sign_in):
    entry = served("KIA", "kia", factories.patient(birth_date=born(100)), pregnant="ya")
    page = sign_in("kia").get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)
    assert re.search(r"<details [^>]* open><summary>Kehamilan", page)
    assert re.search(r"<details (?![^>]* open)[^>]*><summary>Tumbuh kembang anak", page)


def test_what_was_answered_stays_in_sight_though_the_patient_is_older_now(sign_in):
    entry = served("KIA", "kia", factories.patient(birth_date=born(9)))
    write(entry, "kia", forms={"anak": {"head_circumference": "44"}})
    with transaction():
        entry.visit.age_months = 360
    page = sign_in("kia").get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)
    assert "Tumbuh kembang anak" in page and "Kehamilan" in page


def test_a_conflict_shows_the_others_answer_beside_ones_own(sign_in):
    entry = served("KIA", "kia", pregnant="ya")
    first, second = sign_in("kia"), sign_in("kepala")
    for client in (first, second):
        client.get(f"/kunjungan/{entry.visit.public_id}")
    send(first, entry, **PREGNANT | {"lmp": "", "presentation": "lintang"})
    page = send(second, entry, **PREGNANT | {"lmp": "", "gravida": "5"})
    assert page.status_code == 409
    text = words_of(page)
    assert "Lintang" in text
    assert 'value="5"' in page.get_data(as_text=True)
    assert answers(entry)["hamil"]["gravida"] == "2"


def test_the_amendment_page_corrects_the_form_and_shows_it_in_words(sign_in):
    entry = served("KIA", "kia", pregnant="ya")
    done = write(entry, "kia", finish=True, forms={"hamil": {"gravida": "2"}})
    client, page = sign_in("kia"), f"/pemeriksaan/{done.public_id}/pembetulan"
    assert 'name="gravida" value="2"' in client.get(page).get_data(as_text=True)
    typed = {
        "aksi": "simpan",
        "version": str(done.version),
        "room_form": "hamil",
        "gravida": "3",
        "presentation": "kepala",
        "reason": "salah hitung",
    }
    assert post(client, page, typed | {"gravida": "30"}).status_code == 422
    assert post(client, page, typed).status_code == 303
    assert answers(entry) == {"hamil": {"gravida": "3", "presentation": "kepala"}}
    shown_page = text_of(client.get(f"/pemeriksaan/{done.public_id}/riwayat"))
    assert "G: 2" in shown_page
    assert "Presentasi: Kepala" in shown_page


def test_text_that_lost_its_access_is_given_back(sign_in):
    entry = served("KIA", "kia", pregnant="ya")
    client = sign_in("kia")
    client.get(f"/kunjungan/{entry.visit.public_id}")
    with transaction():
        day = db.session.get(ServiceDay, entry.service_day_id)
        day.on = utcnow().date() - timedelta(days=9)
    signs = {"room_form": ["hamil", "mtbs"], "danger": ["kejang", "minum"]}
    page = send(client, entry, **PREGNANT | signs | {"risk_note": "jangan hilang"})
    assert page.status_code == 409
    for text in ("jangan hilang", words(item_of("danger"), "kejang minum"), "01-06-2026"):
        assert text in text_of(page)


# --- Reading ----------------------------------------------------------------------------------


def test_history_takes_the_same_queries_with_forms_at_5_and_60_visits(app):
    counts = []
    for size in (5, 60):
        person = factories.patient(f"Ibu {size} Orang")
        past_visits.add(person, size)
        with transaction():
            author = factories.user("kia").id
            for row in db.session.scalars(select(Examination)):
                if not form_answers.current(row):
                    form_answers.write(
                        factories.actor("kia"), row, {"hamil": {"gravida": "2", "para": "1"}}
                    )
            assert author
        db.session.rollback()
        person = db.session.merge(person)
        with count_queries() as queries:
            found = history.history(person, size)
            assert all(visit.rooms[0].sheets[0].lines for visit in found)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_answer_whose_question_is_gone_is_still_read(app):
    entry = served("KIA", "kia")
    write(entry, "kia", forms={"hamil": {"pertanyaan_lama": "ya"}})
    sheet = history.visit_summary(entry.visit).rooms[0].sheets[0]
    assert sheet.lines == [("pertanyaan_lama", "ya")]
    assert item_of("tooth99").kind is Kind.NOTE


def test_danger_needs_a_room_that_asks_for_it(app):
    """Of a room without the form nothing is asked at its end."""
    entry = served("KIA", "kia")
    write(entry, "kia", finish=True, forms={"mtbs": {"danger": "kejang"}})
    other = served("MTBS", "kia")
    with pytest.raises(RecordError):
        write(other, "kia", finish=True, forms={"mtbs": {"danger": "kejang"}})


# --- Budgets ----------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("code", "by", "months"),
    [("GIGI", "gigi", 60), ("KIA", "kia", 360), ("MTBS", "kia", 20), ("IMUN", "kia", 9)],
)
def test_a_page_with_a_form_and_five_visits_is_6_kb(sign_in, code, by, months):
    person = factories.patient("Orang Berisi", birth_date=born(months))
    past_visits.add(person, 5)
    entry = served(code, by, db.session.merge(person), pregnant="ya" if code == "KIA" else "")
    client = sign_in(by)
    url = f"/kunjungan/{entry.visit.public_id}"
    client.get(url)
    if code == "GIGI":
        found = {f"tooth{tooth}": "karies_dalam" for tooth in ("11", "26", "36", "55", "75", "84")}
        write(entry, by, forms={"gigi": found | {f"act{t[5:]}": "dirujuk" for t in found}})
    client.is_checking = False
    page = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert len(page.data) <= 6 * 1024, len(page.data)


@pytest.mark.engines("sqlite")
def test_the_page_of_a_second_stay_is_6_kb_and_shows_fewer_earlier_visits(sign_in):
    person = factories.patient("Orang Kembali", birth_date=born(60))
    past_visits.add(person, 5)
    entry, client = served("GIGI", "gigi", db.session.merge(person)), sign_in("gigi")
    url = f"/kunjungan/{entry.visit.public_id}"
    client.is_checking = False
    first = client.get(url).get_data(as_text=True)
    found = {f"tooth{tooth}": "karies_dalam" for tooth in ("11", "26", "36", "55", "75", "84")}
    found |= {"act36": "dirujuk", "oral_note": "gusi merah"}
    factories.sent_to_laboratory_and_back(entry, "gigi", gigi=found)
    page = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert len(page.data) <= 6 * 1024, len(page.data)
    shown = gzip.decompress(page.data).decode()
    assert 0 < shown.count("keluhan ") < first.count("keluhan ")


@pytest.mark.engines("sqlite")
def test_a_record_of_20_visits_with_forms_is_6_kb(sign_in):
    person = factories.patient("Ibu Lama")
    past_visits.add(person, 20)
    told = {
        "hamil": {"lmp": "2026-06-01", "gravida": "2", "para": "1", "abortus": "0"}
        | {"arm_circumference": "23", "fetal_heart": "170", "risk_note": "dipantau"},
        "gigi": {"tooth36": "karies", "act36": "tambal"},
    }
    with transaction():
        for row in db.session.scalars(select(Examination)):
            form_answers.write(factories.actor("kia"), row, told)
    client = sign_in("kepala")
    client.is_checking = False
    url = f"/pasien/{db.session.merge(person).public_id}"
    page = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert len(page.data) <= 6 * 1024, len(page.data)


def test_the_room_of_the_elderly_tells_the_age_that_counts(sign_in):
    head = sign_in("kepala")
    with transaction():
        settings.set_value("elderly_from_years", 65)
    rows = words_of(head.get("/sistem/ruang"))
    assert "Mulai 65 tahun" in rows
    page = head.get("/sistem/ruang/LANSIA").get_data(as_text=True)
    assert "Mulai 65 tahun, menurut" in page and 'name="min_years"' not in page
    assert 'name="min_years"' in head.get("/sistem/ruang/GIGI").get_data(as_text=True)
