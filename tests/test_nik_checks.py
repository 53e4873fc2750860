"""Every warning and information about a NIK: once where it applies, never where it does not."""

from datetime import date

import pytest

from clinic.nik_checks import age_findings, mothers_nik, nik_findings, no_nik_findings
from clinic.patients import Identity
from models import DatePrecision, Patient

TODAY = date(2026, 11, 21)
MAN = "3171011708450001"  # 17-08-1945
BORN = date(1945, 8, 17)


def findings(nik=MAN, sex="L", birth_date=BORN, today=TODAY, **more):
    found = nik_findings(nik, sex=sex, birth_date=birth_date, today=today, **more)
    assert all(finding.message.endswith(".") for finding in found)
    assert all(nik not in finding.message for finding in found)
    return {finding.rule: finding.level for finding in found}


def test_a_nik_that_agrees_has_no_finding():
    assert findings() == {}
    assert findings("3171015708450001", sex="P") == {}
    assert findings(kk_number="3171011708450002", mother_nik="3171015708200001") == {}
    assert findings(as_printed=True) == {}


def test_the_sex_digit_is_compared():
    assert findings(sex="P") == {"NIK-SEX": "warning"}
    assert findings(sex=None) == {}


@pytest.mark.parametrize("born", [date(1945, 8, 18), date(1944, 8, 17), date(1945, 7, 17)])
def test_the_date_is_compared_with_the_birth_date(born):
    assert findings(birth_date=born) == {"NIK-DATE": "warning"}


def test_the_date_is_shown_as_a_date_and_not_as_the_womans_code():
    found = nik_findings("3171015708450001", sex="P", birth_date=TODAY, today=TODAY)
    assert "17-08-45" in found[0].message


def test_either_century_agrees_with_the_birth_date():
    assert findings("3171010101200001", birth_date=date(1920, 1, 1)) == {}
    assert findings("3171010101200001", birth_date=date(2020, 1, 1)) == {}


def test_without_a_known_birth_date_nothing_is_compared():
    assert findings(birth_date=None) == {}


@pytest.mark.parametrize(
    ("nik", "sex", "told", "rules"),
    [
        ("3171015708450001", "P", date(2024, 7, 1), {"NIK-DATE"}),  # a child of two
        ("3171015708600001", "P", date(2006, 7, 1), {"NIK-DATE"}),  # 20 years, not 66
        ("3171015708600001", "P", date(1955, 7, 1), set()),  # 71: the old guess by a tenth
        ("3171015708600001", "P", date(1953, 7, 1), {"NIK-DATE"}),
        ("3171015708180001", "P", date(2017, 8, 16), set()),
        ("3171015708180001", "P", date(2017, 8, 15), {"NIK-DATE"}),
        ("3171011708200001", "L", date(1925, 7, 1), set()),  # in the other century
        ("3171010305120007", "L", date(1980, 7, 1), {"NIK-DATE", "NIK-KK"}),
    ],
)
def test_an_age_differs_where_it_is_further_off_than_people_guess(nik, sex, told, rules):
    assert findings(nik, sex, told, is_estimate=True).keys() == rules


def test_a_recent_date_on_an_adult_man_looks_like_a_family_card():
    issued_2012, adult = "3171010305120007", date(1980, 4, 4)
    assert findings(issued_2012, birth_date=adult)["NIK-KK"] == "warning"
    assert findings(issued_2012, sex="P", birth_date=adult).keys() == {
        "NIK-KK", "NIK-DATE", "NIK-SEX",
    }  # fmt: skip
    assert "NIK-KK" not in findings("3171014305120007", sex="P", birth_date=adult)
    assert "NIK-KK" not in findings(issued_2012, birth_date=date(2011, 5, 3))
    assert "NIK-KK" not in findings("3171010305750007", birth_date=adult)
    assert "NIK-KK" not in findings("3171010305120007", birth_date=date(1912, 5, 3))


