"""How an amendment is written: into the record, its decision, the exchange, the audit trail."""

from sqlalchemy import insert, select, update
from sqlalchemy.orm.attributes import flag_modified

from clinic import amended_fields, audit, diagnoses, form_answers, procedures
from clinic.amended_fields import DIAGNOSES, PLAIN, PROCEDURES, ROOM_FORM, VITAL_SIGNS
from clinic.audit import Actor
from clinic.record_errors import RecordError
from db import db, utcnow
from models import (
    Amendment,
    AmendmentLine,
    AmendmentState,
    Examination,
    OutboxEntry,
    Visit,
    VitalSigns,
)

LONGEST_REASON = 300
_ADD_TO_OUTBOX = insert(OutboxEntry.__table__)


class Decided(RecordError):
    """A request that is not waiting any more."""

    def __init__(self) -> None:
        super().__init__("Permintaan ini sudah diputuskan.")


def apply_lines(user_id: int, examination: Examination, lines: list[AmendmentLine]) -> None:
    """Write all lines into the record; whatever they are, its version rises by one."""
    author = Actor(user_id, "")
    for line in lines:
        if line.field in PLAIN:
            empty = None if line.field == "disposition" else ""
            setattr(examination, line.field, line.new_value or empty)
    flag_modified(examination, "plan")
    db.session.flush()
    for line in lines:
        if line.field == DIAGNOSES:
            diagnoses.write(author, examination, amended_fields.diagnoses_of(line.new_value))
        elif line.field == PROCEDURES:
            procedures.write(author, examination, amended_fields.procedures_of(line.new_value))
        elif line.field == VITAL_SIGNS:
            _replace_vitals(author, examination, line)
        elif line.field == ROOM_FORM:
            wanted = {line.subject_ref: amended_fields.answers_of(line.new_value)}
            form_answers.write(author, examination, wanted)
    db.session.flush()


def _replace_vitals(author: Actor, examination: Examination, line: AmendmentLine) -> None:
    """End the row and add the corrected one, measured where and when the first one was."""
    old = db.session.scalar(
        select(VitalSigns).where(
            VitalSigns.public_id == line.subject_ref,
            VitalSigns.visit_id == examination.visit_id,
            VitalSigns.ended_at.is_(None),
        )
    )
    if old:
        old.ended_at = utcnow()
    values = amended_fields.vitals_of(line.new_value)
    if any(value is not None for value in values.values()):
        row = VitalSigns(
            public_id=line.result_ref,
            visit_id=examination.visit_id,
            entry_id=old.entry_id if old else examination.entry_id,
            recorded_by_id=author.user_id,
            occurred_at=old.occurred_at if old else examination.occurred_at,
            source=old.source if old else examination.source,
            **values,
        )
        db.session.add(row)
    db.session.flush()


def mark_for_exchange(amendment: Amendment) -> None:
    """The corrected visit leaves the building again."""
    leave_again(amendment.examination.visit, f"satusehat:amendment:{amendment.public_id}")


def leave_again(visit: Visit, key: str) -> None:
    """A visit that leaves the building leaves again, each time under a key of its own."""
    marked = select(OutboxEntry.id).where(
        OutboxEntry.business_key == f"satusehat:visit:{visit.public_id}"
    )
    if db.session.scalar(marked) is None:
        return
    entry = {
        "target": "satusehat",
        "business_key": key,
        "subject_type": "visit",
        "subject_ref": visit.public_id,
    }
    db.session.execute(_ADD_TO_OUTBOX, [entry])


def log(actor: Actor, action: str, amendment: Amendment, reason: str) -> None:
    """The audit entry of a step: which fields, never their text."""
    details = " ".join(sorted({line.field for line in amendment.lines}))
    audit.record(actor, action, amendment.examination, reason=reason, details=details)


def settle(
    actor: Actor, amendment: Amendment, state: AmendmentState, reason: str, version: int | None
) -> None:
    """From waiting to decided, once: whoever comes second changes no row."""
    decided = (
        update(Amendment)
        .where(Amendment.id == amendment.id, Amendment.state == AmendmentState.WAITING)
        .values(
            state=state,
            decided_at=utcnow(),
            decided_by_id=actor.user_id,
            decision_reason=reason,
            applied_version=version,
        )
        .execution_options(synchronize_session=False)
    )
    if db.session.execute(decided).rowcount != 1:
        raise Decided
    db.session.refresh(amendment)
