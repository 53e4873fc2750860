"""A patient on loan: which room waits for another one's result, and how the patient comes back."""

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

from sqlalchemy import select

from clinic.audit import Actor
from clinic.days import STILL_HERE
from clinic.queue_changes import enqueue, lock, record, take
from clinic.queue_lines import entry_after
from clinic.queue_order import FIRST
from clinic.queue_steps import STEPS, check, last_event
from db import db
from models import EntryKind, EntryState, QueueEntry

RESULT_BACK_RANK = 1
FETCH = "jemput"


def sender_of(entry: QueueEntry | None) -> QueueEntry | None:
    """The stay that sent the patient to this one.

    Also when this one was moved on the way, or goes on after a result of its own came back.
    """
    while entry is not None and entry.kind in (EntryKind.MOVED, EntryKind.RESULT_BACK):
        before = entry.previous_entry
        entry = before if entry.kind is EntryKind.MOVED else sender_of(before)
    is_sent = entry is not None and entry.kind in (EntryKind.REFERRED, EntryKind.ORDERED)
    return entry.previous_entry if is_sent else None


def waiting_sender(entry: QueueEntry) -> QueueEntry | None:
    """The stay that waits for this one's result."""
    return next(iter(waiting_senders(entry)), None)


def waiting_senders(entry: QueueEntry) -> list[QueueEntry]:
    """The stay that waits for this one's result, the one that waits for that one's, and so on."""
    found: list[QueueEntry] = []
    while (entry := sender_of(entry)) and _is_waiting(entry):
        found.append(entry)
    return found


def is_waited_for(sender: QueueEntry) -> bool:
    """Whether a stay still goes on whose end ends the wait of this one."""
    stays = select(QueueEntry).where(
        QueueEntry.visit_id == sender.visit_id, QueueEntry.state.in_(STILL_HERE)
    )
    return any(sender in waiting_senders(each) for each in db.session.scalars(stays))


def stop_waiting(actor: Actor, senders: Sequence[QueueEntry], at: datetime) -> list[int]:
    """End these stays, locked since they were found, as far as they still wait; their ids."""
    waiting = list(takewhile(_is_waiting, senders))
    for each in waiting:
        take(actor, each, "hasil", {"ended_at": at}, at=at)
    return [each.id for each in waiting]


def stand_again(actor: Actor, sender: QueueEntry, previous: QueueEntry, at: datetime) -> QueueEntry:
    """Back in the room of the sender's stay, which has ended, ahead of those who are new."""
    back = enqueue(
        actor,
        sender.visit,
        sender.poli,
        kind=EntryKind.RESULT_BACK,
        previous=previous,
        rank=min(sender.rank, RESULT_BACK_RANK),
        at=at,
    )
    if back.rank == FIRST:  # emergencies stand by arrival: going for a result costs none
        back.place = sender.place
    return back


def fetch_back(actor: Actor, entry: QueueEntry, at: datetime) -> QueueEntry:
    """Wait for the other room's result no longer: the patient stands here again; the entry here.

    What stands over there is left to that room, which may have begun with the patient.
    """
    lock(entry)
    check(entry, FETCH)
    there = entry_after(entry)
    take(actor, entry, FETCH, {"ended_at": at}, at=at)
    back = stand_again(actor, entry, there or entry, at)
    # Only now: in one room a visit has one stay at a time.
    step = last_event(entry)
    step.before = step.before | {"opened": back.id}
    db.session.flush()
    record(actor, entry, STEPS[FETCH].audit)
    return back


def _is_waiting(entry: QueueEntry) -> bool:
    return entry.state is EntryState.AWAITING_RESULT
