"""What is offered before anything is typed: the room's usual codes, and what the patient has.

Counted in the room's newest stays, a fixed number of them read by an index: as fast in a clinic of
twenty years as in a new one, and never out of step with what was amended or cancelled.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, func, select

from clinic import diagnosis_rules
from clinic.case_types import is_same_case
from clinic.diagnoses import is_held
from db import db
from models import (
    Diagnosis,
    Examination,
    Icd10Term,
    Poli,
    Procedure,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
)

NEWEST = 500  # stays; in a busy room about two weeks, in a quiet one months
KNOWN = 40
OFFERED, ONGOING = 6, 4
READ_BACK = 60  # of the patient's codes, the newest


class Offer(NamedTuple):
    """A code to tick; `is_ongoing` when the patient has it already."""

    code: str
    title: str
    is_ongoing: bool = False


def most_used(
    poli: Poli, table: type[Diagnosis] | type[Procedure], which: ColumnElement[bool]
) -> Select:
    """Codes of such rows in the room's newest finished examinations, the most used first."""
    newest = select(QueueEntry.id).where(QueueEntry.poli_id == poli.id)
    stays = newest.order_by(QueueEntry.id.desc()).limit(NEWEST).subquery()
    return (
        select(table.code)
        .select_from(stays)
        .join(Examination, Examination.entry_id == stays.c.id)
        .join(table, table.examination_id == Examination.id)
        .where(Examination.finished_at.is_not(None), table.ended_at.is_(None), which)
        .group_by(table.code)
        .order_by(func.count().desc(), table.code)
    )


def usual_codes(poli: Poli) -> list[str]:
    """The room's codes of late, the most used first."""
    rows = most_used(poli, Diagnosis, Diagnosis.edition != "").limit(KNOWN)
    return list(db.session.scalars(rows))


def ongoing_codes(visit: Visit) -> list[str]:
    """What the patient was found to have and by rule still has, the newest first."""
    last = func.max(ServiceDay.on)
    rows = (
        select(Diagnosis.code, last)
        .join(Examination, Diagnosis.examination_id == Examination.id)
        .join(QueueEntry, Examination.entry_id == QueueEntry.id)
        .join(Visit, Examination.visit_id == Visit.id)
        .join(ServiceDay, Visit.service_day_id == ServiceDay.id)
        .where(
            Visit.patient_id == visit.patient_id,
            Visit.id != visit.id,
            Visit.status != VisitStatus.CANCELLED,
            is_held(),
            Diagnosis.ended_at.is_(None),
            Diagnosis.edition != "",
        )
        .group_by(Diagnosis.code)
        .order_by(last.desc(), Diagnosis.code)
        .limit(READ_BACK)
    )
    today = visit.service_day.on
    return [code for code, on in db.session.execute(rows) if is_same_case(code, on, today)]


def offers(visit: Visit, poli: Poli, listed: Collection[str]) -> list[Offer]:
    """Codes to tick, the patient's own first; none that is listed or unusual for the patient."""
    ongoing = [code for code in ongoing_codes(visit) if code not in listed][:ONGOING]
    person = diagnosis_rules.person_of(visit)
    usual = [
        code
        for code in usual_codes(poli)
        if code not in listed and code not in ongoing and not diagnosis_rules.broken(code, person)
    ][:OFFERED]
    titles = _titles([*ongoing, *usual])
    return [
        Offer(code, titles[code], code in ongoing) for code in [*ongoing, *usual] if code in titles
    ]


def _titles(codes: Sequence[str]) -> dict[str, str]:
    rows = select(Icd10Term).where(Icd10Term.code.in_(codes), Icd10Term.is_active)
    return {term.code: term.title_id or term.title for term in db.session.scalars(rows)}
