"""A laboratory value: read from what was typed, judged by the range for this sex and age."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from formatting import age_on, number_text
from models import LabFlag, LabKind, LabReference, LabTest
from validators import FieldError, clean_text

LONGEST_VALUE = 500
CRITICAL = (LabFlag.CRITICAL_LOW, LabFlag.CRITICAL_HIGH, LabFlag.CRITICAL)
PREGNANT = "H"
# The same units in other spellings, folded as _folded_unit does.
_SAME_UNITS = {"gr/dl": "g/dl", "g%": "g/dl", "gr%": "g/dl", "mg%": "mg/dl"}
_SAME_UNITS |= {"/mm3": "/ul", "/mm³": "/ul", "sel/ul": "/ul", "iu/l": "u/l", "mm/1jam": "mm/jam"}
# Whose ranges hold for whom, the one that goes before the others last.
FITTING = {"L": ("", "L"), "P": ("", "P"), PREGNANT: ("", "P", PREGNANT)}
# More digits than the column holds are a slip of the hand as well.
_NUMBER = re.compile(r"([<>]?)\s*([0-9]{1,8})(?:\.([0-9]{1,6}))?", re.ASCII)
_THOUSANDS = re.compile(r"([<>]?\s*[0-9]{1,3})((?:\.[0-9]{3})+)(,[0-9]+)?", re.ASCII)


class LabValueError(FieldError):
    """A value that this test can't have, with a sentence for the laboratory."""

    def __init__(self, message: str) -> None:
        super().__init__("LAB", message)


@dataclass(frozen=True)
class Judged:
    """What was typed, its number, and how it stands against the range that was used."""

    value: str
    number: Decimal | None = None
    flag: LabFlag | None = None
    reference: LabReference | None = None

    @property
    def is_critical(self) -> bool:
        return self.flag in CRITICAL


def whom(sex: str, born: date | None, is_pregnant: bool, on: date) -> tuple[str, int | None]:
    """Sex (H: a pregnant woman), and the age in months on this day, if known."""
    months = age_on(born, on).total_months if born and born <= on else None
    return PREGNANT if is_pregnant and sex != "L" else sex, months


def judge(test: LabTest, typed: str, sex: str, months: int | None) -> Judged:
    """Read and judge a value for a patient of this sex and age. Raises LabValueError."""
    value = clean_text(typed, LONGEST_VALUE)
    if test.kind is LabKind.NUMERIC:
        value = _without_unit(test, value)
        number = read_number(test, value)
        reference = reference_for(test.references, sex, months)
        return Judged(value, number, flag_of(number, reference), reference)
    if test.kind is LabKind.TEXT:
        return Judged(value)
    if value not in test.choice_list:
        raise LabValueError(f"Pilih hasil {test.name} dari daftarnya.")
    return Judged(value, flag=_flag_of_choice(test, value))


def read_number(test: LabTest, typed: str) -> Decimal:
    """The number of "12,9", "12.9", "7.200" (a test without decimals) or ">600"."""
    plain = typed.strip()
    grouped = _THOUSANDS.fullmatch(plain)
    if grouped and (test.decimals == 0 or grouped[3]):
        plain = grouped[1] + grouped[2].replace(".", "") + (grouped[3] or "")
    found = _NUMBER.fullmatch(plain.replace(",", "."))
    in_unit = f" dalam {test.unit}" if test.unit else ""
    if not found:
        raise LabValueError(
            f"{test.name} ditulis dengan angka{in_unit}. Di luar batas alat (HI, LO): "
            "tulis batasnya, misalnya >600 atau <20."
        )
    if len(found[3] or "") > test.decimals:
        shown = (
            f"paling banyak {test.decimals} angka di belakang koma" if test.decimals else "bulat"
        )
        raise LabValueError(f"{test.name} ditulis dengan angka {shown}{in_unit}.")
    return Decimal(f"{found[2]}.{found[3] or 0}")


def _without_unit(test: LabTest, typed: str) -> str:
    """The number of "12,9 g/dL", if that is this test's unit; of another one all that was typed."""
    found = re.fullmatch(r"([<>]?[0-9.,\s]*[0-9])\s*(\D.*)", typed)
    is_its_own = found and test.unit and _folded_unit(found[2]) == _folded_unit(test.unit)
    return found[1] if is_its_own else typed


def _folded_unit(unit: str) -> str:
    folded = re.sub(r"\s+", "", unit).casefold().replace("μ", "u").replace("µ", "u").rstrip(".")
    return _SAME_UNITS.get(folded, folded)


def shown(value: str, number: Decimal | None) -> str:
    """A number as the clinic writes numbers, however it was typed, with its < or >; else as it is.

    Its decimals stay as many as were measured: "12,0".
    """
    if number is None:
        return value
    sign = value.strip()[:1] if value.strip()[:1] in ("<", ">") else ""
    typed = _NUMBER.fullmatch(value.strip().replace(",", "."))
    is_thousands = typed is None or Decimal(f"{typed[2]}.{typed[3] or 0}") != number
    places = "" if is_thousands else typed[3] or ""
    whole = number_text(int(number)) if places else number_text(number)
    return f"{sign}{whole},{places}" if places else f"{sign}{whole}"


def is_plausible(test: LabTest, number: Decimal | None) -> bool:
    """Whether a number can be a measurement at all; what is not needs to be confirmed."""
    if number is None:
        return True
    is_high = test.plausible_high is not None and number > test.plausible_high
    return not is_high and (test.plausible_low is None or number >= test.plausible_low)


def reference_for(
    references: Iterable[LabReference], sex: str, months: int | None
) -> LabReference | None:
    """The range in force for this sex and age; one of the sex goes before one for both.

    Of a pregnant woman (H) her own goes before that of all women.
    """
    groups = FITTING.get(sex, ("",))
    fitting = [
        row for row in references if row.is_active and row.sex in groups and _is_of_age(row, months)
    ]
    return max(fitting, key=lambda row: (groups.index(row.sex), row.age_from_months), default=None)


def _is_of_age(row: LabReference, months: int | None) -> bool:
    if months is None:  # nobody knows the age: only what holds for all ages
        return row.age_from_months == 0 and row.age_below_months is None
    return row.age_from_months <= months and (
        row.age_below_months is None or months < row.age_below_months
    )


def flag_of(number: Decimal, reference: LabReference | None) -> LabFlag | None:
    """Critical from the critical limits on, low and high beyond the range; None without one."""
    if reference is None:
        return None
    if reference.critical_low is not None and number <= reference.critical_low:
        return LabFlag.CRITICAL_LOW
    if reference.critical_high is not None and number >= reference.critical_high:
        return LabFlag.CRITICAL_HIGH
    if reference.low is not None and number < reference.low:
        return LabFlag.LOW
    if reference.high is not None and number > reference.high:
        return LabFlag.HIGH
    return LabFlag.NORMAL


def _flag_of_choice(test: LabTest, value: str) -> LabFlag | None:
    if not test.abnormal_list:
        return None  # a blood group is neither
    if value in test.critical_list:
        return LabFlag.CRITICAL
    return LabFlag.ABNORMAL if value in test.abnormal_list else LabFlag.NORMAL


def range_text(low: Decimal | None, high: Decimal | None) -> str:
    """Such as "12-15,5" or "≤ 199"; empty when there is none."""
    if low is None and high is None:
        return ""
    if low is None:
        return f"≤ {number_text(high)}"
    return f"≥ {number_text(low)}" if high is None else f"{number_text(low)}-{number_text(high)}"
