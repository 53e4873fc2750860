"""Reads an uploaded file once, from its first line to its last, into its staging."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from clinic import import_columns, import_staging
from clinic.import_files import MOST_COLUMNS, FileProblem, Line, lines
from formatting import mask_numbers, number_text

MOST_ROWS = 200_000
SAMPLED = 50

Numbered = tuple[int, Line]


class Reading:
    """A file that is being read. It lives in the worker; a killed one begins anew."""

    def __init__(self, path: Path, staging: Path) -> None:
        """Raises FileProblem and FileNotFoundError."""
        self._lines: Iterator[Numbered] = enumerate(lines(path), start=1)
        self.rows = 0
        self.is_done = False
        first = list(islice(self._lines, import_columns.HEADING_ROWS))
        place = import_columns.heading_place([line.cells for _, line in first])
        if place is None:
            raise FileProblem("Judul kolom tidak ditemukan di 10 baris pertama berkas ini.")
        self.headings = [mask_numbers(cell[:100]) for cell in first[place][1].cells]
        if sum(map(bool, self.headings)) > MOST_COLUMNS:
            raise FileProblem(
                f"Berkas ini punya {len(self.headings)} kolom; paling banyak {MOST_COLUMNS}. "
                "Hapus kolom yang tidak perlu."
            )
        self._waiting = first[place + 1 :]
        self._staging = import_staging.create(staging)
        self._samples: list[list[str]] = []

    def go_on(self, limit: int) -> None:
        """Read so many more lines. Raises FileProblem."""
        taken = self._waiting + list(islice(self._lines, limit))
        self.is_done = len(taken) < limit + len(self._waiting)
        self._waiting = []
        filled = [(number, line) for number, line in taken if line.problem or any(line.cells)]
        self._staging.add(filled, self.rows)
        self.rows += len(filled)
        self._samples += [line.cells for _, line in filled[: SAMPLED - len(self._samples)]]
        if self.rows > MOST_ROWS:
            most = number_text(MOST_ROWS)
            raise FileProblem(f"Berkas ini lebih dari {most} baris. Bagi menjadi beberapa berkas.")
        if self.is_done and not self.rows:
            raise FileProblem("Berkas ini hanya berisi judul kolom, tanpa satu baris pasien pun.")

    def samples(self) -> list[list[str]]:
        """Some values of each column, to recognise it by."""
        return import_columns.samples(self._samples, len(self.headings))

    def month_comes_first(self) -> bool:
        """As those values of a column of dates say."""
        return import_columns.month_comes_first(self._samples)

    def close(self) -> None:
        """Let go of the staging."""
        self._staging.__exit__()
