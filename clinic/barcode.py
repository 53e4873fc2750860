"""Code 39 bars of a short number, such as a medical record number; pure.

Every sign is five bars and four spaces, wide or narrow; the table follows from its rule: which
bars are wide goes by the sign's place within its row of ten, which space by the row.
"""

from typing import NamedTuple

ROWS = ("1234567890", "ABCDEFGHIJ", "KLMNOPQRST", "UVWXYZ-. *")
WIDE_BARS = ("10001", "01001", "11000", "00101", "10100", "01100", "00011", "10010", "01010")
WIDE_BARS += ("00110",)
WIDE_SPACES = ("0100", "0010", "0001", "1000")
SLASH = ("00000", "1101")
WIDE = 3  # times a narrow one
LONGEST = 14  # longer, the bars get too thin for a label printer


class Bars(NamedTuple):
    """Where the bars stand, as (place, width), and the width of all."""

    bars: tuple[tuple[int, int], ...]
    width: int


def code39(text: str) -> Bars | None:
    """The bars of the text between its start and stop signs; None where it can't be written."""
    signs = [_sign(letter) for letter in f"*{text}*"]
    if not text or "*" in text or len(text) > LONGEST or None in signs:
        return None
    found, place = [], 0
    for bars, spaces in signs:
        for bar, space in zip(bars, f"{spaces}0", strict=True):
            width = WIDE if bar == "1" else 1
            found.append((place, width))
            place += width + (WIDE if space == "1" else 1)
    return Bars(tuple(found), place - 1)


def _sign(letter: str) -> tuple[str, str] | None:
    if letter == "/":
        return SLASH
    for row, spaces in zip(ROWS, WIDE_SPACES, strict=True):
        if letter in row:
            return WIDE_BARS[row.index(letter)], spaces
    return None
