"""Pregnancy: dates, weeks and risks; what one visit tells holds for the next."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from clinic import (
    form_answers,
    form_sheets,
    lab_reports,
    paper_sheets,
    pregnancy,
    queues,
    records,
)
from clinic.form_case import Case
from clinic.lab_orders import OrderInput
from clinic.pregnancy import dating, naegele, risks
from db import db, transaction
from models import AuditEntry, LabOrder, LabOrderState, LabResult, LabTest, QueueEntry, Visit
from tests import factories
from tests.test_examination import send, words_of

ON = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("lmp", "due"),
    [
        (date(2026, 1, 1), date(2026, 10, 8)),
        (date(2026, 4, 10), date(2027, 1, 17)),
        (date(2025, 12, 28), date(2026, 10, 4)),
        (date(2026, 5, 24), date(2027, 2, 28)),  # 31 February
        (date(2027, 5, 23), date(2028, 2, 29)),  # 30 February of a leap year
        (date(2026, 5, 25), date(2027, 3, 1)),
        (date(2026, 7, 24), date(2027, 4, 30)),  # 31 April
    ],
)
def test_the_expected_day_by_naegele(lmp, due):
    assert naegele(lmp) == due


def test_a_later_menstruation_is_never_due_earlier():
    due = [naegele(date(2026, 1, 1) + timedelta(days=n)) for n in range(800)]
    assert due == sorted(due)


@pytest.mark.parametrize(
    ("answers", "weeks", "days", "source"),
    [
        ({"lmp": "2026-11-25"}, 0, 0, "HPHT"),
        ({"lmp": "2026-06-01"}, 25, 2, "HPHT"),
        ({"edd_scan": "2027-03-10"}, 25, 0, "USG"),
        ({"lmp": "2026-01-01", "edd_scan": "2027-03-10"}, 25, 0, "USG"),
    ],
)
def test_weeks_and_days_at_the_visit(answers, weeks, days, source):
    found = dating(answers, ON)
    assert (found.weeks, found.days % 7, found.source) == (weeks, days, source)


def test_without_a_date_nothing_is_computed():
    assert dating({"gravida": "2"}, ON) is None
    assert not pregnancy.is_running({"gravida": "2"}, ON)


@pytest.mark.parametrize(("days", "runs"), [(0, True), (315, True), (316, False)])
def test_a_pregnancy_runs_at_most_45_weeks(days, runs):
    told = {"lmp": (ON - timedelta(days=days)).isoformat()}
    assert pregnancy.is_running(told, ON) is runs


LMP = {"lmp": "2026-03-01"}  # 38 weeks


@pytest.mark.parametrize(
    ("answers", "case", "rules"),
    [
        ({}, {"age_months": 25 * 12}, []),
        ({}, {"age_months": 20 * 12 - 1}, ["UMUR"]),
        ({}, {"age_months": 20 * 12}, []),
        ({}, {"age_months": 36 * 12 - 1}, []),
        ({}, {"age_months": 36 * 12}, ["UMUR"]),
        ({"arm_circumference": "23.4"}, {}, ["LILA"]),
        ({"arm_circumference": "23.5"}, {}, []),
        ({}, {"vitals": {"height": Decimal("144.9")}}, ["TINGGI"]),
        ({}, {"vitals": {"height": Decimal(145)}}, []),
        ({}, {"vitals": {"systolic": 140, "diastolic": 80}}, ["TD"]),
        ({}, {"vitals": {"systolic": 120, "diastolic": 90}}, ["TD"]),
        ({}, {"vitals": {"systolic": 139, "diastolic": 89}}, []),
        ({}, {"hb": Decimal("10.9")}, ["HB"]),
        ({}, {"hb": Decimal(11)}, []),
        ({"gravida": "2", "para": "2", "abortus": "1"}, {}, ["GPA"]),
        ({"gravida": "3", "para": "2", "abortus": "1"}, {}, []),
        ({"gravida": "1"}, {}, []),
        ({"para": "4"}, {}, ["PARITAS"]),
        ({"para": "3"}, {}, []),
        ({"birth_gap": "1.9"}, {}, ["JARAK"]),
        ({"birth_gap": "2"}, {}, []),
        ({"fetal_heart": "119"}, {}, ["DJJ"]),
        ({"fetal_heart": "120"}, {}, []),
        ({"fetal_heart": "160"}, {}, []),
        ({"fetal_heart": "161"}, {}, ["DJJ"]),
        (LMP | {"presentation": "sungsang"}, {}, ["LETAK"]),
        (LMP | {"presentation": "kepala"}, {}, []),
        ({"lmp": "2026-06-01", "presentation": "sungsang"}, {}, []),
        ({"lmp": "2026-02-04"}, {}, ["LEWAT"]),
        ({"lmp": "2026-02-05"}, {}, []),
    ],
)
def test_each_risk_has_its_limit(answers, case, rules):
    found = risks(answers, Case(ON, **case))
    assert [finding.rule for finding in found] == [f"KEHAMILAN-{rule}" for rule in rules]
    assert all(finding.level == "warning" for finding in found), "none of them stops anybody"


def test_after_birth_no_pregnancy_is_counted_on():
    told = {"lmp": "2026-02-01", "presentation": "sungsang", "fetal_heart": "90", "para": "4"}
    case = Case(ON, vitals={"systolic": 150}, pregnant="nifas")
    (sheet,) = form_sheets.sheets({"hamil": told}, case)
    assert sheet.summary == ""
    assert [each.rule for each in sheet.findings] == ["KEHAMILAN-TD", "KEHAMILAN-PARITAS"]
    (before,) = form_sheets.sheets({"hamil": told}, case._replace(pregnant="ya"))
    assert before.summary.startswith("Usia kehamilan 42 minggu")


def test_a_paper_says_that_a_pressure_is_severe_and_asks_nobody_to_refer():
    case = Case(ON, vitals={"systolic": 150, "diastolic": 110}, pregnant="ya")
    sheets = form_sheets.sheets({"hamil": {"para": "1"}}, case)
    assert sheets[0].findings[0].message.endswith("berat. Beri pertolongan pertama dan rujuk")
    said = "Hamil, tekanan darah 150/110: 160/110 atau lebih, berat; P: 1"
    assert paper_sheets.text(sheets, with_notes=True) == f"Kehamilan: {said}"


def test_a_woman_after_birth_is_shown_no_weeks(sign_in):
    entry = factories.entry("KIA", factories.patient("Ibu Nifas"), pregnant="nifas")
    with transaction():
        queues.act(factories.actor("kia"), entry, "mulai")
    entry = db.session.get(QueueEntry, entry.id)
    lmp = entry.visit.service_day.on - timedelta(days=295)
    client, url = sign_in("kia"), f"/kunjungan/{entry.visit.public_id}"
    client.get(url)
    typed = {"room_form": "hamil", "lmp": f"{lmp:%d-%m-%Y}", "assessment": "nifas"}
    assert send(client, entry, **typed).status_code == 303
    page = client.get(url)
    assert "Usia kehamilan" not in words_of(page)
    assert "KEHAMILAN-LEWAT" not in page.get_data(as_text=True)
    ends = typed | {"disposition": "pulang"}
    assert send(client, entry, "selesai", 1, **ends).status_code == 303, "nothing to ask twice"


# --- From visit to visit ----------------------------------------------------------------------


def served(person=None, days_ago: int = 0, **fields) -> QueueEntry:
    entry = factories.entry("KIA", person, pregnant="ya", **fields)
    with transaction():
        queues.act(factories.actor("kia"), entry, "mulai")
        db.session.get(Visit, entry.visit_id).occurred_at -= timedelta(days=days_ago)
    return db.session.get(QueueEntry, entry.id)


def finish(entry, **answers: str) -> None:
    form = records.ExaminationInput(
        assessment="hamil", disposition="pulang", forms={"hamil": answers}
    )
    with transaction():
        records.finish(factories.actor("kia"), db.session.get(QueueEntry, entry.id), form, 0)


def test_a_running_pregnancy_carries_its_dates_on(sign_in):
    person = factories.patient("Ibu Hamil")
    first = served(person, days_ago=28)
    on = first.visit.service_day.on
    lmp = on - timedelta(days=140)
    finish(first, lmp=lmp.isoformat(), gravida="2", para="1", arm_circumference="25")
    entry, client = served(db.session.merge(person)), sign_in("kia")
    page = client.get(f"/kunjungan/{entry.visit.public_id}")
    html = page.get_data(as_text=True)
    assert f'value="{lmp:%d-%m-%Y}"' in html
    assert 'name="gravida" value="2"' in html
    assert 'name="arm_circumference" value=""' in html, "what is measured is measured anew"
    assert "terisi dari kunjungan" in html
    assert "Usia kehamilan 20 minggu 0 hari" in words_of(page)
    assert form_answers.current(records.open_examination(entry)) == {}, "nothing is stored yet"
    typed = {"room_form": "hamil", "lmp": f"{lmp:%d-%m-%Y}", "gravida": "3"}
    assert send(client, entry, **typed).status_code == 303
    html = client.get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)
    assert 'name="gravida" value="3"' in html
    assert 'name="para" value=""' in html, "what this visit says wins, emptied fields too"
    assert "terisi dari kunjungan" not in html


def test_what_is_carried_on_is_said_until_it_is_saved_or_changed(sign_in):
    person = factories.patient("Ibu Terisi")
    first = served(person, days_ago=28)
    lmp = first.visit.service_day.on - timedelta(days=140)
    finish(first, lmp=lmp.isoformat(), gravida="2")
    entry, client = served(db.session.merge(person)), sign_in("kia")
    client.get(f"/kunjungan/{entry.visit.public_id}")
    typed = {"room_form": "hamil", "lmp": f"{lmp:%d-%m-%Y}", "gravida": "3"}
    for action, more in (("cari", {"diagnosis_search": "anemia"}), ("simpan", {"weight": "x"})):
        page = send(client, entry, action, **typed, **more)
        assert "Sebagian terisi dari kunjungan" in words_of(page), action
    other = typed | {"lmp": f"{lmp + timedelta(days=9):%d-%m-%Y}"}
    page = send(client, entry, "cari", **other, diagnosis_search="anemia")
    assert "terisi dari kunjungan" not in words_of(page)


def test_who_is_back_from_the_laboratory_is_not_asked_again(sign_in):
    entry = served(factories.patient("Ibu Hamil"))
    lmp = entry.visit.service_day.on - timedelta(days=140)
    told = {"lmp": lmp.isoformat(), "gravida": "2", "arm_circumference": "25"}
    factories.sent_to_laboratory_and_back(entry, "kia", hamil=told)
    html = sign_in("kia").get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)
    assert f'value="{lmp:%d-%m-%Y}"' in html
    assert 'name="gravida" value="2"' in html
    assert 'name="arm_circumference" value=""' in html


def test_a_pregnancy_that_is_over_is_not_carried_on(sign_in):
    person = factories.patient("Ibu Dulu")
    first = served(person, days_ago=300)
    lmp = first.visit.service_day.on - timedelta(days=330)
    finish(first, lmp=lmp.isoformat(), gravida="2")
    entry = served(db.session.merge(person))
    html = sign_in("kia").get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)
    assert 'name="gravida" value=""' in html
    assert "terisi dari kunjungan" not in html


def in_kia(pregnant: str) -> QueueEntry:
    entry = factories.entry("KIA", factories.patient("Ibu Baru"), pregnant=pregnant)
    with transaction():
        queues.act(factories.actor("kia"), entry, "mulai")
    return db.session.get(QueueEntry, entry.id)


def save(entry, version: int = 0, **answers: str) -> Visit:
    with transaction():
        form = records.ExaminationInput(forms={"hamil": answers})
        found = db.session.get(QueueEntry, entry.id)
        records.save(factories.actor("kia"), found, form, version)
    return db.session.get(Visit, entry.visit_id)


def noted() -> int:
    return db.session.query(AuditEntry).filter_by(action="note_pregnancy").count()


@pytest.mark.parametrize("told", ["tidak", ""])
def test_a_pregnancy_that_the_room_finds_counts_for_the_visit(app, told):
    entry = in_kia(told)
    lmp = (entry.visit.service_day.on - timedelta(days=57)).isoformat()
    visit = save(entry, lmp=lmp)
    assert (visit.pregnant, visit.cluster, visit.priority) == ("ya", "2", "HAMIL")
    assert noted() == 1
    save(entry, 1, lmp=lmp, gravida="1")
    assert noted() == 1, "only what changes is noted"
    visit = save(entry, 2, gravida="1")  # a slip of the hand, taken back
    assert visit.pregnant == "" and noted() == 2


@pytest.mark.parametrize(
    ("told", "days"), [("nifas", 57), ("tidak", 316), ("tidak", None)], ids=str
)
def test_what_tells_of_no_running_pregnancy_changes_no_visit(app, told, days):
    entry = in_kia(told)
    on = entry.visit.service_day.on
    dates = {"lmp": (on - timedelta(days=days)).isoformat()} if days else {}
    assert save(entry, gravida="1", **dates).pregnant == told
    assert noted() == 0


def test_what_the_counter_was_told_is_not_taken_back_by_an_empty_form(app):
    assert save(served(), gravida="1").pregnant == "ya"


def test_the_room_is_told_and_sees_it(sign_in):
    entry, client = in_kia("tidak"), sign_in("kia")
    url = f"/kunjungan/{entry.visit.public_id}"
    client.get(url)
    lmp = entry.visit.service_day.on - timedelta(days=57)
    assert send(client, entry, room_form="hamil", lmp=f"{lmp:%d-%m-%Y}").status_code == 303
    assert "Kunjungan ini kini tercatat hamil" in words_of(client.get(url))


def test_what_she_denied_at_the_counter_is_not_carried_on(sign_in):
    person = factories.patient("Ibu Sesudah")
    first = served(person, days_ago=60)
    finish(first, lmp=(first.visit.service_day.on - timedelta(days=280)).isoformat(), gravida="2")
    entry = factories.entry("KIA", db.session.merge(person), pregnant="tidak")
    with transaction():
        queues.act(factories.actor("kia"), entry, "mulai")
    html = sign_in("kia").get(f"/kunjungan/{entry.visit.public_id}").get_data(as_text=True)
    assert 'name="gravida" value=""' in html


def test_another_womans_pregnancy_is_never_carried_on(app):
    finish(served(factories.patient("Ibu Satu")), lmp="2026-06-01", gravida="2")
    entry = served(factories.patient("Ibu Dua"))
    assert form_answers.last_pregnancy(entry.visit) is None


def test_the_visits_haemoglobin_counts(app):
    entry = served()
    with transaction():
        actor = factories.actor("kia")
        form = records.ExaminationInput(forms={"hamil": {"gravida": "1"}}, lab=OrderInput(["HB"]))
        records.save(actor, db.session.get(QueueEntry, entry.id), form, 0)
        order = db.session.query(LabOrder).one()
        test = db.session.query(LabTest).filter_by(code="HB").one()
        order.state, order.resulted_at = LabOrderState.RESULTED, order.ordered_at
        db.session.add(
            LabResult(
                order_id=order.id,
                test_id=test.id,
                value="9,8",
                number=Decimal("9.8"),
                unit="g/dL",
                sampled_at=order.ordered_at,
                sampled_by_id=actor.user_id,
                resulted_by_id=actor.user_id,
            )
        )
    reports = lab_reports.by_visit([entry.visit_id])[entry.visit_id]
    assert lab_reports.number_of("HB", reports) == Decimal("9.8")
    assert lab_reports.number_of("GDS", reports) is None
