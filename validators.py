"""Field rules: pure functions first, the WTForms callable around them last.

A FieldError stops a value that cannot be used, never a patient: its sentence says the way on.
A Finding is shown and answered by the clerk; by itself it stops nothing.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple

from wtforms import Field, Form, ValidationError

from typed_text import age_in_units, first_phone_number, phone_number, printable, without_label


class FieldError(ValueError):
    """A value that cannot be used: a stable rule id and one Indonesian sentence for the screen."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class Finding(NamedTuple):
    """Something to look at: rule id, level ("error", "warning", "info") and its sentence."""

    rule: str
    level: str
    message: str


# --- Dates and ages ---

OLDEST_YEARS = 130
_DATE_PATTERNS = (
    re.compile(r"(?P<y>[0-9]{4})[-/.\s]+(?P<m>[0-9]{1,2})[-/.\s]+(?P<d>[0-9]{1,2})"),
    re.compile(r"(?P<d>[0-9]{1,2})[-/.\s]+(?P<m>[0-9]{1,2})[-/.\s]+(?P<y>[0-9]{4})"),
    re.compile(r"(?P<d>[0-9]{2})(?P<m>[0-9]{2})(?P<y>[0-9]{4})"),
)
_AGE_UNITS = ("tahun|thn|th", "bulan|bln|bl", "minggu|mgg", "hari|hr")
_AGE = re.compile("".join(rf"(?:([0-9]{{1,4}})\s*(?:{unit})[.,]?\s*)?" for unit in _AGE_UNITS))


class EstimatedBirth(NamedTuple):
    """A birth date worked out from a told age; precision is "year", "month" or "day"."""

    birth_date: date
    precision: str


def date_or_none(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def full_years(birth_date: date, today: date) -> int:
    not_yet = (today.month, today.day) < (birth_date.month, birth_date.day)
    return today.year - birth_date.year - not_yet


def parse_date(text: str) -> date:
    """The date typed as YYYY-MM-DD, DD-MM-YYYY or DDMMYYYY; separators - / . or space."""
    found = next((m for p in _DATE_PATTERNS if (m := p.fullmatch(text.strip()))), None)
    if not found:
        raise FieldError("DATE", "Tulis tanggal lengkap dengan tahun 4 angka, misalnya 17-08-1945.")
    year, month, day = (int(found[part]) for part in "ymd")
    if parsed := date_or_none(year, month, day):
        return parsed
    if (month, day) == (2, 29) and year:
        raise FieldError("DATE", f"29 Februari {year} tidak ada (bukan kabisat). Periksa kartu.")
    shown = f"{day:02}-{month:02}-{year:04}"
    raise FieldError("DATE", f"Tanggal {shown} tidak ada. Periksa hari, bulan dan tahunnya.")


def parse_birth_date(text: str, today: date) -> date:
    """A typed date that a living person can be born on: not after today, at most 130 years ago."""
    parsed = parse_date(without_label(text, "Tanggal lahir"))
    if parsed > today:
        raise FieldError("DATE", "Tanggal lahir belum terjadi. Periksa tahun yang diketik.")
    if full_years(parsed, today) > OLDEST_YEARS:
        raise FieldError("DATE", "Tanggal lahir lebih dari 130 tahun lalu. Periksa tahunnya.")
    return parsed


def _months_before(today: date, months: int) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))


def is_birth_year(text: str) -> bool:
    """Whether the year of birth was typed where an age or a date is asked for."""
    return bool(re.fullmatch(r"(?:19|20)[0-9]{2}", text.strip()))


def parse_age(text: str, today: date) -> EstimatedBirth:
    """Birth date for "40", "40 th", "2 tahun 3 bulan", "3 minggu" or "10 hari" as told today.

    Whole years give the last 1 July at that age; months keep the day; weeks, days count back.
    """
    typed = age_in_units(text)
    if is_birth_year(typed):  # its 1 July, of this year at the latest today
        born = today if typed == str(today.year) and today.month < 7 else date(int(typed), 7, 1)
        return EstimatedBirth(parse_birth_date(born.isoformat(), today), "year")
    found = _AGE.fullmatch(f"{typed} th" if typed.isdecimal() else typed)
    if not found or not found.lastindex:
        raise FieldError("AGE", "Tulis umur dengan angka, misalnya 40 tahun, 8 bulan atau 10 hari.")
    years, months, weeks, days = (int(number or 0) for number in found.groups())
    if found.lastindex == 1 and not years:
        raise FieldError("AGE", "Di bawah 1 tahun: tulis dalam bulan atau hari, misalnya 8 bulan.")
    if years * 12 + months + (weeks * 7 + days) // 30 > OLDEST_YEARS * 12:
        raise FieldError("AGE", "Umur lebih dari 130 tahun. Periksa angka yang diketik.")
    born = _months_before(today, years * 12 + months)
    if found.lastindex == 1:
        return EstimatedBirth(date(born.year - (today.month < 7), 7, 1), "year")
    born -= timedelta(weeks=weeks, days=days)
    return EstimatedBirth(born, "month" if found.lastindex == 2 else "day")


