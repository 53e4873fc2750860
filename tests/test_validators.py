"""Field rules: what is accepted, what is refused, and that the refusal tells the way on."""

from datetime import date
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms import Form, StringField

import validators as v
from clinic.vital_signs import parse_vital

TODAY = date(2026, 11, 21)
# The ministry's own test patients: NIK, sex, published birth date.
SANDBOX = [
    ("9271060312000001", "L", date(1992, 1, 9)),
    ("9204014804000002", "P", date(1989, 11, 3)),
    ("9104224509000003", "P", date(1976, 7, 7)),
    ("9104223107000004", "L", date(1977, 9, 3)),
    ("9104224606000005", "P", date(2004, 8, 21)),
    ("9104025209000006", "P", date(2001, 4, 16)),
    ("9201076001000007", "P", date(1985, 9, 18)),
    ("9201394901000008", "P", date(1996, 6, 8)),
    ("9201076407000009", "P", None),
    ("9210060207000010", "L", None),
]


def refusal(parse, *args, **kwargs) -> v.FieldError:
    with pytest.raises(v.FieldError) as caught:
        parse(*args, **kwargs)
    assert str(caught.value).endswith(".")
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "1945-08-17",
        "17-08-1945",
        "17/08/1945",
        "17081945",
        "17.08.1945",
        " 17 08 1945 ",
        "17-8-1945",
    ],
)
def test_a_date_may_be_typed_in_each_of_these_ways(text):
    assert v.parse_date(text) == date(1945, 8, 17)


@pytest.mark.parametrize(
    "text", ["17-08-45", "170845", "Agustus", "", "1-2", "١٧-٠٨-١٩٤٥", "1945817"]
)
def test_other_shapes_of_a_date_are_refused_with_an_example(text):
    assert "17-08-1945" in str(refusal(v.parse_date, text))


@pytest.mark.parametrize(
    "text", ["31-02-1990", "32011990", "1990-13-01", "00-00-0000", "29-02-0000"]
)
def test_a_date_that_does_not_exist_is_refused(text):
    assert "tidak ada" in str(refusal(v.parse_date, text))


def test_29_february_exists_in_leap_years_only():
    assert v.parse_date("29-02-2000") == date(2000, 2, 29)
    assert "kabisat" in str(refusal(v.parse_date, "29-02-1900"))


def test_birth_dates_end_today_and_begin_130_years_ago():
    assert v.parse_birth_date("21-11-2026", TODAY) == TODAY
    assert "belum terjadi" in str(refusal(v.parse_birth_date, "22-11-2026", TODAY))
    assert v.parse_birth_date("22-11-1895", TODAY) == date(1895, 11, 22)
    assert "130 tahun" in str(refusal(v.parse_birth_date, "21-11-1895", TODAY))


@pytest.mark.parametrize(
    ("text", "born", "precision"),
    [
        ("40", date(1986, 7, 1), "year"),
        ("40 th", date(1986, 7, 1), "year"),
        ("40 Tahun", date(1986, 7, 1), "year"),
        ("40thn.", date(1986, 7, 1), "year"),
        ("8 bulan", date(2026, 3, 21), "month"),
        ("8 bln", date(2026, 3, 21), "month"),
        ("2 tahun 3 bulan", date(2024, 8, 21), "month"),
        ("3 minggu", date(2026, 10, 31), "day"),
        ("10 hari", date(2026, 11, 11), "day"),
        ("1 bulan 2 minggu", date(2026, 10, 7), "day"),
        ("0 hari", TODAY, "day"),
        ("1,5 th", date(2025, 5, 21), "month"),
        ("1.5", date(2025, 5, 21), "month"),
        ("setahun setengah", date(2025, 5, 21), "month"),
        ("2 ½ tahun", date(2024, 5, 21), "month"),
        ("setengah tahun", date(2026, 5, 21), "month"),
        ("0,5 thn.", date(2026, 5, 21), "month"),
        ("setahun", date(2025, 7, 1), "year"),
        ("sebulan", date(2026, 10, 21), "month"),
        ("seminggu", date(2026, 11, 14), "day"),
        ("± 60", date(1966, 7, 1), "year"),
        ("+/- 60 th", date(1966, 7, 1), "year"),
        ("kira-kira 60", date(1966, 7, 1), "year"),
        ("umur 60an", date(1966, 7, 1), "year"),
        ("60-an th", date(1966, 7, 1), "year"),
        ("1960an", date(1960, 7, 1), "year"),
    ],
)
def test_a_told_age_becomes_an_estimated_birth_date(text, born, precision):
    assert v.parse_age(text, TODAY) == (born, precision)


