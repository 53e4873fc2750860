"""Paper slips: blocks of numbers printed ahead, and what of one its back entry needs.

The number is the key: `enter` lets each become one visit, whoever types it and how often.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select
from sqlalchemy.orm import joinedload, selectinload

from clinic import audit, counters, days, settings
from db import add_row, db, utcnow
from formatting import clock_time, day_in_zone, short_date
from models import ServiceDay, Slip, SlipBlock, Source, Visit

SERIES = "KT"  # two letters: a room's series has one, so that they never meet
MOST = 120
PRINTABLE = timedelta(minutes=30)  # afterwards a lost sheet's numbers are void, not doubled
AHEAD = timedelta(minutes=2)  # clocks on the wall differ
MIN_REASON = 4
_NUMBER = re.compile(rf"(?:{SERIES})?\s*-?\s*(\d{{1,6}})", re.IGNORECASE)
_TIME = re.compile(r"(\d{1,2})[.: ]?(\d{2})")


class SlipError(Exception):
    """A slip that cannot be entered as it is written; `field` of its line, and a sentence."""

    def __init__(self, sentence: str, field: str = "slip") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Written:
    """What a slip says besides the registration."""

    number: int
    at: datetime
    was_served: bool

    def visit_fields(self) -> dict[str, Any]:
        """The columns of its visit."""
        return {"source": Source.PAPER, "occurred_at": self.at, "label": label(self.number)}


def label(number: int) -> str:
    """The number as it is printed, called and shown: KT012."""
    return f"{SERIES}{number:03d}"


# Blocks


def print_block(actor: audit.Actor, form_key: str, count: int) -> SlipBlock:
    """Reserve the next numbers; the same press again gives the same block."""
    block = db.session.scalar(select(SlipBlock).where(SlipBlock.form_key == form_key))
    if block is not None:
        return block
    if not 1 <= count <= MOST:
        raise SlipError(f"Cetak 1 sampai {MOST} slip sekali jalan.", "count")
    numbers = [counters.next_value("slip") for _ in range(count)]
    first, last = numbers[0], numbers[-1]
    me = actor.user_id
    block = add_row(
        SlipBlock(form_key=form_key, first_number=first, last_number=last, printed_by_id=me)
    )
    rows = [
        {"block_id": block.id, "number": number, "was_served": False, "void_reason": ""}
        for number in numbers
    ]
    db.session.execute(insert(Slip.__table__), rows)
    audit.record(actor, "print_slips", block, details=f"{label(first)} {label(last)}")
    return block


def block_by_ref(public_id: str) -> SlipBlock | None:
    """The block of this id."""
    return db.session.scalar(select(SlipBlock).where(SlipBlock.public_id == public_id))


def is_printable(block: SlipBlock) -> bool:
    """Only just after it was made: a number stands on one sheet in the world."""
    return utcnow() - block.printed_at < PRINTABLE


def blocks(limit: int = 20) -> list[tuple[SlipBlock, int, int]]:
    """The newest blocks, with how many of their slips were entered and how many are void."""
    entered, void = func.count(Slip.visit_id), func.count(Slip.ended_at)
    rows = (
        select(SlipBlock, entered, void - entered)
        .join(Slip, Slip.block_id == SlipBlock.id)
        .group_by(SlipBlock.id)
        .order_by(SlipBlock.id.desc())
        .limit(limit)
        .options(selectinload(SlipBlock.printed_by))
    )
    return [tuple(row) for row in db.session.execute(rows)]


def ended(block: SlipBlock) -> list[Slip]:
    """Its slips that were entered or are void."""
    rows = select(Slip).where(Slip.block_id == block.id, Slip.ended_at.is_not(None))
    with_all = rows.options(joinedload(Slip.visit), joinedload(Slip.ended_by))
    return list(db.session.scalars(with_all.order_by(Slip.number)))


def make_void(actor: audit.Actor, typed: str, reason: str) -> Slip:
    """Mark a spoilt or lost slip: it can never be entered any more."""
    slip = _free(number_of(typed))
    if len(reason.strip()) < MIN_REASON:
        raise SlipError("Tulis mengapa slip ini batal, misalnya: sobek.", "reason")
    slip.void_reason = reason.strip()[:300]
    _end(actor, slip)
    audit.record(
        actor, "void_slip", object_type="slip", object_ref=label(slip.number), reason=reason
    )
    return slip


# Entering


def read(paper: Mapping[str, str]) -> Written:
    """What the line says, if the slip can be entered; raises SlipError."""
    number = number_of(paper.get("slip", ""))
    slip = _free(number)
    at = _instant(paper.get("on", ""), paper.get("at", ""))
    zone = settings.value("time_zone")
    if at > utcnow() + AHEAD:
        raise SlipError("Jam ini belum lewat. Periksa tanggal dan jamnya.", "at")
    if day_in_zone(at, zone) < day_in_zone(slip.block.printed_at, zone):
        printed = short_date(day_in_zone(slip.block.printed_at, zone))
        raise SlipError(f"Slip ini baru dicetak {printed}. Periksa tanggal dan nomornya.", "at")
    is_served = was_served(paper)
    if not is_served and clinic_day(paper) not in days.live_dates():
        raise SlipError("Yang masih menunggu hanya pasien hari ini.", "served")
    return Written(number, at, is_served)


def was_served(paper: Mapping[str, str]) -> bool:
    """Whether a draft is from a slip whose patient does not wait any more."""
    return bool(paper) and paper.get("served") != "menunggu"


def enter(actor: audit.Actor, written: Written, visit: Visit) -> None:
    """Make the slip this visit's. Raises SlipError when somebody entered it before."""
    slip = _free(written.number)
    slip.visit_id, slip.was_served = visit.id, written.was_served
    slip.unwritten_since = utcnow() if written.was_served else None
    _end(actor, slip)
    audit.record(actor, "enter_slip", visit, details=label(slip.number))


