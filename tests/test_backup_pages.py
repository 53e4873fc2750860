"""Backups at /sistem: what the head and the operator see, press, and are told."""

import errno
import io
import os
import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from pyrage import x25519

from clinic import (
    audit,
    backup_keys,
    backup_places,
    backup_status,
    backups,
    disk_space,
    drills,
    notices,
    restoring,
    self_check,
    settings,
)
from clinic.backup_manifest import BackupProblem
from clinic.status_check import State
from db import db, transaction, utcnow
from models import AuditEntry, Backup, CopyState, Drill, DrillKind
from tests import factories
from tests.backing_up import back_up, secret, use_places
from tests.pages import post, words_of

pytestmark = pytest.mark.engines("sqlite")
PAGE = "/sistem/cadangan"


def audited(action: str) -> list[AuditEntry]:
    db.session.rollback()
    return db.session.query(AuditEntry).filter_by(action=action).order_by(AuditEntry.seq).all()


def state_of(name: str, data, at=None) -> tuple[State, str]:
    db.session.rollback()
    checks = backup_status.checks(at or utcnow(), data / "keys")
    (check,) = [one for one in checks if one.name == name]
    return check.state, f"{check.figures} {check.sentence}"


# --- The page -------------------------------------------------------------------------------------


def test_one_press_makes_a_backup_and_the_page_follows_it(alur_data, sign_in):
    ti = sign_in("ti")
    assert post(ti, f"{PAGE}/buat").status_code == 303
    assert post(ti, f"{PAGE}/buat").status_code == 303, "twice is once"
    page = words_of(ti.get(PAGE))
    assert "Cadangan sedang dibuat" in page
    assert ">Buat cadangan sekarang<" not in ti.get(PAGE).get_data(as_text=True)
    assert "Sebentar lagi dimulai" in words_of(ti.get(f"{PAGE}/kemajuan"))
    back_up(alur_data)
    assert db.session.query(Backup).count() == 1
    page = words_of(ti.get(PAGE))
    assert "3 pasien, 3 kunjungan" in page
    assert ti.get(f"{PAGE}/kemajuan").headers["HX-Refresh"] == "true"
    assert len(audited("ask_backup")) == 1


def test_the_red_line_goes_with_the_good_backup_that_mends_it(alur_data, sign_in):
    ti, red = sign_in("ti"), "Cadangan: terakhir"
    back_up(alur_data)
    factories.visit(factories.patient("Baru Saja"))  # in no backup yet
    later = utcnow() + timedelta(hours=3)
    notices.refresh(alur_data, later)
    notices.forget()
    assert red in words_of(ti.get(PAGE))
    post(ti, f"{PAGE}/buat")
    back_up(alur_data)
    ti.get(f"{PAGE}/kemajuan")
    notices.refresh(alur_data, later + timedelta(seconds=9))  # the worker has told its lines
    assert red not in words_of(ti.get(PAGE))


