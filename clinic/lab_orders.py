"""What a room asks of the laboratory: placed with the examination, changed or taken back.

Until a sample is taken the order is the sender's; from then on it is the laboratory's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from clinic import audit, queues
from clinic.audit import Actor
from clinic.days import STILL_HERE
from clinic.queue_steps import GIVEN_UP
from clinic.record_errors import RecordError
from db import add_row, db, utcnow
from models import (
    EntryState,
    LabOrder,
    LabOrderState,
    LabOrderTest,
    LabTest,
    Poli,
    PoliKind,
    QueueEntry,
    Visit,
)
from validators import clean_text

LONGEST_NOTE, LONGEST_REASON = 500, 300
OPEN = (LabOrderState.ORDERED, LabOrderState.SAMPLED)
TAKEN_OFF = "Semua pemeriksaan dihapus dari formulir oleh pengirim"
NOT_YET_SERVED = (EntryState.WAITING, EntryState.CALLED, EntryState.SKIPPED)


@dataclass(frozen=True)
class OrderInput:
    """What the examination's form asked for."""

    tests: Sequence[str]  # codes
    note: str = ""


def active_tests() -> list[LabTest]:
    """The tests that can be ordered, in the order of the list."""
    rows = select(LabTest).where(LabTest.is_active).order_by(LabTest.position, LabTest.id)
    return list(db.session.scalars(rows))


def laboratory() -> Poli | None:
    """The clinic's laboratory room, if it has one in use."""
    rooms = select(Poli).where(Poli.kind == PoliKind.LABORATORY, Poli.is_active)
    return db.session.scalar(rooms.order_by(Poli.position).limit(1))


def order_of(entry: QueueEntry) -> LabOrder | None:
    """The order that this stay placed, unless it was cancelled."""
    return db.session.scalar(
        _whole().where(LabOrder.entry_id == entry.id, LabOrder.state != LabOrderState.CANCELLED)
    )


def by_ref(ref: str) -> LabOrder | None:
    """The order of this public id."""
    return db.session.scalar(_whole().where(LabOrder.public_id == ref))


def open_orders(visit: Visit) -> list[LabOrder]:
    """What the laboratory still has to do for this visit, oldest first."""
    rows = _whole().where(LabOrder.visit_id == visit.id, LabOrder.state.in_(OPEN))
    return list(db.session.scalars(rows.order_by(LabOrder.id)))


def left_behind(visit: Visit) -> list[LabOrder]:
    """Open orders of stays that were given up, while the visit does not stand at a laboratory."""
    left = [order for order in open_orders(visit) if order.entry.state in GIVEN_UP]
    return [] if left and _stands_at_laboratory(visit) else left


def _stands_at_laboratory(visit: Visit) -> bool:
    there = (
        select(QueueEntry.id)
        .join(QueueEntry.poli)
        .where(
            QueueEntry.visit_id == visit.id,
            QueueEntry.state.in_(STILL_HERE),
            Poli.kind == PoliKind.LABORATORY,
        )
    )
    return db.session.scalar(there.limit(1)) is not None


def _whole():
    items = selectinload(LabOrder.items).joinedload(LabOrderTest.test)
    return (
        select(LabOrder)
        .options(
            items.selectinload(LabTest.references),
            selectinload(LabOrder.items).joinedload(LabOrderTest.sampled_by),
            joinedload(LabOrder.entry).joinedload(QueueEntry.poli),
            joinedload(LabOrder.ordered_by),
        )
        .execution_options(populate_existing=True)
    )


def asked(order: LabOrder | None) -> list[LabOrderTest]:
    """The order's tests that are still wanted."""
    return [item for item in order.items if item.ended_at is None] if order else []


def asks_for_nothing(entry: QueueEntry, code: str, wanted: Sequence[str]) -> bool:
    """Whether a patient who is sent to this room would come to a laboratory without any order.

    `wanted` are the tests that this stay orders; those of others, still to be done, count as well.
    """
    if wanted or any(order.entry_id != entry.id for order in open_orders(entry.visit)):
        return False
    rooms = select(Poli.id).where(Poli.code == code, Poli.kind == PoliKind.LABORATORY)
    return db.session.scalar(rooms) is not None


