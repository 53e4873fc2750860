"""Indonesian words for dates, ages, numbers and codes, and masks; pure; FILTERS go to Jinja."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MONTHS = tuple(
    ["Januari", "Februari", "Maret", "April", "Mei", "Juni"]
    + ["Juli", "Agustus", "September", "Oktober", "November", "Desember"]
)
SEX_LABELS = {"L": "Laki-laki", "P": "Perempuan"}
PAYER_LABELS = {
    "UMUM": "Umum (bayar sendiri)",
    "JKN_PBI": "JKN PBI (iuran dibayar pemerintah)",
    "JKN_NON_PBI": "JKN non-PBI",
    "JAMKESDA": "Jamkesda",
    "GRATIS_PROGRAM": "Gratis program",
    "ASURANSI_LAIN": "Asuransi lain",
}
PHONE_OWNER_LABELS = {"sendiri": "Sendiri", "keluarga": "Keluarga", "tetangga": "Tetangga"}
BPJS_HOME_LABELS = {"sini": "Puskesmas ini", "lain": "Faskes lain"}
PRIORITY_LABELS = {
    "LANSIA": "Lansia",
    "HAMIL": "Ibu hamil",
    "DISABILITAS": "Disabilitas",
    "BALITA": "Balita",
    "GAWAT": "Gawat darurat",
}
PREGNANCY_LABELS = {"ya": "Hamil", "tidak": "Tidak hamil", "nifas": "Nifas"}
VISIT_TYPE_LABELS = {"SAKIT": "Kunjungan sakit", "SEHAT": "Kunjungan sehat"}
CLUSTER_LABELS = {
    "1": "Klaster 1: Manajemen",
    "2": "Klaster 2: Ibu dan anak",
    "3": "Klaster 3: Usia dewasa dan lansia",
    "4": "Klaster 4: Penanggulangan penyakit menular",
    "LINTAS": "Lintas klaster",
}
STATE_LABELS = {
    "waiting": "Menunggu",
    "called": "Dipanggil",
    "in_service": "Dilayani",
    "awaiting_result": "Menunggu hasil",
    "done": "Selesai",
    "skipped": "Dilewati",
    "moved": "Dipindah",
    "cancelled": "Batal",
    "left": "Pulang sendiri",
    "unfinished": "Tidak selesai",
}
ROLE_LABELS = {
    "registration": "Pendaftaran",
    "poli": "Petugas poli",
    "records": "Rekam medis",
    "head": "Kepala puskesmas",
    "operator": "Petugas TI",
}
CONSENT_LABELS = {"setuju": "Setuju", "menolak": "Menolak"}
SIGNER_LABELS = {
    "pasien": "Pasien sendiri",
    "orang_tua": "Orang tua",
    "suami_istri": "Suami atau istri",
    "anak": "Anak",
    "wali": "Wali atau keluarga lain",
}
DISPOSITION_LABELS = {
    "pulang": "Pulang",
    "kontrol": "Kontrol kembali",
    "rujuk_internal": "Rujuk internal",
    "rujuk_eksternal": "Rujuk ke luar",
    "meninggal": "Meninggal di puskesmas",
    "doa": "Tiba sudah meninggal (DOA)",
}


class Age(NamedTuple):
    """Completed years, months and days; total_months are all completed months."""

    years: int
    months: int
    days: int
    total_months: int


def age_on(birth_date: date, day: date) -> Age:
    """Age by calendar birthday; where the day is missing (29 February) the next day counts.

    Raises ValueError for a day before birth.
    """
    if day < birth_date:
        raise ValueError("day before birth")
    total = (day.year - birth_date.year) * 12 + day.month - birth_date.month
    total -= day.day < birth_date.day
    return Age(*divmod(total, 12), (day - _month_day(birth_date, total)).days, total)


def _month_day(birth_date: date, months: int) -> date:
    year, month = divmod(birth_date.year * 12 + birth_date.month - 1 + months, 12)
    if birth_date.day <= monthrange(year, month + 1)[1]:
        return date(year, month + 1, birth_date.day)
    return date(year, month + 2, 1)  # December has 31 days, so the month exists


def age_text(
    birth_date: date | None, day: date, is_estimated: bool = False, kept_days: int | None = None
) -> str:
    """Such as "34 tahun"; under five "2 tahun 3 bulan", "8 bulan"; estimated "~34 tahun".

    `kept_days`, the days that a visit keeps: 0 for who was born in the night of the day before.
    """
    if birth_date and kept_days == 0:
        day = max(day, birth_date)
    if birth_date is None or day < birth_date:
        return "umur tidak diketahui"
    age = age_on(birth_date, day)
    parts = [f"{age.years} tahun"] if age.years else []
    if age.years < 5 and age.months:
        parts.append(f"{age.months} bulan")
    return "~" * is_estimated + (" ".join(parts) or f"{age.days} hari")


def long_date(day: date | None) -> str:
    """Such as "Sabtu, 21 November 2026"."""
    if day is None:
        return "-"
    return f"{DAYS[day.weekday()]}, {letter_date(day)}"


def letter_date(day: date | None) -> str:
    """Such as "21 November 2026", as letters write it."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}" if day else "-"


def short_date(day: date | None) -> str:
    """Such as "21-11-2026"."""
    return f"{day.day:02}-{day.month:02}-{day.year:04}" if day else "-"


def _in_zone(at: datetime, zone_name: str) -> datetime:
    # Times from the database may come without a zone; they are UTC.
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone_name))


