"""Finished visits of earlier days, in any number, for tests of history."""

from datetime import timedelta

from sqlalchemy import select

from clinic import days
from db import db, transaction, utcnow
from models import (
    Diagnosis,
    EntryState,
    Examination,
    Patient,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
    VitalSigns,
)
from tests import factories


def add(person: Patient, count: int, *, since: int = 1) -> None:
    """One visit on each of so many days, the last one that many days ago, examined in UMUM.

    In the night yesterday still goes on in its rooms: what must be over is of the day before.
    """
    with transaction():
        user_id, poli_id = factories.user("umum").id, factories.poli().id
        numbers = select(Visit.number).order_by(Visit.number.desc()).limit(1)
        highest = db.session.scalar(numbers) or 0
        for n in range(since, since + count):
            visit = _visit(person, n, highest + n)
            entry = QueueEntry(
                visit_id=visit.id,
                poli_id=poli_id,
                service_day_id=visit.service_day_id,
                state=EntryState.DONE,
                seq=highest + n,
                place=highest + n,
            )
            db.session.add(entry)
            db.session.flush()
            _examined(entry, visit, user_id, n)


def _visit(person: Patient, days_ago: int, number: int) -> Visit:
    at = utcnow() - timedelta(days=days_ago)
    on = days.clinic_date(at)
    day = db.session.scalar(select(ServiceDay).where(ServiceDay.on == on))
    if day is None:
        day = ServiceDay(on=on, opened_at=at, closed_at=at)
        db.session.add(day)
        db.session.flush()
    visit = Visit(
        service_day_id=day.id,
        patient_id=person.id,
        original_patient_id=person.id,
        series="X",
        number=number,
        label=f"X{number:03}",
        status=VisitStatus.FINISHED,
        complaint=f"keluhan {days_ago}",
        payer="UMUM",
        cluster="3",
        cluster_rule="",
        computed_cluster="3",
        occurred_at=at,
    )
    db.session.add(visit)
    db.session.flush()
    return visit


def _examined(entry: QueueEntry, visit: Visit, user_id: int, n: int) -> None:
    at = visit.occurred_at
    examination = Examination(
        entry_id=entry.id,
        visit_id=visit.id,
        recorded_by_id=user_id,
        practitioner_id=factories.user("umum").practitioner_id,
        assessment=f"penilaian {n}",
        therapy=f"terapi {n}",
        disposition="pulang",
        occurred_at=at,
        finished_at=at,
    )
    db.session.add(examination)
    db.session.flush()
    db.session.add_all(
        [
            Diagnosis(
                examination_id=examination.id,
                code="J06.9",
                title="Infeksi saluran napas atas",
                edition="test",
                case_type="baru",
                is_primary=True,
                recorded_by_id=user_id,
            ),
            VitalSigns(
                visit_id=visit.id,
                systolic=120,
                diastolic=80,
                recorded_by_id=user_id,
                occurred_at=at,
            ),
        ]
    )
