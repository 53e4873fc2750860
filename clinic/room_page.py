"""What a room's queue page says around its rows; one statement, as it is opened all day long."""

from collections.abc import Collection
from typing import NamedTuple

from clinic import days, queue_version, slip_records, unfinished
from db import run, utcnow


class RoomPage(NamedTuple):
    """`cut_off` are the room's examinations that an earlier day's end cut off, `on_paper` those of
    all the account's rooms that stand on paper only."""

    version: str
    cut_off: int
    on_paper: int


_PAGE = queue_version.NEWEST.add_columns(
    unfinished.CUT_OFF.scalar_subquery().label("cut_off"),
    slip_records.UNWRITTEN.scalar_subquery().label("on_paper"),
)


def present(poli_id: int, own_rooms: Collection[int]) -> RoomPage:
    """As things stand. Read before the rows: a page that is newer than its version does no harm."""
    values = {
        "poli_id": poli_id,
        "reach": days.reach(),
        "room": poli_id,
        "since": utcnow() - unfinished.KEPT_ON_LISTS,
        "rooms": list(own_rooms),
    }
    found = run(_PAGE, values).first()
    version = queue_version.version_of(found)
    return RoomPage(version, found.cut_off, found.on_paper) if found else RoomPage(version, 0, 0)