def test_places_are_kept_tried_and_followed(alur_data, sign_in, tmp_path):
    kepala, usb = sign_in("kepala"), tmp_path / "usb"
    page = post(kepala, f"{PAGE}/tempat", {"backup_places": "usb saya"})
    assert page.status_code == 422
    assert "usb saya bukan alamat folder" in words_of(page)
    assert "usb saya</textarea>" in page.get_data(as_text=True)
    for wrong in ("/", "/media/../etc", "\n".join(f"/a{number}" for number in range(9))):
        assert post(kepala, f"{PAGE}/tempat", {"backup_places": wrong}).status_code == 422
    post(kepala, f"{PAGE}/tempat", {"backup_places": f" {usb} \r\n\r\n{usb}\n"})
    assert settings.value("backup_places") == str(usb)

    def try_it() -> str:
        post(kepala, f"{PAGE}/coba", {"tempat": str(usb)})
        return words_of(kepala.get(PAGE))

    assert "Tempat ini tidak ada sekarang" in try_it()
    usb.mkdir()
    assert "Bisa" in try_it()
    backup = back_up(alur_data)
    assert backups.row_of(backup, str(usb)).state == CopyState.GOOD
    assert "dibaca ulang" in words_of(kepala.get(PAGE))
    post(kepala, f"{PAGE}/coba", {"tempat": "/etc"})
    assert not list(tmp_path.glob("etc*"))


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.EACCES, "memasangnya dengan uid=alur"),
        (errno.EROFS, "di luar /media dan /mnt"),
        (errno.ENOSPC, "Kosongkan, atau ganti"),
        (errno.EIO, "gagal membaca atau menulis. Ganti"),
        (errno.ENOENT, "Pasang USB-nya"),
        (errno.EINVAL, "(EINVAL). Coba lagi"),
    ],
)
def test_a_place_that_refuses_is_said_in_indonesian_with_what_to_do(
    alur_data, tmp_path, monkeypatch, code, sentence
):
    def refuse(*_args, **_options):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch, pytest.raises(BackupProblem) as told:
        patch.setattr(Path, "mkdir", refuse)
        backup_places.try_out(tmp_path, "x", alur_data)
    monkeypatch.setattr(backup_places, "_names", refuse)
    done = backup_places.serve(tmp_path, [], "UTC")
    for text in (str(told.value), done["problem"]):
        assert sentence in text
        assert os.strerror(code) not in text


def test_a_place_below_a_closed_folder_is_said_in_a_sentence(alur_data, tmp_path, monkeypatch):
    def closed(*_args, **_options):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch, pytest.raises(BackupProblem, match="tidak boleh menulis"):
        patch.setattr(Path, "is_dir", closed)
        backup_places.try_out(tmp_path, "x", alur_data)


def test_the_health_offices_key_is_the_heads_to_say(alur_data, sign_in):
    kepala, ti = sign_in("kepala"), sign_in("ti")
    key = backup_keys.public_key(alur_data / "keys")
    assert post(ti, f"{PAGE}/dinas", {"health_office_key": key}).status_code == 403
    page = post(kepala, f"{PAGE}/dinas", {"health_office_key": key[:-1]})
    assert page.status_code == 422
    assert "Bukan kunci publik" in words_of(page)
    assert post(kepala, f"{PAGE}/dinas", {"health_office_key": key}).status_code == 303
    assert settings.value("health_office_key") == key


# --- The card -------------------------------------------------------------------------------------


def test_the_card_is_shown_until_its_print_is_proved(alur_data, sign_in):
    with transaction():
        settings.set_value("is_demo", False)
    kepala, card = sign_in("kepala"), backup_keys.pending(alur_data / "keys")
    with transaction():  # the daily check has seen it too
        self_check.keep(backup_status.checks(utcnow(), alur_data / "keys"), utcnow())
    notices.refresh(alur_data, utcnow())
    assert state_of("Kartu pemulihan", alur_data)[0] == State.BAD
    page = words_of(kepala.get(f"{PAGE}/kartu"))
    assert " ".join(card.words) in " ".join(page.split())
    assert len(audited("view_recovery_card")) == 1
    wrong = post(kepala, f"{PAGE}/kartu/dicetak", {"bukti": "QQQ"})
    assert wrong.status_code == 422
    assert post(kepala, f"{PAGE}/kartu/dicetak", {"bukti": card.proof}).status_code == 303
    page = words_of(kepala.get(f"{PAGE}/kartu"))
    assert "belum dicetak" not in page, "not for a minute more"
    notices.refresh(alur_data, utcnow() + timedelta(minutes=2))
    notices.forget()
    assert "Pemeriksaan harian" not in words_of(kepala.get("/poli"))
    assert card.public in page
    assert card.words[0] not in page
    kept = b"".join(path.read_bytes() for path in (alur_data / "keys").iterdir())
    assert card.secret.encode() not in kept
    assert state_of("Kartu pemulihan", alur_data)[0] == State.GOOD
    assert len(audited("view_recovery_card")) == 1, "there was nothing to see"

    assert post(kepala, f"{PAGE}/kartu/baru", {"alasan": ""}).status_code == 422
    assert post(kepala, f"{PAGE}/kartu/baru", {"alasan": "kartu hilang"}).status_code == 303
    assert audited("make_recovery_key")[0].reason == "kartu hilang"
    assert backup_keys.public_key(alur_data / "keys") == card.public, "until the new one is printed"
    assert post(kepala, f"{PAGE}/kartu/baru", {"alasan": "lagi saja"}).status_code == 422
    assert sign_in("ti").get(f"{PAGE}/kartu").status_code == 403