def clock_time(at: datetime | None, zone_name: str) -> str:
    """Such as "08.31" in the clinic's zone, from a UTC time."""
    return f"{_in_zone(at, zone_name):%H.%M}" if at else "-"


def time_from(at: datetime | None, zone_name: str, on: date | None) -> str:
    """Such as "08.31" for a time of this day, else "02-12-2026 08.31"."""
    if at is None or day_in_zone(at, zone_name) == on:
        return clock_time(at, zone_name)
    return f"{short_date(day_in_zone(at, zone_name))} {clock_time(at, zone_name)}"


def second_of_day(at: datetime, zone_name: str) -> int:
    """Seconds since midnight on the clinic's clock, from a UTC time."""
    local = _in_zone(at, zone_name)
    return (local.hour * 60 + local.minute) * 60 + local.second


def day_in_zone(at: datetime, zone_name: str) -> date:
    """The clinic's calendar day of a UTC time."""
    return _in_zone(at, zone_name).date()


def number_text(value: int | float | Decimal | None) -> str:
    """Such as "1.234,5": Indonesian separators, no trailing zeros."""
    if value is None:
        return "-"
    whole, _, places = f"{Decimal(str(value)):,f}".partition(".")
    places = places.rstrip("0")
    return whole.replace(",", ".") + (f",{places}" if places else "")


_UNITS = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan")
_UNITS += ("sepuluh", "sebelas")


def number_words(number: int) -> str:
    """Such as "dua puluh satu", for whole numbers from 0 to 999."""
    if number < len(_UNITS):
        return _UNITS[number]
    if number < 20:
        return f"{_UNITS[number - 10]} belas"
    size, word = (10, "puluh") if number < 100 else (100, "ratus")
    count, rest = divmod(number, size)
    words = f"se{word}" if count == 1 else f"{_UNITS[count]} {word}"
    return f"{words} {number_words(rest)}" if rest else words


def minutes_text(minutes: int) -> str:
    """Such as "12 menit" or "1 jam 5 menit"."""
    hours, rest = divmod(max(minutes, 0), 60)
    parts = [f"{hours} jam"] if hours else []
    return " ".join(parts + ([f"{rest} menit"] if rest else [])) or "kurang dari 1 menit"


def mask_nik(nik: str | None) -> str:
    """Region and serial only, the birth date hidden; anything but 16 characters is hidden whole."""
    if not nik:
        return "-"
    return f"{nik[:6]}••••••{nik[-4:]}" if len(nik) == 16 else "•" * len(nik)


# Form fields of numbers that name a person; the first hold a NIK or look like one.
NIK_FIELDS = ("nik", "mother_nik", "kk_number")
NUMBER_FIELDS = (*NIK_FIELDS, "bpjs_number", "passport_no")
_LONG_NUMBER = re.compile(r"[0-9](?:[ .-]?[0-9]){15,}")


def mask_numbers(text: str) -> str:
    """With every NIK in it masked."""
    return _LONG_NUMBER.sub(lambda found: mask_nik(re.sub(r"[^0-9]", "", found[0])), text)


def mask_typed(text: str, field: str) -> str:
    """What was typed in a field, to be shown outside its form; a search holds numbers too."""
    bare = re.sub(r"[\s.:\-]", "", text)
    if field in NUMBER_FIELDS or re.fullmatch("[0-9]{13,}", bare):
        return mask_nik(bare)
    return mask_numbers(text)


def mask_phone(phone: str | None) -> str:
    """The last three digits, enough to ask "yang berakhir 890?"."""
    if not phone:
        return "-"
    return "•" * (len(phone) - 3) + phone[-3:] if len(phone) > 6 else "•" * len(phone)


def _words_of(labels: dict[str, str]) -> Callable[[str | None], str]:
    return lambda code: labels.get(code, code) if code else "-"


sex_text = _words_of(SEX_LABELS)


def cluster_words(code: str) -> str:
    """What stands behind "klaster" in a sentence, never the code alone."""
    number, _, name = CLUSTER_LABELS.get(code, code).removeprefix("Klaster ").partition(": ")
    return f"{number} ({name})" if name else "lintas"


FILTERS: dict[str, Callable[..., Any]] = {
    "mask_nik": mask_nik,
    "mask_phone": mask_phone,
    "mask_typed": mask_typed,
    "age_text": age_text,
    "long_date": long_date,
    "letter_date": letter_date,
    "short_date": short_date,
    "clock_time": clock_time,
    "time_from": time_from,
    "second_of_day": second_of_day,
    "day_in_zone": day_in_zone,
    "number_text": number_text,
    "minutes_text": minutes_text,
    "sex_text": sex_text,
    "payer_text": _words_of(PAYER_LABELS),
    "phone_owner_text": _words_of(PHONE_OWNER_LABELS),
    "bpjs_home_text": _words_of(BPJS_HOME_LABELS),
    "priority_text": _words_of(PRIORITY_LABELS),
    "pregnancy_text": _words_of(PREGNANCY_LABELS),
    "visit_type_text": _words_of(VISIT_TYPE_LABELS),
    "cluster_text": _words_of(CLUSTER_LABELS),
    "state_text": _words_of(STATE_LABELS),
    "role_text": _words_of(ROLE_LABELS),
    "disposition_text": _words_of(DISPOSITION_LABELS),
    "consent_text": _words_of(CONSENT_LABELS),
}
