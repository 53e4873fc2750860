"""Rules of sex and age, baru or lama, and what is offered before anything is typed."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from clinic import case_types, diagnoses, diagnosis_rules, favourites, records
from clinic.case_types import is_same_case, lasts
from clinic.code_ranges import parse
from clinic.diagnoses import DiagnosisInput
from clinic.diagnosis_rules import Person
from clinic.records import ExaminationInput, RecordError
from db import db, transaction, utcnow
from models import (
    CaseType,
    Diagnosis,
    Examination,
    Patient,
    ServiceDay,
    Visit,
)
from tests import factories, past_visits
from tests.databases import count_queries
from tests.test_examination import HARMFUL, examination, send, served, text_of
from tests.test_records import served as served_entry

MAN, WOMAN = Person("L", 30, 11_000), Person("P", 30, 11_000)


def of_years(years: int, sex: str = "P") -> Person:
    return Person(sex, years, years * 365 + 100)


def of_days(days: int, sex: str = "P") -> Person:
    return Person(sex, days // 365, days)


@pytest.mark.parametrize(
    ("code", "usual", "unusual", "rule"),
    [
        ("O80", WOMAN, MAN, "DX-P"),
        ("C53.9", WOMAN, MAN, "DX-P"),
        ("N76.0", WOMAN, MAN, "DX-P"),
        ("B37.3", WOMAN, MAN, "DX-P"),
        ("Z34.9", WOMAN, MAN, "DX-P"),
        ("N48.1", MAN, WOMAN, "DX-L"),
        ("Q53.9", of_days(3, "L"), of_days(3), "DX-L"),
        ("C61", of_years(70, "L"), of_years(70), "DX-L"),
        ("N40", of_years(40, "L"), of_years(39, "L"), "DX-PROSTAT"),
        ("O21.0", of_years(10), of_years(9), "DX-HAMIL"),
        ("O21.0", of_years(55), of_years(56), "DX-HAMIL"),
        ("P38", of_days(28), of_days(29), "DX-NEO"),
        ("A33", of_days(5), of_years(20), "DX-NEO"),
        ("Z30.0", of_years(10), of_years(9), "DX-SUBUR"),
        ("R95", of_days(300), of_years(1), "DX-BAYI"),
        ("Z00.1", of_years(17), of_years(18), "DX-ANAK"),
        ("H52.4", of_years(35), of_years(34), "DX-TUA"),
        ("N95.1", of_years(40), of_years(39), "DX-HAID"),
        ("R56.0", of_years(6), of_years(7), "DX-KEJANG"),
    ],
)
def test_each_rule_knows_for_whom_its_codes_are(code, usual, unusual, rule):
    assert diagnosis_rules.broken(code, usual) is None
    assert diagnosis_rules.broken(code, unusual).rule == rule


def test_every_rule_is_tried_above():
    marks = test_each_rule_knows_for_whom_its_codes_are.pytestmark[0].args[1]
    assert {row[3] for row in marks} == {rule.rule for rule in diagnosis_rules.rules()}


@pytest.mark.parametrize("code", ["J06.9", "Q21.0", "C50.9", "N39.0", "I10", "", "demam"])
def test_other_codes_and_malformations_are_for_everybody(code):
    people = [MAN, WOMAN, of_days(0), of_days(40, "L"), of_years(90)]
    assert not [each for each in people if diagnosis_rules.broken(code, each)]


def test_what_is_not_known_breaks_no_rule():
    assert diagnosis_rules.broken("O80", Person("P", None, None)) is None
    assert diagnosis_rules.broken("P38", Person("P", None, None)) is None


def test_ranges_hold_whole_categories_and_single_codes():
    ranges = parse("S37.4-S37.6 O00-O99 Z34")
    inside = ("S37.4", "S37.6", "O00", "O99.8", "Z34", "Z34.9")
    assert all(code in ranges for code in inside)
    assert not any(code in ranges for code in ("S37", "S37.3", "S37.7", "P00", "Z3", "Z35", ""))


# --- At "Selesai" ------------------------------------------------------------------------------


def man() -> Patient:
    return factories.patient("Budi", sex="L")


def finish(entry, *codes, **reasons) -> Examination:
    entered = [DiagnosisInput(code, "", reasons) for code in codes]
    form = ExaminationInput(diagnoses=entered, disposition="pulang")
    with transaction():
        version = records.open_examination(entry)
        version = version.version if version else 0
        return records.finish(factories.actor("umum"), entry, form, version)


def rows(model):
    return list(db.session.scalars(select(model).order_by(model.id)))


def test_an_unusual_diagnosis_asks_for_a_reason_and_keeps_it(app):
    entry = served_entry(person=man())
    with pytest.raises(RecordError, match="O80 tidak lazim") as problem:
        finish(entry, "O80", "J06.9")
    assert problem.value.field == "override_reason-DX-P"
    finish(entry, "O80", "J06.9", **{"DX-P": "jenis kelamin di KTP salah"})
    assert [(row.code, row.warned_by, row.override_reason) for row in rows(Diagnosis)] == [
        ("O80", "DX-P", "jenis kelamin di KTP salah"),
        ("J06.9", "", ""),
    ]


def test_one_reason_may_answer_all_and_info_asks_for_none(app):
    entry = served_entry(person=factories.patient("Ani", sex="L"))
    finish(entry, "R56.0", "N76.0", **{"": "sudah diperiksa ulang"})
    reasons = {row.code: row.override_reason for row in rows(Diagnosis)}
    assert reasons == {"R56.0": "", "N76.0": "sudah diperiksa ulang"}


def test_the_form_shows_the_warning_keeps_the_reason_and_the_record_shows_it(sign_in):
    client, entry = sign_in("umum"), served(person=man())
    fields = {"diagnosis": "O80", "disposition": "pulang"}
    refused = send(client, entry, "selesai", **fields)
    page = text_of(refused)
    assert refused.status_code == 422 and examination(entry) is None
    assert 'data-rule="DX-P" data-level="warning"' in page and "Tulis alasannya." in page
    draft = send(client, entry, **fields)  # a draft is never stopped
    assert 'name="override_reason-DX-P"' in text_of(client.get(draft.location))
    fields |= {"override_reason-DX-P": HARMFUL}
    assert send(client, entry, "selesai", 1, **fields).status_code == 303
    html = client.get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)
    assert "alasan: &lt;b&gt;" in html
    assert rows(Diagnosis)[-1].override_reason == HARMFUL


def test_a_reason_is_kept_by_a_form_that_says_nothing_of_it(sign_in):
    client, entry = sign_in("umum"), served(person=man())
    send(client, entry, diagnosis="O80", **{"override_reason-DX-P": "salah input"})
    silent = {"diagnosis": "O80", "disposition": "pulang", "assessment": "x"}
    assert send(client, entry, "selesai", 1, **silent).status_code == 303
    assert [row.override_reason for row in rows(Diagnosis)] == ["salah input"]


def test_a_new_reason_counts_beside_a_warning_that_has_none_yet(sign_in):
    client, entry = sign_in("umum"), served(person=man())
    codes = ["O80", "P38"]  # each is unusual by a rule of its own
    send(client, entry, diagnosis=codes, **{"override_reason-DX-P": "salah input"})
    send(client, entry, "simpan", 1, diagnosis=codes, **{"override_reason-DX-P": "transpria"})
    held = {row.code: row.override_reason for row in rows(Diagnosis) if row.ended_at is None}
    assert held == {"O80": "transpria", "P38": ""}


def test_an_amendment_asks_too(sign_in):
    client, entry = sign_in("umum"), served(person=man())
    send(client, entry, "selesai", diagnosis="J06.9", disposition="pulang")
    found = examination(entry)
    url = f"/pemeriksaan/{found.public_id}/pembetulan"
    data = {
        "version": str(found.version), "diagnosis": "N76.0", "reason": "salah kode",
        "csrf_token": "", "aksi": "simpan",
    }  # fmt: skip
    data["csrf_token"] = token(client, url)
    refused = client.post(url, data=data)
    assert refused.status_code == 422 and "DX-P" in text_of(refused)
    done = client.post(url, data=data | {"override_reason-DX-P": "transpria"})
    assert done.status_code == 303
    now = [row for row in rows(Diagnosis) if row.ended_at is None]
    assert [(row.code, row.override_reason) for row in now] == [("N76.0", "transpria")]


def token(client, url) -> str:
    return text_of(client.get(url)).split('name="csrf_token" value="')[1].split('"')[0]


# --- Baru or lama ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "days", "is_old"),
    [
        ("J06.9", 29, True),
        ("J06.9", 31, False),
        ("I10", 3000, True),
        ("E11.9", 400, True),
        ("A15.0", 200, True),
        ("A15.0", 366, False),
        ("Z34.9", 60, True),
        ("Z34.9", 300, False),
        ("A09", 29, True),
        ("A09", 30, False),
    ],
)
def test_a_disease_that_lasts_is_new_once(code, days, is_old):
    now = utcnow()
    assert is_same_case(code, now - timedelta(days=days), now) is is_old
    assert lasts("J06") == case_types.SAME_CASE


def test_hypertension_is_old_after_a_year_and_a_cold_is_not(app):
    person = factories.patient()
    past_visits.add(person, 1)
    with transaction():
        db.session.execute(update(Diagnosis).values(code="I10"))
        long_ago = utcnow() - timedelta(days=700)
        db.session.execute(update(Visit).values(occurred_at=long_ago))
        db.session.execute(update(ServiceDay).values(on=long_ago.date()))
    assert factories.suggested_case_type(person, "I10") == CaseType.OLD
    with transaction():
        db.session.execute(update(Diagnosis).values(code="J06.9"))
    assert factories.suggested_case_type(person, "J06.9") == CaseType.NEW


def test_without_its_primary_diagnosis_the_next_one_is_primary(sign_in):
    client, entry = sign_in("umum"), served()
    send(client, entry, diagnosis=["J06.9", "A09", "R05"])
    fields = {
        "diagnosis": ["J06.9", "A09", "R05"], "diagnosis_primary": "J06.9",
        "case_type-1": "hapus", "case_type-2": "baru", "case_type-3": "baru",
    }  # fmt: skip
    send(client, entry, version=1, **fields)
    now = diagnoses.active(examination(entry))
    assert [(row.code, row.is_primary) for row in now] == [("A09", True), ("R05", False)]


# --- Favourites --------------------------------------------------------------------------------


def visits_with(person: Patient, codes: list[str]) -> None:
    past_visits.add(person, len(codes))
    with transaction():
        fresh = db.session.scalars(
            select(Diagnosis).order_by(Diagnosis.id.desc()).limit(len(codes))
        )
        for row, code in zip(fresh.all(), codes, strict=True):
            row.code, row.edition, row.title = code, "WHO 2019", code


def test_the_rooms_usual_codes_come_first_and_only_its_own(app):
    visits_with(factories.patient("Ani"), ["K29.7", "R51", "K29.7", "K29.7", "R51", "M79.1"])
    assert favourites.usual_codes(factories.poli("UMUM")) == ["K29.7", "R51", "M79.1"]
    assert favourites.usual_codes(factories.poli("GIGI")) == []


def test_the_patients_own_come_before_and_none_that_is_unusual_or_listed(app):
    visits_with(factories.patient("Ani"), ["O21.0", "R51", "K29.7", "R51"])
    person = factories.patient("Budi", sex="L")
    visits_with(person, ["I10"])
    with transaction():  # two years ago
        stay = db.session.scalars(select(Visit).where(Visit.patient_id == person.id)).one()
        stay.occurred_at = utcnow() - timedelta(days=700)
    entry = served_entry(person=person)
    offered = favourites.offers(entry.visit, entry.poli, {"K29.7"})
    assert [(each.code, each.is_ongoing) for each in offered] == [("I10", True), ("R51", False)]


def test_favourites_are_ticked_without_searching_and_lead_the_answers(sign_in):
    client = sign_in("umum")
    visits_with(factories.patient("Ani"), ["J20.9", "R51"])
    entry = served(person=factories.patient("Budi"))
    url = f"/kunjungan/{entry.visit.public_id}"
    page = text_of(client.get(url))
    assert page.index('name="diagnosis_favourite" value="J20.9"') < page.index('id="f-diagnosis_s')
    found = text_of(client.get(f"{url}/diagnosis?q=batuk&antrean={entry.public_id}"))
    assert found.index('value="J20.9"') < found.index('value="R05"')
    send(client, entry, diagnosis_favourite=["R51"], diagnosis_search="xyzzy", assessment="x")
    assert examination(entry) is None  # what stands in the search box is asked about all the same
    send(client, entry, diagnosis_favourite=["R51", "J20.9"])
    assert [row.code for row in diagnoses.active(examination(entry))] == ["R51", "J20.9"]


@pytest.mark.engines("sqlite")
def test_what_was_ticked_stands_in_the_order_of_the_page_behind_the_list(sign_in):
    client, entry = sign_in("umum"), served()
    end = {"disposition": "pulang", "diagnosis_favourite": "L30.9", "diagnosis": "I10"}
    told = text_of(client.get(send(client, entry, "selesai", **end).location))
    assert [row.code for row in diagnoses.active(examination(entry))] == ["L30.9", "I10"]
    assert re.search(r"selesai\. Diagnosis utama: L30\.9 \w", told), "no radio has asked for it"
    listed = served()
    send(client, listed, diagnosis="K30")
    end |= {"diagnosis": ["K30", "I10"], "case_type-1": "baru"}
    send(client, listed, "selesai", version=1, **end)
    found = [row.code for row in diagnoses.active(examination(listed))]
    assert found == ["K30", "L30.9", "I10"]


@pytest.mark.engines("sqlite")
def test_the_primary_diagnosis_is_said_only_where_none_was_chosen(sign_in):
    client = sign_in("umum")
    chosen = {"diagnosis": ["I10", "R05"], "diagnosis_primary": "R05"}
    for fields in (chosen, {"diagnosis": "I10"}, {"assessment": "sehat"}):
        ended = send(client, served(), "selesai", disposition="pulang", **fields)
        assert "Diagnosis utama" not in text_of(client.get(ended.location)), fields


@pytest.mark.engines("sqlite")
def test_offers_cost_the_same_whatever_the_room_has_seen(app):
    entry = served_entry(person=factories.patient("Budi"))
    counts = []
    for size in (2, 60):
        visits_with(factories.patient(f"Ani {size}"), ["R51"] * size)
        favourites.offers(entry.visit, entry.poli, set())
        with count_queries() as statements:
            favourites.offers(entry.visit, entry.poli, set())
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 3


def test_a_draft_or_an_ended_diagnosis_makes_no_favourite(app):
    entry = served_entry()
    with transaction():
        form = ExaminationInput(diagnoses=[DiagnosisInput("R51")], assessment="x")
        records.save(factories.actor("umum"), entry, form, 0)
    assert favourites.usual_codes(entry.poli) == []
    finish(entry, "R51", "sakit kepala biasa")
    assert favourites.usual_codes(entry.poli) == ["R51"]  # text without a code is none
