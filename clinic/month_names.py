"""Months as people write them, in Indonesian and English, with what they shorten and misspell."""

import re
from datetime import date

import validators

MONTHS = {
    **dict.fromkeys(("jan", "januari", "january"), 1),
    **dict.fromkeys(("feb", "peb", "februari", "pebruari", "february"), 2),
    **dict.fromkeys(("mar", "mrt", "maret", "march"), 3),
    **dict.fromkeys(("apr", "april"), 4),
    **dict.fromkeys(("mei", "may"), 5),
    **dict.fromkeys(("jun", "juni", "june"), 6),
    **dict.fromkeys(("jul", "juli", "july"), 7),
    **dict.fromkeys(("agu", "ags", "agt", "agst", "aug", "agustus", "august"), 8),
    **dict.fromkeys(("sep", "sept", "september"), 9),
    **dict.fromkeys(("okt", "oct", "oktober", "october"), 10),
    **dict.fromkeys(("nov", "nop", "november", "nopember"), 11),
    **dict.fromkeys(("des", "dec", "desember", "december"), 12),
}
_DATE = re.compile(
    r"(?<![0-9])([0-9]{1,2})[\s./-]*([A-Za-z]{3,9})[\s./-]*([0-9]{4}|[0-9]{2})(?![0-9])"
)


def in_digits(text: str) -> str:
    """The text with "12 Maret 1977" written as 12-03-1977."""
    return _DATE.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    month = MONTHS.get(found[2].lower())
    return f"{int(found[1]):02}-{month:02}-{found[3]}" if month else found[0]


def parse_birth_date(text: str, today: date) -> date:
    """A birth date as `validators` reads it, or with its month in words: "17 agt 1990"."""
    return validators.parse_birth_date(in_digits(text), today)


def parse_date_beside_age(text: str, today: date) -> date:
    """The same where an age has its own box: whoever typed one here is led there."""
    try:
        return parse_birth_date(text, today)
    except validators.FieldError as error:
        if not _is_age(text, today):
            raise
        sentence = f"{str(error).rstrip('.')}, atau isi umur di sebelahnya."
        raise validators.FieldError("DATE", sentence) from error


def _is_age(text: str, today: date) -> bool:
    try:
        return bool(validators.parse_age(text, today))
    except validators.FieldError:
        return False
