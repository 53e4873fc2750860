"""Is the audit key the one that this database's trail was written with? And the ways back to it.

A trail that somebody goes on writing with another key is broken from there on, so nothing may be
written before this is known.
"""

from pathlib import Path

from sqlalchemy import inspect, select

from clinic import audit, backup_archive, backup_making
from clinic.backup_manifest import BackupProblem
from clinic.small_files import write_aside
from db import db
from models import AuditEntry

# A single entry that somebody has changed is told at /sistem; it does not keep Alur from starting.
NEWEST = 20
MISSING = "Kunci jejak audit tidak ada. Tempatnya: {path}."
OTHERS = "Kunci jejak audit di {path} bukan milik basis data ini."
WAYS = (
    "Tidak ada yang diubah. Periksa dulu ALUR_DATA dan DATABASE_URL: kunci dan basis data harus "
    "dari puskesmas yang sama. Lalu salin kembali berkas kuncinya ke tempat itu (dari disk atau "
    "server lama), atau jalankan: make audit-key (dari potret terakhir di server ini), atau make "
    "restore (dari USB cadangan)."
)


def place(data: Path) -> Path:
    """Where the key lies."""
    return data / "keys" / "audit.key"


def is_first_use() -> bool:
    """Whether nothing was ever written to the trail, so that its key may be made."""
    if not inspect(db.engine).has_table(AuditEntry.__tablename__):
        return True
    is_empty = db.session.scalar(select(AuditEntry.seq).limit(1)) is None
    db.session.rollback()
    return is_empty


def problem(data: Path) -> str | None:
    """Why nothing may be written with the key in use, and what to do; None if all is well."""
    if is_first_use():
        return None
    if not audit.has_key():
        return f"{MISSING.format(path=place(data))} {WAYS}"
    is_known = audit.knows(NEWEST)
    db.session.rollback()
    return None if is_known else f"{OTHERS.format(path=place(data))} {WAYS}"


def bring_back(data: Path) -> bool:
    """Take the key out of this server's newest snapshot, if it is the trail's.

    One that lies in its place is put aside.
    """
    used = place(data)
    try:
        key = backup_archive.audit_key_of(backup_making.newest_path(data))
    except BackupProblem:
        return False
    audit.use_key(key)
    is_known = audit.knows(NEWEST)
    db.session.rollback()
    if is_known:
        if used.exists():
            used.rename(used.with_name(f"{used.name}.lain"))
        write_aside(used, key)
    return is_known
