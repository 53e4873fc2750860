"""The order in which a room's patients are called."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import select

from clinic import settings
from db import db
from models import EntryState, QueueEntry, QueueState

FIRST = 0  # the rank of emergencies
REST = 2  # the rank in which priority patients and the others take turns


class InLine(Protocol):
    rank: int
    is_priority: bool
    place: int
    seq: int


Entry = TypeVar("Entry", bound=InLine)


def in_calling_order(entries: Sequence[Entry], ratio: int, run: int) -> list[Entry]:
    """Emergencies, results come back, then `ratio` priority patients for one other.

    `run` counts the priority patients called since the last other one; ratio 0 means first come,
    first served. Within a class the place decides.
    """
    by_place = sorted(entries, key=lambda entry: (entry.rank, entry.place, entry.seq))
    if ratio == 0:
        return by_place
    order = [entry for entry in by_place if entry.rank < REST]
    rest = by_place[len(order) :]
    priority = deque(entry for entry in rest if entry.is_priority)
    others = deque(entry for entry in rest if not entry.is_priority)
    while priority and others:
        if run < ratio:
            order.append(priority.popleft())
            run += 1
        else:
            order.append(others.popleft())
            run = 0
    return [*order, *priority, *others]


@dataclass(frozen=True, slots=True, eq=False)
class _Stand:
    rank: int
    is_priority: bool
    place: int
    seq: int


def put_back(
    entry: InLine, line: Sequence[Entry], behind: int, ratio: int, run: int
) -> tuple[int, bool, list[Entry], int]:
    """Where someone returns: rank, priority, those of that class, and the position among them.

    Behind the next `behind` of the calling order, never before one's own old place. Who would
    overtake them by priority gives it up; an emergency never does.
    """
    next_ones = line[:behind]
    lanes = [(entry.rank, entry.is_priority)] + [(REST, False)] * (entry.rank > 0)
    for rank, is_priority in lanes:
        lane = [
            other
            for other in sorted(line, key=lambda other: (other.place, other.seq))
            if other.rank == rank
            and (rank < REST or ratio == 0 or other.is_priority == is_priority)
        ]
        behind_next = [spot + 1 for spot, other in enumerate(lane) if other in next_ones]
        # A place counts in its own class only: who is back with a result, or gives up priority, may
        # have a late one, and still stood before everybody of the rest.
        is_own_class = (rank, is_priority) == (entry.rank, entry.is_priority)
        own = sum(other.place < entry.place for other in lane) if is_own_class else 0
        at = max([*behind_next, own])
        # Just before the next of the lane, and behind who has the same place: a move keeps places.
        place, seq = (lane[at].place, lane[at].seq - 1) if at < len(lane) else (1 << 62, 0)
        mine = _Stand(rank, is_priority, place, seq)
        stands = [_Stand(o.rank, o.is_priority, o.place, o.seq) for o in line]
        if in_calling_order([*stands, mine], ratio, run).index(mine) >= len(next_ones):
            break
    return rank, is_priority, lane, at


def waiting(day_id: int, poli_id: int) -> list[Any]:
    """Rows (id, rank, is_priority, place, seq) of who waits in a room, in no order."""
    columns = (
        QueueEntry.id,
        QueueEntry.rank,
        QueueEntry.is_priority,
        QueueEntry.place,
        QueueEntry.seq,
    )
    return list(
        db.session.execute(
            select(*columns).where(
                QueueEntry.service_day_id == day_id,
                QueueEntry.poli_id == poli_id,
                QueueEntry.state == EntryState.WAITING,
            )
        )
    )


def people_before(entry: QueueEntry) -> int:
    """How many will be called before this entry, as the line stands; 0 when it does not wait.

    On PostgreSQL the line is read later than the entry, which may have been called meanwhile.
    """
    if entry.state is not EntryState.WAITING:
        return 0
    state = db.session.get(QueueState, (entry.service_day_id, entry.poli_id))
    order = in_calling_order(
        waiting(entry.service_day_id, entry.poli_id),
        settings.value("priority_ratio"),
        state.priority_run if state else 0,
    )
    return next((before for before, row in enumerate(order) if row.id == entry.id), 0)
