"""Stock as it is read: what is there of each medicine, and the card of one."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from clinic import medicines
from db import db
from models import (
    Dispensing,
    Medicine,
    Prescription,
    PrescriptionLine,
    StockBatch,
    StockMove,
    StockMoveKind,
)

SOON = timedelta(days=90)
PAGE, CARD_PAGE = 40, 40
KIND_WORDS = {
    StockMoveKind.IN: "Masuk",
    StockMoveKind.OUT: "Keluar",
    StockMoveKind.CORRECTION: "Koreksi",
    StockMoveKind.EXPIRY: "Kedaluwarsa",
    StockMoveKind.RETURN: "Kembali",
}
ATTENTION = "perhatian"


@dataclass(frozen=True)
class StockLine:
    """One medicine with what is there of it; expired batches count, for they still lie there."""

    medicine: Medicine
    balance: Decimal
    usable: Decimal
    next_expiry: date | None  # of what may still be handed out
    on: date

    @property
    def is_short(self) -> bool:
        return self.usable <= self.medicine.reorder_level

    @property
    def expired(self) -> Decimal:
        return self.balance - self.usable

    @property
    def expires_soon(self) -> bool:
        return self.next_expiry is not None and self.next_expiry <= self.on + SOON


@dataclass(frozen=True)
class Move:
    """One line of a medicine's card."""

    row: StockMove
    total_after: Decimal  # of all its batches
    prescription: str | None  # the number it was handed out by

    @property
    def kind_text(self) -> str:
        return KIND_WORDS[self.row.kind]


def overview(
    on: date, view: str = ATTENTION, query: str = "", page: int = 1
) -> tuple[list[StockLine], int]:
    """One page of the medicines with their stock, and how many there are in all; 4 queries."""
    statement, sums = _overview(on)
    if query.strip():
        found = [row.id for row in medicines.search(query, PAGE, also_ended=True)]
        statement = statement.where(Medicine.id.in_(found))
    elif view == ATTENTION:
        statement = statement.where(
            Medicine.is_active,
            or_(
                func.coalesce(sums.c.usable, 0) <= Medicine.reorder_level,
                sums.c.balance != sums.c.usable,
                sums.c.next_expiry <= on + SOON,
            ),
        )
    count = db.session.scalar(select(func.count()).select_from(statement.subquery()))
    rows = statement.order_by(Medicine.position, Medicine.id)
    rows = rows.limit(PAGE).offset((page - 1) * PAGE)
    return [_line(row, on) for row in db.session.execute(rows)], count or 0


def line_of(medicine: Medicine, on: date) -> StockLine:
    """The stock of one medicine."""
    statement, _ = _overview(on)
    return _line(db.session.execute(statement.where(Medicine.id == medicine.id)).one(), on)


def _overview(on: date) -> tuple[Select, object]:
    is_good = or_(StockBatch.expires_on.is_(None), StockBatch.expires_on >= on)
    good = case((is_good, StockBatch.balance), else_=0)
    sums = (
        select(
            StockBatch.medicine_id,
            func.sum(StockBatch.balance).label("balance"),
            func.sum(good).label("usable"),
            func.min(
                case((is_good & (StockBatch.balance > 0), StockBatch.expires_on), else_=None)
            ).label("next_expiry"),
        )
        .group_by(StockBatch.medicine_id)
        .subquery()
    )
    joined = select(Medicine, sums.c.balance, sums.c.usable, sums.c.next_expiry).outerjoin(
        sums, sums.c.medicine_id == Medicine.id
    )
    return joined, sums


def _line(row, on: date) -> StockLine:
    medicine, balance, usable, next_expiry = row
    return StockLine(medicine, _amount(balance), _amount(usable), next_expiry, on)


def _amount(value) -> Decimal:
    return round(Decimal(str(value or 0)), 3)


def batches(medicine: Medicine) -> list[StockBatch]:
    """Those that are not used up, the first to expire first."""
    rows = (
        select(StockBatch)
        .where(StockBatch.medicine_id == medicine.id, StockBatch.balance != 0)
        .order_by(StockBatch.expires_on.is_(None), StockBatch.expires_on, StockBatch.id)
    )
    return list(db.session.scalars(rows))


def batch_by_ref(ref: str) -> StockBatch | None:
    """The batch of this public id, with its medicine."""
    found = select(StockBatch).options(joinedload(StockBatch.medicine))
    return db.session.scalar(found.where(StockBatch.public_id == ref))


def card(medicine: Medicine, page: int = 1) -> tuple[list[Move], int]:
    """*Kartu stok*: the moves of all batches, newest first, and how many; 2 queries."""
    mine = (
        select(
            StockMove.id,
            func.sum(StockMove.quantity).over(order_by=StockMove.id).label("total"),
        )
        .join(StockMove.batch)
        .where(StockBatch.medicine_id == medicine.id)
        .subquery()
    )
    count = db.session.scalar(select(func.count()).select_from(mine)) or 0
    rows = (
        select(StockMove, mine.c.total, Prescription.number)
        .join(mine, mine.c.id == StockMove.id)
        .join(StockMove.batch)
        .outerjoin(Dispensing, Dispensing.id == StockMove.dispensing_id)
        .outerjoin(PrescriptionLine, PrescriptionLine.id == Dispensing.line_id)
        .outerjoin(Prescription, Prescription.id == PrescriptionLine.prescription_id)
        .options(contains_eager(StockMove.batch), joinedload(StockMove.moved_by))
        .order_by(StockMove.id.desc())
        .limit(CARD_PAGE)
        .offset((page - 1) * CARD_PAGE)
    )
    return [Move(row, _amount(total), of) for row, total, of in db.session.execute(rows)], count
