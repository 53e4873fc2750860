"""From a backup back to a clinic: the side copy, the switch, the way back; and what is refused."""

import contextlib
import io
import json
import os
import runpy
import shutil
import tarfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import zstandard
from pyrage import x25519
from sqlalchemy import text

from clinic import (
    audit,
    backup_archive,
    backup_keys,
    backup_making,
    backup_manifest,
    backup_snapshot,
    drills,
    restore_reading,
    restoring,
    set_aside,
    settings,
)
from clinic.backup_manifest import BackupProblem, Manifest
from clinic.restore_reading import Trust
from db import db, sqlite_driver, transaction, utcnow
from models import DrillKind, LoginSession
from tests import factories
from tests.backing_up import back_up, secret


def trust(data: Path) -> Trust:
    return Trust(settings.value("clinic_ref"), backup_keys.own_signing_key(data / "keys"))


def patients() -> int:
    db.session.rollback()
    return db.session.scalar(text("SELECT count(*) FROM patient"))


def switch(data: Path, mark: str) -> None:
    """As the next start does it."""
    restoring.ask_switch(data, mark, by="kepala", reason="disk rusak")
    url = db.engine.url
    db.session.remove()
    db.engine.dispose()
    assert restoring.apply_switch(data, url)["mark"] == mark
    assert restoring.apply_switch(data, url) is None, "once"
    audit.use_key((data / "keys" / "audit.key").read_bytes())


# --- The way back ---------------------------------------------------------------------------------


@pytest.fixture
def audit_key(alur_data, databases, engine):
    """The tests' databases share one key; a restore may bring another."""
    path = alur_data / "keys" / "audit.key"
    kept = path.read_bytes()
    yield kept
    path.write_bytes(kept)
    audit.use_key(kept)
    if engine == "postgresql":
        databases[engine].connect()  # the switch has ended its session


def test_a_backup_is_switched_to_and_back(alur_data, audit_key):
    with transaction():
        db.session.add(
            LoginSession(
                token_digest="a" * 64,
                user_id=factories.user("loket").id,
                idle_until=utcnow(),
                expires_at=utcnow(),
            )
        )
    name = back_up(alur_data).name
    factories.patient("Sesudah Cadangan")
    epoch, (before, mark) = settings.value("epoch"), (patients(), restoring.new_mark())
    source = alur_data / "backups" / name
    url, trusted = db.engine.url, trust(alur_data)
    opened = restoring.open_side(alur_data, url, mark, source, secret(alur_data), trusted)
    assert (opened.is_signed, opened.compared) == (True, 3)
    assert patients() == before == 4, "the side copy is aside"
    switch(alur_data, mark)
    assert patients() == 3
    restored = settings.value("epoch")
    assert restored != epoch, "no queue version comes twice"
    assert db.session.scalar(text("SELECT count(*) FROM login_session WHERE ended_at IS NULL")) == 0
    assert audit.broken_link() is None
    back_up(alur_data)  # goes on from the restored trail

    (aside,) = restoring.all_sides(alur_data)
    assert aside.state == "set_aside"
    (told,) = set_aside.sets(alur_data, utcnow())
    assert (told.mark, told.by, told.may_go) == (aside.mark, "kepala", False)
    assert told.size > 500_000, "of PostgreSQL too, which has no file there"
    place = restoring.side(alur_data, aside.mark)
    restoring.prepare(place, restoring.side_url(url, place, aside.mark))
    switch(alur_data, aside.mark)
    assert patients() == 4
    assert settings.value("epoch") not in {epoch, restored}
    assert audit.broken_link() is None
    (aside,) = restoring.all_sides(alur_data)
    db.session.remove()
    db.engine.dispose()
    restoring.discard(url, aside.mark, restoring.side(alur_data, aside.mark))


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("renames", range(6))
def test_a_switch_that_is_cut_off_goes_on(tmp_path, monkeypatch, renames, app):
    """Power fails after each of its renames: the next start finishes it, and nothing is lost."""
    (tmp_path / "db").mkdir()
    (tmp_path / "keys").mkdir()
    place = restoring.side(tmp_path, "20260101-000000-abcd")
    for folder, word in ((tmp_path, "used"), (place, "side")):
        (folder / "db").mkdir(parents=True, exist_ok=True)
        (folder / "keys").mkdir(exist_ok=True)
        (folder / "db" / "alur.db").write_text(f"{word} database")
        (folder / "db" / "alur.db-wal").write_text(f"{word} log")
        (folder / "keys" / "audit.key").write_text(f"{word} key")
    url = db.engine.url.set(database=str(tmp_path / "db" / "alur.db"))
    aside = "20260101-000001-abcd"
    restoring.ask_switch(tmp_path, place.name, by="ti", reason="coba", aside=aside)
    done, original = [], os.replace

    def replace_some(old, new):
        if len(done) == renames:
            raise KeyboardInterrupt
        done.append(new)
        original(old, new)

    with monkeypatch.context() as cut, contextlib.suppress(KeyboardInterrupt):
        cut.setattr(os, "replace", replace_some)
        restoring.apply_switch(tmp_path, url)
    restoring.apply_switch(tmp_path, url)
    aside = restoring.side(tmp_path, aside)
    for folder, word in ((tmp_path, "side"), (aside, "used")):
        assert (folder / "db" / "alur.db").read_text() == f"{word} database"
        assert (folder / "db" / "alur.db-wal").read_text() == f"{word} log"
        assert (folder / "keys" / "audit.key").read_text() == f"{word} key"
    assert not restoring.is_switch_asked(tmp_path)


