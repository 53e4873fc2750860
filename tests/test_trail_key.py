"""The audit trail's key: nothing is written with another one, and the ways back to it."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from clinic import audit, system_status, trail_key
from db import db, transaction, utcnow
from models import AuditEntry
from tests.backing_up import back_up


@pytest.fixture
def audit_key(alur_data, engine):
    """The tests' databases share one key."""
    path = alur_data / "keys" / "audit.key"
    kept = path.read_bytes()
    yield kept
    path.write_bytes(kept)
    path.chmod(0o600)
    (alur_data / "keys" / "elsewhere").unlink(missing_ok=True)
    audit.use_key(kept)


def run(app, *arguments: str, typed: str = ""):
    done = app.test_cli_runner().invoke(args=arguments, input=typed)
    db.session.rollback()
    return done


def lose_key(data: Path) -> Path:
    """As a moved server that has forgotten it."""
    kept = (data / "keys" / "audit.key").rename(data / "keys" / "elsewhere")
    audit.use_key(None)
    return kept


def use_key_of(app) -> None:
    """As the next process does."""
    audit.use_key(app.config["ALUR"].audit_key())


def entries() -> int:
    db.session.rollback()
    return db.session.scalar(text("SELECT max(seq) FROM audit_entry")) or 0


def write_entries() -> None:
    with transaction():
        for _ in range(3):
            audit.record(audit.SYSTEM, "log_in")


@pytest.mark.parametrize("command", [["setup"], ["backup"], ["passphrase", "kepala"]])
@pytest.mark.parametrize("other", [b"", b"x" * 32])
def test_nothing_is_written_with_another_key_than_the_trails(
    app, alur_data, audit_key, command, other
):
    write_entries()
    before, used = entries(), alur_data / "keys" / "audit.key"
    lose_key(alur_data)
    if other:
        used.write_bytes(other)
        used.chmod(0o600)
    use_key_of(app)
    done = run(app, *command)
    assert done.exit_code == 1
    assert str(used) in done.output, "where it belongs"
    assert "make audit-key" in done.output
    assert "make restore" in done.output
    assert used.exists() == bool(other), "none is made"
    assert entries() == before


def test_a_lost_key_comes_back_from_the_newest_snapshot(app, alur_data, audit_key):
    write_entries()
    back_up(alur_data)
    lose_key(alur_data)
    done = run(app, "audit-key")
    assert done.exit_code == 0, done.output
    assert (alur_data / "keys" / "audit.key").read_bytes() == audit_key
    assert run(app, "audit-key").exit_code == 0, "again, and all is well"
    assert audit.broken_link() is None


@pytest.mark.engines("sqlite")
def test_what_lay_in_the_keys_place_is_put_aside_not_written_over(app, alur_data, audit_key):
    write_entries()
    back_up(alur_data)
    used = alur_data / "keys" / "audit.key"
    lose_key(alur_data)
    used.write_bytes(b"x" * 32)
    assert trail_key.bring_back(alur_data)
    assert used.read_bytes() == audit_key
    aside = used.with_name("audit.key.lain")
    assert aside.read_bytes() == b"x" * 32
    aside.unlink()


@pytest.mark.engines("sqlite")
def test_a_snapshots_key_that_is_not_the_trails_is_not_taken(app, alur_data, audit_key):
    write_entries()
    back_up(alur_data)
    audit.use_key(b"y" * 32)
    for _ in range(7):
        write_entries()  # more than are looked at
    lose_key(alur_data)
    assert not trail_key.bring_back(alur_data)
    assert not (alur_data / "keys" / "audit.key").exists()


def test_a_trail_whose_key_is_lost_begins_anew_and_says_so_for_ever(
    app, alur_data, audit_key, sign_in
):
    write_entries()
    (alur_data / "db" / "newest.snapshot").unlink(missing_ok=True)
    lose_key(alur_data)
    before = entries()
    assert run(app, "audit-key", typed="disk rusak\ntidak\n").exit_code == 1
    assert entries() == before
    assert not (alur_data / "keys" / "audit.key").exists()
    done = run(app, "audit-key", typed="disk rusak\nMULAI\n")
    assert done.exit_code == 0, done.output
    assert audit.broken_link() is None
    assert run(app, "backup").exit_code == 0, "backups are good again"
    check = system_status.audit_trail()
    assert check.state == "Baik"
    assert f"Dimulai lagi di catatan {before + 1} " in check.sentence
    db.session.rollback()
    page = sign_in("kepala").get("/sistem/audit").get_data(as_text=True)
    assert "Memulai lagi jejak audit" in page
    assert "disk rusak" in page


def test_an_entry_of_another_key_spoils_backups_until_the_trail_begins_anew(
    app, alur_data, audit_key
):
    write_entries()
    back_up(alur_data)
    audit.use_key(b"z" * 32)
    write_entries()
    audit.use_key(audit_key)
    write_entries()
    assert "putus" in run(app, "backup").output
    done = run(app, "audit-key", typed="kunci tertukar\nMULAI\n")
    assert "Kuncinya cocok" in done.output
    assert run(app, "backup").exit_code == 0
    assert (alur_data / "keys" / "audit.key").read_bytes() == audit_key


def test_what_stands_before_a_new_beginning_cannot_be_changed_unseen(app, alur_data, audit_key):
    write_entries()
    first = entries()
    lose_key(alur_data)
    with transaction():
        audit.use_key(b"y" * 32)
        audit.begin_anew(audit.SYSTEM, "hilang")
        audit.record(audit.SYSTEM, "log_in")
    assert audit.broken_link() is None
    assert audit.broken_link(since=first - 1) is None
    off = {
        "sqlite": "DROP TRIGGER audit_entry_no_update",
        "postgresql": "ALTER TABLE audit_entry DISABLE TRIGGER USER",
    }[db.engine.dialect.name]
    with transaction() as session:
        session.execute(text(off))
        session.execute(
            text("UPDATE audit_entry SET reason = 'x' WHERE seq = :seq"), {"seq": first}
        )
    assert audit.broken_link() == first + 1
    if db.engine.dialect.name == "postgresql":
        with transaction() as session:
            session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))


CONTENT = [column.key for column in AuditEntry.__table__.columns if column.key != "hash"]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("column", CONTENT)
def test_no_column_of_an_entry_is_changed_unseen(app, column):
    write_entries()
    seq = entries()
    assert audit.broken_link() is None
    changed = {"seq": seq + 1, "at": utcnow() + timedelta(days=1), "user_id": 1}
    change = AuditEntry.__table__.update().where(AuditEntry.seq == seq)
    with transaction() as session:
        session.execute(text("DROP TRIGGER audit_entry_no_update"))
        session.execute(change.values({column: changed.get(column, "x")}))
    assert audit.broken_link() == seq
