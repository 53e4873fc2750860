"""Reads a list of patients from elsewhere, CSV or XLSX, line by line; knows no columns yet.

A file that is not what it seems raises FileProblem with a sentence; a single line that can't be
read carries its own.
"""

import codecs
import csv
import re
import zipfile
from array import array
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple
from xml.etree import ElementTree

MEGABYTE = 1024 * 1024
LARGEST = 30 * MEGABYTE
# Of a workbook unpacked: a small file may hide a huge one.
LARGEST_UNPACKED, LARGEST_TEXTS = 400 * MEGABYTE, 48 * MEGABYTE
MOST_MEMBERS = 2000
MOST_COLUMNS = 60
COLUMNS_READ = 256  # beyond, a sheet holds only formats
LONGEST_CELL = 1000
LINES_OF_A_RECORD = 20  # more between two quotes: one was never closed
SAMPLE_LINES = 40
DELIMITERS = ",;\t|"

_PACKED = b"PK\x03\x04"
_EXCEL_DAMAGE = 10**15  # from here on a number in a sheet has lost its last digits
_TOO_LARGE = "Berkas lebih dari 30 MB. Bagi menjadi beberapa berkas, lalu unggah satu per satu."
_NOT_A_LIST = "Berkas ini bukan daftar CSV atau XLSX. Simpan ulang sebagai .xlsx atau .csv."
_OLD_EXCEL = (
    "Ini berkas Excel lama (.xls), atau Excel yang diberi kata sandi. Buka di Excel atau "
    "LibreOffice, lalu simpan sebagai .xlsx tanpa kata sandi."
)
_BROKEN_WORKBOOK = "Berkas XLSX ini rusak. Buka di Excel atau LibreOffice, lalu simpan ulang."
_TOO_DEEP = "Isi berkas XLSX ini terlalu besar. Simpan lembar pasien saja, atau sebagai CSV."


class FileProblem(Exception):
    """The file as a whole can't be used; the sentence is for the clerk."""


class Line(NamedTuple):
    """The cells of one record as texts, or the sentence why it can't be read."""

    cells: list[str]
    problem: str = ""


def check(path: Path) -> None:
    """A quick look at a file just stored. Raises FileProblem."""
    if path.stat().st_size > LARGEST:
        raise FileProblem(_TOO_LARGE)
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip():
        raise FileProblem("Berkas ini kosong.")
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileProblem(_OLD_EXCEL)
    if start.startswith(_PACKED):
        _check_workbook(path)
    elif start.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8", b"{\\rtf", b"<")) or (
        b"\0" in start and _encoding(path) not in ("utf-16-le", "utf-16-be", "utf-16")
    ):
        raise FileProblem(_NOT_A_LIST)


def lines(path: Path) -> Iterator[Line]:
    """Every record of the file, empty ones too, in order. Raises FileProblem."""
    with path.open("rb") as file:
        is_workbook = file.read(4) == _PACKED
    return _workbook_lines(path) if is_workbook else _text_lines(path)


# --- CSV ---


def _text_lines(path: Path) -> Iterator[Line]:
    encoding = _encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        delimiter = _delimiter(list(islice(file, SAMPLE_LINES)))
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        yield from _records(file, delimiter)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4096)
        if start.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        # Without a mark: mostly Latin letters, so every other byte is zero.
        for encoding, offset in (("utf-16-le", 1), ("utf-16-be", 0)):
            half = start[offset::2]
            if half and half.count(0) > 0.7 * len(half):
                return encoding
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while start:
                decoder.decode(start)
                start = file.read(MEGABYTE)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _delimiter(sample: list[str]) -> str:
    """The sign that parts most lines into the same number of cells."""

    def fit(delimiter: str) -> tuple[float, int]:
        widths = [len(line.cells) for line in _records(sample, delimiter) if any(line.cells)]
        common = max(set(widths), key=widths.count) if widths else 1
        return (widths.count(common) / len(widths) if common > 1 else 0.0, common)

    return max(DELIMITERS, key=fit)


def _records(source: Iterable[str], delimiter: str) -> Iterator[Line]:
    following = iter(source)
    kept: list[str] = []  # read ahead, when a quote was never closed
    while True:
        first = kept.pop(0) if kept else next(following, None)
        if first is None:
            return
        if '"' not in first:
            yield _parsed([first], delimiter, strict=True)
            continue
        record = [first]
        while _is_open(record, delimiter) and len(record) < LINES_OF_A_RECORD:
            more = kept.pop(0) if kept else next(following, None)
            if more is None:
                break
            record.append(more)
        if _is_open(record, delimiter):
            kept = record[1:] + kept
            cells = _cells(first.replace('"', "").rstrip("\r\n").split(delimiter))
            yield Line(cells, "Tanda kutip di baris ini tidak ditutup.")
        else:
            yield _parsed(record, delimiter, strict=False)


