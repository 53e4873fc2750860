"""Who has died: told by the way in which a finished examination ended, so mended as that is."""

from datetime import date, timedelta

from sqlalchemy import literal_column, select
from sqlalchemy.orm import joinedload

from clinic import settings
from db import db, utcnow
from formatting import clock_time, day_in_zone, long_date, second_of_day
from models import Death, Examination, Patient, Visit, VisitStatus
from validators import FieldError

HALF_A_DAY = 12 * 3600  # seconds
UNTIL_DECLARED = 3 * 3600  # seconds from coming in to the doctor's word, as a time that is written


def parse_time(typed: str) -> str:
    """A time as it is kept, "08.05". Raises FieldError."""
    try:
        return settings.time_of_day(typed)
    except settings.SettingError as problem:
        raise FieldError("DEATH-TIME", str(problem)) from None


# Who has died, to leave them out of lists; '' is written out for the partial index.
THE_DEAD = (
    select(Visit.patient_id)
    .join(Examination, Examination.visit_id == Visit.id)
    .where(
        Examination.death != literal_column("''"),
        Examination.finished_at.is_not(None),
        Visit.status != VisitStatus.CANCELLED,
    )
)


def told_by(patient: Patient) -> Examination | None:
    """The examination that says that this person has died; None while none says so."""
    rows = (
        select(Examination)
        .join(Examination.visit)
        .where(
            Visit.patient_id == patient.id,
            Visit.status != VisitStatus.CANCELLED,
            Examination.finished_at.is_not(None),
            Examination.death != "",
        )
        .options(joinedload(Examination.visit).joinedload(Visit.service_day))
    )
    return db.session.scalar(rows.order_by(Examination.id.desc()).limit(1))


def died_on(examination: Examination) -> date:
    """The day of the death.

    Without a time that of the arrival. With one it may be the next day, where a visit of the
    night went past midnight; of somebody who was brought here dead, the day before.
    """
    visit, zone = examination.visit, settings.value("time_zone")
    came_on = day_in_zone(visit.occurred_at, zone)
    hour, _, minute = examination.death_time.partition(".")
    if not minute:
        return came_on
    later = int(hour) * 3600 + int(minute) * 60 - second_of_day(visit.occurred_at, zone)
    if examination.disposition == Death.ON_ARRIVAL:
        return came_on - timedelta(days=later > UNTIL_DECLARED)
    return came_on + timedelta(days=-later > HALF_A_DAY)


def is_ahead(examination: Examination) -> bool:
    """Whether the time of the death that is written there has not come yet."""
    zone, now = settings.value("time_zone"), utcnow()
    told = died_on(examination), examination.death_time
    return bool(examination.death_time) and told > (day_in_zone(now, zone), clock_time(now, zone))


def mark(patient: Patient) -> list[str]:
    """What stands in red beside a person who has died, first of all; nothing beside others."""
    told = told_by(patient)
    return [f"Meninggal {long_date(died_on(told))}"] if told else []
