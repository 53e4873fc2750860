"""How fast the last hour was: counts in memory, by minute and page, shared through small files.

A request costs a few additions; once a minute a process writes what it counted into its own
file. Only addresses with their placeholders are kept, so no patient stands in it.
"""

import contextlib
import json
import os
import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import timekeeping

# Upper ends of the classes in milliseconds; the last one has none.
ENDS = (2, 5, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 2000, 5000)
HOUR = 60  # minutes
PAGE, SAVE = "GET", "POST"


@dataclass
class Timing:
    """So many answers in each class, and how many of them were server errors."""

    classes: Counter = field(default_factory=Counter)
    errors: int = 0

    @property
    def count(self) -> int:
        return sum(self.classes.values())

    def add(self, other: "Timing") -> None:
        """Count the other's too."""
        self.classes.update(other.classes)
        self.errors += other.errors

    def within(self, part: float) -> int:
        """Milliseconds within which this part of the answers came: the upper end of a class."""
        left = part * self.count
        for place, end in enumerate(ENDS):
            left -= self.classes[place]
            if left <= 0:
                return end
        return ENDS[-1] * 2


class Recorder:
    """What this process has counted; forks begin anew."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._pid, self._written = os.getpid(), _minute()
        self._minutes: dict[int, dict[str, Timing]] = {}

    def record(self, method: str, address: str, seconds: float, status: int) -> None:
        """Count one answer; `address` is the route, with placeholders."""
        minute = _minute()
        with self._lock:
            if self._pid != os.getpid():
                self._begin()
            pages = self._minutes.setdefault(minute, {})
            timing = pages.setdefault(f"{method} {address}", Timing())
            timing.classes[bisect_left(ENDS, seconds * 1000)] += 1
            timing.errors += status >= 500
            if minute != self._written:
                self._write(minute)

    def flush(self) -> None:
        """Write now, for whoever is about to read."""
        with self._lock:
            if self._pid == os.getpid():
                self._write(_minute())

    def _write(self, minute: int) -> None:
        self._written = minute
        for old in [key for key in self._minutes if key <= minute - HOUR]:
            del self._minutes[old]
        path = self.folder / f"speed-{self._pid}.json"
        aside = path.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk must not fail the page
            aside.write_text(json.dumps(_plain(self._minutes)))
            aside.replace(path)


def _minute() -> int:
    return int(timekeeping.system_now().timestamp() // 60)


def _plain(minutes: dict[int, dict[str, Timing]]) -> dict:
    return {
        minute: {page: [dict(t.classes), t.errors] for page, t in pages.items()}
        for minute, pages in minutes.items()
    }


@dataclass(frozen=True)
class Hour:
    """The last hour of all processes together."""

    by_page: dict[str, Timing]

    def of(self, method: str) -> Timing:
        """All pages, or all saves."""
        total = Timing()
        for page, timing in self.by_page.items():
            if page.startswith(method):
                total.add(timing)
        return total

    def slowest(self, count: int = 5) -> list[tuple[str, Timing]]:
        """The addresses whose slow answers are the slowest."""
        pages = sorted(self.by_page.items(), key=lambda item: -item[1].within(0.95))
        return pages[:count]


def last_hour(folder: Path) -> Hour:
    """What the processes have written into this folder."""
    since, found = _minute() - HOUR, {}
    for path in folder.glob("speed-*.json"):
        with contextlib.suppress(OSError, ValueError):
            for minute, pages in json.loads(path.read_text()).items():
                if int(minute) > since:
                    _gather(found, pages)
    return Hour(found)


def _gather(found: dict[str, Timing], pages: dict) -> None:
    for page, (classes, errors) in pages.items():
        counted = Counter({int(place): count for place, count in classes.items()})
        found.setdefault(page, Timing()).add(Timing(counted, errors))


def clear(folder: Path) -> None:
    """Remove what processes left that ended over an hour ago."""
    for path in folder.glob("speed-*"):
        with contextlib.suppress(OSError):
            if timekeeping.system_now().timestamp() - path.stat().st_mtime > 2 * HOUR * 60:
                path.unlink()
