"""The demo's day is played in a moment: each step is put back to when it would have been."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import case, literal, select, update

from db import db
from models import (
    Diagnosis,
    Examination,
    ExaminationAnswer,
    Immunization,
    LabOrder,
    LabOrderTest,
    LabResult,
    Prescription,
    PrescriptionLine,
    PrescriptionWarning,
    Procedure,
    QueueEntry,
    QueueEvent,
    TriageNote,
    Visit,
    VitalSigns,
)

STAMPS = {
    Visit: ("occurred_at", "recorded_at", "ended_at"),
    QueueEntry: ("queued_at", "called_at", "started_at", "ended_at"),
    QueueEvent: ("at",),
    Examination: ("occurred_at", "recorded_at", "finished_at"),
    VitalSigns: ("occurred_at", "recorded_at"),
    Diagnosis: ("recorded_at",),
    Procedure: ("recorded_at",),
    Prescription: ("recorded_at", "sent_at"),
    PrescriptionLine: ("recorded_at",),
    PrescriptionWarning: ("answered_at",),
    LabOrder: ("ordered_at", "resulted_at"),
    LabOrderTest: ("sampled_at",),
    LabResult: ("sampled_at", "resulted_at"),
    ExaminationAnswer: ("recorded_at",),
    Immunization: ("recorded_at",),
    TriageNote: ("recorded_at",),
}
QUEUE = (Visit, QueueEntry, QueueEvent)


def put_back(began: datetime, visit_id: int, at: datetime, models: Collection = QUEUE) -> None:
    """Whatever the last step stamped since `began` on this visit happened at `at`."""
    entries = select(QueueEntry.id).where(QueueEntry.visit_id == visit_id)
    examinations = select(Examination.id).where(Examination.visit_id == visit_id)
    prescribed = select(Prescription.id).where(Prescription.visit_id == visit_id)
    orders = select(LabOrder.id).where(LabOrder.visit_id == visit_id)
    belongs = {
        Visit: Visit.id == visit_id,
        QueueEntry: QueueEntry.visit_id == visit_id,
        QueueEvent: QueueEvent.entry_id.in_(entries),
        Examination: Examination.visit_id == visit_id,
        VitalSigns: VitalSigns.visit_id == visit_id,
        Diagnosis: Diagnosis.examination_id.in_(examinations),
        Procedure: Procedure.examination_id.in_(examinations),
        ExaminationAnswer: ExaminationAnswer.examination_id.in_(examinations),
        Immunization: Immunization.visit_id == visit_id,
        TriageNote: TriageNote.visit_id == visit_id,
        Prescription: Prescription.visit_id == visit_id,
        PrescriptionLine: PrescriptionLine.prescription_id.in_(prescribed),
        PrescriptionWarning: PrescriptionWarning.prescription_id.in_(prescribed),
        LabOrder: LabOrder.visit_id == visit_id,
        LabOrderTest: LabOrderTest.order_id.in_(orders),
        LabResult: LabResult.order_id.in_(orders),
    }
    for model in models:
        columns = [getattr(model, name) for name in STAMPS[model]]
        put_back = {
            column: case((column >= began, literal(at, column.type)), else_=column)
            for column in columns
        }
        changing = update(model).where(belongs[model]).values(put_back)
        db.session.execute(changing.execution_options(synchronize_session=False))
