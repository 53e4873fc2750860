"""Laboratory orders and results as they are read: by visit, in words."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import joinedload

from clinic.lab_values import CRITICAL, range_text, shown
from clinic.queue_steps import GIVEN_UP
from db import db, grouped
from models import (
    LabFlag,
    LabOrder,
    LabOrderState,
    LabOrderTest,
    LabResult,
    LabTest,
    QueueEntry,
)

FLAG_WORDS = {
    LabFlag.NORMAL: "normal",
    LabFlag.LOW: "rendah",
    LabFlag.HIGH: "tinggi",
    LabFlag.CRITICAL_LOW: "kritis rendah",
    LabFlag.CRITICAL_HIGH: "kritis tinggi",
    LabFlag.ABNORMAL: "tidak normal",
    LabFlag.CRITICAL: "kritis",
}
STATE_WORDS = {
    LabOrderState.ORDERED: "menunggu sampel",
    LabOrderState.SAMPLED: "sedang dikerjakan",
    LabOrderState.RESULTED: "selesai",
    LabOrderState.VALIDATED: "selesai, divalidasi",
    LabOrderState.CANCELLED: "dibatalkan",
}
CLOSED = (LabOrderState.RESULTED, LabOrderState.VALIDATED)


def is_unusual(flag: LabFlag | None) -> bool:
    """Whether a value asks to be looked at."""
    return flag not in (None, LabFlag.NORMAL)


@dataclass(frozen=True)
class Value:
    """One result in words."""

    ref: str
    text: str  # with its unit
    flag: LabFlag | None
    range: str
    is_preliminary: bool
    author: str
    at: datetime
    end_reason: str = ""
    validated_by: str = ""
    number: Decimal | None = None

    @property
    def flag_text(self) -> str:
        return FLAG_WORDS.get(self.flag, "")

    @property
    def is_critical(self) -> bool:
        return self.flag in CRITICAL

    @property
    def is_unusual(self) -> bool:
        return is_unusual(self.flag)


@dataclass(frozen=True)
class Line:
    """An ordered test: its result, those that it replaced, or why there is none."""

    name: str
    value: Value | None
    earlier: tuple[Value, ...] = ()
    not_done: str = ""
    code: str = ""
    ref: str = ""  # of what was ordered
    choices: tuple[str, ...] = ()  # none: a number or a text

    @property
    def form_ref(self) -> str:
        """What the laboratory's forms name: the result, or the line that has none."""
        return self.value.ref if self.value else self.ref


@dataclass(frozen=True)
class Report:
    """One order with all that came of it."""

    ref: str
    entry_ref: str
    room_code: str
    room: str
    state: LabOrderState
    author: str
    at: datetime
    note: str
    cancel_reason: str
    lines: tuple[Line, ...]
    needs_validation: bool
    is_left_behind: bool  # the stay that asked was given up

    @property
    def state_text(self) -> str:
        return STATE_WORDS[self.state]

    @property
    def is_closed(self) -> bool:
        return self.state in CLOSED

    @property
    def waits_for_validation(self) -> bool:
        return self.state is LabOrderState.RESULTED and self.needs_validation

    @property
    def short_text(self) -> str:
        """The values in one line, those to look at with their words."""
        parts = []
        for line in self.lines:
            if line.value:
                words = f" ({line.value.flag_text})" if line.value.is_unusual else ""
                parts.append(f"{line.name} {line.value.text}{words}")
        return "; ".join(parts)


def by_visit(visit_ids: Iterable[int]) -> dict[int, tuple[Report, ...]]:
    """All orders of these visits, oldest first; 3 queries, one when there is none."""
    orders = list(
        db.session.scalars(
            select(LabOrder)
            .options(
                joinedload(LabOrder.entry).joinedload(QueueEntry.poli),
                joinedload(LabOrder.ordered_by),
            )
            .where(LabOrder.visit_id.in_(list(visit_ids)))
            .order_by(LabOrder.id)
        )
    )
    if not orders:
        return {}
    ids = [order.id for order in orders]
    items, results = _items(ids), _results(ids)
    found = defaultdict(tuple)
    for order in orders:
        found[order.visit_id] += (_report(order, items.get(order.id, []), results),)
    return found


