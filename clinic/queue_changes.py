"""One change of the line: the conditional UPDATE, its event for undo, the version, the audit.

One transaction writes at a time, on both engines: what a step has read in its own still holds when
it writes. Every change raises the room's version, so that its screens draw themselves anew.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text, update

from clinic import audit, counters, first_visits, unsent_prescriptions
from clinic.audit import Actor
from clinic.days import STILL_HERE
from clinic.queue_order import FIRST, REST
from clinic.queue_steps import STEPS, QueueError, present, refusal
from db import add_row, db, run, utcnow
from models import (
    EntryKind,
    EntryState,
    Poli,
    PoliKind,
    Priority,
    QueueEntry,
    QueueEvent,
    QueueState,
    Visit,
    VisitStatus,
)

PLACE_STEP = 1000
# What undo puts back.
KEPT = ("rank", "is_priority", "place", "calls", "reason")
KEPT_INSTANTS = ("called_at", "started_at", "ended_at")
# How a room keeps the patient whom another one would send there.
STAYS = {
    EntryState.IN_SERVICE: "tetap dilayani di sana",
    EntryState.AWAITING_RESULT: "kembali ke sana sesudah dilayani di ruang lain",
}


# As text: SQLAlchemy compiles an insert with ON CONFLICT anew at each call, a millisecond long.
_RAISE = text(
    "INSERT INTO queue_state (service_day_id, poli_id, version, priority_run)"
    " VALUES (:day, :poli, :by, 0) ON CONFLICT (service_day_id, poli_id)"
    " DO UPDATE SET version = queue_state.version + :by"
)


def bump(day_id: int, poli_id: int, by: int = 1) -> None:
    """Raise the version of a room's queue on a day; with 0 only see to it that it has one."""
    run(_RAISE, {"day": day_id, "poli": poli_id, "by": by})


def bump_rooms_with(visit: Visit) -> None:
    """Every room in whose line the visit stands draws its row anew."""
    for poli_id in sorted(_rooms_with({visit.id})):
        bump(visit.service_day_id, poli_id)


def _rooms_with(visit_ids: set[int]) -> list[int]:
    rooms = select(QueueEntry.poli_id).where(
        QueueEntry.visit_id.in_(visit_ids), QueueEntry.state.in_(STILL_HERE)
    )
    return list(db.session.scalars(rooms))


def set_priority_run(entry: QueueEntry, run: Any) -> None:
    """How many priority patients the entry's room has called since the last other one."""
    db.session.execute(
        update(QueueState)
        .where(
            QueueState.service_day_id == entry.service_day_id, QueueState.poli_id == entry.poli_id
        )
        .values(priority_run=run)
        .execution_options(synchronize_session=False)
    )


def lock(*entries: QueueEntry | None, rooms: tuple[Poli, ...] = ()) -> None:
    """Raise the versions of these entries' rooms and read the entries again.

    And of the rooms where their patients stand besides: those rows say where a patient is now.
    """
    known = [entry for entry in entries if entry is not None]
    day_id = known[0].service_day_id
    here = {entry.poli_id for entry in known} | {room.id for room in rooms}
    visits = {entry.visit_id for entry in known}
    for poli_id in sorted(here | set(_rooms_with(visits))):
        bump(day_id, poli_id)
    for entry in known:
        db.session.refresh(entry)


def take(
    actor: Actor,
    entry: QueueEntry,
    action: str,
    changes: dict[str, Any],
    *,
    at: datetime,
    reason: str = "",
    key: str | None = None,
    trace: dict[str, Any] | None = None,
) -> None:
    """Take one step by one conditional UPDATE and note it. Raises QueueError when too late.

    `trace` names the entries that the step opened or closed elsewhere, for its undo.
    """
    step = STEPS[action]
    before, from_state = snapshot(entry) | (trace or {}), entry.state
    statement = (
        update(QueueEntry)
        .where(QueueEntry.id == entry.id, QueueEntry.state.in_(step.sources))
        .values({"state": step.target} | changes)
        .execution_options(synchronize_session=False)
    )
    is_taken = db.session.execute(statement).rowcount == 1
    db.session.refresh(entry)
    if not is_taken:
        raise QueueError(refusal(entry, action))
    note(actor, entry, action, at=at, from_state=from_state, reason=reason, key=key, before=before)
    if entry.state not in STILL_HERE:
        words = f"Pasien {step.word} sebelum Selesai"
        unsent_prescriptions.drop(actor, entry, f"{words}: {reason}" if reason else words, at)


# Straight into the table: nobody needs the object, and a flush costs four times as much.
_ADD_EVENT = insert(QueueEvent.__table__)


def note(
    actor: Actor,
    entry: QueueEntry,
    action: str,
    *,
    at: datetime,
    from_state: EntryState | None,
    reason: str = "",
    key: str | None = None,
    before: dict[str, Any] | None = None,
) -> None:
    """Write the event that led to the stored entry's present state."""
    event = {
        "entry_id": entry.id,
        "action": action,
        "from_state": from_state,
        "to_state": entry.state,
        "reason": reason[:300],
        "before": before or {},
        "key": key,
        "at": at,
        "user_id": actor.user_id,
    }
    run(_ADD_EVENT, event)


