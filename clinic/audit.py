"""The audit trail: who did what, when, on whose record. Written in the change's transaction.

Each entry's hash is an HMAC over the entry before and its own content, with a key that is kept
outside the database: whoever edits the file can't make the chain whole again.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.orm import Session

from db import Base, db, run, utcnow
from models import AuditEntry, Patient, Visit

GENESIS = "0" * 64
_key: dict[str, bytes] = {}

# The next number and the hash that it follows on. The counter's row lock also keeps the chain in
# line on PostgreSQL.
_NEXT_LINK = text(
    "INSERT INTO counter (name, value) VALUES ('audit', 1)"
    " ON CONFLICT (name) DO UPDATE SET value = counter.value + 1"
    " RETURNING value, (SELECT hash FROM audit_entry WHERE seq = counter.value - 1)"
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


def use_key(key: bytes) -> None:
    """Set the chain's key; called once, at start."""
    _key["audit"] = key


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

    Looks at the clinic's database, or at a copy of it by its connection.
    """
    source = source or db.session()
    before = source.scalar(select(AuditEntry.hash).where(AuditEntry.seq == since)) or GENESIS
    expected = since + 1
    rows = select(AuditEntry.__table__).where(AuditEntry.seq > since).order_by(AuditEntry.seq)
    rows = rows.limit(most).execution_options(yield_per=1000)
    for entry in source.execute(rows).mappings():
        if entry["seq"] != expected or not _fits(before, entry):
            return expected
        before, expected = entry["hash"], expected + 1
    return None


def _fits(before: str, entry: Mapping[str, Any]) -> bool:
    return hmac.compare_digest(entry["hash"], _digest(before, entry))


def _digest(before: str, entry: Mapping[str, Any]) -> str:
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
    line = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hmac.new(_key["audit"], line.encode(), "sha256").hexdigest()


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
