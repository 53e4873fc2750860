"""Values over time: which count, how they are drawn, and the head of the record."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from clinic import (
    lab_results,
    patient_summary,
    queues,
    records,
    series,
    sparkline,
    value_rows,
)
from clinic.diagnoses import DiagnosisInput
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from models import (
    Diagnosis,
    EntryState,
    Examination,
    LabOrder,
    LabOrderState,
    LabResult,
    LabTest,
    QueueEntry,
    Visit,
    VisitStatus,
    VitalSigns,
)
from tests import factories, long_history
from tests.databases import count_queries
from tests.test_patients import text_of

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def days(*numbers: int) -> list[datetime]:
    return [DAY + timedelta(days=n) for n in numbers]


def points(path: str) -> list[tuple[int, int]]:
    return [tuple(map(int, pair.split())) for pair in path.removeprefix("M").split("L")]


# --- Drawing ----------------------------------------------------------------------------------


def test_a_line_goes_from_edge_to_edge_by_time_and_value():
    drawn = sparkline.draw(days(0, 10, 100), [[10, 20, 15]])
    (first, second, third) = points(drawn.lines[0])
    assert first == (3, 33) and second == (14, 3) and third == (117, 18)
    assert drawn.ends == ((117, 18),)
    assert drawn.band == ""


def test_the_band_lies_where_the_range_is():
    drawn = sparkline.draw(days(0, 1), [[0, 100]], low=50, high=100)
    assert drawn.band == "M0 3H120V18H0z"
    above_all = sparkline.draw(days(0, 1), [[0, 50]], low=80, high=100)
    assert points(above_all.lines[0])[1][1] > 9  # the line stays below the band
    assert above_all.band == "M0 3H120V9H0z"
    assert sparkline.draw(days(0, 1), [[0, 100]], high=50).band == "M0 18H120V33H0z"


def test_values_that_are_missing_leave_a_line_shorter():
    drawn = sparkline.draw(days(0, 1, 2), [[150, 140, 145], [90, None, 80]])
    assert [len(points(line)) for line in drawn.lines] == [3, 2]
    assert sparkline.draw(days(0), [[150], [None]]).ends == ((117, 18),)


@pytest.mark.parametrize("values", [[7], [7, 7], [Decimal("0.5"), Decimal("0.5")]])
def test_what_does_not_change_is_level(values):
    drawn = sparkline.draw(days(*range(len(values))), [values])
    assert {y for _, y in points(drawn.lines[0])} == {18}


def test_many_at_one_time_stay_in_the_box():
    drawn = sparkline.draw(days(0, 0, 0), [[1, 5, 3]])
    assert all(0 <= x <= 120 and 0 <= y <= 36 for x, y in points(drawn.lines[0]))


# --- Series -----------------------------------------------------------------------------------


@pytest.fixture
def person(app):
    made = factories.patient()
    long_history.add(made, 30)
    return made


def named(found: list[series.Series]) -> dict[str, series.Series]:
    return {one.code: one for one in found}


def test_the_last_values_of_each_sign_and_test_oldest_first(person):
    found = named(series.all_series(person))
    assert list(found) == ["td", "bb", "suhu", "nadi", "napas", "spo2", "HB", "GDS"]
    pressure, hb = found["td"], found["HB"]
    assert len(pressure.points) == series.LAST and pressure.total == 30
    assert pressure.is_shortened
    assert pressure.last.text == "120/80"
    assert pressure.points[0].text == "143/85"  # of 24 days ago
    assert pressure.trend == "turun dari 121/81"
    assert len(hb.points) == 15 and not hb.is_shortened
    assert [point.text for point in hb.points[-3:]] == ["14", "12", "10"]
    assert hb.range_words == "rujukan 10-200"


def test_the_guide_for_vital_signs_is_for_adults(person):
    assert named(series.vital_series(person))["td"].range_words == "umumnya sistolik 90-139"
    with transaction():
        for visit in db.session.scalars(select(Visit)):
            visit.age_months = 40
    db.session.expire_all()
    assert named(series.vital_series(person))["td"].range_words == ""


def test_what_was_ended_or_cancelled_is_not_drawn(person):
    with transaction():
        rows = list(db.session.scalars(select(VitalSigns).order_by(VitalSigns.id)))
        rows[0].ended_at = utcnow()
        db.session.get(Visit, rows[1].visit_id).status = VisitStatus.CANCELLED
        rows[2].diastolic = None
    pressure = named(series.vital_series(person))["td"]
    assert pressure.total == 28
    assert pressure.last.text == "122/-"
    assert pressure.trend == "turun dari 123/83"


@pytest.mark.parametrize(
    ("now", "trend"),
    [
        ((90, 150), "sebelumnya 121/81"),
        ((130, 70), "sebelumnya 121/81"),
        ((121, 70), "turun dari 121/81"),
        ((130, 81), "naik dari 121/81"),
        ((130, 90), "naik dari 121/81"),
        ((121, 81), "tetap"),
        ((121, None), "sebelumnya 121/81"),
    ],
)
def test_a_pressure_rises_or_falls_when_both_its_numbers_do(person, now, trend):
    with transaction():
        last = db.session.scalars(select(VitalSigns).order_by(VitalSigns.id)).first()
        last.systolic, last.diastolic = now
    assert named(series.vital_series(person))["td"].trend == trend


def newest(code: str) -> LabResult:
    rows = select(LabResult).join(LabResult.test).where(LabTest.code == code)
    return db.session.scalars(rows.order_by(LabResult.sampled_at.desc())).first()


def test_only_results_that_stand_are_drawn(person):
    with transaction():
        order = newest("HB").order
        order.needs_validation = True
    found = named(series.lab_series(person))
    assert found["HB"].total == found["GDS"].total == 14
    with transaction():
        checked = newest("HB")
        checked.validated_at, checked.validated_by_id = utcnow(), factories.user("kepala").id
    found = named(series.lab_series(person))
    assert (found["HB"].total, found["GDS"].total) == (15, 14)
    with transaction():
        order = db.session.get(LabOrder, newest("GDS").order_id)
        order.state, order.resulted_at, order.needs_validation = LabOrderState.SAMPLED, None, False
        newest("GDS").flag = "critical_high"  # told at once, and still not final
    assert named(series.lab_series(person))["GDS"].total == 14


def test_a_corrected_result_is_drawn_as_it_is_now(person):
    before = named(series.lab_series(person))["HB"]
    with transaction():
        lab_results.correct(factories.actor("lab"), newest("HB"), "9,1", "salah ketik")
    now = named(series.lab_series(person))["HB"]
    assert now.total == before.total
    assert (before.last.text, now.last.text) == ("10", "9,1")
    assert now.last.is_unusual and now.trend == "turun dari 12"


def test_words_are_no_values_and_another_unit_is_not_drawn_together(person):
    with transaction():
        newest("HB").unit = "mmol/L"
        newest("GDS").number = None
    found = named(series.lab_series(person))
    assert (found["HB"].unit, found["HB"].total, found["GDS"].total) == ("mmol/L", 1, 14)
    assert value_rows.table(person, "HB").total == 15


def test_another_patient_has_no_values(person):
    assert series.all_series(factories.patient("Budi")) == []


def test_the_table_has_all_values_page_by_page(person):
    first = value_rows.table(person, "td")
    assert (len(first.rows), first.total, first.has_more) == (30, 30, False)
    assert first.rows[0].text == "120/80 mmHg"
    assert first.rows[0].author == "dr. Bagus Prasetyo"
    long_history.add(person, 200)
    pages = [value_rows.table(person, "td", page) for page in (1, 2, 6, 7)]
    assert [len(page.rows) for page in pages] == [40, 40, 30, 0]
    assert [page.has_more for page in pages][:3] == [True, True, False]
    assert value_rows.table(person, "HB").rows[0].range == "10-200"
    assert value_rows.table(person, "tidak-ada") is None


# --- The head of the record -------------------------------------------------------------------


def test_the_summary_names_what_goes_on_and_what_was_given(app):
    person = factories.patient()
    long_history.add(person, 6, gap_days=20)
    found = patient_summary.summary(person)
    known = {one.code: one for one in found.known}
    assert known["I10"].visits == 2
    assert (known["I10"].last_on - known["I10"].first_on).days == 60
    assert [one.code for one in found.ongoing] == ["I10"]
    assert [given.text for given in found.medicines] == [
        "Metformin 500 mg tablet",
        "Parasetamol 3x500 mg bila demam",
        "Amlodipin 1x5 mg",
    ]
    assert [one.code for one in found.charts] == ["td", "bb", "HB", "GDS"]
    assert found.has_more_charts


def test_what_comes_again_and_again_goes_on_too(app):
    person, rare = factories.patient(), factories.patient("Budi")
    long_history.add(person, 9, gap_days=30)
    long_history.add(rare, 9, gap_days=200)
    again = patient_summary.summary(person)
    assert sorted(one.code for one in again.ongoing) == ["I10", "J06.9", "K02.1"]
    assert [one.code for one in patient_summary.summary(rare).ongoing] == ["I10"]


def diagnosed(person, *codes, by="umum", finishes=True) -> None:
    """A visit of today with these diagnoses."""
    entry = factories.entry("UMUM", person)
    with transaction():
        queues.act(factories.actor(by), entry, "mulai")
        said = [DiagnosisInput(code) for code in codes]
        form = ExaminationInput(assessment="kontrol", disposition="pulang", diagnoses=said)
        (records.finish if finishes else records.save)(factories.actor(by), entry, form, 0)


def test_no_chronic_disease_is_crowded_out_and_what_stands_further_down_is_counted(sign_in):
    person = factories.patient()
    long_history.add(person, 9, gap_days=30)  # I10; K02.1 and J06.9 again and again
    diagnosed(person, "E11.9", "E11", "J45.9", "M10.9", "G40.9")
    diagnosed(person, "N18.9", finishes=False)
    found = patient_summary.summary(person)
    first = [one.code for one in found.seen_first]
    assert sorted(first[:5]) == ["E11", "G40.9", "I10", "J45.9", "M10.9"], "what is typed is none"
    assert [one.code for one in found.ongoing[0].also] == ["E11.9"], "one disease, one place"
    assert sorted([*first[5:], *(one.code for one in found.further)]) == ["J06.9", "K02.1"]
    page = text_of(sign_in("umum").get(f"/pasien/{person.public_id}"))
    assert "juga E11.9 1x" in page and "<summary>1 lainnya</summary>" in page


def test_what_a_days_end_cut_off_is_known(app):
    person = factories.patient()
    diagnosed(person, "I10", finishes=False)
    assert patient_summary.summary(person).known == ()
    with transaction():
        db.session.scalars(select(QueueEntry)).one().state = EntryState.UNFINISHED
    assert [one.code for one in patient_summary.summary(person).known] == ["I10"]


def test_old_medicines_and_cancelled_visits_are_left_out(app):
    person = factories.patient()
    long_history.add(person, 3, gap_days=130)
    assert patient_summary.summary(person).medicines == ()
    with transaction():
        for visit in db.session.scalars(select(Visit)):
            visit.status = VisitStatus.CANCELLED
    empty = patient_summary.summary(person)
    assert empty.known == () and empty.charts == ()


def test_drafts_and_ended_diagnoses_are_no_history(app):
    person = factories.patient()
    long_history.add(person, 2, gap_days=10)
    with transaction():
        for row in db.session.scalars(select(Diagnosis)):
            row.ended_at = utcnow()
        newest_one = db.session.scalars(select(Examination).order_by(Examination.id)).all()[1]
        newest_one.finished_at = None
    found = patient_summary.summary(person)
    assert found.known == ()
    assert [given.text for given in found.medicines] == ["Metformin 500 mg tablet"]


def test_the_summary_asks_as_much_for_5_as_for_500_visits(app):
    counts = []
    for name, size in (("Ani", 5), ("Budi", 500)):
        person = factories.patient(name)
        long_history.add(person, size)
        db.session.expire_all()
        person.id  # noqa: B018  read before the count
        with count_queries() as queries:
            patient_summary.summary(person)
        counts.append(len(queries))
    assert counts == [5, 5]
