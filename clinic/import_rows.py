"""One row of somebody else's list as a person of ours, by the same rules as the form."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from clinic.month_names import parse_birth_date
from clinic.nik_checks import nik_findings
from clinic.patients import Identity
from formatting import short_date
from models import DatePrecision
from validators import (
    PHONE_LENGTH,
    FieldError,
    clean_name,
    clean_text,
    is_birth_year,
    nik_facts,
    normalise_phone,
    parse_age,
    parse_bpjs_number,
    parse_kk_number,
    parse_nik,
    parse_rt_rw,
    phone_finding,
)

# Further reasons need facts that a list doesn't hold.
NO_NIK_REASONS = ("BELUM_BAWA", "LUPA_KARTU", "TANPA_DOKUMEN")
LONGEST_MRN = 40
DAY_FIRST, MONTH_FIRST = "hari", "bulan"  # what comes first in 05/06/1988
NOT_AS_NIK = "beda dengan NIK"  # in the note of a row, to be counted

_EMPTY = {
    "",
    "-",
    "--",
    "---",
    ".",
    "0",
    "null",
    "nan",
    "none",
    "n/a",
    "#n/a",
    "kosong",
    "tidak ada",
}
_SEXES = dict.fromkeys(("l", "lk", "m", "1"), "L") | dict.fromkeys(("p", "pr", "w", "f", "2"), "P")
_SEX_WORDS = (("laki", "L"), ("pria", "L"), ("male", "L"), ("cowo", "L"), ("perempuan", "P"))
_SEX_WORDS += (("wanita", "P"), ("female", "P"), ("cewe", "P"))
_MONTH_FIRST = re.compile(r"^([0-9]{1,2})[ ./-]([0-9]{1,2})[ ./-]([0-9]{4})$")
_CLOCK = re.compile(r"[ T][0-9]{1,2}[:.][0-9]{2}([:.][0-9]{2}([.][0-9]+)?)?$")
_SCIENTIFIC = re.compile(r"([0-9])([.,][0-9]+)?[Ee]\+?([0-9]{1,2})")
_EXCEL_EPOCH = date(1899, 12, 30)
_PAYERS = (
    ("JKN_NON_PBI", r"non ?pbi|mandiri|pppu|ppu|pbpu"),
    ("JKN_PBI", r"pbi"),
    ("JAMKESDA", r"jamkesda"),
    ("JKN_NON_PBI", r"bpjs|jkn|kis|askes"),
    ("GRATIS_PROGRAM", r"gratis|program"),
    ("ASURANSI_LAIN", r"asuransi"),
    ("UMUM", r"umum|bayar|tunai"),
)


@dataclass(frozen=True)
class Parsed:
    """A person, or the sentence why the row is none; notes say what was left out."""

    number: int
    identity: Identity | None
    old_mrn: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Defaults:
    """What holds for every row."""

    village: str = ""
    payer: str = "UMUM"
    no_nik_reason: str = NO_NIK_REASONS[0]
    date_order: str = DAY_FIRST


class RowReader:
    """Reads rows by the columns that were chosen, as of `today`."""

    def __init__(self, columns: Mapping[str, int], defaults: Defaults, today: date) -> None:
        self._columns, self._defaults, self._today = columns, defaults, today

    def read(self, number: int, cells: Sequence[str], problem: str = "") -> Parsed:
        """The row as a person; whatever is wrong with it stands in the result."""
        if problem:
            return Parsed(number, None, problem=problem)
        values = {
            field: cells[place] if place < len(cells) else ""
            for field, place in self._columns.items()
        }
        row = _Row({name: _filled(text) for name, text in values.items()}, self._today)
        try:
            identity = row.identity(self._defaults)
        except FieldError as error:
            return Parsed(number, None, problem=str(error))
        old_mrn = re.sub(r"\.0$|[\s.:\-/]+", "", row.get("old_mrn")).upper()[:LONGEST_MRN]
        return Parsed(number, identity, old_mrn, notes=tuple(row.notes))


class _Row:
    def __init__(self, values: Mapping[str, str], today: date) -> None:
        self._values, self._today = values, today
        self.notes: list[str] = []

    def get(self, field: str) -> str:
        return self._values.get(field, "")

    def identity(self, defaults: Defaults) -> Identity:
        name, sex = self._name(), self._sex()
        born, precision = self._birth(defaults.date_order)
        kk_number = self._optional("kk", "nomor KK", parse_kk_number)
        nik = self._nik(sex, born if precision == DatePrecision.DAY else None, kk_number)
        address, village = self._where(defaults)
        rt, rw = self._rt_rw()
        return Identity(
            name=name,
            sex=sex,
            birth_date=born,
            birth_precision=precision,
            nik=nik,
            no_nik_reason=None if nik else defaults.no_nik_reason,
            mother_name=self._optional("mother_name", "nama ibu", clean_name),
            bpjs_number=self._optional("bpjs", "nomor BPJS", _bpjs),
            kk_number=kk_number,
            address=address,
            village=village,
            rt=rt,
            rw=rw,
            phone=self._phone(),
            payer=self._payer(defaults.payer),
        )

    def _optional(self, field: str, label: str, parse: Callable[[str], Any]) -> Any:
        text = self.get(field)
        if not text:
            return None
        try:
            return parse(_whole(text, label))
        except FieldError:
            self.notes.append(f"{label} dilewati karena salah")
            return None

    def _name(self) -> str:
        if not self.get("name"):
            raise FieldError("NAME", "Nama kosong.")
        return clean_name(self.get("name"))

    def _sex(self) -> str:
        text = self.get("sex").lower()
        sex = _SEXES.get(text.strip(" .")) or next(
            # "female" ends with "male".
            (sex for word, sex in reversed(_SEX_WORDS) if text.startswith(word)),
            None,
        )
        if sex is None:
            raise FieldError("SEX", "Jenis kelamin kosong atau tidak dikenal. Isi L atau P.")
        return sex

    def _birth(self, order: str) -> tuple[date, DatePrecision]:
        text, age = self.get("birth") or self._after_place(), self.get("age")
        if text:
            try:
                return _birth_date(text, self._today, order)
            except FieldError:
                if not age:
                    raise
                self.notes.append("tanggal lahir dilewati karena salah, dipakai umur")
        if not age:
            raise FieldError("DATE", "Tanggal lahir dan umur kosong.")
        told = parse_age(_whole(age, "umur"), self._today)
        return told.birth_date, DatePrecision(told.precision)

    def _after_place(self) -> str:
        """The date behind "Selong, 14-05-1985"."""
        found = re.search(r"[0-9].*$", self.get("birth_place"))
        return found[0] if found else ""

    def _nik(self, sex: str, born: date | None, kk_number: str | None) -> str | None:
        text = self.get("nik")
        if not text.strip("0-. "):
            return None
        try:
            nik = parse_nik(_whole(text, "NIK"))
        except FieldError as error:
            if error.rule != "NIK-PLACEHOLDER":
                raise
            self.notes.append("NIK pengisi dilewati")
            return None
        found = nik_findings(
            nik, sex=sex, birth_date=born, today=self._today, kk_number=kk_number, as_printed=True
        )
        for finding in found:
            if finding.level == "error":
                raise FieldError(finding.rule, finding.message)
        self._note_unlike_nik({finding.rule for finding in found}, nik, born)
        return nik

    def _note_unlike_nik(self, rules: set[str], nik: str, born: date | None) -> None:
        """The number says otherwise of the person: the columns may be read wrongly."""
        if "NIK-DATE" in rules and born:
            said = nik_facts(nik, self._today, born).birth_date
            other = f" ({short_date(said)})" if said else ""
            self.notes.append(f"tanggal lahir {short_date(born)} {NOT_AS_NIK}{other}")
        if "NIK-SEX" in rules:
            self.notes.append(f"jenis kelamin {NOT_AS_NIK}")

    def _phone(self) -> str | None:
        text, phone = self.get("phone"), self._optional("phone", "nomor HP", normalise_phone)
        if not phone or phone_finding(text) is None:
            return phone
        if phone_finding(phone) is None:
            self.notes.append("dari nomor HP hanya yang pertama diambil")
        elif len(text) > PHONE_LENGTH:
            self.notes.append("nomor HP dilewati karena salah")
            return None
        return phone

    def _where(self, defaults: Defaults) -> tuple[str, str | None]:
        def text(limit: int) -> Callable[[str], str]:
            return lambda typed: clean_text(typed, limit)

        village = self._optional("village", "kelurahan", text(60)) or defaults.village or None
        address = self._optional("address", "alamat", text(200)) or village
        if not address:
            raise FieldError("ADDRESS", "Alamat dan kelurahan kosong.")
        return address, village

    def _rt_rw(self) -> tuple[str | None, str | None]:
        both = re.findall(r"[0-9]+", self.get("rt_rw"))
        if len(both) == 2:
            self._values = {**self._values, "rt": both[0], "rw": both[1]}
        elif self.get("rt_rw"):
            self.notes.append("RT/RW dilewati karena salah")
        return self._optional("rt", "RT", parse_rt_rw), self._optional("rw", "RW", parse_rt_rw)

    def _payer(self, default: str) -> str:
        text = self.get("payer").lower().replace("-", " ")
        if not text:
            return default
        found = next((payer for payer, pattern in _PAYERS if re.search(pattern, text)), None)
        if found is None:
            self.notes.append("pembiayaan dilewati karena tidak dikenal")
        return found or default


def _filled(text: str) -> str:
    # Old exports put an apostrophe before numbers, so that a spreadsheet leaves them alone.
    text = text.strip().removeprefix("'").strip()
    return "" if text.lower() in _EMPTY else text


def _whole(text: str, label: str) -> str:
    """Without the ".0" of a number column. Raises FieldError for what Excel has damaged."""
    damaged = _SCIENTIFIC.fullmatch(text)
    if damaged:
        short = f"{damaged[1]}{(damaged[2] or '')[:3].replace('.', ',')}E+{damaged[3]}"
        raise FieldError(
            "EXCEL",
            f"{label} rusak oleh Excel ({short}): angka terakhirnya hilang. Ambil lagi dari "
            "sistem lama dengan kolom itu sebagai teks.",
        )
    return re.sub(r"^([0-9]+)\.0+$", r"\1", text)


def _bpjs(text: str) -> str:
    # A number column drops the three zeros that every card begins with.
    return parse_bpjs_number(f"000{text}" if re.fullmatch(r"[0-9]{10}", text) else text)


def _birth_date(text: str, today: date, order: str) -> tuple[date, DatePrecision]:
    text = _CLOCK.sub("", _whole(text.strip(" ,.;"), "tanggal lahir"))
    if is_birth_year(text):
        return parse_age(text, today).birth_date, DatePrecision.YEAR
    if re.fullmatch(r"[1-6][0-9]{4}", text):  # the day count of a spreadsheet
        text = str(_EXCEL_EPOCH + timedelta(days=int(text)))
    if order == MONTH_FIRST:
        text = _MONTH_FIRST.sub(r"\2-\1-\3", text)
    return parse_birth_date(text, today), DatePrecision.DAY
