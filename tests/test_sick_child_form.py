"""MTBS: danger signs that must be answered, and what the checked signs are called."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from clinic import (
    days,
    dehydration,
    form_sheets,
    history,
    queues,
    records,
    report_periods,
    report_tables,
    sick_child,
)
from clinic.form_case import Case
from clinic.records import ExaminationInput, RecordError
from clinic.report_sections import DEHYDRATED
from db import db, transaction
from models import EntryState, Examination, ExaminationAnswer, QueueEntry, Source
from tests import amending, counted_visits, factories
from tests.amending import amend
from tests.test_examination import send, words_of

ON = date(2026, 11, 25)


def rules(answers: dict, **case) -> list[str]:
    return [each.rule for each in sick_child.findings(answers, Case(ON, **case))]


def said(answers: dict, rule: str, **case) -> str:
    found = sick_child.findings({"danger": "tidak_ada", **answers}, Case(ON, **case))
    return next((each.message for each in found if each.rule == f"MTBS-{rule}"), "")


def test_any_danger_sign_is_an_error_none_is_none():
    assert rules({"danger": "kejang"}) == ["MTBS-BAHAYA"]
    assert rules({"danger": "tidak_ada"}) == []
    assert rules({"danger": "tidak_ada stridor"}) == ["MTBS-BAHAYA"]
    assert rules({"cough_days": "2"}) == ["MTBS-TANYA"]
    assert rules({}) == []


@pytest.mark.parametrize(
    ("months", "breaths", "expected"),
    [
        (1, 59, ""),
        (1, 60, "Pneumonia berat: napas cepat (60 per menit)"),
        (2, 49, ""),
        (11, 50, "Pneumonia: napas cepat (50 per menit)"),
        (12, 40, "Pneumonia: napas cepat (40 per menit)"),
        (59, 39, ""),
        (60, 60, ""),
        (None, 60, ""),
    ],
)
def test_fast_breathing_by_age(months, breaths, expected):
    assert said({}, "NAPAS", age_months=months, vitals={"respiration": breaths}) == expected


@pytest.mark.parametrize(
    ("answers", "rule", "expected"),
    [
        ({"breathing": "tarikan"}, "NAPAS", "Pneumonia: tarikan dinding dada"),
        (
            {"breathing": "tarikan", "danger": "kejang"},
            "NAPAS",
            "Pneumonia berat: tarikan dinding dada",
        ),
        ({"breathing": "wheezing"}, "NAPAS", ""),
        ({"cough_days": "13"}, "NAPAS", ""),
        ({"cough_days": "14"}, "NAPAS", "Batuk 14 hari: periksa TB"),
        (
            {"cough_days": "20", "breathing": "tarikan"},
            "NAPAS",
            "Pneumonia: tarikan dinding dada; Batuk 20 hari: periksa TB",
        ),
        ({"dehydration": "letargis mata"}, "DIARE", "Diare dehidrasi berat"),
        ({"dehydration": "letargis"}, "DIARE", ""),
        ({"dehydration": "rewel haus"}, "DIARE", "Diare dehidrasi ringan atau sedang"),
        ({"dehydration": "rewel"}, "DIARE", ""),
        ({"dehydration": "haus cubit_lama"}, "DIARE", "Diare dehidrasi ringan atau sedang"),
        ({"dehydration": "letargis cubit_lambat"}, "DIARE", "Diare dehidrasi ringan atau sedang"),
        ({"dehydration": "rewel malas"}, "DIARE", "Diare dehidrasi ringan atau sedang"),
        ({"dehydration": "malas cubit_lama"}, "DIARE", "Diare dehidrasi berat"),
        ({"dehydration": "cubit_lambat cubit_lama"}, "DIARE", ""),
        ({"dehydration": "malas haus"}, "DIARE", ""),
        ({"diarrhoea_days": "14"}, "DIARE", "Diare persisten (14 hari)"),
        ({"diarrhoea_days": "13"}, "DIARE", ""),
        ({"dehydration": "darah"}, "DIARE", "Disentri (darah dalam tinja)"),
        ({"fever": "kaku"}, "DEMAM", "Penyakit berat dengan demam (kaku kuduk)"),
        ({"fever": "perdarahan"}, "DEMAM", "Mungkin DBD"),
        ({"fever": "perdarahan syok"}, "DEMAM", "Mungkin DBD dengan syok"),
        ({"fever": "ruam"}, "DEMAM", "Mungkin campak"),
        ({"fever_days": "7"}, "DEMAM", "Demam 7 hari: cari sebabnya"),
        ({"fever_days": "6"}, "DEMAM", ""),
        ({"ear": "bengkak nyeri"}, "TELINGA", "Mastoiditis"),
        ({"ear": "cairan_lama"}, "TELINGA", "Infeksi telinga kronis"),
        ({"ear": "nyeri"}, "TELINGA", "Infeksi telinga akut"),
        ({}, "TELINGA", ""),
        ({"nutrition": "edema"}, "GIZI", "Gizi buruk"),
        ({"muac": "11.4"}, "GIZI", "Gizi buruk"),
        ({"muac": "11.5"}, "GIZI", "Gizi kurang"),
        ({"muac": "12.5"}, "GIZI", ""),
        ({"nutrition": "agak_pucat"}, "ANEMIA", "Anemia"),
        ({"nutrition": "sangat_pucat"}, "ANEMIA", "Anemia berat"),
    ],
)
def test_signs_have_a_name(answers, rule, expected):
    assert said(answers, rule, age_months=24) == expected


def test_the_arm_is_not_measured_below_six_months():
    assert said({"muac": "11"}, "GIZI", age_months=5) == ""
    assert said({"muac": "11"}, "GIZI", age_months=6) == "Gizi buruk"


@pytest.mark.parametrize(
    ("arm", "months", "expected"),
    [
        ("11.4", 18, ["Gizi buruk: LILA 11,4 cm"]),
        ("11.5", 18, ["Gizi kurang: LILA 11,5 cm"]),
        ("12.5", 18, []),
        ("11", 5, []),
        ("11", 6, ["Gizi buruk: LILA 11 cm"]),
        ("12.4", 59, ["Gizi kurang: LILA 12,4 cm"]),
        ("12.4", 60, []),
    ],
)
def test_the_growth_form_judges_the_arm_as_mtbs_does(arm, months, expected):
    (sheet,) = form_sheets.sheets({"anak": {"child_arm": arm}}, Case(ON, age_months=months))
    assert [each.message for each in sheet.findings] == expected
    assert all(each.level == "warning" for each in sheet.findings)


@pytest.mark.parametrize(
    ("months", "celsius", "expected"),
    [
        (1, "38", ["MTBS-BAHAYA"]),
        (1, "37.9", []),
        (1, "35.5", []),
        (1, "35.4", ["MTBS-BAHAYA"]),
        (2, "39", []),
        (None, "39", []),
    ],
)
def test_a_young_babys_temperature_is_a_danger_sign(months, celsius, expected):
    case = {"age_months": months, "vitals": {"temperature": Decimal(celsius)}}
    assert rules({"danger": "tidak_ada"}, **case) == expected
    assert [each.form for each in form_sheets.sheets({"mtbs": {}}, Case(ON, **case))] == [
        "mtbs" for _ in expected
    ]


# --- Before "Selesai" -------------------------------------------------------------------------


def served(code="MTBS", entry=None) -> QueueEntry:
    entry = entry or factories.entry(code)
    with transaction():
        queues.act(factories.actor("kia"), db.session.get(QueueEntry, entry.id), "mulai")
    return db.session.get(QueueEntry, entry.id)


def finish(entry, version=0, disposition="pulang", refer_to="", **answers) -> Examination:
    forms = {"mtbs": answers} if answers else None
    form = ExaminationInput(
        assessment="sakit", disposition=disposition, refer_to=refer_to, forms=forms
    )
    with transaction():
        found = db.session.get(QueueEntry, entry.id)
        return records.finish(factories.actor("kia"), found, form, version)


@pytest.mark.parametrize("disposition", ["pulang", "kontrol"])
def test_home_with_a_danger_sign_needs_a_reason(app, disposition):
    entry = served()
    with pytest.raises(RecordError, match="Ada tanda bahaya \\(Kejang\\)") as caught:
        finish(entry, disposition=disposition, danger="kejang")
    assert caught.value.field == "danger_reason"
    assert finish(
        entry, disposition=disposition, danger="kejang", danger_reason="orang tua menolak"
    ).finished_at


@pytest.mark.parametrize(
    ("disposition", "refer_to"), [("rujuk_internal", "UGD"), ("rujuk_eksternal", "RSUD")]
)
def test_a_referral_needs_no_reason(app, disposition, refer_to):
    assert finish(served(), 0, disposition, refer_to, danger="kejang").finished_at


def test_through_the_pharmacy_is_home(app):
    entry = served()
    with pytest.raises(RecordError, match="Ada tanda bahaya") as caught:
        finish(entry, 0, "rujuk_internal", "FARMASI", danger="kejang")
    assert caught.value.field == "danger_reason"
    reason = "orang tua menolak"
    done = finish(entry, 0, "rujuk_internal", "FARMASI", danger="kejang", danger_reason=reason)
    with pytest.raises(RecordError, match="mengapa anak dipulangkan"):
        amend(done, "kia", forms={"mtbs": {"danger": "kejang"}})


def young(months: int = 1) -> QueueEntry:
    entry = served()
    with transaction():
        db.session.get(QueueEntry, entry.id).visit.age_months = months
    return db.session.get(QueueEntry, entry.id)


def measured(entry, celsius: str) -> None:
    with transaction():
        visit = db.session.get(QueueEntry, entry.id).visit
        records.measure(factories.actor("kia"), visit, entry, {"temperature": Decimal(celsius)})


def test_a_young_baby_with_fever_goes_home_with_a_reason(app):
    entry = young()
    measured(entry, "38.5")
    with pytest.raises(RecordError, match="suhu 38,5 °C pada bayi") as caught:
        finish(entry, danger="tidak_ada")
    assert caught.value.field == "danger_reason"
    measured(entry, "37.4")
    done = finish(entry, danger="tidak_ada")
    (row,) = amending.measured(done)
    fever = {row.public_id: {"temperature": Decimal("38.5")}}
    with pytest.raises(RecordError, match="mengapa anak dipulangkan"):
        amend(done, "kia", vitals=fever)
    answers = {"danger": "tidak_ada", "danger_reason": "ibu menolak rujuk"}
    amend(done, "kia", vitals=fever, forms={"mtbs": answers})


def test_an_older_child_with_fever_goes_home(app):
    entry = young(months=2)
    measured(entry, "38.5")
    assert finish(entry, danger="tidak_ada").finished_at


def test_a_record_copied_from_paper_asks_for_no_reason(app):
    entry = young()
    measured(entry, "38.5")
    with transaction():
        found = db.session.get(QueueEntry, entry.id)
        found.visit.source, found.state = Source.PAPER, EntryState.DONE
    with transaction():
        found, actor = db.session.get(QueueEntry, entry.id), factories.actor("kia")
        who = factories.user("kia").practitioner_id
        form = ExaminationInput(assessment="demam", disposition="pulang")
        assert records.write_from_paper(actor, found, form, who).finished_at


def test_without_a_danger_sign_home_needs_no_reason(app):
    assert finish(served(), danger="tidak_ada").finished_at


def test_who_comes_back_with_a_result_still_has_the_danger_sign(app):
    entry = served()
    finish(entry, 0, "rujuk_internal", "LAB", danger="kejang")
    visit = entry.visit
    lab = db.session.query(QueueEntry).filter_by(previous_entry_id=entry.id).one()
    with transaction():
        queues.act(factories.actor("lab"), db.session.get(QueueEntry, lab.id), "mulai")
    with transaction():
        done = ExaminationInput(objective="hasil", disposition="pulang", refer_to="")
        records.finish(factories.actor("lab"), db.session.get(QueueEntry, lab.id), done, 0)
    entries = db.session.query(QueueEntry).filter_by(visit_id=visit.id)
    back = entries.order_by(QueueEntry.id.desc()).first()
    back = served(entry=back)
    with pytest.raises(RecordError, match="Ada tanda bahaya"):
        finish(back)
    # Looked at again, and better.
    assert finish(back, danger="tidak_ada").finished_at


def test_a_correction_cannot_take_the_reason_away(app):
    done = finish(served(), danger="kejang", danger_reason="orang tua menolak")
    with pytest.raises(RecordError, match="mengapa anak dipulangkan"):
        amend(done, "kia", forms={"mtbs": {"danger": "kejang"}})
    amend(done, "kia", forms={"mtbs": {"danger": "kejang", "danger_reason": "dijemput ambulans"}})


SIGNS = ["rewel haus", "cubit_lambat mata", "mata cubit_lama rewel haus", "haus cubit_lama"]


@pytest.mark.parametrize("signs", SIGNS)
def test_form_12_counts_the_grade_that_the_page_shows(app, signs):
    finish(served(), danger="tidak_ada", dehydration="haus malas darah")
    finish(served(), danger="tidak_ada", dehydration=signs)
    grade = dehydration.grade(set(signs.split()))
    (found,) = report_tables.fill([DEHYDRATED], report_periods.parse(f"{days.clinic_date()}"))
    assert {row: n for (row, column), n in found.cells.items() if column == "J"} == {
        grade: 1,
        "semua": 1,
    }
    assert dehydration.LABELS[grade] in said({"dehydration": signs}, "DIARE")
    assert not found.problems


def test_an_amended_first_examination_does_not_tell_the_last_grade_of_dehydration(app):
    visit = counted_visits.add(days.clinic_date(), room="MTBS", examined={"disposition": "pulang"})
    counted_visits.go_on(visit, "MTBS", [("A09", "baru")], kind="result_back")
    ids = select(Examination.id).where(Examination.visit_id == visit.id).order_by(Examination.id)
    first, last = db.session.scalars(ids)
    for examination_id, signs in ((last, "haus rewel"), (first, "malas letargis")):
        with transaction():
            told = {"form": "mtbs", "code": "dehydration", "value": signs}
            by = factories.user("kia").id
            db.session.add(
                ExaminationAnswer(examination_id=examination_id, recorded_by_id=by, **told)
            )
    (found,) = report_tables.fill([DEHYDRATED], report_periods.parse(f"{days.clinic_date()}"))
    (grade,) = (row for row, column in found.cells if column == "J" and row != "semua")
    assert grade == dehydration.grade({"haus", "rewel"})


# --- Pages ------------------------------------------------------------------------------------


def test_the_banner_stands_on_the_page_and_the_refusal_keeps_everything(sign_in):
    entry, client = served(), sign_in("kia")
    client.get(f"/kunjungan/{entry.visit.public_id}")
    typed = {
        "room_form": "mtbs",
        "danger": ["kejang", "biru"],
        "dehydration": ["rewel", "haus"],
        "assessment": "sakit berat",
        "disposition": "pulang",
        "muac": "11,9",
    }
    page = send(client, entry, "selesai", **typed)
    assert page.status_code == 422
    html = page.get_data(as_text=True)
    assert 'data-rule="MTBS-BAHAYA"' in html
    assert 'href="#f-danger_reason"' in html
    assert 'value="kejang" checked' in html
    assert 'value="11,9"' in html
    assert send(client, entry, **typed).status_code == 303
    html = client.get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)
    assert 'data-rule="MTBS-BAHAYA"' in html
    assert "Diare dehidrasi ringan atau sedang" in html
    answered = typed | {"danger_reason": "orang tua menolak rujuk"}
    assert send(client, entry, "selesai", 1, **answered).status_code == 303
    record = words_of(client.get(f"/pasien/{entry.visit.patient.public_id}"))
    assert "Tanda bahaya umum: Kejang, Biru (sianosis)" in record
    assert "orang tua menolak rujuk" in record
    assert "Gizi kurang" in record


def test_the_banner_of_a_young_baby_needs_no_answer(sign_in):
    entry, client = young(), sign_in("kia")
    measured(entry, "35")
    html = client.get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)
    assert 'data-rule="MTBS-BAHAYA"' in html
    assert "suhu 35 °C pada bayi di bawah 2 bulan" in html


def test_no_sign_beside_a_sign_is_refused_and_the_sign_counts(sign_in):
    entry, client = served(), sign_in("kia")
    client.get(f"/kunjungan/{entry.visit.public_id}")
    page = send(client, entry, room_form="mtbs", danger=["tidak_ada", "kejang"])
    assert page.status_code == 422
    assert "Tanda bahaya umum: hapus centang 'Tidak ada tanda bahaya'" in words_of(page)
    assert 'data-rule="MTBS-BAHAYA"' in page.get_data(as_text=True)
    assert 'value="kejang" checked' in page.get_data(as_text=True)


def test_without_a_danger_sign_there_is_no_banner(sign_in):
    entry, client = served(), sign_in("kia")
    client.get(f"/kunjungan/{entry.visit.public_id}")
    send(client, entry, room_form="mtbs", danger="tidak_ada")
    html = client.get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)
    assert "MTBS-BAHAYA" not in html
    sheet = history.visit_summary(db.session.get(QueueEntry, entry.id).visit).rooms[0].sheets[0]
    assert sheet.lines == [("Tanda bahaya umum", "Tidak ada tanda bahaya")]
