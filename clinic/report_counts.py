"""Counting: which rows of a fact fit, and how many there are of each kind."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import aliased

from clinic.report_facts import Fact, Where, was_there
from clinic.report_periods import Period
from db import db
from models import Poli, QueueEntry, ServiceDay, Visit


def rows_of(fact: Fact, period: Period, where: Where, room: str = "") -> Select:
    """The fact's rows of a period that fit; with a room, only what happened there."""
    rows = fact.rows_of_room if room and fact.rows_of_room is not None else fact.rows
    found = rows.where(ServiceDay.on.between(period.first, period.last))
    if room:
        found = found.where(_in_room(fact, room))
    return found.where(*(_holds(fact.dims[name], wanted) for name, wanted in where.items()))


def _holds(dim: ColumnElement[Any], wanted: str | Iterable[str]) -> ColumnElement[bool]:
    return dim == wanted if isinstance(wanted, str) else dim.in_(list(wanted))


def _in_room(fact: Fact, code: str) -> ColumnElement[bool]:
    if "room" in fact.dims:
        return fact.dims["room"] == code
    there, poli = aliased(QueueEntry), aliased(Poli)
    return exists().where(
        there.visit_id == Visit.id,
        there.poli_id == poli.id,
        poli.code == code,
        *was_there(there),
    )


def counts(
    fact: Fact, dims: Iterable[str], period: Period, where: Where, room: str = ""
) -> list[tuple[tuple[str, ...], int]]:
    """How many there are of each combination of these dimensions: one query."""
    # Grouped from outside: PostgreSQL takes an expression with parameters, written twice, for two.
    columns = [fact.dims[name].label(f"dim_{place}") for place, name in enumerate(dims)]
    inner = rows_of(fact, period, where, room).with_only_columns(
        *columns, ServiceDay.id.label("day_id"), maintain_column_froms=True
    )
    found = inner.subquery()
    keys = [found.c[column.name] for column in columns]
    grouped = select(*keys, func.count()).select_from(found).group_by(*keys)
    return [(tuple(values), number) for *values, number in db.session.execute(grouped)]
