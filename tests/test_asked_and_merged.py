"""Answers at the counter about records that were merged since: they follow the person."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from clinic import asking, merging, pairs
from db import db, transaction
from models import PairSource, PairState, Patient, SuspectedPair, Visit
from tests import factories
from tests.pages import post, text_of
from tests.stored import draft_row

BORN = date(1985, 8, 17)
TYPED = {
    "no_nik_reason": "LUPA_KARTU",
    "name": "Siti Aminah Rahayu",
    "sex": "P",
    "birth_date": "17-08-1985",
    "address": "Jalan Kenanga 12",
    "village": "Tirta Alur",
    "complaint": "demam dan batuk",
    "poli": "UMUM",
}


@pytest.fixture
def clerk(sign_in):
    return sign_in("loket")


def siti(**fields) -> Patient:
    fields = {"birth_date": BORN, "no_nik_reason": "LUPA_KARTU"} | fields
    return factories.patient("Siti Aminah Rahayu", **fields)


def merge(survivor: Patient, loser: Patient) -> None:
    with transaction():
        people = [db.session.get_one(Patient, one.id) for one in (survivor, loser)]
        merging.merge(factories.actor("rekammedis"), *people, {}, "orang yang sama")


def doubt(one: Patient, other: Patient) -> None:
    with transaction():
        people = [db.session.get_one(Patient, each.id) for each in (one, other)]
        pairs.note(factories.actor(), *people, PairState.OPEN, source=PairSource.COUNTER)


def is_doubtful(page: str, patient: Patient) -> bool:
    return bool(re.search(rf'id="jawab-{patient.public_id}-ragu"[^>]* checked', page))


def address(patient: Patient) -> str:
    return f"/pendaftaran/pasien/{patient.public_id}"


def send(clerk, url: str, **more) -> str:
    response = post(clerk, url, TYPED | more)
    assert response.status_code == 303, text_of(response)
    return response.location


def seen(page: str) -> dict:
    fields = re.findall(r'name="(version|ditanya)" value="([^"]+)"', page)
    asked = [value for name, value in fields if name == "ditanya"]
    return {"version": dict(fields)["version"], "ditanya": asked}


# --- A doubt that waits for the records staff ---------------------------------------------------


def test_a_doubt_about_a_record_holds_for_what_it_was_merged_into(clerk):
    mine, doubtful, survivor = siti(), siti(), siti()
    doubt(mine, doubtful)
    assert not is_doubtful(text_of(clerk.get(address(mine))), survivor)
    merge(survivor, doubtful)
    assert is_doubtful(text_of(clerk.get(address(mine))), survivor)
    check = send(clerk, address(mine))
    assert is_doubtful(text_of(clerk.get(check)), survivor)
    assert "/tiket/" in post(clerk, check, seen(text_of(clerk.get(check)))).location


def test_a_doubt_that_came_with_a_merged_record_is_the_survivors(clerk):
    survivor, loser, doubtful = siti(), siti(), siti()
    doubt(loser, doubtful)
    merge(survivor, loser)
    assert is_doubtful(text_of(clerk.get(address(survivor))), doubtful)


# --- A draft that outlives a merge ----------------------------------------------------------------


def test_a_draft_on_a_merged_record_does_not_ask_about_its_own_patient(clerk):
    survivor, loser = siti(), siti()
    check = send(clerk, address(loser))
    assert draft_row().answers == {survivor.public_id: ""}
    before = seen(text_of(clerk.get(check)))
    assert before["ditanya"] == [survivor.public_id]
    merge(survivor, loser)
    page = text_of(clerk.get(check))
    assert "Orang yang sama?" not in page
    # a page that was open before the merge asked still, and may be sent, answered or not
    saved = post(clerk, check, before)
    assert "/tiket/" in saved.location, text_of(saved)
    assert db.session.scalars(select(Visit)).one().patient_id == survivor.id


def test_nor_does_a_draft_ask_about_a_record_that_its_patient_took_in(clerk):
    survivor, loser = siti(), siti()
    check = send(clerk, address(survivor))
    merge(survivor, loser)
    page = text_of(clerk.get(check))
    assert "Orang yang sama?" not in page
    assert "/tiket/" in post(clerk, check, seen(page) | answer(loser, "beda")).location
    db.session.expire_all()
    assert [row.state for row in db.session.scalars(select(SuspectedPair))] == []


def answer(patient: Patient, how: str) -> dict[str, str]:
    return {f"jawab-{patient.public_id}": how}


def test_two_who_became_one_are_asked_about_once(clerk):
    one, other = siti(), siti()
    check = send(clerk, "/pendaftaran/baru", **answer(other, "beda"))
    assert draft_row().answers == {one.public_id: "", other.public_id: "beda"}
    merge(one, other)
    page = text_of(clerk.get(check))
    assert seen(page)["ditanya"] == [one.public_id]
    assert re.search(rf'id="jawab-{one.public_id}"[^>]* checked', page), "answered already"
    assert "/tiket/" in post(clerk, check, seen(page)).location


def test_answers_by_the_records_of_today(app):
    one, other, third = siti(), siti(), siti()
    merge(one, other)
    nobody = "01a213b4-86d9-715f-ba15-859a2415abf1"
    said = {one.public_id: "beda", other.public_id: "ragu", third.public_id: "", nobody: "beda"}
    assert asking.of_today(said, None) == {
        one.public_id: "ragu",
        third.public_id: "",
        nobody: "beda",
    }
    assert asking.of_today(said, one) == {third.public_id: "", nobody: "beda"}
    assert asking.of_today({}, one) == {}
