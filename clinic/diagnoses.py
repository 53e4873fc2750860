"""Diagnoses of an examination: what was typed becomes a code and a title; rows end, never vanish.

Baru or lama is a matter of the case, not of the patient: the same disease (first three signs of
its code) recorded within thirty days is the same case.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import func, select

from clinic.audit import Actor
from db import db, utcnow
from models import CaseType, Diagnosis, Examination, Icd10Term, Patient, Visit, VisitStatus
from validators import clean_text

SAME_CASE = timedelta(days=30)
CATEGORY = 3  # signs of a code that name the disease
MOST = 20
_CODE = re.compile(r"([A-Z][0-9]{2})\.?([0-9A-Z]{1,4})?")


class DiagnosisInput(NamedTuple):
    """A code or text as typed; case_type '' takes the suggested one."""

    text: str
    case_type: str = ""


class Line(NamedTuple):
    """A diagnosis as it would be stored; code '' when only text is known."""

    code: str
    title: str
    edition: str
    case_type: CaseType
    is_primary: bool

    @property
    def typed(self) -> str:
        """What a form sends to mean this line again."""
        if self.edition:
            return self.code
        return (
            self.title if self.title.upper().startswith(self.code) else f"{self.code} {self.title}"
        )


def active(examination: Examination | None) -> list[Diagnosis]:
    """The diagnoses that hold now, the primary one first."""
    if examination is None:
        return []
    rows = select(Diagnosis).where(
        Diagnosis.examination_id == examination.id, Diagnosis.ended_at.is_(None)
    )
    return list(db.session.scalars(rows.order_by(Diagnosis.position, Diagnosis.id)))


def line_of(row: Diagnosis) -> Line:
    return Line(row.code, row.title, row.edition, row.case_type, row.is_primary)


def lines(
    entered: Sequence[DiagnosisInput], patient: Patient, examination: Examination | None = None
) -> list[Line]:
    """Typed codes and texts as lines, each once; an unknown code is kept as it was typed."""
    parts = [(*_code_and_rest(clean_text(each.text, 300)), each.case_type) for each in entered]
    codes = {code for code, _, _ in parts if code}
    terms = {
        term.code: term
        for term in db.session.scalars(select(Icd10Term).where(Icd10Term.code.in_(codes)))
    }
    suggested = _suggested(patient, codes, examination)
    found: dict[str, Line] = {}
    for code, rest, chosen in parts:
        key = code or rest.lower()
        if not key or key in found:
            continue
        term = terms.get(code)
        case_type = CaseType(chosen) if chosen else suggested.get(code, CaseType.NEW)
        title = (term.title_id or term.title) if term else rest or code
        found[key] = Line(code, title, term.edition if term else "", case_type, not found)
    return list(found.values())[:MOST]


def is_known(text: str) -> bool:
    """Whether the text is (or begins with) a code of the ICD-10 table."""
    code, _ = _code_and_rest(text.strip())
    return db.session.scalar(select(Icd10Term.id).where(Icd10Term.code == code)) is not None


def _code_and_rest(text: str) -> tuple[str, str]:
    first, _, rest = text.partition(" ")
    like_icd = _CODE.fullmatch(first.upper())
    if like_icd:
        category, detail = like_icd.groups()
        return category + (f".{detail}" if detail else ""), rest.strip()
    if not rest and len(first) <= 16 and any(sign.isdigit() for sign in first):
        return first.upper(), first
    return "", text


def suggested_case_type(
    patient: Patient, code: str, examination: Examination | None = None
) -> CaseType:
    """*Lama* when the disease was recorded for the patient within 30 days, else *baru*."""
    return _suggested(patient, [code], examination).get(code, CaseType.NEW)


def _suggested(
    patient: Patient, codes: Iterable[str], examination: Examination | None
) -> dict[str, CaseType]:
    categories = {code[:CATEGORY] for code in codes if len(code) >= CATEGORY}
    if not categories:
        return {}
    category = func.substr(Diagnosis.code, 1, CATEGORY)
    at = examination.occurred_at if examination else utcnow()
    recent = (
        select(category)
        .distinct()
        .join(Examination, Diagnosis.examination_id == Examination.id)
        .join(Visit, Examination.visit_id == Visit.id)
        .where(
            Visit.patient_id == patient.id,
            Visit.status != VisitStatus.CANCELLED,
            Visit.occurred_at > at - SAME_CASE,
            Visit.occurred_at <= at,
            Examination.id != (examination.id if examination else 0),
            Diagnosis.ended_at.is_(None),
            category.in_(categories),
        )
    )
    known = set(db.session.scalars(recent))
    return {code: CaseType.OLD for code in codes if code[:CATEGORY] in known}


def write(actor: Actor, examination: Examination, wanted: Sequence[Line]) -> bool:
    """End what is no longer wanted, add what is new; tells whether anything changed."""
    present = {_identity(line_of(row)): row for row in active(examination)}
    places = {_identity(line): place for place, line in enumerate(wanted)}
    for identity, row in present.items():
        if identity not in places:
            row.ended_at, row.ended_by_id = utcnow(), actor.user_id
        else:
            row.position = places[identity]
    added = [line for line in wanted if _identity(line) not in present]
    for line in added:
        db.session.add(
            Diagnosis(
                examination_id=examination.id,
                position=places[_identity(line)],
                recorded_by_id=actor.user_id,
                **line._asdict(),
            )
        )
    db.session.flush()
    return bool(added) or any(identity not in places for identity in present)


def _identity(line: Line) -> tuple:
    return (line.code, line.code or line.title.lower(), line.case_type, line.is_primary)
