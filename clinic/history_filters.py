"""Which of a patient's visits are shown: by room, diagnosis, medicine, period, laboratory.

A filter finds only what the record shows: drafts of a cancelled stay are neither shown nor found.
Each condition starts from the visit, so it looks at one patient's rows and never at the clinic's.
"""

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, extract, func, or_, select

from clinic import icd10, lab_reports, medicines
from db import db
from formatting import short_date
from models import (
    Diagnosis,
    EntryState,
    Examination,
    LabOrder,
    LabResult,
    Medicine,
    Patient,
    Poli,
    Prescription,
    PrescriptionComponent,
    PrescriptionLine,
    PrescriptionState,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
)
from validators import FieldError, clean_text

LONGEST = 60
MOST_WORDS = 5
MOST_CODES = 200  # that some words may mean
# A NIK, a BPJS or a phone number: it would stand in the page's address.
_PERSONAL_NUMBER = re.compile(r"(?:\d[\s.-]?){7}")
_CODE = re.compile(r"([A-Z][0-9]{2})\.?([0-9A-Z]{0,4})\b.*", re.DOTALL)


@dataclass(frozen=True)
class Filters:
    """What was asked for; what is empty holds for all visits."""

    room: str = ""  # code
    diagnosis: str = ""
    medicine: str = ""
    year: int | None = None
    since: date | None = None
    until: date | None = None
    has_lab: bool = False

    def __bool__(self) -> bool:
        return self != Filters()

    def for_clerks(self) -> "Filters":
        """Without what would tell something clinical by what it finds."""
        return Filters(self.room, year=self.year, since=self.since, until=self.until)

    def words(self, rooms: dict[str, str]) -> list[str]:
        """Each in words, to be read above the visits."""
        named = (
            ("ruang", rooms.get(self.room, self.room)),
            ("diagnosis", self.diagnosis),
            ("obat", self.medicine),
            ("tahun", self.year),
            ("sejak", short_date(self.since) if self.since else ""),
            ("sampai", short_date(self.until) if self.until else ""),
        )
        found = [f"{label} {value}" for label, value in named if value]
        return found + ["dengan hasil laboratorium"] * self.has_lab


def parse_words(text: str) -> str:
    """What to look for in texts. Raises FieldError for a number that belongs to a person."""
    cleaned = clean_text(text, LONGEST)
    if _PERSONAL_NUMBER.search(cleaned):
        raise FieldError("FILTER", "Nomor seperti NIK atau BPJS tidak dicari di sini.")
    return cleaned


def rooms(patient: Patient) -> dict[str, str]:
    """Names by code of the rooms that the patient was in, in the clinic's order."""
    was_in = (
        select(QueueEntry.poli_id)
        .join(QueueEntry.visit)
        .where(Visit.patient_id == patient.id, QueueEntry.undone_at.is_(None))
    )
    rows = select(Poli.code, Poli.name).where(Poli.id.in_(was_in)).order_by(Poli.id)
    return dict(db.session.execute(rows).tuples().all())


def years(patient: Patient) -> list[int]:
    """The years with visits, newest first."""
    year = extract("year", ServiceDay.on)
    rows = (
        select(year)
        .select_from(Visit)
        .join(Visit.service_day)
        .where(Visit.patient_id == patient.id)
        .distinct()
        .order_by(year.desc())
    )
    return [int(one) for one in db.session.scalars(rows)]


def conditions(filters: Filters, *, clinical: bool = True) -> list[ColumnElement[bool]]:
    """What a visit, joined with its service day, must meet."""
    asked = filters if clinical else filters.for_clerks()
    found = _within(asked)
    if asked.room:
        found.append(_was_in(asked.room, clinical))
    if asked.diagnosis or asked.medicine or asked.has_lab:
        found.append(Visit.status != VisitStatus.CANCELLED)
    if asked.diagnosis:
        found.append(_had(asked.diagnosis))
    if asked.medicine:
        found.append(_was_given(asked.medicine))
    if asked.has_lab:
        found.append(_has_results())
    return found