def entered_on(day: date, limit: int = 100) -> list[Slip]:
    """The slips of visits of this day that were entered, newest first."""
    rows = (
        select(Slip)
        .join(Slip.visit)
        .join(Visit.service_day)
        .where(ServiceDay.on == day)
        .options(joinedload(Slip.visit).joinedload(Visit.patient))
        .order_by(Slip.number.desc())
        .limit(limit)
    )
    return list(db.session.scalars(rows))


def number_of(typed: str) -> int:
    """The number of what was typed: 12, KT012, kt-12."""
    found = _NUMBER.fullmatch(typed.strip())
    if not found:
        raise SlipError(f"Isi nomor slip seperti di kertasnya, misalnya {label(12)}.")
    return int(found[1])


def clinic_day(paper: Mapping[str, str]) -> date | None:
    """The day on the line, of a draft that has one."""
    return date.fromisoformat(paper["on"]) if paper.get("on") else None


def _free(number: int) -> Slip:
    whole = joinedload(Slip.block), joinedload(Slip.ended_by), joinedload(Slip.visit)
    slip = db.session.scalar(select(Slip).where(Slip.number == number).options(*whole))
    if slip is None:
        raise SlipError(f"Slip {label(number)} tidak pernah dicetak di sini. Periksa nomornya.")
    if slip.ended_at is None:
        return slip
    zone = settings.value("time_zone")
    when = f"{short_date(day_in_zone(slip.ended_at, zone))} {clock_time(slip.ended_at, zone)}"
    who = slip.ended_by.display_name if slip.ended_by else ""
    if slip.visit_id is None:
        raise SlipError(f"Slip {label(number)} ditandai batal oleh {who}, {when}.")
    raise SlipError(f"Slip {label(number)} sudah dimasukkan oleh {who}, {when}.")


def _end(actor: audit.Actor, slip: Slip) -> None:
    slip.ended_at, slip.ended_by_id = utcnow(), actor.user_id
    db.session.flush()


def _instant(on: str, typed: str) -> datetime:
    found = _TIME.fullmatch(typed.strip())
    hour, minute = (int(found[1]), int(found[2])) if found else (99, 99)
    if hour > 23 or minute > 59:
        raise SlipError("Isi jam seperti 08.15.", "at")
    day, zone = date.fromisoformat(on), ZoneInfo(settings.value("time_zone"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