def _items(order_ids: list[int]) -> dict[int, list[LabOrderTest]]:
    """Of each test the newest line: a result that came later has one beside why there was none."""
    rows = (
        select(LabOrderTest)
        .join(LabOrderTest.test)
        .options(joinedload(LabOrderTest.test))
        .where(LabOrderTest.order_id.in_(order_ids))
        .where(LabOrderTest.ended_at.is_(None) | (LabOrderTest.not_done_reason != ""))
        .order_by(LabTest.position, LabOrderTest.id)
    )
    found = grouped(rows, "order_id")
    return {key: list({row.test_id: row for row in lines}.values()) for key, lines in found.items()}


def _results(order_ids: list[int]) -> dict[tuple[int, int], list[LabResult]]:
    rows = (
        select(LabResult)
        .options(joinedload(LabResult.resulted_by), joinedload(LabResult.validated_by))
        .where(LabResult.order_id.in_(order_ids))
        .order_by(LabResult.id)
    )
    found = defaultdict(list)
    for row in db.session.scalars(rows):
        found[row.order_id, row.test_id].append(row)
    return found


def _report(
    order: LabOrder,
    items: list[LabOrderTest],
    results: dict[tuple[int, int], list[LabResult]],
) -> Report:
    lines = [_line(order, item, results.get((order.id, item.test_id), [])) for item in items]
    return Report(
        ref=order.public_id,
        entry_ref=order.entry.public_id,
        room_code=order.entry.poli.code,
        room=order.entry.poli.name,
        state=order.state,
        author=order.ordered_by.display_name,
        at=order.ordered_at,
        note=order.note,
        cancel_reason=order.cancel_reason,
        lines=tuple(lines),
        needs_validation=order.needs_validation,
        is_left_behind=order.entry.state in GIVEN_UP,
    )


def _line(order: LabOrder, item: LabOrderTest, rows: list[LabResult]) -> Line:
    # What the laboratory is still writing is not yet a result, unless it is critical.
    shown = [row for row in rows if order.state in CLOSED or row.flag in CRITICAL]
    current = next((row for row in shown if row.ended_at is None), None)
    # Of the replaced ones those that somebody outside the laboratory could read.
    earlier = [
        _value(order, row)
        for row in rows
        if row.ended_at and (row.flag in CRITICAL or _was_shown(order, row))
    ]
    return Line(
        name=item.test.name,
        value=_value(order, current) if current else None,
        earlier=tuple(earlier),
        not_done=item.not_done_reason,
        code=item.test.code,
        ref=item.public_id,
        choices=tuple(item.test.choice_list),
    )


def _was_shown(order: LabOrder, row: LabResult) -> bool:
    return order.resulted_at is not None and row.ended_at >= order.resulted_at


def _value(order: LabOrder, row: LabResult) -> Value:
    checker = row.validated_by.display_name if row.validated_by else ""
    return Value(
        ref=row.public_id,
        text=f"{shown(row.value, row.number)} {row.unit}".strip(),
        flag=row.flag,
        range=range_text(row.low, row.high),
        is_preliminary=is_preliminary_result(order.state, order.needs_validation, row.validated_at),
        author=row.resulted_by.display_name,
        at=row.resulted_at,
        end_reason=row.end_reason,
        validated_by=checker,
        number=row.number,
    )


def number_of(code: str, reports: Iterable[Report]) -> Decimal | None:
    """The newest number of this test."""
    values = [line.value for report in reports for line in report.lines if line.code == code]
    numbers = [value.number for value in values if value and value.number is not None]
    return numbers[-1] if numbers else None


def is_readable() -> ColumnElement[bool]:
    """In SQL: a current result that people outside the laboratory see, see `_line`."""
    return and_(
        LabResult.ended_at.is_(None),
        LabOrder.state != LabOrderState.CANCELLED,
        or_(LabOrder.state.in_(CLOSED), LabResult.flag.in_(CRITICAL)),
    )


def is_final() -> ColumnElement[bool]:
    """In SQL: a current result that the laboratory stands by, see `is_preliminary_result`."""
    is_closed = and_(LabOrder.state.in_(CLOSED), LabOrder.needs_validation.is_(False))
    return and_(is_readable(), or_(LabResult.validated_at.is_not(None), is_closed))


def is_preliminary_result(
    state: LabOrderState, needs_validation: bool, validated_at: datetime | None
) -> bool:
    """Whether the laboratory may still change it: not finished, or not validated yet."""
    return validated_at is None and (state not in CLOSED or needs_validation)
