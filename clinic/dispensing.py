"""Handing out: from batches, in full or with the reason for less; and taking back.

One press closes the prescription and sends the patient home: all of it is stored, or nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from clinic import audit, prescription_warnings, prescriptions, queues, records, stock
from clinic.audit import Actor
from clinic.dispensing_steps import Changed, NotReady, is_late, open_prescription, therapy_end
from clinic.prescription_checks import MedicineWarning
from clinic.prescription_compounds import component_units
from clinic.record_errors import NotOpen, RecordError
from clinic.stock_typed import read_amount
from db import add_row, db, utcnow
from formatting import number_text
from models import (
    DispensedLine,
    Dispensing,
    EntryState,
    Medicine,
    PoliKind,
    Prescription,
    PrescriptionComponent,
    PrescriptionLine,
    PrescriptionState,
    QueueEntry,
    User,
)
from validators import FieldError, clean_text

LONGEST_REASON = 300
UNFETCHED = "Tidak diambil"
NOT_HERE = "Pasien ini tidak sedang dilayani di farmasi. Panggil dulu dari antrean."
HOW_MUCH_GIVEN = "tulis jumlah yang diserahkan; 0 bila tidak ada."
HOW_MUCH_BACK = "Tulis jumlah yang kembali."
REASONS = (
    "Stok kosong",
    "Pasien menolak",
    "Pasien masih punya",
    "Sesuai kesepakatan dengan dokter",
)


@dataclass(frozen=True)
class Given:
    """What the form says of one line. None: all of it; an emptied field is refused."""

    quantity: str | None = None
    reason: str = ""  # why less
    beyond: str = ""  # why though the ledger holds less
    allergy: str = ""  # why though the patient is allergic to it


@dataclass(frozen=True)
class Need:
    """What a line takes out of stock: so much of one medicine."""

    medicine: Medicine
    quantity: Decimal
    component: PrescriptionComponent | None = None


def is_outside(line: PrescriptionLine) -> bool:
    """*Resep luar*: nothing of it is this pharmacy's to give; it is copied for another one."""
    return line.medicine is None and not line.is_compound


def needs(line: PrescriptionLine, quantity: Decimal) -> list[Need]:
    """What so much of a line takes out of stock; a compound its parts in whole units."""
    if quantity <= 0:
        return []
    if line.medicine is not None:
        return [Need(line.medicine, quantity)]
    return [
        Need(part.medicine, component_units(part.amount, part.unit, part.medicine, quantity), part)
        for part in line.components
        if part.medicine is not None
    ]


def hand_over(
    actor: Actor, entry: QueueEntry | None, ref: str, version: int, given: Mapping[str, Given]
) -> Prescription:
    """Hand the medicines out, close the prescription, end the patient's stay.

    Without an entry only after the visit's day; that changes no queue and no visit.
    `given` is by the lines' public ids. Raises Changed, NotOpen, QueueError, and NotReady with a
    sentence for each line that can't be handed out so.
    """
    prescription = open_prescription(ref, version)
    if prescription.state is not PrescriptionState.REVIEWED:
        raise RecordError("Telaah resepnya dulu, baru obat diserahkan.")
    if entry is not None:
        _serve(actor, entry, prescription)
    elif not is_late(prescription.visit):
        raise NotOpen(NOT_HERE)
    closed = _lines(actor, prescription, given)
    short = [each for each in closed if not each.is_outside and each.given < each.asked]
    prescription.state = PrescriptionState.PARTIAL if short else PrescriptionState.DISPENSED
    prescription.close_reason = "; ".join(dict.fromkeys(each.reason for each in short))[:300]
    prescription.closed_at, prescription.closed_by_id = utcnow(), actor.user_id
    db.session.flush()
    details = f"{len(closed) - len(short)} dari {len(closed)} baris penuh"
    details += "" if entry else ", sesudah harinya"
    audit.record(actor, "dispense_prescription", prescription, details=details)
    if entry is not None and not _others_open(prescription):
        queues.finish(actor, entry)
    return prescription


def close_unfetched(actor: Actor, ref: str, version: int, reason: str) -> Prescription:
    """Nobody came for it on its day: nothing of it was given. Raises Changed, RecordError."""
    prescription, reason = open_prescription(ref, version), clean_text(reason, LONGEST_REASON)
    if not is_late(prescription.visit):
        raise RecordError("Resep hari ini ditutup dari antrean farmasi: serahkan 0, dengan alasan.")
    if not reason:
        raise RecordError("Tulis alasan menutup resep, misalnya tidak diambil.", "reason")
    for line in prescriptions.active_lines(prescription):
        _line(actor, line, Given("0", reason))
    prescription.state, prescription.close_reason = PrescriptionState.PARTIAL, reason
    prescription.closed_at, prescription.closed_by_id = utcnow(), actor.user_id
    db.session.flush()
    audit.record(actor, "close_prescription", prescription, reason=reason)
    return prescription


def _serve(actor: Actor, entry: QueueEntry, prescription: Prescription) -> None:
    db.session.refresh(entry)
    is_here = entry.visit_id == prescription.visit_id and entry.poli.kind is PoliKind.PHARMACY
    if not is_here or entry.state not in records.BEING_SERVED:
        raise NotOpen(NOT_HERE)
    if entry.state is EntryState.CALLED:
        queues.act(actor, entry, "mulai")


def _others_open(prescription: Prescription) -> bool:
    rows = select(Prescription.id).where(
        Prescription.visit_id == prescription.visit_id,
        Prescription.id != prescription.id,
        Prescription.state.in_(prescriptions.OPEN),
    )
    return db.session.scalar(rows.limit(1)) is not None


# --- Line by line -----------------------------------------------------------------------------


