"""Examinations that were written on paper, copied into the record by the room's staff."""

import pytest
from sqlalchemy import select

from clinic import slips
from db import db
from models import Examination, QueueEntry, Source
from tests import factories
from tests.pages import post
from tests.test_slips import block, clerk, enter, line, today  # noqa: F401

DESK = "/pemeriksaan/kertas"


@pytest.fixture
def served(clerk, block):  # noqa: F811
    """Somebody who was served on paper; the stay in the room."""
    enter(clerk, line(1, 1))
    return db.session.scalars(select(QueueEntry)).one()


def write(client, entry, **typed: str):
    ref = entry.public_id
    practitioner = factories.user("umum").practitioner.public_id
    fields = {"practitioner": practitioner, "disposition": "pulang", "therapy": "Parasetamol"}
    sent = {f"{name}-{ref}": text for name, text in (fields | typed).items()}
    return post(client, DESK, {"entry": [ref], **sent})


def examinations() -> list[Examination]:
    return list(db.session.scalars(select(Examination)))


def test_the_room_copies_the_paper_and_the_record_says_so(served, sign_in):
    nurse = sign_in("umum")
    assert "1 pemeriksaan dari kertas belum ditulis" in nurse.get("/poli/UMUM").get_data(True)
    page = nurse.get(DESK).get_data(as_text=True)
    assert f'data-entry="{served.public_id}"' in page
    assert write(nurse, served, assessment="ISPA", objective="faring merah").status_code == 303
    (made,) = examinations()
    assert made.source == Source.PAPER
    assert made.occurred_at == served.visit.occurred_at < made.recorded_at
    assert made.practitioner.name == factories.user("umum").practitioner.name
    assert made.finished_at is not None
    assert "Tidak ada yang menunggu ditulis" in nurse.get(DESK).get_data(as_text=True)
    record = sign_in("kepala").get(f"/pasien/{served.visit.patient.public_id}")
    assert "Dicatat belakangan" in record.get_data(as_text=True)
    assert "dari kertas, dicatat" in record.get_data(as_text=True)


def test_a_code_is_read_back_before_it_is_kept(served, sign_in):
    nurse = sign_in("umum")
    page = write(nurse, served, diagnosis="J06.9, I10")
    assert page.status_code == 422
    assert "Kode ini berarti" in page.get_data(as_text=True)
    assert not examinations()
    shown = {f"shown-{served.public_id}": "J06.9 I10"}
    ref = served.public_id
    who = factories.user("umum").practitioner.public_id
    sent = {f"practitioner-{ref}": who, f"disposition-{ref}": "pulang"} | shown
    sent |= {f"diagnosis-{ref}": "J06.9, I10", "entry": ref}
    assert post(nurse, DESK, sent).status_code == 303
    (made,) = examinations()
    assert [row.code for row in made.diagnoses] == ["J06.9", "I10"]


def test_what_is_missing_is_said_and_stays_typed(served, sign_in):
    nurse = sign_in("umum")
    for missing, sentence in (
        ({"practitioner": ""}, "Pilih siapa yang memeriksa"),
        ({"disposition": "rujuk_eksternal", "assessment": "ISPA"}, "ke mana pasien dirujuk"),
        ({}, "Isi diagnosis atau penilaian"),
    ):
        page = write(nurse, served, objective="tetap ada", **missing)
        assert page.status_code == 422
        assert sentence in page.get_data(as_text=True)
        assert "tetap ada" in page.get_data(as_text=True)
    assert not examinations()


def test_twice_is_once_and_a_colleagues_text_is_not_overwritten(served, sign_in):
    nurse, head = sign_in("umum"), sign_in("kepala")
    for _ in range(2):
        assert write(nurse, served, assessment="ISPA").status_code == 303
    page = write(head, served, assessment="lain sekali")
    assert page.status_code == 422
    assert "lain sekali" in page.get_data(as_text=True)
    assert [made.assessment for made in examinations()] == ["ISPA"]


def test_other_rooms_and_the_counter_do_not_write(served, sign_in, clerk):  # noqa: F811
    assert clerk.get(DESK).status_code == 403
    assert write(sign_in("gigi"), served, assessment="ISPA").status_code == 404
    assert served.public_id not in sign_in("gigi").get(DESK).get_data(as_text=True)


def test_who_was_registered_live_is_not_written_from_paper(app, sign_in):
    entry = factories.entry()
    page = write(sign_in("umum"), entry, assessment="ISPA")
    assert "tidak dicatat dari kertas" in page.get_data(as_text=True)
    assert not examinations()


def test_a_slip_marked_served_by_mistake_can_be_undone_today(served, sign_in):
    nurse = sign_in("umum")
    undone = post(nurse, f"/antrean/{served.public_id}/urungkan")
    assert undone.status_code == 303
    assert db.session.get(QueueEntry, served.id).state == "waiting"
    assert served.public_id not in nurse.get(DESK).get_data(as_text=True)
    assert slips.entered_on(today())
