"""Whose identity is to be completed: no NIK or one that two bear, unknown, birth date estimated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import NamedTuple

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import aliased, contains_eager, joinedload

from clinic import days, deaths, patients, search
from db import db
from models import (
    DatePrecision,
    NoNikReason,
    Patient,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
)


@dataclass(frozen=True)
class Incomplete:
    """A patient with the day of their last visit; `is_here` while they wait or are treated."""

    patient: Patient
    last_visit_on: date | None
    is_here: bool

    @property
    def lacks_nik(self) -> bool:
        return self.patient.nik is None and not _is_foreigner(self.patient)

    @property
    def lacks_birth_date(self) -> bool:
        patient = self.patient
        return patient.birth_date is None or patient.birth_precision != DatePrecision.DAY


# Nobody can bring a NIK that does not exist: a foreigner has a passport.
_FOREIGNER = and_(Patient.no_nik_reason == NoNikReason.FOREIGNER, Patient.passport_no.is_not(None))
_LACKING = and_(
    Patient.is_active,
    Patient.merged_into_id.is_(None),
    Patient.id.not_in(deaths.THE_DEAD),
    or_(
        Patient.is_nik_disputed,
        and_(Patient.nik.is_(None), ~_FOREIGNER),
        Patient.is_unknown,
        Patient.birth_precision != DatePrecision.DAY,
        Patient.birth_date.is_(None),
    ),
)
_NEVER = date.min  # behind every visit
# Afterwards an identity is found at another visit, or by the records staff.
COMPLETED_WITHIN = timedelta(days=14)
DAYS_AT_ONCE = 8  # twice as many at the next try


class Place(NamedTuple):
    """Where someone stands in the list; the greatest comes first."""

    is_here: bool
    seen_on: date
    patient_id: int


def count() -> int:
    """How many there are."""
    return db.session.scalar(select(func.count()).select_from(Patient).where(_LACKING)) or 0


def incomplete(limit: int, after: str | None = None) -> list[Incomplete]:
    """Who is here now comes first, then who was seen last, those never seen at the end.

    `after` is the public id of the last patient of the page before. Reads as many days back as
    the page needs, not the whole register.
    """
    start = _place(after) if after else None
    places = list(islice(_places(limit, start), limit))
    shown = select(Patient).options(joinedload(Patient.household))
    known = shown.where(Patient.id.in_([place.patient_id for place in places]))
    people = {patient.id: patient for patient in db.session.scalars(known)}
    return [
        Incomplete(people[id_], None if seen_on == _NEVER else seen_on, is_here)
        for is_here, seen_on, id_ in places
    ]


def visits_of_unknown(people: Iterable[Patient]) -> dict[int, Visit]:
    """The last visit of those of them who are unknown, if it is of late: by it they become known.

    The counter that took them in at night is another one than who learns the name.
    """
    unknown = [patient.id for patient in people if patient.is_unknown]
    if not unknown:
        return {}
    of_late = (
        select(Visit)
        .join(Visit.service_day)
        .options(contains_eager(Visit.service_day))
        .where(
            Visit.patient_id.in_(unknown),
            Visit.status != VisitStatus.CANCELLED,
            ServiceDay.on >= days.clinic_date() - COMPLETED_WITHIN,
        )
        .order_by(ServiceDay.on, Visit.id)
    )
    return {visit.patient_id: visit for visit in db.session.scalars(of_late)}


def _place(public_id: str) -> Place | None:
    patient = patients.by_ref(public_id)
    if patient is None:
        return None
    seen_on = search.last_visits([patient.id]).get(patient.id, _NEVER)
    return Place(patient.id in _ids_here(), seen_on, patient.id)


def _places(limit: int, start: Place | None) -> Iterator[Place]:
    """All places behind `start`, in order."""
    here = _ids_here()
    seen = search.last_visits(here)
    first = (Place(True, seen.get(id_, _NEVER), id_) for id_ in here)
    yield from _behind(first, start)
    top = start.seen_on if start and not start.is_here else date.max
    length = DAYS_AT_ONCE
    while top > _NEVER and (bottom := _days_back(top, length)):
        places = (Place(False, on, id_) for id_, on in _last_seen(bottom, top) if id_ not in here)
        yield from _behind(places, start)
        top, length = bottom - timedelta(days=1), length * 2
    is_at_end = start and not start.is_here and start.seen_on == _NEVER
    never = _never_seen(start.patient_id if is_at_end else None, limit)
    yield from (Place(False, _NEVER, id_) for id_ in never if id_ not in here)


def _behind(places: Iterable[Place], start: Place | None) -> list[Place]:
    return sorted((one for one in places if start is None or one < start), reverse=True)


def _ids_here() -> set[int]:
    """Those who wait or are treated today and lack something."""
    day = days.current_day()
    if day is None:
        return set()
    waiting = (
        select(Visit.patient_id)
        .join(QueueEntry, QueueEntry.visit_id == Visit.id)
        .join(Patient, Patient.id == Visit.patient_id)
        .where(
            QueueEntry.service_day_id == day.id,
            QueueEntry.state.in_(days.STILL_HERE),
            _LACKING,
        )
    )
    return set(db.session.scalars(waiting))


def _days_back(top: date, length: int) -> date | None:
    """The first of the last `length` service days up to this one."""
    known = select(ServiceDay.on).where(ServiceDay.on <= top).order_by(ServiceDay.on.desc())
    return min(db.session.scalars(known.limit(length)), default=None)


def _last_seen(bottom: date, top: date) -> list[tuple[int, date]]:
    """Who was seen in these days and not later, with their last day."""
    later, later_day = aliased(Visit), aliased(ServiceDay)
    came_later = exists().where(
        later.patient_id == Visit.patient_id,
        later.status != VisitStatus.CANCELLED,
        later_day.id == later.service_day_id,
        later_day.on > top,
    )
    seen = (
        select(Visit.patient_id, func.max(ServiceDay.on))
        .join(ServiceDay, ServiceDay.id == Visit.service_day_id)
        .join(Patient, Patient.id == Visit.patient_id)
        .where(ServiceDay.on.between(bottom, top), Visit.status != VisitStatus.CANCELLED)
        .where(_LACKING, ~came_later)
        .group_by(Visit.patient_id)
    )
    return list(db.session.execute(seen).tuples())


def _never_seen(before: int | None, limit: int) -> list[int]:
    came = exists().where(Visit.patient_id == Patient.id, Visit.status != VisitStatus.CANCELLED)
    never = select(Patient.id).where(_LACKING, ~came).order_by(Patient.id.desc()).limit(limit)
    return list(db.session.scalars(never if before is None else never.where(Patient.id < before)))


def _is_foreigner(patient: Patient) -> bool:
    return patient.no_nik_reason == NoNikReason.FOREIGNER and bool(patient.passport_no)
