"""On which day of the next month each report is due: "5", or "5 stp=2 lb1=10"."""

import re
from datetime import date

CODES = (
    *("kunjungan", "lb1", "form11", "form12", "form13", "form14"),
    *("stp", "ispa", "bpjs"),
)
DEFAULT = "5"
_PART = re.compile(r"(?:([a-z0-9]+)=)?([0-9]{1,2})")
_WRITE = "Tulis satu tanggal, lalu yang lain bila perlu, misalnya 5 stp=2 lb1=10."


class DueError(ValueError):
    """Days that can't be used, with a sentence for the head."""


def days_of(text: str) -> dict[str, int]:
    """Day of the month by report; "" is all that are not named. Raises DueError."""
    found: dict[str, int] = {}
    for part in text.lower().split():
        told = _PART.fullmatch(part)
        if not told:
            raise DueError(_WRITE)
        code, day = told[1] or "", int(told[2])
        if code and code not in CODES:
            raise DueError(f"{code} bukan laporan. Yang ada: {', '.join(CODES)}.")
        if not 1 <= day <= 28:
            raise DueError("Tanggal jatuh tempo 1 sampai 28.")
        if code in found:
            raise DueError(_WRITE)
        found[code] = day
    if "" not in found:
        raise DueError(_WRITE)
    return found


def due_on(code: str, month: date, setting: str) -> date:
    """When the report of the month that begins then is due."""
    known = days_of(setting)
    year, following = divmod(month.year * 12 + month.month, 12)
    return date(year, following + 1, known.get(code, known[""]))
