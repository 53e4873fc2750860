"""What a visit keeps of its patient as it was on that day, for reports."""

from datetime import date

from sqlalchemy import select

from clinic import days
from clinic.villages import is_in_area
from db import db
from formatting import age_on
from models import Patient, ServiceDay, Visit


def age_day(visit: Visit, patient: Patient, day: ServiceDay) -> date:
    """The day that counts for the age: the visit's service day."""
    return day_of_age(patient.birth_date, day.on, days.clinic_date(visit.occurred_at))


def day_of_age(born: date | None, on: date, today: date) -> date:
    """The service day `on`, of which an age is told on the calendar day `today`.

    Before 04.00 that is yesterday; whoever was born since midnight is 0 days old.
    """
    return born if born and on < born <= today else on


def take_snapshot(visit: Visit, patient: Patient, day: ServiceDay) -> None:
    """Keep on the visit what reports need of the person, as it was on that day."""
    visit.payer, visit.bpjs_number = patient.payer, patient.bpjs_number
    visit.village, visit.is_in_area = patient.village, is_in_area(patient.village)
    take_age(visit, patient, day)


def take_age(visit: Visit, patient: Patient, day: ServiceDay) -> None:
    """Keep the age by which the visit is judged: it follows the birth date that is right now."""
    born, on = patient.birth_date, age_day(visit, patient, day)
    if born is None or born > on:
        visit.age_years = visit.age_months = visit.age_days = None
        return
    age = age_on(born, on)
    visit.age_years, visit.age_months = age.years, age.total_months
    visit.age_days = (on - born).days


def fill_gaps(patient: Patient) -> None:
    """What nobody could tell while the patient was unknown, as it is known now; none is replaced.

    The age follows by itself, the payer was said at the visit.
    """
    for visit in db.session.scalars(select(Visit).where(Visit.patient_id == patient.id)):
        visit.bpjs_number = visit.bpjs_number or patient.bpjs_number
        if visit.village is None:
            visit.village, visit.is_in_area = patient.village, is_in_area(patient.village)


def age_anew(patient: Patient) -> None:
    """Of all visits that are now the patient's: the birth date was wrong, or another record's."""
    db.session.flush()
    rows = select(Visit, ServiceDay).join(Visit.service_day).where(Visit.patient_id == patient.id)
    for visit, day in db.session.execute(rows):
        take_age(visit, patient, day)
