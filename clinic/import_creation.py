"""Makes patients of the rows that may become some, in the transaction of their chunk."""

import logging

from sqlalchemy import insert, select
from sqlalchemy.exc import DataError, IntegrityError

from clinic import audit, pairs, patients
from clinic.import_verdicts import Verdict
from db import db
from models import AliasKind, PairSource, PairState, Patient, PatientAlias, RowFate

_NIK_TAKEN = "NIK sudah dipakai pasien ini, nama berbeda atau baru didaftarkan"
_REFUSED = "Baris ini ditolak basis data; periksa isinya."

log = logging.getLogger("alur.imports")


def create_all(actor: audit.Actor, verdicts: list[Verdict]) -> int:
    """Create the new and the alike, and note whom these resemble; how many were created.

    The verdicts become what has happened: created, or broken where the database refused.
    """
    _dispute_taken(verdicts)
    created = _create(actor, [one for one in verdicts if one.creates])
    _keep_old_numbers(created, verdicts)
    for one in verdicts:
        if one.twin in created and one.patient_id is None:
            one.patient_id = created[one.twin].id
    _note_pairs(actor, verdicts, created)
    for one in verdicts:
        if one.parsed.number in created:
            one.fate, one.patient_id = RowFate.CREATED, created[one.parsed.number].id
    return len(created)


def _dispute_taken(verdicts: list[Verdict]) -> None:
    """A NIK that somebody was given since the look, or another row of these, is disputed."""
    claims = [one for one in verdicts if one.creates and one.parsed.identity.nik]
    niks = {one.parsed.identity.nik for one in claims}
    owners = select(Patient.nik, Patient.id).where(
        Patient.nik.in_(niks),
        Patient.is_active,
        Patient.merged_into_id.is_(None),
        ~Patient.is_nik_disputed,
    )
    taken: dict[str, int | None] = dict(db.session.execute(owners).tuples().all())
    for one in claims:
        nik = one.parsed.identity.nik
        if nik not in taken:
            if not one.is_disputed:
                taken[nik] = None
            continue
        if not one.is_disputed:
            one.is_disputed, one.fate, one.reason = True, RowFate.ALIKE, _NIK_TAKEN
            one.patient_id = one.patient_id or taken[nik]


def _create(actor: audit.Actor, verdicts: list[Verdict]) -> dict[int, Patient]:
    """The new patients by their row; a row that the database refuses breaks alone."""
    undisputed = [one for one in verdicts if not one.is_disputed]
    created: dict[int, Patient] = {}
    try:
        with db.session.begin_nested():
            made = patients.create_many(actor, [one.parsed.identity for one in undisputed])
        created = {
            one.parsed.number: patient for one, patient in zip(undisputed, made, strict=True)
        }
        rest = [one for one in verdicts if one.is_disputed]
    except (IntegrityError, DataError):
        log.exception("a row of an import was refused; each is tried alone")
        rest = verdicts
    for one in rest:
        try:
            with db.session.begin_nested():
                created[one.parsed.number] = patients.create(
                    actor, one.parsed.identity, nik_disputed=one.is_disputed
                )
        except (IntegrityError, DataError, patients.NikTaken):
            one.fate, one.reason, one.patient_id = RowFate.BROKEN, _REFUSED, None
    return created


def _keep_old_numbers(created: dict[int, Patient], verdicts: list[Verdict]) -> None:
    rows = [
        {
            "patient_id": created[one.parsed.number].id,
            "original_patient_id": created[one.parsed.number].id,
            "kind": AliasKind.MRN,
            "value": one.parsed.old_mrn,
        }
        for one in verdicts
        if one.parsed.number in created and one.parsed.old_mrn
    ]
    if rows:
        db.session.execute(insert(PatientAlias), rows)


def _note_pairs(actor: audit.Actor, verdicts: list[Verdict], created: dict[int, Patient]) -> None:
    for one in verdicts:
        patient = created.get(one.parsed.number)
        if one.fate != RowFate.ALIKE or patient is None or one.patient_id is None:
            continue
        other = db.session.get_one(Patient, one.patient_id)
        pairs.note(
            actor,
            other,
            patient,
            PairState.OPEN,
            source=PairSource.IMPORT,
            match=one.match,
            note="" if one.match else _NIK_TAKEN,
        )