@pytest.mark.parametrize(
    ("year", "today", "born"),
    [
        ("1986", date(2026, 11, 21), date(1986, 7, 1)),
        ("1986", date(2027, 1, 5), date(1986, 7, 1)),
        ("2022", date(2027, 5, 5), date(2022, 7, 1)),
        ("2027", date(2027, 3, 5), date(2027, 3, 5)),
        ("2027", date(2027, 7, 5), date(2027, 7, 1)),
    ],
)
def test_a_birth_year_stays_the_year_that_was_told(year, today, born):
    assert v.parse_age(year, today) == (born, "year")
    assert "belum terjadi" in str(refusal(v.parse_age, str(today.year + 1), today))


@pytest.mark.parametrize(
    "text",
    ["", "tua", "1,3 tahun", "1,5 bulan", "setengah", "40 abad", "-3", "3 bulan 2 tahun", "٤٠"],
)
def test_an_unreadable_age_is_refused_with_examples(text):
    assert "8 bulan" in str(refusal(v.parse_age, text, TODAY))


def test_nobody_is_131():
    assert v.parse_age("130", TODAY).birth_date == date(1896, 7, 1)
    assert "130" in str(refusal(v.parse_age, "131", TODAY))
    for age in ("9999 bulan", "9999 minggu"):
        assert "130" in str(refusal(v.parse_age, age, TODAY))


@pytest.mark.parametrize("text", ["0", "0 th", "00 tahun"])
def test_a_newborn_is_told_in_months_or_days(text):
    assert "Di bawah 1 tahun" in str(refusal(v.parse_age, text, TODAY))
    assert v.parse_age("0 hari", TODAY) == (TODAY, "day")


def test_months_end_on_the_last_day_of_a_shorter_month():
    assert v.parse_age("1 bulan", date(2026, 3, 31)).birth_date == date(2026, 2, 28)


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)), st.integers(1, 130))
@example(date(2028, 2, 29), 5)
@example(date(2026, 6, 30), 1)
def test_a_told_age_in_years_is_the_age_today(today, years):
    born = v.parse_age(str(years), today).birth_date
    assert born <= today
    assert v.full_years(born, today) == years


@pytest.mark.parametrize("nik", [row[0] for row in SANDBOX])
def test_the_ministrys_own_test_patients_are_accepted(nik):
    assert v.parse_nik(nik) == nik


@pytest.mark.parametrize(
    "nik",
    [
        "3171011708450001",
        "3171015708450001",
        "3171012902001234",
        "6501010101900001",
        "9603010101900001",
        "9271060312000001",
        "9104224509000003",
        "9201394901000008",
    ],
)
def test_a_real_nik_is_accepted_however_new_or_old_its_region(nik):
    assert v.parse_nik(nik) == nik


@pytest.mark.parametrize(
    "text",
    [
        "3171-0117-0845-0001",
        "31.71.01.170845.0001",
        " 317101 170845:0001\r\n",
        "\u202a3171011708450001",
    ],
)
def test_separators_in_a_nik_do_not_matter(text):
    assert v.parse_nik(text) == "3171011708450001"


def test_a_nik_of_another_length_is_counted():
    error = refusal(v.parse_nik, "317101170845001")
    assert str(error) == (
        "NIK harus 16 angka; yang diketik 15. Periksa kartu, atau pilih alasan tanpa NIK."
    )
    assert error.rule == "NIK"
    assert "yang diketik 3." in str(refusal(v.parse_nik, "123"))
    assert "yang diketik 17." in str(refusal(v.parse_nik, "31710117084500011"))


@pytest.mark.parametrize(
    "text",
    [
        "٣١٧١٠١١٧٠٨٤٥٠٠٠١",
        "３１７１０１１７０８４５０００１",
        "31710117084500O1",
        "3171011708450001x",
    ],
)
def test_only_ascii_digits_make_a_nik(text):
    assert "angka 0-9" in str(refusal(v.parse_nik, text))


