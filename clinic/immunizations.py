"""Immunisations of a visit: noted with what a vial says, ended with a reason, never changed."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager, joinedload

from clinic import audit, vaccines
from clinic.audit import Actor
from clinic.record_errors import RecordError
from clinic.vaccines import Given
from db import db, grouped, utcnow
from models import Immunization, Visit, VisitStatus
from validators import Finding, clean_text

LONGEST_REASON = 300


class Entered(NamedTuple):
    """One dose as typed; the texts may be empty."""

    vaccine: str
    dose: int
    given_on: date
    batch: str = ""
    site: str = ""


class Noted(NamedTuple):
    """A stored dose with its name, as the record shows it."""

    name: str
    row: Immunization


def noted(row: Immunization) -> Noted:
    return Noted(vaccines.name(row.vaccine, row.dose), row)


class Unanswered(RecordError):
    """Doses that the schedule warns of, and no reason was given."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("Tulis alasannya bila tetap dicatat.", "override_reason")
        self.findings = findings


def by_visit(visit_ids: Iterable[int]) -> dict[int, list[Noted]]:
    """What holds, in the order noted; 1 query."""
    rows = (
        select(Immunization)
        .options(joinedload(Immunization.recorded_by))
        .where(Immunization.visit_id.in_(list(visit_ids)), Immunization.ended_at.is_(None))
        .order_by(Immunization.id)
    )
    found = grouped(rows, "visit_id")
    return {visit_id: list(map(noted, rows)) for visit_id, rows in found.items()}


def given_in(visit: Visit) -> list[Noted]:
    """What holds of this visit and was given on its day, not copied from a card; 1 query."""
    noted_here = by_visit([visit.id]).get(visit.id, [])
    return [each for each in noted_here if each.row.given_on == visit.service_day.on]


def of_person(visit: Visit) -> list[Immunization]:
    """All of the visit's patient, ended ones too, by the day given.

    Those of a cancelled visit count as well: a vaccine stays in the arm.
    """
    rows = (
        select(Immunization)
        .join(Immunization.visit)
        .options(contains_eager(Immunization.visit))
        .options(joinedload(Immunization.recorded_by), joinedload(Immunization.ended_by))
        .where(Visit.patient_id == visit.patient_id)
        .order_by(Immunization.given_on, Immunization.id)
    )
    return list(db.session.scalars(rows))


def given(rows: Iterable[Immunization]) -> list[Given]:
    """What of these rows holds, as the schedule sees it."""
    return [Given(row.vaccine, row.dose, row.given_on) for row in rows if row.ended_at is None]


def add(
    actor: Actor, visit: Visit, entered: Sequence[Entered], given_by: str, reason: str
) -> list[Immunization]:
    """Note these doses; warnings of the schedule need the reason. Raises RecordError, Unanswered.

    The same list sent twice counts once.
    """
    reason, given_by = clean_text(reason, LONGEST_REASON), clean_text(given_by, 80)
    # Nobody cancels the visit meanwhile.
    db.session.execute(select(Visit.id).where(Visit.id == visit.id).with_for_update())
    db.session.refresh(visit, ["status"])
    if visit.status == VisitStatus.CANCELLED:
        raise RecordError("Kunjungan ini dibatalkan, jadi imunisasi tidak dapat dicatat.")
    if not entered:
        raise RecordError("Pilih vaksin yang diberikan.", "vaccine")
    known = of_person(visit)
    fresh = [each for each in entered if not _is_noted(each, known, visit)]
    findings = _findings(visit, fresh, known)
    if findings and not reason:
        raise Unanswered(findings)
    rows = [_row(actor, visit, each, given_by, reason if findings else "") for each in fresh]
    db.session.add_all(rows)
    try:
        db.session.flush()
    except IntegrityError as error:  # the table's rule: a dose once in a visit
        raise RecordError("Dosis ini sudah dicatat dalam kunjungan ini. Muat ulang.") from error
    if rows:
        why = reason if findings else ""
        audit.record(actor, "add_immunization", visit, reason=why, details=_codes(entered))
    return rows


def _is_noted(each: Entered, known: Sequence[Immunization], visit: Visit) -> bool:
    return any(
        row.ended_at is None
        and row.visit_id == visit.id
        and (row.vaccine, row.dose, row.given_on) == (each.vaccine, each.dose, each.given_on)
        for row in known
    )


def _findings(
    visit: Visit, entered: Sequence[Entered], known: Sequence[Immunization]
) -> list[Finding]:
    found, held = [], given(known)
    # As they were given: a card may be copied in any order.
    for each in sorted(entered, key=lambda each: (each.given_on, each.dose)):
        wanted = Given(each.vaccine, each.dose, each.given_on)
        found += vaccines.findings(wanted, held, visit.patient.birth_date)
        held.append(wanted)
    return found


def _row(actor: Actor, visit: Visit, each: Entered, given_by: str, reason: str) -> Immunization:
    return Immunization(
        visit_id=visit.id,
        vaccine=each.vaccine,
        dose=each.dose,
        given_on=each.given_on,
        batch=clean_text(each.batch, 40),
        site=clean_text(each.site, 40),
        given_by=given_by,
        override_reason=reason,
        recorded_by_id=actor.user_id,
    )


def by_ref(ref: str) -> Immunization | None:
    """The immunisation with this public id."""
    return db.session.scalar(select(Immunization).where(Immunization.public_id == ref))


def end(actor: Actor, row: Immunization, reason: str) -> None:
    """It was not so: it stays in the record, crossed out. Raises RecordError without a reason."""
    reason = clean_text(reason, LONGEST_REASON)
    db.session.refresh(row, with_for_update=True)
    if row.ended_at:
        raise RecordError("Imunisasi ini sudah diakhiri.")
    if not reason:
        raise RecordError("Tulis alasan mengakhiri.", "reason")
    row.ended_at, row.ended_by_id, row.end_reason = utcnow(), actor.user_id, reason
    db.session.flush()
    audit.record(actor, "end_immunization", row.visit, reason=reason, details=_codes([row]))


def _codes(doses: Sequence[Entered | Immunization]) -> str:
    return " ".join(f"{each.vaccine}-{each.dose}" for each in doses)
