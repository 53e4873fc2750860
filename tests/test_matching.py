"""Likely duplicates: what counts, how much, and what must never match."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic import pair_scan
from clinic.likeness import (
    birth_rule,
    compare_words,
    jaro_winkler,
    near_dates,
    one_edit,
    word_alike,
)
from clinic.matching import (
    PARENT_HINT,
    POSSIBLE_FROM,
    RULES,
    SIBLING_HINT,
    STRONG_FROM,
    Person,
    rank,
    score,
    shortlist,
)
from clinic.names import name_tokens
from clinic.places import address_rule
from clinic.usable import usable_address, usable_number, usable_passport, usable_phone
from tests import factories

BORN = date(1985, 3, 12)
NIK = "5271015203850007"
KK = "5271011203100004"
AMINAH = Person("Siti Aminah", BORN, sex="P", nik=NIK, village="Mataram Barat")


def returning(**changes) -> Person:
    """Aminah as she is typed at her next visit, without her card."""
    return replace(AMINAH, **({"nik": None} | changes))


def test_the_same_person_is_strong_with_reasons_in_words():
    match = score(returning(), AMINAH)
    assert match.level == "strong"
    assert match.reasons == ("nama sama", "tanggal lahir sama", "satu desa", "jenis kelamin sama")
    assert match.household_hint is None


def test_name_and_birth_date_alone_are_strong():
    assert score(Person("Siti Aminah", BORN), Person("Siti Aminah", BORN)).level == "strong"


def test_name_alone_is_no_match():
    assert score(Person("Siti Aminah"), Person("Siti Aminah")).level is None


def test_without_a_birth_date_it_is_only_possible():
    match = score(returning(birth_date=None), AMINAH)
    assert match.level == "possible"
    assert POSSIBLE_FROM <= match.points < STRONG_FROM


# Names


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("M. Yusuf", "Muhammad Jusup"),
        ("Dwi Tjahjono", "Dwi Cahyono"),
        ("Soeharto", "Suharto"),
        ("St. Aminah", "Hj. Siti Aminah, S.Pd"),
    ],
)
def test_other_spelling_is_the_same_name(typed, stored):
    match = score(Person(typed, BORN), Person(stored, BORN))
    assert match.level == "strong"
    assert "nama beda ejaan" in match.reasons


@pytest.mark.parametrize(
    ("typed", "stored", "reason"),
    [
        ("Siti Amimah", "Siti Aminah", "nama mirip"),
        ("Siti Amina R.", "Siti Aminah Rahayu", "nama mirip"),
        ("Slamet K.", "Slamet Khairul", "nama mirip"),
        ("Aminah", "Siti Aminah", "sebagian nama sama"),
        ("Aminah Siti", "Siti Aminah", "nama beda ejaan"),
        ("Nur Haliza Putri", "Nurhaliza Putri", "nama beda ejaan"),
        ("Daengyusufarifin", "Daeng Yusuf Arifin", "nama beda ejaan"),
        # joined, split, and the L of Abdul that becomes the next letter
        ("Abdurrahman", "Abd. Rachman", "nama beda ejaan"),
        ("Abdussalam", "Abdul Salam", "nama beda ejaan"),
        ("Abdurrohman", "Abdul Rahman", "nama mirip"),
        ("Sitinuraini", "Siti Nur Aini", "nama beda ejaan"),
        ("Rina Wati", "Rinawati", "nama beda ejaan"),
        # another order
        ("Maulana Ahmad Rizki", "Ahmad Rizki Maulana", "nama beda ejaan"),
        # one word of several, and names that go on
        ("Rizki", "Ahmad Rizki Maulana", "sebagian nama sama"),
        ("Siti Nur Aini", "Nuraini", "sebagian nama sama"),
        ("Slamet", "Selamet", "nama mirip"),
        # initials
        ("A. Rizki M.", "Ahmad Rizki Maulana", "nama mirip"),
        ("A.A. Gede Oka", "Anak Agung Gede Oka", "nama mirip"),
        # the father's name with and without its bin
        ("Ahmad bin Umar", "Ahmad Umar", "nama beda ejaan"),
        ("Siti Aminah binti Umar", "Siti Aminah", "sebagian nama sama"),
    ],
)
def test_typed_carelessly_it_is_still_found(typed, stored, reason):
    match = score(
        Person(typed, BORN, sex="P", village="A"), Person(stored, BORN, sex="P", village="A")
    )
    assert match.level == "strong"
    assert reason in match.reasons


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Siti Aminah", "Siti Maryam"),
        ("Suharti", "Wulandari"),
        ("Budi", "Agus"),
        ("Ahmad bin Umar", "Ahmad bin Hasan"),
        ("Muhammad Rizki", "Muhammad Fajar"),
        ("Abdul Rahman", "Abdul Malik"),
        ("Nur Hidayah", "Nur Halimah"),
        # In Lombok a mother and a father are called after their first child.
        ("Inaq Sahnep", "Amaq Sahnep"),
    ],
)
def test_another_name_is_another_person(one, other):
    match = score(Person(one, BORN, village="A"), Person(other, BORN, village="A"))
    assert match.level is None


def test_a_common_word_proves_less_than_a_rare_one():
    common = score(Person("Siti", BORN), Person("Siti", BORN))
    rare = score(Person("Maimunah", BORN), Person("Maimunah", BORN))
    assert common.points < rare.points


def test_two_words_never_share_a_partner():
    """Else a word too many would cost nothing when it resembles another one."""
    fit = compare_words(("ALI", "ALM", "HASAN"), ("ALI", "HASAN"))
    assert fit.alike < 1
    assert fit.is_part
    assert fit == compare_words(("ALI", "HASAN"), ("ALI", "ALM", "HASAN"))


def test_empty_names_prove_nothing():
    assert score(Person("😀", BORN), Person("", BORN)).level is None
    assert score(Person("😀", BORN, nik=NIK), Person("", BORN, nik=NIK)).level == "strong"


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("AMINA", "AMINA", False),
        ("AMINA", "AMIMA", True),
        ("AMINA", "AMIN", True),
        ("AMINA", "IMANA", False),
        ("AMINA", "AMNIA", True),
        ("AMINA", "AMINATU", False),
        ("A", "", True),
        ("", "", False),
    ],
)
def test_one_edit(a, b, expected):
    assert one_edit(a, b) is expected
    assert one_edit(b, a) is expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        # The published examples of the measure.
        ("MARTHA", "MARHTA", 0.961),
        ("DWAYNE", "DUANE", 0.840),
        ("DIXON", "DICKSONX", 0.767),
        ("ABC", "XYZ", 0.0),
        ("", "ABC", 0.0),
    ],
)
def test_jaro_winkler(a, b, expected):
    # DIXON has a Jaro of 0.767: below 0.8 its common beginning earns nothing here.
    assert jaro_winkler(a, b) == pytest.approx(expected, abs=0.001)


def test_initials_and_short_words():
    assert word_alike("S", "SITI") > word_alike("S", "AMINA")
    assert word_alike("ADI", "ARI") < word_alike("AMINA", "AMIMA")
    assert score(Person("Adi", BORN, village="A"), Person("Ari", BORN, village="A")).level == (
        "possible"
    )
    assert score(Person("Di", BORN, village="A"), Person("Du", BORN, village="A")).level is None


@pytest.mark.parametrize(
    "name", ["Khairul", "Chairul", "Hasan", "Tjahjono", "Cahyono", "Djoko", "Joko"]
)
def test_an_initial_fits_the_name_in_its_old_spelling_too(name):
    _, initial, word = name_tokens(f"Budi {name[0]} {name}").words
    assert word_alike(initial, word) == word_alike(word, initial) > 0.8


# Birth date


@pytest.mark.parametrize(
    ("other", "reason", "level"),
    [
        (date(1985, 12, 3), "tanggal dan bulan tertukar", "strong"),
        (date(1985, 3, 13), "tanggal lahir beda satu angka", "possible"),
        (date(1985, 3, 21), "tanggal lahir beda satu angka", "possible"),
        (date(1986, 3, 12), "tahun lahir selisih satu", "strong"),
        (date(1995, 3, 12), "tanggal lahir beda satu angka", "possible"),
        (date(1994, 3, 21), "tanggal lahir berbeda", None),
        (date(1987, 3, 12), "tahun lahir selisih dua", "possible"),
        (date(1985, 12, 31), "tahun lahir sama", "possible"),
        (date(1985, 7, 1), "tahun lahir sama", "possible"),
        (date(1983, 12, 31), "umur mirip", "possible"),
        (date(1988, 1, 1), "tanggal lahir berbeda", None),
        (date(1985, 1, 1), "tahun lahir sama", "possible"),
        (date(1986, 7, 1), "umur mirip", "possible"),
        (date(1991, 8, 27), "tanggal lahir berbeda", None),
    ],
)
def test_birth_dates(other, reason, level):
    match = score(Person("Siti Aminah", BORN, sex="P"), Person("Siti Aminah", other, sex="P"))
    assert reason in match.reasons
    assert match.level == level


def test_swapped_date_in_the_same_village_interrupts():
    assert score(returning(birth_date=date(1985, 12, 3)), AMINAH).level == "strong"


def test_same_name_born_another_year_is_no_match():
    stranger = returning(birth_date=date(1991, 8, 27), phone="081234567890")
    assert score(stranger, AMINAH).level is None


MOTHERS = "5271014107600002"
HOUSE = {"kk_number": KK, "phone": "081234567890", "address": "Jl. Melati No. 5"}


@pytest.mark.parametrize(
    "home", [HOUSE, *({name: value} for name, value in HOUSE.items()), {"mother_nik": MOTHERS}]
)
@pytest.mark.parametrize("typed", ["Siti Aminah", "St. Aminnah", "Siti Amunah"])
def test_the_whole_name_in_one_home_with_another_birth_date_is_listed_only(typed, home):
    other = returning(name=typed, birth_date=date(1991, 8, 27), **home)
    match = score(other, replace(AMINAH, **home))
    assert match.level == "possible"
    assert "tanggal lahir berbeda, tetapi nama dan rumah sama" in match.reasons


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Aminah"},  # children carry a part of their parents' names
        {"name": "Siti Rahma"},
        {"name": "Siti", "village": "Ampenan"},
        {"sex": "L"},
        {"nik": "5271024308910003"},
        {"address": "Jl. Melati No. 7"},
        {"address": "Dusun Melati"},
    ],
)
def test_in_one_home_less_than_the_whole_name_is_no_match(changes):
    home = replace(AMINAH, address="Jl. Melati No. 5")
    known = {"birth_date": date(1991, 8, 27), "address": home.address}
    assert score(returning(**(known | changes)), home).level is None


# Addresses


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        ("Jl. Melati No. 5", "jalan melati 5", "address"),
        ("Jl. Pendidikan 12", "Jl Pendidkan no 12", "address"),
        ("Jl. Panca Usaha 12", "Jl. Pancausaha 12", "address"),
        ("Jl. Pendidikan 12, Karang Baru", "Karang Baru, Jl. Pendidikan No. 12", "address"),
        ("Jl. Pendidikan 12, Karang Baru", "Jl. Pendidikan No. 12", "address"),
        ("Jl. Melati 5 RT 03/RW 02", "Jl. Melati 5", "address"),
        ("Jl. Melati 5", "Jl. Melati", "address_part"),
        ("Jl. Melati 5", "Jl. Melati 7", "street"),
        ("Dusun Karang Baru RT 03", "Dsn. Karang Baru RT 03", "street"),
        ("Dusun Karang Baru", "Dusun Karang Baru", "street"),
        ("Jl. Melati 5", "Jl. Mawar 5", None),
        ("Dusun Karang Baru", "Dusun Karang Lama", None),
        ("Jl. Adi 5", "Jl. Ari 5", None),
        ("Belum diketahui", "Belum diketahui", None),
        ("-", "-", None),
        ("", "Jl. Melati 5", None),
    ],
)
def test_addresses(one, other, rule):
    first, second = usable_address(one), usable_address(other)
    assert (address_rule(first, second) if first else None) == rule
    assert (address_rule(second, first) if second else None) == rule


def test_a_street_says_nothing_beyond_the_village_and_a_house_does():
    typed = returning(birth_date=None, name="Siti Amina", address="Jl. Melati 5")
    points = {
        known: score(typed, replace(AMINAH, address=known)).points
        for known in (None, "Jl. Melati 7", "Jl. Melati", "Jl. Melati 5")
    }
    none, street, part, house = points.values()
    assert none == street < part < house
    assert "satu jalan atau dusun" in score(typed, replace(AMINAH, address="Melati 7")).reasons


def test_a_twin_on_the_same_street_is_hinted_at():
    one = Person("Dewi Lestari", BORN, sex="P", village="Ampenan", address="Dusun Karang Baru")
    twin = replace(one, name="Putri Lestari", village="Cakranegara")
    assert score(one, twin).household_hint == SIBLING_HINT
    assert score(one, replace(twin, address="Dusun Montong")).household_hint is None
    assert score(one, replace(twin, birth_date=date(1991, 8, 27))).household_hint is None


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ({"village": "Ampenan"}, {"village": "Ampenan"}),
        ({"address": "Jl. Melati 5"}, {"address": "Jl. Melati"}),
        ({"mother_name": "Sulastri"}, {"mother_name": "Soelastri"}),
    ],
)
def test_a_twin_is_hinted_at_by_any_one_thing_that_is_shared(mine, theirs):
    one, twin = Person("Dewi Lestari", BORN, **mine), Person("Putri Lestari", BORN, **theirs)
    assert score(one, twin).household_hint == SIBLING_HINT
    assert score(one, twin).level is None


def test_a_placeholder_date_is_weaker_than_a_real_one():
    placeholder = Person("Siti Aminah", date(1985, 1, 1))
    real = Person("Siti Aminah", BORN)
    assert score(placeholder, placeholder).points < score(real, real).points


@pytest.mark.parametrize(
    ("a", "b", "precisions", "rule"),
    [
        (date(1960, 7, 1), date(1959, 5, 9), {"day", "year"}, "born_told"),
        (date(1961, 7, 1), date(1962, 5, 9), {"day", "year"}, "born_told"),
        (date(1960, 1, 1), date(1960, 5, 9), {"day", "year"}, "born_year"),
        (date(1960, 1, 1), date(1962, 5, 9), {"day", "year"}, "born_age"),
        (date(1960, 1, 1), date(1963, 5, 9), {"day", "year"}, "born_other"),
        (date(1960, 5, 1), date(1960, 5, 9), {"day", "month"}, "born_month"),
        (date(1960, 6, 1), date(1960, 5, 9), {"day", "month"}, "born_year"),
        (date(1960, 5, 9), date(1960, 8, 17), {"day"}, "born_other"),
        (date(2000, 2, 29), date(2000, 2, 29), {"day"}, "born_same"),
        (date(1989, 3, 12), date(1990, 3, 12), {"day"}, "born_year_off"),
        (date(1989, 3, 12), date(1991, 3, 12), {"day"}, "born_years_off"),
        (date(1989, 3, 12), date(1992, 3, 12), {"day"}, "born_other"),
        # placeholders: the same one, another one, and one beside a real date
        (date(1960, 1, 1), date(1960, 1, 1), {"day"}, "born_placeholder"),
        (date(1960, 12, 31), date(1960, 12, 31), {"day"}, "born_placeholder"),
        (date(1960, 7, 1), date(1960, 7, 1), {"day"}, "born_placeholder"),
        (date(1960, 1, 1), date(1960, 12, 31), {"day"}, "born_year"),
        (date(1960, 1, 1), date(1962, 7, 1), {"day"}, "born_age"),
        (date(1960, 1, 7), date(1960, 7, 1), {"day"}, "born_year"),
        # a told age: right, wrong by two years, and too far off
        (date(1960, 7, 1), date(1960, 2, 2), {"day", "year"}, "born_year"),
        (date(1962, 7, 1), date(1960, 2, 2), {"day", "year"}, "born_age"),
        (date(1957, 7, 1), date(1960, 2, 2), {"year"}, "born_other"),
        # of a guessed day the month was guessed too; a swap is one of the same year
        (date(1960, 1, 1), date(1960, 1, 9), {"day"}, "born_year"),
        (date(1985, 12, 3), date(1986, 3, 12), {"day"}, "born_other"),
    ],
)
def test_birth_rule(a, b, precisions, rule):
    assert birth_rule(a, b, precisions) == rule
    assert birth_rule(b, a, precisions) == rule


# Sex


@pytest.mark.parametrize("village", [None, "Mataram Barat"])
def test_a_wrong_tick_at_the_sex_hides_nobody_of_the_very_name_and_date(village):
    match = score(replace(AMINAH, sex="L", nik=None, village=village), AMINAH)
    assert match.level == "possible" and RULES["sex_other"][1] in match.reasons


def test_another_sex_weighs_much_but_excludes_nothing():
    match = score(returning(sex="L"), AMINAH)
    assert match.level == "possible"
    assert match.reasons[-1] == "jenis kelamin berbeda"


# Numbers


def test_same_nik_is_strong_even_when_all_else_differs():
    match = score(Person("Wulandari", date(1999, 1, 8), sex="L", nik=NIK), AMINAH)
    assert match.level == "strong"
    assert match.reasons[0] == "NIK sama"


def test_nik_with_one_wrong_digit():
    match = score(returning(nik="5271015203850001"), AMINAH)
    assert match.level == "strong"
    assert "NIK beda satu angka" in match.reasons


def test_another_nik_speaks_against_it():
    match = score(returning(nik="7371054408900003"), AMINAH)
    assert match.level != "strong"
    assert "NIK berbeda" in match.reasons


@pytest.mark.parametrize(
    "placeholder",
    [
        *("0000000000000000", "1111111111111111", "1234567890123456", "-", "0", ""),
        *("0123456789012345", "9876543210987654", "1212121212121212"),
        # the region, and nothing behind it
        *("5271015203850000", "5271010000000001", "5271010000000000", "5271019999999999"),
    ],
)
def test_a_placeholder_nik_never_matches(placeholder):
    one, other = Person("Budi", nik=placeholder), Person("Wulandari", nik=placeholder)
    assert score(one, other).level is None
    assert not any("NIK" in reason for reason in score(one, other).reasons)


def test_only_ascii_digits_are_a_number():
    assert usable_number("5271 0152.0385-0007", 16) == NIK
    assert usable_number("٥٢٧١٠١٥٢٠٣٨٥٠٠٠٧", 16) is None
    assert usable_number("0001113569638", 13) == "0001113569638"
    assert usable_number("0000000000000", 13) is None


def test_bpjs_number():
    card = "0001113569638"
    same = score(Person("Siti Aminah", bpjs_number=card), Person("Aminah", bpjs_number=card))
    assert same.level == "strong"
    assert same.reasons[0] == "nomor BPJS sama"
    near = Person("Siti Aminah", bpjs_number="0001113569639")
    assert "nomor BPJS beda satu angka" in score(near, replace(near, bpjs_number=card)).reasons


@pytest.mark.parametrize(
    "card", [{"bpjs_number": "0001113569638"}, {"passport_no": "AB123456"}, {"nik": NIK}]
)
def test_who_shares_a_number_of_one_person_is_strong_whatever_the_rest_says(card):
    one = Person("Kartu Satu", date(1960, 4, 4), sex="L", village="Jauh", **card)
    other = Person("Wati Laina", date(1999, 9, 9), sex="P", village="Mataram Barat", **card)
    assert score(one, other).level == "strong"
    without = dict.fromkeys(card)
    assert score(replace(one, **without), replace(other, **without)).level is None


def test_a_newborn_on_the_mothers_card_is_not_the_mother():
    card = {"bpjs_number": "0001113569638"}
    baby = Person("By Ny Rukmini", date(2026, 11, 20), sex="L", **card)
    match = score(baby, Person("Rukmini", date(1995, 7, 5), sex="P", **card))
    assert (match.level, match.household_hint) == (None, PARENT_HINT)


def test_the_mothers_card_on_a_child_with_a_name_is_not_the_mother():
    card = {"bpjs_number": "0001113569638"}
    child = Person("Rizki Maulana", date(2026, 2, 3), sex="L", mother_nik=NIK, **card)
    match = score(child, replace(AMINAH, **card))
    assert (match.level, match.household_hint) == (None, PARENT_HINT)


def test_the_mothers_nik_in_the_childrens_own_field_makes_them_no_one_person():
    one = Person("Rizki Maulana", date(2026, 2, 3), sex="L", nik=NIK, mother_nik=NIK)
    other = replace(one, name="Fajar Hidayat", birth_date=date(2024, 5, 9))
    assert score(one, other).level is None
    assert "NIK sama" not in score(one, other).reasons


def test_who_shares_a_card_is_no_sibling():
    card = {"bpjs_number": "0001113569638"}
    one, other = (
        Person("Hasan", BORN, village="A", **card),
        Person("Husein", BORN, village="A", **card),
    )
    assert score(one, other).household_hint is None
    assert RULES["sibling"][1] not in score(one, other).reasons


@pytest.mark.parametrize(("born", "hint"), [(1995, PARENT_HINT), (1994, None)])
def test_a_mother_is_at_least_ten_years_older(born, hint):
    baby = Person("By Ny Siti Aminah", date(born, 3, 12))
    assert score(baby, Person("Siti Aminah", BORN)).household_hint == hint


def test_of_two_babies_neither_is_the_others_mother():
    one = Person("By Ny Siti Aminah", date(2010, 2, 3))
    assert score(one, replace(one, birth_date=date(2026, 2, 3))).household_hint is None


def test_only_a_real_passport_number_counts():
    assert usable_passport("ab123456") == "AB123456"
    for text in (None, "", "A1", "000000", "123456", "AAAAAA", "tidak ada"):
        assert usable_passport(text) is None, text


def test_phone_in_any_notation():
    assert usable_phone("0812-3456-7890") == usable_phone("+62 812 3456 7890")
    assert usable_phone("0000000000") is None
    match = score(returning(phone="081234567890"), replace(AMINAH, phone="+6281234567890"))
    assert "nomor HP sama" in match.reasons


# Families


FAMILY = {
    "sex": "L",
    "village": "Mataram Barat",
    "kk_number": KK,
    "phone": "081234567890",
    "mother_nik": NIK,
    "mother_name": "Siti Aminah",
}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ahmad Rizki", "Ahmad Rizal"),
        ("Muhammad Rizki", "Muhammad Rizal"),
        ("Hasan", "Husein"),
        ("Dewi Lestari", "Putri Lestari"),
    ],
)
def test_twins_are_no_duplicate_but_one_family(one, other):
    match = score(
        Person(one, date(2020, 5, 9), **FAMILY), Person(other, date(2020, 5, 9), **FAMILY)
    )
    assert match.level is None
    assert match.household_hint == SIBLING_HINT


def test_the_same_child_of_the_same_family_is_strong():
    one = Person("Ahmad Rizki", date(2020, 5, 9), **FAMILY)
    assert score(one, replace(one, name="Achmad Rizqy")).level == "strong"


def test_siblings_are_no_duplicate():
    one = Person("Ahmad Rizki", date(2020, 5, 9), **FAMILY)
    other = Person("Fajar Rizki", date(2017, 11, 24), **FAMILY)
    assert score(one, other).level is None
    assert score(one, other).household_hint == SIBLING_HINT


def test_strangers_get_no_family_hint():
    one, other = Person("Ahmad Rizki", BORN), Person("Ahmad Rizal", BORN)
    assert score(one, other).household_hint is None


def test_what_a_household_shares_is_capped():
    one = Person("Ahmad Rizki", date(2020, 5, 9), **FAMILY)
    bare = Person("Ahmad Rizki", date(2020, 5, 9), sex="L")
    gain = score(one, one).points - score(bare, bare).points
    assert 0 < gain < sum(RULES[rule][0] for rule in ("kk_same", "phone_same", "mother_nik"))


@pytest.mark.parametrize("title", ["By Ny", "Bayi Ny.", "Anak Ny"])
@pytest.mark.parametrize("mother_born", [BORN, None])
def test_a_baby_never_matches_its_mother(title, mother_born):
    baby = Person(f"{title} Siti Aminah", date(2026, 2, 3), **(FAMILY | {"nik": NIK}))
    mother = replace(AMINAH, kk_number=KK, phone="081234567890", birth_date=mother_born)
    match = score(baby, mother)
    assert match.level is None
    assert match.household_hint == PARENT_HINT


@pytest.mark.parametrize("title", ["An. Tn.", "By Tn", "Anak Bapak", "Bayi Bpk"])
def test_a_child_never_matches_the_father_it_is_called_after(title):
    child = Person(f"{title} Ahmad Yani", None, **FAMILY)
    father = Person("Ahmad Yani", BORN, sex="L", kk_number=KK, phone=FAMILY["phone"])
    assert score(child, father).level is None
    assert score(child, father).household_hint == PARENT_HINT


def test_baby_and_namesake_without_dates():
    assert score(Person("By Ny Siti"), Person("Siti")).level is None


def test_a_baby_is_found_under_its_own_name_later():
    born = date(2026, 2, 3)
    baby = Person("By Ny Siti Aminah", born, sex="L", mother_nik=NIK, village="A")
    named = Person("Rizki Maulana", born, sex="L", mother_name="Siti Aminah", mother_nik=NIK)
    match = score(named, baby)
    assert match.level == "strong" and match.points >= pair_scan.WORTH_A_LOOK
    assert {"NIK ibu sama", "nama ibu sama"} <= set(match.reasons)
    own = factories.nik(born, "L", 7)
    bare = Person("By Ny Siti", born, mother_nik=NIK)
    twin = replace(baby, name="By Ny Siti Aminah 2")
    for one, other in ((replace(named, nik=own), baby), (named, bare), (named, twin)):
        assert score(one, other).level == score(other, one).level == "strong"
    assert "nama ibu sama" in score(named, twin).reasons


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"birth_order": 2}, {"birth_order": 1}),
        ({"birth_order": 1}, {"name": "By Ny Siti Aminah 2"}),
        ({"sex": "P"}, {}),
        ({"nik": "6472014302260007"}, {"nik": "6472010302260008"}),
        ({"birth_date": date(2026, 2, 4)}, {}),
        ({"mother_nik": None}, {}),
    ],
)
def test_a_named_twin_or_sibling_of_a_nameless_baby_is_told_apart(one, other):
    family = {"birth_date": date(2026, 2, 3), "sex": "L", "mother_nik": NIK}
    named = Person(**({"name": "Rizki Maulana"} | family | one))
    baby = Person(**({"name": "By Ny Siti Aminah"} | family | other))
    assert score(named, baby).level != "strong"


def test_newborn_twins_are_told_apart():
    one = Person("By Ny Siti", date(2026, 2, 3), **FAMILY, birth_order=1)
    assert score(one, replace(one, birth_order=2)).level is None
    assert score(one, replace(one, birth_order=2)).household_hint == SIBLING_HINT
    assert score(one, one).level == "strong"
    first, second = replace(one, birth_order=None), Person("By Ny Siti 2", one.birth_date)
    assert score(replace(first, name="By Ny Siti 1"), second).level is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("By Ny Siti I", "By Ny Siti II"),
        ("By Ny Siti A", "By Ny Siti B"),
        ("Bayi Kembar 1 Ny Siti", "By. Ny. Siti kembar 2"),
        ("By Ny Siti ke-1", "By Ny Siti ke 2"),
    ],
)
def test_twins_by_their_mothers_name_are_told_apart(one, other):
    born = date(2026, 2, 3)
    assert score(Person(one, born, **FAMILY), Person(other, born, **FAMILY)).level is None
    assert score(Person(one, born, **FAMILY), Person(one, born, **FAMILY)).level == "strong"


# Lists


def test_rank_lists_the_best_first_and_nobody_else():
    people = [
        ("other", Person("Budi Santoso", BORN, sex="L")),
        ("vague", replace(AMINAH, birth_date=None, nik=None)),
        ("same", AMINAH),
        ("spelled", replace(AMINAH, name="St. Aminha", nik=None)),
    ]
    found = rank(AMINAH, people)
    assert [key for key, _ in found] == ["same", "spelled", "vague"]
    assert [match.level for _, match in found] == ["strong", "strong", "possible"]
    assert [key for key, _ in rank(AMINAH, people, limit=1)] == ["same"]


def test_rank_can_add_the_family_at_the_end():
    rizki = Person("Ahmad Rizki", date(2020, 5, 9), **FAMILY)
    people = [("twin", replace(rizki, name="Ahmad Rizal")), ("self", rizki)]
    assert [key for key, _ in rank(rizki, people)] == ["self"]
    assert [key for key, _ in rank(rizki, people, include_household=True)] == ["self", "twin"]


def test_shortlist_keeps_the_names_that_share_most_letter_pairs():
    names = ["Budi Santoso", "Aminah Siti", "Siti", "St. Aminha", "Wulandari"]
    stored = [(name, name_tokens(name).text) for name in names]
    assert shortlist(AMINAH, stored, keep=2) == ["Aminah Siti", "St. Aminha"]
    assert len(shortlist(AMINAH, stored)) == 5


def test_shortlist_without_a_name_keeps_the_given_order():
    assert shortlist(Person(""), [(3, "SITI"), (1, ""), (2, "BUDI")], keep=2) == [3, 1]


# Any two people

WORDS = "By Ny Siti Aminah Ahmad Rizki Rizal M. Muhammad Nur Haliza Nurhaliza bin Umar 2 A B"
NAMES = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from(WORDS.split()), max_size=4).map(" ".join),
)
PEOPLE = st.builds(
    Person,
    NAMES,
    st.sampled_from([None, BORN, date(1985, 12, 3), date(1985, 1, 1), date(2020, 5, 9)]),
    st.sampled_from(["day", "month", "year"]),
    st.sampled_from([None, "L", "P"]),
    st.sampled_from([None, "", NIK, "5271015203850001", "1234567890123456"]),
    kk_number=st.sampled_from([None, KK]),
    village=st.sampled_from([None, "Mataram Barat"]),
    address=st.sampled_from([None, "Jl. Melati 5", "Dusun Melati", "Karang, Jl Melatu no 5"]),
    mother_nik=st.sampled_from([None, NIK]),
    mother_name=st.one_of(st.none(), NAMES),
    birth_order=st.sampled_from([None, 1, 2]),
)


@given(PEOPLE, PEOPLE)
def test_the_order_of_the_two_says_nothing(a, b):
    assert score(a, b) == score(b, a)


@given(st.text("ABIS", max_size=9), st.text("ABIS", max_size=9))
def test_measures_are_symmetric_and_bounded(a, b):
    assert jaro_winkler(a, b) == jaro_winkler(b, a)
    assert 0 <= jaro_winkler(a, b) <= 1.000001
    assert one_edit(a, b) == one_edit(b, a)


@given(NAMES)
def test_a_name_is_like_itself(name):
    words = name_tokens(name).words
    if words:
        assert compare_words(words, words).alike == 1.0


# What slips do to names, dates and places


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Slamey Wijaya", "Slamet Wijaya"),  # folded they are two letters apart
        ("Ayi", "Ayu"),
        ("Endangzahra", "Endang Zahra"),
        ("Irfan Setiyawan", "Irfansetiawan"),
    ],
)
def test_a_slip_in_the_typed_letters_is_one_slip(typed, stored):
    match = score(Person(typed, BORN, village="Alur"), Person(stored, BORN, village="Alur"))
    assert match.level
    assert RULES["sibling"][1] not in match.reasons


def test_another_name_is_not_a_slip():
    for one, other in (("Hasan", "Husein"), ("Dewi A", "Dewi"), ("Rina Hakim", "Hakim Rini Sari")):
        match = score(Person(one, BORN, village="Alur"), Person(other, BORN, village="Alur"))
        assert match.points < score(Person(one, BORN), Person(one, BORN)).points


def test_near_dates_are_those_of_the_rules():
    near = near_dates(BORN)
    assert {date(1985, 12, 3), date(1986, 3, 12), date(1987, 3, 12), date(1985, 3, 21)} <= near
    assert date(1975, 3, 12) in near
    assert date(1885, 3, 12) not in near
    assert all(birth_rule(BORN, other, {"day"}) != "born_other" for other in near)
    assert near_dates(date(1960, 7, 1)) == {date(1960, 7, 1)}
    assert date(2001, 2, 28) in near_dates(date(2000, 2, 28))
    assert {date(1990, 3, 12), date(1991, 3, 12)} <= near_dates(date(1989, 3, 12))


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Banyu Biru Lor", "Banyubiru Lor", True),
        ("Tirta Alur", "Tirta Alu", True),
        ("Desa Tirta Alur", "Kel. Tirtaalur", True),
        ("Banyu Biru Lor", "Banyu Biru Kidul", False),
        ("Dasan", "Dasar", False),
    ],
)
def test_villages_with_a_slip_are_one(one, other, is_same):
    match = score(returning(village=one), replace(AMINAH, village=other))
    assert (RULES["village"][1] in match.reasons) == is_same


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Jl. Melati No. 5", "Jalan Melati 5", True),
        ("Jalan Melati 5 A", "Gang Melati No 5A", True),
        ("Jalan Kenanga Raya 5", "Jalan Kenaga Raya 5", True),
        ("Jalan Melati 5", "Jalan Melati 6", False),
        ("Jalan Kenanga 12", "Jalan Kenanga 1", False),
        ("Dusun Karang", "Dusun Karang", False),  # a hundred houses
        ("5", "No. 5", False),
        ("", "", False),
    ],
)
def test_an_address_is_a_house(one, other, is_same):
    match = score(returning(address=one), replace(AMINAH, address=other))
    assert (RULES["address"][1] in match.reasons) == is_same
