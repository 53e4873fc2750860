"""A family by its card: who belongs to it, and its number on the shelf."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic import search
from clinic.nik_checks import MOTHER_FROM_YEARS
from db import db
from models import Household, Patient, Visit
from validators import full_years

CHILD, SIBLING = "anak", "saudara"


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


def kin_with_mother(member: Patient, on: date) -> list[str]:
    """Whose mother is known from this member: children's, siblings'."""
    return [kin for kin in (CHILD, SIBLING) if mother_of(kin, member, on)]


def mother_of(kin: str, member: Patient, on: date) -> dict[str, str]:
    """The mother of a member's child or sibling as form fields.

    Only for whom the clerk says so: a husband or a grandmother has another mother.
    """
    known: dict[str, str | None] = {}
    if kin == CHILD and _could_be_mother(member, on):
        known = {"mother_name": member.name, "mother_nik": member.nik}
    elif kin == SIBLING:
        known = {"mother_name": member.mother_name, "mother_nik": member.mother_nik}
    return {name: value for name, value in known.items() if value}


def _could_be_mother(member: Patient, on: date) -> bool:
    born = member.birth_date
    return member.sex == "P" and born is not None and full_years(born, on) >= MOTHER_FROM_YEARS
