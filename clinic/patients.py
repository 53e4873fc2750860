"""Who the patient is: registering, correcting, looking up."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import joinedload

from clinic import audit, identity_history, lab_rejudging, mrn, name_index, visit_snapshot
from clinic.names import fold
from db import add_row, db, run
from formatting import age_text
from models import (
    AliasKind,
    DatePrecision,
    Household,
    NoNikReason,
    Patient,
    PatientToken,
    Visit,
    VisitStatus,
)

CHUNK = 500


@dataclass(frozen=True)
class Identity:
    """What a form says about a person, every field cleaned; unknown is None or empty."""

    name: str
    sex: str
    birth_date: date | None = None
    birth_precision: DatePrecision = DatePrecision.DAY
    nik: str | None = None
    is_nik_as_printed: bool = False
    no_nik_reason: NoNikReason | None = None
    no_nik_note: str | None = None
    mother_nik: str | None = None
    birth_order: int | None = None
    mother_name: str | None = None
    passport_no: str | None = None
    bpjs_number: str | None = None
    kk_number: str | None = None
    address: str = ""
    village: str | None = None
    rt: str | None = None
    rw: str | None = None
    phone: str | None = None
    phone_owner: str | None = None
    payer: str = "UMUM"
    is_unknown: bool = False


COLUMNS = tuple(field.name for field in fields(Identity) if field.name != "kk_number")
FILLED_ALONE = (
    *(
        "no_nik_note",
        "mother_nik",
        "birth_order",
        "mother_name",
        "passport_no",
        "bpjs_number",
        "kk_number",
    ),
    *("address", "village", "rt", "rw", "phone"),
)


# Statements of every save are built once: building one costs more than its query.
_NIK_HOLDERS = (
    select(Patient)
    .where(Patient.nik == bindparam("nik"))
    .order_by(Patient.is_nik_disputed, Patient.merged_into_id.is_not(None), Patient.id)
)
_ANY_NIK_HOLDER = select(Patient.id).where(Patient.nik == bindparam("nik")).limit(1)


class NikTaken(Exception):
    """Somebody else has this NIK: `patient`."""

    def __init__(self, patient: Patient) -> None:
        super().__init__("NIK sudah dipakai pasien lain.")
        self.patient = patient


def create(actor: audit.Actor, identity: Identity, *, nik_disputed: bool = False) -> Patient:
    """Register a person under the next MRN. Raises NikTaken, unless the NIK is disputed."""
    if identity.nik and not nik_disputed:
        _refuse_taken(identity.nik)
    patient = Patient(is_nik_disputed=nik_disputed, registered_by_id=actor.user_id)
    _apply(patient, identity)
    patient.mrn = mrn.next_mrn(patient.household, identity.village)
    name_index.fill(add_row(patient))
    audit.record(actor, "create_patient", patient)
    return patient


def create_many(actor: audit.Actor, identities: Sequence[Identity]) -> list[Patient]:
    """Register many at once for demo data and imports: no look at the NIK, one audit entry."""
    created: list[Patient] = []
    for start in range(0, len(identities), CHUNK):
        created += _create_chunk(actor, identities[start : start + CHUNK])
    audit.record(actor, "create_patients", object_type="patient", details=str(len(created)))
    return created


def update(
    actor: audit.Actor,
    patient: Patient,
    identity: Identity,
    reason: str,
    *,
    nik_disputed: bool = False,
) -> bool:
    """Make the patient exactly what `identity` says; False when that changes nothing.

    Keeps the state before as a PatientVersion, a former name or NIK as an alias. Raises NikTaken
    for a new NIK of somebody else, unless it is disputed, and StaleDataError.
    """
    before = _tidy(identity_of(patient))
    changed = [name for name, value in _tidy(identity).items() if value != before[name]]
    if not changed:
        return False
    if "nik" in changed and identity.nik and not nik_disputed:
        _refuse_taken(identity.nik)
    identity_history.keep_version(actor, patient, {name: before[name] for name in changed}, reason)
    if "name" in changed and fold(before["name"]) != fold(identity.name):
        identity_history.keep_alias(patient, AliasKind.NAME, before["name"], identity.name)
    if "nik" in changed:
        identity_history.keep_alias(patient, AliasKind.NIK, before["nik"], identity.nik)
    _apply(patient, identity)
    if "nik" in changed:
        patient.is_nik_disputed = nik_disputed
    db.session.flush()
    name_index.refresh(patient)
    if "birth_date" in changed:
        visit_snapshot.age_anew(patient)
    if {"sex", "birth_date"} & set(changed):
        lab_rejudging.of_patient(actor, patient, before, f"Identitas dibetulkan: {reason}")
    audit.record(actor, "update_patient", patient, reason=reason, details=" ".join(changed))
    return True


# Reading


def identity_of(patient: Patient) -> Identity:
    """The identity as it is stored."""
    kept = {name: getattr(patient, name) for name in COLUMNS}
    household = patient.household
    return Identity(**kept, kk_number=household.kk_number if household else None)


def by_ref(public_id: str) -> Patient | None:
    """The patient of this public id, merged or not."""
    return db.session.scalar(select(Patient).where(Patient.public_id == public_id))


def by_nik(nik: str) -> Patient | None:
    """Who has this NIK now: its owner before somebody whose claim to it is disputed."""
    if run(_ANY_NIK_HOLDER, {"nik": nik}).first() is None:
        return None  # as for most who are new
    found = (current(patient) for patient in db.session.scalars(_NIK_HOLDERS, {"nik": nik}))
    return next((patient for patient in found if patient.is_active), None)


def current(patient: Patient) -> Patient:
    """The patient, or the one it was merged into."""
    while patient.merged_into_id is not None:
        patient = db.session.get_one(Patient, patient.merged_into_id)
    return patient


def household_members(patient: Patient) -> list[Patient]:
    """The others on the same family card, oldest first."""
    if patient.household_id is None:
        return []
    members = (
        select(Patient)
        .options(joinedload(Patient.household))
        .where(
            Patient.household_id == patient.household_id,
            Patient.id != patient.id,
            Patient.merged_into_id.is_(None),
            Patient.is_active,
        )
        .order_by(Patient.birth_date, Patient.id)
    )
    return list(db.session.scalars(members))


# Writing, in pieces


def _tidy(identity: Identity) -> dict[str, Any]:
    """The fields as they are stored: nothing known is NULL, only an address may be empty."""
    values = vars(identity).items()
    return {name: None if v == "" and name != "address" else v for name, v in values}


def _columns(identity: Identity) -> dict[str, Any]:
    values = _tidy(identity) | {"name_key": name_index.name_key(identity.name)}
    values["birth_precision"] = DatePrecision(identity.birth_precision)
    del values["kk_number"]
    return values


def _apply(patient: Patient, identity: Identity) -> None:
    # First, because it queries: a query would flush a patient that is half changed.
    household = _household(identity.kk_number)
    for name, value in _columns(identity).items():
        setattr(patient, name, value)
    patient.household = household


def _household(kk_number: str | None) -> Household | None:
    if not kk_number:
        return None
    known = db.session.scalar(_HOUSEHOLD, {"kk": kk_number})
    return known or add_row(Household(kk_number=kk_number))


_HOUSEHOLD = select(Household).where(Household.kk_number == bindparam("kk"))
_NIK_OWNER = select(Patient.id).where(
    Patient.nik == bindparam("nik"),
    Patient.merged_into_id.is_(None),
    ~Patient.is_nik_disputed,
    Patient.is_active,
)


def _refuse_taken(nik: str) -> None:
    """Nobody can take the NIK after this look: `transaction()` lets in one writer at a time."""
    owner_id = run(_NIK_OWNER, {"nik": nik}).scalar()
    if owner_id is not None:
        raise NikTaken(db.session.get_one(Patient, owner_id))


def _create_chunk(actor: audit.Actor, identities: Sequence[Identity]) -> list[Patient]:
    households = _households({one.kk_number for one in identities if one.kk_number})
    rows = [
        _columns(identity)
        | {
            "mrn": mrn.next_mrn(household, identity.village),
            "household_id": household.id if household else None,
            "registered_by_id": actor.user_id,
        }
        for identity in identities
        for household in (households.get(identity.kk_number),)
    ]
    adding = insert(Patient).returning(Patient, sort_by_parameter_order=True)
    created = list(db.session.scalars(adding, rows))
    tokens = [row for new in created for row in name_index.token_rows(new)]
    if tokens:
        db.session.execute(insert(PatientToken), tokens)
    return created


def _households(kk_numbers: set[str]) -> dict[str | None, Household]:
    families = select(Household).where(Household.kk_number.in_(kk_numbers))
    known = {family.kk_number: family for family in db.session.scalars(families)}
    missing = [{"kk_number": number} for number in sorted(kk_numbers - known.keys())]
    if missing:
        db.session.execute(insert(Household), missing)
        known = {family.kk_number: family for family in db.session.scalars(families)}
    return known


def estimated_age(patient: Patient | Identity, today: date) -> str:
    """The age of a patient whose birth date is an estimate, as the form shows it."""
    if patient.birth_date is None or patient.birth_precision == DatePrecision.DAY:
        return ""
    return age_text(patient.birth_date, today)


def last_bpjs_home(patient: Patient) -> str:
    """Where a JKN member was registered at the last visit that knows: sini, lain, or empty."""
    knows = (Visit.patient_id == patient.id, Visit.bpjs_home != "")
    standing = Visit.status != VisitStatus.CANCELLED
    newest = select(Visit.bpjs_home).where(*knows, standing).order_by(Visit.id.desc()).limit(1)
    return db.session.scalar(newest) or ""
