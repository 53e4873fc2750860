"""Who goes on to the pharmacy: those whose prescription was sent, once no other room awaits them.

Called by the end of every stay (`queue_transfers.end`), so nobody has to remember it.
"""

from datetime import datetime

from sqlalchemy import select

from clinic import days
from clinic.audit import Actor
from clinic.queue_changes import enqueue
from db import db
from models import (
    EntryKind,
    EntryState,
    Poli,
    PoliKind,
    Prescription,
    PrescriptionLine,
    PrescriptionState,
    QueueEntry,
    Visit,
)

OPEN = (PrescriptionState.SENT, PrescriptionState.REVIEWED)


def pharmacy() -> Poli | None:
    """The clinic's pharmacy room, if it has one in use."""
    rooms = select(Poli).where(Poli.kind == PoliKind.PHARMACY, Poli.is_active)
    return db.session.scalar(rooms.order_by(Poli.position).limit(1))


def next_room(entry: QueueEntry) -> Poli | None:
    """The pharmacy, when this stay's visit has something to fetch there."""
    if entry.poli.kind is PoliKind.PHARMACY or not _to_fetch(entry.visit_id):
        return None
    return pharmacy()


def go_on(actor: Actor, entry: QueueEntry, room: Poli, at: datetime) -> QueueEntry | None:
    """Queue the visit in the pharmacy unless another room still has it; the entry there."""
    still_somewhere = select(QueueEntry.id).where(
        QueueEntry.visit_id == entry.visit_id,
        QueueEntry.state.in_(days.STILL_HERE),
        QueueEntry.id != entry.id,
    )
    if db.session.scalar(still_somewhere.limit(1)) is not None:
        return None
    return enqueue(actor, entry.visit, room, kind=EntryKind.ORDERED, previous=entry, at=at)


def waiting_there(visit: Visit) -> QueueEntry | None:
    """Where the visit stands in a pharmacy's queue now."""
    rows = select(QueueEntry).join(QueueEntry.poli)
    return db.session.scalar(
        rows.where(
            QueueEntry.visit_id == visit.id,
            QueueEntry.state.in_(days.STILL_HERE),
            Poli.kind == PoliKind.PHARMACY,
        )
    )


def list_without_queue(visit: Visit) -> str:
    """Under which heading the pharmacy lists what a visit left that stands in no room any more.

    '' while it stands somewhere. The end of the day cut it off; its record was completed since.
    """
    here = QueueEntry.visit_id == visit.id, QueueEntry.state.in_(days.STILL_HERE)
    if db.session.scalar(select(QueueEntry.id).where(*here).limit(1)) is not None:
        return ""
    day = days.current_day()
    goes_on = day is not None and day.id == visit.service_day_id
    return "Belum di antrean farmasi" if goes_on else "Hari sebelumnya, belum diambil"


def _to_fetch(visit_id: int) -> bool:
    rows = select(Prescription.id).where(
        Prescription.visit_id == visit_id, Prescription.state.in_(OPEN), has_listed_line()
    )
    return db.session.scalar(rows.limit(1)) is not None


def has_listed_line():
    """Something that this pharmacy makes or has, not only what is bought outside."""
    line = PrescriptionLine
    return (
        select(line.id)
        .where(
            line.prescription_id == Prescription.id,
            line.ended_at.is_(None),
            line.medicine_id.is_not(None) | line.is_compound,
        )
        .exists()
    )


def leave(visit: Visit) -> QueueEntry | None:
    """The entry to cancel when there is nothing left to fetch: not served yet; else None."""
    there = waiting_there(visit)
    idle = (EntryState.WAITING, EntryState.CALLED, EntryState.SKIPPED)
    return there if there and there.state in idle and not _to_fetch(visit.id) else None
