"""Vital signs: limits that no measurement passes, and values to measure again by age."""

from decimal import Decimal

import pytest

from clinic.vital_signs import _USUAL, VITAL_RANGES, parse_vital, vital_findings
from validators import FieldError

ADULT = 40 * 12


def rules(age_months=ADULT, **values):
    found = vital_findings(values, age_months)
    assert all(finding.level == "warning" for finding in found)
    return [finding.rule for finding in found]


@pytest.mark.parametrize("typed", ["1,65", "1.7", "2"])
def test_a_height_in_metres_is_told_in_which_unit_it_is_wanted(typed):
    with pytest.raises(FieldError, match="ditulis dalam cm, misalnya 165"):
        parse_vital("height", typed)


def test_a_decimal_comma_is_a_decimal_point():
    assert parse_vital("temperature", "36,5") == Decimal("36.5")
    assert parse_vital("temperature", " 36.5 ") == Decimal("36.5")
    assert parse_vital("weight", "3,25") == Decimal("3.25")
    assert parse_vital("height", "49,5") == Decimal("49.5")


def test_an_empty_vital_sign_is_none():
    assert parse_vital("pulse", "  ") is None


def test_whole_numbers_stay_whole():
    assert parse_vital("systolic", "120") == 120
    with pytest.raises(FieldError, match="bulat"):
        parse_vital("systolic", "120,5")


@pytest.mark.parametrize("text", ["120/80", "12O", "-5", "1e3", "٣٦", "36,5 kg", ",5", "NaN"])
def test_a_vital_sign_is_a_plain_number(text):
    with pytest.raises(FieldError, match="angka"):
        parse_vital("temperature", text)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("saturation", "97%", 97),
        ("weight", "9,5 kg", Decimal("9.5")),
        ("temperature", "39,5 C", Decimal("39.5")),
        ("temperature", "39,5°C", Decimal("39.5")),
        ("respiration", "52x/menit", 52),
        ("pulse", "88 x/mnt", 88),
        ("pulse", "80 x/m", 80),
        ("pulse", "80x/m.", 80),
        ("respiration", "20 kali/menit", 20),
        ("respiration", "20 kali / menit", 20),
        ("pulse", "80 x per menit", 80),
        ("systolic", "120 mmHg", 120),
        ("height", "110 cm.", 110),
    ],
)
def test_the_boxes_own_unit_may_stand_behind_the_number(field, text, value):
    assert parse_vital(field, text) == value
    assert parse_vital(field, text.upper()) == value


def test_a_pressure_in_one_box_is_told_where_its_halves_go():
    for field in ("systolic", "diastolic"):
        with pytest.raises(FieldError, match="Tulis 110 di Sistolik, 70 di Diastolik"):
            parse_vital(field, "110/70 mmHg")


@pytest.mark.parametrize(
    ("text", "kilos"),
    [
        ("3250", "3,25"),
        ("3250 g", "3,25"),
        ("3.250", "3,25"),
        ("3.250 gram", "3,25"),
        ("3,250", "3,25"),
        ("3,250 kg", "3,25"),
        ("3256gr", "3,26"),
        ("800 g", "0,8"),
        ("3000", "3"),
    ],
)
def test_a_weight_in_grams_is_told_how_it_is_written_in_kilos(text, kilos):
    with pytest.raises(FieldError, match=f"tulis {kilos}\\.$"):
        parse_vital("weight", text)


@pytest.mark.parametrize("text", ["0,2", "400,5 kg", "3,2501", "4 g"])
def test_another_weight_is_not_taken_for_grams(text):
    with pytest.raises(FieldError) as caught:
        parse_vital("weight", text)
    assert "ambil" not in str(caught.value) and "gram, tulis" not in str(caught.value)


def test_a_scale_has_two_decimals_at_most():
    with pytest.raises(FieldError, match="2 angka di belakang koma"):
        parse_vital("weight", "3,255")


@pytest.mark.parametrize("field", VITAL_RANGES)
def test_the_limits_themselves_are_usable_and_beyond_is_not(field):
    vital = VITAL_RANGES[field]
    step = Decimal(1).scaleb(-vital.places)
    for limit in (vital.low, vital.high):
        assert parse_vital(field, str(limit)) == limit
    for beyond in (vital.low - step, vital.high + step):
        with pytest.raises(FieldError, match="Ukur atau ketik ulang") as caught:
            parse_vital(field, str(beyond))
        assert caught.value.rule == f"VITAL-{field}"


def test_usual_values_of_an_adult_pass():
    usual = {"systolic": 120, "diastolic": 80, "pulse": 80, "respiration": 18, "saturation": 98}
    usual |= {"temperature": Decimal("36.7"), "weight": Decimal(60), "height": Decimal(160)}
    assert rules(**usual) == []
    assert rules(systolic=None, diastolic=None) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("systolic", 200),
        ("diastolic", 115),
        ("pulse", 30),
        ("respiration", 35),
        ("temperature", Decimal("41.2")),
        ("weight", Decimal("6.5")),
        ("height", Decimal(60)),
        ("saturation", 88),
    ],
)
def test_each_unusual_value_of_an_adult_is_asked(field, value):
    other = {"systolic": {"diastolic": 80}, "diastolic": {"systolic": 120}}.get(field, {})
    assert rules(**{field: value}, **other) == [f"VITAL-{field}"]


def test_half_a_pressure_asks_for_the_other_half():
    assert rules(systolic=120) == ["VITAL-diastolic"]
    assert rules(diastolic=80, systolic=None) == ["VITAL-systolic"]
    assert rules(systolic=200) == ["VITAL-systolic", "VITAL-diastolic"]


@pytest.mark.parametrize(("age_months", "limit"), [(1, 60), (2, 50), (11, 50), (12, 40), (59, 40)])
def test_fast_breathing_follows_the_age(age_months, limit):
    assert rules(age_months, respiration=limit) == ["VITAL-respiration"]
    assert rules(age_months, respiration=limit - 1) == []


def test_the_age_bands_end_where_they_say():
    assert rules(143, weight=Decimal(25)) == []
    assert rules(144, weight=Decimal(25)) == ["VITAL-weight"]


def test_an_unknown_age_asks_only_what_is_unusual_at_every_age():
    assert rules(None, respiration=55, weight=Decimal(3)) == []
    assert rules(None, respiration=90) == ["VITAL-respiration"]


def test_diastolic_stays_below_systolic():
    assert rules(systolic=100, diastolic=100) == ["VITAL-diastolic"]
    assert rules(systolic=110, diastolic=120) == ["VITAL-diastolic"]
    assert rules(systolic=100, diastolic=99) == []


@pytest.mark.parametrize("field", VITAL_RANGES)
def test_what_is_usual_lies_inside_what_is_possible(field):
    for low, high in _USUAL[field]:
        assert VITAL_RANGES[field].low <= low < high <= VITAL_RANGES[field].high
