"""Vital signs: what cannot be a measurement (FieldError) and what to measure again (Finding).

The usual ranges are wide working values that catch slips of the hand; they diagnose nothing.
Breathing follows the MTBS limits for fast breathing (60, 50 and 40 a minute by age).
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from clinic import pregnancy
from clinic.typed_numbers import bare
from formatting import number_text
from validators import FieldError, Finding


class Vital(NamedTuple):
    """Limits outside which a value cannot be used, its unit, label and decimal places."""

    low: Decimal | int
    high: Decimal | int
    unit: str
    label: str
    places: int = 0


VITAL_RANGES = {
    "systolic": Vital(30, 300, "mmHg", "Tekanan sistolik"),
    "diastolic": Vital(10, 200, "mmHg", "Tekanan diastolik"),
    "pulse": Vital(10, 300, "per menit", "Nadi"),
    "respiration": Vital(3, 150, "per menit", "Napas"),
    "temperature": Vital(25, 45, "°C", "Suhu", 1),
    "weight": Vital(Decimal("0.3"), 400, "kg", "Berat badan", 2),
    "height": Vital(20, 260, "cm", "Tinggi badan", 1),
    "saturation": Vital(20, 100, "%", "Saturasi oksigen"),
}
IN_METRES = 3  # a height below this was meant as metres
# Usual values by age: under 2 months, under 1 year, under 5 years, under 12 years, older.
_BAND_ENDS = (2, 12, 60, 144)
_USUAL = {
    "systolic": ((55, 100), (65, 110), (75, 120), (80, 130), (90, 180)),
    "diastolic": ((25, 65), (35, 75), (40, 80), (45, 85), (50, 110)),
    "pulse": ((90, 190), (80, 170), (70, 150), (60, 130), (50, 120)),
    "respiration": ((25, 59), (20, 49), (18, 39), (14, 30), (10, 28)),
    "temperature": ((36, 38), (35, 40), (35, 40), (35, 40), (35, 40)),
    "weight": ((2, 7), (3, 13), (7, 28), (12, 65), (30, 150)),
    "height": ((43, 65), (50, 82), (65, 120), (90, 165), (125, 200)),
    "saturation": ((92, 100),) * 5,
}


def parse_vital(field: str, text: str) -> Decimal | int | None:
    """The number typed in a field of VITAL_RANGES in its unit, None when empty; "36,5" = "36.5"."""
    vital, rule = VITAL_RANGES[field], f"VITAL-{field}"
    if field == "weight":
        _refuse_grams(text)
    typed = bare(text, vital.unit).replace(",", ".")
    if not typed:
        return None
    found = re.fullmatch(r"[0-9]{1,4}(?:\.([0-9]+))?", typed)
    if not found:
        both = pressures(text) if field in ("systolic", "diastolic") else None
        if both:
            raise FieldError(rule, f"Tulis {both[0]} di Sistolik, {both[1]} di Diastolik.")
        raise FieldError(rule, f"{vital.label} ditulis dengan angka, dalam {vital.unit}.")
    if field == "height" and Decimal(typed) < IN_METRES:
        raise FieldError(rule, f"{vital.label} ditulis dalam cm, misalnya 165.")
    if len(found[1] or "") > vital.places:
        places = f"paling banyak {vital.places} angka di belakang koma" if vital.places else "bulat"
        raise FieldError(rule, f"{vital.label} ditulis dengan angka {places}.")
    value = Decimal(typed) if vital.places else int(typed)
    if not vital.low <= value <= vital.high:
        limits = f"{vital.low} sampai {vital.high} {vital.unit}".replace(".", ",")
        is_grams = field == "weight" and value > vital.high and typed.isdecimal()
        grams = f" Bila itu gram, tulis {_kilos(typed)}." if is_grams else ""
        raise FieldError(rule, f"{vital.label} harus {limits}. Ukur atau ketik ulang.{grams}")
    return value


def _refuse_grams(text: str) -> None:
    """Of "3250 g" or "3.250" say how it is written in kg; a newborn's weight is read in grams."""
    number, unit = r"[0-9]{3,5}|[0-9]{1,2}[.,][0-9]{3}", r"g|gr|gram"
    typed = bare(text, VITAL_RANGES["weight"].unit)
    found = re.fullmatch(rf"({number})\s*({unit})?\.?", typed, re.IGNORECASE)
    if found and (found[2] or not found[1].isdecimal()):
        places = f"dalam kg, paling banyak {VITAL_RANGES['weight'].places} angka di belakang koma"
        sentence = f"Berat badan ditulis {places}: tulis {_kilos(re.sub('[.,]', '', found[1]))}."
        raise FieldError("VITAL-weight", sentence)


def _kilos(grams: str) -> str:
    kilos = (Decimal(grams) / 1000).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return number_text(kilos)


def pressures(text: str) -> tuple[str, str] | None:
    """Systolic and diastolic of "110/70", as many write them in one box."""
    found = re.fullmatch(r"([0-9]{2,3})\s*/\s*([0-9]{2,3})", bare(text, "mmHg"))
    return (found[1], found[2]) if found else None


def vital_findings(
    values: Mapping[str, Decimal | int | None], age_months: int | None, pregnant: str = ""
) -> list[Finding]:
    """Warnings VITAL-<field> for values unusual at this age (any age when None), and KEHAMILAN-TD.

    The latter of whom the visit calls pregnant or after birth, whether a form was filled or not.
    """
    unusual = {
        field: f"{VITAL_RANGES[field].label} {number_text(value)} tidak lazim untuk umur ini. "
        "Ukur lagi."
        for field, value in values.items()
        if value is not None and usual_side(field, value, age_months)
    }
    systolic, diastolic = values.get("systolic"), values.get("diastolic")
    if systolic is not None and diastolic is not None and diastolic >= systolic:
        pair = f"Diastolik {diastolic} tidak lebih rendah dari sistolik {systolic}."
        unusual["diastolic"] = f"{pair} Mungkin tertukar."
    if (systolic is None) != (diastolic is None):
        half = "systolic" if systolic is None else "diastolic"
        label = VITAL_RANGES[half].label
        unusual[half] = f"{label} belum diisi. Kosongkan hanya bila memang tidak terukur."
    found = [Finding(f"VITAL-{field}", "warning", message) for field, message in unusual.items()]
    high = pregnancy.pressure(values, pregnant) if pregnancy.is_told(pregnant) else []
    return high + found


def field_of(finding: Finding) -> str:
    """The field to measure again, of what `vital_findings` says."""
    return pregnancy.MEASURED.get(finding.rule, finding.rule.removeprefix("VITAL-"))


def usual_side(field: str, value: Decimal | int, age_months: int | None) -> str:
    """'low' or 'high' for a value outside what is usual at this age, '' inside."""
    bands = _USUAL[field]
    if age_months is not None:
        bands = bands[sum(age_months >= end for end in _BAND_ENDS) :][:1]
    if value < min(low for low, _ in bands):
        return "low"
    return "high" if value > max(high for _, high in bands) else ""
