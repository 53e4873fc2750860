"""Accounts from the server's terminal: the head's lost passphrase, and who may use a demo."""

import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

import account_commands
import cli
from cli import DEMO_PASSWORD
from clinic import accounts, audit, card_words, settings
from config import read_config
from db import db, transaction
from models import AuditEntry, LoginSession, User
from tests import factories
from tests.pages import login

pytestmark = pytest.mark.engines("sqlite")
ROOT = Path(__file__).parent.parent
NEW = "empat kuda lompat pagar"


def run(app, *arguments: str, typed: str = ""):
    done = app.test_cli_runner().invoke(args=arguments, input=typed)
    db.session.rollback()
    return done


def last_entry() -> AuditEntry:
    return db.session.query(AuditEntry).order_by(AuditEntry.seq.desc()).first()


def test_a_forgotten_passphrase_is_replaced_at_the_terminal(app, sign_in, monkeypatch):
    kepala = sign_in("kepala")
    monkeypatch.setattr(account_commands, "has_terminal", lambda: True)
    typed = f"pendek\npendek\n{NEW}\n{NEW}\n"
    done = run(app, "passphrase", " Kepala", typed=typed)
    assert done.exit_code == 0, done.output
    assert "minimal 15 huruf" in done.output
    assert NEW not in done.output
    user = factories.user("kepala")
    assert accounts.matches(user, NEW)
    assert kepala.get("/sistem").status_code == 303, "whoever was logged in is not any more"
    assert db.session.query(LoginSession).filter_by(user_id=user.id, ended_at=None).count() == 0
    entry = last_entry()
    assert (entry.action, entry.user_id) == ("change_user", None)
    assert entry.details == "kata sandi, dari terminal server"
    login(app.test_client(), "kepala", NEW)


def test_without_a_terminal_one_is_made_and_printed_once(app, monkeypatch):
    monkeypatch.setattr(account_commands, "has_terminal", lambda: False)
    with transaction():
        user = db.session.merge(factories.user("kepala"))
        user.failed_logins, user.wait_until = 9, None
    done = run(app, "passphrase", "kepala")
    made = done.output.strip().rpartition(": ")[2]
    user = factories.user("kepala")
    assert accounts.matches(user, made)
    assert user.failed_logins == 0
    accounts.check_passphrase(made, "kepala")


def test_an_unknown_account_is_told_which_ones_are_the_heads(app):
    done = run(app, "passphrase", "root")
    assert done.exit_code == 1
    assert "Tidak ada akun 'root' yang dipakai. Akun kepala: kepala. Misalnya:" in done.output


def test_where_there_is_no_account_yet_it_is_said(app):
    with transaction() as session:
        session.execute(update(User).values(is_active=False))
    done = run(app, "passphrase", "kepala")
    assert done.exit_code == 1
    assert "Belum ada akun kepala: jalankan make run" in done.output
    assert "Misalnya" not in done.output


def test_the_demo_names_only_accounts_that_its_passphrase_opens(app):
    with transaction():
        accounts.create_user(
            audit.SYSTEM,
            username="rina.w",
            display_name="Rina W",
            password_hash=accounts.hash_passphrase(NEW),
            role=factories.user("loket").role,
        )
        changed = db.session.merge(factories.user("gigi"))
        changed.password_hash = accounts.hash_passphrase(NEW)
    output = run(app, "ready-message").output
    assert f"kata sandi semua: {DEMO_PASSWORD}" in output
    assert "  loket  " in output
    assert "rina.w" not in output
    assert "gigi " not in output


def test_whoever_wanted_a_real_clinic_is_told_that_the_folder_has_the_demo(app, monkeypatch):
    with transaction():
        settings.set_value("is_demo", True)
    config = app.config["ALUR"]
    for wants_demo in (False, True):
        monkeypatch.setitem(app.config, "ALUR", replace(config, wants_demo=wants_demo))
        output = run(app, "ready-message").output
        assert (f"{config.data} berisi data latihan" in output) is not wants_demo
        assert "Akun latihan" in output


def test_the_head_of_a_new_clinic_is_told_where_to_begin(app, sign_in):
    kepala = sign_in("kepala")
    begin = "Puskesmas baru"
    assert begin not in kepala.get("/poli").text
    assert begin not in run(app, "ready-message").output
    with transaction() as session:
        session.execute(update(User).where(User.username != "kepala").values(is_active=False))
    assert re.search(f'<a href="/bantuan/pengelola">{begin}', kepala.get("/poli").text)
    assert "/bantuan/pengelola" in run(app, "ready-message").output
    factories.patient("Wayan Sudarma")
    assert begin not in kepala.get("/poli").text
    assert begin not in run(app, "ready-message").output


