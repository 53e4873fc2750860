"""The stock ledger: never negative without a reason, one press one move, nothing lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from clinic import days, stock, stock_lists
from clinic.stock import Delivery, NotEnough, StockError
from clinic.stock_typed import read_amount, read_expiry
from db import db, new_public_id, transaction
from models import AuditEntry, Medicine, StockBatch, StockMove, StockMoveKind
from tests import factories, pharmacy
from tests.databases import count_queries
from validators import FieldError

DAY = timedelta(days=1)


def moves(row: Medicine) -> list[StockMove]:
    db.session.rollback()
    found = select(StockMove).join(StockMove.batch).where(StockBatch.medicine_id == row.id)
    return list(db.session.scalars(found.order_by(StockMove.id)))


def hand_out(row: Medicine, quantity, reason: str = "", by: str = "farmasi") -> None:
    """As a dispensing does it, without one."""
    actor = factories.actor(by)
    with transaction():
        row = db.session.get_one(Medicine, row.id)
        for portion in stock.portions(actor, row, Decimal(quantity), reason):
            stock.issue(actor, portion, None, new_public_id(), reason)


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("30", "30"), (" 7,5 ", "7.5"), ("0.5", "0.5"), ("1.500", "1500"), ("1.000,25", "1000.25")],
)
def test_amounts_as_staff_write_them(typed, amount):
    assert read_amount(typed) == Decimal(amount)


@pytest.mark.parametrize(
    "typed", ["", "-3", "tiga", "1e5", "١٢", "1,2345", "9999999999", "5000000"]
)
def test_what_is_no_amount_is_asked_for_again(typed):
    with pytest.raises(FieldError):
        read_amount(typed)


def test_expiry_as_boxes_say_it():
    assert read_expiry("02-2028") == date(2028, 2, 29)
    assert read_expiry("30-11-2027") == date(2027, 11, 30)
    for typed in ("13-2027", "2027", "besok", ""):
        with pytest.raises(FieldError):
            read_expiry(typed)


# --- In ---------------------------------------------------------------------------------------


def test_a_delivery_makes_a_batch_and_a_move(app):
    row = pharmacy.medicine()
    batch = pharmacy.receive(row, 100)
    pharmacy.receive(row, 50)
    assert (batch.number, pharmacy.balance(row)) == ("B1", Decimal(150))
    assert [move.balance_after for move in moves(row)] == [100, 150]
    assert len({move.batch_id for move in moves(row)}) == 1
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (entry.action, entry.object_ref) == ("receive_stock", row.code)


@pytest.mark.parametrize(
    ("delivery", "field"),
    [
        (Delivery("", pharmacy.FAR, Decimal(5)), "number"),
        (Delivery("B1", None, Decimal(5)), "expires_on"),
        (Delivery("B1", date(2020, 1, 31), Decimal(5)), "expires_on"),
        (Delivery("B1", pharmacy.FAR, Decimal(0)), "quantity"),
    ],
)
def test_a_delivery_that_cannot_be_is_refused(app, delivery, field):
    row = pharmacy.medicine()
    with pytest.raises(StockError) as refused, transaction():
        stock.receive(factories.actor("farmasi"), row, delivery, "k1")
    assert refused.value.field == field
    assert not moves(row)


def test_two_presses_are_one_move(app):
    row, key = pharmacy.medicine(), new_public_id()
    for _ in range(2):
        with transaction():
            delivery = Delivery("B1", pharmacy.FAR, Decimal(10))
            stock.receive(factories.actor("farmasi"), row, delivery, key)
    assert pharmacy.balance(row) == 10
    with pytest.raises(StockError, match="tidak lengkap"), transaction():
        stock.receive(factories.actor("farmasi"), row, delivery, "")


# --- By counting ------------------------------------------------------------------------------


def test_counting_makes_the_balance_what_was_counted(app):
    row = pharmacy.medicine()
    batch = pharmacy.receive(row, "100.1")
    actor = factories.actor("farmasi")
    with transaction():
        stock.correct(actor, batch, Decimal("97.4"), Decimal("100.1"), "stok opname", "k1")
    assert pharmacy.balance(row) == Decimal("97.4")
    last = moves(row)[-1]
    assert (last.kind, last.quantity) == (StockMoveKind.CORRECTION, Decimal("-2.7"))
    with transaction():  # the same press again
        stock.correct(actor, batch, Decimal("97.4"), Decimal("100.1"), "stok opname", "k1")
    assert len(moves(row)) == 2


def test_counting_asks_for_a_reason_a_difference_and_what_was_seen(app):
    row = pharmacy.medicine()
    batch, actor = pharmacy.receive(row, 100), factories.actor("farmasi")
    for counted, seen, reason, word in (
        (90, 100, "  ", "alasan"),
        (100, 100, "opname", "sama"),
        (90, 99, "opname", "berubah sejak"),
    ):
        with pytest.raises(StockError, match=word), transaction():
            stock.correct(actor, batch, Decimal(counted), Decimal(seen), reason, "k1")
    assert pharmacy.balance(row) == 100


def test_only_what_has_expired_is_written_off(app):
    row, actor = pharmacy.medicine(), factories.actor("farmasi")
    good, old = pharmacy.receive(row, 10), pharmacy.expired(row, 7)
    with pytest.raises(StockError, match="belum kedaluwarsa"), transaction():
        stock.write_off(actor, good, Decimal(10), "rusak", "k1")
    with pytest.raises(StockError, match="dipisahkan"), transaction():
        stock.write_off(actor, old, Decimal(7), "", "k2")
    with transaction():
        stock.write_off(actor, old, Decimal(7), "dipisahkan", "k3")
    assert pharmacy.balance(row) == 10
    assert moves(row)[-1].kind is StockMoveKind.EXPIRY


def test_the_last_day_of_a_batch_is_still_good(app):
    row = pharmacy.medicine()
    batch = pharmacy.receive(row, 5, expires_on=days.clinic_date())
    assert not stock.is_expired(batch, days.clinic_date())
    assert stock.is_expired(batch, days.clinic_date() + DAY)


# --- Out --------------------------------------------------------------------------------------


def test_the_first_to_expire_goes_first_and_the_expired_never(app):
    row = pharmacy.medicine()
    late = pharmacy.receive(row, 10, "LATE", date(2098, 1, 31))
    soon = pharmacy.receive(row, 4, "SOON", date(2097, 1, 31))
    pharmacy.expired(row, 50)
    hand_out(row, 6)
    assert [db.session.get_one(StockBatch, each.id).balance for each in (soon, late)] == [0, 8]
    today = pharmacy.receive(row, 3, "TODAY", days.clinic_date())
    hand_out(row, 3)
    assert db.session.get_one(StockBatch, today.id).balance == 0, "its last day is today"
    with pytest.raises(NotEnough, match="hanya ada 8 tablet, perlu 9"):
        hand_out(row, 9)
    assert pharmacy.balance(row) == 58


def test_beyond_the_ledger_only_with_a_reason(app):
    row = pharmacy.medicine()
    pharmacy.receive(row, 5)
    hand_out(row, 8, "Kiriman belum dicatat")
    hand_out(row, 1, "Kiriman belum dicatat")
    beyond = [batch for batch in stock_lists.batches(row) if batch.number == stock.NAMELESS]
    assert [batch.balance for batch in beyond] == [-4]
    assert pharmacy.balance(row) == -4
    assert [move.reason for move in moves(row)] == ["", "", *["Kiriman belum dicatat"] * 2]


def test_fractions_stay_exact(app):
    row = pharmacy.medicine()
    pharmacy.receive(row, "0.3")
    hand_out(row, "0.1")
    hand_out(row, "0.2")
    assert pharmacy.balance(row) == 0


def test_the_table_forbids_what_must_never_happen(app):
    row = pharmacy.medicine()
    batch, me = pharmacy.receive(row, 5), factories.user("farmasi").id
    bad = [
        {"kind": StockMoveKind.OUT, "quantity": -6, "balance_after": -1},
        {"kind": StockMoveKind.OUT, "quantity": 6, "balance_after": 11},
        {"kind": StockMoveKind.IN, "quantity": -1, "balance_after": 4},
        {"kind": StockMoveKind.IN, "quantity": 0, "balance_after": 5},
        {"kind": StockMoveKind.CORRECTION, "quantity": 1, "balance_after": 6},
    ]
    for values in bad:
        with pytest.raises(IntegrityError), transaction():
            db.session.add(StockMove(batch_id=batch.id, moved_by_id=me, **values))
    with transaction():
        good = {"kind": StockMoveKind.OUT, "quantity": -6, "balance_after": -1, "reason": "darurat"}
        db.session.add(StockMove(batch_id=batch.id, moved_by_id=me, **good))


@pytest.mark.parametrize(
    "statement", ["UPDATE stock_move SET quantity = 9", "DELETE FROM stock_move"]
)
def test_a_move_is_never_changed(app, statement):
    pharmacy.receive(pharmacy.medicine(), 5)
    with pytest.raises(DatabaseError, match="never changed"), transaction():
        db.session.execute(text(statement))


def test_two_hands_in_one_box_lose_nothing(app):
    row = pharmacy.medicine()
    batch = pharmacy.receive(row, 10)
    gate, ids = threading.Barrier(4), (row.id, batch.id)
    actors = [factories.actor(name) for name in ("farmasi", "kepala", "farmasi", "kepala")]
    db.session.rollback()

    def press(number: int) -> int:
        """Three tablets at a time until the box is empty; how often it went well."""
        taken = 0
        with app.app_context():
            gate.wait(30)
            for _ in range(3):
                try:
                    with transaction():
                        mine = db.session.get_one(Medicine, ids[0])
                        for portion in stock.portions(actors[number], mine, Decimal(3)):
                            stock.issue(actors[number], portion, None, new_public_id())
                    taken += 1
                except NotEnough:
                    pass
            db.session.remove()
        return taken

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(press, range(4))) == 3
    assert pharmacy.balance(row) == 1
    assert [move.balance_after for move in moves(row)] == [10, 7, 4, 1]


# --- Lists ------------------------------------------------------------------------------------


def test_the_list_marks_short_soon_and_expired(app):
    today = days.clinic_date()
    short = pharmacy.medicine(reorder_level=10)
    pharmacy.receive(short, 10)
    plenty = pharmacy.medicine(reorder_level=10)
    pharmacy.receive(plenty, 11)
    soon = pharmacy.medicine()
    pharmacy.receive(soon, 5, expires_on=today + 60 * DAY)
    old = pharmacy.medicine()
    pharmacy.receive(old, 5)
    pharmacy.expired(old, 2)
    lines, _ = stock_lists.overview(today, query="obat uji", page=1)
    by_code = {line.medicine.code: line for line in lines}
    assert by_code[short.code].is_short
    assert not by_code[plenty.code].is_short
    assert by_code[soon.code].expires_soon
    assert not by_code[old.code].expires_soon
    assert (by_code[old.code].expired, by_code[old.code].usable) == (2, 5)
    marked = {line.medicine.code for line in stock_lists.overview(today)[0]}
    assert {short.code, soon.code, old.code} <= marked
    assert plenty.code not in marked


def test_the_card_says_the_total_after_each_move_in_as_many_queries_for_few_as_for_many(app):
    row = pharmacy.medicine()
    pharmacy.receive(row, 10, "A")
    pharmacy.receive(row, 5, "B")
    hand_out(row, 12)
    db.session.rollback()
    with count_queries() as few:
        lines, count = stock_lists.card(row)
    assert [line.total_after for line in lines] == [3, 5, 15, 10]
    assert count == 4
    for _ in range(50):
        pharmacy.receive(row, 1, "A")
    db.session.rollback()
    with count_queries() as many:
        lines, count = stock_lists.card(row)
    assert (len(lines), count) == (40, 54)
    assert len(few) == len(many)
    assert stock_lists.card(row, 2)[0][-1].total_after == 10
