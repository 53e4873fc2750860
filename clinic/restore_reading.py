"""Opens a backup that may come from anywhere, aside, and believes it only when all is right.

In this order: the signature, the size, the decryption, the digests, the kinds of things in the
database, its integrity, its figures. What is refused gets a sentence and leaves nothing behind.
"""

import re
import runpy
import shutil
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from clinic import (
    audit,
    backup_archive,
    backup_checks,
    backup_keys,
    backup_manifest,
    backup_snapshot,
    side_work,
)
from clinic.backup_manifest import BackupProblem, Manifest
from db import Base

MIGRATIONS = Path(__file__).parent.parent / "migrations" / "versions"
LARGEST = 64 * 1024**3
ROOM = 64 * 1024**2  # left free on the disk
SECONDS = 2 * 3600
_OTHERS = {"alembic_version", "sqlite_sequence", "sqlite_stat1", "sqlite_stat4"}
_FORGED = (
    "Tanda pengaman berkas ini tidak cocok dengan kartu atau server ini: berkasnya diubah, "
    "dibuat puskesmas lain, atau dibuka dengan kunci yang bukan milik puskesmas."
)
_NO_KEY = "Berkas ini terenkripsi. Ketik kunci dari kartu pemulihan."
_OTHERS_CLINIC = (
    "Cadangan ini milik puskesmas lain: {clinic}. Server ini sudah berisi pasien. Untuk memakai "
    "cadangan itu di komputer ini, pulihkan ke folder data yang kosong: "
    "ALUR_DATA=<folder kosong> make restore"
)
_STRANGE = "Di dalam basis data itu ada {what} yang bukan dari Alur. Berkas ini tidak dipakai."


@dataclass(frozen=True)
class Trust:
    """What this server knows by itself; a new server knows nothing."""

    clinic_ref: str = ""
    signing: bytes = b""
    takes_unsigned: bool = False  # somebody has said so, for a file opened with another's key


@dataclass(frozen=True)
class Opened:
    """A backup lies unpacked in its folder, as database and audit key, checked."""

    manifest: Manifest
    is_signed: bool
    compared: int  # patients


