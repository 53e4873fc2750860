"""What a clinic starts with: complete, consistent, and never overwritten."""

import re
from collections import Counter

import pytest
from sqlalchemy import func, select

from clinic import icd10_source, reference, routing
from clinic.complaint_text import fold
from clinic.villages import is_in_area
from db import db, transaction
from models import ComplaintTerm, Icd10Term, Poli, PoliKind, RoutingRule, Village

TABLES = [Poli, RoutingRule, ComplaintTerm, Icd10Term, Village]


def counts() -> dict[str, int]:
    return {
        table.__tablename__: db.session.scalar(select(func.count()).select_from(table))
        for table in TABLES
    }


def test_seeding_again_adds_and_changes_nothing(app):
    with transaction():
        reference.seed()
        reference.seed_demo_villages()
        db.session.query(Poli).filter_by(code="UMUM").one().name = "Ruang 1"
        db.session.query(RoutingRule).filter_by(rule="E3").one().message = "Bukan untuk dewasa."
    before = counts()
    with transaction():
        reference.seed()
        reference.seed_demo_villages()
    assert counts() == before
    assert db.session.query(Poli).filter_by(code="UMUM").one().name == "Ruang 1"
    assert db.session.query(RoutingRule).filter_by(rule="E3").one().message == (
        "Bukan untuk dewasa."
    )


def test_a_room_of_the_clinics_own_keeps_its_letter(app, monkeypatch):
    with transaction():
        db.session.query(Poli).filter_by(code="UMUM").one().prefix = "J"
    more = [*reference.rows("poli.csv"), {**reference.rows("poli.csv")[0], "code": "JIWA"}]
    more[-1]["prefix"] = "J"
    monkeypatch.setattr(reference, "rows", lambda name: more if name == "poli.csv" else [])
    with transaction():
        reference._seed_polis()
    assert db.session.query(Poli).filter_by(code="JIWA").all() == []


def test_the_rooms_of_the_clinic(app):
    rooms = db.session.query(Poli).order_by(Poli.position).all()
    assert " ".join(room.code for room in rooms) == (
        "UMUM GIGI KIA KB MTBS LANSIA IMUN TB GIZI UGD LAB FARMASI"
    )
    assert "".join(room.prefix for room in rooms) == "UGKBMLITZXAF"
    assert [room.hue for room in rooms] == list(range(12))
    kinds = {room.code: room.kind for room in rooms if room.kind != PoliKind.OUTPATIENT}
    assert kinds == {
        "UGD": PoliKind.EMERGENCY,
        "LAB": PoliKind.LABORATORY,
        "FARMASI": PoliKind.PHARMACY,
    }
    assert db.session.query(Poli).filter_by(code="KIA").one().pcare_code == "003"


def test_every_rule_is_there():
    rules = reference.rows("rules.csv")
    names = sorted({row["rule"] for row in rules})
    assert " ".join(names) == "E1 E2 E3 E4 K1 L1 P1 R1 W1 W2 W3 W4 W5 W6 W7 W8 W9"
    rooms = {row["code"] for row in reference.rows("poli.csv")}
    for row in rules:
        named = f"{row['poli_in'] or ''} {row['poli_not_in'] or ''} {row['target_code'] or ''}"
        assert set(named.split()) <= rooms
        assert set(re.findall(r"{(\w+)}", row["message"])) <= set(routing.PLACEHOLDERS)
        assert len(row["message"]) <= 300
    assert len({(row["rule"], row["position"]) for row in rules}) == len(rules)


def test_every_word_speaks_for_a_room_of_the_clinic_once():
    rooms = {row["code"] for row in reference.rows("poli.csv")}
    terms = reference.complaint_terms()
    twice = Counter((fold(row["phrase"]), row["poli_code"]) for row in terms)
    assert [key for key, times in twice.items() if times > 1] == []
    assert {row["poli_code"] for row in terms} <= rooms
    assert all(1 <= row["weight"] <= 3 and fold(row["phrase"]) for row in terms)
    assert {row["poli_code"] for row in terms if row["is_red_flag"]} == {"UGD"}


def test_icd10_has_every_category_and_leaf_of_the_package():
    titles = dict(icd10_source.titles())
    assert len(titles) == 12246
    assert titles["J00"] == "Acute nasopharyngitis [common cold]"
    assert titles["Z99.9"]
    assert "A00-A09" not in titles
    assert "I" not in titles


def test_national_rows_are_those_that_the_edition_lacks():
    titles = dict(icd10_source.titles())
    for row in reference.rows("icd10_id.csv"):
        assert (row["code"] in titles) != row["is_national"], row["code"]
        assert bool(row["title_en"]) == row["is_national"], row["code"]


@pytest.mark.parametrize("code", ["A90", "A91", "I84", "K35.9"])
def test_national_codes_are_marked(app, code):
    row = db.session.query(Icd10Term).filter_by(code=code).one()
    assert row.is_national
    assert row.edition == "nasional"
    assert row.title
    assert row.title_id


def test_villages_are_of_the_demo_only(app):
    assert counts()["village"] == 0
    with transaction():
        reference.seed_demo_villages()
    in_area = {row.name: row.is_in_area for row in db.session.query(Village)}
    assert in_area["Sumber Melati"] is True
    assert in_area["Rawa Kemuning"] is False


@pytest.mark.engines("sqlite")
def test_a_visit_is_in_the_area_by_the_villages_that_the_clinic_lists_now(app):
    assert is_in_area("Sumber Melati") is None, "the clinic has not said which"
    with transaction():
        reference.seed_demo_villages()
    told = [is_in_area(name) for name in ("sumber  MELATI", "Rawa Kemuning", "Jauh Sekali", "")]
    assert told == [True, False, False, None]
    with transaction():
        db.session.query(Village).filter_by(name="Sumber Melati").one().is_active = False
    assert is_in_area("Sumber Melati") is False


@pytest.mark.engines("sqlite")
def test_a_village_is_known_with_or_without_what_it_is_called(app):
    with transaction():
        reference.seed_demo_villages()
    written = ("Desa Tirta Alur", "Ds. tirta alur", "Kel. Tirta Alur", "KELURAHAN TIRTA-ALUR")
    assert all(is_in_area(name) for name in (*written, "TIRTAALUR", "Ds.TirtaAlur"))
    assert is_in_area("Desa Rawa Kemuning") is False
    others = ("Dusun Tirta Alur", "Tirta Alus", "Tirta Alur II", "Desa", "-")
    assert not any(is_in_area(name) for name in others)


@pytest.mark.engines("sqlite")
def test_the_very_name_counts_before_one_alike(app):
    with transaction():
        rows = {"Baru": False, "Desa Baru": True}
        for name, inside in rows.items():
            db.session.add(Village(name=name, folded=name.upper(), is_in_area=inside))
    assert {name: is_in_area(name) for name in rows} == rows
