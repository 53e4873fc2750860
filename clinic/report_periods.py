"""What a report is about: a day, a month or a year of the clinic, as its address names it."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from formatting import MONTHS, long_date

_CODE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
HOW = "Tulis hari, bulan, atau tahun: 21-11-2026, 11-2026, atau 2026."


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`; `code` is "2026", "2026-11" or "2026-11-21"."""

    code: str
    first: date
    last: date

    @property
    def kind(self) -> str:
        return {4: "year", 7: "month", 10: "day"}[len(self.code)]

    @property
    def label(self) -> str:
        """In words, such as "November 2026"."""
        year, month = self.first.year, MONTHS[self.first.month - 1]
        words = {"year": f"Tahun {year}", "month": f"{month} {year}"}
        return words.get(self.kind) or long_date(self.first)

    @property
    def typed(self) -> str:
        """As one types it, such as "21-11-2026"."""
        return "-".join(reversed(self.code.split("-")))

    @property
    def before(self) -> "Period":
        return of_day(self.first - timedelta(days=1), self.kind)

    @property
    def after(self) -> "Period":
        return of_day(self.last + timedelta(days=1), self.kind)


def parse(code: str) -> Period | None:
    """The period of this code; None when there is no such day, month or year."""
    found = _of_code(code)
    return found if found and 1900 <= found.first.year <= 2200 else None


def _of_code(code: str) -> Period | None:
    found = _CODE.fullmatch(code)
    if not found:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = date(year, month or 1, day or 1)
        last = date(year, month or 12, day or monthrange(year, month or 12)[1])
    except ValueError:
        return None
    return Period(code, first, last)


def typed(text: str) -> Period | None:
    """What somebody typed: "21-11-2026", "11-2026", "2026", or a code."""
    parts = re.split(r"[-/. ]+", text.strip())
    if len(parts[-1]) == 4 and len(parts) > 1:
        parts.reverse()
    return parse("-".join(part.zfill(2) for part in parts))


def of_day(on: date, kind: str) -> Period:
    """The day, month or year in which this day lies; of any day, for one beside the last has it."""
    return _of_code(on.isoformat()[: {"year": 4, "month": 7, "day": 10}[kind]])
