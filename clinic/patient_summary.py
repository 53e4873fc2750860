"""What a doctor in a hurry wants first: diseases that go on, medicines of late, last values."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from clinic import dispensing_reports, series
from clinic.series import Series
from db import db, utcnow
from models import (
    Diagnosis,
    EntryState,
    Examination,
    Patient,
    Prescription,
    PrescriptionLine,
    PrescriptionState,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
)

# Categories of ICD-10 that are rarely over: from A15 to A19 and so on. A guide, no diagnosis.
_CHRONIC = (
    *(("A15", "A19"), ("A30", "A30"), ("B18", "B24"), ("C00", "C97"), ("D56", "D57")),
    *(("E03", "E05"), ("E10", "E14"), ("E78", "E79"), ("F00", "F03"), ("F20", "F33")),
    *(("G20", "G20"), ("G40", "G40"), ("H40", "H40"), ("I05", "I15"), ("I20", "I25")),
    *(("I42", "I42"), ("I48", "I50"), ("I69", "I69"), ("J40", "J47"), ("K74", "K74")),
    *(("L40", "L40"), ("M05", "M06"), ("M10", "M10"), ("M15", "M19"), ("N18", "N18")),
)
OFTEN = 3  # visits within OFTEN_TIME make a disease one that comes back
OFTEN_TIME = timedelta(days=365)
MOST_DIAGNOSES, MOST_ONGOING, MOST_MEDICINES, MOST_CHARTS = 300, 6, 8, 6
LATELY = timedelta(days=120)  # a medicine for a month is fetched some times without a doctor
CHART_VALUES = 12  # in the record, where bytes are dear; 24 on the charts' own page


@dataclass(frozen=True)
class Known:
    """A diagnosis that the patient has had, in how many visits, from when to when."""

    code: str
    title: str
    visits: int
    first_on: date
    last_on: date
    lately: int
    also: tuple["Known", ...] = ()  # further codes of its category, where that is chronic

    @property
    def is_chronic(self) -> bool:
        return any(low <= self.code[:3] <= high for low, high in _CHRONIC)

    @property
    def is_ongoing(self) -> bool:
        return self.is_chronic or self.lately >= OFTEN


@dataclass(frozen=True)
class Given:
    """A medicine or, where no prescription was written, a therapy as text."""

    text: str
    on: date


@dataclass(frozen=True)
class Summary:
    """The head of the record; all of it in as few queries at 500 visits as at 5."""

    known: tuple[Known, ...]
    medicines: tuple[Given, ...]
    charts: tuple[Series, ...]
    has_more_charts: bool

    @property
    def ongoing(self) -> list[Known]:
        """One for each disease, the chronic ones before what only came often."""
        going_on = [each for each in self.known if each.is_ongoing]
        found: dict[str, Known] = {}
        for each in sorted(going_on, key=lambda one: not one.is_chronic):
            # E11 and E11.9 are one disease; K02.1 and K02.9 may be two teeth.
            disease = each.code[:3] if each.is_chronic else each.code or each.title.lower()
            first = found.get(disease)
            found[disease] = replace(first, also=(*first.also, each)) if first else each
        return list(found.values())

    @property
    def seen_first(self) -> list[Known]:
        """What stands there without a press; `further` is the rest."""
        return self.ongoing[:MOST_ONGOING]

    @property
    def further(self) -> list[Known]:
        return self.ongoing[MOST_ONGOING:]


def summary(patient: Patient) -> Summary:
    """5 queries."""
    charts = series.all_series(patient, CHART_VALUES)
    shown = [each for each in charts if each.code in ("td", "bb")]
    # What was measured once says nothing more here than in its visit.
    shown += [each for each in charts if each not in shown and _is_worth_a_chart(each)]
    return Summary(
        known=tuple(known_diagnoses(patient)),
        medicines=tuple(_medicines(patient)),
        charts=tuple(shown[:MOST_CHARTS]),
        has_more_charts=len(charts) > len(shown[:MOST_CHARTS]),
    )


def _is_worth_a_chart(one: Series) -> bool:
    return len(one.points) > 1 and one.code not in series.SIGNS


# --- Diagnoses --------------------------------------------------------------------------------


def known_diagnoses(patient: Patient) -> list[Known]:
    """By code, or by text where there is none: what was seen last comes first."""
    since = utcnow() - OFTEN_TIME
    # A code's title may have changed with its edition.
    text = case((Diagnosis.code == "", func.lower(Diagnosis.title)), else_="")
    recent = case((Visit.occurred_at >= since, Visit.id))
    rows = (
        _seen(select(Diagnosis.code, func.max(Diagnosis.title)), patient)
        .add_columns(func.count(Visit.id.distinct()))
        .add_columns(func.min(ServiceDay.on), func.max(ServiceDay.on))
        .add_columns(func.count(recent.distinct()))
        .join(Diagnosis, Diagnosis.examination_id == Examination.id)
        .where(Diagnosis.ended_at.is_(None), _is_told())
        .group_by(Diagnosis.code, text)
        .order_by(func.max(ServiceDay.on).desc(), Diagnosis.code)
        .limit(MOST_DIAGNOSES)
    )
    return [Known(*row) for row in db.session.execute(rows)]


def _is_told() -> ColumnElement[bool]:
    """Not what is being typed; what a day's end cut off is all that its stay left."""
    cut_off = QueueEntry.state == EntryState.UNFINISHED
    return or_(Examination.finished_at.is_not(None), cut_off)


