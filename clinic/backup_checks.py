"""Is a snapshot what the clinic wrote? Looks at the copy, never at the database in use.

`connection` is one to the snapshot, on either engine.
"""

import hashlib
import random
from typing import Any

from sqlalchemy import Connection, text

from clinic import audit
from clinic.backup_manifest import Manifest

# What is never changed once it is there: a digest over all rows that the last backup had must
# come out the same. The audit trail proves itself by its chain.
NEVER_CHANGED = {
    "service_day": "id, public_id",  # its date may be mended, see days.bring_back
    "visit": "id, public_id, service_day_id, series, number, label",
    "queue_entry": "id, public_id, visit_id, service_day_id, kind, seq, queued_at",
    "patient_version": "id, patient_id, version, before, changed_at",
    "addendum": "*",
    "amendment_line": "*",
    "visit_correction": "*",
    "paper": "id, public_id, kind, number, visit_id, content, issued_at",
    "stock_move": "*",
    "dispensing": "id, public_id, line_id, batch_id, quantity, given_at",
    "dispensed_line": "*",
}
SAMPLE = 20
_PERSON = (
    "SELECT * FROM patient WHERE public_id = :ref",
    "SELECT v.* FROM visit v JOIN patient p ON p.id = v.patient_id"
    " WHERE p.public_id = :ref ORDER BY v.id",
    "SELECT e.* FROM examination e JOIN visit v ON v.id = e.visit_id"
    " JOIN patient p ON p.id = v.patient_id WHERE p.public_id = :ref ORDER BY e.id",
)


def is_whole(connection: Connection) -> list[str]:
    """What SQLite itself finds wrong with the file, in sentences."""
    found = []
    if connection.dialect.name != "sqlite":
        return found  # checksums and constraints are the server's business
    told = connection.exec_driver_sql("PRAGMA integrity_check(3)").scalars().all()
    if told != ["ok"]:
        found.append("Berkas basis data rusak (integrity_check).")
    stray = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchone()
    if stray:
        found.append(f"Tabel {stray[0]} menunjuk ke baris yang tidak ada.")
    return found


def trail_problems(
    connection: Connection, before: Manifest | None, *, all_of_it: bool
) -> list[str]:
    """Whether the audit trail goes on from where the last backup's ended, whole to its end."""
    since = before.audit_seq if before else 0
    anew = audit.begun_anew(connection)
    is_behind = anew is not None and since < anew["seq"]  # of the other key, pinned as it was then
    if before and not is_behind and _hash_at(connection, since) != before.audit_hash:
        return [f"Jejak audit berbeda dari cadangan sebelumnya di catatan {since}."]
    broken = audit.broken_link(0 if all_of_it else since, connection)
    counted = connection.scalar(text("SELECT value FROM counter WHERE name = 'audit'")) or 0
    newest = connection.scalar(text("SELECT max(seq) FROM audit_entry")) or 0
    if broken is None and counted != newest:
        broken = newest + 1
    return [f"Jejak audit putus di catatan {broken}."] if broken else []


def _hash_at(connection: Connection, seq: int) -> str:
    found = text("SELECT hash FROM audit_entry WHERE seq = :seq")
    return connection.scalar(found, {"seq": seq}) or ("" if seq else audit.GENESIS)


def row_digests(
    connection: Connection, before: Manifest | None
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Digests of what never changes, and the tables where an earlier digest doesn't fit."""
    found, changed = {}, []
    for table, columns in NEVER_CHANGED.items():
        last = (before.tables if before else {}).get(table)
        if last and last.get("columns") != columns:
            last = None  # told by another release
        found[table], fits = _digest(connection, table, columns, last)
        if not fits:
            changed.append(f"Baris lama di tabel {table} berubah atau hilang sejak cadangan lalu.")
    return found, changed


def _digest(
    connection: Connection, table: str, columns: str, last: dict[str, Any] | None
) -> tuple[dict[str, Any], bool]:
    """One pass: the digest up to the last backup's row on the way, then the rest."""
    until = last["until"] if last else 0
    fits, digest, count, newest = not until, hashlib.sha256(), 0, 0
    rows = connection.exec_driver_sql(
        f"SELECT {columns} FROM {table} ORDER BY id",  # noqa: S608  from the list above
        execution_options={"yield_per": 1000},
    )
    place = list(rows.keys()).index("id")
    for part in rows.partitions():
        for row in part:
            if not fits and row[place] > until:
                break
            newest, count = row[place], count + 1
            digest.update(repr(tuple(row)).encode())
            if newest == until:
                fits = digest.hexdigest() == last["sha256"] and count == last["rows"]
                if not fits:
                    break
        else:
            continue
        rows.close()
        return last, False
    told = {"columns": columns, "until": newest, "rows": count, "sha256": digest.hexdigest()}
    return told, fits


def sample(connection: Connection) -> dict[str, str]:
    """Some patients by chance, each with a digest of person, visits and examinations."""
    newest = connection.scalar(text("SELECT max(id) FROM patient")) or 0
    ids = random.sample(range(1, newest + 1), min(SAMPLE, newest))
    marks = ", ".join(map(str, ids)) or "NULL"
    refs = connection.scalars(text(f"SELECT public_id FROM patient WHERE id IN ({marks})"))  # noqa: S608
    return {ref: person_digest(connection, ref) for ref in refs.all()}


def person_digest(connection: Connection, ref: str) -> str:
    """Of one patient's rows, whatever their columns are."""
    digest = hashlib.sha256()
    for statement in _PERSON:
        rows = connection.execute(text(statement), {"ref": ref})
        names = list(rows.keys())
        for row in rows:
            digest.update(repr(sorted(zip(names, map(repr, row), strict=True))).encode())
    return digest.hexdigest()


def different_people(connection: Connection, manifest: Manifest) -> list[str]:
    """Which patients of the manifest's sample are not as they were."""
    return [
        ref for ref, digest in manifest.sample.items() if person_digest(connection, ref) != digest
    ]
