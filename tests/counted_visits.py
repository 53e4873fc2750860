"""Visits of any day with what reports count of them, stored in few statements."""

import itertools
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from clinic import days
from db import db, transaction
from models import (
    Diagnosis,
    EntryState,
    Examination,
    Patient,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
)
from tests import factories

_numbers = itertools.count(1)
Code = tuple[str, str]  # ICD-10, and "baru" or "lama"


def day_of(on: date) -> ServiceDay:
    """The service day of this date, closed."""
    found = db.session.scalar(select(ServiceDay).where(ServiceDay.on == on))
    if found is None:
        at = days.midnight_utc(on) + timedelta(hours=8)
        found = ServiceDay(on=on, opened_at=at, closed_at=at + timedelta(hours=7))
        db.session.add(found)
        db.session.flush()
    return found


def add(
    on: date,
    person: Patient | None = None,
    room: str = "UMUM",
    codes: Sequence[Code] = (),
    *,
    waited: int | None = 10,
    entry: dict[str, Any] | None = None,
    examined: dict[str, Any] | None = None,
    **fields: Any,
) -> Visit:
    """A finished visit on this day in this room, examined when there are codes."""
    person = person or factories.patient()
    with transaction():
        day = day_of(on)
        at, number = day.opened_at, next(_numbers)
        told = {"status": VisitStatus.FINISHED, "complaint": "batuk", "payer": "UMUM"}
        told |= {"cluster": "3", "computed_cluster": "3", "cluster_rule": "umur"} | fields
        visit = Visit(
            service_day_id=day.id,
            patient_id=person.id,
            original_patient_id=person.id,
            series="Z",
            number=number,
            label=f"Z{number:03}",
            occurred_at=at,
            **told,
        )
        db.session.add(visit)
        db.session.flush()
        _stay(visit, room, codes, waited, entry or {}, examined or {})
    return visit


def go_on(
    visit: Visit,
    room: str,
    codes: Sequence[Code] = (),
    *,
    waited: int | None = 10,
    examined: dict[str, Any] | None = None,
    **entry: Any,
) -> QueueEntry:
    """A further stay of the visit."""
    with transaction():
        return _stay(db.session.merge(visit), room, codes, waited, entry, examined or {})


def _stay(visit, room, codes, waited, entry, examined) -> QueueEntry:
    queued = visit.occurred_at
    called = queued + timedelta(minutes=waited) if waited is not None else None
    told = {"state": EntryState.DONE, "queued_at": queued, "called_at": called} | entry
    stay = QueueEntry(
        visit_id=visit.id,
        service_day_id=visit.service_day_id,
        poli_id=factories.poli(room).id,
        seq=visit.number,
        place=visit.number * 1000,
        **told,
    )
    db.session.add(stay)
    db.session.flush()
    if codes or examined:
        _examine(visit, stay, codes, examined)
    return stay


def _examine(visit: Visit, stay: QueueEntry, codes: Sequence[Code], told: dict[str, Any]) -> None:
    user = factories.user("umum").id
    fields = {"finished_at": visit.occurred_at, "disposition": "pulang"} | told
    examination = Examination(entry_id=stay.id, visit_id=visit.id, recorded_by_id=user, **fields)
    db.session.add(examination)
    db.session.flush()
    for place, (code, case) in enumerate(codes):
        db.session.add(
            Diagnosis(
                examination_id=examination.id,
                code=code,
                title=f"penyakit {code}",
                case_type=case,
                is_primary=not place,
                position=place,
                recorded_by_id=user,
            )
        )
    db.session.flush()