def _seen(rows: Select, patient: Patient) -> Select:
    """From the patient's visits to their examinations, those of cancelled stays left out."""
    return (
        rows.select_from(Visit)
        .join(Visit.service_day)
        .join(QueueEntry, QueueEntry.visit_id == Visit.id)
        .join(Examination, Examination.entry_id == QueueEntry.id)
        .where(
            Visit.patient_id == patient.id,
            Visit.status != VisitStatus.CANCELLED,
            QueueEntry.state != EntryState.CANCELLED,
            QueueEntry.undone_at.is_(None),
        )
    )


# --- Medicines --------------------------------------------------------------------------------


def _medicines(patient: Patient) -> list[Given]:
    """Each once, newest first: lines of prescriptions, and therapies where there was none."""
    since = utcnow() - LATELY
    found = sorted(_lines(patient, since) + _therapies(patient, since), key=lambda one: one[0])
    latest = {text.lower(): Given(text, on) for _, on, text in found}
    return sorted(latest.values(), key=lambda one: one.on, reverse=True)[:MOST_MEDICINES]


def _lines(patient: Patient, since: datetime) -> list[tuple[datetime, date, str]]:
    rows = (
        _seen(select(Visit.occurred_at, ServiceDay.on, PrescriptionLine.title), patient)
        .join(Prescription, Prescription.visit_id == Visit.id)  # which has an index
        .join(PrescriptionLine, PrescriptionLine.prescription_id == Prescription.id)
        .where(Prescription.state.not_in((PrescriptionState.DRAFT, PrescriptionState.CANCELLED)))
        .where(Prescription.examination_id == Examination.id)
        .where(PrescriptionLine.ended_at.is_(None), Visit.occurred_at >= since)
        .where(~dispensing_reports.none_kept())
        .order_by(Visit.occurred_at.desc())
        .limit(MOST_MEDICINES * 4)
    )
    return [tuple(row) for row in db.session.execute(rows)]


def _therapies(patient: Patient, since: datetime) -> list[tuple[datetime, date, str]]:
    prescribed = select(Prescription.id).where(
        Prescription.examination_id == Examination.id,
        Prescription.state != PrescriptionState.CANCELLED,
    )
    rows = (
        _seen(select(Visit.occurred_at, ServiceDay.on, Examination.therapy), patient)
        .where(Examination.therapy != "", Examination.finished_at.is_not(None))
        .where(~prescribed.exists(), Visit.occurred_at >= since)
        .order_by(Visit.occurred_at.desc())
        .limit(MOST_MEDICINES)
    )
    return [tuple(row) for row in db.session.execute(rows)]
