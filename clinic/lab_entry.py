"""In the laboratory: the sample, what is typed for each ordered test, and "Selesai".

Until then what is typed are results already, not yet shown to the sender unless critical; every
change ends a row and adds another, and nobody writes over a value that he has not seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from clinic import (
    audit,
    lab_orders,
    lab_results,
    lab_unread,
    lab_values,
    queue_loans,
    queues,
    records,
    settings,
)
from clinic.audit import Actor
from clinic.days import STILL_HERE
from clinic.lab_orders import OrderInput
from clinic.lab_results import LONGEST_REASON, Refused, Unlikely
from clinic.queue_steps import is_cut_off
from clinic.record_errors import NotOpen, RecordError
from db import db, utcnow
from models import EntryState, LabOrder, LabOrderState, LabOrderTest, LabResult, QueueEntry
from validators import FieldError, clean_text

WHILE_WRITING = "Diubah sebelum selesai"
DONE = "Hasil tercatat di daftar hasil laboratorium."


@dataclass(frozen=True)
class Entered:
    """What the laboratory's form says about one ordered test."""

    typed: str = ""
    seen: str = ""  # public_id of the result that the form showed
    is_sure: bool = False  # of a number that hardly can be
    not_done: str = ""
    is_sampled: bool = False


@dataclass(frozen=True)
class _Step:
    """What is to be written about one test; None: leave it."""

    item: LabOrderTest
    entered: Entered
    current: LabResult | None
    judged: lab_values.Judged | None = None


def enter(
    actor: Actor, entry: QueueEntry, entered: Mapping[str, Entered], *, closes: bool = False
) -> list[LabOrder]:
    """Store samples and results of all open orders of the visit; returns the orders.

    Raises Refused, with a sentence for each value, and then stores nothing.
    """
    _serve(actor, entry)
    orders = lab_orders.open_orders(entry.visit)
    steps = _steps(orders, entered, closes)
    for order in orders:
        mine = [step for step in steps if step.item.order_id == order.id]
        changes = [_write(actor, order, step) for step in mine]
        if any(changes):
            audit.record(actor, "enter_lab_results", order)
    return orders


def add_tests(actor: Actor, entry: QueueEntry, wanted: OrderInput) -> LabOrder:
    """What the laboratory was asked for by word or on paper, in its own name; `note` says by whom.

    The order is that of the stay that sent the patient, if it has none yet, so that results and
    critical values go there. Raises RecordError, NotOpen.
    """
    _serve(actor, entry)
    if not wanted.tests:
        raise RecordError("Centang pemeriksaan yang diminta.", "lab")
    if not clean_text(wanted.note, lab_orders.LONGEST_NOTE):
        raise RecordError("Tulis siapa yang memintanya, misalnya dr. Ani per telepon.", "lab_note")
    sender = queue_loans.sender_of(entry)
    asks = sender if sender is not None and lab_orders.order_of(sender) is None else entry
    before = lab_orders.order_of(asks)
    codes = [item.test.code for item in lab_orders.asked(before)]
    notes = [before.note] if before and before.note else []
    added = OrderInput([*codes, *wanted.tests], "; ".join([*notes, wanted.note]))
    order = lab_orders.place(actor, asks, added)
    lab_results.tell_sender(order)
    return order


def save(
    actor: Actor, entry: QueueEntry, entered: Mapping[str, Entered], note: str, version: int
) -> list[LabOrder]:
    """Store what is there so far, and the laboratory's note. Raises Refused, Conflict, NotOpen."""
    orders = enter(actor, entry, entered)
    examination = records.open_examination(entry)
    if note != (examination.objective if examination else ""):
        records.save(actor, entry, records.ExaminationInput(objective=note), version)
    return orders


def finish(
    actor: Actor, entry: QueueEntry, entered: Mapping[str, Entered], note: str, version: int
) -> list[LabOrder]:
    """Store, close the visit's orders, and send the patient back to who asked.

    Raises Refused when a test has neither result nor reason.
    """
    orders = enter(actor, entry, entered, closes=True)
    is_checked = settings.value("lab_second_person") == "ya"
    for order in orders:
        order.state, order.resulted_at = LabOrderState.RESULTED, utcnow()
        order.needs_validation = is_checked
        db.session.flush()
        _note_late(actor, order, entry)
        lab_results.tell_sender(order)
        audit.record(actor, "finish_lab_order", order)
    form = records.ExaminationInput(objective=note or DONE, disposition="pulang", refer_to="")
    records.finish(actor, entry, form, version)
    return orders


def _note_late(actor: Actor, order: LabOrder, there: QueueEntry) -> None:
    """What is not normal stands in the sender's queue when nobody waits for it any more.

    `there` is the stay in the laboratory from which the patient may go back.
    """
    if _is_awaited(order, there):
        return
    for result in lab_results.current_results([order]).values():
        lab_unread.note(actor, order, result)