def _lines(
    actor: Actor, prescription: Prescription, given: Mapping[str, Given]
) -> list[DispensedLine]:
    lines = prescriptions.active_lines(prescription)
    if given.keys() - {line.public_id for line in lines}:
        raise Changed("Ada baris resep yang sudah diganti. Periksa lagi, lalu tekan sekali lagi.")
    closed, problems, answers = [], {}, {}
    warned = prescription_warnings.new_allergies(prescription)
    for line in lines:
        said = given.get(line.public_id, Given())
        try:
            closed.append(_line(actor, line, said))
            if closed[-1].given > 0:
                answers |= _answers(warned.get(line.id, ()), said)
        except RecordError as problem:
            problems[line.public_id] = str(problem)
        except FieldError as problem:
            problems[line.public_id] = f"{line.title}: {problem}"
    if problems:
        raise NotReady(problems)
    if answers:
        prescription_warnings.answer(actor, prescription, answers)
    return closed


def _answers(warned: Sequence[MedicineWarning], said: Given) -> dict[str, str]:
    """Why it is given in spite of an allergy that the doctor did not know of."""
    why = clean_text(said.allergy, LONGEST_REASON)
    if warned and not why:
        raise RecordError(
            f"{warned[0].message} Tanyakan penulis resepnya, lalu tulis mengapa tetap diserahkan, "
            "atau serahkan 0."
        )
    return {each.key: why for each in warned}


def _line(actor: Actor, line: PrescriptionLine, said: Given) -> DispensedLine:
    amount, reason = amount_given(line, said)
    closed = DispensedLine(
        line_id=line.id,
        asked=line.quantity,
        given=amount,
        is_outside=is_outside(line),
        reason=reason,
        closed_by_id=actor.user_id,
    )
    beyond = clean_text(said.beyond, LONGEST_REASON)
    for need in needs(line, amount):
        _hand_out(actor, line, need, beyond)
    return add_row(closed)


def amount_given(line: PrescriptionLine, said: Given) -> tuple[Decimal, str]:
    """How much of a line, and why less. Raises FieldError or RecordError."""
    if is_outside(line):
        return Decimal(0), ""
    if_empty = f"{line.title}: {HOW_MUCH_GIVEN}"
    amount = _typed_amount(said.quantity, line.unit, line.quantity, if_empty)
    reason = clean_text(said.reason, LONGEST_REASON)
    if amount > line.quantity:
        raise RecordError(
            f"{line.title}: diresepkan {number_text(line.quantity)} {line.unit}, tidak dapat lebih."
        )
    if amount < line.quantity and not reason:
        raise RecordError(f"{line.title}: tulis mengapa kurang dari yang diresepkan.")
    return amount, reason if amount < line.quantity else ""


def _typed_amount(typed: str | None, unit: str, everything: Decimal, if_empty: str) -> Decimal:
    """An emptied field is a question, not a yes to all of it. Raises FieldError, RecordError."""
    if typed is None:
        return everything
    if not typed.strip():
        raise RecordError(if_empty, "quantity")
    return read_amount(typed, unit)


def _hand_out(actor: Actor, line: PrescriptionLine, need: Need, beyond: str) -> None:
    until = therapy_end(line)
    for portion in stock.portions(actor, need.medicine, need.quantity, beyond, until):
        row = add_row(
            Dispensing(
                line_id=line.id,
                component_id=need.component.id if need.component else None,
                medicine=need.medicine,
                batch=portion.batch,
                quantity=portion.quantity,
                given_by_id=actor.user_id,
            )
        )
        stock.issue(actor, portion, row.id, f"out:{row.public_id}", beyond)


# --- Back -------------------------------------------------------------------------------------


def dispensing_by_ref(ref: str) -> Dispensing | None:
    """What was handed out under this public id, with its prescription and patient."""
    line = joinedload(Dispensing.line).joinedload(PrescriptionLine.prescription)
    found = select(Dispensing).options(
        line.joinedload(Prescription.visit), joinedload(Dispensing.medicine)
    )
    return db.session.scalar(found.where(Dispensing.public_id == ref))


def give_back(
    actor: Actor, row: Dispensing, quantity: str | None, reason: str
) -> Dispensing | None:
    """Take back all (None) or a part; the row that stays with the patient, if any.

    Raises RecordError without a reason, for no quantity or more than was given, or when it is back
    already.
    """
    db.session.refresh(row)
    if row.ended_at is not None:
        who = db.session.get(User, row.ended_by_id).display_name
        raise RecordError(f"{row.medicine.label} ini sudah dicatat kembali oleh {who}.")
    reason = clean_text(reason, LONGEST_REASON)
    if not reason:
        raise RecordError("Tulis alasan obat kembali.", "reason")
    amount = _typed_amount(quantity, row.medicine.unit, row.quantity, HOW_MUCH_BACK)
    if not 0 < amount <= row.quantity:
        raise RecordError(
            f"Yang diserahkan {number_text(row.quantity)} {row.medicine.unit}. "
            "Tulis jumlah yang kembali dari itu.",
            "quantity",
        )
    row.ended_at, row.ended_by_id, row.end_reason = utcnow(), actor.user_id, reason
    db.session.flush()
    kept = _keep(row, row.quantity - amount) if amount < row.quantity else None
    stock.take_back(actor, row.batch, amount, row.id, f"back:{row.public_id}", reason)
    details = f"{row.medicine.label} {number_text(amount)} {row.medicine.unit}"
    whose = row.line.prescription
    audit.record(actor, "return_medicine", whose, reason=reason, details=details)
    return kept


def _keep(row: Dispensing, quantity: Decimal) -> Dispensing:
    copied = ("line_id", "component_id", "medicine_id", "batch_id", "given_at", "given_by_id")
    return add_row(Dispensing(quantity=quantity, **{name: getattr(row, name) for name in copied}))
