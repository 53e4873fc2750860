"""A backup: made, checked, encrypted, copied, read back, rotated; and what goes wrong meanwhile."""

import errno
import mmap
import os
import shutil
import stat
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import current_app
from pyrage import x25519
from sqlalchemy import text

from clinic import (
    audit,
    backup_archive,
    backup_making,
    backup_manifest,
    backup_places,
    backup_snapshot,
    backup_worker,
    backups,
    settings,
    side_work,
)
from clinic.backup_manifest import BackupProblem
from db import db, sqlite_driver, transaction, utcnow
from models import Backup, BackupKind, BackupState, CopyState
from tests import factories
from tests.backing_up import back_up, secret, use_places

NAME = "Siti Aminah"


def place(tmp_path, name: str = "usb"):
    """A prepared place."""
    made = tmp_path / name
    made.mkdir()
    backup_places.try_out(made, settings.value("clinic_ref"), current_app.config["ALUR"].data)
    return made


def copy_states(backup: Backup) -> dict[str, CopyState]:
    return {row.place: row.state for row in backup.copies}


# --- The way through ------------------------------------------------------------------------------


def test_a_backup_comes_back_as_it_was(alur_data, tmp_path):
    usb = place(tmp_path)
    use_places(usb)
    backup = back_up(alur_data)
    assert (backup.state, backup.problem) == (BackupState.DONE, "")
    assert (backup.patients, backup.visits) == (3, 3)
    assert copy_states(backup) == {"Disk data": CopyState.GOOD, str(usb): CopyState.GOOD}
    copy = next(usb.rglob(backup.name))
    assert backup_archive.digest_of(copy) == backup.digest
    assert NAME.encode() not in copy.read_bytes()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600

    packed, database = tmp_path / "packed", tmp_path / "database"
    backup_archive.decrypt(copy, secret(alur_data), packed)
    assert (
        backup_archive.unpack(packed, database) == (alur_data / "keys" / "audit.key").read_bytes()
    )
    assert packed.read_bytes() == backup_making.newest_path(alur_data).read_bytes()
    assert not list((alur_data / "tmp").iterdir())


def test_the_health_office_opens_it_too(alur_data, tmp_path):
    office = tmp_path / "office"
    office.mkdir()
    identity = x25519.Identity.generate()
    with transaction():
        settings.set_value("health_office_key", str(identity.to_public()))
    backup = back_up(alur_data)
    backup_archive.decrypt(alur_data / "backups" / backup.name, str(identity), office / "packed")
    assert (office / "packed").stat().st_size > 0


def test_its_manifest_says_what_is_in_it_and_is_signed(alur_data):
    backup = back_up(alur_data)
    manifest = backup_manifest.read(alur_data / "backups" / backup.name)
    assert (manifest.patients, manifest.visits, manifest.engine) == (3, 3, db.engine.dialect.name)
    assert len(manifest.sample) == 3
    signing = (alur_data / "keys" / "recovery-sign.key").read_bytes()
    assert manifest.is_signed_by(signing)
    assert not replace(manifest, patients=4).is_signed_by(signing)
    assert not manifest.is_signed_by(b"")
    assert NAME.encode() not in manifest.head()


def test_two_of_the_same_second_are_two(alur_data):
    first, second = back_up(alur_data), back_up(alur_data)
    assert first.name != second.name
    assert len(list((alur_data / "backups").iterdir())) == 2


# --- When -----------------------------------------------------------------------------------------


def test_a_quarter_of_an_hour_and_a_change_make_one_due(alur_data):
    with transaction():
        backups.ask(audit.SYSTEM, BackupKind.PERIODIC)
    backup_worker.run(alur_data, lambda: False)
    now = utcnow()
    assert not backups.is_periodic_due(now + timedelta(minutes=14))
    with transaction():
        audit.record(audit.SYSTEM, "test")
    assert not backups.is_periodic_due(now + timedelta(minutes=14))
    assert backups.is_periodic_due(now + timedelta(minutes=16))
    assert backups.is_periodic_due(now - timedelta(days=1)), "a clock that was ahead stops nothing"
    back_up(alur_data)
    assert not backups.is_periodic_due(utcnow() + timedelta(minutes=16)), "nothing has changed"


def test_asking_twice_makes_one(alur_data):
    with transaction():
        first = backups.ask(factories.actor("kepala"), BackupKind.CLOSE)
        assert backups.ask(factories.actor("ti"), BackupKind.CLOSE) is first
        assert backups.ask(audit.SYSTEM, BackupKind.MANUAL) is not first


# --- What a check finds ---------------------------------------------------------------------------


