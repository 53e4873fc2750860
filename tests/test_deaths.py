"""A death: how the examination ends, what of the visit ends with it, who is told, what counts."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic import allergies, deaths, queues, report_lists, report_periods, report_tables
from clinic.diagnoses import DiagnosisInput
from clinic.prescription_lines import LineInput
from clinic.prescriptions import PrescriptionInput
from clinic.records import ExaminationInput
from clinic.report_definitions import REPORTS
from db import db, transaction, utcnow
from models import (
    AuditEntry,
    Death,
    EntryState,
    Examination,
    Poli,
    Prescription,
    PrescriptionState,
    QueueEntry,
    Visit,
    VisitStatus,
)
from tests import counted_visits, factories
from tests.amending import amend
from tests.pages import post
from tests.test_records import save, served
from tests.test_registration import check, confirm
from validators import FieldError

DIED = ExaminationInput(
    assessment="henti jantung",
    disposition="meninggal",
    death_time="08.05",
    diagnoses=(DiagnosisInput("J18.9"),),
)
ON = date(2026, 3, 5)


@pytest.fixture(autouse=True)
def every_time_of_today_has_come(monkeypatch):
    monkeypatch.setattr(deaths, "utcnow", lambda: utcnow() + timedelta(days=1))


def entries(visit: Visit) -> list[tuple[str, EntryState]]:
    db.session.rollback()
    rows = select(QueueEntry).where(QueueEntry.visit_id == visit.id).order_by(QueueEntry.id)
    return [(row.poli.code, row.state) for row in db.session.scalars(rows)]


def died(entry: QueueEntry, **changed) -> Examination:
    return save(entry, replace(DIED, **changed), finish=True)


# --- The end of the visit ---------------------------------------------------------------------


def test_a_death_ends_the_visit_and_its_place_in_every_line(app):
    sent = served()
    form = ExaminationInput(assessment="sesak", disposition="rujuk_internal", refer_to="UGD")
    save(sent, form, finish=True)
    with transaction():
        visit = db.session.get(Visit, sent.visit_id)
        queues.enqueue(factories.actor(), visit, factories.poli("LAB"))
        there = db.session.scalars(
            select(QueueEntry).where(QueueEntry.previous_entry_id == sent.id)
        ).one()
        queues.act(factories.actor("umum"), there, "mulai")
    done = died(there)
    assert (done.disposition, done.leads_to, done.death_time) == (Death.HERE, None, "08.05")
    told = select(Examination.id).where(Examination.disposition == Death.HERE)
    assert list(db.session.scalars(told)) == [done.id], "a query knows it too"
    assert entries(visit) == [
        ("UMUM", EntryState.DONE),
        ("UGD", EntryState.DONE),
        ("LAB", EntryState.CANCELLED),
    ]
    assert db.session.get(Visit, visit.id).status is VisitStatus.FINISHED
    lab = select(QueueEntry).join(QueueEntry.poli).where(Poli.code == "LAB")
    cancelled = db.session.scalars(lab).one()
    trail = db.session.scalars(select(AuditEntry).filter_by(object_ref=cancelled.public_id))
    assert cancelled.reason == there.reason == "Pasien meninggal"
    assert [(row.action, row.reason) for row in trail][-1:] == [("cancel", "Pasien meninggal")]


def test_who_is_being_served_elsewhere_may_still_be_written_about(app):
    entry = served()
    with transaction():
        visit = db.session.get(Visit, entry.visit_id)
        other = queues.enqueue(factories.actor(), visit, factories.poli("GIGI"))
        queues.act(factories.actor("gigi"), other, "mulai")
    died(entry)
    assert entries(visit)[1] == ("GIGI", EntryState.IN_SERVICE)
    save(other, ExaminationInput(assessment="dicabut", disposition="pulang"), 0, "gigi", True)
    assert db.session.get(Visit, visit.id).status is VisitStatus.FINISHED


@pytest.mark.engines("sqlite")
def test_no_medicine_is_sent_for_who_has_died(app):
    medicine = PrescriptionInput([LineInput("PCT500", "3x1", "5")])
    done = died(served(), prescription=medicine)
    (written,) = db.session.scalars(select(Prescription))
    assert (written.examination_id, written.number) == (done.id, None)
    assert written.state is PrescriptionState.CANCELLED


def test_a_second_press_changes_nothing(app):
    entry = served()
    assert died(entry).version == died(entry).version


# --- Who is told ------------------------------------------------------------------------------


def test_the_red_line_stands_beside_the_patient_until_the_record_is_corrected(app):
    entry = served()
    person = entry.visit.patient
    told = replace(DIED, disposition="doa", death_time="")
    save(entry, told)
    assert deaths.mark(person) == [], "a draft says nothing yet"
    assert list(db.session.scalars(deaths.THE_DEAD)) == []
    done = save(entry, told, 1, finish=True)
    assert list(db.session.scalars(deaths.THE_DEAD)) == [person.id]
    (line,) = allergies.banner(person)
    assert line.startswith("Meninggal ")
    assert allergies.mark(person) == [line], "the counter may know"
    amend(done, disposition="pulang", death_time="")
    assert (done.disposition, done.death_time) == ("pulang", "")
    assert allergies.mark(person) is None
    amend(done, disposition="meninggal", death_time="")
    assert deaths.mark(person) == [line]


@pytest.mark.parametrize(
    ("came", "how", "time", "day"),
    [
        (9, "doa", "", 0),
        (9, "doa", "08.40", 0),
        (9, "doa", "10.00", 0),
        (20, "doa", "07.15", 0),
        (1, "doa", "23.10", -1),
        (9, "doa", "18.00", -1),
        (9, "meninggal", "08.40", 0),
        (9, "meninggal", "20.00", 0),
        (22, "meninggal", "00.30", 1),
        (22, "meninggal", "23.10", 0),
        (25, "meninggal", "", 1),
    ],
)
def test_somebody_of_the_night_may_have_died_on_the_next_day_or_the_one_before(
    app, came, how, time, day
):
    visit = counted_visits.add(ON, examined={"disposition": how, "death_time": time})
    midnight = visit.occurred_at.replace(hour=0, minute=0) - timedelta(hours=8)  # in WITA
    with transaction():
        db.session.merge(visit).occurred_at = midnight + timedelta(hours=came)
    db.session.rollback()
    told = deaths.told_by(db.session.get(Visit, visit.id).patient)
    assert deaths.died_on(told) == ON + timedelta(days=day)


def test_the_counter_is_asked_for_a_reason_and_may_go_on(sign_in):
    entry = served()
    died(entry)
    clerk, ref = sign_in("loket"), entry.visit.patient.public_id
    assert '<p class="allergy">Meninggal ' in clerk.get(f"/pasien/{ref}").get_data(as_text=True)
    page, draft = check(clerk, f"/pendaftaran/pasien/{ref}", patient=ref)
    assert 'data-rule="DEATH-1" data-level="warning"' in page
    assert "Meninggal" in page
    version = page.partition('name="version" value="')[2].partition('"')[0]
    answer = {"version": version, "override_reason": "keluarga menyebut salah catat"}
    assert confirm(clerk, draft, version).status_code == 422
    assert confirm(clerk, draft, **answer).status_code == 303


@pytest.mark.parametrize("typed", ["04.15", "4:15", "0415"])
def test_a_time_is_read_as_people_write_it(typed):
    assert deaths.parse_time(typed) == "04.15"


@pytest.mark.parametrize("typed", ["2415", "0460", "04155", "415"])
def test_four_digits_that_are_no_time_are_refused(typed):
    with pytest.raises(FieldError, match=r"seperti 15\.00"):
        deaths.parse_time(typed)


def test_the_form_takes_a_time_or_none_and_shows_it_again(sign_in):
    entry, client = served(), sign_in("umum")
    address = f"/kunjungan/{entry.visit.public_id}"
    client.get(address)
    typed = {"entry": entry.public_id, "patient": entry.visit.patient.public_id, "version": "0"}
    typed |= {"aksi": "selesai", "assessment": "henti napas", "disposition": "meninggal"}
    page = post(client, address, typed | {"death_time": "jam delapan"})
    assert page.status_code == 422
    assert 'value="jam delapan"' in page.get_data(as_text=True)
    done = post(client, address, typed | {"death_time": "8:05"})
    assert "Tercatat meninggal; bila keliru" in client.get(done.location).get_data(as_text=True)
    page = client.get(address).get_data(as_text=True)
    assert "Meninggal di puskesmas pukul 08.05" in page
    assert '<p class="allergy">Meninggal ' in page


def test_a_time_that_has_not_come_is_a_slip_of_the_hand(sign_in, monkeypatch):
    """And nobody is held up by it: without a time the death is recorded as well."""
    entry, client = served(), sign_in("umum")
    noon = entry.visit.occurred_at.replace(hour=4, minute=0)  # in WITA
    with transaction():
        db.session.merge(entry.visit).occurred_at = noon
    monkeypatch.setattr(deaths, "utcnow", lambda: noon + timedelta(minutes=20))
    address = f"/kunjungan/{entry.visit.public_id}"
    typed = {"entry": entry.public_id, "patient": entry.visit.patient.public_id, "version": "0"}
    typed |= {"aksi": "selesai", "assessment": "henti napas", "disposition": "meninggal"}
    page = post(client, address, typed | {"death_time": "22.05"})
    assert page.status_code == 422
    assert "Pukul 22.05 belum lewat" in page.get_data(as_text=True)
    assert post(client, address, typed | {"death_time": "12.15"}).status_code == 303


# --- Reports ----------------------------------------------------------------------------------


def table(code: str, key: str) -> report_tables.Table:
    period = report_periods.parse("2026-03")
    return {each.key: each for each in report_tables.fill(REPORTS[code].sections, period)}[key]


def test_deaths_are_counted_by_the_primary_diagnosis(app):
    ending = {"disposition": "meninggal"}
    visit = counted_visits.add(ON, codes=[("J18.9", "lama"), ("I10", "baru")], examined=ending)
    counted_visits.go_on(visit, "GIGI", [("J18.9", "lama")])
    counted_visits.add(ON, examined=ending | {"disposition": "doa"})
    counted_visits.add(ON, codes=[("J18.9", "baru")])
    counted_visits.add(ON, codes=[("J18.9", "baru")], examined=ending, status="cancelled")
    draft = ending | {"finished_at": None}
    visit = counted_visits.add(ON, codes=[("J18.9", "baru")], examined=draft)
    counted_visits.go_on(visit, "UGD", [("J18.9", "lama")], examined=ending)
    counted_visits.add(ON, codes=[("J18.9", "baru")], examined=draft)
    all_causes, ispa = table("lb1", "mati"), table("ispa", "mati")
    assert all_causes.cells["J18.9", "J"] == 2
    assert all_causes.counted == 3, "of a draft too, where another room has finished it"
    assert ispa.cells["semua", "J"] == 2
    assert ispa.outside == 1, "without a diagnosis"
    assert not [*all_causes.problems, *ispa.problems]
    period = report_periods.parse("2026-03")
    assert report_lists.behind(REPORTS["lb1"], "mati", "J18.9", "J", period).count() == 2
