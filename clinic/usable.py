"""What of a typed number or address tells one person or house from another; else None.

Forms are filled with "0", "-", 1234567890123456: such a value is the same as none.
"""

import re
from typing import NamedTuple

from clinic.names import fold, word_set

COUNTING = "12345678901234567890"
BPJS_LENGTH, SHORTEST_PASSPORT = 13, 5
STREET_WORDS = word_set(
    "JL JLN JALAN GG GANG NO NOMOR NOMER DUSUN DSN LINGKUNGAN LINGK "
    "ALAMAT BELUM TIDAK TAHU DIKETAHUI JELAS"  # what is written where nobody knows
)
# "RT 3/2", "RT 003 RW 002": some thirty houses have it in common, so it is no house number.
NEIGHBOURHOOD = re.compile(r"\bR[TW] ?[0-9]+( [0-9]+)?\b")
LONGEST_ADDRESS = 200


class Address(NamedTuple):
    """House number, empty when not told, and the words of street or hamlet."""

    number: str
    street: tuple[str, ...]


def usable_number(text: str | None, length: int) -> str | None:
    """The digits of a number that identifies someone; None for a placeholder or a wrong length."""
    if not text:
        return None
    digits = re.sub(r"[\s.\-]", "", text)
    if len(digits) != length or not (digits.isascii() and digits.isdigit()):
        return None
    is_counting = digits.lstrip("0") in COUNTING or digits in COUNTING[::-1]
    # A region with nothing behind it: no date, no serial number, or one digit on and on.
    is_stump = length == 16 and re.match(r"000000|.*0000$|(.)\1*$", digits[6:])
    return None if is_counting or is_stump or len(set(digits)) < 3 else digits


def usable_card(text: str | None) -> str | None:
    """The digits of a BPJS number; None for a placeholder or a wrong length."""
    return usable_number(text, BPJS_LENGTH)


def usable_passport(text: str | None) -> str | None:
    """A passport number as it is stored; None for a placeholder or what has no digits."""
    number = (text or "").strip().upper()
    digits = re.sub(r"[^0-9]", "", number)
    is_stump = len(number) < SHORTEST_PASSPORT or not number.isalnum() or len(set(digits)) < 2
    return None if is_stump or number.lstrip("0") in COUNTING else number


def usable_phone(text: str | None) -> str | None:
    """A phone number without 0 or 62 at its start; None for a placeholder or a stump."""
    if not text:
        return None
    digits = re.sub(r"^(62|0)+", "", re.sub(r"[^0-9]", "", text))
    return digits if len(digits) >= 7 and len(set(digits)) > 2 else None


def usable_address(text: str | None) -> Address | None:
    """House number and street without words like Jalan; None where no street or hamlet is told."""
    words = NEIGHBOURHOOD.sub(" ", fold((text or "")[:LONGEST_ADDRESS])).split()
    named = " ".join(word for word in words if word not in STREET_WORDS)
    street = tuple(re.sub(r"[0-9]+", " ", named).split())
    number = re.sub(r"[^0-9]+", "-", named).strip("-")
    return Address(number if number.strip("0-") else "", street) if _is_told(street) else None


def _is_told(street: tuple[str, ...]) -> bool:
    return sum(map(len, street)) > 2
