"""A report's tables: rows and columns as definitions, filled from one count, checked by sums."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from clinic.report_counts import counts
from clinic.report_facts import FACTS, Where
from clinic.report_periods import Period

ALL, OUTSIDE = "semua", "luar"  # row keys: the sum of all rows; what no row takes


@dataclass(frozen=True)
class Row:
    key: str
    label: str
    group: str = ""
    code: str = ""  # of the form, or ICD-10, shown beside the label


@dataclass(frozen=True)
class Column:
    """A number counts what fits `where`; columns of a group stand under one heading."""

    key: str
    label: str
    where: Where = field(default_factory=dict)
    group: str = ""


@dataclass(frozen=True)
class Check:
    """In each row the parts together must be the whole."""

    label: str
    parts: tuple[str, ...]
    whole: str


@dataclass(frozen=True)
class Placed:
    """The rows of a table, and to which of them each counted value belongs (None: to none)."""

    rows: Sequence[Row]
    row_of: Mapping[str, str | None]


# From each value of the row dimension, with its count, to the rows.
Placing = Callable[[Counter[str]], Placed]


@dataclass(frozen=True)
class Section:
    """One table of a report."""

    key: str
    title: str
    fact: str
    dim: str
    place: Placing
    columns: tuple[Column, ...]
    checks: tuple[Check, ...] = ()
    where: Where = field(default_factory=dict)
    note: str = ""
    kinds: tuple[str, ...] = ("day", "month", "year")  # periods that show it
    measures: tuple[str, ...] = ()  # of `waits`: minutes beside the counts
    row_title: str = ""
    has_total: bool = True
    has_chart: bool = False

    @property
    def dims(self) -> list[str]:
        """All that its numbers are parted by, the rows' own first."""
        found = dict.fromkeys([self.dim])
        found |= dict.fromkeys(name for column in self.columns for name in column.where)
        return [*found, *(["minutes"] if self.measures else [])]


MEASURES = {"median": "Nilai tengah", "p90": "90% paling lama", "longest": "Terlama"}


