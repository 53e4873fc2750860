"""The audit trail: who did what, when, on whose record. Written in the change's transaction.

Each entry's hash is an HMAC over the entry before and its own content, with a key that is kept
outside the database: whoever edits the file can't make the chain whole again.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.orm import Session

from db import Base, db, run, utcnow
from models import AuditEntry, Counter, Patient, Visit

GENESIS = "0" * 64
BEGUN_ANEW = "begin_trail_anew"
ANEW = "audit_anew"  # the counter that says at which entry, as in `_NOTE_ANEW`
_key: dict[str, bytes | None] = {"audit": None}

# The next number and the hash that it follows on: nobody else writes meanwhile (db.transaction).
_NEXT_LINK = text(
    "INSERT INTO counter (name, value) VALUES ('audit', 1)"
    " ON CONFLICT (name) DO UPDATE SET value = counter.value + 1"
    " RETURNING value, (SELECT hash FROM audit_entry WHERE seq = counter.value - 1)"
)
_NOTE_ANEW = text(
    "INSERT INTO counter (name, value) VALUES ('audit_anew', :seq)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
# Straight into the table: nobody needs the object, and a flush costs four times as much.
_ADD = insert(AuditEntry.__table__)


@dataclass(frozen=True)
class Actor:
    """Who acts: an account at a device, or the system itself (`user_id` None)."""

    user_id: int | None
    role: str
    device: str = ""


SYSTEM = Actor(None, "system", "system")
# What the trail calls a row of these tables, and by which column; others: the table, `public_id`.
OBJECTS = {
    "user_account": ("user", "public_id"),
    "poli": ("poli", "code"),
    "routing_rule": ("rule", "rule"),
    "complaint_term": ("term", "id"),
    "village": ("village", "id"),
    "action_term": ("action_term", "id"),
    "lab_test": ("lab_test", "id"),
    "medicine": ("medicine", "id"),
    "patient_merge": ("merge", "public_id"),
    "suspected_pair": ("pair", "public_id"),
    "import_batch": ("import", "public_id"),
    "report_lock": ("report", "public_id"),
    "day_recap": ("report", "public_id"),
}


class NoKey(RuntimeError):
    """The chain's key is not there: nothing can be written (`trail_key` says what to do)."""


def use_key(key: bytes | None) -> None:
    """Set the chain's key; called once, at start."""
    _key["audit"] = key


def has_key() -> bool:
    return _key["audit"] is not None


def record(
    actor: Actor,
    action: str,
    row: Base | None = None,
    *,
    object_type: str = "",
    object_ref: str = "",
    patient_ref: str = "",
    reason: str = "",
    details: str = "",
) -> None:
    """Append one entry. Refs are public ids; `details` holds neither NIK nor clinical text.

    What it is about is the row, with its visit's patient; or it is told by type and ref.
    """
    if row is not None:
        object_type, object_ref = _name_of(row)
        patient_ref = patient_ref or _patient_of(row)
    seq, before = run(_NEXT_LINK).one()
    entry = {
        "seq": seq,
        "at": utcnow(),
        "user_id": actor.user_id,
        "device": actor.device[:80],
        "action": action,
        "object_type": object_type,
        "object_ref": object_ref,
        "patient_ref": patient_ref,
        "reason": reason[:300],
        "details": details[:300],
    }
    run(_ADD, entry | {"hash": _digest(before or GENESIS, entry)})


def _name_of(row: Base) -> tuple[str, str]:
    kind, column = OBJECTS.get(row.__tablename__, (row.__tablename__, "public_id"))
    return kind, str(getattr(row, column))


def _patient_of(row: Base) -> str:
    if isinstance(row, Patient):
        return row.public_id
    visit = row if isinstance(row, Visit) else getattr(row, "visit", None)
    return visit.patient.public_id if visit else ""


