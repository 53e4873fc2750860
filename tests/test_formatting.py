"""Words on the screen: ages by calendar birthday, Indonesian dates, masks, labels."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from wtforms.fields.core import UnboundField

import app  # noqa: F401  whose desks bring their forms
import formatting as f
import models
from clinic import field_words, settings
from page_form import PageForm

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


def test_a_masked_nik_shows_region_and_serial_but_no_birth_date():
    assert f.mask_nik("3171012345678901") == "317101••••••8901"
    assert f.mask_nik(None) == "-"
    assert f.mask_nik("") == "-"


@given(st.text(min_size=1, max_size=40))
@example("3171012345678901")
@example("31710123456")
def test_a_mask_never_shows_more_than_ten_characters(text):
    shown = [c for c in f.mask_nik(text) if c != "•"]
    assert len(shown) <= 10
    assert len(text) == 16 or not shown


def test_a_masked_phone_shows_its_end():
    assert f.mask_phone("+6281234567890") == "•••••••••••890"
    assert f.mask_phone("0812") == "••••"
    assert f.mask_phone(None) == "-"


def test_the_age_grows_on_the_birthday():
    born = date(2020, 5, 17)
    assert f.age_on(born, date(2025, 5, 16)) == (4, 11, 29, 59)
    assert f.age_on(born, date(2025, 5, 17)) == (5, 0, 0, 60)
    assert f.age_on(born, born) == (0, 0, 0, 0)


@pytest.mark.parametrize("days", [7, 8, 28, 29])
def test_the_days_of_a_newborn_are_counted(days):
    born = date(2026, 10, 3)
    assert f.age_on(born, born + timedelta(days=days)) == (0, 0, days, 0)


def test_born_on_29_february_the_birthday_is_1_march_in_other_years():
    born = date(2020, 2, 29)
    assert f.age_on(born, date(2023, 2, 28)).years == 2
    assert f.age_on(born, date(2023, 3, 1)) == (3, 0, 0, 36)
    assert f.age_on(born, date(2024, 2, 29)) == (4, 0, 0, 48)


def test_born_on_the_31st_a_month_ends_after_a_shorter_month():
    born = date(2026, 1, 31)
    assert f.age_on(born, date(2026, 2, 28)) == (0, 0, 28, 0)
    assert f.age_on(born, date(2026, 3, 1)) == (0, 1, 0, 1)
    assert f.age_on(born, date(2026, 3, 30)) == (0, 1, 29, 1)


def test_nobody_has_an_age_before_birth():
    with pytest.raises(ValueError, match="before birth"):
        f.age_on(date(2026, 1, 2), date(2026, 1, 1))


@given(DAYS, DAYS, DAYS)
def test_nobody_grows_younger(born, day, later):
    assume(born <= day <= later)
    assert f.age_on(born, day) <= f.age_on(born, later)


@given(DAYS, DAYS)
def test_a_day_makes_nobody_more_than_a_day_older(born, day):
    assume(born < day)
    before, age = f.age_on(born, day - timedelta(days=1)), f.age_on(born, day)
    assert age != before
    assert age.total_months - before.total_months in (0, 1)
    assert 0 <= age.days <= 30
    assert age.total_months == age.years * 12 + age.months


@pytest.mark.parametrize(
    ("born", "text"),
    [
        (date(1992, 1, 9), "34 tahun"),
        (date(2021, 11, 21), "5 tahun"),
        (date(2021, 11, 22), "4 tahun 11 bulan"),
        (date(2024, 8, 1), "2 tahun 3 bulan"),
        (date(2024, 11, 21), "2 tahun"),
        (date(2026, 3, 1), "8 bulan"),
        (date(2026, 11, 9), "12 hari"),
        (date(2026, 11, 21), "0 hari"),
        (None, "umur tidak diketahui"),
        (date(2026, 11, 22), "umur tidak diketahui"),
    ],
)
def test_an_age_in_words(born, text):
    assert f.age_text(born, date(2026, 11, 21)) == text


def test_an_estimated_age_is_marked():
    assert f.age_text(date(1986, 7, 1), date(2026, 11, 21), True) == "~40 tahun"


def test_dates_in_words():
    assert f.long_date(date(2026, 11, 21)) == "Sabtu, 21 November 2026"
    assert f.long_date(date(2027, 1, 3)) == "Minggu, 3 Januari 2027"
    assert f.short_date(date(2026, 1, 2)) == "02-01-2026"
    assert f.long_date(None) == f.short_date(None) == "-"


def test_times_are_told_in_the_clinics_zone():
    at = datetime(2026, 11, 21, 0, 31, 5, tzinfo=UTC)
    assert f.clock_time(at, "Asia/Makassar") == "08.31"
    assert f.clock_time(at.replace(tzinfo=None), "Asia/Jakarta") == "07.31"
    assert f.clock_time(at.astimezone(timezone(timedelta(hours=9))), "Asia/Jayapura") == "09.31"
    assert f.clock_time(None, "Asia/Makassar") == "-"


def test_the_clinics_day_begins_before_the_utc_day():
    at = datetime(2026, 11, 20, 16, 0)
    assert f.day_in_zone(at, "Asia/Makassar") == date(2026, 11, 21)
    assert f.day_in_zone(at, "Asia/Jakarta") == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234567, "1.234.567"),
        (Decimal("36.50"), "36,5"),
        (Decimal("60.00"), "60"),
        (1234.5, "1.234,5"),
        (-1500, "-1.500"),
        (None, "-"),
    ],
)
def test_numbers_have_indonesian_separators(value, text):
    assert f.number_text(value) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (-2, "kurang dari 1 menit"),
        (0, "kurang dari 1 menit"),
        (12, "12 menit"),
        (60, "1 jam"),
        (65, "1 jam 5 menit"),
    ],
)
def test_minutes_in_words(minutes, text):
    assert f.minutes_text(minutes) == text


@pytest.mark.parametrize(
    ("labels", "codes"),
    [
        (f.STATE_LABELS, models.EntryState),
        (f.ROLE_LABELS, models.Role),
        (f.DISPOSITION_LABELS, [*models.Disposition, *models.Death]),
        (f.PRIORITY_LABELS, [code for code in models.Priority if code]),
    ],
)
def test_every_code_of_the_tables_has_its_words(labels, codes):
    assert set(labels) == set(codes)


def test_filters_turn_codes_into_words_and_keep_the_unknown():
    assert f.FILTERS["sex_text"]("P") == "Perempuan"
    assert f.FILTERS["state_text"](models.EntryState.AWAITING_RESULT) == "Menunggu hasil"
    assert f.FILTERS["payer_text"](None) == f.FILTERS["priority_text"]("") == "-"
    assert f.FILTERS["cluster_text"]("9") == "9"
    assert f.FILTERS["age_text"] is f.age_text


def test_fields_are_named_in_words_where_their_page_is_not_at_hand():
    named = ("nik", "kk_number", "q", "alasan-b1f0", "systolic_2", "lmp", "is_in_area")
    assert [field_words.field_text(name) for name in named] == [
        "NIK",
        "Nomor KK",
        "Pencarian",
        "Alasan",
        "Sistolik",
        "HPHT",
        "Dalam wilayah",
    ]
    assert field_words.field_text("cara_lain") == "Cara lain"
    assert field_words.field_text("closes_at") == settings.DEFINITIONS["closes_at"].label


def test_what_was_sent_is_read_again_in_the_words_of_its_form():
    sent = [("no_nik_reason", "LUPA_KARTU"), ("sex", "L"), ("payer", "UMUM"), ("poli", "UMUM")]
    sent += [("aksi", "ubah:3"), ("clinical", "y"), ("yakin-b1f0", "1"), ("draft-3", "b1f0")]
    sent += [("alasan", ""), ("sig", "3 x 1"), ("pilih-name", "ketik")]
    rows = field_words.typed_rows(sent, {"UMUM": "Poli Umum"})
    assert [(row.label, row.text) for row in rows] == [
        ("Alasan tanpa NIK", "Lupa membawa kartu hari ini"),
        ("Jenis kelamin", "Laki-laki"),
        ("Pembiayaan", "Umum (bayar sendiri)"),
        ("Ruang", "Poli Umum"),
        ("Tombol yang ditekan", "Ubah"),
        ("Klinis sesuai", "ya"),
        ("Angka ini benar", "ya"),
        ("Aturan pakai", "3 x 1"),
        ("Yang benar (Nama)", "Diketik"),
    ]


def test_a_line_of_the_paper_sheet_says_of_which_slip_it_is_and_an_empty_one_nothing():
    sent = [("tanggal", "26-11-2026"), ("slip-1", "KT012"), ("name-1", "Siti"), ("sex-1", "P")]
    sent += [("why-1", "BELUM_BAWA"), ("slip-2", ""), ("name-2", ""), ("why-2", "BELUM_BAWA")]
    sent += [("slip-3", ""), ("born-3", "41 th"), ("served-3", "sudah")]
    assert [(row.label, row.text) for row in field_words.typed_rows(sent, {})] == [
        ("Tanggal", "26-11-2026"),
        ("Slip KT012: Nomor", "KT012"),
        ("Slip KT012: Nama", "Siti"),
        ("Slip KT012: Jenis kelamin", "Perempuan"),
        ("Slip KT012: Bila tanpa NIK", "Punya NIK, kartu atau KK belum dibawa"),
        ("Slip di baris 3: Lahir atau umur", "41 th"),
        ("Slip di baris 3: Pasien", "Sudah dilayani"),
    ]
    assert field_words.is_typed("alasan") and not field_words.is_typed("draft-3")


def test_every_field_of_a_form_that_is_sent_has_a_word_or_is_not_shown():
    plain = re.compile(r'<(?:input|select|textarea)\b[^>]*? name="([a-z_]+)[-"]')
    names = {
        name
        for form in subclasses(PageForm)
        for name in dir(form)
        if isinstance(getattr(form, name), UnboundField)
    }
    for page in (Path(f.__file__).parent / "templates").rglob("*.html"):
        names |= set(plain.findall(page.read_text("utf-8")))
    # Forms that were made for one request, such as an amendment's, have numbered fields.
    names = {re.sub(r"_\d+$", "", name) for name in names}
    typed = {name.partition("-")[0] for name in names if field_words.is_typed(name)}
    assert typed - field_words.WORDS.keys() == set()


def subclasses(kind: type) -> list[type]:
    return [each for one in kind.__subclasses__() for each in (one, *subclasses(one))]


def test_a_time_of_another_day_has_its_date():
    at = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)
    assert f.time_from(at, "Asia/Makassar", date(2026, 12, 2)) == "07.30"
    assert f.time_from(at, "Asia/Makassar", date(2026, 12, 1)) == "02-12-2026 07.30"
    assert f.time_from(None, "Asia/Makassar", None) == "-"