def test_a_family_card_is_at_most_19_years_old_and_looked_for_from_17():
    card = "3171012211060007"  # of 22-11-2006
    assert "NIK-KK" in findings(card, birth_date=date(2009, 11, 21))
    assert "NIK-KK" not in findings(card, birth_date=date(2009, 11, 22))
    assert "NIK-KK" not in findings("3171012111060007", birth_date=date(1980, 4, 4))


def test_a_date_ahead_in_both_centuries_means_a_wrong_clock():
    clock = date(1970, 1, 1)
    assert findings("3171010101800001", birth_date=None, today=clock) == {"NIK-FUTURE": "warning"}
    assert findings("3171010101690001", birth_date=None, today=clock) == {}


def asks_about_age(born, nik=None, precision=DatePrecision.DAY) -> bool:
    identity = Identity("Siti", "P", born, precision, nik, no_nik_reason=None if nik else "ASING")
    return [one.level for one in age_findings(identity, TODAY)] == ["warning"]


def test_an_age_over_110_is_asked_with_a_nik_and_without():
    assert not asks_about_age(date(1916, 11, 20), "3171012011160001")
    assert asks_about_age(date(1915, 11, 20), "3171012011150001")
    assert asks_about_age(date(1910, 1, 1), MAN)
    assert asks_about_age(date(1955, 1, 1), "3171012011150001"), "by the NIK"
    assert asks_about_age(date(1915, 11, 20))
    assert asks_about_age(date(1906, 7, 1), precision=DatePrecision.YEAR)
    assert not asks_about_age(date(1916, 11, 20))
    assert not asks_about_age(None)


@pytest.mark.parametrize("province", ["10", "20", "38", "97", "00"])
def test_an_unknown_province_is_a_warning(province):
    assert findings(province + MAN[2:]) == {"NIK-PROVINCE": "warning"}


@pytest.mark.parametrize("province", ["65", "92", "93", "94", "95", "96"])
def test_young_provinces_are_known(province):
    assert findings(province + MAN[2:]) == {}


def test_an_unknown_region_is_information_only():
    assert findings(is_new_region=True) == {"NIK-REGION": "info"}
    assert findings("97" + MAN[2:], is_new_region=True) == {"NIK-PROVINCE": "warning"}


def test_a_date_taken_as_printed_asks_why():
    assert findings("3171018108450001", as_printed=True) == {"NIK-PRINTED": "warning"}
    assert findings("3171013102450001", sex="P", as_printed=True) == {
        "NIK-SEX": "warning",
        "NIK-PRINTED": "warning",
    }


def test_the_nik_is_neither_the_family_card_nor_the_mother():
    assert findings(kk_number=MAN) == {"NIK-SAME-KK": "error"}
    assert findings(mother_nik=MAN) == {"NIK-SAME-MOTHER": "error"}


@pytest.mark.parametrize(
    ("nik", "sex", "born"),
    [
        ("9204014804000002", "P", date(1989, 11, 3)),
        ("9104224509000003", "P", date(1976, 7, 7)),
        ("9104223107000004", "L", date(1977, 9, 3)),
        ("9104224606000005", "P", date(2004, 8, 21)),
        ("9104025209000006", "P", date(2001, 4, 16)),
        ("9201076001000007", "P", date(1985, 9, 18)),
        ("9201394901000008", "P", date(1996, 6, 8)),
        ("9271060312000001", "L", date(1992, 1, 9)),
    ],
)
def test_the_ministrys_test_patients_get_the_date_question_and_no_other(nik, sex, born):
    assert findings(nik, sex, born) == {"NIK-DATE": "warning"}


def of_nobody(reason, known=None, **fields):
    identity = Identity("Siti", "P", no_nik_reason=reason, **fields)
    return {one.rule: one.level for one in no_nik_findings(identity, TODAY, known)}