def scribble(statement: str) -> None:
    """Change what is never changed, as a broken disk or somebody with the file would."""
    with transaction() as session:
        if db.engine.dialect.name == "sqlite":
            session.execute(text("DROP TRIGGER IF EXISTS audit_entry_no_update"))
        else:
            session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE visit SET number = 99 WHERE number = 1", "tabel visit berubah"),
        ("UPDATE audit_entry SET details = 'x' WHERE seq = 2", "Jejak audit putus di catatan 2"),
    ],
)
def test_a_changed_old_row_is_found_and_the_last_good_one_stays(alur_data, statement, sentence):
    good = back_up(alur_data)
    kept = backup_making.newest_path(alur_data).read_bytes()
    scribble(statement)
    doubtful = back_up(alur_data)
    assert doubtful.state == BackupState.DOUBTFUL
    assert sentence in doubtful.problem
    assert (alur_data / "backups" / doubtful.name).exists(), "it may be all there is"
    assert backup_making.newest_path(alur_data).read_bytes() == kept
    assert backups.newest().id == good.id


@pytest.mark.engines("sqlite")
def test_a_scribbled_page_is_found(alur_data):
    back_up(alur_data)
    file = db.engine.url.database
    db.session.remove()
    db.engine.dispose()
    with sqlite_driver.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'visit'")
        start = (page.fetchone()[0] - 1) * connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    with open(file, "r+b") as scribbled:
        scribbled.seek(start + 4090)  # the end of its first row
        scribbled.write(b"\xff\xff\xff\xff\xff\xff")
    doubtful = back_up(alur_data)
    assert doubtful.state != BackupState.DONE
    assert doubtful.problem


# --- Places ---------------------------------------------------------------------------------------


def test_one_flipped_byte_in_a_copy_is_found(alur_data, tmp_path):
    usb = place(tmp_path)
    use_places(usb)
    backup = back_up(alur_data)
    copy = next(usb.rglob(backup.name))
    backup_places.check_newest(copy.parent, backup.name, backup.digest)
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes(content)
    with pytest.raises(BackupProblem, match="isinya berbeda"):
        backup_places.check_newest(copy.parent, backup.name, backup.digest)


def test_a_place_that_is_not_there_is_caught_up_later(alur_data, tmp_path):
    usb, away = place(tmp_path), tmp_path / "away"
    use_places(usb)
    os.rename(usb, away)
    first, second = back_up(alur_data), back_up(alur_data)
    row = backups.row_of(second, str(usb))
    assert (row.state, row.reason[:29]) == (CopyState.BAD, "Tempat ini tidak ada sekarang")
    assert backups.places_due(utcnow()) == [], "not every five seconds"
    assert backups.places_due(utcnow() + timedelta(minutes=6)) == [str(usb)]
    os.rename(away, usb)
    backup_worker.copy_to(alur_data, [str(usb)])
    db.session.rollback()
    assert {path.name for path in usb.rglob("*.alur")} == {first.name, second.name}
    assert copy_states(db.session.get_one(Backup, first.id))[str(usb)] == CopyState.GOOD
    assert copy_states(db.session.get_one(Backup, second.id))[str(usb)] == CopyState.GOOD
    assert backups.places_due(utcnow() + timedelta(days=1)) == []


def test_an_empty_mount_point_is_not_filled(alur_data, tmp_path):
    usb = place(tmp_path)
    use_places(usb)
    shutil.rmtree(backups.folder_at(str(usb)))
    backup = back_up(alur_data)
    assert "Tekan Coba" in backups.row_of(backup, str(usb)).reason
    assert not list(usb.iterdir())


def test_a_full_place_says_so(alur_data, tmp_path, monkeypatch):
    usb = place(tmp_path)
    monkeypatch.setattr(backup_places, "PIECE", 2**62)
    done = backup_places.serve(
        backups.folder_at(str(usb)),
        [backup_places.Source(alur_data / "keys" / "audit.key", "")],
        "UTC",
    )
    assert done["problem"].startswith("Penuh")


def test_rotation_there_leaves_other_files_alone(alur_data, tmp_path):
    usb = place(tmp_path)
    folder = backups.folder_at(str(usb))
    for day in range(1, 31):
        (folder / f"cadangan-202501{day:02}T010000Z.alur").touch()
    (folder / "foto.jpg").touch()
    use_places(usb)
    backup = back_up(alur_data)
    names = {path.name for path in folder.iterdir()}
    assert {"foto.jpg", backup.name, "cadangan-20250130T010000Z.alur"} <= names
    assert "cadangan-20250102T010000Z.alur" not in names


