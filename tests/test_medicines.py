"""The clinic's medicines: a list that is whole, and found in any spelling."""

import pytest
from sqlalchemy import select

from clinic import medicines, reference, written_medicines
from clinic.medicine_words import alike, key
from db import db, transaction
from models import Medicine


def found(text: str) -> list[str]:
    return [row.code for row in medicines.search(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Amoxicillin", "amoksisilin"),
        ("amoxycillin", "AMOKSISILIN"),
        ("Ciprofloxacin", "siprofloksasin"),
        ("azithromycin", "azitromisin"),
        ("chloramphenicol", "kloramfenikol"),
        ("cotrimoxazole", "kotrimoksazol"),
        ("hydrochlorothiazide", "hidroklorotiazid"),
        ("Furosemide", "furosemid"),
        ("Cefixime", "sefiksim"),
        ("cefixim", "sefiksim"),
        ("Penicillin", "penisilin"),
        ("Co-trimoxazole", "kotrimoksazol"),
        ("zinc", "zink"),
        ("Hydrocortisone cream", "hidrokortison krim"),
        ("zalf", "salep"),
    ],
)
def test_two_spellings_of_a_medicine_are_one(one, other):
    assert key(one) == key(other)


def test_a_slip_of_the_pen_is_alike_and_another_medicine_is_not():
    assert alike(key("amoxcilin"), key("amoksisilin"))
    assert not alike(key("kloramfenikol"), key("klorpromazin"))
    assert not alike("zink", "zinc")  # short words must be the same
    assert key("500 mg") != key("50 mg")


def test_a_few_letters_find_the_medicine_its_own_name_first(app):
    assert found("para")[:3] == ["PCT500", "PCT-S", "PCT-D"]
    assert found("pct sir") == ["PCT-S"]
    assert found("amoxicillin 500")[0] == "AMOX500"
    assert found("ctm") == ["CTM4"]
    assert found("ibup 200") == ["IBU200"]
    assert found("tamol") == found("") == found("%") == []


def test_what_it_is_known_by_comes_before_what_only_holds_it(app):
    assert found("vitamin c")[0] == found("vit c")[0] == "VITC50"


def test_vitamins_are_told_apart(app):
    assert found("vit k")[0] == found("vitamin k")[0] == found("vit k1")[0] == "VITK-I"
    assert "VITK-I" not in found("vit c") + found("vitamin c")
    assert "VITC50" not in found("vit k") + found("vitamin k")
    with transaction():
        medicines.by_code("VITB6").synonyms = "vit e"  # as a clinic may write its own
    assert found("vit e")[0] == "VITB6"
    assert found("vit b12")[0] == found("b12")[0] == "VITB12"
    assert found("vit b1") == found("b1") == []  # there is none; B12 is shown as only alike
    assert medicines.offered("vit b1")[1]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("omz", "OMEP20"),
        ("pamol", "PCT500"),
        ("scopamin", "HYOS"),
        ("newdiatab", "ATTAP"),
        ("haldol", "HALO5"),
        ("betahistin mesilat", "BETAH6"),
        ("scabimite", "PERME"),
        ("salep 24", "S24"),
        ("4fdc", "OAT-FDC4"),
        ("sf", "TTD"),
        ("hydrocortisone cream", "HIDRO-K"),
    ],
)
def test_usual_short_forms_and_brands_find_their_medicine(app, typed, first):
    assert found(typed)[0] == first


def near(text: str) -> list[str]:
    return [row.code for row in medicines.alike(text)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("paracetmol", "PCT500"),
        ("amoxcillin 500", "AMOX500"),
        ("amoxcillin", "AMOX500"),
        ("kaptoril", "KAPTO12"),
        ("omeprasol", "OMEP20"),
        ("zat entah", ""),
        ("%", ""),
    ],
)
def test_a_letter_too_few_leads_to_the_medicine_all_the_same(app, typed, first):
    assert found(typed) == []
    assert (near(typed) or [""])[0] == first


def test_what_has_ended_is_no_longer_found(app):
    with transaction():
        medicines.by_code("ctm4").is_active = False
        medicines.by_code("pct500").is_active = False
    assert found("ctm") == [] and "PCT500" not in near("paracetmol")
    assert medicines.by_code("CTM4") is not None


def test_the_list_that_a_clinic_starts_with_is_consistent(app):
    rows = list(db.session.scalars(select(Medicine)))
    assert len(rows) >= 90
    assert len({row.label for row in rows}) == len(rows)
    for row in rows:
        assert all(text == text.lower() for text in row.ingredient_list + row.family_list)
        assert len(row.label) <= 160
        assert row.kfa_code == ""  # none that nobody is certain of
    sulfa = {row.code for row in rows if "sulfa" in row.family_list}
    assert sulfa == {"KOTRI480", "KOTRI-S", "SSD"}


def test_what_the_head_changed_stays_when_the_list_is_loaded_again(app):
    with transaction():
        medicines.by_code("CTM4").name = "CTM"
        db.session.delete(medicines.by_code("PCT500"))
    with transaction():
        reference.seed()
    assert medicines.by_code("CTM4").name == "CTM"
    assert medicines.by_code("PCT500").doses_per_unit == 1  # an upgraded clinic gets it


# --- As a doctor writes it --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("pct 3x1", ("pct", "3x1", "")),
        ("amox 500 3dd1 no XV", ("amox 500", "3dd1", "15")),
        ("pct no. 15 3x1 pc 5 hari", ("pct", "3x1 pc 5 hari", "15")),
        ("R/ pct tab no XXX S 3 dd tab I", ("pct tab", "S 3 dd tab I", "30")),
        ("ibup s3dd1", ("ibup", "s3dd1", "")),
        ("pct bila demam 3x1", ("pct", "bila demam 3x1", "")),
        ("gentamisin 0,3% 3 x 2 gtt", ("gentamisin 0,3%", "3 x 2 gtt", "")),
        ("hidrokortison krim oles 2x sehari", ("hidrokortison krim", "oles 2x sehari", "")),
        ("hidrokortison s.u.e", ("hidrokortison", "s.u.e", "")),
        ("CTM 1-0-1", ("CTM", "1-0-1", "")),
        # nothing is cut off what only looks so
        ("pct 500", ("pct 500", "", "")),
        ("3x1", ("3x1", "", "")),
        ("no XV", ("no XV", "", "")),
        ("S24", ("S24", "", "")),
        ("salep 2-4", ("salep 2-4", "", "")),
        ("pct no 0", ("pct no 0", "", "")),
        ("vit b12", ("vit b12", "", "")),
    ],
)
def test_a_line_of_a_doctor_is_a_name_directions_and_a_quantity(typed, parts):
    found = written_medicines.read(typed)
    assert (found.name, found.sig, found.quantity) == parts


def test_no_name_of_the_list_reads_as_directions(app):
    for each in medicines.active():
        for called in (each.label, each.code, *each.synonyms.split(",")):
            assert written_medicines.read(called.strip()).name == " ".join(called.split()), called
