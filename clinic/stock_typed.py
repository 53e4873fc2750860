"""Amounts and expiry dates as the pharmacy types them; pure."""

import calendar
import re
from datetime import date
from decimal import Decimal

from clinic.typed_numbers import bare
from formatting import number_text
from validators import FieldError, parse_date

MOST = Decimal(1_000_000)
_THOUSANDS = re.compile(r"\d{1,3}(\.\d{3})+(,\d{1,3})?")
_PLAIN = re.compile(r"\d{1,9}([.,]\d{1,3})?")
_MONTH = re.compile(r"(\d{1,2})\s*[-/.\s]\s*(\d{4})")


def read_amount(text: str, unit: str = "") -> Decimal:
    """An amount as staff write it: "30", "7,5", "1.500", "15 tablet". Raises FieldError.

    Only the medicine's own unit may stand behind it: "2 box" are not 2 tablets.
    """
    typed = bare(text, unit)
    if not typed.isascii() or not (_THOUSANDS.fullmatch(typed) or _PLAIN.fullmatch(typed)):
        in_unit = f" dalam {unit}" if unit else ""
        raise FieldError("AMOUNT", f"Tulis jumlah dengan angka{in_unit}, misalnya 30 atau 7,5.")
    plain = typed.replace(".", "") if _THOUSANDS.fullmatch(typed) else typed
    amount = Decimal(plain.replace(",", "."))
    if amount > MOST:
        raise FieldError("AMOUNT", f"Jumlah paling banyak {number_text(MOST)}. Periksa angkanya.")
    return amount


def read_expiry(text: str) -> date:
    """A date, or "11-2027" as boxes say it: the last day of that month. Raises FieldError."""
    month = _MONTH.fullmatch(text.strip())
    if month and 1 <= int(month[1]) <= 12 and 2000 <= int(month[2]) <= 2100:
        year, number = int(month[2]), int(month[1])
        return date(year, number, calendar.monthrange(year, number)[1])
    try:
        return parse_date(text)
    except FieldError:
        raise FieldError(
            "DATE", "Tulis seperti di kemasan: 11-2027, atau 30-11-2027 lengkap."
        ) from None
