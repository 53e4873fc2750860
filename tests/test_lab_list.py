"""The head keeps the laboratory's list: tests and ranges; results keep what judged them."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from clinic import reference
from db import db, transaction
from models import AuditEntry, LabReference, LabTest
from tests.pages import post

# The pages: what they ask of a database is tested in clinic/'s own tests and by the sweep of
# test_hostile_text.py on PostgreSQL too.
pytestmark = pytest.mark.engines("sqlite")

NEW = {
    "code": "crp",
    "name": "CRP",
    "group": "Kimia darah",
    "kind": "numeric",
    "unit": "mg/L",
    "decimals": "1",
    "choices": "",
    "abnormal": "",
    "plausible_low": "0,1",
    "plausible_high": "500",
    "loinc": "1988-5",
    "position": "215",
}
RANGE = {"sex": "", "low": "", "high": "5", "critical_high": "200", "is_active": "y"}


def tests_of(code: str) -> LabTest | None:
    db.session.rollback()
    return db.session.scalar(select(LabTest).where(LabTest.code == code))


tests_of.__test__ = False


def ranges_of(test: LabTest) -> list[LabReference]:
    db.session.rollback()
    rows = select(LabReference).where(LabReference.test_id == test.id).order_by(LabReference.id)
    return list(db.session.scalars(rows))


@pytest.mark.parametrize(("username", "status"), [("kepala", 200), ("lab", 403), ("ti", 403)])
def test_the_list_is_the_heads(sign_in, username, status):
    assert sign_in(username).get("/sistem/laboratorium").status_code == status


def test_a_new_test_with_its_range_can_be_ordered(sign_in):
    head = sign_in("kepala")
    assert post(head, "/sistem/laboratorium/baru", NEW).status_code == 303
    crp = tests_of("CRP")
    assert (crp.unit, crp.plausible_low, crp.loinc) == ("mg/L", Decimal("0.1"), "1988-5")
    address = f"/sistem/laboratorium/{crp.id}"
    assert post(head, f"{address}/rujukan", RANGE).status_code == 303
    page = head.get(address).get_data(as_text=True)
    assert "≤ 5" in page
    assert "≥&nbsp;200" in page
    told = list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))
    assert told[-2:] == ["create_lab_test", "change_lab_range"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"code": "HB"}, "sudah dipakai"),
        ({"code": "a b"}, "Kode: Huruf, angka"),
        ({"name": ""}, "Isi nama"),
        ({"kind": "choice"}, "Tulis pilihannya"),
        ({"choices": "ada|tiada"}, "tanpa garis tegak"),
        ({"choices": "ada", "abnormal": "tiada"}, "tidak ada di pilihan"),
        ({"choices": "ada\ntiada", "abnormal": "ada", "critical": "tiada"}, "tidak normal."),
        ({"plausible_high": "0"}, "lebih tinggi"),
        ({"plausible_high": "banyak"}, "Isi angka"),
        ({"loinc": "abc"}, "Seperti 718-7"),
    ],
)
def test_a_wrong_test_is_refused_with_all_that_was_typed(sign_in, fields, sentence):
    answer = post(sign_in("kepala"), "/sistem/laboratorium/baru", NEW | fields)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert 'value="mg/L"' in page
    assert tests_of("CRP") is None


def test_a_changed_range_ends_the_old_one_and_the_program_does_not_bring_it_back(sign_in):
    head, led = sign_in("kepala"), tests_of("LED")
    before = ranges_of(led)[0]
    address = f"/sistem/laboratorium/{led.id}/rujukan/{before.id}"
    page = head.get(address).get_data(as_text=True)
    assert 'name="high" value="10"' in page
    fields = {"sex": "", "below_years": "15", "high": "12", "is_active": "y"}
    assert post(head, address, fields).status_code == 303
    rows = ranges_of(led)
    assert [row.is_active for row in rows if row.id == before.id] == [False]
    assert rows[-1].high == 12
    assert head.get(address).status_code == 404
    with transaction():
        reference.seed()
    assert len(ranges_of(led)) == len(rows)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"high": "", "critical_high": ""}, "paling sedikit satu"),
        ({"low": "9"}, "lebih tinggi"),
        ({"critical_high": "5"}, "di atas rujukan"),
        ({"critical_low": "5"}, "di bawah rujukan"),
        ({"below_years": "0", "below_months": "0"}, "lebih tinggi"),
        ({"from_years": "20"}, "tumpang tindih"),
    ],
)
def test_a_senseless_range_is_refused(sign_in, fields, sentence):
    trombosit = tests_of("TROMBOSIT")
    address = f"/sistem/laboratorium/{trombosit.id}/rujukan"
    answer = post(sign_in("kepala"), address, RANGE | fields)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert len(ranges_of(trombosit)) == 1


def test_a_test_that_is_not_done_any_more_cannot_be_ordered(sign_in):
    head, widal = sign_in("kepala"), tests_of("WIDAL")
    fields = {"name": "Widal", "group": "Infeksi", "position": "500", "decimals": "0"}
    assert post(head, f"/sistem/laboratorium/{widal.id}", fields).status_code == 303
    told = select(AuditEntry.details).where(AuditEntry.action == "change_lab_test")
    assert db.session.scalars(told).one().startswith("WIDAL: ")
    assert not tests_of("WIDAL").is_active
    with transaction():
        reference.seed()
    assert not tests_of("WIDAL").is_active


def test_the_head_says_which_choices_are_critical(sign_in):
    hiv = tests_of("HIV")
    fields = {"name": "HIV", "group": "Infeksi", "position": "440", "decimals": "0"}
    lists = {"choices": "nonreaktif\nreaktif", "abnormal": "reaktif", "critical": "reaktif"}
    address = f"/sistem/laboratorium/{hiv.id}"
    assert post(sign_in("kepala"), address, fields | lists).status_code == 303
    assert tests_of("HIV").critical_list == ["reaktif"]


def test_a_range_for_pregnant_women_stands_beside_that_of_women(sign_in):
    head, trombosit = sign_in("kepala"), tests_of("TROMBOSIT")
    address = f"/sistem/laboratorium/{trombosit.id}"
    assert post(head, f"{address}/rujukan", RANGE | {"sex": "H"}).status_code == 303
    assert "Ibu hamil" in head.get(address).get_data(as_text=True)
    assert post(head, f"{address}/rujukan", RANGE | {"sex": "H"}).status_code == 422


def test_texts_have_no_ranges(sign_in):
    widal = tests_of("WIDAL")
    assert sign_in("kepala").get(f"/sistem/laboratorium/{widal.id}/rujukan").status_code == 404
