"""Age bands of the reports: data, and the SQL that finds somebody's band on a day.

By the calendar: in days before day 29, then until the day before the first birthday, then in years,
the last of a band whole. Who has no birth date, or one too coarse for the band, is unknown: never
guessed.
"""

from typing import NamedTuple

from sqlalchemy import Date, Integer, case
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from models import DatePrecision

UNKNOWN, UNKNOWN_LABEL = "x", "tak diketahui"
YEAR = 10_000  # of the numbers YYYYMMDD, whose difference holds the completed years


class Band(NamedTuple):
    """From this age on (in days, or in years) until the next band begins."""

    label: str
    unit: str  # "d" or "y"
    start: int


def _days(*bands: tuple[str, int]) -> tuple[Band, ...]:
    return tuple(Band(label, "d", start) for label, start in bands)


def _years(*bands: tuple[str, int]) -> tuple[Band, ...]:
    return tuple(Band(label, "y", start) for label, start in bands)


_NEWBORN = (("0-7 hr", 0), ("8-28 hr", 8))
_CHILDREN = (("1-4 th", 1), ("5-9 th", 5), ("10-14 th", 10), ("15-19 th", 15), ("20-44 th", 20))
_OLD = (("45-54 th", 45), ("55-59 th", 55), ("60-69 th", 60), ("≥ 70 th", 70))
SETS: dict[str, tuple[Band, ...]] = {
    "F11_10": _days(*_NEWBORN, ("1-11 bl", 29))
    + _years(*_CHILDREN, ("45-59 th", 45), ("> 59 th", 60)),
    "LB1_12": _days(*_NEWBORN, ("1 bl-< 1 th", 29)) + _years(*_CHILDREN, *_OLD),
    "STP_12": _days(*_NEWBORN, ("< 1 th", 29)) + _years(*_CHILDREN, *_OLD),
    "GIGI_10": _days(("0-4 th", 0))
    + _years(
        *(("5-6 th", 5), ("7-11 th", 7), ("12 th", 12), ("13-14 th", 13), ("15-18 th", 15)),
        *(("19-34 th", 19), ("35-44 th", 35), ("45-64 th", 45), ("> 64 th", 65)),
    ),
    "ISPA_6": _days(("< 1 th", 0))
    + _years(
        *(("1-< 5 th", 1), ("5-9 th", 5), ("10-18 th", 10), ("19-59 th", 19), ("≥ 60 th", 60)),
    ),
}


def labels(name: str) -> dict[str, str]:
    """The set's bands by their keys "1", "2" ..., unknown ages at the end."""
    bands = {str(place): band.label for place, band in enumerate(SETS[name], 1)}
    return bands | {UNKNOWN: UNKNOWN_LABEL}


class _day_number(FunctionElement):
    """A date as the number YYYYMMDD."""

    type = Integer()
    inherit_cache = True


class _days_between(FunctionElement):
    """Days from the first date to the second."""

    type = Integer()
    inherit_cache = True


@compiles(_day_number)
def _number_of_text(element, compiler, **options) -> str:
    return f"CAST(replace({compiler.process(element.clauses, **options)}, '-', '') AS INTEGER)"


@compiles(_day_number, "postgresql")
def _number_of_date(element, compiler, **options) -> str:
    return f"CAST(to_char({compiler.process(element.clauses, **options)}, 'YYYYMMDD') AS INTEGER)"


@compiles(_days_between)
def _julian(element, compiler, **options) -> str:
    first, last = (compiler.process(each, **options) for each in element.clauses)
    return f"CAST(julianday({last}) - julianday({first}) AS INTEGER)"


@compiles(_days_between, "postgresql")
def _difference(element, compiler, **options) -> str:
    first, last = (compiler.process(each, **options) for each in element.clauses)
    return f"({last} - {first})"


def band_of(
    name: str,
    born: ColumnElement[Date],
    precision: ColumnElement[str],
    on: ColumnElement[Date],
) -> ColumnElement[str]:
    """The key of the band in which somebody stands on this day."""
    bands = [(str(place), band) for place, band in enumerate(SETS[name], 1)]
    of_days = [(key, band.start) for key, band in bands if band.unit == "d"]
    of_years = [(key, band.start) for key, band in bands if band.unit == "y"]
    age = _day_number(on) - _day_number(born)
    whens = [((born.is_(None)) | (born > on), UNKNOWN)]
    whens += [(age >= start * YEAR, key) for key, start in reversed(of_years)]
    if len(of_days) > 1:
        # Told in years, a baby's days are unknown; told in months, from one month on not.
        is_baby = _completed_months(born, on) >= 1
        whens += [
            (precision == DatePrecision.YEAR, UNKNOWN),
            ((precision == DatePrecision.MONTH) & is_baby, of_days[-1][0]),
            (precision == DatePrecision.MONTH, UNKNOWN),
        ]
    age_days = _days_between(born, on)
    whens += [(age_days >= start, key) for key, start in reversed(of_days) if start]
    return case(*whens, else_=of_days[0][0])


def _completed_months(born: ColumnElement[Date], on: ColumnElement[Date]) -> ColumnElement[int]:
    first, last = _day_number(born), _day_number(on)
    return _months(last) - _months(first) - case((last % 100 < first % 100, 1), else_=0)


def _months(number: ColumnElement[int]) -> ColumnElement[int]:
    return number // YEAR * 12 + number // 100 % 100
