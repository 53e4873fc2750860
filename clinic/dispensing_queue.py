"""What waits in the pharmacy: today's open prescriptions, in its queue or on the way there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import contains_eager, joinedload

from clinic import audit, days, prescription_queue, prescriptions, queues
from clinic.audit import Actor
from clinic.days import STILL_HERE
from clinic.pharmacy_alerts import COMPOUND_GOAL, NEAR_GOAL, PLAIN_GOAL
from clinic.record_errors import RecordError
from db import db, grouped
from models import (
    EntryKind,
    EntryState,
    Examination,
    Poli,
    PoliKind,
    Prescription,
    QueueEntry,
    ServiceDay,
    Visit,
)

EARLIER, PAGE = timedelta(days=30), 20  # what was not fetched on its day is shown so long


@dataclass
class Waiting:
    """A prescription of today that is not handed out yet."""

    prescription: Prescription
    entry: QueueEntry | None  # where the patient stands in the pharmacy's queue
    is_elsewhere: bool  # still in another room
    lines: int
    has_compound: bool
    minutes: int
    band: str = field(init=False)

    def __post_init__(self) -> None:
        late, near = self.minutes >= self.goal, self.minutes >= self.goal - NEAR_GOAL
        self.band = "late" if late else "warn" if near else "ok"

    @property
    def goal(self) -> int:
        return COMPOUND_GOAL if self.has_compound else PLAIN_GOAL


def waiting(day: ServiceDay | None, now: datetime) -> list[Waiting]:
    """Today's open prescriptions, the longest waiting first; 4 queries however many."""
    if day is None:
        return []
    rows = (
        prescriptions.whole()
        .join(Prescription.visit)
        .options(joinedload(Prescription.visit).joinedload(Visit.patient))
        .where(Visit.service_day_id == day.id, Prescription.state.in_(prescriptions.OPEN))
        .order_by(Prescription.sent_at, Prescription.id)
    )
    found = list(db.session.scalars(rows))
    here = _where(found)
    return [_waiting(each, here[each.visit_id], now) for each in found]


def earlier(
    day: ServiceDay | None, today: date, page: int = 1, *, is_old: bool = False
) -> tuple[list[Prescription], int]:
    """What nobody fetched on its day, newest first, and how many in all; 2 queries."""
    visit, stay = joinedload(Prescription.visit), joinedload(Prescription.examination)
    found = _unfetched(day, today, is_old)
    count = db.session.scalar(found.with_only_columns(func.count(Prescription.id)))
    rows = found.options(
        visit.joinedload(Visit.patient),
        visit.joinedload(Visit.service_day),
        stay.joinedload(Examination.entry).joinedload(QueueEntry.poli),
    ).order_by(ServiceDay.on.desc(), Prescription.id.desc())  # so that it starts from the days
    return list(db.session.scalars(rows.limit(PAGE).offset((page - 1) * PAGE))), count or 0


def old_count(day: ServiceDay | None, today: date) -> int:
    """How many of them are older than the list shows at first."""
    rows = _unfetched(day, today, is_old=True).with_only_columns(func.count(Prescription.id))
    return db.session.scalar(rows) or 0


def unfetched_of(visit: Visit) -> list[Prescription]:
    """What the patient has not fetched of other days, newest first; 1 query."""
    rows = (
        select(Prescription)
        .join(Prescription.visit)
        .options(
            contains_eager(Prescription.visit).joinedload(Visit.service_day),
            joinedload(Prescription.examination)
            .joinedload(Examination.entry)
            .joinedload(QueueEntry.poli),
        )
        .where(
            Visit.patient_id == visit.patient_id,
            Visit.service_day_id != visit.service_day_id,
            Prescription.state.in_(prescriptions.OPEN),
            prescription_queue.has_listed_line(),
        )
    )
    return list(db.session.scalars(rows.order_by(Prescription.id.desc())))


def _unfetched(day: ServiceDay | None, today: date, is_old: bool) -> Select:
    since = today - EARLIER
    # As text: only so does SQLite see that its index of the open ones holds them all.
    is_open = text("prescription.state IN ('sent', 'reviewed')")
    wanted = [is_open, ServiceDay.id != (day.id if day else 0)]
    wanted += [ServiceDay.on < since if is_old else ServiceDay.on >= since]
    wanted += [prescription_queue.has_listed_line()]
    return select(Prescription).join(Prescription.visit).join(Visit.service_day).where(*wanted)


def _where(found: Sequence[Prescription]) -> dict[int, list[QueueEntry]]:
    rows = (
        select(QueueEntry)
        .options(joinedload(QueueEntry.poli))
        .where(
            QueueEntry.visit_id.in_([each.visit_id for each in found]),
            QueueEntry.state.in_(STILL_HERE),
            QueueEntry.undone_at.is_(None),
        )
    )
    return grouped(rows, "visit_id") if found else {}


def _waiting(each: Prescription, entries: list[QueueEntry], now: datetime) -> Waiting:
    lines = prescriptions.active_lines(each)
    there = next((row for row in entries if row.poli.kind is PoliKind.PHARMACY), None)
    minutes = max(0, int((now - each.sent_at).total_seconds() // 60))
    has_compound = any(line.is_compound for line in lines)
    return Waiting(each, there, bool(entries) and there is None, len(lines), has_compound, minutes)


def entries_of(visit: Visit) -> list[QueueEntry]:
    """The visit's stays in the pharmacy, the one that is most likely meant first."""
    rows = (
        select(QueueEntry)
        .join(QueueEntry.poli)
        .options(joinedload(QueueEntry.poli))
        .where(
            QueueEntry.visit_id == visit.id,
            QueueEntry.undone_at.is_(None),
            Poli.kind == PoliKind.PHARMACY,
        )
    )
    order = (
        *(EntryState.IN_SERVICE, EntryState.CALLED, EntryState.WAITING),
        *(EntryState.SKIPPED, EntryState.DONE),
    )
    place = {state: number for number, state in enumerate(order)}
    return sorted(
        db.session.scalars(rows), key=lambda row: (place.get(row.state, len(order)), -row.id)
    )


def put_in_line(actor: Actor, prescription: Prescription) -> QueueEntry:
    """Queue the visit in the pharmacy. Raises RecordError, QueueError when it stands there."""
    room, day, visit = prescription_queue.pharmacy(), days.current_day(), prescription.visit
    db.session.refresh(prescription)
    if room is None:
        raise RecordError("Ruang farmasi tidak ada atau tidak dipakai.")
    if prescription.state not in prescriptions.OPEN:
        raise RecordError(f"Resep {prescription.number} sudah ditutup.")
    if day is None or visit.service_day_id != day.id:
        raise RecordError(
            "Resep ini dari hari lain. Serahkan langsung dari daftar hari sebelumnya."
        )
    sender = prescription.examination.entry
    there = queues.enqueue(actor, visit, room, kind=EntryKind.ORDERED, previous=sender)
    audit.record(actor, "queue_prescription", prescription, details=visit.label)
    return there
