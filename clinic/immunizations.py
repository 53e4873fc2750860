"""Immunisations of a visit: noted with what a vial says, ended with a reason, never changed."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager, joinedload

from clinic import audit, days, vaccines
from clinic.audit import Actor
from clinic.record_errors import RecordError
from clinic.vaccines import Given
from db import db, grouped, utcnow
from formatting import short_date
from models import Immunization, Visit, VisitStatus
from validators import Finding, clean_text

LONGEST_REASON, LONGEST_GIVER, LONGEST_TEXT = 300, 80, 40


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


def days_of(visit: Visit) -> list[date]:
    """The dates on which a dose may have been given in this visit, the likeliest last.

    Of who comes after midnight, while yesterday's service day goes on, both are.
    """
    on = visit.service_day.on
    return sorted({on, max(on, days.clinic_date(visit.occurred_at))})


def given_in(visit: Visit) -> list[Noted]:
    """What holds of this visit and was given on its day, not copied from a card; 1 query."""
    noted_here, on = by_visit([visit.id]).get(visit.id, []), days_of(visit)
    return [each for each in noted_here if each.row.given_on in on]


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
    actor: Actor,
    visit: Visit,
    entered: Sequence[Entered],
    given_by: str,
    reason: str,
    given_elsewhere: str = "",
) -> list[Immunization]:
    """Note these doses; those that the schedule warns of get the reason.

    `given_by` gave those of the visit's day, `given_elsewhere` is who gave the others, or where.
    The same list sent twice counts once. Raises RecordError, and Unanswered without a reason.
    """
    reason = clean_text(reason, LONGEST_REASON)
    givers = clean_text(given_by, LONGEST_GIVER), clean_text(given_elsewhere, LONGEST_GIVER)
    # Nobody cancels the visit meanwhile.
    db.session.execute(select(Visit.id).where(Visit.id == visit.id).with_for_update())
    db.session.refresh(visit, ["status"])
    if visit.status == VisitStatus.CANCELLED:
        raise RecordError("Kunjungan ini dibatalkan, jadi imunisasi tidak dapat dicatat.")
    if not entered:
        raise RecordError("Pilih vaksin yang diberikan.", "vaccine")
    known = of_person(visit)
    fresh = _fresh(entered, [row for row in known if row.visit_id == visit.id])
    findings = _findings(visit, fresh, known)
    if findings and not reason:
        raise Unanswered([each for found in findings.values() for each in found])
    on = days_of(visit)
    rows = [
        _row(
            actor, visit, each, givers[each.given_on not in on], reason if each in findings else ""
        )
        for each in fresh
    ]
    db.session.add_all(rows)
    try:
        db.session.flush()
    except IntegrityError as error:  # the table's rule: a dose once in a visit
        raise RecordError("Dosis ini sudah dicatat dalam kunjungan ini. Muat ulang.") from error
    if rows:
        why = reason if findings else ""
        audit.record(actor, "add_immunization", visit, reason=why, details=_codes(rows))
    return rows


def _fresh(entered: Sequence[Entered], here: Sequence[Immunization]) -> list[Entered]:
    """What is not noted in the visit yet. Raises RecordError for what would be dropped silently."""
    stands = {(row.vaccine, row.dose): row for row in here if row.ended_at is None}
    seen, fresh = set(), []
    for each in entered:
        key, what = (each.vaccine, each.dose), vaccines.name(each.vaccine, each.dose)
        if key in seen:
            raise RecordError(f"{what} ada di dua baris. Hapus yang satu.", "vaccine")
        seen.add(key)
        row = stands.get(key)
        if row is None:
            fresh.append(each)
        elif _says_other(each, row):
            batch = f"batch {row.batch}" if row.batch else "tanpa nomor batch"
            parts = [f"tanggal {short_date(row.given_on)}", batch, row.site]
            raise RecordError(
                f"{what} sudah dicatat di kunjungan ini: {', '.join(filter(None, parts))}. "
                "Bila itu keliru, akhiri dulu, lalu catat lagi.",
                "vaccine",
            )
    return fresh


def _says_other(each: Entered, row: Immunization) -> bool:
    """Whether something was typed of a dose that stands otherwise; an empty field says nothing."""
    typed = clean_text(each.batch, LONGEST_TEXT), clean_text(each.site, LONGEST_TEXT)
    stored = row.batch, row.site
    is_other = any(new and new != old for new, old in zip(typed, stored, strict=True))
    return is_other or each.given_on != row.given_on


def _findings(
    visit: Visit, entered: Sequence[Entered], known: Sequence[Immunization]
) -> dict[Entered, list[Finding]]:
    """By dose, those without any left out."""
    found, held = {}, given(known)
    # As they were given: a card may be copied in any order.
    for each in sorted(entered, key=lambda each: (each.given_on, each.dose)):
        wanted = Given(each.vaccine, each.dose, each.given_on)
        if warned := vaccines.findings(wanted, held, visit.patient.birth_date):
            found[each] = warned
        held.append(wanted)
    return found


def _row(actor: Actor, visit: Visit, each: Entered, given_by: str, reason: str) -> Immunization:
    return Immunization(
        visit_id=visit.id,
        vaccine=each.vaccine,
        dose=each.dose,
        given_on=each.given_on,
        batch=clean_text(each.batch, LONGEST_TEXT),
        site=clean_text(each.site, LONGEST_TEXT),
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


def _codes(doses: Sequence[Immunization]) -> str:
    return " ".join(f"{each.vaccine}-{each.dose}" for each in doses)