def test_a_demo_clinics_card_says_so_and_stays(alur_data, sign_in):
    kepala = sign_in("kepala")
    page = words_of(kepala.get(f"{PAGE}/kartu"))
    assert "KARTU LATIHAN" in page
    proof = backup_keys.pending(alur_data / "keys").proof
    assert post(kepala, f"{PAGE}/kartu/dicetak", {"bukti": proof}).status_code == 422
    assert backup_keys.pending(alur_data / "keys")


# --- Ages -----------------------------------------------------------------------------------------


def test_a_backup_that_stops_turns_red_by_itself(alur_data):
    assert state_of("Cadangan", alur_data)[0] == State.WATCH
    back_up(alur_data)
    assert state_of("Cadangan", alur_data)[0] == State.GOOD
    later = utcnow() + timedelta(days=3)
    assert state_of("Cadangan", alur_data, later)[0] == State.GOOD, "nothing was saved since"
    factories.patient("Sesudah Cadangan")
    state, text = state_of("Cadangan", alur_data, later)
    assert (state, text[:20]) == (State.BAD, "terakhir 3 hari lalu")


def test_a_drill_that_stops_or_fails_turns_red_on_the_front_page(alur_data, sign_in):
    back_up(alur_data)
    with transaction():
        drills.keep(audit.SYSTEM, drills.Found("x", patients=3, copies=1))
    assert state_of("Latihan pemulihan", alur_data)[0] == State.GOOD
    later = utcnow() + drills.TOO_OLD
    assert state_of("Latihan pemulihan", alur_data, later)[0] == State.BAD
    with transaction():
        drills.keep(audit.SYSTEM, drills.Found("x", problems=["Isi berkas rusak."]))
    assert state_of("Latihan pemulihan", alur_data)[0] == State.BAD
    assert "Latihan pemulihan Masalah" in words_of(sign_in("kepala").get("/poli"))
    assert "Isi berkas rusak." in words_of(sign_in("ti").get("/sistem"))


def test_a_missing_place_is_red_with_its_sentence(alur_data, tmp_path):
    back_up(alur_data)
    assert state_of("Salinan cadangan", alur_data)[0] == State.WATCH, "one disk only"
    use_places(tmp_path / "usb")
    back_up(alur_data)
    state, text = state_of("Salinan cadangan", alur_data)
    assert state == State.BAD
    assert "1 dari 2 tempat" in text
    assert "Pasang USB-nya" in text


def test_a_second_place_on_the_same_disk_is_no_second_place(
    alur_data, tmp_path, monkeypatch, sign_in
):
    ti, usb = sign_in("ti"), tmp_path / "usb"
    usb.mkdir()
    use_places(usb)
    monkeypatch.setattr(backup_places, "is_same_disk", lambda folder, data: True)
    told = backup_places.try_out(usb, settings.value("clinic_ref"), alur_data)
    assert "Satu disk dengan data" in told
    back_up(alur_data)
    state, text = state_of("Salinan cadangan", alur_data)
    assert state == State.WATCH
    assert "Hanya di disk ini" in text
    assert "Satu disk dengan data" in words_of(ti.get(PAGE))
    monkeypatch.setattr(backup_places, "is_same_disk", lambda folder, data: False)
    back_up(alur_data)
    assert state_of("Salinan cadangan", alur_data)[0] == State.GOOD