@pytest.mark.parametrize(
    "text", ["1" * 16, "0" * 16, "9" * 16, "1234567890123456", "3171010101990000"]
)
def test_a_filler_is_refused_with_the_way_on_and_without_override(text):
    for as_printed in (False, True):
        error = refusal(v.parse_nik, text, as_printed=as_printed)
        assert error.rule == "NIK-PLACEHOLDER"
        assert "alasan tanpa NIK" in str(error)


@pytest.mark.parametrize(
    "nik",
    [
        "3171018108450001",  # day 81
        "3171014008450001",  # day 40
        "3171010008450001",  # day 0
        "3171011713450001",  # month 13
        "3171017204900001",  # day 32 of a woman
        "3171012902010001",  # 29 February in 1901 and 2001
    ],
)
def test_an_impossible_date_in_a_nik_needs_the_printed_card(nik):
    error = refusal(v.parse_nik, nik)
    assert error.rule == "NIK-DATE"
    assert "tertulis begitu di kartunya" in str(error)
    assert v.parse_nik(nik, as_printed=True) == nik


@given(st.one_of(st.text(), st.text("0123456789 .-:", min_size=14, max_size=20)), st.booleans())
def test_any_text_is_a_nik_or_a_field_error(text, as_printed):
    try:
        nik = v.parse_nik(text, as_printed)
    except v.FieldError:
        return
    assert len(nik) == 16
    assert set(nik) <= set("0123456789")
    v.nik_facts(nik, TODAY)


@pytest.mark.parametrize(("nik", "sex", "birth_date"), SANDBOX)
def test_the_sex_in_the_sandbox_niks_is_right(nik, sex, birth_date):
    assert v.nik_facts(nik, TODAY, birth_date).sex == sex


def test_a_womans_day_is_counted_from_41():
    assert v.nik_facts("3171015708450001", TODAY) == ((date(1945, 8, 17),), date(1945, 8, 17), "P")
    assert v.nik_facts("3171011708450001", TODAY).sex == "L"


def test_a_printed_nik_without_a_real_date_tells_nothing_false():
    assert v.nik_facts("3171018108450001", TODAY) == ((), None, None)
    assert v.nik_facts("3171013102900001", TODAY) == ((), None, "L")


def test_the_century_follows_what_was_told_then_youth():
    nik, old, young = "3171010101150001", date(1915, 1, 1), date(2015, 1, 1)
    assert v.nik_facts(nik, TODAY).candidates == (old, young)
    assert v.nik_facts(nik, TODAY).birth_date == young
    assert v.nik_facts(nik, TODAY, old).birth_date == old
    assert v.nik_facts(nik, TODAY, date(1970, 5, 5)).birth_date == young
    assert v.nik_facts(nik, TODAY, v.parse_age("108 th", TODAY).birth_date).birth_date == old
    assert v.nik_facts("3171012902001234", TODAY).candidates == (date(2000, 2, 29),)


def test_a_birth_date_after_today_is_no_candidate():
    assert v.nik_facts("3171012211260001", TODAY).birth_date == date(1926, 11, 22)
    assert v.nik_facts("3171012111260001", TODAY).birth_date == TODAY


def test_the_reasons_without_nik_are_those_of_the_contract():
    assert list(v.NO_NIK_REASONS) == [
        "BAYI", "BELUM_BAWA", "LUPA_KARTU", "ASING", "TANPA_DOKUMEN", "TIDAK_DIKENAL",
    ]  # fmt: skip


@pytest.mark.parametrize("number", ["0001113569638", "0000039043765"])
def test_a_bpjs_number_keeps_its_zeros(number):
    assert v.parse_bpjs_number(number) == number
    assert v.parse_bpjs_number(f"{number[:4]} {number[4:]}") == number


def test_a_bpjs_number_has_13_digits():
    assert "harus 13 angka; yang diketik 11" in str(refusal(v.parse_bpjs_number, "11135696380"))
    assert "angka 0-9" in str(refusal(v.parse_bpjs_number, "000111356963A"))


