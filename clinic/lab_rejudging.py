"""Results judged anew: the visit was another person's, or sex, birth date or pregnancy were wrong.

The value, its author and its validation stay, range and flag become those of the right person. Only
where the person's range is another one: an edited list alone changes no old result.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from clinic import audit, lab_results, lab_values, settings
from clinic.audit import Actor
from clinic.lab_results import LIMITS, LONGEST_REASON
from db import db
from formatting import day_in_zone
from models import LabOrder, LabResult, LabTest, Patient, Visit

# What was measured, by whom, and who stood by it: none of this depends on whose it is.
KEPT = ("order_id", "test_id", "value", "number", "unit", "sampled_at", "sampled_by_id")
KEPT += ("resulted_at", "resulted_by_id", "validated_at", "validated_by_id")


class Person(NamedTuple):
    """What a range depends on, beside the day of the sample."""

    sex: str
    born: date | None
    is_pregnant: bool


def person(visit: Visit) -> Person:
    """Whose results those of this visit are, as it is known now."""
    return Person(visit.patient.sex, visit.patient.birth_date, visit.pregnant == "ya")


def of_visit(actor: Actor, visit: Visit, before: Person, reason: str) -> None:
    """Judge a visit's results anew that were judged as those of `before`."""
    db.session.flush()
    for result in _numbers(LabOrder.visit_id == visit.id):
        _follow(actor, result, before, person(visit), reason)


def of_patient(actor: Actor, patient: Patient, before: Mapping[str, Any], reason: str) -> None:
    """Judge all results of a patient anew whose sex or birth date were those of `before`."""
    if actor.user_id is None:  # nobody who could answer for it
        return
    for result in _numbers(Visit.patient_id == patient.id):
        now = person(result.order.visit)
        was = Person(before["sex"], before["birth_date"], now.is_pregnant)
        _follow(actor, result, was, now, reason)


def _numbers(is_wanted: ColumnElement[bool]) -> Iterable[LabResult]:
    """The numbers that hold; choices mean the same for everybody."""
    order = joinedload(LabResult.order)
    rows = (
        select(LabResult)
        .join(LabResult.order)
        .join(LabOrder.visit)
        .options(
            joinedload(LabResult.test).selectinload(LabTest.references),
            order.joinedload(LabOrder.visit).joinedload(Visit.patient),
            order.selectinload(LabOrder.entry),
        )
        .where(is_wanted, LabResult.ended_at.is_(None), LabResult.number.is_not(None))
        .order_by(LabResult.id)
    )
    return db.session.scalars(rows).all()


def _follow(actor: Actor, result: LabResult, was: Person, now: Person, reason: str) -> None:
    test = result.test
    if result.unit != test.unit:  # the list counts in another unit by now
        return
    on = day_in_zone(result.sampled_at, settings.value("time_zone"))
    before, reference = (
        lab_values.reference_for(test.references, *lab_values.whom(*each, on))
        for each in (was, now)
    )
    if before is reference:
        return
    flag = lab_values.flag_of(result.number, reference)
    limits = {name: getattr(reference, name, None) for name in LIMITS}
    if flag is result.flag and all(getattr(result, name) == limits[name] for name in LIMITS):
        return
    kept = {name: getattr(result, name) for name in KEPT}
    if flag is result.flag:  # whoever read it read the right word
        kept |= {"read_at": result.read_at, "read_by_id": result.read_by_id}
    lab_results.end(actor, result, f"Dinilai ulang. {reason}"[:LONGEST_REASON])
    db.session.add(LabResult(**kept, flag=flag, **limits))
    db.session.flush()
    lab_results.tell_sender(result.order)
    audit.record(actor, "rejudge_lab_result", result.order, reason=reason)
