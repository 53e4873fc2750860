"""The page on which a clinician confirms the limits says what the program really does."""

import re
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from clinic import (
    case_types,
    dehydration,
    diagnosis_rules,
    identity_warnings,
    patient_summary,
    pregnancy,
    prescription_amounts,
    routing,
    series,
    settings,
    sick_child,
    taken_at_once,
    teeth,
    vaccines,
    vital_marks,
    vital_signs,
)
from clinic.form_definitions import FORMS
from clinic.form_items import Kind
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


def test_marks_of_vital_signs():
    m = vital_marks
    grown = f"{m.GROWN_MONTHS // 12} years and over"
    whom = f"{grown}, pregnant or after birth at any age"
    assert cells_of("TD tinggi")[:2] == [whom, "from {} or {} mmHg".format(*m.HIGH)]
    assert pregnancy.PRESSURE == m.HIGH
    severe = "from {} or {} mmHg".format(*pregnancy.SEVERE_PRESSURE)
    assert cells_of("TD sangat tinggi, pregnant or after birth")[:2] == ["any age", severe]
    assert cells_of("KEHAMILAN-TD, severe")[0].startswith(severe)
    very = "from {} or {} mmHg".format(*m.VERY_HIGH)
    assert cells_of("TD sangat tinggi ")[:2] == [grown, very]
    assert m.GROWN_MONTHS in vital_signs._BAND_ENDS, "nobody between two rules"
    assert cells_of("TD rendah")[1] == "below {} or {} mmHg".format(*m.LOW)
    assert cells_of("Demam ")[1] == f"from {m.FEVER_CHILD} °C"
    assert cells_of("Demam, older")[1] == f"from {m.FEVER} °C"
    assert cells_of("Napas cepat")[1] == "from {}, {}, {} a minute".format(
        *(limit for _, limit in m.FAST_BREATHING)
    )
    assert [below for below, _ in m.FAST_BREATHING] == [2, 12, 60]
    assert (m.ADULT_MONTHS, m.CHILD_MONTHS) == (18 * 12, 5 * 12)


def test_categories_of_body_mass():
    for upto, name in vital_marks.BMI_CATEGORIES:
        assert cells_of(f"{name} |"[:-1]) == [str(upto or "no end")], name


def test_numbers_of_the_rooms_forms():
    for form in FORMS.values():
        for item in form.items:
            if item.kind is Kind.NUMBER:
                usable = f"{item.low}-{item.high} {item.unit}".strip()
                assert cells_of(f"{item.label}, {form.label} ") == [usable], item.code
    dates = {
        item.code: (item.low, item.high) for item in FORMS["hamil"].items if item.kind is Kind.DATE
    }
    assert dates == {"lmp": (-320, 0), "edd_scan": (-40, 300)}
    assert "up to 320 days before" in PAGE.replace("\n", " ")
    assert "from 40 days before to 300 after" in PAGE.replace("\n", " ")


def test_risks_of_pregnancy():
    p = pregnancy
    when = {
        "UMUR": f"under {p.YOUNG_YEARS} or over {p.OLD_YEARS} years",
        "LILA": f"below {p.ARM_CM} cm",
        "TINGGI": f"below {p.SHORT_CM} cm",
        "TD": "from {} or {} mmHg".format(*p.PRESSURE),
        "HB": f"below {p.HB} g/dL, of the visit's laboratory",
        "GPA": "G below P and A together: a slip of the hand",
        "PARITAS": f"{p.MANY_BIRTHS} births or more",
        "JARAK": f"below {p.SHORT_GAP_YEARS} years",
        "DJJ": f"outside {p.HEART_LOW}-{p.HEART_HIGH} a minute",
        "LEWAT": f"from {p.POSTTERM_WEEKS} weeks",
        "LETAK": f"sungsang or lintang from {p.HEAD_FROM_WEEKS} weeks",
    }
    for rule, text in when.items():
        assert cells_of(f"KEHAMILAN-{rule} ")[0] == text
    assert f"for {p.LONGEST_DAYS // 7} weeks" in PAGE
    assert f"as {p.TERM_DAYS} days" in PAGE


def test_rules_of_mtbs():
    s = sick_child
    assert all(cells_of(f"MTBS-{rule} ") for rule in s.JUDGES)
    assert f"cough of {s.LONG_COUGH} days" in cells_of("MTBS-NAPAS")[0]
    assert f"{s.LONG_DIARRHOEA} days: persistent" in cells_of("MTBS-DIARE")[0]
    assert cells_of("MTBS-DIARE")[0].startswith(f"{dehydration.SIGNS_NEEDED} signs of")
    assert cells_of("MTBS-DEMAM")[0].endswith(f"{s.LONG_FEVER} days")
    limits = f"Below {s.YOUNG_MONTHS} months a temperature from\n{s.YOUNG_FEVER} °C"
    assert f"{limits} or below {s.COLD_BABY} °C is one" in PAGE
    arm = f"arm below {s.SEVERE_ARM} cm: severe; below {s.MODERATE_ARM} cm: moderate"
    assert f"{arm}; arm from {s.ARM_FROM_MONTHS} months" in cells_of("MTBS-GIZI")[0]