def test_fifteen_letters_are_enough_and_fourteen_are_not():
    accounts.check_passphrase("kuda makan padi", "ratna")
    with pytest.raises(accounts.PassphraseError, match="minimal 15 huruf"):
        accounts.check_passphrase("kuda makan pad", "ratna")


@pytest.mark.parametrize("typed", [DEMO_PASSWORD, "Coba alur sekarang", f"{DEMO_PASSWORD}!"])
def test_the_public_passphrase_of_the_demo_opens_no_real_clinic(typed):
    with pytest.raises(accounts.PassphraseError, match="terlalu umum"):
        accounts.check_passphrase(typed, "ratna")


@pytest.mark.parametrize(
    "typed",
    [
        "Puskesmas Melati",
        "puskesmas-melati-2026",
        "123456789012345",
        "password1234567",
        "PASS word 1234567890",
        "qwertyuiopasdfgh",
        "poiuytrewq lkjhgf",
        "1qaz2wsx3edc4rfv",
        "abcdeabcdeabcde",
        "kuda kuda kuda kuda",
        "a     b     c     d     e     f",
        "k.u.d.a . . . . . . . .",
        "rina.w rina.w rina",
        "Rina Wulandari 12345",
        "aaaaaaaaaaaaaaaaaaaa",
    ],
)
def test_what_everybody_tries_first_is_no_passphrase(typed):
    with pytest.raises(accounts.PassphraseError, match="minimal|terlalu umum"):
        accounts.check_passphrase(typed, "rina.w", "Rina Wulandari", "Puskesmas Melati")


@pytest.mark.parametrize(
    "typed",
    [
        *(NEW, "kuda berlari di pantai", "kuda makan padi", "kupu-kupu naik becak"),
        *("puskesmas kuda lompat pagar", "tinggi tiga tiang toko", "7391846205937184"),
    ],
)
def test_ordinary_words_make_a_passphrase_also_with_one_that_is_known(typed):
    accounts.check_passphrase(typed, "ti", "Tim TI", "Puskesmas Melati")


def test_the_words_of_the_cards_make_passphrases():
    dealer = random.Random(7)
    for _ in range(300):
        made = " ".join(dealer.choice(card_words.WORDS) for _ in range(4))
        if len(made) >= accounts.MIN_PASSPHRASE:
            accounts.check_passphrase(made, "kepala", "dr. Ratna", "Puskesmas Melati")


@pytest.mark.parametrize("command", [["backup"], ["passphrase", "kepala"]])
def test_a_data_folder_without_a_database_is_told_and_left_alone(tmp_path, command):
    for data in (tmp_path, tmp_path / "none"):
        environ = {"PATH": os.environ["PATH"], "ALUR_DATA": str(data)}
        call = [sys.executable, "deploy/command.py", *command]
        done = subprocess.run(call, cwd=ROOT, env=environ, capture_output=True, text=True)
        assert done.returncode == 1
        assert f"Tidak ada basis data Alur di {data}." in done.stdout + done.stderr
        assert "di server terpasang: systemctl start alur" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [["backup"], ["passphrase", "kepala"]])
def test_a_damaged_database_is_told_in_a_sentence_with_what_to_do(tmp_path, command):
    read_config({"ALUR_DATA": str(tmp_path)}).make_folders()
    (tmp_path / "db" / "alur.db").write_bytes(b"damaged " * 1024)
    environ = {"PATH": os.environ["PATH"], "ALUR_DATA": str(tmp_path)}
    call = [sys.executable, "deploy/command.py", *command]
    done = subprocess.run(call, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode != 0
    assert "Basis data tidak terbaca dengan benar." in done.stderr
    assert "make restore" in done.stderr
    assert "Traceback" not in done.stderr


def test_options_of_the_set_up_are_for_an_empty_clinic_and_it_says_so(app, monkeypatch):
    before = settings.value("clinic_name")
    asked = ("setup", "--clinic", "Puskesmas Lain", "--head-password-file", "is-gone")
    monkeypatch.setattr(cli, "switch_if_asked", dict)
    done = run(app, *asked)
    assert done.exit_code == 0, done.output
    (line,) = [one for one in done.output.splitlines() if "--clinic" in one]
    assert "sudah ada" in line and "--head-password-file" in line and "Pengaturan" in line
    assert "--internet" not in line, "which nobody gave"
    assert settings.value("clinic_name") == before
    assert "sudah ada" not in run(app, "setup").output
