"""Prescriptions as they are read in a record: by visit, in words."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from clinic.dispensing_reports import (
    GIVEN,
    NONE_GIVEN,
    Handed,
    by_line,
    given_text,
    handed_text,
    is_given,
)
from clinic.prescription_compounds import text_of
from db import db
from formatting import number_text
from models import (
    Examination,
    Prescription,
    PrescriptionLine,
    PrescriptionState,
    QueueEntry,
)

STATE_WORDS = {
    PrescriptionState.DRAFT: "konsep",
    PrescriptionState.SENT: "menunggu farmasi",
    PrescriptionState.REVIEWED: "ditelaah farmasi",
    PrescriptionState.DISPENSED: "sudah diserahkan",
    PrescriptionState.PARTIAL: "diserahkan sebagian",
    PrescriptionState.CANCELLED: "dibatalkan",
}
PRESCRIBED = "diresepkan"
NEVER_SENT = "tidak jadi"  # its stay ended first
OPEN = (PrescriptionState.SENT, PrescriptionState.REVIEWED)
GLANCE = 160  # letters of a prescription in a table of visits
HANDED_OUT = (PrescriptionState.DISPENSED, PrescriptionState.PARTIAL)


@dataclass(frozen=True)
class Line:
    """One medicine in words; `end_reason` when it was taken back after it was sent."""

    ref: str
    title: str
    instruction: str
    amount: str
    parts: tuple[str, ...] = ()
    replaces: str = ""  # the title that the pharmacy's substitute stands for
    replace_reason: str = ""
    end_reason: str = ""
    is_ended: bool = False
    handed: str = ""  # what the pharmacy gave of it
    given: str = ""  # the same without reasons, for the patient's papers
    is_given: bool = False

    @property
    def ordered_text(self) -> str:
        return f"{self.title} {self.instruction}".strip()

    @property
    def short_text(self) -> str:
        """What was ordered, and of what was not handed out (in full) that too."""
        is_as_ordered = self.given in ("", GIVEN)
        return self.ordered_text if is_as_ordered else f"{self.ordered_text} ({self.given})"

    @property
    def paper_text(self) -> str:
        """What a paper says of it: how it is taken, how much there is and was given.

        Until the pharmacy has closed it, it was only prescribed.
        """
        parts = f" ({'; '.join(self.parts)})" if self.parts else ""
        amount = ", ".join(filter(None, [self.amount, self.given or PRESCRIBED]))
        return f"{self.title}{parts}, {self.instruction} ({amount})"


@dataclass(frozen=True)
class Report:
    """One prescription."""

    ref: str
    entry_ref: str
    examination_id: int
    room_code: str
    room: str
    number: str
    state: PrescriptionState
    author: str
    at: datetime
    note: str
    close_reason: str
    lines: tuple[Line, ...]

    @property
    def state_text(self) -> str:
        if not self.number:
            return NEVER_SENT
        is_none = not any(line.is_given for line in self.lines)
        if self.state is PrescriptionState.PARTIAL and is_none:
            return NONE_GIVEN
        return STATE_WORDS[self.state]

    @property
    def is_open(self) -> bool:
        """With the pharmacy and not given yet, so that its room may still take it back."""
        return self.state in OPEN

    @property
    def is_cancelled(self) -> bool:
        return self.state is PrescriptionState.CANCELLED

    @property
    def held(self) -> tuple[Line, ...]:
        """What holds of it; nothing of a cancelled one."""
        if self.is_cancelled:
            return ()
        return tuple(line for line in self.lines if not line.is_ended)

    @property
    def short_text(self) -> str:
        """What holds of it in one line."""
        return "; ".join(line.short_text for line in self.held)

    @property
    def glance_text(self) -> str:
        """The same for a table: whole medicines, as a cut could take off that one was refused."""
        texts = [line.short_text for line in self.held]
        shown = texts[:1]
        for text in texts[1:]:
            if len("; ".join([*shown, text])) > GLANCE:
                break
            shown.append(text)
        left = len(texts) - len(shown)
        return "; ".join(shown + [f"{left} obat lagi"] * bool(left))


def by_visit(visit_ids: Iterable[int]) -> dict[int, tuple[Report, ...]]:
    """All prescriptions of these visits, oldest first; 3 queries, 5 when some were
    handed out, one when there is none.

    A draft is its room's own until it is sent; what was cancelled as an empty draft is nobody's.
    """
    lines = selectinload(Prescription.lines)
    was_sent = Prescription.number.is_not(None)
    is_dropped = (Prescription.state == PrescriptionState.CANCELLED) & Prescription.lines.any(
        PrescriptionLine.ended_at.is_(None)
    )
    rows = (
        select(Prescription)
        .options(
            lines.selectinload(PrescriptionLine.components),
            lines.joinedload(PrescriptionLine.replaces),
            joinedload(Prescription.practitioner),
            joinedload(Prescription.recorded_by),
            joinedload(Prescription.examination)
            .joinedload(Examination.entry)
            .joinedload(QueueEntry.poli),
        )
        .where(Prescription.visit_id.in_(list(visit_ids)), was_sent | is_dropped)
        .order_by(Prescription.id)
    )
    sent = list(db.session.scalars(rows))
    closed = [each for each in sent if each.state in HANDED_OUT]
    handed = by_line(line.id for each in closed for line in each.lines)
    found: dict[int, tuple[Report, ...]] = defaultdict(tuple)
    for prescription in sent:
        found[prescription.visit_id] += (_report(prescription, handed),)
    return found


def _report(prescription: Prescription, handed: Mapping[int, Handed]) -> Report:
    entry, who = prescription.examination.entry, prescription.practitioner
    return Report(
        ref=prescription.public_id,
        entry_ref=entry.public_id,
        examination_id=prescription.examination_id,
        room_code=entry.poli.code,
        room=entry.poli.name,
        number=prescription.number or "",
        state=prescription.state,
        author=who.name if who else prescription.recorded_by.display_name,
        at=prescription.sent_at or prescription.closed_at,
        note=prescription.note,
        close_reason=prescription.close_reason,
        lines=tuple(
            _line(row, handed.get(row.id))
            for row in prescription.lines
            if _was_sent(prescription, row)
        ),
    )


def _was_sent(prescription: Prescription, row: PrescriptionLine) -> bool:
    # What came and went while the prescriber was still writing was never ordered.
    sent_at = prescription.sent_at
    return row.ended_at is None or (sent_at is not None and row.ended_at > sent_at)


def _line(row: PrescriptionLine, handed: Handed | None) -> Line:
    return Line(
        ref=row.public_id,
        title=row.title,
        instruction=row.instruction,
        amount=f"{number_text(row.quantity)} {row.unit}",
        parts=tuple(text_of(each) for each in row.components),
        replaces=row.replaces.title if row.replaces else "",
        replace_reason=row.replace_reason,
        end_reason=row.end_reason,
        is_ended=row.ended_at is not None,
        handed=handed_text(row, handed),
        given=given_text(row, handed),
        is_given=is_given(handed),
    )
