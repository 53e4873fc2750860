"""Diagnoses of an examination: what was typed becomes code and title; rows end, never vanish."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, func, or_, select

from clinic import days, diagnosis_rules, record_errors
from clinic.audit import Actor
from clinic.case_types import CATEGORY, FOR_LIFE, is_same_case, lasts
from clinic.diagnosis_rules import Finding
from clinic.record_errors import RecordError
from db import db, utcnow
from models import (
    CaseType,
    Diagnosis,
    EntryState,
    Examination,
    Icd10Term,
    Patient,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
)
from validators import clean_text

MOST = 20
MOST_READ = 2 * MOST  # what is too much is shown again with the refusal
LONGEST_REASON = 300
_CODE = re.compile(r"([A-Z][0-9]{2})\.?([0-9A-Z]{1,4})?")


_NONE: Mapping[str, str] = MappingProxyType({})


class DiagnosisInput(NamedTuple):
    """A code or text as typed; case_type '' takes the suggested one.

    `reasons` answer the rules of sex and age: by rule, '' for one that answers all.
    """

    text: str
    case_type: str = ""
    reasons: Mapping[str, str] = _NONE


class Line(NamedTuple):
    """A diagnosis as it would be stored; code '' when only text is known."""

    code: str
    title: str
    edition: str
    case_type: CaseType
    is_primary: bool
    warned_by: str = ""
    override_reason: str = ""

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
    return Line(*(getattr(row, name) for name in Line._fields))


def lines(
    entered: Sequence[DiagnosisInput], visit: Visit, examination: Examination | None = None
) -> list[Line]:
    """Typed codes and texts as lines, each once; an unknown code is kept as it was typed."""
    parts = [(*_code_and_rest(clean_text(each.text, 300)), each) for each in entered]
    codes = {code for code, _, _ in parts if code}
    terms = {
        term.code: term
        for term in db.session.scalars(select(Icd10Term).where(Icd10Term.code.in_(codes)))
    }
    suggested = _suggested(visit.patient, codes, examination, visit)
    found: dict[str, Line] = {}
    for code, rest, each in parts:
        key = code or rest.lower()
        if not key or key in found:
            continue
        term, chosen = terms.get(code), each.case_type
        case_type = CaseType(chosen) if chosen else suggested.get(code, CaseType.NEW)
        title = (term.title_id or term.title) if term else rest or code
        answer = _answer(code, visit, each.reasons)
        found[key] = Line(code, title, term.edition if term else "", case_type, not found, *answer)
    return _with_kept_reasons(list(found.values())[:MOST_READ], examination)


def say_the_same(examination: Examination, entered: Sequence[DiagnosisInput]) -> bool:
    """Whether these are the examination's diagnoses; a case type or reason not given is any."""
    stored = [line_of(row) for row in active(examination)]
    typed = lines(entered, examination.visit, examination)
    if [line.code or line.title for line in typed] != [line.code or line.title for line in stored]:
        return False
    chosen: dict[str, str] = {}
    for each in entered:
        code, rest = _code_and_rest(clean_text(each.text, 300))
        chosen.setdefault(code or rest.lower(), each.case_type)
    return all(
        mine.is_primary == theirs.is_primary
        and chosen[mine.code or mine.title.lower()] in ("", theirs.case_type)
        and mine.override_reason in ("", theirs.override_reason)
        for mine, theirs in zip(typed, stored, strict=True)
    )


def _answer(code: str, visit: Visit, reasons: Mapping[str, str]) -> tuple[str, str]:
    """The rule that asks for a reason, and what was said to it."""
    rule = diagnosis_rules.asks_for(code, diagnosis_rules.person_of(visit))
    said = reasons.get(rule) or reasons.get("", "") if rule else ""
    return rule, clean_text(said, LONGEST_REASON)


def _with_kept_reasons(found: list[Line], examination: Examination | None) -> list[Line]:
    """A form that says nothing of a reason takes none away."""
    if not any(line.warned_by and not line.override_reason for line in found):
        return found
    kept = {(row.code, row.warned_by): row.override_reason for row in active(examination)}
    return [
        line._replace(
            override_reason=line.override_reason or kept.get((line.code, line.warned_by), "")
        )
        for line in found
    ]


def findings(found: Sequence[Line], visit: Visit) -> list[Finding]:
    """What is unusual about these lines for this patient, with the reasons given so far."""
    coded = [(line.code, line.override_reason) for line in found]
    return diagnosis_rules.findings(coded, diagnosis_rules.person_of(visit))