@pytest.mark.parametrize(
    ("reason", "asked", "filled"),
    [
        (
            "BAYI",
            {"NO-MOTHER-NIK": "warning", "NO-BIRTH-ORDER": "warning"},
            {"mother_nik": "3171015708850001", "birth_order": 1},
        ),
        ("BELUM_BAWA", {"NO-KK-NUMBER": "info"}, {"kk_number": "3171011708450002"}),
        (
            "ASING",
            {"NO-PASSPORT-NO": "warning", "NO-NOTE": "info"},
            {"passport_no": "X1234567", "no_nik_note": "Australia"},
        ),
        ("TANPA_DOKUMEN", {"NO-NOTE": "info"}, {"no_nik_note": "surat panti"}),
        ("TIDAK_DIKENAL", {"NO-NOTE": "info"}, {"no_nik_note": "Pasar Lama"}),
        ("LUPA_KARTU", {}, {}),
    ],
)
def test_each_reason_without_a_nik_asks_for_what_identifies_instead(reason, asked, filled):
    assert of_nobody(reason) == asked
    assert of_nobody(reason, **filled) == {}
    assert of_nobody(reason, nik=MAN) == {}
    assert of_nobody(reason, known=reason) == dict.fromkeys(asked, "info"), "was asked before"


def test_a_baby_without_a_nik_is_under_five():
    hers = {"mother_nik": "3171015708400001", "birth_order": "1"}
    assert of_nobody("BAYI", birth_date=date(2021, 11, 22), **hers) == {}
    grown = {"NO-BABY": "warning"}
    assert of_nobody("BAYI", birth_date=date(2021, 11, 21), **hers) == grown
    assert of_nobody("BAYI", known="BAYI", birth_date=date(1976, 7, 1)) == grown
    assert of_nobody("LUPA_KARTU", birth_date=date(1976, 7, 1)) == {}


@pytest.mark.parametrize(
    "mother", [MAN, "3171013101850001", "3171017102850001", "3171013102850001"]
)
def test_an_odd_mothers_nik_is_asked(mother):
    assert of_nobody("BAYI", mother_nik=mother, birth_order=1) == {"MOTHER-NIK": "warning"}


@pytest.mark.parametrize(
    ("born", "asked"),
    [
        (date(1997, 8, 17), {}),
        (date(1997, 8, 16), {"MOTHER-NIK": "warning"}),
        (date(1985, 8, 17), {"MOTHER-NIK": "warning"}),
        (date(1960, 1, 1), {"MOTHER-NIK": "warning"}),
        (None, {}),
    ],
)
def test_a_mother_is_twelve_years_older(born, asked):
    assert of_nobody("", nik=MAN, mother_nik="3171015708850001", birth_date=born) == asked


def test_a_mothers_nik_may_be_of_the_century_before():
    of_1901 = "3171015708010001"
    assert of_nobody("", nik=MAN, mother_nik=of_1901, birth_date=date(1944, 5, 1)) == {}


def test_an_odd_passport_is_asked_and_never_refused():
    found = of_nobody("ASING", passport_no="A12/345", no_nik_note="Australia")
    assert found == {"PASSPORT-1": "warning"}


WOMAN = "3171015708850001"  # 17-08-1985


def is_mothers(name="Ayu", born=date(2026, 1, 1), nik=WOMAN, owner=None, **more) -> bool:
    return bool(mothers_nik(Identity(name, "P", born, nik=nik, **more), owner, TODAY))


def test_a_nik_is_the_mothers_for_an_infant_and_longer_for_who_is_still_called_one():
    assert is_mothers(born=date(2025, 11, 22))
    assert not is_mothers(born=date(2025, 11, 21))  # its first birthday
    assert is_mothers("By Ny Sulastri", date(2021, 11, 22))
    assert not is_mothers("By Ny Sulastri", date(2021, 11, 21))


def test_a_nik_is_the_mothers_from_twelve_years():
    assert is_mothers(nik="3171014101140001")  # 01-01-2014
    assert not is_mothers(nik="3171014201140001")


def test_a_nik_is_the_mothers_only_where_no_other_is_known():
    assert is_mothers(mother_nik=WOMAN)
    assert not is_mothers(mother_nik="3171015708850002")


def test_a_registered_father_is_no_mother():
    odd = "3171014507250001"  # says a girl of 2025
    owner = Patient(sex="P", birth_date=date(1985, 8, 17))
    assert is_mothers(nik=odd, owner=owner)
    owner.sex = "L"
    assert not is_mothers(nik=odd, owner=owner)
