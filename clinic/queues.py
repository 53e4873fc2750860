"""The rooms' queues: call the next patient, and take the step that staff ask for.

`queue_steps` holds the table of legal steps, `queue_changes` how one is written, `queue_order`
whose turn it is, `queue_transfers` the ways between rooms, `queue_undo` the way back.
"""

import hashlib
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select, update

from clinic import days, right_patient, settings
from clinic.audit import Actor
from clinic.queue_changes import (
    PLACE_STEP,
    bump,
    enqueue,
    lock,
    record,
    set_priority_run,
    settle_visit,
    take,
)
from clinic.queue_lines import entry_after, room_queue
from clinic.queue_loans import FETCH, fetch_back
from clinic.queue_order import REST, in_calling_order, people_before, put_back, waiting
from clinic.queue_steps import (
    STEPS,
    OwnStep,
    QueueError,
    check,
    newest_event,
    refusal,
    refuse_unseen,
)
from clinic.queue_transfers import ENDS, end, finish, move, refer
from clinic.queue_undo import undo
from db import db, run, utcnow
from models import EntryState, Patient, Poli, QueueEntry, QueueEvent, QueueState, Visit

# What other parts of the clinic use; they need not know which file it stands in.
__all__ = [
    "QueueError",
    "act",
    "bump",
    "bump_namesakes",
    "bump_rooms_of",
    "call_next",
    "enqueue",
    "finish",
    "people_before",
    "refer",
    "room_queue",
    "take_paper_place",
]


def bump_rooms_of(*people: Patient) -> None:
    """Every screen of today that shows one of them, or a namesake's mark, draws itself anew."""
    day = days.current_day()
    if day is None:
        return
    rooms = (
        select(QueueEntry.poli_id)
        .distinct()
        .join(QueueEntry.visit)
        .join(Visit.patient)
        .where(
            QueueEntry.service_day_id == day.id,
            or_(
                Patient.id.in_([one.id for one in people]),
                Patient.name_key.in_([one.name_key for one in people]),
            ),
        )
    )
    for poli_id in db.session.scalars(rooms.order_by(QueueEntry.poli_id)).all():
        bump(day.id, poli_id)


_FIRST_VISIT = (
    select(func.min(Visit.id)).where(Visit.service_day_id == bindparam("day")).scalar_subquery()
)
# Built once: at each save of the counter it costs one statement more.
_RAISE_NAMESAKES = (
    update(QueueState.__table__)
    .where(
        QueueState.service_day_id == bindparam("day"),
        QueueState.poli_id.in_(
            select(QueueEntry.poli_id)
            .join(QueueEntry.visit)
            .join(Visit.patient)
            .where(
                Patient.name_key == bindparam("name_key"),
                Patient.id != bindparam("patient"),
                # Of a thousand of the commonest name almost all came before today's first visit.
                Visit.id >= _FIRST_VISIT,
                QueueEntry.service_day_id == bindparam("day"),
                QueueEntry.state.in_(days.STILL_HERE),
            )
        ),
    )
    .values(version=QueueState.version + 1)
)


def bump_namesakes(visit: Visit) -> None:
    """Where others of this name stand, their rows now say how many there are today."""
    patient = visit.patient
    values = {"day": visit.service_day_id, "patient": patient.id, "name_key": patient.name_key}
    run(_RAISE_NAMESAKES, values)


# --- Calling ----------------------------------------------------------------------------------


def call_next(actor: Actor, poli: Poli, key: str | None = None) -> QueueEntry | None:
    """Call whoever is next; None when nobody waits. The same `key` again gives the same entry."""
    day = days.current_day()
    if day is None:
        return None
    # Not raised: a press on an empty room must not make every screen draw itself anew.
    bump(day.id, poli.id, by=0)
    state = db.session.get_one(QueueState, (day.id, poli.id), populate_existing=True)
    press = _press(day.id, poli.id, key) if key else None
    earlier = _called_by(press) if press else None
    if earlier is not None:
        return earlier
    ratio = settings.value("priority_ratio")
    line = in_calling_order(waiting(day.id, poli.id), ratio, state.priority_run)
    if not line:
        return None
    entry = db.session.get(QueueEntry, line[0].id)
    lock(entry)
    _call(actor, entry, utcnow(), press)
    record(actor, entry, "call")
    return entry


def take_paper_place(actor: Actor, entry: QueueEntry, was_served: bool) -> None:
    """An entry that was just made from a slip: over already, or in line by the slip's time."""
    if was_served:
        take(actor, entry, "kertas", {"ended_at": entry.queued_at}, at=utcnow())
        settle_visit(entry.visit, entry.queued_at)
        return
    line = select(QueueEntry.id, QueueEntry.place, QueueEntry.seq, QueueEntry.queued_at).where(
        QueueEntry.service_day_id == entry.service_day_id,
        QueueEntry.poli_id == entry.poli_id,
        QueueEntry.state == EntryState.WAITING,
        QueueEntry.id != entry.id,
    )
    stand = db.session.execute(line.order_by(QueueEntry.place, QueueEntry.seq)).all()
    came_later = (n for n, other in enumerate(stand) if other.queued_at > entry.queued_at)
    spot = next(came_later, len(stand))
    entry.place = _place_between(entry, stand[:spot], stand[spot:])
    db.session.flush()