def test_schedule_of_vaccines():
    doses = [(v.code, dose) for v in vaccines.VACCINES.values() for dose in v.doses]
    for code, dose in doses:
        after = str(dose.after_days or "-")
        upto = f"{dose.until.number} {dose.until.unit.name.lower()}" if dose.until else "-"
        assert cells_of(f"{code} {dose.number} ") == [f"{dose.from_months} months", upto, after]
    assert len(re.findall(r"^\| [A-Z0-9]+ \d \| \d+ months", PAGE, re.MULTILINE)) == len(doses)
    assert f"drawn below {teeth.MIXED_BELOW_MONTHS // 12} years" in PAGE


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
    assert cells_of("words of complaints")[0] == str(db.session.scalar(count))
    assert cells_of("of these, danger signs")[0] == str(db.session.scalar(signs))
    ages = (ComplaintTerm.age_from_months, ComplaintTerm.age_below_months)
    limits = set(db.session.execute(select(*ages).where(ComplaintTerm.is_red_flag)).tuples())
    assert limits == {(None, None), (None, 2), (None, 12), (None, 60), (None, 144), (216, None)}
    assert cells_of("danger signs of young babies")[0] == "below 2 months"
    assert cells_of("danger signs of infants")[0] == "below 12 months"
    assert cells_of("danger signs of small children")[0] == "below 60 months"
    assert cells_of("danger sign of children")[0] == "below 144 months"
    assert cells_of("danger signs of adults")[0] == "from 216 months"


@pytest.mark.engines("sqlite")
def test_words_of_each_room(app):
    """One word with another room, level or condition changes two numbers."""
    terms = list(db.session.scalars(select(ComplaintTerm)))
    for code in {term.poli_code for term in terms}:
        of_room = [term for term in terms if term.poli_code == code]
        points = Counter(term.weight for term in of_room)
        conditions = (
            [term for term in of_room if term.age_from_months or term.age_below_months],
            [term for term in of_room if term.needs_pregnant],
        )
        signs = sum(term.is_red_flag for term in of_room)
        numbers = [len(of_room), signs, points[3], points[2], points[1], *map(len, conditions)]
        assert cells_of(f"words for {code} ") == list(map(str, numbers)), code


@pytest.mark.engines("sqlite")
def test_every_rule_is_named_and_its_threshold(app):
    rules = list(db.session.scalars(select(RoutingRule)))
    assert not [row.rule for row in rules if not re.search(rf"\b{row.rule}\b", PAGE)]
    thresholds = {row.rule: row.threshold for row in rules if row.threshold is not None}
    assert thresholds == {"W7": 2, "P1": 14}
    assert cells_of("cough that asks")[0].startswith("14 days")
    assert cells_of("medicine swallowed")[0].startswith(f"{taken_at_once.MANY} pieces")
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
    assert cells_of("priority by rule")[0].endswith(f"under {identity_warnings.TODDLER_YEARS}")
    assert cells_of("priority patients for")[0] == str(known["priority_ratio"])
    assert cells_of("waiting marked")[0] == late
    assert cells_of("same disease")[0] == f"{case_types.SAME_CASE.days} days"


def test_long_cases():
    for codes, days in case_types._long_cases():
        first = codes.pairs[0][0]
        shown = cells_of(first)[0]
        assert shown == ("for life" if days == case_types.FOR_LIFE else f"{days.days} days")


def test_diagnosis_rules():
    for rule in diagnosis_rules.rules():
        who = {"L": "men", "P": "women", "": ""}[rule.sex]
        ages = [
            f"from {rule.from_years} years" if rule.from_years is not None else "",
            f"below {rule.below_years} years" if rule.below_years is not None else "",
            f"below {rule.below_days} days" if rule.below_days is not None else "",
        ]
        said = ", ".join(filter(None, [who, *ages]))
        assert cells_of(rule.rule)[:2] == [said, rule.level.value]


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
    assert len(re.findall(r"^\| \S+ (?:both|L|P|H) \d", PAGE, re.MULTILINE)) == len(rows)


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


def test_prescriptions():
    m = prescription_amounts
    assert cells_of("DOSIS times") == [f"more than {m.MOST_TIMES} times a day"]
    for unit, most in m.MOST_AT_ONCE.items():
        assert cells_of(f"DOSIS at once, {unit} ") == [f"more than {most}"], unit
    assert len(re.findall(r"^\| DOSIS at once", PAGE, re.MULTILINE)) == len(m.MOST_AT_ONCE) + 1
    assert cells_of("DOSIS at once, other") == [f"more than {m.MOST_UNITS}"]
    assert cells_of("LAMA ") == [f"more than {m.MOST_DAYS} days"]
    needed = f"not between what the directions need and {m.MOST_OF_COMPUTED} times that"
    assert cells_of("JUMLAH ") == [f"more than {m.MOST_UNITS}, or {needed}"]
