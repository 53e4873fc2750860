"""What watches the queues all day: the poll of a room's page and the waiting-room board."""

import json
import re
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from clinic import settings, unfinished
from clinic.days import NIGHT, STILL_HERE, current_day
from clinic.queue_order import in_calling_order
from clinic.queue_version import present_version, version_token
from clinic.signed_in import Room
from db import db, utcnow
from models import EntryState, Poli, QueueEntry, QueueState, ServiceDay, Visit

AnyRoom = TypeVar("AnyRoom", Room, Poli)
LAST_CALLS = 4  # as cards, to be read from afar
NEW_FOR = timedelta(seconds=20)
NEXT_NUMBERS = 6
WAS_CALLED = (
    EntryState.CALLED,
    EntryState.IN_SERVICE,
    EntryState.AWAITING_RESULT,
    EntryState.DONE,
)

# --- The poll ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class PollState:
    """Who polls (None: nobody is logged in), whether it is their room, and its version."""

    user_id: int | None
    role: str
    may_see: bool
    version: str


STRANGER = PollState(None, "", False, "")

# Plain SQL, and plain values out of it: 60 screens ask every five seconds, and types, sessions and
# statement building cost twice what the database does. The day is that of `days.current_day`.
POLL = """
SELECT u.id, u.role,
    u.role = 'head' AND p.id IS NOT NULL OR u.role = 'poli' AND EXISTS (
        SELECT 1 FROM user_poli m WHERE m.user_id = u.id AND m.poli_id = p.id AND m.is_active
    ),
    d.id, CAST(d.day_on AS TEXT), d.closed_at IS NULL, q.version,
    (SELECT CAST(value AS TEXT) FROM setting WHERE key = 'epoch'),
    (SELECT CAST(value AS TEXT) FROM setting WHERE key = 'time_zone')
FROM login_session s
JOIN user_account u ON u.id = s.user_id
LEFT JOIN poli p ON p.code = :code
LEFT JOIN service_day d ON d.day_on = (SELECT max(day_on) FROM service_day)
LEFT JOIN queue_state q ON q.service_day_id = d.id AND q.poli_id = p.id
WHERE s.token_digest = :digest AND s.ended_at IS NULL AND s.idle_until > :now
    AND s.expires_at > :now AND u.is_active
"""
STATEMENTS = {"sqlite": POLL, "postgresql": re.sub(r":(\w+)", r"%(\1)s", POLL)}


def poll(token_digest: str, poli_code: str, now: datetime, engine: Engine) -> PollState:
    """Session, room and version together, in one statement without the ORM."""
    values = {"digest": token_digest, "code": poli_code, "now": _bound(now, engine.dialect.name)}
    # The driver's own connection, from the pool: SQLAlchemy's wrappers cost as much as the query.
    # The cursor must be closed before its connection goes back: left to the garbage collector, it
    # resets the statement while another thread binds it anew (one poll in 5,000 failed).
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(STATEMENTS[engine.dialect.name], values)
        row = cursor.fetchone()
    if row is None:
        return STRANGER
    user_id, role, may_see, day_id, day_on, is_open, version, epoch, zone = row
    place = ZoneInfo(_setting(zone, "time_zone"))
    since, until = [(now + by).astimezone(place).date() for by in (-NIGHT, NIGHT)]
    on = date.fromisoformat(day_on) if day_id else None
    # Dated ahead by a wrong clock, or a night that may go on: rare, and there is more to ask.
    if on and (on > until or (is_open and on < since)):
        token = present_version(db.session.scalar(select(Poli.id).where(Poli.code == poli_code)))
    else:
        is_current = bool(on and is_open)
        token = version_token(_setting(epoch, "epoch"), day_id, version, is_current=is_current)
    return PollState(user_id, role, bool(may_see), token)


def _bound(now: datetime, dialect: str) -> datetime | str:
    """As the column holds it: SQLite has no instants, only their text."""
    if dialect != "sqlite":
        return now
    return now.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _setting(stored: str | None, key: str) -> str:
    return settings.DEFINITIONS[key].default if stored is None else json.loads(stored)


# --- Which rooms are shown --------------------------------------------------------------------


