"""What a room's form may ask: kinds of items, how an answer is read, kept and said in words.

An answer is kept as one text: a number with a point, a day as YYYY-MM-DD, codes parted by spaces.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from clinic.typed_numbers import bare
from formatting import number_text, short_date
from validators import FieldError, clean_text, parse_date

LONGEST = {"line": 120, "note": 1000}
NONE = "tidak_ada"  # of several signs: that there is none of them


class Kind(StrEnum):
    NUMBER = "number"
    CHOICE = "choice"
    CHECKS = "checks"
    LINE = "line"
    NOTE = "note"
    DATE = "date"


class Item(NamedTuple):
    """A question. Limits are of numbers in their unit, of days counted from the visit's day."""

    code: str
    label: str
    kind: Kind
    unit: str = ""
    low: Decimal | int = 0
    high: Decimal | int = 0
    places: int = 0
    choices: Mapping[str, str] = {}
    hint: str = ""


class Group(NamedTuple):
    """Items that stand together under a heading."""

    label: str
    items: tuple[Item, ...]


class RoomForm(NamedTuple):
    """A form that a room may use: its name in tables and addresses, its label, its items."""

    name: str
    label: str
    groups: tuple[Group, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(item for group in self.groups for item in group.items)


def parse(item: Item, typed: str | Sequence[str], on: date) -> str:
    """The text to keep, '' for no answer. Raises FieldError. `on` is the visit's day."""
    if item.kind is Kind.CHECKS:
        chosen = [typed] if isinstance(typed, str) else typed
        return " ".join(code for code in item.choices if code in chosen)
    text = str(typed or "").strip()
    if not text:
        return ""
    if item.kind is Kind.NUMBER:
        return _number(item, text)
    if item.kind is Kind.DATE:
        return _day(item, text, on)
    if item.kind is Kind.CHOICE:
        return _choice(item, text)
    return clean_text(text, LONGEST[item.kind], newlines=item.kind is Kind.NOTE)


def refuse_contradiction(item: Item, kept: str) -> None:
    """No sign beside a sign: raises FieldError. Until that is mended the sign counts."""
    if item.kind is Kind.CHECKS and NONE in kept.split() and kept != NONE:
        sentence = f"{item.label}: hapus centang '{item.choices[NONE]}' atau lainnya."
        raise FieldError("ITEM", sentence)


def _number(item: Item, text: str) -> str:
    text = bare(text, item.unit, item.label)
    found = re.fullmatch(r"[0-9]{1,5}(?:[.,]([0-9]+))?", text)
    if not found or len(found[1] or "") > item.places:
        shape = f"paling banyak {item.places} angka di belakang koma" if item.places else "bulat"
        unit = f", dalam {item.unit}" if item.unit else ""
        raise FieldError("ITEM", f"{item.label} ditulis dengan angka {shape}{unit}.")
    value = Decimal(text.replace(",", "."))
    if not item.low <= value <= item.high:
        limits = f"{number_text(item.low)} sampai {number_text(item.high)} {item.unit}".strip()
        raise FieldError("ITEM", f"{item.label} harus {limits}. Ukur atau ketik ulang.")
    return f"{value.normalize():f}"


def _day(item: Item, text: str, on: date) -> str:
    try:
        day = parse_date(text)
    except FieldError as problem:  # one of several dates: say which
        raise FieldError("ITEM", f"{item.label}: {problem}") from problem
    first, last = (on + timedelta(days=int(limit)) for limit in (item.low, item.high))
    if not first <= day <= last:
        between = f"{short_date(first)} sampai {short_date(last)}"
        raise FieldError("ITEM", f"{item.label} harus {between}. Periksa tanggal dan tahunnya.")
    return day.isoformat()


def _choice(item: Item, text: str) -> str:
    if text not in item.choices:
        raise FieldError("ITEM", f"{item.label}: pilih salah satu di daftar.")
    return text


def shown(item: Item, value: str) -> str:
    """A kept answer as the form's field shows it."""
    if item.kind is Kind.NUMBER and value:
        return number_text(Decimal(value))
    return short_date(date.fromisoformat(value)) if item.kind is Kind.DATE and value else value


def words(item: Item, value: str) -> str:
    """A kept answer as a reader sees it; a choice that is no longer offered by its code."""
    if item.kind is Kind.CHECKS:
        return ", ".join(item.choices.get(code, code) for code in value.split())
    if item.kind is Kind.CHOICE:
        return item.choices.get(value, value)
    unit = f" {item.unit}" if item.unit and value else ""
    return f"{shown(item, value)}{unit}"