def test_a_place_in_the_data_folder_is_refused(alur_data, sign_in, tmp_path):
    ti, inside = sign_in("ti"), alur_data / "backups"
    page = post(ti, f"{PAGE}/tempat", {"backup_places": str(inside)})
    assert page.status_code == 422
    assert "di dalam folder data sendiri" in words_of(page)
    (tmp_path / "link").symlink_to(inside)
    with pytest.raises(BackupProblem, match="folder data sendiri"):
        backup_places.try_out(tmp_path / "link", "x", alur_data)
    assert not list(inside.iterdir())


def test_the_operator_is_told_who_practises_with_the_card(alur_data, sign_in):
    assert "Kepala melakukannya: Sistem, Cadangan" in words_of(sign_in("ti").get(PAGE))
    page = words_of(sign_in("kepala").get(f"{PAGE}/latihan"))
    assert "tekan Periksa dengan kartu" in page


# --- Restore, drill -------------------------------------------------------------------------------


def wait_for(client, address: str) -> str:
    for _ in range(600):
        if client.get(f"{address}/kemajuan").headers.get("HX-Refresh"):
            return words_of(client.get(address))
        time.sleep(0.1)
    raise AssertionError("it never ended")


def test_the_terminal_names_a_wrong_word_and_keeps_the_rest(app, alur_data):
    back_up(alur_data)
    words = backup_keys.pending(alur_data / "keys").words
    typed = ["2", " ".join(words[:30]), "kertass " + words[31], " ".join(words[30:]), "batal"]
    done = app.test_cli_runner().invoke(args=["restore"], input="\n".join(typed) + "\n")
    assert "Kata ke-31 'kertass' tidak ada di daftar; maksudnya 'kertas'? Ketik" in done.output
    assert "Cadangan utuh" in done.output and "Dibatalkan" in done.output
    assert " ".join(words[:3]) not in done.output
    assert not restoring.is_switch_asked(alur_data)


def test_a_mistyped_number_leaves_the_list_of_backups(app, alur_data):
    back_up(alur_data)
    typed = ["99", "/tidak/ada", "1", "ganti"]
    done = app.test_cli_runner().invoke(args=["restore"], input="\n".join(typed) + "\n")
    assert "Tidak ada nomor 99." in done.output
    assert "Tidak ada folder /tidak/ada." in done.output
    assert "Tidak ada cadangan di sini" not in done.output
    assert "Cadangan utuh" in done.output
    assert restoring.is_switch_asked(alur_data), "in small letters too"


def test_practice_data_give_way_to_a_clinics_backup_real_ones_do_not(app, alur_data):
    """Who tried `make run` first has a demo where the clinic's backup shall come."""
    back_up(alur_data)
    with transaction():
        settings.set_value("clinic_ref", "0badc0de")
        settings.set_value("is_demo", False)
    words = " ".join(backup_keys.pending(alur_data / "keys").words)
    typed = f"2\n{words}\nGANTI\n"
    done = app.test_cli_runner().invoke(args=["restore"], input=typed)
    assert "milik puskesmas lain" in done.output
    assert "ALUR_DATA=<folder kosong> make restore" in done.output, "and which way leads on"
    assert not restoring.is_switch_asked(alur_data)
    with transaction():
        settings.set_value("is_demo", True)
    done = app.test_cli_runner().invoke(args=["restore"], input=typed)
    assert "Cadangan utuh" in done.output
    assert restoring.is_switch_asked(alur_data)


def test_the_health_offices_key_restores_on_somebodys_word(app, alur_data, monkeypatch):
    """On a new server: there nothing but the clinic's card tells who made the file."""
    office = x25519.Identity.generate()
    with transaction():
        settings.set_value("health_office_key", str(office.to_public()))
    back_up(alur_data)
    monkeypatch.setattr(backup_keys, "own_signing_key", lambda keys: b"")
    runner = app.test_cli_runner()
    done = runner.invoke(args=["restore"], input=f"2\n{office}\nn\n")
    assert "Itu kunci dinas" in done.output
    assert "Cadangan utuh" not in done.output
    done = runner.invoke(args=["restore"], input=f"2\n{office}\ny\nGANTI\n")
    assert "Cadangan utuh" in done.output
    assert restoring.is_switch_asked(alur_data)


