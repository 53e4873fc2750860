"""The pharmacy's stock: what comes in, goes out, is counted otherwise, expires or comes back.

A balance changes by a conditional UPDATE and the move beside it, so two people at once lose
nothing. A batch never falls below zero: what is handed out beyond the ledger stands, with its
reason, on the medicine's batch without a number, until somebody counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select, update

from clinic import audit, days
from clinic.audit import Actor
from clinic.record_errors import RecordError
from db import add_row, db, grouped
from formatting import number_text, short_date
from models import Medicine, StockBatch, StockMove, StockMoveKind
from validators import clean_text

LONGEST_REASON, LONGEST_SOURCE, LONGEST_NUMBER, LONGEST_KEY = 300, 100, 40, 64
NAMELESS = ""  # the batch of what was given beyond the ledger


class StockError(RecordError):
    """What the ledger does not allow, in a sentence; `field` is the one to look at."""


class NotEnough(StockError):
    """The ledger holds less than is to be handed out; a reason lets it go on."""


@dataclass(frozen=True)
class Delivery:
    """What came in, as it stands on the box."""

    number: str
    expires_on: date | None
    quantity: Decimal
    source: str = ""


@dataclass(frozen=True)
class Portion:
    """So much of one batch."""

    batch: StockBatch
    quantity: Decimal


# --- In, and by counting ----------------------------------------------------------------------


def receive(actor: Actor, medicine: Medicine, delivery: Delivery, key: str) -> StockMove:
    """Put a delivery into stock; the same `key` again gives the same move. Raises StockError."""
    if pressed := _pressed(key):
        return pressed
    number = clean_text(delivery.number, LONGEST_NUMBER)
    if not number:
        raise StockError("Tulis nomor batch seperti di kemasan.", "number")
    if delivery.expires_on is None:
        raise StockError("Tulis tanggal kedaluwarsa seperti di kemasan.", "expires_on")
    if delivery.expires_on < days.clinic_date():
        raise StockError("Sudah kedaluwarsa. Jangan diterima; kembalikan ke pemasok.", "expires_on")
    if delivery.quantity <= 0:
        raise StockError("Jumlah yang diterima harus lebih dari 0.", "quantity")
    batch = _batch(actor, medicine, number, delivery.expires_on)
    source = clean_text(delivery.source, LONGEST_SOURCE)
    move = _move(actor, batch, StockMoveKind.IN, delivery.quantity, source=source, key=key)
    _log(actor, "receive_stock", move)
    return move


def correct(
    actor: Actor, batch: StockBatch, counted: Decimal, seen: Decimal, reason: str, key: str
) -> StockMove:
    """Make the balance what was counted. Raises StockError, also when it is not as it was `seen`.

    What went out between the counting and the press must not be lost.
    """
    if pressed := _pressed(key):
        return pressed
    reason = _needed_reason(reason, "Tulis alasan koreksi, misalnya hasil stok opname.")
    _refuse_unseen(batch, seen)
    if counted == batch.balance:
        raise StockError("Jumlahnya sama dengan catatan. Tidak ada yang dikoreksi.", "counted")
    change = counted - batch.balance
    move = _move(actor, batch, StockMoveKind.CORRECTION, change, reason=reason, key=key)
    _log(actor, "correct_stock", move)
    return move


def write_off(actor: Actor, batch: StockBatch, seen: Decimal, reason: str, key: str) -> StockMove:
    """Take all of an expired batch out of stock. Raises StockError for one that is still good."""
    if pressed := _pressed(key):
        return pressed
    reason = _needed_reason(reason, "Tulis ke mana yang kedaluwarsa, misalnya dipisahkan.")
    _refuse_unseen(batch, seen)
    if not is_expired(batch, days.clinic_date()):
        raise StockError("Batch ini belum kedaluwarsa. Yang rusak atau hilang: pakai koreksi.")
    if batch.balance <= 0:
        raise StockError("Batch ini sudah habis.")
    move = _move(actor, batch, StockMoveKind.EXPIRY, -batch.balance, reason=reason, key=key)
    _log(actor, "expire_stock", move)
    return move


def _needed_reason(reason: str, sentence: str) -> str:
    reason = clean_text(reason, LONGEST_REASON)
    if not reason:
        raise StockError(sentence, "reason")
    return reason


def _refuse_unseen(batch: StockBatch, seen: Decimal) -> None:
    db.session.refresh(batch)
    if batch.balance != seen:
        raise StockError(
            f"Stok batch ini berubah sejak halaman dibuka: sekarang {number_text(batch.balance)}, "
            f"tadi {number_text(seen)}. Periksa lagi, lalu simpan."
        )


# --- Out, first expired first, and back -------------------------------------------------------


def is_expired(batch: StockBatch, on: date) -> bool:
    """Whether it must not be handed out on this day."""
    return batch.expires_on is not None and batch.expires_on < on


def usable(medicine_ids: Iterable[int], on: date) -> dict[int, list[StockBatch]]:
    """By medicine: the batches that may be handed out, the first to expire first; one query."""
    rows = (
        select(StockBatch)
        .where(StockBatch.medicine_id.in_(set(medicine_ids)), StockBatch.balance > 0)
        .where(StockBatch.expires_on.is_(None) | (StockBatch.expires_on >= on))
        .order_by(StockBatch.expires_on.is_(None), StockBatch.expires_on, StockBatch.id)
        .execution_options(populate_existing=True)
    )
    return grouped(rows, "medicine_id")


def lasting_first(batches: Sequence[StockBatch], until: date | None) -> list[StockBatch]:
    """Those that are still good on the last day of use go before those that are not."""
    if until is None:
        return list(batches)
    return sorted(batches, key=lambda batch: is_expired(batch, until))


def allot(batches: Sequence[StockBatch], quantity: Decimal) -> tuple[list[Portion], Decimal]:
    """So much of these batches in their order, and what is still missing."""
    portions, missing = [], quantity
    for batch in batches:
        part = min(batch.balance, missing)
        if part > 0:
            portions.append(Portion(batch, part))
            missing -= part
    return portions, missing


def portions(
    actor: Actor,
    medicine: Medicine,
    quantity: Decimal,
    reason: str = "",
    until: date | None = None,
) -> list[Portion]:
    """What to hand out of which batch, to be used `until` then.

    Raises NotEnough when the ledger holds less, and nobody said why.
    """
    batches = lasting_first(usable([medicine.id], days.clinic_date())[medicine.id], until)
    found, missing = allot(batches, quantity)
    if missing > 0 and not reason:
        there = number_text(quantity - missing)
        raise NotEnough(
            f"{medicine.label}: menurut catatan hanya ada {there} {medicine.unit}, perlu "
            f"{number_text(quantity)}. Kurangi jumlahnya, atau tulis mengapa tetap diserahkan."
        )
    if missing > 0:
        beyond = _batch(actor, medicine, NAMELESS, None)
        there = sum((each.quantity for each in found if each.batch is beyond), Decimal(0))
        found = [each for each in found if each.batch is not beyond]
        found.append(Portion(beyond, there + missing))
    return found


def issue(
    actor: Actor, portion: Portion, dispensing_id: int, key: str, reason: str = ""
) -> StockMove:
    """Take a portion out of stock. Raises StockError when somebody else was faster."""
    beyond = reason if portion.batch.number == NAMELESS else ""
    return _move(
        actor,
        portion.batch,
        StockMoveKind.OUT,
        -portion.quantity,
        reason=beyond,
        dispensing_id=dispensing_id,
        key=key,
    )


def take_back(
    actor: Actor, batch: StockBatch, quantity: Decimal, dispensing_id: int, key: str, reason: str
) -> StockMove:
    """Put back into its batch what was handed out. Raises StockError without a reason."""
    reason = _needed_reason(reason, "Tulis alasan obat kembali.")
    return _move(
        actor,
        batch,
        StockMoveKind.RETURN,
        quantity,
        reason=reason,
        dispensing_id=dispensing_id,
        key=key,
    )


# --- Writing ----------------------------------------------------------------------------------


def _pressed(key: str) -> StockMove | None:
    """The move that this press of a button made already."""
    if not key or len(key) > LONGEST_KEY:
        raise StockError("Formulir ini tidak lengkap. Muat ulang halaman.")
    return db.session.scalar(select(StockMove).where(StockMove.key == key))


def _batch(actor: Actor, medicine: Medicine, number: str, expires_on: date | None) -> StockBatch:
    found = select(StockBatch).where(
        StockBatch.medicine_id == medicine.id, StockBatch.number == number
    )
    if number != NAMELESS:
        found = found.where(StockBatch.expires_on == expires_on)
    batch = db.session.scalar(found.execution_options(populate_existing=True))
    if batch is None:
        me = actor.user_id
        return add_row(
            StockBatch(medicine=medicine, number=number, expires_on=expires_on, recorded_by_id=me)
        )
    return batch


def _move(
    actor: Actor, batch: StockBatch, kind: StockMoveKind, quantity: Decimal, **more
) -> StockMove:
    # Rounded: SQLite counts in binary fractions.
    after: ColumnElement = func.round(StockBatch.balance + quantity, 3)
    change = (
        update(StockBatch)
        .where(StockBatch.id == batch.id)
        .values(balance=after)
        .returning(StockBatch.balance)
        .execution_options(synchronize_session=False)
    )
    if not more.get("reason"):
        change = change.where(after >= 0)
    balance = db.session.scalar(change)
    if balance is None:
        raise StockError(
            f"Stok {batch.medicine.label} batch {batch.number} baru saja berubah. Coba lagi."
        )
    db.session.refresh(batch)
    about = {"batch": batch, "kind": kind, "moved_by_id": actor.user_id}
    return add_row(StockMove(**about, quantity=quantity, balance_after=balance, **more))


def _log(actor: Actor, action: str, move: StockMove) -> None:
    batch = move.batch
    sign = "+" if move.quantity > 0 else ""
    name = f"{batch.number} ED {short_date(batch.expires_on)}" if batch.number else "tanpa nomor"
    audit.record(
        actor,
        action,
        object_type="medicine",
        object_ref=batch.medicine.code,
        reason=move.reason,
        details=f"batch {name}: {sign}{number_text(move.quantity)}"
        f" menjadi {number_text(move.balance_after)}",
    )
