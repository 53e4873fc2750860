"""Prescriptions: written with the examination's draft, sent at "Selesai", taken back with a reason.

A line is never changed: what differs ends it and adds another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.attributes import flag_modified

from clinic import audit, counters, prescription_directions, prescription_warnings, settings
from clinic.audit import Actor
from clinic.prescription_lines import LineError, LineInput, WantedLine, usable, wanted_lines
from clinic.record_errors import RecordError, refuse
from db import add_row, db, utcnow
from formatting import day_in_zone
from models import (
    Examination,
    Prescription,
    PrescriptionComponent,
    PrescriptionLine,
    PrescriptionState,
    QueueEntry,
    User,
)
from validators import FieldError, clean_text

LONGEST_NOTE = 300
# With the pharmacy, and not given yet.
OPEN = (PrescriptionState.SENT, PrescriptionState.REVIEWED)
TAKEN_OFF = "Semua obat dihapus dari formulir oleh penulis resep"


@dataclass(frozen=True)
class PrescriptionInput:
    """What the examination's form said of medicines."""

    lines: Sequence[LineInput]
    note: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)  # of warnings, by their key


def whole():
    """Prescriptions with all that a reader of one needs."""
    lines = selectinload(Prescription.lines)
    components = lines.selectinload(PrescriptionLine.components)
    return (
        select(Prescription)
        .options(
            lines.joinedload(PrescriptionLine.medicine),
            components.joinedload(PrescriptionComponent.medicine),
            joinedload(Prescription.recorded_by),
            joinedload(Prescription.examination)
            .joinedload(Examination.entry)
            .joinedload(QueueEntry.poli),
        )
        .execution_options(populate_existing=True)
    )


def by_ref(ref: str) -> Prescription | None:
    """The prescription of this public id."""
    return db.session.scalar(whole().where(Prescription.public_id == ref))


def of(examination: Examination | None) -> Prescription | None:
    """The examination's prescription, unless it was cancelled."""
    if examination is None:
        return None
    is_current = Prescription.state != PrescriptionState.CANCELLED
    return db.session.scalar(
        whole().where(Prescription.examination_id == examination.id, is_current)
    )


def active_lines(prescription: Prescription | None) -> list[PrescriptionLine]:
    """The lines that hold now."""
    return [line for line in prescription.lines if line.ended_at is None] if prescription else []


# --- With the examination's draft -------------------------------------------------------------


def write(actor: Actor, examination: Examination, entered: PrescriptionInput) -> bool:
    """Make the draft what the form says; tells whether anything changed. Raises LineError."""
    wanted = wanted_lines(entered.lines)
    note = clean_text(entered.note, LONGEST_NOTE)
    prescription = of(examination)
    if prescription is None:
        if not wanted:
            return False
        prescription = _begin(actor, examination)
    if prescription.state is not PrescriptionState.DRAFT:
        raise RecordError("Resep ini sudah dikirim ke farmasi, jadi tidak berubah lagi.")
    changed = _set_lines(actor, prescription, wanted)
    if prescription.note != note:
        prescription.note, changed = note, True
    elif changed:
        touch(prescription)
    db.session.flush()
    prescription_warnings.answer(actor, prescription, entered.reasons)
    return changed


def says_the_same(examination: Examination, entered: PrescriptionInput) -> bool:
    """Whether the form asks for what is written already."""
    prescription = of(examination)
    try:
        note = clean_text(entered.note, LONGEST_NOTE)
        wanted = [line.identity for line in wanted_lines(entered.lines)]
    except (RecordError, FieldError):
        return False
    if note != (prescription.note if prescription else ""):
        return False
    return wanted == [identity(line) for line in active_lines(prescription)]


def identity(row: PrescriptionLine) -> tuple:
    """Equal for a stored line and a wanted one that says the same."""
    names = ("title", "medicine", "is_compound", "dose", "dose_unit", "times_a_day", "days")
    values = {name: getattr(row, name) for name in names}
    values |= {name: getattr(row, name) for name in ("quantity", "unit", "instruction")}
    return WantedLine(**values, components=tuple(row.components)).identity


def touch(prescription: Prescription) -> None:
    """Its lines changed: whoever has it open must be told by the version."""
    flag_modified(prescription, "note")


def _begin(actor: Actor, examination: Examination) -> Prescription:
    prescription = Prescription(
        visit_id=examination.visit_id,
        examination_id=examination.id,
        practitioner_id=examination.practitioner_id,
        recorded_by_id=actor.user_id,
    )
    return add_row(prescription)


