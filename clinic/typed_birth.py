"""Birth dates that a search tells in short: "25-5-90", "250590" or the year beside a name. Pure."""

import re
from datetime import date
from typing import NamedTuple

from formatting import short_date
from validators import OLDEST_YEARS, date_or_none, full_years, is_birth_year, phone_finding

NUMBER = re.compile(r"(?<!\w)[+(]?[0-9][0-9\s.:/()+\-]*(?!\w)")
SHORT_DATE = re.compile(
    r"(?<![0-9.:/+-])(?P<d>[0-9]{1,2})[-/.](?P<m>[0-9]{1,2})[-/.](?P<y>[0-9]{2})(?![-.:/]*[0-9])"
)
# With spaces, or with nothing between, it is told from other numbers by standing alone.
_SPACED = re.compile(r"(?P<d>[0-9]{1,2})\s+(?P<m>[0-9]{1,2})\s+(?P<y>[0-9]{2})")
_SIX = re.compile(r"(?P<d>[0-9]{2})(?P<m>[0-9]{2})(?P<y>[0-9]{2})")
_NAME = re.compile(r"[^\W\d_]{3}")  # "A 250590" is a passport's number, or an old record's
# Old records are numbered so: such a piece is looked up as a number too.
_LIKE_MRN = re.compile(r"[0-9]{2}([-/.\s]?)[0-9]{2}\1[0-9]{2}")


class Span(NamedTuple):
    """From one day to another, both among them: a birth date, or a whole year."""

    first: date
    last: date

    @property
    def is_day(self) -> bool:
        return self.first == self.last


class Told(NamedTuple):
    """What a search tells in short, as typed; a day for each century that it may mean."""

    text: str
    spans: tuple[Span, ...]

    @property
    def may_be_number(self) -> bool:
        return bool(_LIKE_MRN.fullmatch(self.text))

    @property
    def reading(self) -> str:
        """How it is understood, for the screen."""
        if not self.spans[0].is_day:
            return f'"{self.text}" dibaca sebagai tahun lahir.'
        days = " atau ".join(short_date(span.first) for span in self.spans)
        kinds = "nomor dan tanggal lahir" if self.may_be_number else "tanggal lahir"
        return f'"{self.text}" dibaca sebagai {kinds} {days}.'


def on_day(day: date) -> tuple[Span, ...]:
    return (Span(day, day),)


def is_within(day: date | None, spans: tuple[Span, ...]) -> bool:
    return day is not None and any(span.first <= day <= span.last for span in spans)


def without_short(text: str, today: date) -> tuple[str, Told | None]:
    """The text without the first short date, or year beside a name, and what that tells."""
    is_beside_name = any(map(str.isalpha, text))
    for run in NUMBER.finditer(text):
        number = run[0].lstrip("(").rstrip(" .)")
        at = run.start() + run[0].index(number)
        for found in _dates_in(number, bool(_NAME.search(text))):
            start, end = at + found.start(), at + found.end()
            if spans := _days(found, today):
                return f"{text[:start]} {text[end:]}", Told(found[0], spans)
        if is_beside_name and is_birth_year(number) and int(number) <= today.year:
            span = Span(date(int(number), 1, 1), date(int(number), 12, 31))
            return f"{text[:at]} {text[at + len(number) :]}", Told(number, (span,))
    return text, None


def _dates_in(number: str, is_beside_name: bool) -> list[re.Match[str]]:
    whole = SHORT_DATE.fullmatch(number) or _SPACED.fullmatch(number)
    if is_beside_name:
        whole = whole or _SIX.fullmatch(number)
    if whole:
        return [whole]
    return [] if phone_finding(number) is None else list(SHORT_DATE.finditer(number))


def _days(found: re.Match[str], today: date) -> tuple[Span, ...]:
    """The day in this century and in the last one, as far as a living person can be born on it."""
    day, month, year = int(found["d"]), int(found["m"]), int(found["y"])
    days = (date_or_none(century + year, month, day) for century in (2000, 1900))
    living = (
        one for one in days if one and one <= today and full_years(one, today) <= OLDEST_YEARS
    )
    return tuple(Span(one, one) for one in living)
