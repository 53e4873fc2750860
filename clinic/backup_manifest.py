"""What a backup's file says of itself, in clear and signed: two lines before its payload.

    ALUR-CADANGAN 1
    {"clinic": ..., "taken_at": ..., "patients": ..., "sha256": ..., "signature": ...}

No patient is in it, so a list of backups needs no key. Without Alur, the payload (from the third
line on) is opened by `age -d`, `zstd -d` and `tar`.
"""

import hmac
import json
import os
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from clinic.disk_errors import disk_error_text

MAGIC = b"ALUR-CADANGAN 1\n"
LONGEST = 256 * 1024
SUFFIX = ".alur"


class BackupProblem(Exception):
    """A backup that can't be made or used; the sentence is for the head and the operator."""


@dataclass(frozen=True)
class Manifest:
    """Figures and digests of one snapshot."""

    clinic: str
    clinic_ref: str
    kind: str
    taken_at: str  # ISO, UTC
    engine: str
    revision: str  # of the schema
    epoch: str
    patients: int
    visits: int
    newest_visit_at: str
    audit_seq: int
    audit_hash: str
    size: int  # of the database, unpacked
    sha256: str
    key_sha256: str = ""  # of the audit trail's key, which goes along
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    sample: dict[str, str] = field(default_factory=dict)  # public_id of a patient -> digest
    recipients: list[str] = field(default_factory=list)  # the clinic's key first
    problems: list[str] = field(default_factory=list)
    signature: str = ""

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.taken_at)

    def signed(self, key: bytes) -> "Manifest":
        """The same with its signature."""
        return Manifest(**{**asdict(self), "signature": self._digest(key)})

    def is_signed_by(self, key: bytes) -> bool:
        """Whether whoever made it had this key."""
        return bool(key) and hmac.compare_digest(self.signature, self._digest(key))

    def _digest(self, key: bytes) -> str:
        content = {**asdict(self), "signature": ""}
        line = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hmac.new(key, line.encode(), "sha256").hexdigest()

    def head(self) -> bytes:
        """The lines before the payload."""
        return MAGIC + json.dumps(asdict(self), sort_keys=True).encode() + b"\n"


def read_head(file: IO[bytes]) -> Manifest:
    """The manifest, with the file left at its payload. Raises BackupProblem."""
    if file.readline(len(MAGIC)) != MAGIC:
        raise BackupProblem("Berkas ini bukan cadangan Alur.")
    line = file.readline(LONGEST)
    try:
        if not line.endswith(b"\n"):
            raise ValueError("cut off, or too long")
        return _checked(json.loads(line))
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise BackupProblem("Keterangan di awal berkas cadangan ini rusak.") from problem


def _checked(told: dict[str, Any]) -> Manifest:
    manifest = Manifest(**told)
    for one in fields(Manifest):
        kind = type(getattr(manifest, one.name))
        if kind.__name__ != getattr(one.type, "__name__", one.type).partition("[")[0]:
            raise TypeError(one.name)
    if manifest.at.tzinfo is None or manifest.size < 0 or len(manifest.sha256) != 64:
        raise ValueError("impossible figures")
    return manifest


def read(path: Path) -> Manifest:
    """The manifest of a file. Raises BackupProblem."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return read_head(file)
    except OSError as problem:
        raise BackupProblem(f"Berkas tidak terbaca: {disk_error_text(problem)}.") from problem


def file_name(at: datetime) -> str:
    """How the backup of this instant is called everywhere."""
    return f"cadangan-{at:%Y%m%dT%H%M%SZ}{SUFFIX}"


def moment_of(name: str) -> datetime | None:
    """The instant in a backup's name; None for another file."""
    try:
        return datetime.strptime(f"{name}+0000", f"cadangan-%Y%m%dT%H%M%SZ{SUFFIX}%z")
    except ValueError:
        return None
