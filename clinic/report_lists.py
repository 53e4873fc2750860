"""The visits behind a number, by the same filter that counted it."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, func, select

from clinic.report_counts import counts, rows_of
from clinic.report_definitions import GAPS, REPORTS, Gap, Report
from clinic.report_facts import FACTS, Fact
from clinic.report_periods import Period, parse
from clinic.report_tables import ALL, OUTSIDE, Section, name_of
from db import db
from models import Patient, ServiceDay, Visit

GAP = "kurang"  # the section of what is incomplete
BOOKS = {"register": "Buku register", "pcare": "Daftar P-Care"}  # lists that are no report


class NoSuchNumber(LookupError):
    """The address names no number of the report."""


@dataclass(frozen=True)
class Behind:
    """What stands behind one number: words for it, and the rows themselves."""

    title: str
    fact: Fact
    rows: Select

    def count(self) -> int:
        """How many there are: what the number said."""
        found = self.rows.with_only_columns(Visit.id, maintain_column_froms=True).subquery()
        return db.session.scalar(select(func.count()).select_from(found))

    def lines(self, limit: int, offset: int = 0) -> list["Line"]:
        """A page of them, in the order of the days and numbers."""
        columns = [
            *(Visit.public_id, Visit.label, ServiceDay.on, Visit.status, Visit.payer),
            *(Patient.public_id, Patient.name, Patient.mrn, Patient.sex),
            *(Patient.birth_date, Patient.birth_precision, Visit.age_days),
        ]
        found = (
            self.rows.with_only_columns(*columns, *self.details, maintain_column_froms=True)
            .order_by(ServiceDay.on, Visit.series, Visit.number, Visit.id, self.fact.row)
            .limit(limit)
            .offset(offset)
        )
        known = len(columns)
        return [Line(*row[:known], tuple(row[known:])) for row in db.session.execute(found)]

    @property
    def details(self) -> list:
        return [
            column.label(f"detail_{place}")
            for place, column in enumerate(self.fact.details.values())
        ]


@dataclass(frozen=True)
class Line:
    """One row of a list."""

    visit_ref: str
    label: str
    on: date
    status: str
    payer: str
    patient_ref: str
    name: str
    mrn: str
    sex: str
    birth_date: date | None
    birth_precision: str
    age_days: int | None
    details: tuple


def behind(
    report: Report, section: str, row: str, column: str, period: Period, room: str = ""
) -> Behind:
    """What a number counted. Raises NoSuchNumber."""
    if section == GAP:
        return _behind_gap(report, row, period, room)
    found = next((each for each in report.sections if each.key == section), None)
    counted = found and next((each for each in found.columns if each.key == column), None)
    if counted is None:
        raise NoSuchNumber(column)
    where = {**found.where, **counted.where}
    fact = FACTS[found.fact]
    values, words = _values(found, fact, row, period, room)
    rows = rows_of(fact, period, where, room).where(fact.dims[found.dim].in_(values))
    told = ", ".join(filter(None, [words, name_of(vars(counted))]))
    return Behind(f"{found.title}: {told}", fact, rows)


def _values(
    section: Section, fact: Fact, row: str, period: Period, room: str
) -> tuple[list[str], str]:
    """Which values of the row's dimension a row stands for, and its name."""
    seen = Counter()
    for (value,), number in counts(fact, [section.dim], period, section.where, room):
        seen[value] += number
    placed = section.place(seen)
    if row in (ALL, OUTSIDE):
        values = [v for v, key in placed.row_of.items() if (key is None) == (row == OUTSIDE)]
        return values, "" if row == ALL else "di luar tabel"
    known = {each.key: each.label for each in placed.rows}
    if row not in known:
        raise NoSuchNumber(row)
    return [value for value, key in placed.row_of.items() if key == row], known[row]


def _behind_gap(report: Report, key: str, period: Period, room: str) -> Behind:
    if key not in report.gaps:
        raise NoSuchNumber(key)
    gap = GAPS[key]
    fact = FACTS[gap.fact]
    return Behind(gap.label, fact, rows_of(fact, period, gap.where, room))


def gaps(report: Report, period: Period, room: str = "") -> list[tuple[str, str, int]]:
    """Key, words and number of what is incomplete: one query each."""
    return [(key, GAPS[key].label, _count(GAPS[key], period, room)) for key in report.gaps]


def _count(gap: Gap, period: Period, room: str) -> int:
    fact, where = FACTS[gap.fact], gap.where
    return Behind("", fact, rows_of(fact, period, where, room)).count()


def told(code: str, noted: str) -> tuple[str, str]:
    """A list's report and its place there, in words, as an entry of the audit trail names them.

    What has no word (any more) stays the code that it is.
    """
    place = dict(
        zip(("period", "room", "section", "row", "column"), noted.split(" "), strict=False)
    )
    report, period = REPORTS.get(code), parse(place["period"])
    if period:
        place["period"] = period.label
    if report and place.get("section") == GAP:
        row = place.get("row", "")
        place |= {"section": "", "row": GAPS[row].label if row in GAPS else row}
    elif report:
        place |= _place_in_words(report, place)
    return report.title if report else BOOKS.get(code, code), ", ".join(
        filter(None, place.values())
    )


def _place_in_words(report: Report, place: dict[str, str]) -> dict[str, str]:
    section = next((one for one in report.sections if one.key == place.get("section")), None)
    if section is None:
        return {}
    names = {column.key: name_of(vars(column)) for column in section.columns}
    column = place.get("column", "")
    return {"section": section.title, "column": names.get(column, column)}
