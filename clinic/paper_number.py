"""How the clinic numbers its papers: the template that the head chooses. Pure.

`{urut:3}/{jenis}/{kode}/{bulan_romawi}/{tahun}` gives 007/SKS/PTA/XI/2026. Each kind counts from 1
in each year, so the kind and the year must stand in the number.
"""

import re
from datetime import date

from models import PaperKind

LONGEST = 60  # of a finished number
DEFAULT = "{urut:3}/{jenis}/{kode}/{bulan_romawi}/{tahun}"
KIND_CODES = {
    PaperKind.SUMMARY: "RKM",
    PaperKind.SICK: "SKS",
    PaperKind.HEALTH: "SKBS",
    PaperKind.REFERRAL: "RJK",
    PaperKind.INTERNAL: "RJI",
    PaperKind.LAB: "LAB",
}
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_PLACE = re.compile(r"\{(?:urut:([1-8])|(jenis|kode|bulan_romawi|bulan|tahun))\}")
_LITERAL = re.compile(r"[A-Za-z0-9 ./-]*")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_LONGEST_CODE = 20


class TemplateError(ValueError):
    """A template that can't give every paper a number of its own; a sentence for the head."""


def checked(text: str) -> str:
    """The template's text, tidied. Raises TemplateError."""
    text = text.strip()
    if not _LITERAL.fullmatch(_PLACE.sub("", text)):
        raise TemplateError(
            "Pakai {urut:3}, {jenis}, {kode}, {bulan}, {bulan_romawi}, {tahun}, huruf, angka, "
            "titik, garis."
        )
    places = [found[2] or "urut" for found in _PLACE.finditer(text)]
    if not {"urut", "jenis", "tahun"} <= set(places):
        raise TemplateError("Nomor harus memuat {urut:3}, {jenis}, dan {tahun}.")
    if len(places) != len(set(places)):
        raise TemplateError("Tiap bagian, misalnya {urut:3}, hanya boleh sekali.")
    longest = written(text, 99_999_999, PaperKind.HEALTH, "M" * _LONGEST_CODE, date(2026, 8, 1))
    if len(longest) > LONGEST:
        raise TemplateError(f"Nomor surat paling panjang {LONGEST} huruf dan angka.")
    return text


def checked_code(text: str) -> str:
    """The clinic's code within its numbers. Raises TemplateError."""
    text = text.strip()
    if len(text) > _LONGEST_CODE or not _CODE.fullmatch(text):
        raise TemplateError(
            f"Isi 1 sampai {_LONGEST_CODE} huruf, angka, titik, atau tanda hubung, tanpa spasi."
        )
    return text


def written(template: str, serial: int, kind: PaperKind, code: str, on: date) -> str:
    """The number of the kind's paper number `serial` of that year."""
    values = {
        "jenis": KIND_CODES[kind],
        "kode": code,
        "bulan": f"{on.month:02}",
        "bulan_romawi": _ROMAN[on.month - 1],
        "tahun": str(on.year),
    }
    return _PLACE.sub(
        lambda found: values[found[2]] if found[2] else str(serial).zfill(int(found[1])), template
    )