def _set_lines(actor: Actor, prescription: Prescription, wanted: Sequence[WantedLine]) -> bool:
    """End what is no longer wanted, add what is new; the order follows the form."""
    present = active_lines(prescription)
    before = [identity(line) for line in present]
    kept: list[PrescriptionLine] = []
    for place, line in enumerate(wanted):
        same = next(
            (row for row in present if row not in kept and identity(row) == line.identity), None
        )
        row = same or add_line(actor, prescription, line)
        row.position = place
        kept.append(row)
    for row in present:
        if row not in kept:
            row.ended_at, row.ended_by_id = utcnow(), actor.user_id
    db.session.flush()
    return before != [line.identity for line in wanted]


def add_line(actor: Actor, prescription: Prescription, line: WantedLine) -> PrescriptionLine:
    """Write one line, behind the others."""
    row = PrescriptionLine(
        medicine=line.medicine,
        title=line.title,
        is_compound=line.is_compound,
        dose=line.dose,
        dose_unit=line.dose_unit,
        times_a_day=line.times_a_day,
        days=line.days,
        is_as_needed=line.is_as_needed,
        quantity=line.quantity,
        unit=line.unit,
        instruction=line.instruction,
        recorded_by_id=actor.user_id,
        components=[
            PrescriptionComponent(
                position=place,
                medicine=each.medicine,
                title=each.title,
                amount=each.amount,
                unit=each.unit,
            )
            for place, each in enumerate(line.components)
        ],
    )
    prescription.lines.append(row)
    db.session.flush()
    return row


# --- Sent -------------------------------------------------------------------------------------


def refuse_incomplete(prescription: Prescription | None) -> None:
    """Raise LineError for what a pharmacy could not read, RecordError for an open warning.

    All of it at once: each press that meets only the next one costs the doctor a page.
    """
    problems: list[RecordError] = []
    for place, line in enumerate(active_lines(prescription)):
        problems += [LineError(text, "", box, place) for box, text in _gaps(line)]
    if prescription and prescription_warnings.unanswered(prescription):
        sentence = "Tulis alasan di setiap peringatan resep, atau ubah obatnya."
        problems.append(RecordError(sentence, "warnings"))
    refuse(problems)


def gaps(entered: Sequence[LineInput]) -> list[LineError]:
    """The same of lines that are not written yet, as far as they can be read."""
    lines = usable(entered).items()
    return [LineError(text, key, box) for key, line in lines for box, text in _gaps(line)]


def _gaps(line: PrescriptionLine | WantedLine) -> Iterator[tuple[str, str]]:
    """Each empty box that "Selesai" needs, with its sentence."""
    is_counted = prescription_directions.is_counted(line)
    if not line.instruction:
        yield "sig", f"Isi aturan pakai {line.title}."
    if line.quantity is not None:
        return
    if is_counted and line.days is None and (line.dose is not None or not line.instruction):
        yield "days", f"Isi lamanya (hari) atau jumlah {line.title}."
    elif line.instruction:
        why = f"tidak dapat dihitung dari “{line.instruction}”"
        yield "quantity", f"Isi jumlah {line.title}: {why}."
    elif not is_counted:
        yield "quantity", f"Isi jumlah {line.title}."


def send(actor: Actor, prescription: Prescription) -> bool:
    """Give it its number and to the pharmacy; tells whether there was anything to send."""
    if prescription.state is not PrescriptionState.DRAFT:
        return False
    if not active_lines(prescription):
        _close(actor, prescription, TAKEN_OFF)
        db.session.flush()
        return False
    now = utcnow()
    day = f"{day_in_zone(now, settings.value('time_zone')):%Y%m%d}"
    prescription.number = f"RX-{day}-{counters.next_value(f'prescription:{day}'):04}"
    prescription.state, prescription.sent_at = PrescriptionState.SENT, now
    me = db.session.get(User, actor.user_id).practitioner_id
    prescription.practitioner_id = me or prescription.examination.practitioner_id
    db.session.flush()
    audit.record(actor, "send_prescription", prescription, details=prescription.number)
    return True


def _close(actor: Actor, prescription: Prescription, reason: str) -> None:
    prescription.state, prescription.close_reason = PrescriptionState.CANCELLED, reason
    prescription.closed_at, prescription.closed_by_id = utcnow(), actor.user_id


def close_cancelled(actor: Actor, prescription: Prescription, reason: str) -> None:
    """Cancel it; the queue is the caller's."""
    _close(actor, prescription, reason)
    db.session.flush()
    audit.record(actor, "cancel_prescription", prescription, reason=reason)
