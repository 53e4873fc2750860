"""Narrowing a history: each filter finds what the record shows, and nothing that it hides."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from clinic import history, history_filters, medicines, queues, records
from clinic.diagnoses import DiagnosisInput
from clinic.history_filters import Filters
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from models import (
    Diagnosis,
    EntryState,
    LabOrder,
    LabOrderState,
    LabResult,
    Medicine,
    Prescription,
    PrescriptionComponent,
    PrescriptionLine,
    PrescriptionState,
    QueueEntry,
    Visit,
    VisitStatus,
)
from tests import factories, long_history
from validators import FieldError


@pytest.fixture
def person(app):
    """Five visits: UMUM I10, GIGI J06.9, UMUM K02.1, GIGI I10, UMUM J06.9; newest first."""
    made = factories.patient()
    long_history.add(made, 5, gap_days=100)
    return made


def found(person, **asked) -> list[str]:
    """The complaints' numbers of the visits that are left."""
    narrowed = history_filters.conditions(Filters(**asked))
    visits = history.history(person, narrowed=narrowed)
    assert history.visit_count(person, narrowed) == len(visits)
    return [visit.complaint.removeprefix("keluhan ") for visit in visits]


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({}, "01234"),
        ({"room": "UMUM"}, "024"),
        ({"room": "LAB"}, ""),
        ({"diagnosis": "J06"}, "14"),
        ({"diagnosis": "j06.9"}, "14"),
        ({"diagnosis": "J069 ISPA"}, "14"),
        ({"diagnosis": "J06.1"}, ""),
        ({"diagnosis": "hipertensi"}, "03"),
        ({"diagnosis": "ESENSIAL hiper"}, "03"),
        ({"diagnosis": "darah tinggi"}, "03"),  # as the examination's search knows it
        ({"diagnosis": "tensi tinggi"}, "03"),
        ({"diagnosis": "hiper_ensi"}, ""),
        ({"medicine": "amlodipin"}, "024"),
        ({"medicine": "500 parasetamol"}, "13"),
        ({"medicine": "metformin"}, "03"),
        ({"medicine": "metformin tablet"}, "03"),
        ({"medicine": "%"}, ""),
        ({"has_lab": True}, "024"),
        ({"room": "UMUM", "diagnosis": "J06", "medicine": "amlodipin", "has_lab": True}, "4"),
        ({"room": "GIGI", "has_lab": True}, ""),
    ],
)
def test_filters_leave_what_fits_all_of_them(person, asked, left):
    assert "".join(found(person, **asked)) == left


def test_a_period_holds_its_first_and_last_day(person):
    days = [visit.on for visit in history.history(person)]
    assert found(person, since=days[3], until=days[1]) == ["1", "2", "3"]
    assert found(person, since=days[3] + timedelta(days=1), until=days[1]) == ["1", "2"]
    in_year = [str(n) for n, day in enumerate(days) if day.year == days[0].year]
    assert found(person, year=days[0].year) == in_year
    assert found(person, year=1999) == []
    assert history_filters.years(person) == sorted({day.year for day in days}, reverse=True)


def test_only_rooms_that_the_patient_was_in_are_offered(person):
    other = factories.patient("Budi")
    factories.entry("KIA", other)
    assert list(history_filters.rooms(person)) == ["UMUM", "GIGI"]
    assert list(history_filters.rooms(other)) == ["KIA"]


def test_another_patients_visits_are_never_found(person):
    other = factories.patient("Budi")
    assert found(other, diagnosis="I10") == []


def test_what_the_record_hides_is_not_found(person):
    """A cancelled visit, a cancelled stay, an ended diagnosis, an undone entry."""
    with transaction():
        visits = list(
            db.session.scalars(
                select(Visit).where(Visit.patient_id == person.id).order_by(Visit.complaint)
            )
        )
        visits[0].status = VisitStatus.CANCELLED
        visits[1].entries[0].state = EntryState.CANCELLED
        visits[3].entries[0].undone_at = utcnow()
        last = visits[4].entries[0].examination.diagnoses[0]
        last.ended_at = utcnow()
    assert found(person, diagnosis="I10") == []
    assert found(person, diagnosis="J06") == []
    assert found(person, medicine="parasetamol") == []
    assert found(person, medicine="metformin") == []
    assert found(person, has_lab=True) == ["2", "4"]
    # A cancelled visit and stay remain as lines of their room.
    assert found(person, room="UMUM") == ["", "2", "4"]
    assert found(person, room="GIGI") == ["1"]


def test_a_stay_that_was_moved_on_counts_when_something_was_written_there(app):
    actor, untouched, written = factories.actor("umum"), factories.patient(), factories.patient()
    for person in (untouched, written):
        entry = factories.entry("UMUM", person)
        if person is written:
            with transaction():
                queues.act(actor, entry, "mulai")
                form = ExaminationInput(diagnoses=(DiagnosisInput("N76.2"),))
                records.save(actor, entry, form, 0)
        with transaction():
            stored = db.session.scalars(
                select(QueueEntry).join(Visit).where(Visit.patient_id == person.id)
            ).one()
            stored.state = EntryState.MOVED
    rule = Filters(room="UMUM")
    in_umum = history_filters.conditions(rule)
    assert history.history(untouched, narrowed=in_umum) == []
    assert len(history.history(written, narrowed=in_umum)) == 1
    for_clerks = history_filters.conditions(rule, clinical=False)
    assert history.visit_lines(written, narrowed=for_clerks) == []


