"""Two people of one name on one day: whoever comes in says their birth year before the start."""

from datetime import date

import pytest
from sqlalchemy import select

from clinic import queues, records, right_patient
from clinic.records import ExaminationInput
from clinic.right_patient import Unconfirmed
from db import db, transaction
from models import AuditEntry, DatePrecision, EntryState, Patient, QueueEntry
from tests import factories
from tests.pages import post
from tests.test_patients import text_of

NAME = "Siti Aminah"


def call(entry: QueueEntry) -> QueueEntry:
    with transaction():
        return queues.act(factories.actor("umum"), entry, "panggil")


def start(entry: QueueEntry, answer: str = "", reason: str = "") -> QueueEntry:
    with transaction():
        return queues.act(factories.actor("umum"), entry, "mulai", reason, answer=answer)


@pytest.fixture
def two(app) -> tuple[QueueEntry, QueueEntry]:
    """Born in 1985 and in 1991, both in UMUM today."""
    first = factories.entry("UMUM", factories.patient(NAME, birth_date=date(1985, 5, 14)))
    second = factories.entry("UMUM", factories.patient(NAME, birth_date=date(1991, 2, 3)))
    return call(first), call(second)


def started_with(entry: QueueEntry) -> str:
    found = select(AuditEntry.reason).filter_by(action="start", object_ref=entry.public_id)
    return db.session.scalars(found).one()


def test_one_of_a_name_is_not_asked(app):
    entry = call(factories.entry("UMUM"))
    assert right_patient.question(entry) is None
    assert start(entry).state == EntryState.IN_SERVICE
    assert started_with(entry) == ""


def test_of_two_the_one_who_came_in_says_the_year(two):
    first, _ = two
    assert right_patient.question(first) == right_patient.Question(2, asks_date=False)
    with pytest.raises(Unconfirmed, match="tanyakan dulu siapa"):
        start(first)
    assert start(first, "1985").state == EntryState.IN_SERVICE
    assert started_with(first) == "senama: tahun lahir cocok"


def test_the_answer_of_the_other_one_stops_the_start(two):
    first, second = two
    with pytest.raises(Unconfirmed, match="mungkin yang masuk pasien lain"):
        start(first, "1991")
    assert first.state == EntryState.CALLED
    assert start(second, "03-02-1991").state == EntryState.IN_SERVICE


def test_who_does_not_know_the_year_is_served_all_the_same(two):
    first, _ = two
    for short in ("kartu", "kartu BPJ"):
        with pytest.raises(Unconfirmed):
            start(first, reason=short)
    assert start(first, reason="kartu BPJS").state == EntryState.IN_SERVICE
    assert started_with(first) == "senama: kartu BPJS"


@pytest.mark.parametrize(
    ("other", "asks_date"),
    [(date(1985, 5, 14), None), (date(1985, 6, 14), True), (date(1986, 5, 14), False)],
)
def test_it_asks_what_tells_them_apart(app, other, asks_date):
    entry = factories.entry("UMUM", factories.patient(NAME, birth_date=date(1985, 5, 14)))
    factories.entry("GIGI", factories.patient(NAME, birth_date=other))
    found = right_patient.question(entry)
    assert (found.asks_date if found else None) is asks_date


def test_a_year_is_no_answer_where_the_date_is_asked(app):
    entry = call(factories.entry("UMUM", factories.patient(NAME, birth_date=date(1985, 5, 14))))
    factories.entry("GIGI", factories.patient(NAME, birth_date=date(1985, 6, 14)))
    with pytest.raises(Unconfirmed):
        start(entry, "1985")
    assert start(entry, "14-05-1985").state == EntryState.IN_SERVICE


def test_another_spelling_is_the_same_name(app):
    entry = factories.entry("UMUM", factories.patient("Muhammad Ali", birth_date=date(1985, 5, 14)))
    factories.entry("UMUM", factories.patient("Moh. Ali", birth_date=date(1960, 1, 2)))
    assert right_patient.question(entry)


