"""What a visit keeps of its patient as it was on that day, for reports."""

from sqlalchemy import select

from clinic.names import fold
from db import run
from formatting import age_on
from models import Patient, ServiceDay, Village, Visit

_AREA = select(Village.folded, Village.is_in_area).where(Village.is_active)


def take_snapshot(visit: Visit, patient: Patient, day: ServiceDay) -> None:
    """Keep on the visit what reports need of the person, as it was on that day."""
    visit.payer, visit.bpjs_number = patient.payer, patient.bpjs_number
    visit.village, visit.is_in_area = patient.village, is_in_area(patient.village)
    born = patient.birth_date
    if born is None or born > day.on:
        visit.age_years = visit.age_months = visit.age_days = None
        return
    age = age_on(born, day.on)
    visit.age_years, visit.age_months = age.years, age.total_months
    visit.age_days = (day.on - born).days


def is_in_area(village: str | None) -> bool | None:
    """Whether the village lies in the clinic's area; None when it has not said which do."""
    if not village:
        return None
    listed = dict(run(_AREA).tuples().all())
    return listed.get(fold(village), False) if listed else None