@pytest.mark.engines("sqlite")
def test_an_older_schema_is_brought_up_to_date_aside(alur_data):
    older = make(alur_data, alur_data / "tmp" / "older.alur", go_back)
    mark = restoring.new_mark()
    restoring.open_side(alur_data, db.engine.url, mark, older, secret(alur_data), trust(alur_data))
    with backup_snapshot.opened(restoring.side(alur_data, mark) / "db" / "alur.db") as connection:
        newest = connection.scalar(text("SELECT version_num FROM alembic_version"))
        assert newest != "0021"
        assert connection.scalar(text("SELECT count(*) FROM internet_span")) == 0
        assert connection.scalar(text("SELECT count(*) FROM patient")) == 3


def go_back(database: Path) -> None:
    """As version 0021 left it."""
    with sqlite_driver.connect(database) as connection:
        without_newer_rules(connection)
        guards = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%no_delete'"
        older = ("audit_entry", "amendment", "amendment_line", "stock_move")
        for (name,) in connection.execute(guards).fetchall():
            if name.removesuffix("_no_delete") not in older:
                connection.execute(f"DROP TRIGGER {name}")
        for statement in (
            "DROP TABLE internet_span",
            "DROP INDEX ix_examination_death",
            "ALTER TABLE examination DROP COLUMN death",
            "ALTER TABLE examination DROP COLUMN death_time",
            "ALTER TABLE visit DROP COLUMN bpjs_home",
            "ALTER TABLE patient DROP COLUMN no_nik_note",
            "DROP INDEX ix_queue_entry_unfinished",
            "DROP INDEX ix_lab_result_corrected",
            "UPDATE alembic_version SET version_num = '0021'",
        ):
            connection.execute(statement)
    connection.close()


def without_newer_rules(connection) -> None:
    migration = runpy.run_path(str(restore_reading.MIGRATIONS / "0030_values_that_exist.py"))
    connection.execute("PRAGMA writable_schema = ON")
    for table, rules in migration["RULES"].items():
        asked = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
        made = connection.execute(asked, (table,)).fetchone()[0]
        older = migration["_without"](made, {f"ck_{table}_{name}": rules[name] for name in rules})
        wanted = "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?"
        connection.execute(wanted, (older, table))
    connection.execute("PRAGMA writable_schema = RESET")


