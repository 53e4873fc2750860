"""What a request said of medicines: lines by their keys, what was ticked, reasons of warnings."""

import re
from dataclasses import replace

from werkzeug.datastructures import MultiDict

from clinic import medicines, written_medicines
from clinic import prescription_lines as lines
from clinic.prescription_lines import LineInput
from clinic.prescriptions import PrescriptionInput

SENT, LINE, TICKED, TICKED_OUTSIDE, REMOVED = "rx_sent", "rx", "obat", "obat_luar", "rx_hapus"
SEARCH, NOTE, REASON = "medicine_search", "rx_note", "rx_alasan-"
WRITTEN = "obat_ditulis"  # the words that found what can be ticked, where they say how to take it
SEARCH_BUTTON, COMPOUND_BUTTON = "cari_obat", "racikan"
UNDECIDED = "Belum disimpan: centang obat yang dimaksud, atau kosongkan kotak cari obat."
BOXES = ("sig", "days", "quantity", "note", "title", "parts")
_KEY = re.compile(r"[A-Za-z0-9-]{1,40}")
_LONGEST = 2000


def said(typed: MultiDict) -> PrescriptionInput | None:
    """All of it; None when the form had no such section."""
    if SENT not in typed:
        return None
    reasons = {
        name.removeprefix(REASON): text
        for name, text in typed.items()
        if name.startswith(REASON) and text.strip()
    }
    return PrescriptionInput(_lines(typed), typed.get(NOTE, ""), reasons)


def removed(typed: MultiDict) -> list[str]:
    """Keys of lines that were taken off: what a colleague keeps stored does not bring them back."""
    keys = dict.fromkeys(typed.getlist(REMOVED))
    return [key for key in keys if _KEY.fullmatch(key)][:50]


def has_ticked(typed: MultiDict) -> bool:
    """Whether something was chosen from the search."""
    return any(typed.getlist(TICKED) + typed.getlist(TICKED_OUTSIDE))


def has_used_search(typed: MultiDict) -> bool:
    """Whether the words in the search box led to what was ticked, and are not new ones."""
    if not has_ticked(typed) or typed.get("aksi") != SEARCH_BUTTON:
        return has_ticked(typed)
    words = typed.get(SEARCH, "").strip()
    name = written_medicines.read(words).name
    found = {medicine.code for medicine in medicines.offered(name)[0]}
    return bool(found & set(typed.getlist(TICKED))) or words in typed.getlist(TICKED_OUTSIDE)


def is_searched_only(typed: MultiDict) -> bool:
    """Words in the search box of which nothing was ticked: no medicine yet."""
    return bool(typed.get(SEARCH, "").strip()) and not has_ticked(typed)


def ticked(code: str, written: str) -> LineInput:
    """A medicine of the list, with the directions that it was looked for with."""
    said = written_medicines.read(written[:_LONGEST])
    return LineInput(code[:24], said.sig, quantity=said.quantity)


def ticked_outside(written: str) -> LineInput:
    """One that is not on the list: its name, and what was written behind it."""
    said = written_medicines.read(written[:160])
    return LineInput(lines.OUTSIDE, said.sig, quantity=said.quantity, title=said.name)


def _lines(typed: MultiDict) -> list[LineInput]:
    removed = set(typed.getlist(REMOVED))
    found: dict[str, LineInput] = {}
    for text in typed.getlist(LINE):
        key, _, what = text.partition(" ")
        if _KEY.fullmatch(key) and key not in removed:
            found[key] = _line(typed, key, what)
    for code in typed.getlist(TICKED):
        _add(found, ticked(code, typed.get(WRITTEN, "")))
    for title in typed.getlist(TICKED_OUTSIDE):
        _add(found, ticked_outside(title))
    if typed.get("aksi") == COMPOUND_BUTTON:
        _add(found, LineInput(lines.COMPOUND, title="puyer"))
    return list(found.values())


def _line(typed: MultiDict, key: str, what: str) -> LineInput:
    boxes = {name: typed.get(f"rx_{name}-{key}", "")[:_LONGEST] for name in BOXES}
    return LineInput(what[:24], **boxes, key=key)


def _add(found: dict[str, LineInput], line: LineInput) -> None:
    # The same at each reading of one request, and never the key of a line that is there.
    number = len(found) + 1
    while f"b{number}" in found:
        number += 1
    found[f"b{number}"] = replace(line, key=f"b{number}")