def place(actor: Actor, entry: QueueEntry, wanted: OrderInput) -> LabOrder | None:
    """Make the stay's order what the form says. Raises RecordError when it can't be any more."""
    order, note = order_of(entry), clean_text(wanted.note, LONGEST_NOTE)
    if says_the_same(order, wanted):
        return order
    tests = _known_tests(order, wanted)
    if order is not None and order.state is not LabOrderState.ORDERED:
        raise RecordError(
            "Sampel sudah diambil, jadi permintaan laboratorium tidak berubah lagi.", "lab"
        )
    if not tests:
        if note and order is None:
            raise RecordError("Centang pemeriksaan yang diminta, atau hapus catatannya.", "lab")
        return _cancel(actor, order, TAKEN_OFF) if order else None
    order = order or _begin(actor, entry)
    order.note = note
    _set_tests(actor, order, tests)
    _tell_laboratory(order)
    audit.record(actor, "order_lab", order, details=f"{len(tests)} pemeriksaan")
    return order


def says_the_same(order: LabOrder | None, wanted: OrderInput) -> bool:
    """Whether the form asks for what is ordered already."""
    codes = {item.test.code for item in asked(order)}
    note = order.note if order else ""
    return codes == set(wanted.tests) and clean_text(wanted.note, LONGEST_NOTE) == note


def _known_tests(order: LabOrder | None, wanted: OrderInput) -> list[LabTest]:
    known = {test.code: test for test in active_tests()}
    known |= {item.test.code: item.test for item in asked(order)}
    if set(wanted.tests) - known.keys():
        raise RecordError("Ada pemeriksaan yang tidak lagi di daftar. Pilih lagi.", "lab")
    return [known[code] for code in dict.fromkeys(wanted.tests)]


def _begin(actor: Actor, entry: QueueEntry) -> LabOrder:
    me = actor.user_id
    return add_row(LabOrder(visit_id=entry.visit_id, entry_id=entry.id, ordered_by_id=me))


def _set_tests(actor: Actor, order: LabOrder, tests: Sequence[LabTest]) -> None:
    present, wanted = {item.test_id for item in asked(order)}, {test.id for test in tests}
    for item in asked(order):
        if item.test_id not in wanted:
            item.ended_at, item.ended_by_id = utcnow(), actor.user_id
    order.items += [LabOrderTest(test=test) for test in tests if test.id not in present]
    db.session.flush()


def cancel(actor: Actor, order: LabOrder, reason: str) -> LabOrder:
    """Take the order back before a sample is taken; who only waits for it returns to the sender.

    Raises RecordError without a reason, or when the laboratory has begun.
    """
    reason = clean_text(reason, LONGEST_REASON)
    if not reason:
        raise RecordError("Tulis alasan membatalkan permintaan.", "alasan")
    return _cancel(actor, by_ref(order.public_id), reason)


def _cancel(actor: Actor, order: LabOrder, reason: str) -> LabOrder:
    if order.state is LabOrderState.CANCELLED:
        raise RecordError("Permintaan ini sudah dibatalkan.")
    if order.state is not LabOrderState.ORDERED:
        raise RecordError("Laboratorium sudah mengambil sampel, jadi permintaan tidak dibatalkan.")
    order.state, order.cancel_reason = LabOrderState.CANCELLED, reason
    order.cancelled_at, order.cancelled_by_id = utcnow(), actor.user_id
    db.session.flush()
    _tell_laboratory(order)
    audit.record(actor, "cancel_lab_order", order, reason=reason)
    _bring_back(actor, order, reason)
    return order


def _bring_back(actor: Actor, order: LabOrder, reason: str) -> None:
    there = db.session.scalar(
        select(QueueEntry)
        .join(QueueEntry.poli)
        .where(
            QueueEntry.previous_entry_id == order.entry_id,
            QueueEntry.state.in_(NOT_YET_SERVED),
            Poli.kind == PoliKind.LABORATORY,
        )
    )
    if there is not None and not open_orders(order.visit):
        queues.act(actor, there, "batal", reason)


def _tell_laboratory(order: LabOrder) -> None:
    room = laboratory()
    if room is not None:
        queues.bump(order.entry.service_day_id, room.id)
