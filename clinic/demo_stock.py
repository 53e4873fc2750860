"""The demo clinic's pharmacy: what came in, and what it has handed out of past prescriptions.

Played in the order of the days in memory, then inserted table by table: the balances are what the
moves add up to. Some medicines are short, some expire soon, of some nothing is left.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from sqlalchemy import Row, select, update

from clinic import medicines
from clinic.demo_bulk import insert_only, insert_rows
from clinic.demo_people import SEED
from db import db
from models import (
    DispensedLine,
    Dispensing,
    Medicine,
    Prescription,
    PrescriptionLine,
    PrescriptionReview,
    PrescriptionState,
    StockBatch,
    StockMove,
    StockMoveKind,
    User,
)

CAME = timedelta(days=150)  # ago; the prescriptions are younger
SUPPLIER = "Instalasi Farmasi Dinas Kesehatan"
SHORT_EACH, SOON_EACH, EMPTY_AT, EXPIRED_AT = 17, 41, 23, 29  # by place in the list
PARTIAL_EACH = 40  # of the prescriptions: the last line was not there in full
EMPTY_SHELF = "Stok kosong"
REVIEWED_BEFORE = timedelta(minutes=5)


@dataclass
class _Batch:
    """A batch while its history is played."""

    medicine_id: int
    number: str
    expires_on: date
    came: Decimal
    left: Decimal


@dataclass
class PastStock:
    """Batches, moves, and what was handed out by them."""

    user: User
    today: date
    now: datetime
    random: Random = field(default_factory=lambda: Random(SEED + 7))  # noqa: S311

    def write(self) -> None:
        """Insert all of it; the prescriptions that count as dispensed are there already."""
        lines = _dispensed_lines()
        used: dict[int, Decimal] = defaultdict(Decimal)
        for line in lines:
            used[line.medicine_id] += line.quantity
        shelf = {
            medicine.id: self._deliveries(place, medicine, used[medicine.id])
            for place, medicine in enumerate(medicines.active())
        }
        given = self._hand_out(lines, shelf)
        batches = [batch for group in shelf.values() for batch in group]
        ids = insert_rows(StockBatch, [self._batch_row(batch) for batch in batches])
        by_batch = {id(batch): id_ for batch, id_ in zip(batches, ids, strict=True)}
        came = [self._came(batch, by_batch[id(batch)]) for batch in batches]
        insert_only(StockMove, came)
        self._write_given(given, by_batch)
        self._write_closed(lines)

    def _deliveries(self, place: int, medicine: Medicine, used: Decimal) -> list[_Batch]:
        """Enough for what was used and for what is left; of some an old batch lies there too."""
        usual = max(medicine.reorder_level, 5)
        left = Decimal(usual * self.random.randint(3, 6))
        far = _month_end(self.today + timedelta(days=self.random.randint(300, 900)))
        if place % EMPTY_AT == EMPTY_AT - 1:
            left = Decimal(0)
        elif place % SHORT_EACH == SHORT_EACH - 1:
            left = Decimal(usual // 2 + 1)
        elif place % SOON_EACH == SOON_EACH - 1:
            far = _month_end(self.today + timedelta(days=40))
        code, found = medicine.code[:3].strip("-"), []
        if used or left:
            number = f"{code}{self.random.randint(1000, 9999)}A"
            found.append(_Batch(medicine.id, number, far, used + left, used + left))
        if not used and place % EXPIRED_AT == EXPIRED_AT - 1:
            old = _month_end(self.today - timedelta(days=40))
            number = f"{code}{self.random.randint(1000, 9999)}L"
            found.append(_Batch(medicine.id, number, old, Decimal(usual), Decimal(usual)))
        return found

    def _hand_out(
        self, lines: Sequence[Row], shelf: dict[int, list[_Batch]]
    ) -> list[tuple[Row, _Batch, Decimal]]:
        """Each line's batch and what is left of it."""
        given = []
        for line in lines:
            batch = shelf[line.medicine_id][0]
            batch.left -= self._given(line)
            given.append((line, batch, batch.left))
        return given

    def _given(self, line: Row) -> Decimal:
        return line.quantity - line.quantity // 2 if _is_partial(line) else line.quantity

    def _write_given(
        self, given: Sequence[tuple[Row, _Batch, Decimal]], by_batch: dict[int, int]
    ) -> None:
        me = self.user.id
        rows = [
            {
                "line_id": line.id,
                "medicine_id": line.medicine_id,
                "batch_id": by_batch[id(batch)],
                "quantity": self._given(line),
                "given_at": line.closed_at,
                "given_by_id": me,
            }
            for line, batch, _ in given
        ]
        ids = insert_rows(Dispensing, rows)
        insert_only(
            StockMove,
            [
                {
                    "batch_id": row["batch_id"],
                    "kind": StockMoveKind.OUT,
                    "quantity": -row["quantity"],
                    "balance_after": left,
                    "dispensing_id": id_,
                    "moved_at": row["given_at"],
                    "moved_by_id": me,
                }
                for row, id_, (_, _, left) in zip(rows, ids, given, strict=True)
            ],
        )

    def _write_closed(self, lines: Sequence[Row]) -> None:
        me = {"closed_by_id": self.user.id}
        insert_only(
            DispensedLine,
            [
                {
                    "line_id": line.id,
                    "asked": line.quantity,
                    "given": self._given(line),
                    "reason": EMPTY_SHELF if _is_partial(line) else "",
                    "closed_at": line.closed_at,
                    **me,
                }
                for line in lines
            ],
        )
        closed = {line.prescription_id: line.closed_at for line in lines}
        insert_only(PrescriptionReview, [self._review(*each) for each in closed.items()])
        partial = [line.prescription_id for line in lines if _is_partial(line)]
        db.session.execute(
            update(Prescription)
            .where(Prescription.id.in_(partial))
            .values(state=PrescriptionState.PARTIAL, close_reason=EMPTY_SHELF)
            .execution_options(synchronize_session=False)
        )

    def _review(self, prescription_id: int, closed_at: datetime) -> dict[str, Any]:
        aspects = ("is_administrative", "is_pharmaceutical", "is_clinical")
        return {
            "prescription_id": prescription_id,
            "reviewed_at": closed_at - REVIEWED_BEFORE,
            "reviewed_by_id": self.user.id,
            **dict.fromkeys(aspects, True),
        }

    def _batch_row(self, batch: _Batch) -> dict[str, Any]:
        return {
            "medicine_id": batch.medicine_id,
            "number": batch.number,
            "expires_on": batch.expires_on,
            "balance": batch.left,
            "recorded_at": self.now - CAME,
            "recorded_by_id": self.user.id,
        }

    def _came(self, batch: _Batch, batch_id: int) -> dict[str, Any]:
        return {
            "batch_id": batch_id,
            "kind": StockMoveKind.IN,
            "quantity": batch.came,
            "balance_after": batch.came,
            "source": SUPPLIER,
            "moved_at": self.now - CAME,
            "moved_by_id": self.user.id,
        }


def _dispensed_lines() -> list[Row]:
    """The lines of what counts as handed out, in the order of the days."""
    line = PrescriptionLine
    columns = (line.id, line.medicine_id, line.quantity, line.position, line.prescription_id)
    rows = (
        select(*columns, Prescription.closed_at)
        .join(Prescription, Prescription.id == line.prescription_id)
        .where(
            Prescription.state == PrescriptionState.DISPENSED,
            line.ended_at.is_(None),
            line.medicine_id.is_not(None),
        )
        .order_by(Prescription.closed_at, line.id)
    )
    return list(db.session.execute(rows))


def _is_partial(line: Row) -> bool:
    is_first = line.position == 0
    return is_first and line.prescription_id % PARTIAL_EACH == 0 and line.quantity > 1


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