def _is_open(record: list[str], delimiter: str) -> bool:
    """Whether a quoted cell has not come to its end."""
    try:
        next(csv.reader(record, delimiter=delimiter, strict=True), None)
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _parsed(record: list[str], delimiter: str, *, strict: bool) -> Line:
    try:
        cells = next(csv.reader(record, delimiter=delimiter, strict=strict), [])
    except csv.Error:
        return Line([], "Baris ini tidak dapat dibaca.")
    return Line(_cells(cells))


def _cells(values: Iterable[str]) -> list[str]:
    cells = [value.strip()[:LONGEST_CELL] for value in islice(values, COLUMNS_READ)]
    while cells and not cells[-1]:
        cells.pop()
    return cells


# --- XLSX ---


class SharedTexts:
    """The texts of a workbook, which stand in a table of their own; by their place in it."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._bytes, self._ends = bytearray(), array("Q", [0])
        for name in archive.namelist():
            if name.lower().endswith("sharedstrings.xml"):
                with archive.open(name) as source:
                    self._read(source)

    def _read(self, source: IO[bytes]) -> None:
        # The parser itself stops at entities that grow without end.
        events = ElementTree.iterparse(source, ("start", "end"))  # noqa: S314
        _, root = next(events)
        for event, node in events:
            if event == "end" and node.tag.endswith("}si"):
                texts = (one.text or "" for one in node.iter() if one.tag.endswith("}t"))
                self._bytes += "".join(texts).encode()
                self._ends.append(len(self._bytes))
                root.clear()  # else every text stays there a second time

    def __getitem__(self, place: int) -> str:
        if place < 0:
            raise IndexError(place)
        return self._bytes[self._ends[place] : self._ends[place + 1]].decode()


def _check_workbook(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        raise FileProblem(_BROKEN_WORKBOOK) from None
    names = {member.filename for member in members}
    if "xl/workbook.xml" not in names:
        raise FileProblem(_NOT_A_LIST)
    texts = sum(
        one.file_size for one in members if one.filename.lower().endswith("sharedstrings.xml")
    )
    size = sum(member.file_size for member in members)
    if size > LARGEST_UNPACKED or texts > LARGEST_TEXTS or len(members) > MOST_MEMBERS:
        raise FileProblem(_TOO_DEEP)


def _workbook_lines(path: Path) -> Iterator[Line]:
    _check_workbook(path)
    # Loaded only where a workbook is read: 15 MB that the web server never needs.
    reading = import_module("openpyxl.reader.excel")
    with path.open("rb") as file:  # opened here: the library would look at the file's name
        try:
            reader = reading.ExcelReader(file, read_only=True, data_only=True, keep_links=False)
            reader.shared_strings = SharedTexts(reader.archive)
            reader.read_strings = lambda: None  # its own table takes 25 times the memory
            reader.read()
        except Exception:  # whatever a broken workbook makes the library raise
            raise FileProblem(_BROKEN_WORKBOOK) from None
        book = reader.wb
        if not book.worksheets:
            raise FileProblem("Berkas XLSX ini tidak punya lembar.")
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size is often wrong
        for row in _rows(sheet):
            yield Line(_cells(map(cell_text, row)))


def _rows(sheet: Any) -> Iterator[tuple]:
    try:
        yield from sheet.iter_rows(values_only=True, max_col=COLUMNS_READ)
    except Exception:  # the same: broken XML, a wrong index
        raise FileProblem(_BROKEN_WORKBOOK) from None


def cell_text(value: Any) -> str:
    """A cell as somebody would type it; a number that Excel has damaged stays recognisable."""
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return _number_text(value)
    return re.sub(r"_x000D_", "", str(value))


def _number_text(value: int | float) -> str:
    if value != value or abs(value) == float("inf"):
        return ""
    if value == int(value):
        whole = int(value)
        # 15 digits are exact; a 16th that is 0 is most likely what Excel made of another one.
        return f"{whole:E}" if abs(whole) >= _EXCEL_DAMAGE and whole % 10 == 0 else str(whole)
    return repr(value)