@pytest.mark.parametrize(
    ("told", "fits"),
    [
        ("1983", True),
        ("1987", True),
        ("1988", False),
        ("12-03-1985", True),
        ("12-03-1987", True),
        ("12-03-1988", False),
    ],
)
def test_an_estimated_year_may_be_two_off(app, told, fits):
    person = factories.patient(
        NAME, birth_date=date(1985, 7, 1), birth_precision=DatePrecision.YEAR
    )
    entry = call(factories.entry("UMUM", person))
    factories.entry("UMUM", factories.patient(NAME, birth_date=date(1950, 2, 3)))
    if fits:
        assert start(entry, told).state == EntryState.IN_SERVICE
    else:
        with pytest.raises(Unconfirmed):
            start(entry, told)


def test_an_emergency_waits_for_no_answer(app):
    entry = factories.entry(
        "UGD", factories.patient(NAME, birth_date=date(1985, 5, 14)), priority="GAWAT"
    )
    factories.entry("UMUM", factories.patient(NAME, birth_date=date(1991, 2, 3)))
    assert right_patient.question(entry) is None


def test_a_cancelled_namesake_is_nobody(app):
    entry = factories.entry("UMUM", factories.patient(NAME, birth_date=date(1985, 5, 14)))
    other = factories.entry("UMUM", factories.patient(NAME, birth_date=date(1991, 2, 3)))
    with transaction():
        queues.act(factories.actor("umum"), other, "batal", "terdaftar dua kali")
    assert right_patient.question(entry) is None


def test_writing_does_not_begin_past_the_question(two):
    first, _ = two
    with pytest.raises(queues.QueueError), transaction():
        records.save(factories.actor("umum"), first, ExaminationInput(assessment="flu"), 0)
    db.session.expire_all()
    assert first.state == EntryState.CALLED and first.examination is None


# --- The pages --------------------------------------------------------------------------------


def test_the_queue_asks_and_keeps_what_was_typed(two, sign_in):
    first, _ = two
    client = sign_in("umum")
    client.get("/poli/UMUM")
    here = f"/antrean/{first.public_id}/mulai"
    asked = post(client, here, {})
    assert asked.status_code == 422
    assert "2 x Siti Aminah hari ini" in text_of(asked)
    assert 'role="alert"' not in asked.get_data(as_text=True), "nobody has been wrong yet"
    wrong = post(client, here, {"jawaban": "1991", "alasan": "kartu"})
    assert "mungkin yang masuk pasien lain" in text_of(wrong)
    assert 'value="1991"' in wrong.get_data(as_text=True)
    assert 'value="kartu"' in wrong.get_data(as_text=True)
    right = post(client, here, {"jawaban": "1985", "alasan": ""})
    assert right.status_code == 303
    assert "/kunjungan/" in right.location


@pytest.mark.parametrize("reason", ["x" * 281, "\u0958" * 200])
def test_a_reason_that_is_too_long_is_said_and_kept(two, sign_in, reason):
    """The second grows to twice its length when it is brought into one form."""
    first, _ = two
    client = sign_in("umum")
    client.get("/poli/UMUM")
    answer = post(client, f"/antrean/{first.public_id}/mulai", {"jawaban": "", "alasan": reason})
    assert answer.status_code == 422
    assert "Ringkas dulu" in text_of(answer)
    assert f'value="{reason}"' in answer.get_data(as_text=True)


def test_the_page_asks_when_it_is_opened_by_its_address(two, sign_in):
    first, second = two
    client = sign_in("umum")
    assert "Yang mana Siti Aminah?" in text_of(client.get(f"/antrean/{first.public_id}/mulai"))
    start(second, "1991")
    db.session.rollback()
    page = client.get(f"/kunjungan/{first.visit.public_id}")
    assert "Belum mulai diperiksa" in text_of(page)
    assert 'name="subjective"' not in page.get_data(as_text=True)
    assert post(client, f"/antrean/{first.public_id}/mulai", {}).status_code == 422


@pytest.mark.parametrize(
    ("precision", "answer", "fits"),
    [
        (DatePrecision.DAY, "1985", True),
        (DatePrecision.DAY, "1986", False),
        (DatePrecision.YEAR, "1987", True),
        (DatePrecision.YEAR, "1988", False),
    ],
)
def test_only_of_an_estimated_date_a_near_year_is_an_answer(precision, answer, fits):
    one = Patient(birth_date=date(1985, 5, 14), birth_precision=precision)
    asked = right_patient.Question(2, asks_date=False)
    assert right_patient._fits(answer, one, asked) is fits