# --- NIK (structure: UU 23/2006 art. 13 as amended by UU 24/2013; it has no check digit) ---

# First two digits, Kepmendagri 300.2.2-2430/2025: 38 provinces, and no 97.
_CODES = """11 12 13 14 15 16 17 18 19 21 31 32 33 34 35 36 51 52 53
            61 62 63 64 65 71 72 73 74 75 76 81 82 91 92 93 94 95 96"""
PROVINCES = frozenset(_CODES.split())
KTP_AGE = 17

NO_NIK_REASONS = {
    "BAYI": "Bayi belum punya NIK",
    "BELUM_BAWA": "Punya NIK, kartu atau KK belum dibawa",
    "LUPA_KARTU": "Lupa membawa kartu hari ini",
    "ASING": "Warga negara asing",
    "TANPA_DOKUMEN": "Tidak punya dokumen",
    "TIDAK_DIKENAL": "Tidak dikenal atau tidak sadar",
}


class NikFacts(NamedTuple):
    """What the digits say; candidates are the possible birth dates up to today, oldest first."""

    candidates: tuple[date, ...]
    birth_date: date | None
    sex: str | None


def _number(text: str, length: int, rule: str, name: str, way_on: str) -> str:
    # Not isdigit(): it also takes Arabic-Indic and full-width digits.
    number = re.sub(r"[\s.:\-]+", "", without_label(printable(text), name))
    if re.search(r"[^0-9]", number):
        raise FieldError(rule, f"{name} hanya boleh berisi angka 0-9. {way_on}")
    if len(number) != length:
        raise FieldError(rule, f"{name} harus {length} angka; yang diketik {len(number)}. {way_on}")
    return number


def _refuse_placeholder(nik: str, way_on: str) -> None:
    if len(set(nik)) == 1 or nik == "1234567890123456" or nik.endswith("0000"):
        raise FieldError("NIK-PLACEHOLDER", f"Ini bukan NIK asli, hanya angka pengisi. {way_on}")


def nik_dates(nik: str) -> list[date]:
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    day -= 40 if day > 40 else 0  # women carry day + 40
    return [d for century in (1900, 2000) if (d := date_or_none(century + year, month, day))]


def parse_nik(text: str, as_printed: bool = False, way_on: str = "") -> str:
    """16 digits; as_printed lets an impossible date pass because the card really says so.

    `way_on`: what to do, on a form that offers neither reasons for having none nor as_printed.
    """
    nik = _number(text, 16, "NIK", "NIK", way_on or "Periksa kartu, atau pilih alasan tanpa NIK.")
    _refuse_placeholder(nik, way_on or "Kosongkan NIK dan pilih alasan tanpa NIK.")
    if not as_printed and not nik_dates(nik):
        printed = 'Periksa kartu; bila benar, centang "NIK memang tertulis begitu di kartunya".'
        told = f"Tanggal lahir di dalam NIK tidak mungkin. {way_on or printed}"
        raise FieldError("NIK-DATE", told)
    return nik


def parse_mother_nik(text: str) -> str:
    """16 digits; what is odd about the date in it is asked on the check page."""
    way_on = "Periksa kartu ibu, atau kosongkan dan tulis alasannya di halaman periksa."
    nik = _number(text, 16, "NIK", "NIK ibu", way_on)
    _refuse_placeholder(nik, "Kosongkan NIK ibu dan tulis alasannya di halaman periksa.")
    return nik


def nik_facts(nik: str, today: date, told: date | None = None) -> NikFacts:
    """Birth date and sex to offer, never to store unasked, from a NIK that parse_nik accepted.

    Century: the date nearest to what was told, be it an age in years; else the younger one.
    """
    day = int(nik[6:8])
    sex = "L" if 1 <= day <= 31 else "P" if 41 <= day <= 71 else None
    candidates = tuple(d for d in nik_dates(nik) if d <= today)
    best = candidates[-1] if candidates else None
    if told and candidates:
        best = min(candidates, key=lambda born: abs(born - told))
    return NikFacts(candidates, best, sex)


