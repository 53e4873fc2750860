"""Which column holds what: the headings of other systems, and the fields of ours."""

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from formatting import mask_numbers

FIELDS = {
    "name": "Nama pasien",
    "nik": "NIK",
    "sex": "Jenis kelamin",
    "birth": "Tanggal lahir",
    "birth_place": "Tempat dan tanggal lahir",
    "age": "Umur",
    "address": "Alamat",
    "rt": "RT",
    "rw": "RW",
    "rt_rw": "RT/RW dalam satu kolom",
    "village": "Kelurahan/desa",
    "kk": "Nomor KK",
    "bpjs": "Nomor BPJS/JKN",
    "mother_name": "Nama ibu",
    "phone": "Nomor HP",
    "payer": "Pembiayaan",
    "old_mrn": "No. rekam medis lama",
}
HEADING_ROWS = 10  # a title may stand above the headings
SAMPLES = 3
MONTHS = 12
_DATE = re.compile(r"([0-9]{1,2})[ ./-]([0-9]{1,2})[ ./-][0-9]{4}\b")

# Tried in this order, on the heading in small letters without signs; None: no field of ours.
_GUESSES: tuple[tuple[str | None, str], ...] = (
    (None, r"(ayah|suami|istri|wali|kader|petugas|dokter|posyandu|sekolah|faskes|nik ibu|kepala)"),
    ("mother_name", r"\b(ibu|ibu kandung|bunda)\b"),
    ("birth_place", r"\bttl\b|tempat.*(tgl|tanggal)|(tgl|tanggal).*tempat"),
    (None, r"^tempat lahir|(tgl|tanggal) (daftar|kunjungan|periksa|input|ukur|timbang)"),
    ("birth", r"lahir|birth|\bdob\b"),
    ("rt_rw", r"\brt rw\b|\brtrw\b"),
    ("rt", r"^(no )?rt$"),
    ("rw", r"^(no )?rw$"),
    ("kk", r"(no|nomor|nomer) kk\b|^kk$|kartu keluarga|^nokk$"),
    ("bpjs", r"bpjs|\bjkn\b|\bkis\b|askes|no(mor)? (kartu|peserta)|^noka$"),
    ("nik", r"\bnik\b|\bktp\b|no(mor)? (identitas|induk kependudukan)"),
    ("old_mrn", r"\brm\b|\bnorm\b|rekam ?medi|\bmr\b|\bcm\b|no(mor)? (index|indeks|register)"),
    ("phone", r"\b(hp|hape|telp|tlp|tlpn|telepon|telpon|phone|wa|whatsapp)\b|kontak|^nohp$"),
    ("village", r"\b(desa|kelurahan|kel|village)\b"),
    ("sex", r"^jk$|^l p$|^p l$|^lp$|kelamin|\bsex\b|gender"),
    ("age", r"^(umur|usia)|\b(umur|usia)$"),
    ("payer", r"penjamin|bayar|jaminan|pembiayaan|asuransi|kepesertaan|jenis pasien"),
    ("address", r"alamat|address|domisili|^jalan$"),
    ("name", r"\bnama\b|^nm\b|^name$"),
)


class ColumnError(ValueError):
    """The columns can't be used so; the sentence is for the clerk."""


def guess(heading: str) -> str | None:
    """The field that a heading most likely means."""
    words = " ".join(re.sub(r"[^a-z0-9]+", " ", heading.lower()).split())
    return next((field for field, pattern in _GUESSES if re.search(pattern, words)), None)


def guess_all(headings: Sequence[str]) -> dict[str, int]:
    """Field to column, each field once; of two headings for one field the first."""
    found: dict[str, int] = {}
    for place, heading in enumerate(headings):
        field = guess(heading)
        if field and field not in found:
            found[field] = place
    return found


def heading_place(first: Sequence[Sequence[str]]) -> int | None:
    """Which of the first records holds the headings; None when none of them can."""
    scores = [len(guess_all(cells)) for cells in first[:HEADING_ROWS]]
    best = max(range(len(scores)), key=scores.__getitem__, default=None)
    if best is not None and scores[best] >= 2:
        return best
    filled = [sum(map(bool, cells)) > 1 for cells in first[:HEADING_ROWS]]
    return filled.index(True) if any(filled) else None


def samples(records: Sequence[Sequence[str]], columns: int) -> list[list[str]]:
    """Up to three different values of each column, numbers of persons masked."""
    found: list[list[str]] = [[] for _ in range(columns)]
    for cells in records:
        for seen, cell in zip(found, cells, strict=False):
            shown = mask_numbers(cell[:60])
            if shown and shown not in seen and len(seen) < SAMPLES:
                seen.append(shown)
    return found


def month_comes_first(records: Sequence[Sequence[str]]) -> bool:
    """Whether some column holds dates that only make sense as month-day-year (Excel in English)."""
    for column in zip_longest(*records, fillvalue=""):
        dates = [found for cell in column if (found := _DATE.match(cell.strip()))]
        if (
            max((int(one[1]) for one in dates), default=0)
            <= MONTHS
            < max((int(one[2]) for one in dates), default=0)
        ):
            return True
    return False


def check(columns: Sequence[str], headings: Sequence[str], has_default_village: bool) -> dict:
    """Field to column from the field chosen for each column ('' for none). Raises ColumnError."""
    mapping: dict[str, int] = {}
    for place, field in enumerate(columns):
        if not field:
            continue
        if field not in FIELDS:
            raise ColumnError("Pilih isi kolom dari daftar.")
        if field in mapping:
            raise ColumnError(
                f"{FIELDS[field]} dipilih dua kali: {label(headings, mapping[field])} dan "
                f"{label(headings, place)}. Pilih salah satu."
            )
        mapping[field] = place
    _refuse_incomplete(mapping, has_default_village)
    return mapping


def _refuse_incomplete(mapping: Mapping[str, int], has_default_village: bool) -> None:
    needed = (
        (("name",), "Pilih kolom nama pasien."),
        (("sex",), "Pilih kolom jenis kelamin."),
        (("birth", "birth_place", "age"), "Pilih kolom tanggal lahir, atau kolom umur."),
    )
    for fields, sentence in needed:
        if not mapping.keys() & set(fields):
            raise ColumnError(sentence)
    if not has_default_village and not mapping.keys() & {"address", "village"}:
        raise ColumnError("Pilih kolom alamat atau kelurahan, atau isi kelurahan bagi semua baris.")


def label(headings: Sequence[str], place: int) -> str:
    """The heading in quotes, or the column's letters where it has none."""
    if headings[place].strip():
        return f"“{headings[place].strip()[:60]}”"
    letters, number = "", place + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return f"kolom {letters}"
