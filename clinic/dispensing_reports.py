"""What was handed out, in words, beside what was prescribed."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import joinedload

from db import db, grouped
from formatting import number_text
from models import DispensedLine, Dispensing, Prescription, PrescriptionLine, PrescriptionState

GIVEN, NONE_GIVEN = "diserahkan", "tidak diserahkan"
STATE_WORDS = {
    PrescriptionState.SENT: "menunggu telaah",
    PrescriptionState.REVIEWED: "sudah ditelaah",
    PrescriptionState.DISPENSED: GIVEN,
    PrescriptionState.PARTIAL: "diserahkan sebagian",
    PrescriptionState.CANCELLED: "dibatalkan",
}


@dataclass(frozen=True)
class Handed:
    """What became of one line: how much was given, of which batches, and what came back."""

    closed: DispensedLine | None = None
    held: tuple[Dispensing, ...] = ()
    returned: tuple[Dispensing, ...] = ()

    def came_back(self, row: Dispensing) -> str:
        """How much of a returned row; what stayed with the patient is the row after it."""
        same = [
            each
            for each in (*self.returned, *self.held)
            if each.id > row.id
            and (each.component_id, each.batch_id) == (row.component_id, row.batch_id)
        ]
        kept = min(same, key=lambda each: each.id).quantity if same else 0
        return f"{number_text(row.quantity - kept)} {row.medicine.unit}"


def by_line(line_ids: Iterable[int]) -> dict[int, Handed]:
    """What was handed out for these lines; 2 queries, however many they are."""
    wanted = list(line_ids)
    if not wanted:
        return {}
    closed_rows = select(DispensedLine).options(joinedload(DispensedLine.closed_by))
    closed = {
        row.line_id: row
        for row in db.session.scalars(closed_rows.where(DispensedLine.line_id.in_(wanted)))
    }
    rows = (
        select(Dispensing)
        .options(
            joinedload(Dispensing.medicine),
            joinedload(Dispensing.batch),
            joinedload(Dispensing.given_by),
            joinedload(Dispensing.ended_by),
        )
        .where(Dispensing.line_id.in_(wanted))
        .order_by(Dispensing.id)
    )
    found = grouped(rows, "line_id")
    return {
        line_id: Handed(
            closed.get(line_id),
            tuple(row for row in found[line_id] if row.ended_at is None),
            tuple(row for row in found[line_id] if row.ended_at is not None),
        )
        for line_id in wanted
        if line_id in closed or found[line_id]
    }


def is_begun(prescription_id: int) -> bool:
    """Whether anything of it has left the pharmacy, also what was taken back since."""
    mine = PrescriptionLine.prescription_id == prescription_id
    given = select(Dispensing.id).join(Dispensing.line).where(mine)
    closed = select(DispensedLine.id).join(DispensedLine.line).where(mine, DispensedLine.given > 0)
    return any(db.session.scalar(rows.limit(1)) is not None for rows in (given, closed))


def is_given(handed: Handed | None) -> bool:
    """Whether the pharmacy gave anything of the line."""
    return handed is not None and handed.closed is not None and handed.closed.given > 0


def closed_text(prescription: Prescription) -> str:
    """Of a closed prescription whether all of it, a part or nothing was handed out; 2 queries."""
    handed = by_line(line.id for line in prescription.lines)
    return STATE_WORDS[prescription.state] if any(map(is_given, handed.values())) else NONE_GIVEN


def kept(line: PrescriptionLine, handed: Handed | None) -> Decimal | None:
    """How much of the line the patient has: all, until this pharmacy has closed it."""
    if handed is None or handed.closed is None or handed.closed.is_outside:
        return line.quantity
    if line.is_compound:  # of its parts nobody takes back half a packet
        return handed.closed.given if handed.held or not handed.returned else Decimal(0)
    return sum((row.quantity for row in handed.held), Decimal(0))


def none_kept() -> ColumnElement[bool]:
    """Of a query's prescription lines: closed, and the patient has nothing of it (see `kept`)."""
    mine = Dispensing.line_id == DispensedLine.line_id
    held = select(Dispensing.id).where(mine, Dispensing.ended_at.is_(None))
    returned = select(Dispensing.id).where(mine, Dispensing.ended_at.is_not(None))
    nothing = or_(DispensedLine.given == 0, returned.exists() & ~held.exists())
    rows = select(DispensedLine.id).where(DispensedLine.line_id == PrescriptionLine.id, nothing)
    return rows.where(DispensedLine.is_outside.is_(False)).exists()


def given_text(line: PrescriptionLine, handed: Handed | None) -> str:
    """The same for the patient's papers: how much, without anybody's reasons."""
    if handed is None or handed.closed is None:
        return ""
    closed = handed.closed
    if closed.is_outside:
        return "resep luar"
    if not closed.given:
        return NONE_GIVEN
    text = GIVEN
    if closed.given < closed.asked:
        text += f" {number_text(closed.given)} {line.unit}"
    if handed.returned:
        text += ", sebagian dikembalikan" if handed.held else ", dikembalikan"
    return text


def handed_text(line: PrescriptionLine, handed: Handed | None) -> str:
    """In a few words, beside what was prescribed; '' while nothing has happened."""
    if handed is None or handed.closed is None:
        return ""
    closed = handed.closed
    if closed.is_outside:
        return "resep luar, disalin"
    text = NONE_GIVEN
    if closed.given:
        text = f"diserahkan {number_text(closed.given)} {line.unit}"
    if closed.reason:
        text += f" ({closed.reason})"
    for row in handed.returned:
        name = f" {row.medicine.name}" if line.is_compound else ""
        text += f"; kembali {handed.came_back(row)}{name}: {row.end_reason}"
    return text
