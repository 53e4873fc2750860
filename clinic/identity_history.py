"""What a patient's identity was before: versions, and the names and numbers of former days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic import audit
from clinic.names import fold
from db import db, utcnow
from models import AliasKind, Patient, PatientAlias, PatientVersion, User


def keep_version(actor: audit.Actor, patient: Patient, before: dict[str, Any], reason: str) -> None:
    """Keep how the changed fields stood; call it before they change."""
    plain = {name: v.isoformat() if isinstance(v, date) else v for name, v in before.items()}
    db.session.add(
        PatientVersion(
            patient_id=patient.id,
            version=patient.version,
            before=plain,
            reason=reason[:300],
            changed_by_id=actor.user_id,
        )
    )


@dataclass(frozen=True)
class Change:
    """One change: the whole identity before and after, and which fields of it differ."""

    at: datetime
    author: str  # '' for the system
    reason: str
    fields: frozenset[str]
    before: dict[str, Any]
    after: dict[str, Any]


def changes(patient: Patient, present: dict[str, Any], most: int) -> list[Change]:
    """How the identity came to be the present one, the newest change first; one query."""
    versions = (
        select(PatientVersion, User.display_name)
        .outerjoin(User, User.id == PatientVersion.changed_by_id)
        .where(PatientVersion.patient_id == patient.id)
        .order_by(PatientVersion.version.desc())
        .limit(most)
    )
    found, after = [], dict(present)
    for row, author in db.session.execute(versions):
        kept = dict(row.before)
        if kept.get("birth_date"):
            kept["birth_date"] = date.fromisoformat(kept["birth_date"])
        before = after | kept
        names = frozenset(kept)
        found.append(Change(row.changed_at, author or "", row.reason, names, before, after))
        after = before
    return found


def nik_held_since(patient: Patient) -> datetime:
    """The instant from which the patient has had the NIK of today."""
    versions = select(PatientVersion).where(PatientVersion.patient_id == patient.id)
    changes = [row.changed_at for row in db.session.scalars(versions) if "nik" in row.before]
    return max([patient.registered_at, *changes])


def keep_alias(patient: Patient, kind: AliasKind, old: str | None, new: str | None) -> None:
    """Go on finding the patient by `old`; what is the present value again is no alias any more.

    What came with another record by a merge is left alone: an undo gives it back as it stood.
    """
    active = [alias for alias in own_aliases(patient) if alias.kind == kind]
    for alias in active:
        if new and fold(alias.value) == fold(new):
            alias.ended_at = utcnow()
    if old and old not in {alias.value for alias in active}:
        _add_alias(patient, patient, kind, old)


def own_aliases(patient: Patient) -> list[PatientAlias]:
    """The active aliases that tell what the patient's own record said in former days."""
    return _active_aliases(patient, patient)


def forget_alias(
    patient: Patient, kind: AliasKind, value: str | None, ended: Sequence[int]
) -> None:
    """`value` was never theirs: a merge gave it. The aliases that this `ended` hold again."""
    for alias in own_aliases(patient):
        if value and alias.kind == kind and fold(alias.value) == fold(value):
            alias.ended_at = utcnow()
    db.session.flush()
    present = fold(getattr(patient, kind.value) or "")
    rows = select(PatientAlias).where(PatientAlias.id.in_(ended))
    for alias in db.session.scalars(rows):
        if fold(alias.value) != present:
            alias.ended_at = None


def bring_aliases(survivor: Patient, loser: Patient) -> None:
    """Find the survivor by the loser's MRN, and by its name and NIK where they differ."""
    values = [(AliasKind.MRN, loser.mrn)]
    if fold(loser.name) != fold(survivor.name):
        values.append((AliasKind.NAME, loser.name))
    if loser.nik and loser.nik != survivor.nik:
        values.append((AliasKind.NIK, loser.nik))
    known = {(alias.kind, alias.value) for alias in _active_aliases(survivor, loser)}
    for kind, value in values:
        if (kind, value) not in known:
            _add_alias(survivor, loser, kind, value)


def end_brought_aliases(survivor: Patient, loser: Patient) -> None:
    """The survivor isn't found any more by what stood on the loser's record."""
    for alias in _active_aliases(survivor, loser):
        alias.ended_at = utcnow()


def _active_aliases(holder: Patient, original: Patient) -> list[PatientAlias]:
    rows = select(PatientAlias).where(
        PatientAlias.patient_id == holder.id,
        PatientAlias.original_patient_id == original.id,
        PatientAlias.ended_at.is_(None),
    )
    return list(db.session.scalars(rows.order_by(PatientAlias.id)))


def _add_alias(holder: Patient, original: Patient, kind: AliasKind, value: str) -> None:
    db.session.add(
        PatientAlias(patient_id=holder.id, original_patient_id=original.id, kind=kind, value=value)
    )
