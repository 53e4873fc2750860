"""Reports as CSV and XLSX. What people typed is text there, never a formula.

XLSX is written by hand: a sheet of texts and numbers is five small files in a ZIP, and the library
that reads the imports would cost each web process 20 MB.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from clinic.report_tables import MEASURES, Table
from db import utcnow
from formatting import clock_time, day_in_zone, short_date

Cell = str | int
# A spreadsheet takes these at the beginning of a cell for a formula, full-width forms too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
    'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATION = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/{{}}" Target="{{}}"/></Relationships>'
)
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_BOOK = (
    f'<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Laporan" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def head(known: Mapping[str, Any], title: str, about: str, locked_at: datetime | None) -> list[str]:
    """Whose report it is, of what, and as of when; `known` are the clinic's settings."""

    def moment(at: datetime) -> str:
        zone = known["time_zone"]
        return f"{short_date(day_in_zone(at, zone))} {clock_time(at, zone)}"

    locked = [f"Dikunci {moment(locked_at)}"] if locked_at else []
    return [known["clinic_name"], title, about, *locked, f"Dibuat {moment(utcnow())}"]


def lines(head: Iterable[str], tables: Iterable[Table], definition: str) -> list[list[Cell]]:
    """A whole report, line by line: head, tables with their checks, the definition at the end."""
    found: list[list[Cell]] = [[text] for text in head]
    for table in tables:
        found += [[], *_of_table(table)]
    return [*found, [], [definition]]


def _of_table(table: Table) -> Iterable[list[Cell]]:
    measures = list(dict.fromkeys(name for _, name in sorted(table.measures)))
    yield [table.title]
    names = [f"{column['group']} {column['label']}".strip() for column in table.columns]
    yield ["Kode", table.row_title or table.title, *names, *(MEASURES[name] for name in measures)]
    for row in table.all_rows:
        counts = [table.cell(row.key, column["key"]) for column in table.columns]
        timed = [table.measures.get((row.key, name), "") for name in measures]
        yield [row.code or row.key, row.label, *counts, *timed]
    if table.outside:
        yield ["", "Di luar formulir", table.outside]
    yield ["", "Pemeriksaan jumlah", *(table.problems or ["cocok"])]
    if table.note:
        yield [table.note]


def as_csv(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Parted by semicolons, as Indonesian spreadsheets open it; UTF-8 with its mark."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def harmless(cell: Cell) -> Cell:
    """With an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def as_xlsx(rows: Iterable[Sequence[Cell]]) -> bytes:
    """One sheet; texts are cells of the type text, so that none is a formula."""
    sheet = "".join(
        f'<row r="{number}">{"".join(map(_xml, row))}</row>' for number, row in enumerate(rows, 1)
    )
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELATION.format("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": _BOOK,
        "xl/_rels/workbook.xml.rels": _RELATION.format("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEETS}"><sheetData>{sheet}</sheetData>'
        "</worksheet>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, _HEAD + text)
    return out.getvalue()


def _xml(cell: Cell) -> str:
    if isinstance(cell, int):
        return f"<c><v>{cell}</v></c>"
    text = escape(UNPRINTABLE.sub("", cell))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
