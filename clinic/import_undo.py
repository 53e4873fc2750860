"""Takes an import back: its patients become inactive, except those who are in use by now.

Nothing is deleted. An inactive patient is found by nobody, and holds no NIK.
"""

from sqlalchemy import or_, select, update

from clinic import audit, belongings, name_index
from db import db, utcnow
from models import (
    AliasKind,
    ImportBatch,
    ImportRow,
    ImportState,
    Patient,
    PatientAlias,
    PatientMerge,
    RegistrationDraft,
    RowFate,
)

_IN_USE = {
    "visit": "sudah berkunjung",
    "allergy": "alerginya sudah dicatat",
    "consent": "persetujuannya sudah dicatat",
    "patient_alias": "punya nama atau nomor lain",
}
_OTHERWISE = "sudah punya catatan"


def store(actor: audit.Actor, batch: ImportBatch, limit: int) -> None:
    """Take back the next patients of a batch, in the worker's transaction."""
    rows = list(
        db.session.scalars(
            select(ImportRow)
            .where(ImportRow.batch_id == batch.id, ImportRow.fate == RowFate.CREATED)
            .order_by(ImportRow.number)
            .limit(limit)
        )
    )
    kept = _in_use([row.patient_id for row in rows])
    removed = [row.patient_id for row in rows if row.patient_id not in kept]
    for row in rows:
        reason = kept.get(row.patient_id)
        row.fate = RowFate.KEPT if reason else RowFate.REMOVED
        row.reason = f"Tetap ada: {reason}." if reason else row.reason
    _put_away(removed)
    batch.rows_done += len(rows)
    if len(rows) < limit:
        batch.state, batch.undone_at = ImportState.UNDONE, utcnow()
    db.session.flush()
    audit.record(actor, "undo_import_rows", batch, details=str(len(removed)))


def _put_away(ids: list[int]) -> None:
    if not ids:
        return
    away = update(Patient).where(Patient.id.in_(ids))
    away = away.values(is_active=False, version=Patient.version + 1)
    db.session.execute(away.execution_options(synchronize_session=False))
    name_index.forget(ids)


def _in_use(ids: list[int]) -> dict[int, str]:
    """Why some of these patients stay."""
    reasons: dict[int, str] = {}
    for table in belongings.MOVES:
        theirs = select(table.patient_id).where(table.patient_id.in_(ids))
        if table is PatientAlias:  # the old system's number came with the import
            theirs = theirs.where(PatientAlias.kind != AliasKind.MRN)
        words = _IN_USE.get(table.__tablename__, _OTHERWISE)
        reasons |= dict.fromkeys(db.session.scalars(theirs), words)
    merges = select(PatientMerge.survivor_id, PatientMerge.loser_id).where(
        or_(PatientMerge.survivor_id.in_(ids), PatientMerge.loser_id.in_(ids))
    )
    for merge in db.session.execute(merges):
        reasons |= dict.fromkeys(merge, "pernah digabung")
    people = select(Patient.id, Patient.version, Patient.public_id).where(Patient.id.in_(ids))
    people = db.session.execute(people).all()
    reasons |= {one.id: "identitasnya sudah diubah" for one in people if one.version > 1}
    drafts = select(RegistrationDraft.patient_ref).where(
        RegistrationDraft.patient_ref.in_([one.public_id for one in people]),
        RegistrationDraft.saved_at.is_(None),
        RegistrationDraft.dropped_at.is_(None),
    )
    at_the_counter = set(db.session.scalars(drafts))
    return reasons | {
        one.id: "sedang didaftarkan" for one in people if one.public_id in at_the_counter
    }
