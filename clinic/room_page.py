"""What a room's queue page says around its rows; one statement, as it is opened all day long."""

from collections.abc import Collection
from typing import NamedTuple

from clinic import days, queue_version, slip_records, unfinished
from db import run, utcnow


class RoomPage(NamedTuple):
    """`cut_off` are the room's examinations that the end of a day cut off, `cut_off_today` those
    of them of a day that was closed today, `unserved` the patients who waited in vain when the day
    ended lately, `on_paper` the examinations of all the account's rooms that stand on paper only.
    """

    version: str
    cut_off: int
    cut_off_today: int
    unserved: int
    on_paper: int


_PAGE = queue_version.NEWEST.add_columns(
    unfinished.CUT_OFF.scalar_subquery().label("cut_off"),
    unfinished.CUT_OFF_OF_DAY.scalar_subquery().label("of_newest"),
    unfinished.UNSERVED.scalar_subquery().label("unserved"),
    slip_records.UNWRITTEN.scalar_subquery().label("on_paper"),
)


def present(poli_id: int, own_rooms: Collection[int]) -> RoomPage:
    """As things stand. Read before the rows: a page that is newer than its version does no harm."""
    values = {
        "poli_id": poli_id,
        "reach": days.reach(),
        "room": poli_id,
        "since": utcnow() - unfinished.KEPT_ON_LISTS,
        "lately": utcnow() - unfinished.MAY_BE_HERE,
        "rooms": list(own_rooms),
    }
    found = run(_PAGE, values).first()
    version = queue_version.version_of(found)
    if found is None:
        return RoomPage(version, 0, 0, 0, 0)
    of_today = found.of_newest if days.is_current(found.day_on, None) else 0
    return RoomPage(version, found.cut_off, of_today, found.unserved, found.on_paper)
