"""The rows of a file under import, beside it in a small database of their own.

The file is read once; from then on any row is at hand by its place, in constant memory, whoever
was killed meanwhile. All that is written here may be written again. Nothing of it is backed up:
what counts stands in the clinic's own tables.
"""

import codecs
import contextlib
import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from clinic.import_files import Line
from clinic.report_files import harmless
from db import sqlite_driver

_TABLES = """
CREATE TABLE line (
    place INTEGER PRIMARY KEY, number INTEGER UNIQUE, cells TEXT NOT NULL, problem TEXT NOT NULL);
CREATE TABLE mark (value TEXT, number INTEGER, PRIMARY KEY (value, number)) WITHOUT ROWID;
CREATE TABLE broken (number INTEGER PRIMARY KEY, reason TEXT NOT NULL);
"""
AT_ONCE = 500
FEW = 20  # rows with the same mark that are looked at


class Staging:
    """The staged rows of one file. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open what is there. Raises FileNotFoundError."""
        if not path.is_file():
            raise FileNotFoundError(path)
        self._database = sqlite_driver.connect(
            f"file:{path}", uri=True, isolation_level=None, timeout=15
        )
        self._database.execute("PRAGMA synchronous=OFF")  # a lost one is read from the file again

    def __enter__(self) -> "Staging":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._database.close()

    @contextlib.contextmanager
    def _at_once(self) -> Iterator[None]:
        self._database.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    # Lines

    def add(self, lines: Iterable[tuple[int, Line]], start: int) -> None:
        """Put numbered lines at the places from `start` on."""
        rows = (
            (start + offset, number, json.dumps(line.cells, ensure_ascii=False), line.problem)
            for offset, (number, line) in enumerate(lines)
        )
        with self._at_once():
            self._database.executemany("INSERT OR REPLACE INTO line VALUES (?, ?, ?, ?)", rows)

    def lines(self, start: int, limit: int) -> list[tuple[int, Line]]:
        """So many lines from this place on, with their numbers."""
        found = self._database.execute(
            "SELECT number, cells, problem FROM line WHERE place >= ? ORDER BY place LIMIT ?",
            (start, limit),
        )
        return [(number, Line(json.loads(cells), problem)) for number, cells, problem in found]

    def numbered(self, numbers: Sequence[int]) -> dict[int, Line]:
        """The lines of these numbers."""
        marks = ",".join("?" * len(numbers))
        found = self._database.execute(
            f"SELECT number, cells, problem FROM line WHERE number IN ({marks})",  # noqa: S608
            numbers,
        )
        return {number: Line(json.loads(cells), problem) for number, cells, problem in found}

    # What a check finds

    def forget_check(self) -> None:
        """Before a check with other columns."""
        with self._at_once():
            self._database.execute("DELETE FROM mark")
            self._database.execute("DELETE FROM broken")

    def mark(self, marks: Iterable[tuple[str, int]]) -> None:
        """Remember by what a row may be recognised."""
        with self._at_once():
            self._database.executemany("INSERT OR IGNORE INTO mark VALUES (?, ?)", marks)

    def marked(self, values: Iterable[str], number: int, since: int = 0) -> list[int]:
        """Rows before `number`, from `since` on, that bear one of the marks."""
        found: dict[int, None] = {}
        for value in values:
            rows = self._database.execute(
                "SELECT number FROM mark WHERE value = ? AND number >= ? AND number < ? LIMIT ?",
                (value, since, number, FEW),
            )
            found.update((row[0], None) for row in rows)
        return list(found)

    def break_rows(self, rows: Iterable[tuple[int, str]]) -> None:
        """Keep the rows that can't be imported, for the file that goes back."""
        with self._at_once():
            self._database.executemany("INSERT OR REPLACE INTO broken VALUES (?, ?)", rows)

    def broken(self) -> Iterator[tuple[list[str], str]]:
        """Cells and reason of each broken row, in order; slow readers hold up nobody."""
        last = 0
        while True:
            found = self._database.execute(
                "SELECT number, cells, reason FROM broken JOIN line USING (number)"
                " WHERE number > ? ORDER BY number LIMIT ?",
                (last, AT_ONCE),
            ).fetchall()
            for number, cells, reason in found:
                yield json.loads(cells), reason
                last = number
            if len(found) < AT_ONCE:
                return


def create(path: Path) -> Staging:
    """A new, empty staging for this file, readable by nobody else."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    staging = Staging(path)
    staging._database.executescript(_TABLES)
    return staging


def broken_file(path: Path, headings: Sequence[str]) -> Iterator[bytes]:
    """The broken rows as CSV, piece by piece; the reason in the last column."""
    with Staging(path) as staging:
        yield codecs.BOM_UTF8 + _csv_line([*headings, "Alasan"])
        for cells, reason in staging.broken():
            cells = (cells + [""] * len(headings))[: max(len(cells), len(headings))]
            yield _csv_line([*cells, reason])


def _csv_line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, delimiter=";", lineterminator="\r\n").writerow(map(harmless, cells))
    return line.getvalue().encode()