def refuse_too_many(found: Sequence[Line]) -> None:
    """Raises RecordError."""
    record_errors.refuse_too_many(found, MOST, "diagnosis", "diagnosis_search")


def refuse_unanswered(found: Sequence[Line]) -> None:
    """Raises RecordError when a diagnosis still needs the reason that its rule asks for."""
    unanswered = [line for line in found if line.warned_by and not line.override_reason]
    if unanswered:
        codes = ", ".join(line.code for line in unanswered)
        raise RecordError(
            f"{codes} tidak lazim untuk pasien ini. Tulis alasannya, atau ganti kodenya.",
            f"override_reason-{unanswered[0].warned_by}",
        )


def is_known(text: str) -> bool:
    """Whether the text is (or begins with) a code of the ICD-10 table."""
    code, _ = _code_and_rest(clean_text(text[:300], 300))
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


def is_held() -> ColumnElement[bool]:
    """In SQL: of an Examination with its QueueEntry, that what it says counts.

    It was finished, or the day's end cut it off; what a moved or cancelled stay only drafted is
    nothing that the patient was found to have, and in no report.
    """
    cut_off = QueueEntry.state == EntryState.UNFINISHED
    return or_(Examination.finished_at.is_not(None), cut_off)


def _suggested(
    patient: Patient, codes: Iterable[str], examination: Examination | None, visit: Visit | None
) -> dict[str, CaseType]:
    """The rule of clinic.case_types, by what was recorded for the patient before.

    A further stay of one visit says what the first said: the patient came once with it.
    """
    categories = {code[:CATEGORY] for code in codes if len(code) >= CATEGORY}
    if not categories:
        return {}
    at = examination.occurred_at if examination else utcnow()
    on = visit.service_day.on if visit else days.clinic_date(at)
    rows = db.session.execute(_earlier(patient, categories, examination, visit, at, on)).all()
    known = {row.code[:CATEGORY] for row in rows if is_same_case(row.code, row.last_on, on)}
    here = {row.code: row.case_type for row in rows if row.is_here}  # NEW comes last
    refined = {row.code[:CATEGORY]: row.case_type for row in rows if row.is_here}
    return (
        {code: CaseType.OLD for code in codes if code[:CATEGORY] in known}
        | {code: refined[code[:CATEGORY]] for code in codes if code[:CATEGORY] in refined}
        | here
    )


def _earlier(
    patient: Patient,
    categories: Collection[str],
    examination: Examination | None,
    visit: Visit | None,
    at: datetime,
    on: date,
) -> Select:
    """What was recorded of these diseases until then: code, case, whether in this visit, and on
    which service day last."""
    category = func.substr(Diagnosis.code, 1, CATEGORY)
    is_here = (Visit.id == (visit.id if visit else None)).label("is_here")
    rows = (
        select(
            Diagnosis.code, Diagnosis.case_type, is_here, func.max(ServiceDay.on).label("last_on")
        )
        .join(Examination, Diagnosis.examination_id == Examination.id)
        .join(QueueEntry, Examination.entry_id == QueueEntry.id)
        .join(Visit, Examination.visit_id == Visit.id)
        .join(ServiceDay, Visit.service_day_id == ServiceDay.id)
        .where(
            Visit.patient_id == patient.id,
            Visit.status != VisitStatus.CANCELLED,
            Visit.occurred_at <= at,
            Examination.id != (examination.id if examination else 0),
            is_held(),
            Diagnosis.ended_at.is_(None),
            category.in_(categories),
        )
        .group_by(Diagnosis.code, Diagnosis.case_type, "is_here")
        .order_by(Diagnosis.case_type.desc())
    )
    longest = max(lasts(each) for each in categories)
    return rows if longest >= FOR_LIFE else rows.where(ServiceDay.on > on - longest)


def write(actor: Actor, examination: Examination, wanted: Sequence[Line]) -> bool:
    """End what is no longer wanted, add what is new; tells whether anything changed."""
    present = {_identity(line_of(row)): row for row in active(examination)}
    places = {_identity(line): place for place, line in enumerate(wanted)}
    for identity, row in present.items():
        if identity not in places:
            row.ended_at, row.ended_by_id = utcnow(), actor.user_id
        else:
            row.position = places[identity]
    db.session.flush()  # what ends goes first: there is one primary diagnosis at any moment
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
    name = line.code or line.title.lower()
    return (name, line.case_type, line.is_primary, line.warned_by, line.override_reason)
