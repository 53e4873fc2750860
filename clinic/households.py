"""A family by its card: who belongs to it, and its number on the shelf."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic import search
from db import db
from models import Household, Patient, Visit


@dataclass(frozen=True)
class Member:
    patient: Patient
    last_visit_on: date | None


def by_ref(public_id: str) -> Household | None:
    """The household of this public id."""
    return db.session.scalar(select(Household).where(Household.public_id == public_id))


def members(household: Household) -> list[Member]:
    """Everybody on the card who is a record of their own, oldest first."""
    statement = (
        select(Patient)
        .where(
            Patient.household_id == household.id,
            Patient.merged_into_id.is_(None),
            Patient.is_active,
        )
        .order_by(Patient.birth_date.is_(None), Patient.birth_date, Patient.id)
    )
    people = list(db.session.scalars(statement))
    seen = search.last_visits(person.id for person in people)
    return [Member(person, seen.get(person.id)) for person in people]


def latest_visit(household: Household) -> Visit | None:
    """Where a further member's form takes address and card from."""
    return db.session.scalar(
        select(Visit)
        .join(Visit.patient)
        .where(Patient.household_id == household.id)
        .order_by(Visit.id.desc())
        .limit(1)
    )
