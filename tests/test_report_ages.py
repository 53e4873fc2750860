"""In which age band somebody stands, at each boundary, as both databases work it out."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Date, String, cast, literal, select

from clinic.report_ages import SETS, band_of, labels
from db import db

ON = date(2026, 11, 21)


def band(name: str, born: date | None, on: date = ON, precision: str = "day") -> str:
    column = cast(literal(born, Date), Date) if db.engine.name == "postgresql" else literal(born)
    day = cast(literal(on, Date), Date) if db.engine.name == "postgresql" else literal(on)
    key = db.session.scalar(select(band_of(name, column, literal(precision, String), day)))
    return labels(name)[key]


def before(**ago: int) -> date:
    return ON - timedelta(**ago)


F11 = [
    (ON, "0-7 hr"),
    (before(days=7), "0-7 hr"),
    (before(days=8), "8-28 hr"),
    (before(days=28), "8-28 hr"),
    (before(days=29), "1-11 bl"),
    (before(days=30), "1-11 bl"),
    (date(2025, 11, 22), "1-11 bl"),
    (date(2025, 11, 21), "1-4 th"),
    (date(2021, 11, 22), "1-4 th"),
    (date(2021, 11, 21), "5-9 th"),
    (date(2016, 11, 22), "5-9 th"),
    (date(2011, 11, 21), "15-19 th"),
    (date(2006, 11, 22), "15-19 th"),
    (date(2006, 11, 21), "20-44 th"),
    (date(1981, 11, 21), "45-59 th"),
    (date(1966, 11, 22), "45-59 th"),
    (date(1966, 11, 21), "> 59 th"),
    (date(1900, 1, 1), "> 59 th"),
    (ON + timedelta(days=1), "tak diketahui"),
    (None, "tak diketahui"),
]


def test_the_bands_of_form_11_begin_and_end_by_the_calendar(app):
    assert [(born, band("F11_10", born)) for born, _ in F11] == F11


OTHERS = [
    ("LB1_12", date(1971, 11, 22), "45-54 th"),
    ("LB1_12", date(1971, 11, 21), "55-59 th"),
    ("LB1_12", date(1956, 11, 22), "60-69 th"),
    ("LB1_12", date(1956, 11, 21), "≥ 70 th"),
    ("GIGI_10", ON, "0-4 th"),
    ("GIGI_10", date(2013, 11, 21), "13-14 th"),
    ("GIGI_10", date(2013, 11, 22), "12 th"),
    ("GIGI_10", date(1961, 11, 22), "45-64 th"),
    ("GIGI_10", date(1961, 11, 21), "> 64 th"),
    ("STP_12", before(days=29), "< 1 th"),
    ("ISPA_6", before(days=3), "< 1 th"),
    ("ISPA_6", date(2025, 11, 21), "1-< 5 th"),
    ("ISPA_6", date(2007, 11, 22), "10-18 th"),
    ("ISPA_6", date(2007, 11, 21), "19-59 th"),
]


def test_the_other_sets_have_their_own_boundaries(app):
    assert [(name, born, band(name, born)) for name, born, _ in OTHERS] == OTHERS


def test_who_is_born_on_29_february_has_a_birthday_on_1_march(app):
    born = date(2024, 2, 29)
    assert band("F11_10", born, date(2025, 2, 28)) == "1-11 bl"
    assert band("F11_10", born, date(2025, 3, 1)) == "1-4 th"
    assert band("F11_10", born, date(2029, 2, 28)) == "1-4 th"
    assert band("F11_10", born, date(2029, 3, 1)) == "5-9 th"
    assert band("F11_10", born, date(2024, 3, 28)) == "8-28 hr"
    assert band("F11_10", born, date(2024, 3, 29)) == "1-11 bl"


def test_an_estimate_counts_as_far_as_it_reaches(app):
    """Years are told for who is one or older, months from one month on; the rest is not guessed."""
    assert band("F11_10", date(1986, 7, 1), precision="year") == "20-44 th"
    assert band("F11_10", date(2026, 7, 1), precision="year") == "tak diketahui"
    assert band("ISPA_6", date(2026, 7, 1), precision="year") == "< 1 th"
    assert band("F11_10", date(2026, 10, 21), precision="month") == "1-11 bl"
    assert band("F11_10", date(2026, 2, 28), date(2026, 3, 28), "month") == "1-11 bl"
    assert band("F11_10", date(2026, 11, 2), precision="month") == "tak diketahui"


@pytest.mark.parametrize("name", SETS)
def test_bands_follow_one_another_without_a_gap(name):
    bands = SETS[name]
    ages = [band.start * (365 if band.unit == "y" else 1) for band in bands]
    assert ages == sorted(set(ages))
    assert ages[0] == 0
    assert len(bands) == int(name.rpartition("_")[2])
