"""All values of one kind that a patient ever had, page by page, for the table under a chart."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from clinic import series
from clinic.lab_values import range_text
from db import db
from models import LabFlag, LabResult, LabTest, Patient, User, Visit, VitalSigns

PAGE = 40


@dataclass(frozen=True)
class Row(series.Flagged):
    """One value in words, with who measured it, or who wrote the result."""

    at: datetime
    text: str
    author: str
    range: str = ""
    flag: LabFlag | None = None


@dataclass(frozen=True)
class Table:
    """One page of values, newest first, out of `total`."""

    label: str
    rows: tuple[Row, ...]
    total: int
    page: int

    @property
    def has_more(self) -> bool:
        return self.page * PAGE < self.total


def table(patient: Patient, code: str, page: int = 1) -> Table | None:
    """The values of a sign or test of this code; None when the clinic knows no such code."""
    if code in series.SIGNS:
        return _sign_table(patient, code, page)
    name = db.session.scalar(select(LabTest.name).where(LabTest.code == code))
    return _lab_table(patient, code, name, page) if name else None


def _sign_table(patient: Patient, code: str, page: int) -> Table:
    sign = series.SIGNS[code]
    columns = [getattr(VitalSigns, name) for name in sign.columns]
    found = (
        select(VitalSigns.occurred_at, User.display_name, func.count().over(), *columns)
        .join_from(VitalSigns, User, VitalSigns.recorded_by_id == User.id)
        .join(Visit, VitalSigns.visit_id == Visit.id)
        .where(*series.measured(patient), columns[0].is_not(None))
        .order_by(VitalSigns.occurred_at.desc(), VitalSigns.id.desc())
    )
    stored = db.session.execute(found.limit(PAGE).offset((page - 1) * PAGE)).all()
    rows = [
        Row(at, f"{series.sign_text(values)} {sign.unit}", who) for at, who, _, *values in stored
    ]
    return Table(sign.label, tuple(rows), stored[0][2] if stored else 0, page)


def _lab_table(patient: Patient, code: str, name: str, page: int) -> Table:
    found = (
        series.results(patient)
        .join(LabResult.resulted_by)
        .add_columns(User.display_name, func.count().over().label("total"))
        .where(LabTest.code == code)
        .order_by(LabResult.sampled_at.desc(), LabResult.id.desc())
    )
    stored = db.session.execute(found.limit(PAGE).offset((page - 1) * PAGE)).all()
    rows = [
        Row(
            at=one.sampled_at,
            text=f"{one.value} {one.unit}".strip(),
            author=one.display_name,
            range=range_text(one.low, one.high),
            flag=one.flag,
        )
        for one in stored
    ]
    return Table(name, tuple(rows), stored[0].total if stored else 0, page)
