"""Two tabs on one page of /sistem: the later one undoes nothing of the earlier one unseen."""

import pytest

from clinic import settings
from db import db
from models import User
from tests.pages import post, words_of
from tests.test_system import fields_of, html_of, resend, row_of, rule_url, term_url, user_url

# Forms and rows are the same on both databases.
pytestmark = pytest.mark.engines("sqlite")
SETTINGS = "/sistem/pengaturan"


@pytest.fixture
def kepala(sign_in):
    return sign_in("kepala")


def test_a_closed_account_stays_closed(kepala):
    stale = fields_of(kepala.get(user_url("gigi")))
    assert resend(kepala, user_url("gigi"), is_active=None, rooms=["GIGI", "TB"]).status_code == 303
    stale["display_name"] = ["drg. Maya Kusuma, Sp.KG"]
    assert post(kepala, user_url("gigi"), stale).status_code == 303
    changed = row_of(User, username="gigi")
    assert (changed.display_name, changed.is_active) == ("drg. Maya Kusuma, Sp.KG", False)
    assert {room.code for room in changed.rooms} == {"GIGI", "TB"}
    told = words_of(kepala.get("/sistem/pengguna"))
    assert "Pengguna lain baru saja mengubah: Ruang yang dilayani, Akun dipakai." in told


def test_a_setting_that_somebody_else_changed_stays(kepala):
    stale = fields_of(kepala.get(SETTINGS))
    changes = {"idle_minutes": "30", "board_networks": "10.0.0.0/8 192.168.0.0/16"}
    assert resend(kepala, SETTINGS, **changes).status_code == 303
    assert post(kepala, SETTINGS, stale | {"clinic_phone": ["0541 123456"]}).status_code == 303
    db.session.rollback()
    assert settings.value("idle_minutes") == 30
    assert settings.value("board_networks") == changes["board_networks"]
    assert settings.value("clinic_phone") == "0541 123456"


def test_what_both_changed_is_told_and_saved_by_the_second_press(kepala):
    stale = fields_of(kepala.get(SETTINGS))
    resend(kepala, SETTINGS, idle_minutes="30", clinic_phone="0541 99")
    refused = post(kepala, SETTINGS, stale | {"idle_minutes": ["20"], "clinic_city": ["Bontang"]})
    assert refused.status_code == 409
    assert "Pengguna lain baru saja mengubahnya menjadi: 30." in words_of(refused)
    sent = fields_of(refused)
    kept = {name: sent[name] for name in ("idle_minutes", "clinic_city", "clinic_phone")}
    assert kept == {
        "idle_minutes": ["20"],
        "clinic_city": ["Bontang"],
        "clinic_phone": ["0541 99"],
    }
    db.session.rollback()
    assert settings.value("idle_minutes") == 30 and settings.value("clinic_city") == "Tirta Alur"
    assert post(kepala, SETTINGS, sent).status_code == 303
    db.session.rollback()
    assert settings.value("idle_minutes") == 20 and settings.value("clinic_phone") == "0541 99"


def test_a_page_with_a_mistake_still_follows_what_was_changed(kepala):
    stale = fields_of(kepala.get(SETTINGS))
    resend(kepala, SETTINGS, idle_minutes="30")
    refused = post(kepala, SETTINGS, stale | {"clinic_name": [" "]})
    assert refused.status_code == 422
    again = fields_of(refused) | {"clinic_name": ["Puskesmas Baru"]}
    assert again["idle_minutes"] == ["30"]
    assert post(kepala, SETTINGS, again).status_code == 303
    db.session.rollback()
    assert settings.value("idle_minutes") == 30


@pytest.mark.parametrize(
    ("url", "theirs", "mine"),
    [
        ("/sistem/ruang/GIGI", {"min_years": "3", "hue": "4"}, {"position": "12"}),
        (rule_url, {"level": "off", "poli_in": ["UMUM"]}, {"message": "Pesan lain."}),
        ("/sistem/laboratorium/1", {"is_active": None, "unit": "mg"}, {"group": "Lain"}),
        ("/sistem/obat/1", {"is_active": None, "doses_per_unit": "3"}, {"strength": "7 mg"}),
    ],
)
def test_every_page_of_the_head_follows(kepala, url, theirs, mine):
    url = url("W1") if callable(url) else url
    stale = fields_of(kepala.get(url))
    assert resend(kepala, url, **theirs).status_code == 303
    wanted = fields_of(kepala.get(url))
    sent = stale | {name: [value] for name, value in mine.items()}
    assert post(kepala, url, sent).status_code == 303
    after = fields_of(kepala.get(url))
    expected = wanted | {name: [value] for name, value in mine.items()}
    assert {**after, "shown": ""} == {**expected, "shown": ""}


def test_a_word_that_was_ended_is_not_brought_back(kepala):
    url = term_url("sakit gigi")
    stale = fields_of(kepala.get(url))
    resend(kepala, url, is_active=None)
    assert post(kepala, url, stale | {"weight": ["1"]}).status_code == 303
    after = fields_of(kepala.get(url))
    assert "is_active" not in after and after["weight"] == ["1"]


def test_a_list_that_both_changed_is_told_in_its_words(kepala):
    stale = fields_of(kepala.get(user_url("gigi")))
    resend(kepala, user_url("gigi"), role="records")
    refused = post(kepala, user_url("gigi"), stale | {"role": ["registration"]})
    assert refused.status_code == 409
    assert "menjadi: Rekam medis" in words_of(refused)
    assert 'value="registration" selected' in html_of(refused)


def test_a_page_shows_no_more_of_itself_than_a_mark(kepala):
    mark = fields_of(kepala.get(user_url("umum")))["shown"][0]
    assert "Bagus" not in mark and "display_name:" in mark