@pytest.mark.parametrize(
    ("parse", "text", "number"),
    [
        (v.parse_nik, "NIK : 3171011708450001", "3171011708450001"),
        (v.parse_nik, "No. KTP/NIK 3171011708450001", "3171011708450001"),
        (v.parse_mother_nik, "NIK Ibu: 3171013102850001", "3171013102850001"),
        (v.parse_bpjs_number, "No. BPJS: 0001113569638", "0001113569638"),
        (v.parse_bpjs_number, "kartu JKN/KIS no 0001113569638", "0001113569638"),
        (v.parse_kk_number, "Nomor KK = 9999999999990000", "9999999999990000"),
    ],
)
def test_a_number_is_read_behind_its_label(parse, text, number):
    assert parse(text) == number


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (v.parse_nik, "KK: 3171011708450001"),
        (v.parse_nik, "NIK ibu 3171011708450001"),
        (v.parse_nik, "Nikita 3171011708450001"),
        (v.parse_bpjs_number, "NIK 0001113569638"),
    ],
)
def test_a_number_behind_another_label_is_not_read(parse, text):
    assert "angka 0-9" in str(refusal(parse, text))


def test_a_birth_date_is_read_behind_its_label():
    assert v.parse_birth_date("Tgl. lahir: 17-08-1990", TODAY) == date(1990, 8, 17)


def test_a_family_card_number_is_checked_for_length_only():
    assert v.parse_kk_number("9999 9999 9999 0000") == "9999999999990000"
    assert "yang diketik 15" in str(refusal(v.parse_kk_number, "317101170845001"))


def test_a_passport_number_is_tidied_and_never_refused():
    assert v.normalise_passport(" a 1234-567 ") == "A1234567"
    assert v.normalise_passport("12345") == "12345"
    for text in ("A123", "A12/345", "Ä12345"):
        assert v.normalise_passport(text) == text
        assert not v.is_usual_passport(text)
    assert refusal(v.normalise_passport, "A" * 21).rule == "LENGTH"  # more than can be kept


def test_a_mothers_nik_may_be_odd_but_must_be_one():
    assert v.parse_mother_nik("3171013102850001") == "3171013102850001"
    assert "NIK ibu harus 16 angka" in str(refusal(v.parse_mother_nik, "123"))
    assert refusal(v.parse_mother_nik, "3171015708850000").rule == "NIK-PLACEHOLDER"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("081234567890", "+6281234567890"),
        ("0812-3456-7890", "+6281234567890"),
        ("+62 812 3456 7890", "+6281234567890"),
        ("6281234567890", "+6281234567890"),
        ("+62 (0) 81234567890", "+6281234567890"),
        ("81234567890", "+6281234567890"),
        ("0812345678", "+62812345678"),  # the shortest and the longest
        ("0812345678901", "+62812345678901"),
        ("(0361) 223344", "+62361223344"),
        ("+60 12-345 6789", "+60123456789"),
        ("WA 0812 3456 7890", "+6281234567890"),
        ("No. HP/WA: +62 812 3456 7890", "+6281234567890"),
        ("Telp (0361) 223344", "+62361223344"),
        ("0812 3456 7890 (suami)", "+6281234567890"),
        ("wa 081234567890 ibunya", "+6281234567890"),
    ],
)
def test_a_phone_number_becomes_international(text, number):
    assert v.normalise_phone(text) == number
    assert v.phone_finding(text) is None


@pytest.mark.parametrize(
    "text",
    ["0812", "hp anak", "081234567890 (Budi)", "0812345678 / 0813", "0812345678901234", "223344"],
)
def test_a_strange_phone_number_is_kept_with_a_warning(text):
    assert v.normalise_phone(text) == text
    assert v.phone_finding(text)[:2] == ("PHONE-1", "warning")


@pytest.mark.parametrize(
    "text",
    [
        "081234567890/081298765432",
        "0812 3456 7890 0812 9876 5432",
        "0812-3456-7890 atau 0812-9876-5432 (suami)",
        "Bu Siti +62 812 3456 7890, sore saja",
        "081234567890 punya tetangga sebelah rumah",
    ],
)
def test_of_more_than_there_is_room_for_the_first_number_is_kept_with_a_warning(text):
    assert v.normalise_phone(text) == "+6281234567890"
    assert v.phone_finding(text)[:2] == ("PHONE-1", "warning")


