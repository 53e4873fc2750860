"""What belongs to a person: the one list that a merge moves by, and its undo.

A new table with a key to Patient must stand in one of the two; a test compares them with the
tables.
"""

from collections.abc import Sequence

from sqlalchemy import select, update

from db import db
from models import (
    Allergy,
    Consent,
    ImportRow,
    Patient,
    PatientAlias,
    PatientMerge,
    PatientToken,
    PatientVersion,
    SuspectedPair,
    Visit,
)

# Goes to the survivor by `patient_id`; `original_patient_id` says whose it was at first.
MOVES = (Visit, Allergy, Consent, PatientAlias)
# Tells the history of one record, or is rebuilt from it.
STAYS = (Patient, PatientVersion, PatientToken, SuspectedPair, PatientMerge, ImportRow)


def take_over(table, loser: Patient, survivor: Patient) -> list[int]:
    """Give the survivor all that is the loser's in this table of MOVES; returns the ids."""
    ids = list(db.session.scalars(select(table.id).where(table.patient_id == loser.id)))
    set_patient(table, ids, survivor)
    return sorted(ids)


def set_patient(table, ids: Sequence[int], patient: Patient) -> None:
    """Make these rows of a table of MOVES the patient's."""
    rows = update(table).where(table.id.in_(ids)).values(patient_id=patient.id)
    db.session.execute(rows, execution_options={"synchronize_session": False})
    # Whoever has read a visit in this transaction must not go on with its former patient.
    for row in db.session.identity_map.values():
        if isinstance(row, table):
            db.session.expire(row)


def returning(table, merge: PatientMerge) -> list[int]:
    """Of what went over, what is still there and was not placed there by a correction since."""
    rows = select(table.id).where(
        table.id.in_(merge.moved.get(table.__tablename__, [])),
        table.patient_id == merge.survivor_id,
        table.original_patient_id.in_(with_merged(merge.loser_id)),
    )
    return list(db.session.scalars(rows))


def with_merged(patient_id: int) -> set[int]:
    """The record and all that were taken into it, step by step."""
    known, fresh = {patient_id}, {patient_id}
    while fresh:
        taken = select(PatientMerge.loser_id).where(
            PatientMerge.survivor_id.in_(fresh), PatientMerge.undone_at.is_(None)
        )
        fresh = set(db.session.scalars(taken)) - known
        known |= fresh
    return known