def test_there_is_no_way_back_to_a_server_that_was_empty(app, alur_data):
    """The next start would fill it, with the demo even."""
    mark = restoring.new_mark()
    restoring.keep_status(alur_data, restoring.Status(mark, "set_aside", by="terminal"))
    for name in ("db", "keys"):
        (restoring.side(alur_data, mark) / name).mkdir(parents=True)
    done = app.test_cli_runner().invoke(args=["restore", "--undo"], input="GANTI\n")
    assert done.exit_code == 1
    assert "Sebelum pemulihan server ini kosong" in done.output
    assert not restoring.is_switch_asked(alur_data)


def test_a_backup_is_opened_previewed_and_switched_to(alur_data, sign_in):
    ti, name = sign_in("ti"), back_up(alur_data).name
    factories.visit(factories.patient("Sesudah Cadangan"))
    refused = post(ti, f"{PAGE}/pulihkan", {"berkas": name, "kunci_pemulihan": "1. kertass"})
    assert refused.status_code == 422
    assert "Kata ke-1 'kertass'" in words_of(refused)
    assert "1. kertass</textarea>" in refused.text, "what was typed stays"
    assert post(ti, f"{PAGE}/pulihkan", {"berkas": "../../etc/passwd"}).status_code == 422
    typed = " ".join(backup_keys.pending(alur_data / "keys").words)
    opened = post(ti, f"{PAGE}/pulihkan", {"berkas": name, "kunci_pemulihan": typed})
    assert post(ti, f"{PAGE}/pulihkan", {"berkas": "terbaru"}).status_code == 422, "one at a time"
    page = wait_for(ti, opened.location)
    assert "3 (sekarang 4)" in page
    assert "Ganti data sekarang" in page
    assert not any(
        secret(alur_data).encode() in path.read_bytes() for path in restore_files(alur_data)
    )
    assert post(ti, f"{opened.location}/ganti", {"alasan": ""}).status_code == 422
    assert not restoring.is_switch_asked(alur_data)
    assert post(ti, f"{opened.location}/ganti", {"alasan": "disk rusak"}).status_code == 202
    assert restoring.is_switch_asked(alur_data)
    assert audited("switch_database")[0].reason == "disk rusak"
    assert post(ti, f"{opened.location}/ganti", {"alasan": "sekali lagi"}).status_code == 409


def restore_files(data):
    return [path for path in (data / "restore").rglob("*") if path.is_file()]


def test_the_drill_with_the_card_reads_an_uploaded_file_and_wipes_it(alur_data, sign_in):
    kepala, name = sign_in("kepala"), back_up(alur_data).name
    content = (alur_data / "backups" / name).read_bytes()
    sent = {"kunci_pemulihan": secret(alur_data), "unggahan": (io.BytesIO(content), name)}
    opened = post(kepala, f"{PAGE}/latihan", sent, content_type="multipart/form-data")
    page = wait_for(kepala, opened.location)
    assert "Kartu membuka berkas ini" in page
    code = re.search(r"Latihan kartu: (\w{4} \w{4})", page)[1]
    assert [path.suffix for path in restore_files(alur_data)] == [".json"]
    assert not list((alur_data / "tmp").iterdir())
    db.session.rollback()
    drill = db.session.query(Drill).one()
    assert (drill.kind, drill.is_good, drill.by.username) == (DrillKind.PAPER, True, "kepala")
    assert sign_in("ti").get(opened.location).status_code == 404
    assert post(kepala, f"{PAGE}/latihan/kode", {"kode": "SALAH"}).status_code == 422
    assert post(kepala, f"{PAGE}/latihan/kode", {"kode": code}).status_code == 303
    db.session.rollback()
    assert db.session.query(Drill).filter_by(is_good=True).count() == 2


