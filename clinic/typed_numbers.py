"""A number as people write it: with its unit behind it, or the box's label before it."""

import re

_RATE = tuple(
    f"{times}{per}"
    for times in ("", "x", "x ", "kali", "kali ")
    for per in ("/menit", "/mnt", "/min", "/mt", "/m", "/ menit", "per menit")
)
# What is written for a unit besides itself.
_ALSO = {
    "per menit": (*_RATE, "bpm", "x", "kali"),
    "°C": ("ºC", "° C", "C", "°", "derajat", "derajat C", "derajat celsius", "celsius"),
    "mmHg": ("mm Hg",),
    "%": ("persen",),
    "kg": ("kilo", "kilogram"),
    "cm": ("senti", "sentimeter"),
    "tahun": ("th", "thn"),
    "hari": ("hr",),
}


def bare(text: str, unit: str, label: str = "") -> str:
    """The text without the unit (and the label) that the box names already; another one stays."""
    found = text.strip()
    named = re.fullmatch(rf"{re.escape(label)}[ :=]*([0-9].*)", found, re.IGNORECASE)
    found = named[1] if named else found
    names = [name for name in (unit, *_ALSO.get(unit, ())) if name]
    ends = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    number = re.fullmatch(rf"([0-9][0-9.,/ ]*?)\s*(?:{ends})\.?", found, re.IGNORECASE)
    return number[1] if ends and number else found