def test_a_new_server_goes_on_with_the_card_that_opened_the_backup(tmp_path):
    new, side = tmp_path / "new", tmp_path / "side"
    new.mkdir()
    side.mkdir()
    backup_keys.make(new)
    secret_key = str(OTHER)
    backup_keys.keep(side, secret_key, str(OTHER.to_public()))
    backup_keys.take_over(new, side)
    assert backup_keys.public_key(new) == str(OTHER.to_public())
    assert backup_keys.own_signing_key(new) == backup_keys.signing_key(secret_key)
    assert backup_keys.pending(new) is None

    backup_keys.make(side)
    backup_keys.confirm(side, backup_keys.pending(side).proof)
    backup_keys.take_over(new, side)
    assert backup_keys.public_key(new) == str(OTHER.to_public()), "its card is printed"


# --- The nightly drill ----------------------------------------------------------------------------


def test_the_drill_restores_compares_and_rereads(alur_data):
    backup = back_up(alur_data)
    found = drills.nightly(alur_data)
    assert (found.problems, found.patients, found.copies) == ([], 3, 1)
    assert not list((alur_data / "tmp").iterdir())
    with transaction():
        row = drills.keep(audit.SYSTEM, found)
    assert (row.is_good, row.name) == (True, backup.name)
    assert not drills.is_due(utcnow())
    assert drills.is_due(utcnow() + drills.LATEST)


@pytest.mark.engines("sqlite")
def test_each_breakage_fails_the_drill(alur_data):
    backup = back_up(alur_data)
    for path in (backup_making.newest_path(alur_data), alur_data / "backups" / backup.name):
        kept = path.read_bytes()
        content = bytearray(kept)
        content[-40] ^= 1
        path.write_bytes(content)
        assert len(drills.nightly(alur_data).problems) == 1
        path.unlink()
        assert len(drills.nightly(alur_data).problems) == 1
        path.write_bytes(kept)
    assert drills.nightly(alur_data).problems == []


def test_the_code_of_a_drill_elsewhere_fits_its_backup_alone(alur_data):
    name = back_up(alur_data).name
    manifest = backup_manifest.read(alur_data / "backups" / name)
    code = drills.code(manifest, backup_keys.signing_key(secret(alur_data)))
    found = drills.told_by_code(alur_data, f" {code[:4]} {code[4:].lower()}")
    assert (found.name, found.kind, found.problems) == (name, DrillKind.PAPER, [])
    assert drills.told_by_code(alur_data, "QQQQQQQQ") is None
    assert drills.told_by_code(alur_data, "") is None


# --- What is refused ------------------------------------------------------------------------------


def make(
    data: Path, target: Path, change=None, *, harm=None, key: str = "", pack=None, **told
) -> Path:
    """A backup as the program makes it, of a database that was changed before."""
    database = data / "tmp" / f"{target.name}.db"
    with backup_snapshot.taken(db.engine, database):
        pass
    if change:
        change(database)
    with backup_snapshot.opened(database) as connection:
        manifest = described(connection, database)
    if harm:
        harm(database)
        told["sha256"] = backup_archive.digest_of(database)
    card = backup_keys.pending(data / "keys")
    audit_key = (data / "keys" / "audit.key").read_bytes()
    digest = backup_archive.hashlib.sha256(audit_key).hexdigest()
    manifest = replace(manifest, recipients=[key or card.public], key_sha256=digest, **told)
    manifest = manifest.signed(backup_keys.signing_key(card.secret))
    packed = target.with_suffix(".packed")
    (pack or backup_archive.pack)(manifest, database, audit_key, packed)
    backup_archive.encrypt(packed, target)
    packed.unlink()
    database.unlink()
    return target


def described(connection, database: Path) -> Manifest:
    """What a forger says of it: figures that fit, and nothing wrong."""
    manifest = backup_snapshot.described(connection, database, "manual", utcnow(), None)
    return replace(manifest, problems=[])


def run(*statements: str):
    def change(database: Path) -> None:
        with sqlite_driver.connect(database, isolation_level=None) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return change