def _press(day_id: int, poli_id: int, key: str) -> str:
    return hashlib.sha256(f"{day_id}/{poli_id}/{key}".encode()).hexdigest()


def _called_by(press: str) -> QueueEntry | None:
    return db.session.scalar(
        select(QueueEntry)
        .join(QueueEvent, QueueEvent.entry_id == QueueEntry.id)
        .where(QueueEvent.key == press)
    )


def _call(actor: Actor, entry: QueueEntry, at: datetime, press: str | None = None) -> None:
    takes_turn = entry.state is EntryState.WAITING and entry.rank == REST
    run = _priority_run(entry)
    changes = {"calls": QueueEntry.calls + 1, "called_at": at}
    take(actor, entry, "panggil", changes, at=at, key=press, trace={"run": run})
    if takes_turn:
        set_priority_run(entry, run + 1 if entry.is_priority else 0)


def _priority_run(entry: QueueEntry) -> int:
    return db.session.get(QueueState, (entry.service_day_id, entry.poli_id)).priority_run


# --- One step of one entry --------------------------------------------------------------------


def act(
    actor: Actor,
    entry: QueueEntry,
    action: str,
    reason: str = "",
    target: Poli | None = None,
    *,
    at: datetime | None = None,
    answer: str = "",
    seen: str = "",
) -> QueueEntry:
    """Take the step that staff asked for; returns the entry with which the visit goes on.

    Actions: panggil lewati kembali jemput mulai selesai pindah batal pulang urungkan. Raises
    QueueError for one that the entry's state does not allow, or that lacks its reason or its room;
    `mulai` right_patient.Unconfirmed where `answer`, what the patient said, does not settle who
    it is. `seen` is what the button knew, if it says so: the state that it
    showed, for urungkan the id of its step.
    """
    at, reason = at or utcnow(), reason.strip()
    if action == "urungkan":
        return undo(actor, entry, at, seen)
    if _is_resent(actor, entry, action, target):
        raise OwnStep(refusal(entry, action))
    check(entry, action)
    if STEPS[action].needs_reason and not reason:
        raise QueueError("Tulis alasannya dahulu.")
    refuse_unseen(actor, entry, action, seen)
    if action == "pindah":
        return move(actor, entry, target, reason, at)
    if action in ENDS:
        return end(actor, entry, action, reason, at)
    if action == FETCH:
        return fetch_back(actor, entry, at)
    lock(entry)
    check(entry, action)
    refuse_unseen(actor, entry, action, seen)
    confirmed = right_patient.confirm(entry, answer, reason) if action == "mulai" else ""
    SIMPLE_STEPS[action](actor, entry, at)
    record(actor, entry, STEPS[action].audit, confirmed)
    return entry


def _is_resent(actor: Actor, entry: QueueEntry, action: str, target: Poli | None) -> bool:
    """Whether the same account took this very step last: a press sent twice."""
    step = STEPS[action]
    if entry.state in step.sources or entry.state is not step.target:
        return False
    newest = newest_event(entry)
    if newest is None or (newest.action, newest.user_id) != (action, actor.user_id):
        return False
    if action != "pindah":
        return True
    after = entry_after(entry)
    return after is not None and target is not None and after.poli_id == target.id


def _skip(actor: Actor, entry: QueueEntry, at: datetime) -> None:
    take(actor, entry, "lewati", {}, at=at)


def _start(actor: Actor, entry: QueueEntry, at: datetime) -> None:
    take(actor, entry, "mulai", {"started_at": at}, at=at)


def _put_back(actor: Actor, entry: QueueEntry, at: datetime) -> None:
    ratio, run = settings.value("priority_ratio"), _priority_run(entry)
    line = in_calling_order(waiting(entry.service_day_id, entry.poli_id), ratio, run)
    behind = settings.value("put_back_behind")
    rank, is_priority, lane, spot = put_back(entry, line, behind, ratio, run)
    place = _place_between(entry, lane[:spot], lane[spot:])
    changes = {"rank": rank, "is_priority": is_priority, "place": place}
    take(actor, entry, "kembali", changes, at=at)


def _place_between(entry: QueueEntry, before: list, after: list) -> int:
    if not before:
        return min(entry.place, after[0].place - 1) if after else entry.place
    if not after:
        return max(entry.place, before[-1].place + 1)
    low, high = before[-1].place, after[0].place
    if high - low > 1:
        return (low + high) // 2
    # No number left between: deal out the class's own arrival numbers again, in its present order.
    order = [*before, entry, *after]
    places = [seq * PLACE_STEP for seq in sorted(row.seq for row in order)]
    for row, place in zip(order, places, strict=True):
        db.session.execute(
            update(QueueEntry)
            .where(QueueEntry.id == row.id, QueueEntry.id != entry.id)
            .values(place=place)
            .execution_options(synchronize_session=False)
        )
    return places[len(before)]


SIMPLE_STEPS = {"panggil": _call, "lewati": _skip, "kembali": _put_back, "mulai": _start}
