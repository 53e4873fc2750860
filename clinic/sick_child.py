"""MTBS: what the checked signs classify a sick child as. They propose, the staff decides.

After the Indonesian MTBS chart booklet; docs/clinical-limits.md lists every rule.
"""

from collections.abc import Mapping
from decimal import Decimal

from clinic import dehydration
from clinic.form_case import Case
from clinic.form_definitions import item_of
from clinic.form_items import NONE, words
from clinic.vital_marks import CHILD_MONTHS, fast_breathing_from
from formatting import number_text
from validators import Finding

YOUNG_MONTHS = 2
# °C below 2 months: of the counter's red flag "bayi < 2 bln + demam", and cold by MTBM.
YOUNG_FEVER, COLD_BABY = Decimal(38), Decimal("35.5")
LONG_DIARRHOEA, LONG_FEVER, LONG_COUGH = 14, 7, 14  # days
SEVERE_ARM, MODERATE_ARM, ARM_FROM_MONTHS = Decimal("11.5"), Decimal("12.5"), 6
SEVERE, MODERATE = "Gizi buruk", "Gizi kurang"


def danger_signs(answers: Mapping[str, str], case: Case) -> str:
    """The danger signs in words, '' when there is none; of a young baby the temperature is one."""
    present = " ".join(code for code in answers.get("danger", "").split() if code != NONE)
    return ", ".join(filter(None, [words(item_of("danger"), present), young_temperature(case)]))


def young_temperature(case: Case) -> str:
    """Below 2 months fever or cold, in words; '' for every other child and temperature."""
    value = case.vitals.get("temperature")
    if value is None or case.age_months is None or case.age_months >= YOUNG_MONTHS:
        return ""
    if COLD_BABY <= value < YOUNG_FEVER:
        return ""
    return f"suhu {number_text(value)} °C pada bayi di bawah {YOUNG_MONTHS} bulan"


def findings(answers: Mapping[str, str], case: Case) -> list[Finding]:
    """MTBS-<what>: danger signs first, then a classification of each complaint."""
    found = []
    if signs := danger_signs(answers, case):
        found.append(Finding("MTBS-BAHAYA", "error", f"Tanda bahaya umum: {signs}"))
    if answers and "danger" not in answers:
        found.append(Finding("MTBS-TANYA", "info", "Tanda bahaya umum belum ditanyakan"))
    for rule, judge in JUDGES.items():
        if text := judge(answers, case):
            found.append(Finding(f"MTBS-{rule}", "warning", text))
    return found


def _checked(answers: Mapping[str, str], code: str) -> set[str]:
    return set(answers.get(code, "").split())


def _breathing(answers: Mapping[str, str], case: Case) -> str:
    limit, breaths = fast_breathing_from(case.age_months), case.vitals.get("respiration")
    is_fast = limit is not None and breaths is not None and breaths >= limit
    has_indrawing = "tarikan" in _checked(answers, "breathing")
    days = int(answers.get("cough_days", 0))
    long_cough = f"Batuk {days} hari: periksa TB" if days >= LONG_COUGH else ""
    if not is_fast and not has_indrawing:
        return long_cough
    signs = [f"napas cepat ({breaths} per menit)"] if is_fast else []
    signs += ["tarikan dinding dada"] if has_indrawing else []
    is_young = case.age_months is not None and case.age_months < YOUNG_MONTHS
    is_severe = is_young or bool(danger_signs(answers, case))
    name = "Pneumonia berat" if is_severe else "Pneumonia"
    return "; ".join(filter(None, [f"{name}: {', '.join(signs)}", long_cough]))


def _dehydration(answers: Mapping[str, str], case: Case) -> str:
    signs, days = _checked(answers, "dehydration"), int(answers.get("diarrhoea_days", 0))
    grade = dehydration.grade(signs)
    parts = [dehydration.LABELS[grade]] if grade else []
    if days >= LONG_DIARRHOEA:
        parts.append(f"Diare persisten ({days} hari)")
    return "; ".join([*parts, "Disentri (darah dalam tinja)"] if "darah" in signs else parts)


def _fever(answers: Mapping[str, str], case: Case) -> str:
    signs, days = _checked(answers, "fever"), int(answers.get("fever_days", 0))
    parts = []
    if "kaku" in signs:
        parts.append("Penyakit berat dengan demam (kaku kuduk)")
    if "syok" in signs or "perdarahan" in signs:
        parts.append("Mungkin DBD" + (" dengan syok" if "syok" in signs else ""))
    if "ruam" in signs:
        parts.append("Mungkin campak")
    if days >= LONG_FEVER:
        parts.append(f"Demam {days} hari: cari sebabnya")
    return "; ".join(parts)


def _ear(answers: Mapping[str, str], case: Case) -> str:
    signs = _checked(answers, "ear")
    if "bengkak" in signs:
        return "Mastoiditis"
    if "cairan_lama" in signs:
        return "Infeksi telinga kronis"
    return "Infeksi telinga akut" if signs & {"nyeri", "cairan"} else ""


def _nutrition(answers: Mapping[str, str], case: Case) -> str:
    by_arm = _by_arm(answers.get("muac", ""), case)
    return SEVERE if _checked(answers, "nutrition") & {"kurus", "edema"} else by_arm


def _by_arm(arm: str, case: Case) -> str:
    """What an arm of so many cm says of the nutrition; nothing below 6 months."""
    if not arm or (case.age_months is not None and case.age_months < ARM_FROM_MONTHS):
        return ""
    return SEVERE if Decimal(arm) < SEVERE_ARM else MODERATE if Decimal(arm) < MODERATE_ARM else ""


def growth_findings(answers: Mapping[str, str], case: Case) -> list[Finding]:
    """ANAK-LILA: the growth form's arm, judged as that of a sick child; nothing from 5 years on."""
    arm = answers.get("child_arm", "")
    is_small = case.age_months is None or case.age_months < CHILD_MONTHS
    nutrition = _by_arm(arm, case) if is_small else ""
    if not nutrition:
        return []
    return [Finding("ANAK-LILA", "warning", f"{nutrition}: LILA {number_text(Decimal(arm))} cm")]


def _anaemia(answers: Mapping[str, str], case: Case) -> str:
    signs = _checked(answers, "nutrition")
    return "Anemia berat" if "sangat_pucat" in signs else "Anemia" if "agak_pucat" in signs else ""


JUDGES = {
    "NAPAS": _breathing,
    "DIARE": _dehydration,
    "DEMAM": _fever,
    "TELINGA": _ear,
    "GIZI": _nutrition,
    "ANEMIA": _anaemia,
}
