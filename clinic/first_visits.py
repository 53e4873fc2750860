"""Which of a patient's visits is the first here: "baru" in reports, all others "lama".

A cancelled visit is none. Who was taken over with a number of the clinic's former register had
been a patient before: all their visits are "lama".
"""

from typing import Any

from sqlalchemy import Select, bindparam, literal, select, update

from db import db, run
from models import (
    AliasKind,
    ImportRow,
    Patient,
    PatientAlias,
    RowFate,
    ServiceDay,
    Visit,
    VisitStatus,
)


def _known_before(patient_id: Any) -> Select:
    """A number of the former register, which the import kept; it may look like one of this.

    What a merge brought is the other record's own number: it tells nothing, unless that record was
    imported, since its former number may be the same.
    """
    other = select(Patient.id).where(
        Patient.id == PatientAlias.original_patient_id,
        Patient.id != PatientAlias.patient_id,
        Patient.mrn == PatientAlias.value,
    )
    imported = select(ImportRow.number).where(
        ImportRow.patient_id == PatientAlias.original_patient_id,
        ImportRow.fate.in_((RowFate.CREATED, RowFate.KEPT)),
    )
    return select(literal(1)).where(
        PatientAlias.patient_id == patient_id,
        PatientAlias.kind == AliasKind.MRN,
        PatientAlias.ended_at.is_(None),
        ~other.exists() | imported.exists(),
    )


_EARLIER = (
    select(literal(1))
    .where(Visit.patient_id == bindparam("patient"), Visit.status != VisitStatus.CANCELLED)
    .union_all(_known_before(bindparam("patient")))
    .limit(1)
)


def comes_first(patient: Patient) -> bool:
    """Whether the visit that is being opened is the patient's first."""
    return run(_EARLIER, {"patient": patient.id}).first() is None


def settle(*patient_ids: int) -> None:
    """Say it anew of all visits of these patients: one was cancelled, written down late, or
    went to another record."""
    db.session.flush()
    for patient_id in patient_ids:
        mine = Visit.patient_id == patient_id
        counted = (
            select(Visit.id)
            .join(Visit.service_day)
            .where(mine, Visit.status != VisitStatus.CANCELLED)
            .where(~_known_before(patient_id).exists())
        )
        earliest = counted.order_by(ServiceDay.on, Visit.id).limit(1)  # of a slip: its own day
        first = db.session.scalar(earliest) or 0
        for is_first, condition in ((False, Visit.id != first), (True, Visit.id == first)):
            wrong = update(Visit).where(mine, condition, Visit.is_new_patient.is_(not is_first))
            db.session.execute(wrong.values(is_new_patient=is_first))
