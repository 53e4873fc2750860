"""The pharmacy and a prescription: review, substitutes, handing out, taking back, the queue."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from clinic import (
    allergies,
    days,
    dispensing,
    dispensing_labels,
    dispensing_lists,
    dispensing_queue,
    dispensing_reports,
    dispensing_review,
    history,
    medicines,
    patient_summary,
    prescription_checks,
    prescriptions,
    queues,
)
from clinic.dispensing import Given
from clinic.dispensing_review import ReviewInput, Substitute
from clinic.dispensing_steps import Changed, NotReady
from clinic.prescription_lines import LineError, LineInput
from clinic.queues import QueueError
from clinic.record_errors import NotOpen, RecordError
from clinic.substitute_doses import DoseChanged
from db import db, transaction, utcnow
from models import (
    AuditEntry,
    DispensedLine,
    Dispensing,
    EntryState,
    Patient,
    Prescription,
    PrescriptionReview,
    PrescriptionState,
    QueueEntry,
    Route,
    StockBatch,
    StockMove,
    StockMoveKind,
    VisitStatus,
)
from tests import factories, pharmacy
from tests.databases import count_queries

ALL = ReviewInput(frozenset(dispensing_review.ASPECTS))


def review(made: Prescription, said: ReviewInput = ALL, by: str = "farmasi") -> Prescription:
    with transaction():
        version = prescriptions.by_ref(made.public_id).version
        return dispensing_review.review(factories.actor(by), made.public_id, version, said)


def called(made: Prescription) -> QueueEntry:
    entry = pharmacy.pharmacy_entry(made)
    with transaction():
        queues.act(factories.actor("farmasi"), entry, "panggil")
    return entry


def ready(*lines, **options) -> Prescription:
    """Reviewed, and its patient is called."""
    made = pharmacy.prescription(*lines, **options)
    review(made)
    called(made)
    return made


def hand_over(made: Prescription, by: str = "farmasi", version: int | None = None, **given):
    """Hand out; the lines by their place: l0=Given("5", "stok kosong")."""
    with transaction():
        fresh = prescriptions.by_ref(made.public_id)
        lines = prescriptions.active_lines(fresh)
        said = {lines[int(name[1:])].public_id: each for name, each in given.items()}
        seen = fresh.version if version is None else version
        entry = pharmacy.pharmacy_entry(made)
        actor = factories.actor(by)
        return dispensing.hand_over(actor, entry, made.public_id, seen, said)


def rows(made: Prescription) -> list[Dispensing]:
    db.session.rollback()
    found = select(Dispensing).join(Dispensing.line).order_by(Dispensing.id)
    return [row for row in db.session.scalars(found) if row.line.prescription_id == made.id]


# --- Review -----------------------------------------------------------------------------------


def test_a_review_is_kept_with_who_and_when(app):
    made = pharmacy.prescription(pharmacy.line(pharmacy.medicine()))
    review(made)
    stored = db.session.scalars(select(PrescriptionReview)).one()
    assert stored.reviewed_by.username == "farmasi"
    assert (stored.is_administrative, stored.is_clinical, stored.problems) == (True, True, "")
    fresh = prescriptions.by_ref(made.public_id)
    assert (fresh.state, fresh.reviewed_by_id) == (
        PrescriptionState.REVIEWED,
        factories.user("farmasi").id,
    )


def test_an_aspect_that_is_not_in_order_needs_words(app):
    made = pharmacy.prescription(pharmacy.line(pharmacy.medicine()))
    said = ReviewInput(frozenset({"administrative", "clinical"}))
    with pytest.raises(RecordError, match="masalah"):
        review(made, said)
    review(made, ReviewInput(said.in_order, "dosis ditanyakan ke dr. Bagus: benar"))
    stored = db.session.scalars(select(PrescriptionReview)).one()
    assert not stored.is_pharmaceutical
    with pytest.raises(Changed, match="sudah ditelaah apt. Dewi"):
        review(made, by="kepala")


def test_the_table_forbids_a_review_that_says_nothing(app):
    made = pharmacy.prescription(pharmacy.line(pharmacy.medicine()))
    with pytest.raises(IntegrityError), transaction():
        db.session.add(
            PrescriptionReview(
                prescription_id=made.id,
                is_administrative=True,
                is_pharmaceutical=True,
                is_clinical=False,
                reviewed_by_id=factories.user("farmasi").id,
            )
        )


# --- Handing out ------------------------------------------------------------------------------


def test_all_of_it_handed_out_ends_prescription_stay_and_visit(app):
    first, second = pharmacy.medicine(), pharmacy.medicine()
    pharmacy.receive(first, 12)
    pharmacy.receive(second, 9)
    made = ready(pharmacy.line(first, 10), pharmacy.line(second, 9))
    hand_over(made)
    fresh = prescriptions.by_ref(made.public_id)
    assert (fresh.state, fresh.closed_by.username) == (PrescriptionState.DISPENSED, "farmasi")
    assert pharmacy.balance(first) == 2
    assert pharmacy.balance(second) == 0
    entry = pharmacy.pharmacy_entry(made)
    assert entry.state is EntryState.DONE
    assert entry.visit.status is VisitStatus.FINISHED
    assert [(row.medicine_id, row.quantity) for row in rows(made)] == [
        (first.id, 10),
        (second.id, 9),
    ]
    moves = db.session.scalars(select(StockMove).where(StockMove.kind == StockMoveKind.OUT)).all()
    assert {move.dispensing_id for move in moves} == {row.id for row in rows(made)}


def test_nothing_is_handed_out_before_the_review_nor_to_somebody_who_is_not_here(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 10)
    made = pharmacy.prescription(pharmacy.line(of))
    with pytest.raises(RecordError, match="Telaah"):
        hand_over(made)
    review(made)
    with pytest.raises(NotOpen, match="tidak sedang dilayani"):
        hand_over(made)  # waiting in the line
    called(made)
    other = ready(pharmacy.line(of))
    with pytest.raises(NotOpen), transaction():
        entry, version = (
            pharmacy.pharmacy_entry(other),
            prescriptions.by_ref(made.public_id).version,
        )
        dispensing.hand_over(factories.actor("farmasi"), entry, made.public_id, version, {})
    assert pharmacy.balance(of) == 10


def test_less_asks_why_and_closes_it_as_partial(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 4)
    made = ready(pharmacy.line(of, 10))
    with pytest.raises(NotReady) as refused:
        hand_over(made, l0=Given("4"))
    assert "tulis mengapa kurang" in next(iter(refused.value.problems.values()))
    hand_over(made, l0=Given("4", "Stok kosong"))
    fresh = prescriptions.by_ref(made.public_id)
    assert (fresh.state, fresh.close_reason) == (PrescriptionState.PARTIAL, "Stok kosong")
    closed = db.session.scalars(select(DispensedLine)).one()
    assert (closed.asked, closed.given, closed.reason) == (10, 4, "Stok kosong")


@pytest.mark.parametrize(
    ("typed", "word"),
    [("11", "tidak dapat lebih"), ("sepuluh", "angka"), (" ", "0 bila tidak ada")]
    + [("1 strip", "angka dalam tablet"), ("11 tablet", "tidak dapat lebih")],
)
def test_a_quantity_that_cannot_be_is_refused(app, typed, word):
    of = pharmacy.medicine()
    pharmacy.receive(of, 20)
    made = ready(pharmacy.line(of, 10))
    with pytest.raises(NotReady) as refused:
        hand_over(made, l0=Given(typed, "x"))
    assert word in next(iter(refused.value.problems.values()))
    assert not rows(made)


def test_the_medicines_own_unit_may_stand_behind_an_amount(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 20)
    made = ready(pharmacy.line(of, 10), pharmacy.compound((of, 1, "tablet"), packets=6))
    hand_over(made, l0=Given("8 tablet", "Stok kosong"), l1=Given("5 Bungkus", "Stok kosong"))
    assert [row.quantity for row in rows(made)] == [8, 5]
    give_back(rows(made)[0], "3tablet")
    assert pharmacy.balance(of) == 10


def test_more_than_the_ledger_holds_only_with_a_reason_and_all_or_nothing(app):
    plenty, short = pharmacy.medicine(), pharmacy.medicine()
    pharmacy.receive(plenty, 10)
    pharmacy.receive(short, 3)
    made = ready(pharmacy.line(plenty, 10), pharmacy.line(short, 5))
    with pytest.raises(NotReady) as refused:
        hand_over(made)
    (sentence,) = refused.value.problems.values()
    assert "hanya ada 3 tablet, perlu 5" in sentence
    assert pharmacy.balance(plenty) == 10
    hand_over(made, l1=Given(beyond="Kiriman hari ini belum dicatat"))
    assert pharmacy.balance(short) == -2
    assert prescriptions.by_ref(made.public_id).state is PrescriptionState.DISPENSED


def test_one_line_from_two_batches_is_two_rows(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 4, "SOON", date(2098, 1, 1))
    pharmacy.receive(of, 10, "LATE")
    made = ready(pharmacy.line(of, 6))
    hand_over(made)
    assert [(row.batch.number, row.quantity) for row in rows(made)] == [("SOON", 4), ("LATE", 2)]


def in_days(number: int) -> date:
    return days.clinic_date() + timedelta(days=number)


def test_a_batch_that_is_good_to_the_end_of_the_therapy_goes_first(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 50, "DEKAT", in_days(3))
    pharmacy.receive(of, 20, "CUKUP", in_days(29))
    pharmacy.receive(of, 50, "JAUH", in_days(400))
    long, short = {"times_a_day": 1, "days": 30}, {"times_a_day": 1, "days": 3}
    made = ready(pharmacy.line(of, 30, **long), pharmacy.line(of, 3, **short))
    (view,) = dispensing_lists.desk(dispensing_lists.of_visit(made.visit))
    told = [
        [(each.portion.batch.number, each.portion.quantity, each.is_short) for each in line.plan]
        for line in view.lines
    ]
    assert told == [[("CUKUP", 20, False), ("JAUH", 10, False)], [("DEKAT", 3, False)]]
    assert [label.expires_on for label in dispensing_labels.labels(made)] == [
        in_days(29),
        in_days(3),
    ]
    hand_over(made)
    assert [(row.batch.number, row.quantity) for row in rows(made)] == [
        ("CUKUP", 20),
        ("JAUH", 10),
        ("DEKAT", 3),
    ]


def test_where_no_batch_lasts_the_page_says_so_before_it_is_given(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 10, "JAUH", in_days(400))
    pharmacy.receive(of, 50, "DEKAT", in_days(3))
    made = ready(pharmacy.line(of, 30, times_a_day=1, days=None, dose=Decimal(1)))
    (view,) = dispensing_lists.desk(dispensing_lists.of_visit(made.visit))
    plan = view.lines[0].plan
    assert [(each.portion.batch.number, each.is_short) for each in plan] == [
        ("JAUH", False),
        ("DEKAT", True),
    ]


def test_what_was_handed_out_already_is_not_planned_again(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 15)
    made = pharmacy.prescription(pharmacy.line(of, 10))
    second = pharmacy.second_prescription(made, pharmacy.line(of, 5))
    review(made)
    review(second)
    called(made)
    hand_over(made)
    done, left = dispensing_lists.desk(dispensing_lists.of_visit(made.visit))
    assert done.lines[0].plan == ()
    assert [each.portion.quantity for each in left.lines[0].plan] == [5]


def test_each_part_of_a_compound_leaves_the_stock_in_whole_units(app):
    tablet = pharmacy.medicine()
    syrup = pharmacy.medicine(unit="botol", dose_unit="mL", doses_per_unit=60)
    for of in (tablet, syrup):
        pharmacy.receive(of, 10)
    made = ready(
        pharmacy.compound((tablet, "0.5", "tablet"), (syrup, "2.5", "mL"), packets=15),
    )
    hand_over(made)
    assert pharmacy.balance(tablet) == 2  # 7,5 tablets are 8
    assert pharmacy.balance(syrup) == 9  # 37,5 mL of one bottle
    assert all(row.component_id for row in rows(made))


def test_an_outside_line_is_only_copied(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 10)
    made = ready(pharmacy.line(of, 10), pharmacy.line(None, 5, title="Obat dari luar"))
    hand_over(made)
    assert prescriptions.by_ref(made.public_id).state is PrescriptionState.DISPENSED
    closed = db.session.scalars(select(DispensedLine).where(DispensedLine.is_outside)).one()
    assert closed.given == 0
    (view,) = dispensing_lists.desk(dispensing_lists.of_visit(made.visit))
    assert view.has_rest


def test_the_stay_goes_on_while_another_prescription_of_the_visit_is_open(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 20)
    made = ready(pharmacy.line(of, 5))
    second = pharmacy.second_prescription(made, pharmacy.line(of, 5))
    review(second)
    hand_over(made)
    assert pharmacy.pharmacy_entry(made).state is EntryState.IN_SERVICE
    hand_over(second)
    assert pharmacy.pharmacy_entry(made).state is EntryState.DONE


def test_a_second_press_changes_nothing_and_says_who_was_first(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 20)
    made = ready(pharmacy.line(of, 10))
    version = prescriptions.by_ref(made.public_id).version
    hand_over(made)
    with pytest.raises(Changed, match="sudah diserahkan oleh apt. Dewi Anggraini pukul"):
        hand_over(made, by="kepala", version=version)
    assert pharmacy.balance(of) == 10


def test_two_pharmacists_at_the_same_moment_give_one_result(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 30)
    made = ready(pharmacy.line(of, 10))
    version, ref = prescriptions.by_ref(made.public_id).version, made.public_id
    entry_id, gate = pharmacy.pharmacy_entry(made).id, threading.Barrier(2)
    actors = [factories.actor("farmasi"), factories.actor("kepala")]
    db.session.rollback()

    def press(number: int) -> str:
        with app.app_context():
            gate.wait(30)
            try:
                with transaction():
                    entry = db.session.get(QueueEntry, entry_id)
                    dispensing.hand_over(actors[number], entry, ref, version, {})
            except Changed as told:
                return str(told)
            finally:
                db.session.remove()
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(press, range(2)))
    assert told[0] == ""
    assert "sudah diserahkan oleh" in told[1]
    assert pharmacy.balance(of) == 20
    assert len(rows(made)) == 1


def test_the_tables_forbid_what_must_never_happen(app):
    of = pharmacy.medicine()
    batch = pharmacy.receive(of, 10)
    made = ready(pharmacy.line(of, 10))
    hand_over(made)
    line_id, me = made.lines[0].id, factories.user("farmasi").id
    about = {"line_id": line_id, "asked": 10, "closed_by_id": me}
    held = {"line_id": line_id, "medicine_id": of.id, "batch_id": batch.id, "given_by_id": me}
    for row in (
        DispensedLine(given=10, **about),  # a second time
        DispensedLine(given=11, **about),
        DispensedLine(given=9, **about),
        DispensedLine(given=1, is_outside=True, **about),
        Dispensing(quantity=0, **held),
        Dispensing(quantity=1, **held),  # the batch is named already
        Dispensing(quantity=1, ended_at=utcnow(), ended_by_id=me, **held),
    ):
        with pytest.raises(IntegrityError), transaction():
            db.session.add(row)


# --- Substitutes ------------------------------------------------------------------------------


def substitute(made: Prescription, code: str, reason: str = "stok kosong", reasons=None, **said):
    with transaction():
        fresh = prescriptions.by_ref(made.public_id)
        line = LineInput(code, said.get("sig", "3x1"), said.get("days", "3"), note="sesudah makan")
        ref = prescriptions.active_lines(fresh)[0].public_id
        wanted = Substitute(line, reason, reasons or {}, said.get("dose_asked", code))
        actor = factories.actor("farmasi")
        return dispensing_review.substitute(actor, made.public_id, fresh.version, ref, wanted)


def test_a_substitute_takes_the_place_and_the_old_line_stays_to_be_read(app):
    empty, there = pharmacy.medicine(), pharmacy.medicine()
    made = pharmacy.prescription(pharmacy.line(empty, 9))
    before = prescriptions.by_ref(made.public_id).version
    added = substitute(made, there.code, "stok kosong, disetujui dr. Bagus")
    fresh = prescriptions.by_ref(made.public_id)
    assert fresh.version == before + 1
    assert [line.medicine_id for line in prescriptions.active_lines(fresh)] == [there.id]
    old = next(line for line in fresh.lines if line.ended_at)
    assert (added.replaces_id, added.replace_reason) == (old.id, "stok kosong, disetujui dr. Bagus")
    assert (added.quantity, added.instruction) == (9, "3 x sehari 1 tablet, sesudah makan")
    last = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert last.action == "substitute_medicine"


def test_a_substitute_needs_a_reason_directions_and_another_medicine(app):
    of, other = pharmacy.medicine(), pharmacy.medicine()
    made = pharmacy.prescription(pharmacy.line(of, 9, instruction="3 x sehari 1 tablet"))
    for code, said, word in (
        (other.code, {"reason": " "}, "alasan"),
        (other.code, {"sig": "", "days": ""}, "jumlah"),
        (other.code, {"sig": "semaunya"}, "dihitung dari “semaunya"),
        ("TIDAK-ADA", {}, "daftar"),
    ):
        with pytest.raises(RecordError, match=word):
            substitute(made, code, **said)
    assert all(line.ended_at is None for line in prescriptions.by_ref(made.public_id).lines)
    assert issubclass(LineError, RecordError)


def of_one_ingredient(strength: str, **fields):
    return pharmacy.medicine(ingredients="zat-sama", strength=strength, **fields)


DROPS = {"form": "tetes", "unit": "botol", "dose_unit": "mL", "doses_per_unit": 15}


@pytest.mark.parametrize(
    ("was", "sig", "now", "told", "proposed"),
    [
        (
            ("120 mg/5 mL", DROPS, "5"),
            "3x5 mL",
            ("100 mg/mL", DROPS),
            ("120 mg", "500 mg"),
            "3x1,2 mL",
        ),
        (("5 mg", {}, "1"), "3x1", ("10 mg", {}), ("5 mg", "10 mg"), "3x1/2"),
        (("500 mg", {}, "1"), "3x1", ("250 mg", {}), ("500", "250 mg"), "3x2"),
        (("25 mg", {}, "1"), "3x1", ("40 mg", {}), ("25 mg", "40 mg"), ""),
        # Ten tablets at once would be proposed to nobody.
        (("500 mg", {}, "2"), "3x2", ("100 mg", {}), ("1.000 mg", "200 mg"), ""),
        (("5/80 mg", {}, "1"), "3x1", ("5/160 mg", {}), ("5/80", "5/160"), ""),
    ],
)
def test_another_strength_is_asked_once_with_both_doses(app, was, sig, now, told, proposed):
    strength, fields, amount = was
    old, new = of_one_ingredient(strength, **fields), of_one_ingredient(now[0], **now[1])
    numbers = {"dose": Decimal(amount), "instruction": "sesudah makan"}
    made = pharmacy.prescription(pharmacy.line(old, 9, **numbers))
    with pytest.raises(DoseChanged) as refused:
        substitute(made, new.code, sig=sig, dose_asked="")
    assert refused.value.sig == proposed
    assert all(each in str(refused.value) for each in told)
    assert len(prescriptions.active_lines(prescriptions.by_ref(made.public_id))) == 1
    substitute(made, new.code, sig=proposed or sig, dose_asked=new.code)


def test_the_same_dose_of_another_strength_is_not_asked_about(app):
    old, new, capsule = (
        of_one_ingredient("500 mg"),
        of_one_ingredient("250 mg"),
        of_one_ingredient("500 mg", form="kapsul", unit="kapsul", dose_unit="kapsul"),
    )
    for code, sig in ((new.code, "3x2"), (capsule.code, "3x1")):
        made = pharmacy.prescription(pharmacy.line(old, 9))
        substitute(made, code, sig=sig, dose_asked="")


def test_as_much_at_once_but_more_often_is_another_dose(app):
    old, new = of_one_ingredient("500 mg"), of_one_ingredient("250 mg")
    made = pharmacy.prescription(pharmacy.line(old, 9))
    with pytest.raises(DoseChanged, match="semula 3 x sehari 500 mg, kini 4 x sehari 500 mg"):
        substitute(made, new.code, sig="4x2", dose_asked="")


def test_another_ingredient_or_route_is_asked_as_nobody_can_compare_it(app):
    old = pharmacy.medicine()
    shot = of_one_ingredient("500 mg", route=Route.INJECTED)
    both = pharmacy.medicine(ingredients="zat-sama|zat-kedua", strength="500 mg")
    alone = of_one_ingredient("500 mg")
    for was, new in ((old, pharmacy.medicine()), (alone, shot), (both, alone), (alone, both)):
        made = pharmacy.prescription(pharmacy.line(was, 9))
        with pytest.raises(DoseChanged, match="tidak dapat dibandingkan"):
            substitute(made, new.code, dose_asked="")


def test_an_allergy_to_the_substitute_must_be_answered(app):
    person = factories.patient("Alergi Obat")
    with transaction():
        whom = db.session.get_one(Patient, person.id)
        allergies.add_allergy(factories.actor("umum"), whom, "Amoksisilin", "gatal")
    made = pharmacy.prescription(pharmacy.line(pharmacy.medicine(), 9), person=person)
    with pytest.raises(dispensing_review.Unanswered) as refused:
        substitute(made, "AMOX500")
    (warning,) = refused.value.warnings
    assert "moksisilin" in warning.message
    assert len(prescriptions.active_lines(prescriptions.by_ref(made.public_id))) == 1
    added = substitute(made, "AMOX500", reasons={warning.key: "pernah minum, tidak apa-apa"})
    (view,) = dispensing_lists.desk(dispensing_lists.of_visit(made.visit))
    assert [row.reason for row in view.warnings] == ["pernah minum, tidak apa-apa"]
    assert view.lines[0].line.id == added.id


def allergic_now(made: Prescription, substance: str) -> None:
    """Somebody records it after the prescription was sent."""
    with transaction():
        whom = db.session.get_one(Patient, prescriptions.by_ref(made.public_id).visit.patient_id)
        allergies.add_allergy(factories.actor("umum"), whom, substance)


def warned_lines(made: Prescription) -> list[list[str]]:
    db.session.rollback()
    (view,) = dispensing_lists.desk(dispensing_lists.of_visit(made.visit))
    return [[each.message for each in line.allergies] for line in view.lines]


def test_an_allergy_recorded_after_it_was_sent_is_answered_before_it_is_given(app):
    of = pharmacy.medicine(ingredients="kromafin")
    other = pharmacy.medicine(name="Obat lain", ingredients="pulvorin")
    pharmacy.receive(of, 20)
    pharmacy.receive(other, 20)
    made = ready(pharmacy.line(of, 10), pharmacy.line(other, 10))
    assert warned_lines(made) == [[], []]
    allergic_now(made, "kromafin")
    sentence = f"Pasien alergi kromafin: {of.label}."
    assert warned_lines(made) == [[sentence], []]
    with pytest.raises(NotReady) as refused:
        hand_over(made)
    ((ref, told),) = refused.value.problems.items()
    assert ref == made.lines[0].public_id
    assert sentence in told
    assert pharmacy.balance(of) == pharmacy.balance(other) == 20
    hand_over(made, l0=Given(allergy="dr. Bagus: reaksi lama, diawasi"))
    assert pharmacy.balance(of) == 10
    (view,) = dispensing_lists.desk(dispensing_lists.of_visit(made.visit))
    (answer,) = view.warnings
    assert (answer.reason, answer.line_id) == ("dr. Bagus: reaksi lama, diawasi", made.lines[0].id)


def test_what_is_not_given_because_of_an_allergy_asks_for_no_more(app):
    of = pharmacy.medicine(ingredients="kromafin")
    pharmacy.receive(of, 20)
    made = ready(pharmacy.line(of, 10))
    allergic_now(made, "kromafin")
    hand_over(made, l0=Given("0", "Pasien alergi"))
    assert pharmacy.balance(of) == 20
    assert warned_lines(made) == [[]]  # it is closed


def test_what_has_the_same_ingredients_is_offered_first_and_nothing_of_another_route(app):
    tablet = pharmacy.medicine(ingredients="zat-lain|zat-uji", strength="500 mg")
    some = pharmacy.medicine(ingredients="zat-uji", form="kaplet")
    syrup = pharmacy.medicine(ingredients="zat-uji|zat-lain", form="sirup")
    pharmacy.medicine(ingredients="zat-uji-2")
    pharmacy.medicine(ingredients="zat-uji|zat-lain", form="infus", route=Route.INJECTED)
    made = pharmacy.prescription(pharmacy.line(tablet))
    assert dispensing_review.alternatives(made.lines[0]) == [
        ("Dengan zat aktif yang sama", [syrup]),
        ("Mengandung zat aktif yang sama", [some]),
    ]
    rehydration = pharmacy.prescription(pharmacy.line(medicines.by_code("ORALIT")))
    (only,) = dispensing_review.alternatives(rehydration.lines[0])
    assert not any(each.route is Route.INJECTED for each in only.medicines)


# --- Back -------------------------------------------------------------------------------------


def give_back(row: Dispensing, quantity: str | None = None, reason: str = "salah ambil"):
    with transaction():
        row = dispensing.dispensing_by_ref(row.public_id)
        return dispensing.give_back(factories.actor("farmasi"), row, quantity, reason)


def test_what_comes_back_is_in_stock_again_and_its_row_has_ended(app):
    of = pharmacy.medicine()
    batch = pharmacy.receive(of, 10)
    made = ready(pharmacy.line(of, 10))
    hand_over(made)
    (row,) = rows(made)
    with pytest.raises(RecordError, match="alasan"):
        give_back(row, reason=" ")
    with pytest.raises(RecordError, match="Yang diserahkan 10"):
        give_back(row, "11")
    with pytest.raises(RecordError, match="Tulis jumlah yang kembali"):
        give_back(row, "")
    kept = give_back(row, "4")
    assert pharmacy.balance(of) == 4
    assert kept.quantity == 6
    assert [(each.quantity, each.end_reason) for each in rows(made)] == [
        (10, "salah ambil"),
        (6, ""),
    ]
    with pytest.raises(RecordError, match="sudah dicatat kembali oleh apt. Dewi"):
        give_back(row, "4")
    give_back(kept)
    assert pharmacy.balance(of) == 10
    assert db.session.get_one(StockBatch, batch.id).balance == 10
    report = dispensing_reports.by_line([made.lines[0].id])[made.lines[0].id]
    text = dispensing_reports.handed_text(made.lines[0], report)
    assert text == (
        "diserahkan 10 tablet; kembali 4 tablet: salah ambil; kembali 6 tablet: salah ambil"
    )


# --- The queue --------------------------------------------------------------------------------


def test_a_patient_in_no_pharmacy_queue_is_listed_and_put_in_line(app):
    made = pharmacy.prescription(pharmacy.line(pharmacy.medicine()), queued=False)
    (line,) = dispensing_queue.waiting(made.visit.service_day, utcnow())
    assert (line.entry, line.is_elsewhere) == (None, False)
    with transaction():
        dispensing_queue.put_in_line(factories.actor("farmasi"), made)
    (line,) = dispensing_queue.waiting(made.visit.service_day, utcnow())
    assert line.entry.poli.code == "FARMASI"
    with pytest.raises(QueueError, match="dua kali"), transaction():
        dispensing_queue.put_in_line(factories.actor("farmasi"), made)


def test_waiting_is_measured_from_selesai_a_compound_may_take_longer(app):
    of = pharmacy.medicine()
    plain = pharmacy.prescription(pharmacy.line(of))
    pharmacy.prescription(pharmacy.compound((of, 1, "tablet")))
    for minutes, bands in ((0, ["ok", "ok"]), (25, ["warn", "ok"]), (35, ["late", "ok"])):
        now = plain.sent_at + timedelta(minutes=minutes, seconds=59)
        found = dispensing_queue.waiting(plain.visit.service_day, now)
        assert [line.band for line in found] == bands
    assert found[0].goal == 30
    assert found[1].goal == 60
    assert dispensing_queue.waiting(None, utcnow()) == []


def test_the_worklist_and_the_desk_ask_as_much_for_few_as_for_many(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 100)
    first = pharmacy.prescription(pharmacy.line(of))
    counts, day = [], first.visit.service_day
    for lines in (1, 8):
        made = pharmacy.prescription(
            *(pharmacy.line(of, 2) for _ in range(lines)),
            pharmacy.compound((of, 1, "tablet"), (of, 2, "tablet")),
        )
        db.session.rollback()
        db.session.refresh(day)
        with count_queries() as asked:
            dispensing_queue.waiting(day, utcnow())
        visit = made.visit
        db.session.rollback()
        db.session.refresh(visit)
        with count_queries() as desk:
            dispensing_lists.desk(dispensing_lists.of_visit(visit))
        counts.append((len(asked), len(desk)))
    assert counts[0] == counts[1]


def test_a_decimal_quantity_is_kept(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 10)
    made = ready(pharmacy.line(of, "7.5"))
    hand_over(made)
    assert pharmacy.balance(of) == Decimal("2.5")


# --- The record -------------------------------------------------------------------------------


def test_the_record_says_what_was_given_beside_what_was_prescribed(app):
    of, other = pharmacy.medicine(), pharmacy.medicine()
    pharmacy.receive(of, 10)
    made = ready(pharmacy.line(of, 10), pharmacy.line(other, 6))
    (report,) = history.visit_summary(made.visit).prescriptions
    assert [line.handed for line in report.lines] == ["", ""]
    hand_over(made, l1=Given("0", "Stok kosong"))
    (report,) = history.visit_summary(made.visit).prescriptions
    assert [line.handed for line in report.lines] == [
        "diserahkan 10 tablet",
        "tidak diserahkan (Stok kosong)",
    ]


def test_the_next_doctor_sees_what_was_refused_and_not_as_a_medicine_of_late(app):
    full, part, none, back = (pharmacy.medicine() for _ in range(4))
    for of in (full, part, none, back):
        pharmacy.receive(of, 10)
    lines = [pharmacy.line(of, 10) for of in (full, part, none, back)]
    made = ready(*lines, pharmacy.line(None, title="Obat dari apotek"))
    hand_over(made, l1=Given("2,5", "Stok kosong"), l2=Given("0", "alergi"))
    give_back(next(row for row in rows(made) if row.medicine_id == back.id))
    (report,) = history.visit_summary(made.visit).prescriptions
    for of, told in [(full, ""), (part, " (diserahkan 2,5 tablet)"), (none, " (tidak diserahkan)")]:
        assert f"{of.label} sesudah makan{told};" in f"{report.short_text};"
    assert f"{back.label} sesudah makan (diserahkan, dikembalikan)" in report.short_text
    medicines = [each.text for each in patient_summary.summary(made.visit.patient).medicines]
    assert sorted(medicines) == sorted([full.label, part.label, "Obat dari apotek"])


def test_a_table_of_visits_cuts_no_medicine_from_what_became_of_it(app):
    of = [pharmacy.medicine(name=f"Obat {n} dengan nama yang panjang sekali") for n in range(5)]
    made = ready(*(pharmacy.line(each, 10) for each in of))
    hand_over(made, **{f"l{n}": Given("0", "Pasien menolak") for n in range(5)})
    (report,) = history.visit_summary(made.visit).prescriptions
    *shown, left = report.glance_text.split("; ")
    assert shown == [f"{each.label} sesudah makan (tidak diserahkan)" for each in of[: len(shown)]]
    assert 0 < len(shown) < 5 and left == f"{5 - len(shown)} obat lagi"


@pytest.mark.engines("sqlite")
def test_the_record_asks_as_much_for_one_handed_out_as_for_five(app):
    of, person = pharmacy.medicine(), factories.patient("Sering Datang")
    pharmacy.receive(of, 100)
    counts = []
    for number in range(3):
        hand_over(ready(pharmacy.line(of, 5), pharmacy.line(of, 2), person=person))
        db.session.rollback()
        whom = db.session.get_one(Patient, person.id)
        with count_queries() as asked:
            assert len(history.history(whom)) == number + 1
        counts.append(len(asked))
    assert len(set(counts)) == 1


def still_has(made: Prescription, days_later: int = 0) -> list[str]:
    """What a doctor is told who writes the same a few days later."""
    with transaction():
        sent = prescriptions.by_ref(made.public_id)
        sent.sent_at = sent.closed_at = utcnow() - timedelta(days=days_later)
    return still_has_now(made)


def still_has_now(made: Prescription) -> list[str]:
    sent = prescriptions.by_ref(made.public_id)
    visit = factories.visit(sent.visit.patient, "GIGI")
    lines = prescriptions.active_lines(prescriptions.by_ref(made.public_id))
    found = prescription_checks.findings(visit, lines, None)
    return [each.message.partition(" dari ")[0] for each in found if each.rule == "MASIH-ADA"]


def test_only_what_was_given_and_kept_counts_as_what_the_patient_still_has(app):
    none, part, full, back = (pharmacy.medicine() for _ in range(4))
    for each in (part, full, back):
        pharmacy.receive(each, 90)
    times = {"times_a_day": 1, "days": 30}
    made = ready(*(pharmacy.line(each, 30, **times) for each in (none, part, full, back)))
    hand_over(made, l0=Given("0", "Stok kosong"), l1=Given("10", "sisa stok"))
    give_back(next(row for row in rows(made) if row.medicine_id == back.id))
    assert still_has(made) == [part.label, full.label]
    assert still_has(made, 8) == [part.label, full.label]
    assert still_has(made, 9) == [full.label]
    with transaction():  # fetched later than it was written
        prescriptions.by_ref(made.public_id).closed_at = utcnow()
    begun = prescriptions.by_ref(made.public_id).closed_at
    assert begun > prescriptions.by_ref(made.public_id).sent_at
    assert still_has_now(made) == [part.label, full.label]


# --- Labels -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expires", "units", "until"),
    [
        (None, ["tablet"], date(2026, 5, 20)),  # half a year
        (date(2027, 11, 21), ["tablet"], date(2026, 5, 20)),
        (date(2026, 3, 1), ["tablet"], date(2025, 12, 16)),  # a quarter of 100 days
        (date(2027, 11, 21), ["tablet", "mL"], date(2025, 12, 5)),  # with water
    ],
)
def test_until_when_a_compound_may_be_used(expires, units, until):
    assert dispensing_labels.beyond_use(date(2025, 11, 21), expires, units) == until


def test_before_it_is_handed_out_a_label_has_the_expiry_of_what_would_be_taken(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 6, "SOON", date(2098, 1, 31))
    pharmacy.receive(of, 20, "LATE", date(2099, 1, 31))
    made = ready(pharmacy.line(of, 5), pharmacy.line(of, 5))
    planned = [label.expires_on for label in dispensing_labels.labels(made)]
    # Of the first batch one tablet is left for the second line.
    assert planned == [date(2098, 1, 31), date(2098, 1, 31)]
    hand_over(made)
    fresh = prescriptions.by_ref(made.public_id)
    assert [label.expires_on for label in dispensing_labels.labels(fresh)] == planned
    later = pharmacy.prescription(pharmacy.line(of, 5))
    assert [label.expires_on for label in dispensing_labels.labels(later)] == [date(2099, 1, 31)]


def test_a_compound_printed_again_is_as_old_as_it_is(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 20)
    made = ready(pharmacy.compound((of, 1, "tablet")))
    hand_over(made)
    with transaction():
        fresh = prescriptions.by_ref(made.public_id)
        fresh.closed_at -= timedelta(days=100)
    (label,) = dispensing_labels.labels(prescriptions.by_ref(made.public_id))
    made_on = days.clinic_date() - timedelta(days=100)
    assert label.expires_on == made_on + dispensing_labels.LONGEST_COMPOUND


def test_an_ointment_of_crushed_tablets_has_the_label_of_what_is_not_swallowed(app):
    of = pharmacy.medicine()
    pharmacy.receive(of, 20)
    ointment = pharmacy.compound((of, 1, "tablet"), packets=1)
    ointment.title, ointment.unit = "Racikan salep", "pot"
    made = ready(ointment, pharmacy.compound((of, 1, "tablet")))
    assert [label.is_external for label in dispensing_labels.labels(made)] == [True, False]