def parse_bpjs_number(text: str) -> str:
    """13 digits kept as text, leading zeros too; no public check digit exists."""
    return _number(text, 13, "BPJS", "Nomor BPJS", "Periksa kartu, atau kosongkan dulu.")


def parse_kk_number(text: str) -> str:
    """16 digits of a family card; only the length can be checked."""
    return _number(text, 16, "KK", "Nomor KK", "Periksa Kartu Keluarga, atau kosongkan dulu.")


PHONE_LENGTH = 20  # of its column
_PASSPORT = re.compile("[A-Z0-9]{5,20}")


def normalise_passport(text: str) -> str:
    """Letters and digits in capitals; what cannot be a passport's number stays as it was typed."""
    number = re.sub(r"[\s.\-]+", "", printable(text)).upper()
    return number if _PASSPORT.fullmatch(number) else clean_text(text, 20)


def is_usual_passport(number: str) -> bool:
    """5 to 20 letters and digits; countries differ too much for a stricter rule."""
    return bool(_PASSPORT.fullmatch(number))


def parse_rt_rw(text: str) -> str:
    """A neighbourhood number as three digits: "3", "03" and "RT 003" give "003"."""
    found = re.fullmatch(r"(?:R[TW][.\s]*)?([0-9]{1,3})", text.strip().upper())
    if not found:
        raise FieldError("RT-RW", "Isi RT dan RW dengan paling banyak 3 angka, misalnya 003.")
    return found[1].zfill(3)


def _told_phone(text: str) -> tuple[str, str]:
    """What is kept of a told number, and what is odd about it; nothing when it could be dialled."""
    if number := phone_number(text):
        return number, ""
    whole = clean_text(text, len(text) * 3)  # composing triples the letters at most
    if len(whole) <= PHONE_LENGTH:
        return whole, "tidak lazim"
    kept = first_phone_number(whole) or whole[:PHONE_LENGTH].rstrip()
    return kept, f"terlalu panjang, yang disimpan hanya {kept}"


def normalise_phone(text: str) -> str:
    """E.164, of two numbers that of the first; else as it was typed, as far as there is room."""
    return _told_phone(text)[0]


def phone_finding(text: str) -> Finding | None:
    """PHONE-1, never more than a warning, for what nobody could dial as it was typed."""
    odd = _told_phone(text)[1] if text.strip() else ""
    sentence = f"Nomor HP {odd}. Tanyakan lagi kepada pasien."
    return Finding("PHONE-1", "warning", sentence) if odd else None


def clean_text(text: str, max_length: int, *, newlines: bool = False) -> str:
    """NFC text without control characters and repeated spaces; lines are kept when asked."""
    lines = (" ".join(printable(line.replace("\t", " ")).split()) for line in text.splitlines())
    cleaned = unicodedata.normalize("NFC", "\n".join(lines)).strip()
    cleaned = re.sub(r"\n{3,}", "\n\n", cleaned) if newlines else " ".join(cleaned.split())
    if len(cleaned) > max_length:
        sizes = f"{len(cleaned)} huruf, paling banyak {max_length}"
        raise FieldError("LENGTH", f"Tulisan terlalu panjang ({sizes}). Ringkas dulu.")
    return cleaned


def clean_name(text: str, unknown: bool = False) -> str:
    """A name of up to 100 characters with a letter in it; unknown people may have none."""
    name = clean_text(text, 100)
    if not unknown and not any(c.isalpha() for c in name):
        raise FieldError("NAME", "Tulis nama seperti di KTP; nama harus memuat huruf.")
    return name


def checked_by(parse: Callable[..., Any], **options: Any) -> Callable[[Form, Field], None]:
    """WTForms validator: the parsed value goes to field.cleaned, a FieldError to the errors.

    The field keeps the raw text, so that what was typed is shown again. A callable option is
    asked with the form: checked_by(parse_birth_date, today=lambda form: form.today).
    """

    def check(form: Form, field: Field) -> None:
        field.cleaned = field.failed_rule = None
        if not (field.data or "").strip():
            return
        asked = {name: o(form) if callable(o) else o for name, o in options.items()}
        try:
            field.cleaned = parse(field.data, **asked)
        except FieldError as error:
            field.failed_rule = error.rule
            raise ValidationError(str(error)) from error

    return check
