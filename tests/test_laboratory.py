"""The laboratory: values and ranges, orders, results, validation, corrections, critical values."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from clinic import (
    days,
    history,
    lab_alerts,
    lab_entry,
    lab_orders,
    lab_reports,
    lab_results,
    lab_unread,
    lab_values,
    merging,
    patients,
    queue_lines,
    queue_version,
    queues,
    records,
    settings,
    visit_person,
    wrong_patient,
)
from clinic.lab_entry import Entered
from clinic.lab_orders import OrderInput
from clinic.record_errors import RecordError
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from formatting import clock_time, short_date
from models import (
    AuditEntry,
    EntryKind,
    EntryState,
    LabFlag,
    LabOrder,
    LabOrderState,
    LabOrderTest,
    LabReference,
    LabResult,
    LabTest,
    Patient,
    PoliKind,
    QueueEntry,
    Visit,
)
from tests import factories
from tests.databases import count_queries


def test_of(code: str) -> LabTest:
    return db.session.scalars(select(LabTest).where(LabTest.code == code)).one()


test_of.__test__ = False


def served(code: str = "UMUM", by: str = "umum", person=None) -> QueueEntry:
    entry = factories.entry(code, person)
    with transaction():
        queues.act(factories.actor(by), entry, "mulai")
    return entry


def sent(*codes: str, by: str = "umum", code: str = "UMUM", person=None) -> QueueEntry:
    """A patient sent to LAB with an order, and being served there."""
    entry = served(code, by, person)
    form = ExaminationInput(
        assessment="curiga anemia",
        disposition="rujuk_internal",
        refer_to="LAB",
        lab=OrderInput(codes or ("HB",)),
    )
    with transaction():
        records.finish(factories.actor(by), entry, form, 0)
    there = next(row for row in entry.visit.entries if row.poli.kind is PoliKind.LABORATORY)
    with transaction():
        queues.act(factories.actor("lab"), there, "mulai")
    return there


def item_of(there: QueueEntry, code: str) -> LabOrderTest:
    rows = select(LabOrderTest).join(LabOrderTest.order).join(LabOrderTest.test)
    rows = rows.where(LabOrder.visit_id == there.visit_id, LabTest.code == code)
    return db.session.scalars(rows.order_by(LabOrderTest.id.desc())).first()


def typed(there: QueueEntry, **values) -> dict[str, Entered]:
    """What the form says when it was opened just now; codes with _ for -."""
    found = {}
    for code, value in values.items():
        item = item_of(there, code.replace("_", "-"))
        current = current_of(item)
        seen = current.public_id if current else ""
        said = value if isinstance(value, Entered) else Entered(typed=value, seen=seen)
        found[item.public_id] = said
    return found


def current_of(item: LabOrderTest) -> LabResult | None:
    return db.session.scalar(
        select(LabResult).where(
            LabResult.order_id == item.order_id,
            LabResult.test_id == item.test_id,
            LabResult.ended_at.is_(None),
        )
    )


def write(there: QueueEntry, by: str = "lab", closes: bool = False, **values):
    with transaction():
        if closes:
            return lab_entry.finish(factories.actor(by), there, typed(there, **values), "", 0)
        return lab_entry.enter(factories.actor(by), there, typed(there, **values))


def ask_for_second_person() -> None:
    with transaction():
        settings.set_value("lab_second_person", "ya")


def order_of(there: QueueEntry) -> LabOrder:
    rows = select(LabOrder).where(LabOrder.visit_id == there.visit_id)
    return db.session.scalars(rows.order_by(LabOrder.id.desc())).first()


# --- Values and ranges ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text", "number"),
    [
        ("HB", "12,9", "12.9"),
        ("HB", "12.9", "12.9"),
        ("HB", " 9 ", "9"),
        ("LEUKOSIT", "7.200", "7200"),
        ("LEUKOSIT", "7200", "7200"),
        ("TROMBOSIT", "1.246.000", "1246000"),
        ("GDS", ">600", "600"),
        ("GDS", "<20", "20"),
        ("KREATININ", "0,85", "0.85"),
    ],
)
def test_numbers_as_staff_write_them(app, code, text, number):
    assert lab_values.read_number(test_of(code), text) == Decimal(number)


@pytest.mark.parametrize(
    ("code", "text", "shown"),
    [
        ("HB", "6.9", "6,9"),
        ("HB", "12,0", "12,0"),
        ("HB", "9", "9"),
        ("LEUKOSIT", "7200", "7.200"),
        ("LEUKOSIT", "17.200", "17.200"),
        ("GDS", "> 600", ">600"),
        ("KREATININ", "0.85", "0,85"),
    ],
)
def test_numbers_are_shown_alike_however_they_were_typed(app, code, text, shown):
    number = lab_values.read_number(test_of(code), text)
    assert lab_values.shown(text, number) == shown
    assert lab_values.shown("P. falciparum", None) == "P. falciparum"


def test_a_meter_that_says_hi_leads_to_its_limit(app):
    with pytest.raises(lab_values.LabValueError, match=">600"):
        lab_values.read_number(test_of("GDS"), "HI")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("HB", "12,95"),
        ("HB", "12 g/dL"),
        ("HB", "-3"),
        ("HB", "tinggi"),
        ("LEUKOSIT", "7,2"),
        ("HB", "1,2,3"),
        ("HB", "١٢"),
        ("GDS", "123456789"),
        ("HB", "1e5"),
    ],
)
def test_what_is_no_number_is_asked_for_again(app, code, text):
    with pytest.raises(lab_values.LabValueError):
        lab_values.read_number(test_of(code), text)


@pytest.mark.parametrize(
    ("value", "sex", "months", "flag"),
    [
        ("12,0", "P", 180, LabFlag.NORMAL),
        ("11,9", "P", 180, LabFlag.LOW),
        ("12,5", "L", 180, LabFlag.LOW),
        ("12,5", "P", 180, LabFlag.NORMAL),
        ("12,5", "L", 179, LabFlag.NORMAL),  # below 15 years both sexes share a range
        ("15,5", "P", 400, LabFlag.NORMAL),
        ("15,6", "P", 400, LabFlag.HIGH),
        ("15,6", "L", 400, LabFlag.NORMAL),
        ("7,1", "P", 400, LabFlag.LOW),
        ("7,0", "P", 400, LabFlag.CRITICAL_LOW),
        ("20,0", "L", 400, LabFlag.CRITICAL_HIGH),
        ("14,0", "L", 0, LabFlag.NORMAL),
        ("14,1", "L", 1, LabFlag.HIGH),  # the first month has a range of its own
        ("11,2", "L", 59, LabFlag.NORMAL),
        ("11,2", "L", 60, LabFlag.LOW),
        ("12,9", "L", None, None),  # age unknown: nothing to judge by
        ("11,2", "H", 300, LabFlag.NORMAL),  # pregnant: a range of her own
        ("10,9", "H", 300, LabFlag.LOW),
    ],
)
def test_the_range_is_that_of_sex_and_age(app, value, sex, months, flag):
    assert lab_values.judge(test_of("HB"), value, sex, months).flag is flag


@pytest.mark.parametrize(
    ("code", "typed", "value"),
    [
        ("HB", "12,9 g/dL", "12,9"),
        ("HB", "12.9 gr/dl", "12.9"),
        ("HB", "12,9g%", "12,9"),
        ("GDS", ">600 mg/dL", ">600"),
        ("GDS", "110 mg%", "110"),
        ("LEUKOSIT", "7.200 /µL", "7.200"),
        ("LEUKOSIT", "7200/mm3", "7200"),
        ("HEMATOKRIT", "38,5 %", "38,5"),
        ("SGOT", "23 U/L", "23"),
    ],
)
def test_the_tests_own_unit_may_stand_behind_the_number(app, code, typed, value):
    judged = lab_values.judge(test_of(code), typed, "P", 300)
    assert judged == lab_values.judge(test_of(code), value, "P", 300)


@pytest.mark.parametrize(
    ("code", "typed"),
    [
        ("GDS", "6,1 mmol/L"),
        ("HB", "129 g/L"),
        ("LEUKOSIT", "7,2 10^3/µL"),
        ("LEUKOSIT", "7,2 ribu"),
    ],
)
def test_a_number_in_another_unit_is_refused_with_the_right_one(app, code, typed):
    with pytest.raises(lab_values.LabValueError, match=f"dengan angka dalam {test_of(code).unit}"):
        lab_values.judge(test_of(code), typed, "P", 300)


def test_a_range_for_all_ages_judges_an_unknown_age(app):
    assert lab_values.judge(test_of("TROMBOSIT"), "40000", "P", None).flag is LabFlag.CRITICAL_LOW


def test_a_range_holds_below_its_last_month_and_while_it_is_in_force():
    values = {"sex": "", "age_from_months": 2, "age_below_months": 12}
    held = LabReference(is_active=True, **values)
    ended = LabReference(is_active=False, **values)
    found = [lab_values.reference_for([ended, held], "P", months) for months in (1, 2, 11, 12)]
    assert found == [None, held, held, None]
    assert lab_values.reference_for([ended], "P", 6) is None


def test_the_plausible_limits_themselves_can_be_measured():
    test = LabTest(plausible_low=Decimal(1), plausible_high=Decimal(30))
    numbers = [Decimal(each) for each in ("0.9", "1", "30", "30.1")]
    found = [lab_values.is_plausible(test, number) for number in numbers]
    assert found == [False, True, True, False]


def test_without_a_range_for_pregnant_women_that_of_women_holds(app):
    asam = test_of("ASAMURAT")
    assert {row.sex for row in asam.references} >= {"L", "P"}
    assert lab_values.judge(asam, "6,5", "H", 300) == lab_values.judge(asam, "6,5", "P", 300)
    assert lab_values.judge(asam, "6,5", "L", 300).flag is LabFlag.NORMAL


def test_choices_are_judged_by_their_list(app):
    assert lab_values.judge(test_of("MALARIA"), "negatif", "P", 300).flag is LabFlag.NORMAL
    assert lab_values.judge(test_of("MALARIA"), "P. vivax", "P", 300).flag is LabFlag.CRITICAL
    assert lab_values.judge(test_of("HIV"), "reaktif", "P", 300).flag is LabFlag.ABNORMAL
    assert lab_values.judge(test_of("GOLDAR"), "AB", "P", 300).flag is None
    assert lab_values.judge(test_of("WIDAL"), "O 1/320", "P", 300).flag is None
    with pytest.raises(lab_values.LabValueError, match="daftarnya"):
        lab_values.judge(test_of("MALARIA"), "positif", "P", 300)


@pytest.mark.parametrize(
    ("values", "is_legal"),
    [
        ({"low": 1, "high": 2}, True),
        ({"low": 2, "high": 1}, False),
        ({"low": 1, "critical_low": 1}, False),
        ({"high": 1, "critical_high": 1}, False),
        ({"sex": "X"}, False),
        ({"sex": "H", "high": 5}, True),
        ({"age_from_months": 12, "age_below_months": 12}, False),
    ],
)
def test_the_table_refuses_a_senseless_range(app, values, is_legal):
    def add():
        with transaction():
            db.session.add(LabReference(test_id=test_of("WIDAL").id, **values))

    if is_legal:
        add()
        return
    with pytest.raises(IntegrityError):
        add()


# --- Orders -----------------------------------------------------------------------------------


def save(entry, *codes, note="", version=0):
    with transaction():
        form = ExaminationInput(subjective="lemas", lab=OrderInput(codes, note))
        return records.save(factories.actor("umum"), entry, form, version)


def test_an_order_is_stored_with_the_examination_and_may_change(app):
    entry = served()
    save(entry, "HB", "GDS", note="puasa")
    save(entry, "HB", "WIDAL", note="puasa", version=1)
    order = lab_orders.order_of(entry)
    assert [item.test.code for item in lab_orders.asked(order)] == ["HB", "WIDAL"]
    assert len(order.items) == 3  # the one taken off has ended, and stays
    assert order.note == "puasa"
    save(entry, version=1)
    assert lab_orders.order_of(entry) is None
    db.session.refresh(order)
    assert order.state is LabOrderState.CANCELLED
    assert order.cancel_reason


def test_saving_the_same_again_writes_nothing(app):
    entry = served()
    save(entry, "HB")
    save(entry, "HB", version=1)
    db.session.rollback()
    told = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "order_lab"))
    assert len(list(told)) == 1


def test_what_is_not_on_the_list_is_refused(app):
    entry = served()
    with pytest.raises(RecordError, match="tidak lagi di daftar"):
        save(entry, "TIDAKADA")
    with pytest.raises(RecordError, match="Centang"):
        save(entry, note="tolong cepat")
    assert lab_orders.order_of(entry) is None


def test_an_open_order_is_not_forgotten_at_the_end(app):
    entry = served()
    form = ExaminationInput(assessment="anemia", disposition="pulang", lab=OrderInput(["HB"]))
    with pytest.raises(RecordError, match="masih terbuka"), transaction():
        records.finish(factories.actor("umum"), entry, form, 0)
    form = ExaminationInput(assessment="anemia", disposition="pulang", lab=OrderInput([]))
    with transaction():
        records.finish(factories.actor("umum"), entry, form, 0)


def moved_on(*codes: str) -> QueueEntry:
    """Served in LANSIA: moved there from a draft in UMUM that asks for these tests."""
    entry = served()
    save(entry, *codes)
    with transaction():
        lansia = factories.poli("LANSIA")
        there = queues.move(factories.actor("umum"), entry, lansia, "salah ruang", utcnow())
    with transaction():
        queues.act(factories.actor("kepala"), there, "mulai")
    return there


def test_the_order_of_a_moved_stay_is_asked_about_where_the_patient_goes_on(app):
    there = moved_on("HB")
    form = ExaminationInput(assessment="anemia", disposition="pulang")
    with pytest.raises(RecordError, match=r"dari Poli Umum .*: Hemoglobin"), transaction():
        records.finish(factories.actor("kepala"), there, form, 0)
    with transaction():
        lab_orders.cancel(factories.actor("kepala"), order_of(there), "tidak perlu")
    with transaction():
        records.finish(factories.actor("kepala"), there, form, 0)


def test_the_order_of_a_moved_stay_is_done_when_the_patient_goes_to_the_laboratory(app):
    there = moved_on("HB")
    form = ExaminationInput(assessment="anemia", disposition="rujuk_internal", refer_to="LAB")
    with transaction():
        records.finish(factories.actor("kepala"), there, form, 0)
    lab = db.session.scalars(select(QueueEntry).order_by(QueueEntry.id.desc())).first()
    with transaction():
        queues.act(factories.actor("lab"), lab, "mulai")
    write(lab, closes=True, HB="12")
    assert order_of(there).state is LabOrderState.RESULTED


def test_cancelling_brings_who_waits_back(app):
    there = sent("HB")
    with transaction():
        queues.act(factories.actor("lab"), there, "urungkan")
    with pytest.raises(RecordError, match="alasan"), transaction():
        lab_orders.cancel(factories.actor("umum"), order_of(there), "  ")
    with transaction():
        lab_orders.cancel(factories.actor("umum"), order_of(there), "pasien menolak")
    order = order_of(there)
    assert (order.state, order.cancel_reason) == (LabOrderState.CANCELLED, "pasien menolak")
    assert order.cancelled_by_id == factories.user("umum").id
    db.session.refresh(there)
    assert there.state is EntryState.CANCELLED
    back = db.session.scalars(select(QueueEntry).order_by(QueueEntry.id.desc())).first()
    assert (back.kind, back.poli.code) == (EntryKind.RESULT_BACK, "UMUM")
    with pytest.raises(RecordError, match="sudah dibatalkan"), transaction():
        lab_orders.cancel(factories.actor("umum"), order, "lagi")


@pytest.mark.engines("sqlite")
def test_who_waits_for_another_order_too_stays_when_one_is_cancelled(app):
    there = moved_on("HB")
    more = OrderInput(["GDS"])
    form = ExaminationInput(
        assessment="lemas", disposition="rujuk_internal", refer_to="LAB", lab=more
    )
    with transaction():
        records.finish(factories.actor("kepala"), there, form, 0)
    lab = db.session.scalars(select(QueueEntry).order_by(QueueEntry.id.desc())).first()
    with transaction():
        lab_orders.cancel(factories.actor("kepala"), order_of(there), "tidak perlu")
    db.session.refresh(lab)
    assert (lab.poli.code, lab.state) == ("LAB", EntryState.WAITING)


def test_after_the_sample_an_order_stands(app):
    there = sent("HB")
    write(there, HB=Entered(is_sampled=True))
    assert order_of(there).state is LabOrderState.SAMPLED
    with pytest.raises(RecordError, match="sudah mengambil sampel"), transaction():
        lab_orders.cancel(factories.actor("umum"), order_of(there), "salah pasien")


@pytest.mark.parametrize(
    "columns",
    [
        {"state": LabOrderState.CANCELLED},
        {"cancel_reason": "tanpa waktu"},
        {"state": LabOrderState.RESULTED},
    ],
)
def test_the_table_refuses_half_an_ending(app, columns):
    entry = served()
    with pytest.raises(IntegrityError), transaction():
        who = factories.user("umum").id
        db.session.add(
            LabOrder(visit_id=entry.visit_id, entry_id=entry.id, ordered_by_id=who, **columns)
        )


def test_a_stay_has_one_order(app):
    there = sent("HB")
    with pytest.raises(IntegrityError), transaction():
        order = order_of(there)
        db.session.add(
            LabOrder(
                visit_id=order.visit_id, entry_id=order.entry_id, ordered_by_id=order.ordered_by_id
            )
        )


# --- Results ----------------------------------------------------------------------------------


def test_a_result_keeps_its_sample_its_range_and_its_author(app):
    there = sent("HB")
    write(there, HB=Entered(is_sampled=True))
    write(there, HB="11,5")
    row = current_of(item_of(there, "HB"))
    assert (row.value, row.number, row.flag) == ("11,5", Decimal("11.5"), LabFlag.LOW)
    assert (row.low, row.high, row.critical_low, row.unit) == (12, Decimal("15.5"), 7, "g/dL")
    assert row.sampled_by_id == row.resulted_by_id == factories.user("lab").id
    with transaction():
        db.session.scalars(select(LabReference).where(LabReference.low == 12)).first().low = 10
    assert current_of(item_of(there, "HB")).low == 12


def test_age_counts_at_the_time_of_the_sample(app):
    child = factories.patient("Anak Kecil", birth_date=date(2022, 1, 1), sex="L")
    there = sent("HB", person=child)
    item, analyst = item_of(there, "HB"), factories.user("lab").id
    with transaction():
        item.sampled_by_id = analyst
        item.sampled_at = utcnow().replace(year=2026, month=12, day=31, hour=3)
    assert lab_results.whom(item) == ("L", 59)
    with transaction():
        item.sampled_at = utcnow().replace(year=2027, month=1, day=1, hour=3)
    assert lab_results.whom(item) == ("L", 60)


def test_an_impossible_number_asks_to_be_confirmed(app):
    there = sent("HB")
    ref = item_of(there, "HB").public_id
    with pytest.raises(lab_results.Refused) as refused:
        write(there, HB="125")
    assert refused.value.unlikely == {ref}
    assert "hampir tidak mungkin" in refused.value.problems[ref]
    assert current_of(item_of(there, "HB")) is None
    write(there, HB=Entered(typed="125", is_sure=True))
    assert current_of(item_of(there, "HB")).value == "125"


def test_nothing_is_stored_when_one_value_is_wrong(app):
    there = sent("HB", "GDS")
    with pytest.raises(lab_results.Refused) as refused:
        write(there, HB="12,1", GDS="banyak")
    assert list(refused.value.problems) == [item_of(there, "GDS").public_id]
    assert current_of(item_of(there, "HB")) is None


def test_what_is_changed_while_writing_leaves_a_trace(app):
    there = sent("HB")
    write(there, HB="12,1")
    write(there, HB="12,7")
    write(there, HB="")
    rows = list(db.session.scalars(select(LabResult).order_by(LabResult.id)))
    assert [(row.value, bool(row.ended_at)) for row in rows] == [("12,1", True), ("12,7", True)]


def test_two_people_at_once_lose_nothing(app):
    there = sent("HB", "GDS")
    write(there, HB="12,1")
    first, hb = item_of(there, "HB"), Entered(typed="9,9", seen="")
    with pytest.raises(lab_results.Refused) as refused:
        write(there, by="kepala", HB=hb)
    assert "diisi 12,1 oleh Yusuf Hidayat" in refused.value.problems[first.public_id]
    assert current_of(first).value == "12,1"
    # The same value twice is one result, and an empty field empties nothing that it did not show.
    write(there, by="kepala", HB=Entered(typed="12,1", seen=""), GDS="90")
    write(there, by="kepala", HB=Entered(typed="", seen=""))
    assert len(list(db.session.scalars(select(LabResult)))) == 2
    write(there, by="kepala", HB="9,9")  # who has seen it may
    assert current_of(first).value == "9,9"


def test_nobody_says_not_done_of_a_result_that_he_has_not_seen(app):
    there = sent("HB")
    write(there, HB="6,1")
    hb, not_done = item_of(there, "HB"), Entered(not_done="reagen habis")
    for closes in (False, True):
        with pytest.raises(lab_results.Refused) as refused:
            write(there, by="kepala", closes=closes, HB=not_done)
        assert "diisi 6,1 oleh Yusuf Hidayat" in refused.value.problems[hb.public_id]
    assert (current_of(hb).value, item_of(there, "HB").ended_at) == ("6,1", None)
    write(there, by="kepala", HB=replace(not_done, seen=current_of(hb).public_id))
    assert current_of(hb) is None and [alert.title for alert in alerts()] == ["Hasil ditarik"]


def test_two_people_pressing_at_the_same_moment_give_one_result(app):
    there = sent("HB")
    ref, entry_id, gate = item_of(there, "HB").public_id, there.id, threading.Barrier(2)
    actors = [factories.actor("lab"), factories.actor("kepala")]
    db.session.rollback()

    def press(number: int) -> str:
        with app.app_context():
            gate.wait(30)
            try:
                with transaction():
                    entry = db.session.get(QueueEntry, entry_id)
                    said = {ref: Entered(typed=f"12,{number}")}
                    lab_entry.enter(actors[number], entry, said)
            except lab_results.Refused as refused:
                return refused.problems[ref]
            finally:
                db.session.remove()
        return "stored"

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(press, range(2)))
    assert told[1] == "stored"
    assert "sementara itu diisi 12," in told[0]
    db.session.rollback()
    assert len(list(db.session.scalars(select(LabResult)))) == 1


def test_only_one_result_holds(app):
    there = sent("HB")
    write(there, HB="12,1")
    row = current_of(item_of(there, "HB"))
    names = ("order_id", "test_id", "value", "sampled_at", "sampled_by_id", "resulted_by_id")
    with pytest.raises(IntegrityError), transaction():
        db.session.add(LabResult(**{name: getattr(row, name) for name in names}))


def test_only_who_is_served_gets_results(app):
    there = sent("HB")
    with transaction():
        queues.act(factories.actor("lab"), there, "urungkan")
    with pytest.raises(RecordError, match="tidak sedang dilayani"):
        write(there, HB="12")


def test_selesai_needs_a_result_or_a_reason_and_sends_back(app):
    there = sent("HB", "WIDAL")
    with pytest.raises(lab_results.Refused) as refused:
        write(there, closes=True, HB="12,1")
    assert list(refused.value.problems) == [item_of(there, "WIDAL").public_id]
    write(there, closes=True, HB="12,1", WIDAL=Entered(not_done="reagen habis"))
    order = order_of(there)
    assert order.state is LabOrderState.RESULTED
    db.session.refresh(there)
    assert there.state is EntryState.DONE
    back = db.session.scalars(select(QueueEntry).order_by(QueueEntry.id.desc())).first()
    assert (back.kind, back.rank, back.poli.code) == (EntryKind.RESULT_BACK, 1, "UMUM")
    (report,) = lab_reports.by_visit([there.visit_id])[there.visit_id]
    assert [(line.name, line.not_done) for line in report.lines] == [
        ("Hemoglobin", ""),
        ("Widal", "reagen habis"),
    ]
    assert not report.lines[0].value.is_preliminary
    with pytest.raises(RecordError):
        write(there, closes=True, HB="12,1")


@pytest.mark.parametrize(("code", "by"), [("KIA", "kia"), ("GIGI", "gigi"), ("UGD", "umum")])
def test_any_room_orders_and_its_patient_comes_back_ahead_of_new_ones(app, code, by):
    there = sent("HB", code=code, by=by, person=factories.patient("Siti Aminah"))
    earlier = factories.entry(code, factories.patient("Datang Sebelumnya"))
    write(there, closes=True, HB="10,9")
    (report,) = lab_reports.by_visit([there.visit_id])[there.visit_id]
    assert report.room_code == code
    db.session.expire_all()
    waiting = queue_lines.room_queue(factories.poli(code), days.current_day()).waiting
    assert [row.name for row in waiting] == ["Siti Aminah", earlier.visit.patient.name]


def test_the_stay_does_not_end_without_results(app):
    there = sent("HB")
    with pytest.raises(queues.QueueError, match="belum selesai"), transaction():
        queues.act(factories.actor("lab"), there, "selesai")
    form = ExaminationInput(objective="Hb 12", disposition="pulang")
    with pytest.raises(RecordError, match="halaman laboratorium"), transaction():
        records.finish(factories.actor("lab"), there, form, 0)
    assert order_of(there).state is LabOrderState.ORDERED


def test_the_sender_sees_results_when_they_are_finished(app):
    there = sent("HB")
    write(there, HB="11,5")
    (report,) = lab_reports.by_visit([there.visit_id])[there.visit_id]
    assert report.lines[0].value is None
    write(there, closes=True, HB="11,5")
    db.session.expire_all()
    (report,) = lab_reports.by_visit([there.visit_id])[there.visit_id]
    value = report.lines[0].value
    assert (value.text, value.flag_text, value.range) == ("11,5 g/dL", "rendah", "12-15,5")


# --- The second person ------------------------------------------------------------------------


def test_a_second_person_validates_and_never_oneself(app):
    ask_for_second_person()
    there = sent("HB")
    write(there, closes=True, HB="12,1")
    (report,) = lab_reports.by_visit([there.visit_id])[there.visit_id]
    assert report.waits_for_validation
    assert report.lines[0].value.is_preliminary
    assert lab_alerts.validation_count() == 1
    with pytest.raises(RecordError, match="isi sendiri"), transaction():
        lab_results.validate(factories.actor("lab"), order_of(there))
    with transaction():
        lab_results.validate(factories.actor("kepala"), order_of(there))
    db.session.expire_all()
    (report,) = lab_reports.by_visit([there.visit_id])[there.visit_id]
    assert report.state is LabOrderState.VALIDATED
    assert report.lines[0].value.validated_by == "dr. Indah Lestari"
    assert not report.lines[0].value.is_preliminary
    with pytest.raises(RecordError, match="sudah divalidasi"), transaction():
        lab_results.validate(factories.actor("kepala"), order_of(there))


def test_after_a_correction_only_the_new_value_waits_for_a_second_person(app):
    ask_for_second_person()
    there = sent("HB", "TROMBOSIT")
    write(there, closes=True, HB="12,1", TROMBOSIT="250000")
    with transaction():
        lab_results.validate(factories.actor("kepala"), order_of(there))
    before = current_of(item_of(there, "TROMBOSIT")).validated_at
    correct(there, "11,1", by="kepala")
    with pytest.raises(RecordError, match="isi sendiri"), transaction():
        lab_results.validate(factories.actor("kepala"), order_of(there))
    with transaction():
        lab_results.validate(factories.actor("lab"), order_of(there))
    db.session.expire_all()
    assert order_of(there).state is LabOrderState.VALIDATED
    assert current_of(item_of(there, "TROMBOSIT")).validated_at == before


def test_the_table_refuses_to_validate_oneself(app):
    there = sent("HB")
    write(there, closes=True, HB="12,1")
    with pytest.raises(IntegrityError), transaction():
        row = current_of(item_of(there, "HB"))
        row.validated_at, row.validated_by_id = utcnow(), row.resulted_by_id


def test_without_the_setting_nothing_waits(app):
    there = sent("HB")
    write(there, closes=True, HB="12,1")
    assert lab_alerts.validation_count() == 0
    ask_for_second_person()  # holds from then on, not for what was finished before
    (report,) = lab_reports.by_visit([there.visit_id])[there.visit_id]
    assert not report.lines[0].value.is_preliminary
    with pytest.raises(RecordError, match="Tidak ada hasil"), transaction():
        lab_results.validate(factories.actor("kepala"), order_of(there))


# --- Corrections ------------------------------------------------------------------------------


def correct(there, value, reason="tertukar", by="lab", **more):
    with transaction():
        row = current_of(item_of(there, "HB"))
        return lab_results.correct(factories.actor(by), row, value, reason, **more)


def test_a_correction_keeps_the_old_value(app):
    there = sent("HB")
    write(there, closes=True, HB="12,1")
    correct(there, "10,2", "tabung tertukar")
    rows = list(db.session.scalars(select(LabResult).order_by(LabResult.id)))
    assert [row.value for row in rows] == ["12,1", "10,2"]
    assert rows[0].end_reason == "tabung tertukar"
    db.session.expire_all()
    (report,) = lab_reports.by_visit([there.visit_id])[there.visit_id]
    (line,) = report.lines
    assert line.value.text == "10,2 g/dL"
    assert [old.text for old in line.earlier] == ["12,1 g/dL"]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("value", "reason", "sentence"),
    [
        ("10,2", "", "alasan koreksi"),
        ("12,1", "salah", "sama dengan"),
        ("banyak", "salah", "belum dapat"),
        ("99", "salah", "belum dapat"),
    ],
)
def test_what_a_correction_needs(app, value, reason, sentence):
    there = sent("HB")
    write(there, closes=True, HB="12,1")
    with pytest.raises(RecordError, match=sentence):
        correct(there, value, reason)
    assert current_of(item_of(there, "HB")).value == "12,1"


def test_a_correction_asks_for_validation_again(app):
    ask_for_second_person()
    there = sent("HB")
    write(there, closes=True, HB="12,1")
    with transaction():
        lab_results.validate(factories.actor("kepala"), order_of(there))
    correct(there, "10,2")
    db.session.expire_all()
    assert order_of(there).state is LabOrderState.RESULTED
    assert current_of(item_of(there, "HB")).validated_at is None


def test_the_second_to_correct_is_told(app):
    there = sent("HB")
    write(there, closes=True, HB="12,1")
    first = current_of(item_of(there, "HB"))
    correct(there, "10,2")
    with pytest.raises(RecordError, match="sudah dikoreksi"), transaction():
        lab_results.correct(factories.actor("kepala"), first, "9,9", "lain")


# --- Critical values --------------------------------------------------------------------------


def alerts(code: str = "UMUM"):
    db.session.expire_all()
    return lab_alerts.alerts(factories.poli(code).id)[0]


def test_a_critical_value_is_told_at_once_and_until_read(app):
    there = sent("HB")
    write(there, HB="6,1")
    (alert,) = alerts()
    assert (alert.test, alert.text, alert.flag_text) == ("Hemoglobin", "6,1 g/dL", "kritis rendah")
    assert alert.is_preliminary  # not finished yet
    assert alert.label == there.visit.label
    assert alerts("GIGI") == []
    write(there, closes=True, HB="6,1")
    (alert,) = alerts()
    assert not alert.is_preliminary
    with transaction():
        lab_results.mark_read(factories.actor("umum"), lab_alerts.result_by_ref(alert.ref))
    assert alerts() == []
    row = current_of(item_of(there, "HB"))
    assert row.read_by_id == factories.user("umum").id
    with pytest.raises(RecordError, match="sudah dibaca dr. Bagus"), transaction():
        lab_results.mark_read(factories.actor("kepala"), lab_alerts.result_by_ref(alert.ref))


@pytest.mark.parametrize("instead", ["12,1", ""])
def test_the_senders_open_page_learns_that_a_critical_value_was_a_typing_error(app, instead):
    there = sent("HB")
    write(there, HB="6,1")
    room = factories.poli("UMUM").id
    before = queue_version.present_version(room)
    write(there, HB=instead)
    assert [(alert.before, alert.text, alert.title) for alert in alerts()] == [
        ("6,1 (kritis rendah)", "12,1 g/dL", "Hasil dikoreksi")
        if instead
        else ("", "6,1 g/dL", "Hasil ditarik")
    ]
    assert queue_version.present_version(room) != before


@pytest.mark.engines("sqlite")
def test_a_critical_value_of_an_earlier_day_says_of_which(sign_in):
    """Its number stands for somebody else today."""
    there = sent("HB")
    write(there, HB="6,1")
    room = sign_in("umum")
    said = f"Nilai kritis {there.visit.label} {there.visit.patient.name}"
    assert said in room.get("/poli/UMUM").get_data(as_text=True)
    with transaction():
        day = db.session.get_one(Visit, there.visit_id).service_day
        day.on, day.closed_at = day.on - timedelta(days=3), utcnow()
        on = short_date(day.on)
    page = room.get("/poli/UMUM").get_data(as_text=True)
    assert f"Nilai kritis {there.visit.label} dari {on}," in page
    at = short_date(days.clinic_date())
    assert f"{at} {clock_time(utcnow(), 'Asia/Makassar')[:2]}" in page


def test_a_critical_choice_is_told_as_a_number_is(app):
    there = sent("MALARIA", "HIV")
    write(there, MALARIA="P. falciparum", HIV="reaktif")
    (alert,) = alerts()
    assert (alert.test, alert.text, alert.flag_text) == ("Malaria", "P. falciparum", "kritis")
    with transaction():
        lab_results.mark_read(factories.actor("umum"), lab_alerts.result_by_ref(alert.ref))
    assert alerts() == []


def test_the_range_is_that_of_who_is_pregnant_at_this_visit(app):
    there = sent("HB")
    item = item_of(there, "HB")
    with transaction():
        visit = db.session.merge(item.order.visit)
        visit.patient.sex, visit.pregnant = "P", "nifas"
    assert lab_results.whom(item)[0] == "P"
    with transaction():
        db.session.merge(item.order.visit).pregnant = "ya"
    assert lab_results.whom(item)[0] == "H"


def of_somebody(born: date, sex: str = "P", **values):
    """Somebody with finished results, and the current ones by their codes."""
    whose = factories.patient("Rahma", birth_date=born, sex=sex)
    there = sent(*values, person=whose)
    write(there, closes=True, **values)
    return whose, there


def mend_identity(whose: Patient, **fields) -> None:
    with transaction():
        patient = db.session.get_one(Patient, whose.id)
        identity = replace(patients.identity_of(patient), **fields)
        patients.update(factories.actor("rekammedis"), patient, identity, "salah ketik")
    db.session.expire_all()


def years_ago(years: int) -> date:
    return days.clinic_date() - timedelta(days=years * 366)


def test_a_move_to_the_right_patient_judges_the_results_anew(app):
    wrong, there = of_somebody(years_ago(36), HB="9,0", GDS="310", LEUKOSIT="7.200")
    baby = factories.patient("Bayi", birth_date=days.clinic_date() - timedelta(days=7))
    assert alerts() == []
    with transaction():
        visit = db.session.get_one(Visit, there.visit_id)
        wrong_patient.reassign(factories.actor("rekammedis"), visit, baby, "salah pilih")
    assert {(alert.test, alert.flag_text) for alert in alerts()} == {
        ("Hemoglobin", "kritis rendah"),
        ("Gula darah sewaktu", "kritis tinggi"),
    }
    row = current_of(item_of(there, "HB"))
    assert (row.value, row.resulted_by.username, row.high) == ("9,0", "lab", Decimal("21.5"))
    old = db.session.scalars(
        select(LabResult).where(LabResult.test_id == row.test_id, LabResult.ended_at.is_not(None))
    ).one()
    assert old.flag is LabFlag.LOW
    assert old.end_reason == "Dinilai ulang. Kunjungan dipindahkan: salah pilih"
    told = select(AuditEntry).where(AuditEntry.action == "rejudge_lab_result")
    assert len(db.session.scalars(told).all()) >= 2


def test_a_corrected_birth_date_or_sex_judges_the_results_anew(app):
    whose, there = of_somebody(years_ago(30), HB="12,5")
    before = current_of(item_of(there, "HB"))
    mend_identity(whose, name="Rahmah")
    assert current_of(item_of(there, "HB")).id == before.id
    mend_identity(whose, birth_date=years_ago(31))
    assert current_of(item_of(there, "HB")).id == before.id, "the same range holds"
    mend_identity(whose, sex="L")
    row = current_of(item_of(there, "HB"))
    assert (row.flag, row.low) == (LabFlag.LOW, 13)
    mend_identity(whose, sex="P", birth_date=days.clinic_date() - timedelta(days=9))
    row = current_of(item_of(there, "HB"))
    assert (row.flag, row.high) == (LabFlag.LOW, Decimal("21.5"))


def test_an_edited_range_alone_changes_no_old_result(app):
    whose, there = of_somebody(years_ago(30), HB="12,5")
    before = current_of(item_of(there, "HB"))
    with transaction():
        for each in test_of("HB").references:
            each.low = each.low + Decimal("0.5") if each.low else None
    mend_identity(whose, birth_date=years_ago(31))
    assert current_of(item_of(there, "HB")).id == before.id


def test_a_pregnancy_told_later_judges_the_results_anew(app):
    _, there = of_somebody(years_ago(30), HB="11,5")
    assert current_of(item_of(there, "HB")).flag is LabFlag.LOW
    with transaction():
        visit = db.session.get_one(Visit, there.visit_id)
        visit_person.tell_pregnancy(factories.actor("loket"), visit, "ya")
    db.session.expire_all()
    row = current_of(item_of(there, "HB"))
    assert (row.flag, row.low) == (LabFlag.NORMAL, 11)


@pytest.mark.engines("sqlite")
def test_whoever_read_another_word_of_a_value_reads_it_again(app):
    whose, there = of_somebody(days.clinic_date() - timedelta(days=7), HB="9,0")
    baby, adult = db.session.get_one(Patient, whose.id).birth_date, years_ago(36)
    with transaction():
        lab_results.mark_read(factories.actor("umum"), current_of(item_of(there, "HB")))
    mend_identity(whose, birth_date=adult)
    assert current_of(item_of(there, "HB")).flag is LabFlag.LOW
    mend_identity(whose, birth_date=baby)
    (alert,) = alerts()
    assert (alert.test, alert.flag_text) == ("Hemoglobin", "kritis rendah")


def test_a_correction_with_the_same_value_goes_through_when_its_range_changed(app):
    _, there = of_somebody(years_ago(30), HB="12,5")
    with transaction():
        for each in test_of("HB").references:
            each.low = Decimal(13)
    assert correct(there, "12,5", "rujukan diperbarui").flag is LabFlag.LOW
    with pytest.raises(RecordError, match="sama dengan"):
        correct(there, "12,5", "sekali lagi")


def told() -> list[tuple[str, str, bool]]:
    return [(alert.before, alert.text, alert.is_critical) for alert in alerts()]


def read(there) -> None:
    with transaction():
        lab_results.mark_read(factories.actor("umum"), current_of(item_of(there, "HB")))


def test_the_sender_is_told_what_a_critical_value_was_corrected_to(app):
    there = sent("HB")
    write(there, closes=True, HB="6,1")
    before = current_of(item_of(there, "HB"))
    read(there)
    correct(there, "16,1")
    assert told() == [("6,1 (kritis rendah)", "16,1 g/dL", False)]
    room = factories.poli("UMUM").id
    assert lab_alerts.rooms_with_unread() == {room: "Hasil lab belum dibaca"}
    with pytest.raises(RecordError, match="sudah dikoreksi"), transaction():
        lab_results.mark_read(factories.actor("umum"), before)
    correct(there, "12,1")
    assert told() == [("6,1 (kritis rendah)", "12,1 g/dL", False)], "nobody read the other one"
    read(there)
    assert told() == [] and lab_alerts.rooms_with_unread() == {}
    correct(there, "12,2")
    assert told() == [], "12,1 was known"
    with pytest.raises(RecordError, match="tidak kritis"):
        read(there)
    correct(there, "6,5")
    assert [text for _, text, is_critical in told() if is_critical] == ["6,5 g/dL"]


def test_an_old_correction_is_told_no_longer(app):
    there = sent("HB")
    write(there, closes=True, HB="6,1")
    correct(there, "12,1")
    with transaction():
        gone = db.session.scalars(select(LabResult).where(LabResult.ended_at.is_not(None))).one()
        gone.ended_at = utcnow() - lab_unread.CORRECTION_KEPT - timedelta(minutes=1)
    assert told() == []


def test_unvalidated_critical_values_are_marked(app):
    ask_for_second_person()
    there = sent("HB")
    write(there, closes=True, HB="6,1")
    assert alerts()[0].is_preliminary
    with transaction():
        lab_results.validate(factories.actor("kepala"), order_of(there))
    assert not alerts()[0].is_preliminary


def test_every_step_is_in_the_audit_trail(app):
    ask_for_second_person()
    there = sent("HB")
    write(there, closes=True, HB="6,1")
    with transaction():
        lab_results.validate(factories.actor("kepala"), order_of(there))
    correct(there, "6,2")
    with transaction():
        ref = current_of(item_of(there, "HB")).public_id
        lab_results.mark_read(factories.actor("umum"), lab_alerts.result_by_ref(ref))
    rows = db.session.execute(
        select(AuditEntry.action, AuditEntry.details).where(AuditEntry.object_type == "lab_order")
    ).all()
    assert [row.action for row in rows] == [
        "order_lab",
        "enter_lab_results",
        "finish_lab_order",
        "validate_lab_order",
        "correct_lab_result",
        "read_critical_result",
    ]
    assert not any("6," in row.details for row in rows)


# --- The record -------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
def test_history_asks_as_much_for_many_orders(app):
    person, counts = factories.patient(), []
    for size in (1, 4):
        for _ in range(size):
            write(sent("HB", "GDS", person=person), closes=True, HB="12,1", GDS="98")
        db.session.expire_all()
        with count_queries() as queries:
            visits = history.history(person)
        counts.append(len(queries))
    assert len(visits) == 5
    assert all(visit.lab for visit in visits)
    assert counts[0] == counts[1]


def test_results_go_with_the_visit_when_records_are_merged(app):
    survivor, loser = factories.patient("Siti Aminah"), factories.patient("Siti Aminah")
    write(sent("HB", person=loser), closes=True, HB="11,1")
    back = db.session.scalars(select(QueueEntry).order_by(QueueEntry.id.desc())).first()
    with transaction():  # nobody is merged while he stands in a line
        queues.act(factories.actor("umum"), back, "batal", "pulang")
    with transaction():
        who = factories.actor("rekammedis")
        people = (db.session.merge(survivor), db.session.merge(loser))
        merging.merge(who, *people, {}, "orang yang sama")
    db.session.expire_all()
    (visit,) = history.history(survivor)
    assert visit.lab[0].lines[0].value.text == "11,1 g/dL"
