"""Measured values of a patient over time: vital signs and laboratory, for charts and tables.

Laboratory values are those that stand: numbers of finished, where asked for validated results;
of a corrected one the current value. In 1 query for all vital signs and 1 for all tests.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select

from clinic import lab_reports, sparkline
from clinic.lab_values import CRITICAL, range_text
from clinic.sparkline import Drawing
from db import db
from formatting import number_text
from models import LabFlag, LabOrder, LabResult, LabTest, Patient, Visit, VisitStatus, VitalSigns

LAST = 24  # values in a chart; the table has them all
ADULT_MONTHS = 18 * 12

Number = Decimal | int


class Sign(NamedTuple):
    """A vital sign as a series; the limits are usual for adults at rest, and only a guide."""

    label: str
    unit: str
    columns: tuple[str, ...]
    low: Number | None = None
    high: Number | None = None


# Codes in lower case: those of laboratory tests are upper case.
SIGNS = {
    "td": Sign("Tekanan darah", "mmHg", ("systolic", "diastolic"), 90, 139),
    "bb": Sign("Berat badan", "kg", ("weight",)),
    "suhu": Sign("Suhu", "°C", ("temperature",), 36, Decimal("37.5")),
    "nadi": Sign("Nadi", "per menit", ("pulse",), 60, 100),
    "napas": Sign("Napas", "per menit", ("respiration",), 12, 20),
    "spo2": Sign("Saturasi oksigen", "%", ("saturation",), 95, 100),
    "tb": Sign("Tinggi badan", "cm", ("height",)),
}


class Flagged:
    """How a value stands to its range, in words."""

    flag: LabFlag | None

    @property
    def flag_text(self) -> str:
        return lab_reports.FLAG_WORDS.get(self.flag, "")

    @property
    def is_unusual(self) -> bool:
        return lab_reports.is_unusual(self.flag)

    @property
    def is_critical(self) -> bool:
        return self.flag in CRITICAL


@dataclass(frozen=True)
class Point(Flagged):
    """One measurement; blood pressure has two numbers, of which the lower may be missing."""

    at: datetime
    numbers: tuple[Number | None, ...]
    text: str
    flag: LabFlag | None = None


@dataclass(frozen=True)
class Series:
    """The last values of one kind, oldest first, out of `total`; with the range of the last one."""

    code: str
    label: str
    unit: str
    points: tuple[Point, ...]
    total: int
    low: Number | None = None
    high: Number | None = None

    @property
    def last(self) -> Point:
        return self.points[-1]

    @property
    def range_words(self) -> str:
        """What the band of the chart stands for; '' without one."""
        limits = range_text(self.low, self.high)
        if not limits or self.code not in SIGNS:
            return limits and f"rujukan {limits}"
        upper = "sistolik " * (len(self.last.numbers) > 1)
        return f"umumnya {upper}{limits}"

    @property
    def is_shortened(self) -> bool:
        return self.total > len(self.points)

    @property
    def trend(self) -> str:
        """How the last value stands to the one before it; '' when there is none."""
        if len(self.points) < 2:
            return ""
        before, now = self.points[-2], self.last
        if before.numbers == now.numbers:
            return "tetap"
        pairs = zip(before.numbers, now.numbers, strict=True)
        known = [pair for pair in pairs if None not in pair]
        ways = {later > earlier for earlier, later in known if earlier != later}
        if len(ways) != 1:  # of a pressure one number may rise and the other fall
            return f"sebelumnya {before.text}"
        return f"{'naik' if ways.pop() else 'turun'} dari {before.text}"

    @property
    def values_text(self) -> str:
        """All values in a line, for who can't see the chart."""
        return "; ".join(point.text for point in self.points)

    @cached_property
    def drawing(self) -> Drawing:
        lines = list(zip(*(point.numbers for point in self.points), strict=True))
        return sparkline.draw([point.at for point in self.points], lines, self.low, self.high)


# --- Vital signs ------------------------------------------------------------------------------


def vital_series(patient: Patient, last: int = LAST) -> list[Series]:
    """The last values of each sign that was ever measured, in the order of SIGNS."""
    rows = db.session.execute(_last_measured(patient, last)).mappings().all()
    found = []
    for code, sign in SIGNS.items():
        mine = [row for row in rows if row[sign.columns[0]] is not None]
        mine = [row for row in mine if row[f"place_{code}"] <= last]
        if mine:
            found.append(_sign_series(code, sign, mine))
    return found


