"""A room's day as its page shows it: who waits, is called, is served, and who went on."""

from sqlalchemy import (
    Case,
    ColumnElement,
    Exists,
    Integer,
    ScalarSelect,
    Select,
    bindparam,
    case,
    exists,
    func,
    select,
)
from sqlalchemy.orm import aliased

from clinic import lab_alerts, pharmacy_alerts, settings
from clinic.queue_order import in_calling_order
from clinic.queue_rows import COMPLAINT_LENGTH, QueueRow, RoomQueue
from clinic.queue_steps import TAKEN_IN
from clinic.queue_version import between_days, version_token
from db import db, utcnow
from models import (
    Allergy,
    EntryState,
    LabOrder,
    LabOrderState,
    LabOrderTest,
    Level,
    Override,
    Patient,
    Poli,
    PoliKind,
    QueueEntry,
    QueueEvent,
    QueueState,
    ServiceDay,
    TriageNote,
    Visit,
    VisitStatus,
    VitalSigns,
)

COUGH_RULE, RED_FLAG_RULE = "P1", "R1"  # answered on the check page, worth knowing in the room


def entry_after(entry: QueueEntry) -> QueueEntry | None:
    """The stay in the room to which the patient went from this one."""
    found = select(QueueEntry).where(
        QueueEntry.previous_entry_id == entry.id, QueueEntry.undone_at.is_(None)
    )
    return db.session.scalar(found.limit(1))


def room_queue(poli: Poli, day: ServiceDay | None) -> RoomQueue:
    """Everything the room's page shows, in at most five queries however long the line is."""
    known, now = settings.values(), utcnow()
    # Read before the rows: a page that is newer than its version is only drawn once more.
    if day:
        state = db.session.get(QueueState, (day.id, poli.id))
        version = version_token(known["epoch"], day.id, state.version if state else 0)
    else:  # not `present_version`: a day that was opened since has rows that are not here
        state, over = None, between_days(poli.id)
        version = over.version
    queue = RoomQueue(
        version=version,
        on=day.on if day else None,
        now=now,
        zone=known["time_zone"],
        warn_minutes=known["wait_warn_minutes"],
        late_minutes=known["wait_late_minutes"],
    )
    queue.alerts, queue.alerts_elsewhere = lab_alerts.alerts(poli.id)
    if poli.kind is PoliKind.LABORATORY:
        queue.to_validate = lab_alerts.validation_count()
    if day is None:
        queue.closed_at, queue.left = over.closed_at, over.left
        return queue
    if poli.kind is PoliKind.PHARMACY:
        queue.unqueued = pharmacy_alerts.forgotten_count(day.id)
        queue.use_goals(pharmacy_alerts.due(day.id))
    parts = {
        EntryState.WAITING: queue.waiting,
        EntryState.CALLED: queue.called,
        EntryState.IN_SERVICE: queue.in_service,
        EntryState.AWAITING_RESULT: queue.awaiting,
        EntryState.SKIPPED: queue.skipped,
    }
    for columns in db.session.execute(ROWS, {"day_id": day.id, "poli_id": poli.id}):
        row = queue.timed(QueueRow(*columns))
        parts.get(row.state, queue.done).append(row)
    run = state.priority_run if state else 0
    queue.waiting = in_calling_order(queue.waiting, known["priority_ratio"], run)
    queue.called.sort(key=lambda row: row.called_at or row.queued_at, reverse=True)
    queue.done.sort(key=lambda row: row.ended_at or row.queued_at, reverse=True)
    return queue


def _namesakes(day_id):
    """Names that several people of this day have."""
    return (
        select(Patient.name_key, func.count(Patient.id.distinct()).label("people"))
        .join(Visit, Visit.patient_id == Patient.id)
        .where(Visit.service_day_id == day_id, Visit.status != VisitStatus.CANCELLED)
        .group_by(Patient.name_key)
        .having(func.count(Patient.id.distinct()) > 1)
        .subquery()
    )


def _room_gone_to() -> ScalarSelect:
    later, to_room = aliased(QueueEntry), aliased(Poli)
    return (
        select(func.max(to_room.name))
        .join(later, later.poli_id == to_room.id)
        .where(later.previous_entry_id == QueueEntry.id, later.undone_at.is_(None))
        .correlate(QueueEntry)
        .scalar_subquery()
    )


