"""What vital signs say in a word, for whoever reads them: "TD tinggi", "Napas cepat", IMT.

Limits with their sources stand in docs/clinical-limits.md; they mark, they diagnose nothing.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from clinic import pregnancy
from clinic.vital_signs import VITAL_RANGES, usual_side

Values = Mapping[str, Decimal | int | None]

ADULT_MONTHS, CHILD_MONTHS = 216, 60
GROWN_MONTHS = 144  # from here a pressure is judged as an adult's: what is usual says nothing
# Blood pressure: from here on high or very high (either one); of adults, below here low. In
# pregnancy and after birth clinic/pregnancy.py says from where, at any age.
HIGH, VERY_HIGH, LOW = (140, 90), (180, 120), (90, 60)
FEVER_CHILD, FEVER = Decimal("37.5"), Decimal(38)
# Breaths a minute from which a child breathes fast: below 2 months, below 1 year, below 5 years.
FAST_BREATHING = ((2, 60), (12, 50), (60, 40))
# Body mass index of adults: up to and including here, its category.
BMI_CATEGORIES = (
    (Decimal("16.9"), "kurus tingkat berat"),
    (Decimal("18.4"), "kurus tingkat ringan"),
    (Decimal("25.0"), "normal"),
    (Decimal("27.0"), "gemuk tingkat ringan"),
    (None, "gemuk tingkat berat"),
)
SWAPPED = "TD mungkin tertukar"
SIDE_WORDS = {"low": "rendah", "high": "tinggi"}


class Bmi(NamedTuple):
    """Body mass index with one decimal; no category where none is meant (pregnancy)."""

    value: Decimal
    category: str


def bmi(values: Values, age_months: int | None, pregnant: str = "") -> Bmi | None:
    """IMT of an adult from weight and height; None for children and without both measures."""
    weight, height = values.get("weight"), values.get("height")
    if not weight or not height or age_months is None or age_months < ADULT_MONTHS:
        return None
    metres = Decimal(height) / 100
    value = (Decimal(weight) / (metres * metres)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return Bmi(value, "" if pregnant == "ya" else _category(value))


def _category(value: Decimal) -> str:
    return next(name for upto, name in BMI_CATEGORIES if upto is None or value <= upto)


def fast_breathing_from(age_months: int | None) -> int | None:
    """Breaths a minute that are fast at this age; None from five years on."""
    if age_months is None:
        return None
    return next((limit for below, limit in FAST_BREATHING if age_months < below), None)


def marks(values: Values, age_months: int | None, pregnant: str = "") -> list[str]:
    """What to look at, in words; what is as usual is not named."""
    return list(marks_by_sign(values, age_months, pregnant).values())


def marks_by_sign(values: Values, age_months: int | None, pregnant: str = "") -> dict[str, str]:
    """The marks by what they are about; both halves of a pressure are `pressure`."""
    found = {
        "pressure": _pressure(values, age_months, pregnant),
        "temperature": _temperature(values.get("temperature"), age_months),
        "respiration": _breathing(values.get("respiration"), age_months),
    }
    for field, value in values.items():
        is_named = found.get("pressure" if field in ("systolic", "diastolic") else field)
        side = "" if value is None or is_named else usual_side(field, value, age_months)
        if side:
            found[field] = f"{VITAL_RANGES[field].label} {SIDE_WORDS[side]}"
    return {sign: text for sign, text in found.items() if text}


def _pressure(values: Values, age_months: int | None, pregnant: str) -> str:
    upper, lower = values.get("systolic"), values.get("diastolic")
    if upper is not None and lower is not None and lower >= upper:
        return SWAPPED  # at any age; how high it is, nobody knows
    is_adult = age_months is not None and age_months >= ADULT_MONTHS
    is_mother = pregnancy.is_told(pregnant)
    is_grown = age_months is not None and age_months >= GROWN_MONTHS
    if not is_grown and not is_mother:
        return ""
    high, very_high = (
        (pregnancy.PRESSURE, pregnancy.SEVERE_PRESSURE) if is_mother else (HIGH, VERY_HIGH)
    )
    pairs = [(upper, 0), (lower, 1)]
    if any(value is not None and value >= very_high[n] for value, n in pairs):
        return "TD sangat tinggi"
    if any(value is not None and value >= high[n] for value, n in pairs):
        return "TD tinggi"
    is_low = is_adult and any(value is not None and value < LOW[n] for value, n in pairs)
    return "TD rendah" if is_low else ""


def _temperature(value: Decimal | int | None, age_months: int | None) -> str:
    if value is None:
        return ""
    is_child = age_months is not None and age_months < CHILD_MONTHS
    return "Demam" if value >= (FEVER_CHILD if is_child else FEVER) else ""


def _breathing(value: Decimal | int | None, age_months: int | None) -> str:
    limit = fast_breathing_from(age_months)
    return "Napas cepat" if value is not None and limit is not None and value >= limit else ""