def scribble(database: Path) -> None:
    """The first page of the patients' table is not one any more."""
    with sqlite_driver.connect(database) as connection:
        page = "SELECT rootpage FROM sqlite_master WHERE name = 'outbox_entry'"
        start = (connection.execute(page).fetchone()[0] - 1) * 4096
    connection.close()
    with database.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * 40)


def packing(*members: tuple[str, bytes | str], claim: int | None = None):
    """An archive of these instead of ours; a text is where a link leads."""

    def pack(manifest: Manifest, database: Path, audit_key: bytes, target: Path) -> None:
        payload = io.BytesIO()
        with tarfile.open(fileobj=payload, mode="w") as tar:
            for name, content in members:
                entry = tarfile.TarInfo(name)
                if isinstance(content, str):
                    entry.type, entry.linkname = tarfile.SYMTYPE, content
                    tar.addfile(entry)
                else:
                    content = {b"KEY": audit_key, b"DB": database.read_bytes()}.get(
                        content, content
                    )
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
        target.write_bytes(manifest.head() + zstandard.compress(payload.getvalue()))

    return pack


KEY, DB = ("audit.key", b"KEY"), ("database", b"DB")
OTHER = x25519.Identity.generate()


def _edited(data: Path, target: Path, edit) -> Path:
    make(data, target)
    target.write_bytes(edit(target.read_bytes()))
    return target


def told_otherwise(**changed):
    """Its first lines say something else, as whoever has no card could write."""

    def edit(content: bytes) -> bytes:
        magic, line, payload = content.split(b"\n", 2)
        return b"\n".join([magic, json.dumps(json.loads(line) | changed).encode(), payload])

    return lambda data, target: _edited(data, target, edit)


def edited(edit):
    return lambda data, target: _edited(data, target, edit)


def built(*arguments, **options):
    return lambda data, target: make(data, target, *arguments, **options)


def bomb(data: Path, target: Path) -> Path:
    """2 GB of zeros in some kilobytes, with a manifest that promises less."""

    def pack(manifest, database, audit_key, packed):
        compressor = zstandard.ZstdCompressor().compressobj()
        pieces = [manifest.head()]
        entry = tarfile.TarInfo("audit.key")
        entry.size = len(audit_key)
        head = tarfile.TarInfo("database")
        head.size = 2 * 1024**3
        pieces.append(
            compressor.compress(entry.tobuf() + audit_key.ljust(512, b"\0") + head.tobuf())
        )
        pieces += [compressor.compress(bytes(1024**2)) for _ in range(64)]
        packed.write_bytes(b"".join([*pieces, compressor.flush()]))

    return make(data, target, pack=pack)


