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
    seconds = max(0, int(age.total_seconds()))
    if seconds < 60:
        return f"{seconds} detik lalu"
    if seconds < 2 * 24 * 3600:
        return f"{minutes_text(seconds // 60)} lalu"
    return f"{seconds // (24 * 3600)} hari lalu"