def in_use(rooms: list[AnyRoom]) -> list[AnyRoom]:
    """The open ones, and a closed one while a patient of today stands in it.

    The last of a room may be sent away, the room closed, and the day's closing taken back.
    """
    closed = [room.id for room in rooms if not room.is_active]
    day = current_day() if closed else None
    if day is None:
        return [room for room in rooms if room.is_active]
    busy = select(QueueEntry.poli_id).where(
        QueueEntry.service_day_id == day.id,
        QueueEntry.poli_id.in_(closed),
        QueueEntry.state.in_(STILL_HERE),
    )
    kept = set(db.session.scalars(busy))
    return [room for room in rooms if room.is_active or room.id in kept]


def of_staff(rooms: list[Room]) -> list[Room]:
    """Those in use, and a closed one while what was begun there is still to be written."""
    kept = {room.id for room in in_use(rooms)}
    kept |= unfinished.rooms_with_some([room.id for room in rooms if room.id not in kept])
    return [room for room in rooms if room.id in kept]


# --- The waiting-room board -------------------------------------------------------------------


@dataclass(frozen=True)
class BoardCall:
    label: str
    code: str
    room: str
    hue: int
    called_at: datetime
    is_new: bool


@dataclass
class BoardRoom:
    code: str
    name: str
    hue: int
    numbers: list[str] = field(default_factory=list)  # the next ones, in calling order
    waiting: int = 0


@dataclass(frozen=True)
class Board:
    """Numbers and rooms, and nothing about anybody."""

    calls: list[BoardCall]
    rooms: list[BoardRoom]
    further: list[BoardCall] = field(default_factory=list)  # called, not come yet, and no card left


def may_watch(address: str | None, networks: str) -> bool:
    """Whether this address lies in one of the networks, which are parted by spaces."""
    try:
        guest = ip_address(address or "")
    except ValueError:
        return False
    return any(guest in ip_network(network) for network in networks.split())


def board(day: ServiceDay | None, polis: list[Poli], now: datetime | None = None) -> Board:
    """The last calls, newest first, and who waits in each of these rooms.

    Who was called and has not come must find the number here, however many are called after.
    """
    rooms = {poli.id: BoardRoom(poli.code, poli.name, poli.hue) for poli in polis}
    if day is None or not polis:
        return Board([], list(rooms.values()))
    columns = (
        QueueEntry.poli_id,
        QueueEntry.state,
        QueueEntry.rank,
        QueueEntry.is_priority,
        QueueEntry.place,
        QueueEntry.seq,
        QueueEntry.called_at,
        Visit.label,
    )
    entries = db.session.execute(
        select(*columns)
        .join(Visit, Visit.id == QueueEntry.visit_id)
        .where(
            QueueEntry.service_day_id == day.id,
            QueueEntry.poli_id.in_(rooms),
            QueueEntry.state.in_([EntryState.WAITING, *WAS_CALLED]),
        )
    ).all()
    _fill_waiting(rooms, [row for row in entries if row.state is EntryState.WAITING], day)
    called = [row for row in entries if row.state in WAS_CALLED and row.called_at]
    called.sort(key=lambda row: (row.state is EntryState.CALLED, row.called_at), reverse=True)
    now = now or utcnow()
    calls = [_call(row, rooms[row.poli_id], now) for row in called[:LAST_CALLS]]
    others = [row for row in called[LAST_CALLS:] if row.state is EntryState.CALLED]
    further = [_call(row, rooms[row.poli_id], now) for row in others]
    return Board(calls, list(rooms.values()), further)


def _call(row: Any, room: BoardRoom, now: datetime) -> BoardCall:
    is_new = now - row.called_at < NEW_FOR
    return BoardCall(row.label, room.code, room.name, room.hue, row.called_at, is_new)


def _fill_waiting(rooms: dict[int, BoardRoom], entries: list, day: ServiceDay) -> None:
    ratio = settings.value("priority_ratio")
    runs = {
        state.poli_id: state.priority_run
        for state in db.session.execute(
            select(QueueState.poli_id, QueueState.priority_run).where(
                QueueState.service_day_id == day.id
            )
        )
    }
    for poli_id, room in rooms.items():
        mine = [row for row in entries if row.poli_id == poli_id]
        order = in_calling_order(mine, ratio, runs.get(poli_id, 0))
        room.waiting = len(order)
        room.numbers = [row.label for row in order[:NEXT_NUMBERS]]