@pytest.mark.parametrize("text", ["titip di warung depan balai desa", "9" * 80, "1 " * 60])
def test_a_long_text_in_place_of_a_phone_number_is_cut_with_a_warning(text):
    kept = v.normalise_phone(text)
    assert text.startswith(kept) and 18 < len(kept) <= 20
    assert v.phone_finding(text).message.startswith("Nomor HP terlalu panjang, ")


def test_no_phone_number_is_no_finding():
    assert v.phone_finding(" ") is None


def test_rt_and_rw_are_three_digits():
    assert [v.parse_rt_rw(t) for t in ("3", "03", "003", "RT 3", "rw.12")] == [
        "003", "003", "003", "003", "012",
    ]  # fmt: skip
    for text in ("0001", "3/5", "tiga", "٣", ""):
        assert refusal(v.parse_rt_rw, text).rule == "RT-RW"


def test_text_keeps_what_people_mean():
    text = 'Siti "Ti" O\'Neil <b>& 👩‍👩‍👧 é'
    assert v.clean_text(text, 100) == text
    assert v.clean_text("  dua\t  kata\x00\x1b\u202e \ud800", 100) == "dua kata"
    assert v.clean_text("e\u0301", 100) == "é"


def test_text_keeps_lines_only_when_asked():
    typed = " satu  \r\n\r\n\n\n dua "
    assert v.clean_text(typed, 100) == "satu dua"
    assert v.clean_text(typed, 100, newlines=True) == "satu\n\ndua"


def test_a_text_too_long_says_how_long():
    assert v.clean_text("x" * 200, 200) == "x" * 200
    assert "10000 huruf, paling banyak 200" in str(refusal(v.clean_text, "x" * 10000, 200))


@given(st.text(), st.booleans())
def test_cleaned_text_is_storable_and_stable(text, newlines):
    cleaned = v.clean_text(text, 10**6, newlines=newlines)
    assert "\x00" not in cleaned
    cleaned.encode()
    assert v.clean_text(cleaned, 10**6, newlines=newlines) == cleaned


@pytest.mark.parametrize("name", ["Ni", "I", "D'Artagnan <x>", "Sukarno 👶", "ꦱꦶꦠꦶ", "x" * 100])
def test_names_of_every_kind_are_accepted(name):
    assert v.clean_name(f"  {name} ") == name


def test_a_name_has_a_letter_unless_nobody_knows_it():
    for text in ("", "-", "123", "👶"):
        assert refusal(v.clean_name, text).rule == "NAME"
    assert v.clean_name("???", unknown=True) == "???"
    assert "paling banyak 100" in str(refusal(v.clean_name, "x" * 101))


class IdentityForm(Form):
    today = TODAY
    nik = StringField(validators=[v.checked_by(v.parse_nik, as_printed=lambda form: form.printed)])
    birth_date = StringField(
        validators=[v.checked_by(v.parse_birth_date, today=lambda form: form.today)]
    )
    systolic = StringField(validators=[v.checked_by(partial(parse_vital, "systolic"))])
    printed = False


def test_a_form_keeps_the_typed_text_beside_the_cleaned_value():
    form = IdentityForm(
        MultiDict({"nik": "3171 0117 0845 0001", "birth_date": "17081945", "systolic": "120"})
    )
    assert form.validate()
    assert form.nik.data == "3171 0117 0845 0001"
    assert form.nik.cleaned == "3171011708450001"
    assert form.birth_date.cleaned == date(1945, 8, 17)
    assert form.systolic.cleaned == 120


def test_a_form_shows_the_sentence_and_the_rule():
    form = IdentityForm(
        MultiDict({"nik": "3171018108450001", "birth_date": "22-11-2026", "systolic": " "})
    )
    assert not form.validate()
    assert form.nik.errors == [str(refusal(v.parse_nik, "3171018108450001"))]
    assert (form.nik.cleaned, form.nik.failed_rule) == (None, "NIK-DATE")
    assert form.birth_date.errors
    assert (form.systolic.errors, form.systolic.cleaned) == ([], None)


def test_an_option_is_asked_with_the_form():
    form = IdentityForm(MultiDict({"nik": "3171018108450001"}))
    form.printed = True
    assert form.validate()


def test_a_field_that_did_not_come_is_empty_not_wrong():
    form = IdentityForm(MultiDict())
    assert form.validate()
    assert form.nik.cleaned is None
