"""The version of a room's queue: by it a page, and each poll, know whether anything has changed."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Row, ScalarSelect, Select, and_, bindparam, func, select

from clinic import days, settings
from db import run
from models import EntryState, QueueEntry, QueueState, ServiceDay


def version_token(
    epoch: str, day_id: int | None, version: int | None, *, is_current: bool = True
) -> str:
    """What a page knows the state of a room's queue by; opaque, never repeated by a restore.

    Between two days it goes on with that of the newest: a critical value may come then too.
    """
    return f"{epoch}.{day_id or 0}.{version or 0}" + ("" if is_current else ".0")


def present_version(poli_id: int | None) -> str:
    """The version token of the room's queue as it stands, in one query."""
    return version_of(_newest(poli_id))


def version_of(found: Row | None) -> str:
    """The version token that a row of `NEWEST` gives."""
    is_current = found is not None and days.is_current(found.day_on, found.closed_at)
    return _token(found, is_current=is_current)


class BetweenDays(NamedTuple):
    """A room's queue while no day goes on: its version token, and the end of today if it was
    closed already, with how many of the room's patients that cut off."""

    version: str
    closed_at: datetime | None
    left: int


def between_days(poli_id: int) -> BetweenDays:
    """How the room's queue stands while no day goes on, in one query."""
    found = run(_BETWEEN, {"poli_id": poli_id, "reach": days.reach()}).first()
    version = _token(found, is_current=False)
    if found is None or not days.is_current(found.day_on, None):
        return BetweenDays(version, None, 0)
    return BetweenDays(version, found.closed_at, found.left)


def _token(found: Row | None, *, is_current: bool) -> str:
    day_id, version = (found.id, found.version) if found else (None, None)
    return version_token(settings.value("epoch"), day_id, version, is_current=is_current)


def _newest(poli_id: int | None) -> Row | None:
    """The newest day, and the version of the room's queue in it."""
    return run(NEWEST, {"poli_id": poli_id, "reach": days.reach()}).first()


def _latest() -> Select:
    # The tables, not the classes: nobody needs the objects, which take four times as long.
    day, state = ServiceDay.__table__, QueueState.__table__
    here = and_(state.c.service_day_id == day.c.id, state.c.poli_id == bindparam("poli_id"))
    return (
        select(day.c.id, day.c.day_on, day.c.closed_at, state.c.version)
        .outerjoin_from(day, state, here)
        .where(days.IN_REACH)
        .order_by(day.c.day_on.desc())
        .limit(1)
    )


def _left() -> ScalarSelect:
    """How many of the room's patients the end of the newest day cut off."""
    entry, day = QueueEntry.__table__, ServiceDay.__table__
    return (
        select(func.count(entry.c.visit_id.distinct()))
        .where(
            entry.c.service_day_id == day.c.id,
            entry.c.poli_id == bindparam("poli_id"),
            entry.c.state == EntryState.UNFINISHED,
            entry.c.undone_at.is_(None),
        )
        .correlate(day)
        .scalar_subquery()
    )


# Both take `poli_id` and `reach`.
NEWEST = _latest()
_BETWEEN = NEWEST.add_columns(_left().label("left"))
