"""Of a pregnancy: the expected day, how many weeks at the visit, and what makes it a risk."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from clinic.form_case import Case
from formatting import number_text, short_date
from validators import Finding

AFTER_BIRTH = "nifas"  # as the visit says; no pregnancy is counted on then
TOLD = ("ya", AFTER_BIRTH)  # of whom the visit says it, with or without a form
TERM_DAYS = 280  # from the last menstruation's first day, as Naegele counts
POSTTERM_WEEKS, HEAD_FROM_WEEKS = 42, 36
LONGEST_DAYS = 45 * 7  # what is told of a pregnancy is not carried on beyond
YOUNG_YEARS, OLD_YEARS = 20, 35
ARM_CM, SHORT_CM, HB = Decimal("23.5"), 145, 11
MANY_BIRTHS, SHORT_GAP_YEARS = 4, 2
HEART_LOW, HEART_HIGH = 120, 160
PRESSURE, SEVERE_PRESSURE = (140, 90), (160, 110)  # either of them
REFER = ". Beri pertolongan pertama dan rujuk"  # said in the room, not on its papers
# Warnings that hang on what is measured at the visit, and the field to measure again.
MEASURED = {
    "KEHAMILAN-TD": "systolic",
    "KEHAMILAN-LILA": "arm_circumference",
    "KEHAMILAN-DJJ": "fetal_heart",
    "KEHAMILAN-LETAK": "presentation",
    "KEHAMILAN-LEWAT": "lmp",
}


class Dating(NamedTuple):
    """`days` is the gestational age at the visit; `source` says what it was counted from."""

    due: date
    days: int
    source: str

    @property
    def weeks(self) -> int:
        return self.days // 7

    @property
    def text(self) -> str:
        age = f"{self.weeks} minggu {self.days % 7} hari"
        return f"Usia kehamilan {age}, HPL {short_date(self.due)} ({self.source})"


def naegele(lmp: date) -> date:
    """The expected day: seven days on, three months back, a year on.

    31 February is the month's last day: a later menstruation is never due earlier.
    """
    moved = lmp + timedelta(days=7)
    year, month = divmod(moved.year * 12 + moved.month - 1 + 9, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(moved.day, last))


def dating(answers: Mapping[str, str], on: date) -> Dating | None:
    """By the scan where there is one, else by HPHT; None when nothing was told."""
    if scan := answers.get("edd_scan"):
        due = date.fromisoformat(scan)
        return Dating(due, max(TERM_DAYS - (due - on).days, 0), "USG")
    if lmp := answers.get("lmp"):
        first = date.fromisoformat(lmp)
        return Dating(naegele(first), (on - first).days, "HPHT")
    return None


def is_running(answers: Mapping[str, str], on: date) -> bool:
    """Whether what was told earlier may be of the pregnancy of this day."""
    found = dating(answers, on)
    return found is not None and 0 <= found.days <= LONGEST_DAYS


def risks(answers: Mapping[str, str], case: Case) -> list[Finding]:
    """Warnings KEHAMILAN-<what>; each limit and its source stand in docs/clinical-limits.md."""
    texts = _of_mother(answers, case) | _of_history(answers) | _of_child(answers, case)
    found = [Finding(f"KEHAMILAN-{rule}", "warning", text) for rule, text in texts.items()]
    return pressure(case.vitals, case.pregnant) + found


def is_told(pregnant: str) -> bool:
    """Whether the visit says that she is pregnant or has just given birth."""
    return pregnant in TOLD


def pressure(vitals: Mapping[str, Decimal | int | None], pregnant: str) -> list[Finding]:
    """KEHAMILAN-TD of these values, whatever else is known of her."""
    upper, lower = vitals.get("systolic"), vitals.get("diastolic")
    reached = [
        limit
        for limit in (PRESSURE, SEVERE_PRESSURE)
        if (upper or 0) >= limit[0] or (lower or 0) >= limit[1]
    ]
    if not reached:
        return []
    values = "/".join("-" if value is None else number_text(value) for value in (upper, lower))
    who = "Nifas" if pregnant == AFTER_BIRTH else "Hamil"
    text = f"{who}, tekanan darah {values}: {reached[-1][0]}/{reached[-1][1]} atau lebih"
    if reached[-1] is SEVERE_PRESSURE:
        return [Finding("KEHAMILAN-TD", "error", f"{text}, berat{REFER}")]
    return [Finding("KEHAMILAN-TD", "warning", text)]


def _of_mother(answers: Mapping[str, str], case: Case) -> dict[str, str]:
    arm, height, years = (
        _number(answers, "arm_circumference"),
        case.vitals.get("height"),
        case.years,
    )
    found = {}
    if years is not None and years < YOUNG_YEARS:
        found["UMUR"] = f"Umur di bawah {YOUNG_YEARS} tahun"
    if years is not None and years > OLD_YEARS:
        found["UMUR"] = f"Umur di atas {OLD_YEARS} tahun"
    if arm is not None and arm < ARM_CM:
        found["LILA"] = f"LILA {number_text(arm)} cm, di bawah {number_text(ARM_CM)} (risiko KEK)"
    if height is not None and height < SHORT_CM:
        found["TINGGI"] = f"Tinggi badan {number_text(height)} cm, di bawah {SHORT_CM}"
    if case.hb is not None and case.hb < HB:
        found["HB"] = f"Hb {number_text(case.hb)} g/dL, di bawah {HB}"
    return found


def _of_history(answers: Mapping[str, str]) -> dict[str, str]:
    para, gap = _number(answers, "para"), _number(answers, "birth_gap")
    gravida, lost = _number(answers, "gravida"), _number(answers, "abortus")
    found = {}
    if gravida is not None and gravida < (para or 0) + (lost or 0):
        found["GPA"] = "G kurang dari P ditambah A: periksa G/P/A"
    if para is not None and para >= MANY_BIRTHS:
        found["PARITAS"] = f"Sudah melahirkan {number_text(para)} kali"
    if gap is not None and gap < SHORT_GAP_YEARS:
        found["JARAK"] = f"Jarak dari anak terakhir kurang dari {SHORT_GAP_YEARS} tahun"
    return found


def _of_child(answers: Mapping[str, str], case: Case) -> dict[str, str]:
    if case.pregnant == AFTER_BIRTH:
        return {}
    heart, dated = _number(answers, "fetal_heart"), dating(answers, case.on)
    found = {}
    if heart is not None and not HEART_LOW <= heart <= HEART_HIGH:
        found["DJJ"] = f"DJJ {number_text(heart)} per menit, di luar {HEART_LOW}-{HEART_HIGH}"
    if dated and dated.weeks >= POSTTERM_WEEKS:
        found["LEWAT"] = f"Usia kehamilan {POSTTERM_WEEKS} minggu atau lebih"
    is_turned = answers.get("presentation") in ("sungsang", "lintang")
    if is_turned and dated and dated.weeks >= HEAD_FROM_WEEKS:
        found["LETAK"] = f"Letak {answers['presentation']} sejak {HEAD_FROM_WEEKS} minggu"
    return found


def _number(answers: Mapping[str, str], code: str) -> Decimal | None:
    return Decimal(answers[code]) if answers.get(code) else None