def _is_awaited(order: LabOrder, there: QueueEntry) -> bool:
    """Whether the patient goes back with the results, or is with the sender already."""
    if queue_loans.waiting_sender(there) is not None:
        return True
    present = select(QueueEntry.id).where(
        QueueEntry.visit_id == order.visit_id,
        QueueEntry.poli_id == order.entry.poli_id,
        QueueEntry.state.in_(STILL_HERE),
    )
    return db.session.scalar(present.limit(1)) is not None


def _serve(actor: Actor, entry: QueueEntry) -> None:
    db.session.refresh(entry)
    if entry.state not in records.BEING_SERVED and not is_cut_off(entry):
        raise NotOpen("Pasien ini tidak sedang dilayani di laboratorium. Periksa antreannya.")
    if entry.state is EntryState.CALLED:
        queues.act(actor, entry, "mulai")


# --- Looking at what was typed ----------------------------------------------------------------


def _steps(orders: Iterable[LabOrder], entered: Mapping[str, Entered], closes: bool) -> list[_Step]:
    results, steps, problems, unlikely = lab_results.current_results(orders), [], {}, set()
    items = {item.public_id: item for order in orders for item in lab_orders.asked(order)}
    for ref in entered.keys() - items.keys():
        if entered[ref].typed or entered[ref].not_done:
            problems[ref] = "Pemeriksaan ini tidak lagi diminta, atau hasilnya sudah selesai."
    for ref, item in items.items():
        said = entered.get(ref, Entered())
        current = results.get((item.order_id, item.test_id))
        try:
            steps.append(_step(item, said, current, closes))
        except FieldError as problem:
            problems[ref] = str(problem)
            if isinstance(problem, Unlikely):
                unlikely.add(ref)
    if problems:
        raise Refused(problems, unlikely)
    return steps


def _step(item: LabOrderTest, said: Entered, current: LabResult | None, closes: bool) -> _Step:
    name = item.test.name
    typed, not_done = said.typed.strip(), clean_text(said.not_done, LONGEST_REASON)
    if typed and not_done:
        raise lab_values.LabValueError(
            f"{name}: isi hasilnya atau alasan tidak dikerjakan, jangan dua-dua."
        )
    judged = lab_results.judged_for(item, typed, said.is_sure) if typed else None
    _refuse_unseen(said, current, judged)
    if not_done and current is not None and said.seen != current.public_id:
        raise lab_values.LabValueError(f"{_by_whom(current)}. Muat ulang, lalu periksa lagi.")
    stays = current is not None and (typed or said.seen != current.public_id)
    if closes and not judged and not not_done and not stays:
        raise lab_values.LabValueError(
            f"{name}: isi hasilnya, atau tulis mengapa tidak dikerjakan (belum ada hasil? tulis "
            "“menyusul”; hasilnya dapat diisi kemudian)."
        )
    return _Step(
        item, Entered(typed, said.seen, said.is_sure, not_done, said.is_sampled), current, judged
    )


def _refuse_unseen(
    said: Entered, current: LabResult | None, judged: lab_values.Judged | None
) -> None:
    """Nobody writes over a value that he has not seen."""
    is_other = current is not None and judged is not None and judged.value != current.value
    if is_other and said.seen != current.public_id:
        raise lab_values.LabValueError(f"{_by_whom(current)}. Samakan, atau simpan lagi.")


def _by_whom(current: LabResult) -> str:
    who = current.resulted_by.display_name
    return f"{current.test.name}: sementara itu diisi {current.value} oleh {who}"


# --- Writing ----------------------------------------------------------------------------------


def _write(actor: Actor, order: LabOrder, step: _Step) -> bool:
    """Write one test; whether anything changed."""
    item, said, current = step.item, step.entered, step.current
    has_begun = said.is_sampled or step.judged is not None
    changed = has_begun and item.sampled_at is None
    if changed:  # a result that comes before its sample was noted: taken by now
        item.sampled_at, item.sampled_by_id = utcnow(), actor.user_id
        order.state = LabOrderState.SAMPLED
    was_seen = current is not None and said.seen == current.public_id
    if current is not None and was_seen and step.judged is None:
        lab_results.end(actor, current, WHILE_WRITING)
        changed = True
    if said.not_done:
        item.not_done_reason, item.ended_at = said.not_done, utcnow()
        item.ended_by_id, order.state = actor.user_id, LabOrderState.SAMPLED
        changed = True
    if step.judged is not None and (current is None or current.value != step.judged.value):
        lab_results.add(actor, order, item, step.judged, current, WHILE_WRITING)
        changed = True
    db.session.flush()
    return changed
