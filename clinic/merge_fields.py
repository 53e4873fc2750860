"""Which of two records each field is taken from, and how a merge's undo puts the fields back."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from typing import Any, Literal

from sqlalchemy import select

from clinic import audit, identity_history, patients, rebase
from clinic.patients import Identity, identity_of
from db import db
from models import AliasKind, DatePrecision, NoNikReason, Patient, PatientMerge

Side = Literal["survivor", "loser"]
NAMES = tuple(field.name for field in fields(Identity))
ALIASED = {"name": AliasKind.NAME, "nik": AliasKind.NIK}
BESIDE = ("ihs_number",)  # picked like a field, though no form has it: the exchange fills it
FLAG = "is_nik_disputed"  # no field of a form, but a merge settles it

# What only means something beside another field comes from the same record as that.
FOLLOWS = {
    "is_nik_as_printed": "nik",
    "no_nik_reason": "nik",
    "birth_precision": "birth_date",
    "phone_owner": "phone",
    "is_unknown": "name",
}
# Put back together or not at all.
TOGETHER = (*rebase.TOGETHER, ("name", "is_unknown"))
_GROUP_OF = {name: group[0] for group in TOGETHER for name in group} | {FLAG: "nik"}

_PARSERS = {
    "birth_date": date.fromisoformat,
    "birth_precision": DatePrecision,
    "no_nik_reason": NoNikReason,
}


class MergeError(Exception):
    """A merge or its undo that is refused, with a sentence for the records staff."""


def chosen(survivor: Patient, loser: Patient, picked: Mapping[str, Side]) -> Identity:
    """The survivor's identity with the fields picked from the loser. Raises MergeError."""
    unknown = set(picked) - {*NAMES, *BESIDE}
    if unknown or not set(picked.values()) <= {"survivor", "loser"}:
        raise MergeError(f"Pilihan isian tidak dikenal: {', '.join(sorted(unknown)) or 'sisi'}.")
    led = {name: picked[leader] for name, leader in FOLLOWS.items() if leader in picked}
    own, other = identity_of(survivor), identity_of(loser)
    sides = {**picked, **led}
    taken = [name for name in NAMES if sides.get(name) == "loser"]
    identity = replace(own, **{name: getattr(other, name) for name in taken})
    if identity.nik and "nik" in taken:
        return replace(identity, no_nik_reason=None)
    # Without a NIK there must be a reason, with one there is none to be taken over.
    reason = own.no_nik_reason if identity.nik else identity.no_nik_reason or own.no_nik_reason
    return replace(identity, no_nik_reason=reason)


def changes(before: Identity, after: Identity) -> dict[str, dict[str, Any]]:
    """The fields that differ, as PatientMerge keeps them: plain values before and after."""
    stood = {
        name: (rebase.plain(getattr(before, name)), rebase.plain(getattr(after, name)))
        for name in NAMES
    }
    return {name: {"before": b, "after": a} for name, (b, a) in stood.items() if b != a}


def put_back(
    present: Identity, changed: Mapping[str, Mapping[str, Any]]
) -> tuple[Identity, list[str]]:
    """The identity as before the merge, and the names of fields that stay.

    What was changed again since stays, with the fields that belong to it.
    """
    values, kept = {}, []
    for names in _grouped(changed):
        stands = {name: rebase.plain(getattr(present, name)) for name in names}
        if all(stands[name] == changed[name]["after"] for name in names):
            values |= {name: _parsed(name, changed[name]["before"]) for name in names}
        else:
            kept += [name for name in names if stands[name] != changed[name]["before"]]
    return replace(present, **values), kept


def touch_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two merges changed the same field, or fields that belong together."""
    first, second = ({_GROUP_OF.get(name, name) for name in changed} for changed in (one, other))
    return bool(first & second)


# Writing


def take(
    actor: audit.Actor, survivor: Patient, loser: Patient, identity: Identity, reason: str
) -> dict[str, dict]:
    """Correct the survivor as any correction does; returns what it changed."""
    own, flag = identity_of(survivor), survivor.is_nik_disputed
    changed = changes(own, identity)
    former = identity_history.own_aliases(survivor)
    why = f"Digabung dengan No. RM {loser.mrn}: {reason}"
    # A number that is taken over comes as it is, with the doubt about it.
    patients.update(actor, survivor, identity, why, nik_disputed=loser.is_nik_disputed)
    if own.nik and own.nik == loser.nik:
        survivor.is_nik_disputed = flag and loser.is_nik_disputed
        db.session.flush()
    for name in ALIASED.keys() & changed.keys():
        ended = [alias.id for alias in former if alias.kind == ALIASED[name] and alias.ended_at]
        changed[name]["ended_aliases"] = ended
    if survivor.is_nik_disputed != flag:
        changed[FLAG] = {"before": flag, "after": survivor.is_nik_disputed}
    return changed


def take_beside(
    survivor: Patient, loser: Patient, picked: Mapping[str, Side]
) -> dict[str, dict[str, Any]]:
    """Take over what was picked of the columns that no form has; returns what it changed."""
    changed = {}
    for name in BESIDE:
        before, after = getattr(survivor, name), getattr(loser, name)
        if picked.get(name) == "loser" and before != after:
            changed[name] = {"before": before, "after": after}
            setattr(survivor, name, after)
    db.session.flush()
    return changed


def give_back(actor: audit.Actor, merge: PatientMerge, reason: str) -> list[str]:
    """Correct the survivor to what it said before the merge; returns the fields that stay."""
    survivor, changed = merge.survivor, merge.fields
    present = identity_of(survivor)
    identity, kept = put_back(present, changed)
    flag = changed.get(FLAG, {"before": survivor.is_nik_disputed})["before"]
    # While they were one, the number may have been given to somebody else.
    disputed = flag or is_owned(identity.nik, survivor)
    why = f"Penggabungan dengan No. RM {merge.loser.mrn} diurungkan: {reason}"
    patients.update(actor, survivor, identity, why, nik_disputed=disputed)
    if "nik" not in changed and FLAG in changed and survivor.nik == merge.loser.nik:
        survivor.is_nik_disputed = flag
    for name in ALIASED.keys() & changed.keys():
        value, ended = changed[name]["after"], changed[name]["ended_aliases"]
        identity_history.forget_alias(survivor, ALIASED[name], value, ended)
    kept += _give_back_beside(survivor, changed)
    db.session.flush()
    return kept


def _give_back_beside(survivor: Patient, changed: Mapping[str, Mapping[str, Any]]) -> list[str]:
    kept = []
    for name in changed.keys() & set(BESIDE):
        before, after = changed[name]["before"], changed[name]["after"]
        if getattr(survivor, name) == after:
            setattr(survivor, name, before)
        elif getattr(survivor, name) != before:
            kept.append(name)
    return kept


def is_owned(nik: str | None, patient: Patient) -> bool:
    """Whether somebody else has this NIK, undisputed."""
    if nik is None:
        return False
    owner = select(Patient.id).where(
        Patient.nik == nik,
        Patient.id != patient.id,
        Patient.merged_into_id.is_(None),
        ~Patient.is_nik_disputed,
        Patient.is_active,
    )
    return db.session.scalar(owner.limit(1)) is not None


# In pieces


def _grouped(changed: Mapping[str, Any]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name in NAMES:
        if name in changed:
            groups.setdefault(_GROUP_OF.get(name, name), []).append(name)
    return list(groups.values())


def _parsed(name: str, value: Any) -> Any:
    if name == "address":
        return value or ""
    return _PARSERS.get(name, lambda same: same)(value) if value is not None else None