def open_aside(source: Path, folder: Path, secret: str, trust: Trust) -> Opened:
    """Check and unpack into this new folder, in a child with limits. Raises BackupProblem."""
    manifest = backup_manifest.read(source)
    folder.mkdir(mode=0o700, parents=True)
    largest = min(manifest.size, LARGEST) + backup_manifest.LONGEST
    largest = max(largest, source.stat().st_size + backup_manifest.LONGEST)
    limits = {**side_work.DISTRUST, side_work.resource.RLIMIT_FSIZE: largest}
    try:
        told = side_work.in_child(
            lambda: asdict(_open(source, folder, secret, trust)), seconds=SECONDS, limits=limits
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Opened(**{**told, "manifest": Manifest(**told["manifest"])})


def _open(source: Path, folder: Path, secret: str, trust: Trust) -> Opened:
    manifest = backup_manifest.read(source)
    is_signed = _check_origin(manifest, secret, trust)
    if manifest.size > min(LARGEST, shutil.disk_usage(folder).free - ROOM):
        raise BackupProblem("Ruang disk tidak cukup untuk membuka cadangan ini.")
    packed = source
    if backup_archive.is_encrypted(source):
        if not secret:
            raise BackupProblem(_NO_KEY)
        packed = folder / "packed"
        backup_archive.decrypt(source, secret, packed)
    for name in ("db", "keys"):
        (folder / name).mkdir(mode=0o700)
    key = backup_archive.unpack(packed, folder / "db" / "alur.db")
    if packed is not source:
        packed.unlink()
    (folder / "keys" / "audit.key").touch(mode=0o600)
    (folder / "keys" / "audit.key").write_bytes(key)
    audit.use_key(key)
    if secret and manifest.recipients[:1] == [_public_of(secret)]:
        backup_keys.keep(folder / "keys", secret, manifest.recipients[0])
    if manifest.engine != "sqlite":
        return Opened(manifest, is_signed, 0)  # `restore_postgres` goes on
    with backup_snapshot.opened(folder / "db" / "alur.db") as connection:
        return Opened(manifest, is_signed, check_content(connection, manifest))


def _check_origin(manifest: Manifest, secret: str, trust: Trust) -> bool:
    """Whether it is signed by this clinic; refused when it should be and is not."""
    if manifest.revision not in known_revisions():
        raise BackupProblem("Cadangan ini dari versi Alur yang lebih baru. Perbarui Alur dahulu.")
    is_own = bool(secret) and manifest.recipients[:1] == [_public_of(secret)]
    is_signed = manifest.is_signed_by(backup_keys.signing_key(secret) if is_own else trust.signing)
    # What a dump does when it is restored can't be looked through: unsigned ones are never used.
    if not is_signed and not (trust.takes_unsigned and manifest.engine == "sqlite"):
        raise BackupProblem(_FORGED)
    if trust.clinic_ref and manifest.clinic_ref != trust.clinic_ref:
        raise BackupProblem(_OTHERS_CLINIC.format(clinic=manifest.clinic[:80]))
    return is_signed


def is_others_key(manifest: Manifest, secret: str) -> bool:
    """Whether the clinic let somebody else open its backups with it, such as the health office.

    Whoever holds that key can't tell that the clinic made the file. Raises BackupProblem.
    """
    return bool(secret) and _public_of(secret) in manifest.recipients[1:]


def _public_of(secret: str) -> str:
    try:
        return str(import_module("pyrage").x25519.Identity.from_str(secret).to_public())
    except Exception as problem:
        raise BackupProblem("Kunci itu tidak dapat dipakai. Cocokkan dengan kartu.") from problem


def known_revisions() -> set[str]:
    """The schemas that this version knows how to bring up to date."""
    of_file = re.compile(r"^revision = ['\"](\w+)", re.M)
    found = (of_file.search(path.read_text()) for path in _migrations())
    return {one[1] for one in found if one}


def is_newer(engine: Engine) -> bool:
    """Whether a newer version than this one has migrated the clinic's database."""
    return not known_revisions().issuperset(_revisions_of(engine))


def is_current(engine: Engine) -> bool:
    """Whether the clinic's database has this version's schema: nothing to migrate."""
    return _revisions_of(engine) == {max(known_revisions())}


def _revisions_of(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return set()
        return set(connection.scalars(text("SELECT version_num FROM alembic_version")))


def _migrations() -> list[Path]:
    return sorted(MIGRATIONS.glob("*.py"))


# --- The database itself --------------------------------------------------------------------------


def check_content(connection: Connection, manifest: Manifest) -> int:
    """Only our tables, whole, with the figures of the manifest; patients compared one by one."""
    try:
        if connection.dialect.name == "sqlite":
            _check_kinds(connection)
        problems = backup_checks.is_whole(connection)
        problems += backup_checks.trail_problems(connection, None, all_of_it=True)
        counted = tuple(
            connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            for table in ("patient", "visit")
        )
        different = backup_checks.different_people(connection, manifest)
    except BackupProblem:
        raise
    except Exception as problem:  # whatever a damaged or built file makes the database say
        raise BackupProblem("Basis data di dalam cadangan ini tidak terbaca.") from problem
    if [one for one in problems if one not in manifest.problems]:
        raise BackupProblem(" ".join(problems))
    if counted != (manifest.patients, manifest.visits) or different:
        raise BackupProblem("Isi basis data tidak sama dengan keterangan cadangan ini.")
    return len(manifest.sample)


def _check_kinds(connection: Connection) -> None:
    known = set(Base.metadata.tables) | _OTHERS
    triggers = known_triggers()
    rows = connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master")
    for kind, name, table, sql in rows:
        is_ours = table in known and (
            (kind == "table" and name == table and _is_plain(sql))
            or kind == "index"
            or (kind == "trigger" and _plain(sql) in triggers)
        )
        if not is_ours:
            words = {"table": "tabel", "index": "indeks", "trigger": "pemicu", "view": "tampilan"}
            raise BackupProblem(_STRANGE.format(what=words.get(kind, "benda")))


def _is_plain(sql: str | None) -> bool:
    """No virtual table, which would run code of its module."""
    return bool(sql) and _plain(sql).upper().startswith("CREATE TABLE")


def known_triggers() -> set[str]:
    """The text of each trigger that one of our migrations makes."""
    texts: list[str] = []
    for path in _migrations():
        for value in runpy.run_path(str(path)).values():
            texts += [value] if isinstance(value, str) else []
            texts += [one for one in value if isinstance(one, str)] if type(value) is list else []
    return {_plain(one) for one in texts if _plain(one).startswith("CREATE TRIGGER")}


def _plain(sql: str) -> str:
    return " ".join(sql.split()).rstrip("; ")