def put_aside(data, days: int, by: str = "ti"):
    mark = f"{utcnow() - timedelta(days=days):%Y%m%d-%H%M%S}-abcd"
    restoring.keep_status(data, restoring.Status(mark, "set_aside", by=by))
    place = restoring.side(data, mark) / "db"
    place.mkdir(parents=True)
    (place / "alur.db").write_bytes(b"x" * 3_000_000)
    return mark, place.parent


def test_an_old_set_put_aside_may_go_the_newest_never(alur_data, sign_in):
    (old, old_place), (late, _), (newest, newest_place) = (
        put_aside(alur_data, days, by) for days, by in ((90, "lama"), (29, "ti"), (3, "ti"))
    )
    ti, to = sign_in("ti"), f"{PAGE}/disisihkan/buang"
    page = words_of(ti.get(PAGE))
    assert "lama 2,9 MB Buang ini" in page
    assert "ti 2,9 MB yang terbaru disimpan" in page and "ti 2,9 MB belum 30 hari" in page
    for sent, sentence in (
        ({"samping": newest, "alasan": "disk penuh"}, "Yang terbaru"),
        ({"samping": late, "alasan": "disk penuh"}, "belum 30 hari"),
        ({"samping": old, "alasan": ""}, "Tulis alasannya"),
        ({"alasan": "disk penuh"}, "Centang satu"),
        ({"samping": "../../db", "alasan": "disk penuh"}, "Centang satu"),
    ):
        refused = post(ti, to, sent)
        assert refused.status_code == 422
        assert sentence in words_of(refused)
        assert f'value="{sent["alasan"]}"' in refused.text, "what was typed stays"
    assert sign_in("loket").post(to).status_code in (400, 403)
    post(ti, f"{PAGE}/samping/{newest}/buang")
    assert newest_place.exists() and old_place.exists()

    restoring.ask_switch(alur_data, newest, by="ti", reason="disk rusak")
    assert "sedang diganti" in words_of(post(ti, to, {"samping": old, "alasan": "disk penuh"}))
    (restoring.folder(alur_data) / restoring.REQUEST).unlink()
    assert post(ti, to, {"samping": old, "alasan": "disk penuh"}).status_code == 303
    assert not old_place.exists()
    assert audited("remove_set_aside")[0].reason == "disk penuh"
    again = post(ti, to, {"samping": old, "alasan": "disk penuh"})
    assert "sudah dibuang tadi" in words_of(again)
    assert [one.mark for one in restoring.all_sides(alur_data)] == [newest, late]
    assert audit.broken_link() is None


def test_the_only_set_put_aside_stays_however_old(alur_data, sign_in):
    mark, place = put_aside(alur_data, 400)
    sent = {"samping": mark, "alasan": "disk penuh"}
    assert post(sign_in("ti"), f"{PAGE}/disisihkan/buang", sent).status_code == 422
    assert place.exists()


def test_the_self_check_says_when_sets_put_aside_take_much(alur_data):
    _, place = put_aside(alur_data, 3)
    look = self_check.STEPS["put_aside"]
    found = look("", alur_data, utcnow())[1]
    assert (found.state, found.figures) == (State.GOOD, "1 kali, 2,9 MB")
    os.truncate(place / "db" / "alur.db", disk_space.space(alur_data).free // 5)  # sparse
    assert look("", alur_data, utcnow())[1].state == State.WATCH


@pytest.mark.parametrize("path", ["pulihkan", "latihan"])
def test_the_words_of_the_recovery_card_are_never_carried_on(client, sign_in, path):
    ti = sign_in("ti")
    sent = {"berkas": "x", "kunci_pemulihan": "satu dua rahasia tiga"}
    ti.get(PAGE)
    sent["csrf_token"] = ti.token
    post(ti, "/keluar")
    locked = ti.post(f"{PAGE}/{path}", data=sent)
    assert locked.status_code in (400, 401)
    page = locked.get_data(as_text=True)
    assert "resend" in page
    assert "rahasia" not in page
    form = sign_in("kepala").get(f"{PAGE}/{path}").get_data(as_text=True)
    assert 'name="kunci_pemulihan"' in form, "the field is called so"