def _within(asked: Filters) -> list[ColumnElement[bool]]:
    found = []
    if asked.year:
        found.append(ServiceDay.on.between(date(asked.year, 1, 1), date(asked.year, 12, 31)))
    if asked.since:
        found.append(ServiceDay.on >= asked.since)
    if asked.until:
        found.append(ServiceDay.on <= asked.until)
    return found


def _was_in(code: str, clinical: bool) -> ColumnElement[bool]:
    """As in `history`: of a stay that was moved on only what was examined there remains."""
    remains = QueueEntry.state != EntryState.MOVED
    if clinical:
        examined = select(Examination.id).where(Examination.entry_id == QueueEntry.id)
        remains = or_(remains, examined.exists())
    entry = select(QueueEntry.id).join(QueueEntry.poli)
    stays = entry.where(QueueEntry.visit_id == Visit.id, QueueEntry.undone_at.is_(None))
    return _has(stays.where(Poli.code == code, remains))


def _had(text: str) -> ColumnElement[bool]:
    rows = _examined(select(Diagnosis.id).join_from(Diagnosis, Examination))
    rows = rows.where(Diagnosis.ended_at.is_(None), _means(text))
    return _has(rows)


def _means(text: str) -> ColumnElement[bool]:
    """A code with all below it (J06 finds J06.9), or words of the title.

    Words that a diagnosis is searched by in the examination find it here too ("kencing manis").
    """
    like_code = _CODE.fullmatch(text.upper())
    if like_code:
        category, detail = like_code.groups()
        code = f"{category}.{detail}" if detail else category
        return Diagnosis.code.startswith(code, autoescape=True)
    in_words = and_(*(_holds(Diagnosis.title, word) for word in _words(text)))
    codes = [term.code for term in icd10.search(text, MOST_CODES)]
    return or_(in_words, Diagnosis.code.in_([*codes, text.upper()]))


def _was_given(text: str) -> ColumnElement[bool]:
    """The words in what was written as therapy, or in a line of the prescription.

    A medicine of the clinic's list is found in any spelling, by its other names too.
    """
    words = _words(text)
    therapy = _examined(select(Examination.id))
    therapy = therapy.where(*(_holds(Examination.therapy, word) for word in words))
    compound = select(PrescriptionComponent.id).where(
        PrescriptionComponent.line_id == PrescriptionLine.id,
        *(_holds(PrescriptionComponent.title, word) for word in words),
    )
    named = [
        or_(_holds(PrescriptionLine.title, word), _holds(Medicine.ingredients, word))
        for word in words
    ]
    known = PrescriptionLine.medicine_id.in_(medicines.ids_of(text))
    lines = _prescribed(select(PrescriptionLine.id))
    lines = lines.where(or_(and_(*named), known, compound.exists()))
    return or_(_has(therapy), _has(lines))


def _prescribed(lines: Select) -> Select:
    return (
        lines.join_from(PrescriptionLine, Prescription)
        .join(Examination, Prescription.examination_id == Examination.id)
        .join(Examination.entry)
        .outerjoin(PrescriptionLine.medicine)
        .where(
            Prescription.visit_id == Visit.id,
            Prescription.state != PrescriptionState.CANCELLED,
            PrescriptionLine.ended_at.is_(None),
            QueueEntry.state != EntryState.CANCELLED,
            QueueEntry.undone_at.is_(None),
        )
    )


def _examined(rows: Select) -> Select:
    return rows.join(Examination.entry).where(
        Examination.visit_id == Visit.id,
        QueueEntry.state != EntryState.CANCELLED,
        QueueEntry.undone_at.is_(None),
    )


def _has_results() -> ColumnElement[bool]:
    rows = select(LabResult.id).join(LabResult.order)
    rows = rows.where(LabOrder.visit_id == Visit.id, lab_reports.is_readable())
    return _has(rows)


def _has(rows: Select) -> ColumnElement[bool]:
    """Whether the visit has such rows.

    Not EXISTS: PostgreSQL would join that with the clinic's whole table, 1.4 s at 100,000 visits.
    """
    return rows.correlate(Visit).limit(1).scalar_subquery().is_not(None)


def _words(text: str) -> list[str]:
    return text.lower().split()[:MOST_WORDS]


def _holds(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    return func.lower(column).contains(word, autoescape=True)