def measured(patient: Patient) -> list[ColumnElement[bool]]:
    """The patient's vital signs as they hold, in SQL, joined with their visits."""
    return [
        VitalSigns.visit_id == Visit.id,
        Visit.patient_id == patient.id,
        Visit.status != VisitStatus.CANCELLED,
        VitalSigns.ended_at.is_(None),
    ]


def _last_measured(patient: Patient, last: int) -> Select:
    """One pass over the patient's rows: how many of each sign came since, and are in all."""
    newest = (VitalSigns.occurred_at.desc(), VitalSigns.id.desc())
    counts = []
    for code, sign in SIGNS.items():
        column = getattr(VitalSigns, sign.columns[0])
        counts += [
            func.count(column).over(order_by=newest).label(f"place_{code}"),
            func.count(column).over().label(f"total_{code}"),
        ]
    values = [getattr(VitalSigns, name) for sign in SIGNS.values() for name in sign.columns]
    ranked = select(VitalSigns.id, VitalSigns.occurred_at, Visit.age_months, *values, *counts)
    inner = ranked.where(*measured(patient)).subquery()
    wanted = [
        and_(inner.c[sign.columns[0]].is_not(None), inner.c[f"place_{code}"] <= last)
        for code, sign in SIGNS.items()
    ]
    return select(inner).where(or_(*wanted)).order_by(inner.c.occurred_at, inner.c.id)


def _sign_series(code: str, sign: Sign, rows: Sequence[RowMapping]) -> Series:
    points = tuple(_sign_point(sign, row) for row in rows)
    months, low, high = rows[-1]["age_months"], sign.low, sign.high
    if months is None or months < ADULT_MONTHS:
        low = high = None
    return Series(code, sign.label, sign.unit, points, rows[-1][f"total_{code}"], low, high)


def _sign_point(sign: Sign, row: RowMapping) -> Point:
    numbers = tuple(row[name] for name in sign.columns)
    return Point(row["occurred_at"], numbers, sign_text(numbers))


def sign_text(numbers: Iterable[Number | None]) -> str:
    """Such as "36,5", or "150/90"."""
    return "/".join(number_text(number) for number in numbers)


# --- Laboratory -------------------------------------------------------------------------------


def lab_series(patient: Patient, last: int = LAST) -> list[Series]:
    """The last values of each test with numbers, the one done last first.

    Where a test's unit has changed only values of the newest unit are drawn together.
    """
    found: dict[str, list] = defaultdict(list)
    for row in db.session.execute(_last_results(patient, last)).mappings():
        found[row["code"]].append(row)  # newest first
    newest_first = sorted(
        found.values(), key=lambda rows: (-rows[0]["sampled_at"].timestamp(), rows[0]["position"])
    )
    return [_lab_series(rows) for rows in newest_first]


def results(patient: Patient) -> Select:
    """The patient's numbers from the laboratory that stand, visit by visit."""
    return (
        select(LabResult.id, LabResult.sampled_at, LabTest.code, LabTest.name, LabTest.position)
        .add_columns(LabResult.value, LabResult.number, LabResult.unit, LabResult.flag)
        .add_columns(LabResult.low, LabResult.high)
        .select_from(Visit)
        .join(LabOrder, LabOrder.visit_id == Visit.id)
        .join(LabResult, LabResult.order_id == LabOrder.id)
        .join(LabResult.test)
        .where(Visit.patient_id == patient.id, Visit.status != VisitStatus.CANCELLED)
        .where(LabResult.number.is_not(None), lab_reports.is_final())
    )


def _last_results(patient: Patient, last: int) -> Select:
    same = (LabResult.test_id, LabResult.unit)
    newest = (LabResult.sampled_at.desc(), LabResult.id.desc())
    place = func.row_number().over(partition_by=same, order_by=newest)
    total = func.count().over(partition_by=same)
    inner = results(patient).add_columns(place.label("place"), total.label("total")).subquery()
    rows = select(inner).where(inner.c.place <= last)
    return rows.order_by(inner.c.sampled_at.desc(), inner.c.id.desc())


def _lab_series(rows: Sequence[RowMapping]) -> Series:
    newest = rows[0]
    same = [row for row in rows if row["unit"] == newest["unit"]]
    points = tuple(_lab_point(row) for row in reversed(same))
    limits = (newest["low"], newest["high"])
    return Series(newest["code"], newest["name"], newest["unit"], points, newest["total"], *limits)


def _lab_point(row: RowMapping) -> Point:
    return Point(row["sampled_at"], (row["number"],), row["value"], row["flag"])


def all_series(patient: Patient, last: int = LAST) -> list[Series]:
    """Vital signs, then laboratory; 2 queries."""
    return vital_series(patient, last) + lab_series(patient, last)