def test_clerks_cannot_ask_by_what_they_may_not_read(person):
    asked = Filters(room="UMUM", diagnosis="Z99", medicine="x", has_lab=True)
    narrowed = history_filters.conditions(asked, clinical=False)
    assert len(history.visit_lines(person, narrowed=narrowed)) == 3


def test_results_that_are_still_written_count_only_when_critical(person):
    with transaction():
        orders = select(LabOrder).join(LabOrder.visit).where(Visit.patient_id == person.id)
        for order in db.session.scalars(orders):
            order.state, order.resulted_at = LabOrderState.SAMPLED, None
    assert found(person, has_lab=True) == []
    with transaction():
        newest = select(LabOrder.id).join(LabOrder.visit).where(Visit.complaint == "keluhan 2")
        rows = select(LabResult).where(LabResult.order_id.in_(newest))
        db.session.scalars(rows).first().flag = "critical_high"
    assert found(person, has_lab=True) == ["2"]


def line_of(person, n: int) -> PrescriptionLine:
    rows = (
        select(PrescriptionLine)
        .join(PrescriptionLine.prescription)
        .join(Prescription.visit)
        .where(Visit.patient_id == person.id, Visit.complaint == f"keluhan {n}")
    )
    return db.session.scalars(rows).one()


def test_a_prescribed_medicine_is_found_by_its_ingredient_and_in_a_compound(person):
    with transaction():
        medicine = Medicine(
            code="UJI-CTM",
            name="CTM",
            form="tablet",
            unit="tablet",
            dose_unit="tablet",
            ingredients="klorfeniramin",
        )
        db.session.add(medicine)
        db.session.flush()
        line_of(person, 0).medicine_id = medicine.id
        compound = line_of(person, 3)
        compound.title, compound.is_compound = "Puyer batuk", True
        part = PrescriptionComponent(line_id=compound.id, title="Gliseril guaiakolat")
        part.amount, part.unit = 50, "mg"
        db.session.add(part)
    assert found(person, medicine="klorfeniramin") == ["0"]
    assert found(person, medicine="guaiakolat") == ["3"]
    assert found(person, medicine="puyer") == ["3"]


def test_a_medicine_of_the_list_is_found_in_any_spelling(person):
    with transaction():
        line_of(person, 3).medicine_id = medicines.search("amoksisilin")[0].id
    for spelling in ("amoksisilin", "Amoxicillin", "amoxycillin"):
        assert found(person, medicine=spelling) == ["3"]
    assert found(person, medicine="ampisilin") == []


def test_a_cancelled_prescription_and_an_ended_line_are_not_found(person):
    with transaction():
        user = factories.user("umum").id
        line = line_of(person, 0)
        line.ended_at, line.ended_by_id = utcnow(), user
        prescription = line_of(person, 3).prescription
        prescription.state, prescription.close_reason = PrescriptionState.CANCELLED, "salah"
        prescription.closed_at, prescription.closed_by_id = utcnow(), user
    assert found(person, medicine="metformin") == []


def test_a_diagnosis_without_a_code_is_found_by_its_words(person):
    with transaction():
        row = db.session.scalars(select(Diagnosis).order_by(Diagnosis.id)).first()
        row.code, row.title = "", "Luka gigitan belum jelas"
    assert found(person, diagnosis="gigitan luka") == ["0"]


@pytest.mark.parametrize(
    "text", ["3171015708450001", "31 71 01 57 08 45", "0812-3456-789", "obat 12345678"]
)
def test_a_number_of_a_person_is_refused(text):
    with pytest.raises(FieldError, match="NIK"):
        history_filters.parse_words(text)


@pytest.mark.parametrize("text", ["J06.9", "amlodipin 10 mg 2x1", "", "  500 250 "])
def test_words_and_doses_are_kept(text):
    assert history_filters.parse_words(text) == text.strip()


def test_filters_say_what_they_are():
    asked = Filters("UMUM", "J06", "amlodipin", 2025, date(2025, 2, 1), date(2025, 3, 1), True)
    assert asked.words({"UMUM": "Poli Umum"}) == [
        "ruang Poli Umum",
        "diagnosis J06",
        "obat amlodipin",
        "tahun 2025",
        "sejak 01-02-2025",
        "sampai 01-03-2025",
        "dengan hasil laboratorium",
    ]
    assert Filters().words({}) == []
    assert not Filters()


@pytest.mark.engines("postgresql")
def test_postgresql_looks_up_rather_than_reads_whole_tables(app):
    """The setting outlives the rollbacks of the pool."""
    for _ in range(2):
        assert db.session.scalar(text("SHOW random_page_cost")) == "1.1"
        db.session.remove()