def _room_taken_in_by() -> ScalarSelect:
    """Another room that calls or serves the patient now."""
    other, there = aliased(QueueEntry), aliased(Poli)
    return (
        select(func.max(there.name))
        .join(other, other.poli_id == there.id)
        .where(
            other.visit_id == QueueEntry.visit_id,
            other.id != QueueEntry.id,
            other.state.in_(TAKEN_IN),
        )
        .correlate(QueueEntry)
        .scalar_subquery()
    )


def _open_lab_tests() -> ScalarSelect:
    return (
        select(func.count(LabOrderTest.id))
        .join(LabOrderTest.order)
        .where(
            LabOrder.visit_id == Visit.id,
            LabOrder.state.in_((LabOrderState.ORDERED, LabOrderState.SAMPLED)),
            LabOrderTest.ended_at.is_(None),
        )
        .correlate(Visit)
        .scalar_subquery()
    )


def _step_that_ended() -> Case:
    """The id of the step by which the patient went on: the row's button takes it back."""
    newest = (
        select(func.max(QueueEvent.id))
        .where(
            QueueEvent.entry_id == QueueEntry.id,
            QueueEvent.undone_at.is_(None),
            QueueEvent.action != "urungkan",
        )
        .correlate(QueueEntry)
        .scalar_subquery()
    )
    return case((QueueEntry.ended_at.is_not(None), newest))


def _newest_triage() -> ScalarSelect:
    return (
        select(TriageNote.priority)
        .where(
            TriageNote.visit_id == Visit.id,
            TriageNote.ended_at.is_(None),
            TriageNote.priority.is_not(None),
        )
        .order_by(TriageNote.id.desc())
        .limit(1)
        .correlate(Visit)
        .scalar_subquery()
    )


def _is_warned(*, is_alert: bool) -> Exists:
    about = (Allergy.patient_id == Patient.id, Allergy.is_alert.is_(is_alert))
    return exists().where(*about, Allergy.ended_at.is_(None))


def _is_told(rule: str) -> ColumnElement[bool]:
    """Whether the room is told of this sign; a correction of the complaint may have ended it."""
    told, ended = aliased(Override), aliased(Override)
    last_end = (
        select(func.coalesce(func.max(ended.id), 0))
        .where(ended.visit_id == Visit.id, ended.rule == rule, ended.level == Level.OFF)
        .correlate(Visit)
        .scalar_subquery()
    )
    mine = told.visit_id == Visit.id, told.rule == rule
    return exists().where(*mine, told.level != Level.OFF, told.id > last_end)


def _rows() -> Select:
    day_id, poli_id = bindparam("day_id", type_=Integer), bindparam("poli_id", type_=Integer)
    here_today = _namesakes(day_id)
    earlier, from_room = aliased(QueueEntry), aliased(Poli)
    return (
        select(
            QueueEntry.public_id,
            Visit.public_id,
            Visit.label,
            QueueEntry.state,
            QueueEntry.kind,
            QueueEntry.rank,
            QueueEntry.is_priority,
            QueueEntry.place,
            QueueEntry.seq,
            QueueEntry.calls,
            QueueEntry.reason,
            QueueEntry.queued_at,
            QueueEntry.called_at,
            QueueEntry.started_at,
            QueueEntry.ended_at,
            *(Patient.name, Patient.birth_order, Patient.sex),
            *(Patient.birth_date, Patient.birth_precision, Visit.age_days),
            func.substr(Visit.complaint, 1, 2 * COMPLAINT_LENGTH),
            Visit.priority,
            Visit.pregnant,
            here_today.c.people,
            _is_told(COUGH_RULE),
            _is_told(RED_FLAG_RULE),
            _is_warned(is_alert=False),
            _is_warned(is_alert=True),
            exists().where(VitalSigns.visit_id == Visit.id, VitalSigns.ended_at.is_(None)),
            _newest_triage(),
            from_room.name,
            _room_gone_to(),
            _room_taken_in_by(),
            _open_lab_tests(),
            _step_that_ended(),
        )
        .join(Visit, Visit.id == QueueEntry.visit_id)
        .join(Patient, Patient.id == Visit.patient_id)
        .outerjoin(here_today, here_today.c.name_key == Patient.name_key)
        .outerjoin(earlier, earlier.id == QueueEntry.previous_entry_id)
        .outerjoin(from_room, from_room.id == earlier.poli_id)
        .where(
            QueueEntry.service_day_id == day_id,
            QueueEntry.poli_id == poli_id,
            QueueEntry.undone_at.is_(None),
        )
        .order_by(QueueEntry.id)
    )


# Built once: putting it together takes longer than running it.
ROWS = _rows()