REFUSED = {
    "no backup at all": (
        lambda data, target: _wrote(target, b"PK\x03\x04 a zip"),
        "bukan cadangan",
    ),
    "empty": (lambda data, target: _wrote(target, b""), "bukan cadangan"),
    "a head without end": (
        lambda data, target: _wrote(target, backup_manifest.MAGIC + b"[" * 400_000),
        "awal berkas",
    ),
    "a head of other things": (edited(lambda one: one.replace(b'"size":', b'"seize":')), "awal"),
    "truncated": (edited(lambda one: one[:-1000]), "terpotong"),
    "one byte flipped": (
        edited(lambda one: one[:-99] + bytes([one[-99] ^ 1]) + one[-98:]),
        "rusak",
    ),
    "an edited manifest": (told_otherwise(patients=2), "Tanda pengaman"),
    "another clinic's name on ours": (told_otherwise(clinic_ref="0badc0de"), "Tanda pengaman"),
    "signed with nothing": (told_otherwise(signature=""), "Tanda pengaman"),
    "for another key": (built(key=str(OTHER.to_public())), "bukan kunci untuk berkas itu"),
    "another clinic's": (built(clinic_ref="0badc0de"), "milik puskesmas lain"),
    "a newer version's": (built(revision="9999"), "versi Alur yang lebih baru"),
    "another engine's": (built(engine="postgresql"), "dari PostgreSQL"),
    "a size beyond the disk": (built(size=2**62), "Ruang disk tidak cukup"),
    "a bomb": (bomb, "lebih besar"),
    "a path that leads out": (built(pack=packing(("../../db/alur.db", b"DB"))), "bukan dari Alur"),
    "a link": (built(pack=packing(KEY, ("database", "/etc/passwd"))), "bukan dari Alur"),
    "a file too many": (built(pack=packing(KEY, DB, ("x", b"x"))), "bukan dari Alur"),
    "another audit key": (built(pack=packing(("audit.key", b"x" * 32), DB)), "tidak sama"),
    "another database": (built(pack=packing(KEY, ("database", b"x"))), "tidak sama"),
    "a trigger": (
        built(
            run(
                "CREATE TRIGGER t AFTER INSERT ON patient"
                " BEGIN UPDATE user_account SET role = 'head'; END"
            )
        ),
        "pemicu yang bukan",
    ),
    "a view": (built(run("CREATE VIEW v AS SELECT * FROM patient")), "tampilan yang bukan"),
    "a table of its own": (built(run("CREATE TABLE t (x)")), "tabel yang bukan"),
    "a virtual table": (
        built(run("CREATE VIRTUAL TABLE t USING fts5(x)")),
        "tabel yang bukan",
    ),
    "a damaged page": (built(harm=scribble), "rusak|tidak terbaca"),
    "a changed audit trail": (
        built(
            run(
                "DROP TRIGGER audit_entry_no_update",
                "UPDATE audit_entry SET details = 'x' WHERE seq = 2",
            )
        ),
        "Jejak audit putus",
    ),
    "other figures": (built(patients=7), "tidak sama dengan keterangan"),
    "other patients": (built(sample={"0190": "0" * 64}), "tidak sama dengan keterangan"),
}


def contents(folder: Path) -> dict[str, bytes]:
    """Of all files but the one that SQLite's readers write to."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".db-shm"}


def _wrote(target: Path, content: bytes) -> Path:
    target.write_bytes(content)
    return target


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_file_is_refused_with_a_sentence_and_harms_nothing(alur_data, kind):
    build, sentence = REFUSED[kind]
    source = build(alur_data, alur_data / "tmp" / "bad.alur")
    before = contents(alur_data / "db")
    mark = restoring.new_mark()
    with pytest.raises(BackupProblem, match=sentence):
        restoring.check(
            db.engine.url,
            mark,
            restoring.side(alur_data, mark),
            source,
            secret(alur_data),
            trust(alur_data),
        )
    assert not restoring.side(alur_data, mark).exists()
    assert contents(alur_data / "db") == before
    assert [path.name for path in (alur_data / "tmp").iterdir()] == ["bad.alur"]


@pytest.mark.engines("sqlite")
def test_an_untouched_one_is_taken(alur_data):
    """Else the refusals above would prove nothing."""
    source = make(alur_data, alur_data / "tmp" / "good.alur")
    place = alur_data / "restore" / "good"
    opened = restore_reading.open_aside(source, place, secret(alur_data), trust(alur_data))
    assert opened.compared == 3
    shutil.rmtree(place)
    with pytest.raises(BackupProblem, match="terenkripsi"):
        restore_reading.open_aside(source, place, "", trust(alur_data))
    assert asdict(backup_manifest.read(source))["clinic_ref"] == settings.value("clinic_ref")


@pytest.mark.engines("sqlite")
def test_an_unsigned_one_needs_somebodys_word(alur_data):
    source = told_otherwise(clinic="Puskesmas Lain")(alur_data, alur_data / "tmp" / "x.alur")
    trusted = replace(trust(alur_data), takes_unsigned=True)
    place = alur_data / "restore" / "unsigned"
    assert not restore_reading.open_aside(source, place, secret(alur_data), trusted).is_signed