def broken_link(
    since: int = 0, source: Session | Connection | None = None, most: int | None = None
) -> int | None:
    """The `seq` of the first entry that doesn't fit, of so many after `since`, or None.

    Looks at the clinic's database, or at a copy of it by its connection. Where the trail was begun
    anew, what stands before was of another key: it must be what it was then.
    """
    source = source or db.session()
    anew = begun_anew(source)
    if anew and since < anew["seq"] - 1:
        if since == 0 and not anew["details"].endswith(_content_until(anew["seq"], source)):
            return anew["seq"]
        since = anew["seq"] - 1
    before = source.scalar(select(AuditEntry.hash).where(AuditEntry.seq == since)) or GENESIS
    expected = since + 1
    rows = select(AuditEntry.__table__).where(AuditEntry.seq > since).order_by(AuditEntry.seq)
    rows = rows.limit(most).execution_options(yield_per=1000)
    for entry in source.execute(rows).mappings():
        if entry["seq"] != expected or not _fits(before, entry):
            return expected
        before, expected = entry["hash"], expected + 1
    return None


def begun_anew(source: Session | Connection | None = None) -> Mapping[str, Any] | None:
    """The entry at which the trail last began anew, if it was written with this key."""
    source = source or db.session()
    seq = source.scalar(select(Counter.value).where(Counter.name == ANEW))
    entry = _entry(source, seq) if seq else None
    is_one = entry is not None and entry["action"] == BEGUN_ANEW
    return entry if is_one and _fits(_hash_before(source, seq), entry) else None


def knows(entries: int, source: Session | Connection | None = None) -> bool:
    """Whether any of so many newest entries was written with this key."""
    source = source or db.session()
    newest = source.scalars(select(AuditEntry.seq).order_by(AuditEntry.seq.desc()).limit(entries))
    return any(_fits(_hash_before(source, seq), _entry(source, seq)) for seq in newest.all())


def begin_anew(actor: Actor, reason: str) -> None:
    """Go on after a break: one entry that says so, and pins all that stands before it.

    In the caller's transaction, with no other writer.
    """
    broken = broken_link()
    seq = (db.session.scalar(select(Counter.value).where(Counter.name == "audit")) or 0) + 1
    told = f"tidak cocok sejak catatan {broken}; sidik {_content_until(seq, db.session())}"
    record(actor, BEGUN_ANEW, reason=reason, details=told)
    run(_NOTE_ANEW, {"seq": seq})


def _entry(source: Session | Connection, seq: int) -> Mapping[str, Any] | None:
    found = source.execute(select(AuditEntry.__table__).where(AuditEntry.seq == seq))
    return found.mappings().first()


def _hash_before(source: Session | Connection, seq: int) -> str:
    return source.scalar(select(AuditEntry.hash).where(AuditEntry.seq == seq - 1)) or GENESIS


def _content_until(seq: int, source: Session | Connection) -> str:
    """SHA-256 over all entries before this one, whatever key they were written with."""
    rows = select(AuditEntry.__table__).where(AuditEntry.seq < seq).order_by(AuditEntry.seq)
    digest = hashlib.sha256()
    for entry in source.execute(rows.execution_options(yield_per=1000)).mappings():
        digest.update(_line(entry["hash"], entry))
    return digest.hexdigest()


def _fits(before: str, entry: Mapping[str, Any]) -> bool:
    return has_key() and hmac.compare_digest(entry["hash"], _digest(before, entry))


def _digest(before: str, entry: Mapping[str, Any]) -> str:
    if not has_key():
        raise NoKey
    return hmac.new(_key["audit"], _line(before, entry), "sha256").hexdigest()


def _line(before: str, entry: Mapping[str, Any]) -> bytes:
    content = [
        before,
        entry["seq"],
        _stamp(entry["at"]),
        entry["user_id"],
        entry["device"],
        entry["action"],
        entry["object_type"],
        entry["object_ref"],
        entry["patient_ref"],
        entry["reason"],
        entry["details"],
    ]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
