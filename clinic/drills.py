"""Drills: a backup that was never restored is a hope. Each night one is, aside, and read."""

import hmac
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic import (
    audit,
    backup_keys,
    backup_making,
    backup_manifest,
    backup_places,
    backups,
    restoring,
    settings,
    side_work,
)
from clinic.backup_manifest import BackupProblem, Manifest
from clinic.restore_reading import Trust
from db import db
from models import Backup, Drill, DrillKind

MARK = "drill"
NIGHT_FROM, NIGHT_UNTIL = 19, 6  # clinic time; a server that is off then drills when it is on
EVERY, LATEST = timedelta(hours=20), timedelta(hours=30)
TOO_OLD = timedelta(hours=48)
PAPER_TOO_OLD = timedelta(days=35)
AFTER_FAILURE = timedelta(hours=1)


@dataclass
class Found:
    """What a drill showed; good when there is no problem."""

    name: str
    kind: DrillKind = DrillKind.NIGHTLY
    patients: int = 0
    copies: int = 0
    problems: list[str] = field(default_factory=list)


def last(kind: DrillKind, *, good: bool = False) -> Drill | None:
    """The newest drill of this kind; with `good` the newest that went well."""
    found = select(Drill).where(Drill.kind == kind).order_by(Drill.at.desc()).limit(1)
    return db.session.scalar(found.where(Drill.is_good) if good else found)


def is_due(at: datetime) -> bool:
    """Whether the nightly drill should run now; at once where there was none yet."""
    if backups.newest() is None:
        return False
    latest = last(DrillKind.NIGHTLY)
    if latest is None:
        return True
    age = abs(at - latest.at)
    hour = at.astimezone(ZoneInfo(settings.value("time_zone"))).hour
    is_night = hour >= NIGHT_FROM or hour < NIGHT_UNTIL
    if not latest.is_good and age >= AFTER_FAILURE:
        return True
    return age >= LATEST or (age >= EVERY and is_night)


def nightly(data: Path) -> Found:
    """Restore the newest snapshot aside and read it; re-read the newest backup's copies."""
    backup = backups.newest()
    found = Found(backup.name if backup else "")
    folder = data / "tmp" / f"{backup_making.BEGINNING}drill"
    shutil.rmtree(folder, ignore_errors=True)
    trust = Trust(settings.value("clinic_ref"), backup_keys.own_signing_key(data / "keys"))
    db.session.rollback()
    url, source = db.engine.url, backup_making.newest_path(data)
    try:
        found.patients = restoring.check(url, MARK, folder, source, "", trust).compared
    except BackupProblem as problem:
        found.problems.append(str(problem))
    finally:
        restoring.discard(url, MARK, folder)
    if backup:
        _reread_copies(data, backup, found)
    return found


def _reread_copies(data: Path, backup: Backup, found: Found) -> None:
    name, digest = backup.name, backup.digest
    folders = {backups.DISK: data / "backups"}
    folders |= {place: backups.folder_at(place) for place in backups.places()}
    seconds = 60 + backup.size / (512 * 1024)
    for place, folder in folders.items():
        try:
            side_work.in_child(
                lambda folder=folder: backup_places.check_newest(folder, name, digest),
                seconds=seconds,
            )
            found.copies += 1
        except BackupProblem as problem:
            found.problems.append(f"{place}: {problem}")


def code(manifest: Manifest, signing: bytes) -> str:
    """Proof, in a few characters, that the card has opened exactly this backup."""
    proof = hmac.new(signing, f"drill {manifest.signature}".encode(), "sha256").digest()
    return "".join(backup_keys.CHARSET[byte % 32] for byte in proof[:8]).upper()


def told_by_code(data: Path, typed: str) -> Found | None:
    """The drill on another machine that gave this code; None when it fits no backup here."""
    signing = backup_keys.own_signing_key(data / "keys")
    plain = "".join(typed.split()).upper()
    for path in sorted((data / "backups").glob("cadangan-*.alur"), reverse=True):
        try:
            manifest = backup_manifest.read(path)
        except BackupProblem:
            continue
        if hmac.compare_digest(code(manifest, signing), plain):
            return Found(path.name, DrillKind.PAPER, len(manifest.sample))
    return None


def keep(actor: audit.Actor, found: Found) -> Drill:
    """Store what a drill showed."""
    row = Drill(
        kind=found.kind,
        by_id=actor.user_id,
        name=found.name,
        is_good=not found.problems,
        patients=found.patients,
        copies=found.copies,
        problem=" ".join(found.problems)[:500],
    )
    db.session.add(row)
    db.session.flush()
    outcome = "berhasil" if row.is_good else "gagal"
    ref = {"object_type": "drill", "object_ref": row.public_id}
    audit.record(actor, "drill_backup", details=outcome, **ref)
    return row