def test_a_place_that_hangs_is_left(monkeypatch):
    monkeypatch.setattr(side_work, "END_SECONDS", 0.5)
    with pytest.raises(BackupProblem, match="Tidak menjawab"):
        side_work.in_child(lambda: threading.Event().wait(60), seconds=0.2)


def test_a_child_that_crashes_is_a_sentence():
    with pytest.raises(BackupProblem, match="mendadak"):
        side_work.in_child(lambda: os.kill(os.getpid(), 9), seconds=5)


def test_a_large_process_leaves_its_child_room_and_no_more_than_that():
    def with_a_thread() -> str:
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        return "done"

    with mmap.mmap(-1, 1200 * 2**20):  # mapped, not used
        assert side_work.in_child(with_a_thread, seconds=20, limits=side_work.DISTRUST) == "done"
        with pytest.raises(BackupProblem, match="memori"):
            side_work.in_child(
                lambda: len(bytearray(1200 * 2**20)), seconds=20, limits=side_work.DISTRUST
            )


# --- Killed, disturbed ----------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["Memeriksa potret", "Menyalin"])
def test_a_killed_backup_leaves_nothing_half_and_is_made_again(alur_data, step):
    good = back_up(alur_data).name
    with transaction():
        asked = backups.ask(audit.SYSTEM, BackupKind.MANUAL).id
    db.session.remove()
    db.engine.dispose()
    child = os.fork()
    if not child:
        make_until(alur_data, asked, step)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    assert db.session.get_one(Backup, asked).state == BackupState.RUNNING
    db.session.rollback()
    backup_worker.run(alur_data)
    db.session.rollback()
    again = db.session.get_one(Backup, asked)
    assert (again.state, again.attempts) == (BackupState.DONE, 2)
    assert not list((alur_data / "tmp").iterdir())
    for name in (good, again.name):
        packed = alur_data / "tmp" / "whole"
        backup_archive.decrypt(alur_data / "backups" / name, secret(alur_data), packed)
        packed.unlink()


def make_until(data, backup_id: int, step: str) -> None:
    """Make it in this process and die at this step."""
    original = backup_making.tell

    def watch(data, told, percent):
        if told.startswith(step):
            os.kill(os.getpid(), 9)
        original(data, told, percent)

    backup_making.tell = watch
    try:
        with backup_making.alone(data):
            backup_worker.make(data, backup_id)
    finally:
        os._exit(1)


def test_what_is_killed_each_time_is_given_up(alur_data):
    with transaction():
        backup = backups.ask(audit.SYSTEM, BackupKind.MANUAL)
        for _ in range(backups.MOST_ATTEMPTS):
            backups.begin(backup)
        backups.resume()
    assert backup.state == BackupState.FAILED
    assert "Terputus" in backup.problem


def test_only_one_process_makes_backups(alur_data):
    with transaction():
        asked = backups.ask(audit.SYSTEM, BackupKind.MANUAL).id
    with backup_making.alone(alur_data):
        backup_worker.run(alur_data)
    db.session.rollback()
    assert db.session.get_one(Backup, asked).state == BackupState.WAITING


def test_without_a_key_it_fails_with_a_sentence(alur_data):
    (alur_data / "keys" / "recovery.pub").unlink()
    backup = back_up(alur_data)
    assert (backup.state, backup.problem[:22]) == (BackupState.FAILED, "Kunci pemulihan belum ")


def test_a_disk_that_is_nearly_full_is_left_to_the_saves(alur_data, monkeypatch):
    monkeypatch.setattr(backup_making, "ROOM", 2**60)
    backup = back_up(alur_data)
    assert (backup.state, backup.problem[:16]) == (BackupState.FAILED, "Ruang disk data ")
    assert not list((alur_data / "backups").iterdir())


def test_a_save_works_while_the_snapshot_is_taken(alur_data, tmp_path):
    """The snapshot is of one instant; what is saved meanwhile is in the clinic, not in it."""
    with backup_snapshot.taken(db.engine, tmp_path / "snapshot") as connection:
        factories.patient("Ketut Baru")
        assert connection.scalar(text("SELECT count(*) FROM patient")) == 3
    assert db.session.scalar(text("SELECT count(*) FROM patient")) == 4


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.ENOSPC, "Gagal menulis di disk data: disk penuh."),
        (errno.EIO, "Gagal menulis di disk data: disk rusak atau terlepas."),
        (errno.EINVAL, "Gagal menulis di disk data: kesalahan EINVAL."),
    ],
)
@pytest.mark.engines("sqlite")
def test_what_the_own_disk_refuses_is_said_in_indonesian(alur_data, monkeypatch, code, sentence):
    def refuse(*_args, **_options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(backup_archive, "pack", refuse)
    assert back_up(alur_data).problem == sentence