def snapshot(entry: QueueEntry) -> dict[str, Any]:
    """What a step may change, as JSON."""
    instants = {name: getattr(entry, name) for name in KEPT_INSTANTS}
    return (
        {"state": entry.state.value}
        | {name: getattr(entry, name) for name in KEPT}
        | {name: at.isoformat() if at else None for name, at in instants.items()}
    )


def from_snapshot(before: dict[str, Any]) -> dict[str, Any]:
    """The columns that a snapshot puts back."""
    instants = {name: before[name] for name in KEPT_INSTANTS}
    return (
        {"state": EntryState(before["state"])}
        | {name: before[name] for name in KEPT}
        | {name: datetime.fromisoformat(at) if at else None for name, at in instants.items()}
    )


def enqueue(
    actor: Actor,
    visit: Visit,
    poli: Poli,
    *,
    kind: EntryKind = EntryKind.REGISTERED,
    previous: QueueEntry | None = None,
    rank: int | None = None,
    at: datetime | None = None,
) -> QueueEntry:
    """Put the visit at the end of a room's line. Raises QueueError when it stands there already.

    `rank` is one that it earned elsewhere. Writes no audit entry: it is always a part of
    something that does.
    """
    at = at or utcnow()
    bump(visit.service_day_id, poli.id)
    if visit.id is None:
        add_row(visit)  # so it stands nowhere yet
    else:
        refuse_second(visit, poli)
    seq = counters.next_value(f"arrival:{visit.service_day_id}")
    entry = QueueEntry(
        visit_id=visit.id,
        poli=poli,
        service_day_id=visit.service_day_id,
        kind=kind,
        state=EntryState.WAITING,
        previous_entry_id=previous.id if previous else None,
        rank=rank_in(visit, poli, rank),
        is_priority=goes_ahead(visit),
        seq=seq,
        place=seq * PLACE_STEP,
        queued_at=at,
        queued_by_id=actor.user_id,
    )
    return open_entry(actor, entry, at)


def rank_in(visit: Visit, poli: Poli, earned: int | None = None) -> int:
    """The visit's rank in a room's line: the one it earned elsewhere, else its own.

    In an emergency room everybody is an emergency, by whatever way they came.
    """
    if poli.kind is PoliKind.EMERGENCY:
        return FIRST
    if earned is not None:
        return earned
    return FIRST if visit.priority == Priority.EMERGENCY else REST


def goes_ahead(visit: Visit) -> bool:
    """Whether the visit is called before others of its rank; an emergency has a rank of its own."""
    return bool(visit.priority) and visit.priority != Priority.EMERGENCY


def open_entry(actor: Actor, entry: QueueEntry, at: datetime) -> QueueEntry:
    """Store a new entry and note it."""
    add_row(entry)
    if "entries" in vars(entry.visit):  # read before
        db.session.expire(entry.visit, ["entries"])
    reopen_visit(entry.visit)
    note(actor, entry, "masuk", at=at, from_state=None)
    return entry


def record(actor: Actor, entry: QueueEntry, audit_word: str, reason: str = "") -> None:
    """The audit entry of a step."""
    details = f"{entry.visit.label} {entry.poli.code}"
    audit.record(actor, audit_word, entry, reason=reason, details=details)


def settle_visit(visit: Visit, at: datetime, otherwise: VisitStatus = VisitStatus.FINISHED) -> None:
    """Close the visit once nothing of it is active; one that was seen anywhere is finished."""
    db.session.refresh(visit, ["status", "ended_at"])
    stays = select(QueueEntry.state).where(QueueEntry.visit_id == visit.id)
    states = set(db.session.scalars(stays))
    may_end = visit.status in (VisitStatus.OPEN, VisitStatus.UNFINISHED)
    if may_end and not states & set(STILL_HERE):
        visit.status = VisitStatus.FINISHED if EntryState.DONE in states else otherwise
        visit.ended_at = at
        db.session.flush()
        if visit.status is VisitStatus.CANCELLED:
            first_visits.settle(visit.patient_id)


def reopen_visit(visit: Visit) -> None:
    """A visit with an active entry is open."""
    if visit.status is not VisitStatus.OPEN:
        was_cancelled = visit.status is VisitStatus.CANCELLED
        visit.status = VisitStatus.OPEN
        visit.ended_at = None
        db.session.flush()
        if was_cancelled:
            first_visits.settle(visit.patient_id)


def refuse_second(
    visit: Visit, poli: Poli, but: QueueEntry | None = None, way_out: str = ""
) -> None:
    """Raise QueueError when the visit already stands in this room; the index forbids it too.

    `way_out` is what to do instead, where the room has the patient anyhow.
    """
    if visit.id is None:
        return  # not stored yet, so it stands nowhere
    here = db.session.scalar(
        select(QueueEntry).where(
            QueueEntry.visit_id == visit.id,
            QueueEntry.poli_id == poli.id,
            QueueEntry.state.in_(STILL_HERE),
            QueueEntry.id != (but.id if but else 0),
        )
    )
    if here is None:
        return
    sentence = f"{present(here)}, jadi tidak dapat masuk {poli.name} dua kali."
    stays = STAYS.get(here.state, "tetap di antrean sana")
    raise QueueError(f"{sentence} Pasien {stays}; {way_out}." if way_out else sentence)
