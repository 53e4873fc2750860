"""A line of the status page, and how an age is said."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from formatting import minutes_text


class State(StrEnum):
    GOOD = "Baik"
    WATCH = "Perhatian"
    BAD = "Masalah"


@dataclass(frozen=True)
class Check:
    """One line of the status page: what, how it is, its figures, what to do."""

    name: str
    state: State
    figures: str
    sentence: str


def ago(age: timedelta) -> str:
    """Such as "12 menit lalu"."""
    return f"{span(max(0, int(age.total_seconds())))} lalu"


def span(seconds: int) -> str:
    """Such as "12 menit", in the unit that tells most."""
    if seconds < 60:
        return f"{seconds} detik"
    if seconds < 2 * 24 * 3600:
        return minutes_text(seconds // 60)
    return f"{seconds // (24 * 3600)} hari"
