"""Which of a patient's visits is the first here: "baru" in reports, all others "lama".

A cancelled visit is none. Who was taken over with a number of the clinic's former register had
been a patient before: all their visits are "lama".
"""

from typing import Any

from sqlalchemy import Select, bindparam, func, literal, select, update

from db import db, run
from models import AliasKind, Patient, PatientAlias, Visit, VisitStatus


def _known_before(patient_id: Any) -> Select:
    """A former number that is no other record's of this register: the import kept it."""
    own = select(Patient.id).where(Patient.mrn == PatientAlias.value)
    return select(literal(1)).where(
        PatientAlias.patient_id == patient_id,
        PatientAlias.kind == AliasKind.MRN,
        PatientAlias.ended_at.is_(None),
        ~own.exists(),
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
    """Say it anew of all visits of these patients: one was cancelled, or went to another record."""
    db.session.flush()
    for patient_id in patient_ids:
        mine = Visit.patient_id == patient_id
        counted = select(func.min(Visit.id)).where(mine, Visit.status != VisitStatus.CANCELLED)
        first = db.session.scalar(counted.where(~_known_before(patient_id).exists())) or 0
        for is_first, condition in ((False, Visit.id != first), (True, Visit.id == first)):
            wrong = update(Visit).where(mine, condition, Visit.is_new_patient.is_(not is_first))
            db.session.execute(wrong.values(is_new_patient=is_first))
