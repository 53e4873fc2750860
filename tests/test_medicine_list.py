"""The head keeps the list of medicines; what was prescribed keeps the words of its day."""

import pytest
from sqlalchemy import select

from clinic import medicines
from db import db
from models import AuditEntry, Medicine
from tests import pharmacy
from tests.pages import post

# The pages: what they ask of a database is tested in clinic/'s own tests and by the sweep of
# test_hostile_text.py on PostgreSQL too.
pytestmark = pytest.mark.engines("sqlite")

NEW = {
    "code": "gaba300",
    "name": "Gabapentin",
    "strength": "300 mg",
    "form": "kapsul",
    "unit": "kapsul",
    "dose_unit": "kapsul",
    "doses_per_unit": "1",
    "route": "oral",
    "ingredients": "Gabapentin",
    "families": "",
    "synonyms": "neurontin",
    "group": "Saraf dan jiwa",
    "kfa_code": "",
    "reorder_level": "50",
    "position": "2000",
}


def medicine(code: str) -> Medicine | None:
    db.session.rollback()
    return medicines.by_code(code)


@pytest.mark.parametrize(("username", "status"), [("kepala", 200), ("farmasi", 403), ("ti", 403)])
def test_the_list_is_the_heads(sign_in, username, status):
    client = sign_in(username)
    assert client.get("/sistem/obat").status_code == status
    assert client.get("/sistem/obat/baru").status_code == status


def test_a_new_medicine_is_found_and_can_be_ended(sign_in):
    head = sign_in("kepala")
    assert post(head, "/sistem/obat/baru", NEW).status_code == 303
    found = medicine("GABA300")
    assert (found.label, found.ingredients) == ("Gabapentin 300 mg kapsul", "gabapentin")
    assert [row.code for row in medicines.search("neuron")] == ["GABA300"]
    address = f"/sistem/obat/{found.id}"
    assert 'value="Gabapentin"' in head.get(address).get_data(as_text=True)
    assert "Gabapentin 300 mg" in head.get("/sistem/obat?q=neuron").get_data(as_text=True)
    assert post(head, address, NEW | {"strength": "300 mg"}).status_code == 303  # not ticked
    assert not medicine("GABA300").is_active
    assert medicines.search("neuron") == []
    # Who keeps the list, or counts what is left of it, still finds it.
    assert "Gabapentin 300 mg" in head.get("/sistem/obat?q=neuron").get_data(as_text=True)
    assert "Gabapentin 300 mg" in head.get("/farmasi/stok?q=neuron").get_data(as_text=True)
    told = list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))
    assert [each for each in told if "medicine" in each] == ["create_medicine", "change_medicine"]


def counted(code: str, way: str) -> None:
    found = medicine(code)
    if way == "stock":
        pharmacy.receive(found, 806)
    elif way == "line":
        pharmacy.prescription(pharmacy.line(found, 10))
    elif way == "compound":
        pharmacy.prescription(pharmacy.compound((found, 1, "kapsul")))


@pytest.mark.parametrize("way", ["stock", "line", "compound"])
@pytest.mark.parametrize(
    "fields", [{"unit": "strip"}, {"dose_unit": "tablet"}, {"doses_per_unit": "10"}]
)
def test_what_is_counted_in_a_unit_keeps_it(sign_in, way, fields):
    head = sign_in("kepala")
    post(head, "/sistem/obat/baru", NEW)
    address, still = f"/sistem/obat/{medicine('GABA300').id}", NEW | {"is_active": "y"}
    counted("GABA300", way)
    answer = post(head, address, still | fields | {"synonyms": "diketik"})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "tidak dapat diubah lagi" in page and 'value="diketik"' in page
    assert (medicine("GABA300").unit, medicine("GABA300").doses_per_unit) == ("kapsul", 1)
    respelled = still | {"dose_unit": "Kapsul", "strength": "300  mg"}
    assert post(head, address, respelled).status_code == 303


def test_what_was_never_counted_may_get_another_unit(sign_in):
    head = sign_in("kepala")
    post(head, "/sistem/obat/baru", NEW)
    address = f"/sistem/obat/{medicine('GABA300').id}"
    changed = NEW | {"is_active": "y", "unit": "strip", "doses_per_unit": "10"}
    assert post(head, address, changed).status_code == 303
    assert medicine("GABA300").unit == "strip"


def test_a_kfa_code_is_optional_and_added_later(sign_in):
    head = sign_in("kepala")
    post(head, "/sistem/obat/baru", NEW)
    found = medicine("GABA300")
    assert found.kfa_code == ""
    changed = NEW | {"kfa_code": "93000123", "is_active": "y"}
    assert post(head, f"/sistem/obat/{found.id}", changed).status_code == 303
    assert medicine("GABA300").kfa_code == "93000123"
    assert 'value="93000123"' in head.get(f"/sistem/obat/{found.id}").get_data(as_text=True)


def test_ingredients_are_kept_as_the_warnings_compare_them(sign_in):
    fields = NEW | {
        "ingredients": "Sulfa-Metoksazol\r\nTrimetoprim|trimetoprim",
        "families": "SULFA",
    }
    post(sign_in("kepala"), "/sistem/obat/baru", fields)
    assert medicine("GABA300").ingredient_list == ["sulfa metoksazol", "trimetoprim"]
    assert medicine("GABA300").family_list == ["sulfa"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"code": "PCT500"}, "sudah dipakai"),
        ({"code": "a b"}, "Kode: Huruf, angka"),
        ({"name": ""}, "Isi nama obat"),
        ({"ingredients": " | "}, "paling sedikit satu zat aktif"),
        ({"ingredients": "x" * 300}, "paling banyak 200"),
        ({"doses_per_unit": "0"}, "angka bulat 1"),
        ({"doses_per_unit": ""}, "Isi angkanya"),
        ({"route": "telepati"}, "Pilih salah satu"),
        ({"kfa_code": "abc"}, "Hanya angka"),
        ({"name": "Parasetamol", "strength": "500 mg", "form": "tablet"}, "sudah ada di daftar"),
    ],
)
def test_a_wrong_medicine_is_refused_with_all_that_was_typed(sign_in, fields, sentence):
    answer = post(sign_in("kepala"), "/sistem/obat/baru", NEW | fields)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert 'value="neurontin"' in page
    assert medicine("GABA300") is None
