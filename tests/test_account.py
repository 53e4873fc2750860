"""One's own account: another passphrase, and the end of what is open on other screens."""

import pytest
from sqlalchemy import select

from cli import DEMO_PASSWORD
from clinic import accounts, log_in_tries
from db import db, transaction
from models import AuditEntry, LoginSession, User
from tests import factories
from tests.pages import login, post, words_of

NEW = "kuda pagar lampu sawah"
TYPED = {"password_now": DEMO_PASSWORD, "password": NEW, "password_again": NEW}


def noted(action: str) -> AuditEntry | None:
    return db.session.scalar(select(AuditEntry).where(AuditEntry.action == action))


def open_sessions(username: str) -> int:
    mine = LoginSession.user_id == factories.user(username).id
    found = select(LoginSession).where(mine, LoginSession.ended_at.is_(None))
    return len(list(db.session.scalars(found)))


def test_everybody_changes_the_own_passphrase_and_other_screens_are_shut(app, client, sign_in):
    here, elsewhere, colleague = sign_in("kia"), sign_in("kia"), sign_in("umum")
    assert 'href="/akun"' in here.get("/akun").get_data(as_text=True)
    answer = post(here, "/akun", TYPED)
    assert (answer.status_code, answer.location) == (303, "/akun")
    assert "Kata sandi diganti" in words_of(here.get("/akun"))
    assert elsewhere.get("/akun").location.startswith("/masuk")
    assert colleague.get("/akun").status_code == 200
    entry = noted("change_passphrase")
    assert (entry.user_id, entry.object_ref) == (
        factories.user("kia").id,
        factories.user("kia").public_id,
    )
    assert login(client, "kia", NEW).get("/").status_code == 303


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"password_now": ""}, "Isi kata sandi sekarang"),
        ({"password": ""}, "Isi kata sandi baru"),
        ({"password": "pendek", "password_again": "pendek"}, "minimal 15 huruf"),
        ({"password": "puskesmas puskesmas kia kia"}, "terlalu umum"),
        ({"password_again": "kuda pagar lampu"}, "Kedua kata sandi tidak sama"),
        ({"password": DEMO_PASSWORD, "password_again": DEMO_PASSWORD}, "sama dengan yang sekarang"),
        ({"password_now": "salah"}, "Kata sandi sekarang salah"),
    ],
)
def test_a_passphrase_that_cannot_be_is_refused(sign_in, changes, sentence):
    before = factories.user("kia").password_hash
    answer = post(sign_in("kia"), "/akun", TYPED | changes)
    assert answer.status_code == 422
    assert sentence in words_of(answer)
    assert not {DEMO_PASSWORD, NEW} & set(answer.get_data(as_text=True).split('"'))
    assert factories.user("kia").password_hash == before


def test_a_wrong_old_passphrase_waits_as_at_the_log_in(sign_in):
    """Else an unattended screen would be where to guess it."""
    client = sign_in("kia")
    for _ in range(log_in_tries.AT_A_DEVICE.free + 1):
        answer = post(client, "/akun", TYPED | {"password_now": "salah"})
    assert noted("log_in_failed").object_ref == factories.user("kia").public_id
    answer = post(client, "/akun", TYPED)
    assert answer.status_code == 422
    assert "Terlalu banyak percobaan. Tunggu" in words_of(answer)


@pytest.mark.engines("sqlite")
def test_a_passphrase_that_the_head_replaces_meanwhile_stays_the_heads(sign_in, monkeypatch):
    client, matches = sign_in("kia"), accounts.matches

    def replaced_meanwhile(user, typed) -> bool:
        is_right = matches(user, typed)
        with transaction():
            db.session.get_one(User, user.id).password_hash = "the head's"
        return is_right

    monkeypatch.setattr(accounts, "matches", replaced_meanwhile)
    assert post(client, "/akun", TYPED).status_code == 422
    assert factories.user("kia").password_hash == "the head's"


def test_the_own_sessions_on_other_screens_are_ended(sign_in):
    here, _elsewhere, colleague = sign_in("kia"), sign_in("kia"), sign_in("umum")
    assert "juga terbuka di 1 layar lain" in words_of(here.get("/akun"))
    assert post(here, "/akun/akhiri").location == "/akun"
    page = words_of(here.get("/akun"))
    assert "1 sesi lain diakhiri" in page and "juga terbuka" not in page
    assert (open_sessions("kia"), open_sessions("umum")) == (1, 1)
    assert noted("end_sessions").user_id == factories.user("kia").id
    assert colleague.get("/akun").status_code == 200
