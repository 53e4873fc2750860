"""The page on which a clinician confirms the limits says what the program really does."""

import re
from pathlib import Path

import pytest
from sqlalchemy import func, select

from clinic import diagnoses, patient_summary, review, routing, series, settings, vital_signs
from db import db
from models import ComplaintTerm, LabKind, LabReference, LabTest, Poli, RoutingRule

PAGE = (Path(__file__).parent.parent / "docs" / "clinical-limits.md").read_text("utf-8")
MEASURES = ("systolic", "diastolic", "pulse", "respiration")
MEASURES += ("temperature", "weight", "height", "saturation")


def cells_of(first: str) -> list[str]:
    """The further cells of the table's row that begins with this."""
    found = re.search(rf"^\| {re.escape(first)}[^|]*\|(.*)\|$", PAGE, re.MULTILINE)
    assert found, f"no row for {first}"
    return [cell.strip() for cell in found[1].split("|")]


@pytest.mark.parametrize("name", MEASURES)
def test_vital_signs(name):
    vital = vital_signs.VITAL_RANGES[name]
    usual = ", ".join(f"{low}-{high}" for low, high in vital_signs._USUAL[name])
    assert cells_of(name) == [f"{vital.low}-{vital.high}", usual]


def test_all_vital_signs_are_there():
    assert set(MEASURES) == vital_signs.VITAL_RANGES.keys()
    assert vital_signs._BAND_ENDS == (2, 12, 60, 144)
    assert "under 2 months, under 1 year, under 5,\nunder 12, older" in PAGE


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("td", "systolic pressure"),
        ("suhu", "temperature"),
        ("nadi", "pulse"),
        ("napas", "respiration"),
        ("spo2", "saturation"),
    ],
)
def test_bands_behind_charts(code, words):
    sign = series.SIGNS[code]
    assert cells_of(f"chart of {words}") == [f"{sign.low}-{sign.high}"]


def test_no_other_sign_has_a_band_and_diseases_that_go_on_are_named():
    banded = [code for code, sign in series.SIGNS.items() if (sign.low, sign.high) != (None, None)]
    assert banded == ["td", "suhu", "nadi", "napas", "spo2"]
    ranges = [low if low == high else f"{low}-{high}" for low, high in patient_summary._CHRONIC]
    assert f"Categories: {', '.join(ranges)}." in " ".join(PAGE.split())
    often = f"{patient_summary.OFTEN} visits within {patient_summary.OFTEN_TIME.days} days"
    assert often in " ".join(PAGE.split())


@pytest.mark.engines("sqlite")
def test_words_and_danger_signs(app):
    count = select(func.count()).select_from(ComplaintTerm)
    signs = count.where(ComplaintTerm.is_red_flag)
    babies = signs.where(ComplaintTerm.age_below_months.is_not(None))
    assert cells_of("words of complaints")[0] == str(db.session.scalar(count))
    assert cells_of("of these, danger signs")[0] == str(db.session.scalar(signs))
    limits = db.session.scalars(babies.with_only_columns(ComplaintTerm.age_below_months))
    assert cells_of("danger signs of babies")[0] == "below {} months".format(*set(limits))


@pytest.mark.engines("sqlite")
def test_every_rule_is_named_and_its_threshold(app):
    rules = list(db.session.scalars(select(RoutingRule)))
    assert not [row.rule for row in rules if not re.search(rf"\b{row.rule}\b", PAGE)]
    thresholds = {row.rule: row.threshold for row in rules if row.threshold is not None}
    assert thresholds == {"W7": 2, "P1": 14}
    assert cells_of("cough that asks")[0].startswith("14 days")
    assert cells_of("complaint points to")[0].startswith("2 points")


@pytest.mark.engines("sqlite")
def test_rooms_with_limits(app):
    limited = {
        room.code: (room.min_age_months, room.max_age_months)
        for room in db.session.scalars(select(Poli))
        if room.min_age_months or room.max_age_months or room.sex or room.pregnancy
    }
    assert limited == {
        "UMUM": (60, None),
        "KIA": (120, 671),
        "KB": (120, 720),
        "MTBS": (None, 59),
        "IMUN": (None, 72),
    }
    assert all(cells_of(code) for code in limited)


def test_ages_and_the_rest():
    known = {key: entry.default for key, entry in settings.DEFINITIONS.items()}
    late = f"{known['wait_warn_minutes']}, {known['wait_late_minutes']} minutes"
    assert cells_of("elderly from")[0] == f"{known['elderly_from_years']} years"
    assert cells_of("child")[0] == f"{routing.ADULT_MONTHS // 12} years"
    assert cells_of("cluster of KB")[0] == known["kb_cluster"]
    assert cells_of("priority by rule")[0].endswith(f"under {review.TODDLER_YEARS}")
    assert cells_of("priority patients for")[0] == str(known["priority_ratio"])
    assert cells_of("waiting marked")[0] == late
    assert cells_of("same disease")[0] == f"{diagnoses.SAME_CASE.days} days"


def plain(number) -> str:
    return format(number.normalize(), "f")


def span(low, high) -> str:
    if low is None or high is None:
        return (
            "none" if low is high else f"to {plain(high)}" if low is None else f"from {plain(low)}"
        )
    return f"{plain(low)}-{plain(high)}"


@pytest.mark.engines("sqlite")
def test_laboratory_ranges(app):
    tests = {test.id: test for test in db.session.scalars(select(LabTest))}
    rows = list(db.session.scalars(select(LabReference)))
    for row in rows:
        below = row.age_below_months
        ages = f"to below {below}" if below else "and over"
        name = f"{tests[row.test_id].code} {row.sex or 'both'} {row.age_from_months} {ages}"
        critical = [
            plain(each) if each is not None else "-"
            for each in (row.critical_low, row.critical_high)
        ]
        assert cells_of(f"{name} ") == [span(row.low, row.high), ", ".join(critical)], name
    assert len(re.findall(r"^\| \S+ (?:both|L|P) \d", PAGE, re.MULTILINE)) == len(rows)


@pytest.mark.engines("sqlite")
def test_laboratory_tests(app):
    for test in db.session.scalars(select(LabTest)):
        if test.kind is LabKind.NUMERIC:
            shown = span(test.plausible_low, test.plausible_high)
            assert cells_of(f"{test.code}, {test.unit} ") == [shown]
        elif test.kind is LabKind.CHOICE:
            assert cells_of(f"{test.code} |"[:-1]) == [" / ".join(test.abnormal_list) or "none"]
        else:
            assert test.code in PAGE