@dataclass
class Table:
    """A filled section: what is shown, exported, stored and compared."""

    key: str
    title: str
    note: str
    row_title: str
    columns: list[dict[str, str]]  # key, label, group
    rows: list[Row]
    cells: dict[tuple[str, str], int]
    checks: list[tuple[str, tuple[str, ...], str]]
    outside: int = 0
    counted: int = 0  # all that the fact has, in rows or outside
    measures: dict[tuple[str, str], int] = field(default_factory=dict)
    has_total: bool = True
    has_chart: bool = False

    def cell(self, row: str, column: str) -> int:
        return self.cells.get((row, column), 0)

    @property
    def all_rows(self) -> list[Row]:
        """The rows, then their sum."""
        return [*self.rows, Row(ALL, "Jumlah")] if self.has_total else list(self.rows)

    @property
    def whole(self) -> str:
        """The column that counts everything in a row: the last."""
        return self.columns[-1]["key"]

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Headings above the columns, with how many each spans; none when no column has one."""
        runs = [(name, len(list(run))) for name, run in groupby(c["group"] for c in self.columns)]
        return runs if any(name for name, _ in runs) else []

    @property
    def bars(self) -> list[tuple[str, int]]:
        """What the chart shows: each row's label and whole, where there is something."""
        bars = [(row.label, self.cell(row.key, self.whole)) for row in self.rows]
        return [bar for bar in bars if bar[1]]

    @property
    def problems(self) -> list[str]:
        """The sums that do not hold, in words; none when the form is right."""
        found = [problem for check in self.checks for problem in self._broken(*check)]
        for column in self.columns:
            added = sum(self.cell(row.key, column["key"]) for row in self.rows)
            total = self.cell(ALL, column["key"])
            if self.has_total and added != total:
                found.append(f"Kolom {name_of(column)}: baris {added}, jumlah {total}")
        placed = sum(self.cell(row.key, self.whole) for row in self.rows)
        if placed + self.outside != self.counted:
            found.append(f"Baris {placed} dan di luar {self.outside}, semua {self.counted}")
        return found

    def _broken(self, label: str, parts: tuple[str, ...], whole: str) -> Iterable[str]:
        for row in self.all_rows:
            added = sum(self.cell(row.key, part) for part in parts)
            if added != self.cell(row.key, whole):
                yield f"{row.label}: {label}, {added} dan {self.cell(row.key, whole)}"

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON, in one order: the same figures give the same text."""
        return {
            "key": self.key,
            "title": self.title,
            "note": self.note,
            "row_title": self.row_title,
            "columns": self.columns,
            "rows": [[row.key, row.label, row.group, row.code] for row in self.rows],
            "cells": [[*key, self.cells[key]] for key in sorted(self.cells) if self.cells[key]],
            "checks": [[label, list(parts), whole] for label, parts, whole in self.checks],
            "outside": self.outside,
            "counted": self.counted,
            "measures": [[*key, self.measures[key]] for key in sorted(self.measures)],
            "has_total": self.has_total,
            "has_chart": self.has_chart,
        }


def from_json(kept: Mapping[str, Any]) -> Table:
    """The table as it was kept."""
    told = dict(kept)
    told["rows"] = [Row(*row) for row in kept["rows"]]
    told["checks"] = [(label, tuple(parts), whole) for label, parts, whole in kept["checks"]]
    for name in ("cells", "measures"):
        told[name] = {(row, column): number for row, column, number in kept[name]}
    return Table(**told)


def name_of(column: Mapping[str, str]) -> str:
    """A column in words, its heading first."""
    return f"{column['group']} {column['label']}".strip()


# --- Filling ----------------------------------------------------------------------------------


def fill(sections: Iterable[Section], period: Period, room: str = "") -> list[Table]:
    """The tables of a period. Sections that count the same thing share one query."""
    shown = [section for section in sections if period.kind in section.kinds]
    together: dict[tuple, list[Section]] = defaultdict(list)
    for section in shown:
        together[section.fact, tuple(sorted(section.where.items()))].append(section)
    filled = {}
    for (fact, where), alike in together.items():
        dims = list(dict.fromkeys(name for section in alike for name in section.dims))
        cube = counts(FACTS[fact], dims, period, dict(where), room)
        for section in alike:
            filled[section.key] = _table(section, dims, cube)
    return [filled[section.key] for section in shown]


def _table(section: Section, dims: list[str], cube: list[tuple[tuple, int]]) -> Table:
    own = Counter()
    for values, number in cube:
        own[values[dims.index(section.dim)]] += number
    placed = section.place(own)
    table = Table(
        section.key,
        section.title,
        section.note,
        section.row_title,
        [{"key": c.key, "label": c.label, "group": c.group} for c in section.columns],
        list(placed.rows),
        _cells(section, dims, cube, placed),
        [(check.label, check.parts, check.whole) for check in section.checks],
        outside=sum(number for value, number in own.items() if placed.row_of[value] is None),
        counted=sum(own.values()),
        has_total=section.has_total,
        has_chart=section.has_chart,
    )
    if section.measures:
        table.measures = _measures(section, dims, cube, placed)
    return table


def _cells(section: Section, dims: list[str], cube, placed: Placed) -> dict[tuple[str, str], int]:
    """Each column is summed by itself, so that the checks check something."""
    by_pattern: dict[tuple[str, ...], list[Column]] = defaultdict(list)
    for column in section.columns:
        by_pattern[tuple(column.where)].append(column)
    place = dims.index(section.dim)
    cells: Counter[tuple[str, str]] = Counter()
    for pattern, columns in by_pattern.items():
        at = [dims.index(name) for name in pattern]
        sums: Counter[tuple] = Counter()
        for values, number in cube:
            row = placed.row_of[values[place]]
            if row is not None:
                sums[row, tuple(values[each] for each in at)] += number
        for (row, found), number in sums.items():
            for column in columns:
                if _fits(found, column.where.values()):
                    cells[row, column.key] += number
                    cells[ALL, column.key] += number
    return dict(cells)


def _fits(found: Iterable[str], wanted: Iterable[str | tuple[str, ...]]) -> bool:
    return all(
        value == want if isinstance(want, str) else value in want
        for value, want in zip(found, wanted, strict=True)
    )


def _measures(section: Section, dims: list[str], cube, placed: Placed) -> dict:
    waits: dict[str, Counter[int]] = defaultdict(Counter)
    at, place = dims.index("minutes"), dims.index(section.dim)
    for values, number in cube:
        row = placed.row_of[values[place]]
        if row is not None:
            waits[row][values[at]] += number
            waits[ALL][values[at]] += number
    return {
        (row, name): measure
        for row, minutes in waits.items()
        for name, measure in zip(section.measures, _of_minutes(minutes), strict=True)
    }


def _of_minutes(minutes: Counter[int]) -> tuple[int, int, int]:
    """Median, 90th percentile (both the nearest rank) and the longest."""
    total = sum(minutes.values())
    return (
        _ranked(minutes, (total + 1) // 2),
        _ranked(minutes, -(-total * 9 // 10)),
        max(minutes),
    )


def _ranked(minutes: Counter[int], rank: int) -> int:
    seen = 0
    for minute in sorted(minutes):
        seen += minutes[minute]
        if seen >= rank:
            return minute
    raise ValueError("no such rank")
