"""Whose identity is to be completed: no NIK, nobody knows who, or only an estimated birth date."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import joinedload

from clinic import days
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
    or_(
        and_(Patient.nik.is_(None), ~_FOREIGNER),
        Patient.is_unknown,
        Patient.birth_precision != DatePrecision.DAY,
        Patient.birth_date.is_(None),
    ),
)
_NEVER = date.min  # sorts behind every visit


def count() -> int:
    """How many there are."""
    return db.session.scalar(select(func.count()).select_from(Patient).where(_LACKING)) or 0


def incomplete(limit: int, after: str | None = None) -> list[Incomplete]:
    """Who is here now comes first, then who was seen last, those never seen at the end.

    `after` is the public id of the last patient of the page before.
    """
    found = _ranked()
    order = (found.c.is_here.desc(), found.c.seen_on.desc(), found.c.patient_id.desc())
    page = (
        select(Patient, found.c.seen_on, found.c.is_here)
        .join(found, found.c.patient_id == Patient.id)
        .options(joinedload(Patient.household))
        .order_by(*order)
        .limit(limit)
    )
    place = _place(after) if after else None
    if place is not None:
        page = page.where(_comes_after(found, *place))
    return [
        Incomplete(patient, None if seen_on == _NEVER else seen_on, bool(is_here))
        for patient, seen_on, is_here in db.session.execute(page)
    ]


def _ranked():
    seen_on = (
        select(func.max(ServiceDay.on))
        .join(Visit, Visit.service_day_id == ServiceDay.id)
        .where(Visit.patient_id == Patient.id, Visit.status != VisitStatus.CANCELLED)
        .correlate(Patient)
        .scalar_subquery()
    )
    return (
        select(
            Patient.id.label("patient_id"),
            func.coalesce(seen_on, _NEVER).label("seen_on"),
            case((Patient.id.in_(_here()), 1), else_=0).label("is_here"),
        )
        .where(_LACKING)
        .subquery()
    )


def _here():
    """Ids of those who wait or are treated today."""
    day = days.current_day()
    return (
        select(Visit.patient_id)
        .join(QueueEntry, QueueEntry.visit_id == Visit.id)
        .where(
            QueueEntry.service_day_id == (day.id if day else None),
            QueueEntry.state.in_(days.STILL_HERE),
        )
    )


def _place(public_id: str) -> tuple[int, date, int] | None:
    found = _ranked()
    place = (
        select(found.c.is_here, found.c.seen_on, found.c.patient_id)
        .join(Patient, Patient.id == found.c.patient_id)
        .where(Patient.public_id == public_id)
    )
    return db.session.execute(place).tuples().one_or_none()


def _comes_after(found, is_here: int, seen_on: date, patient_id: int):
    columns = found.c
    return or_(
        columns.is_here < is_here,
        and_(columns.is_here == is_here, columns.seen_on < seen_on),
        and_(
            columns.is_here == is_here,
            columns.seen_on == seen_on,
            columns.patient_id < patient_id,
        ),
    )


def _is_foreigner(patient: Patient) -> bool:
    return patient.no_nik_reason == NoNikReason.FOREIGNER and bool(patient.passport_no)
