"""Requests to correct: approved or refused by somebody else, once, and never blindly."""

from sqlalchemy.orm.exc import StaleDataError

from clinic import amended_fields
from clinic.amended_fields import Part
from clinic.amendment_rules import DECIDERS, is_own
from clinic.amendment_writing import (
    LONGEST_REASON,
    Decided,
    apply_lines,
    log,
    mark_for_exchange,
    settle,
)
from clinic.audit import Actor
from clinic.record_errors import Conflict, RecordError
from db import db
from models import Amendment, AmendmentState
from validators import clean_text

__all__ = ["Decided", "Outdated", "approve", "outdated", "refuse"]


class Outdated(RecordError):
    """What the request wanted to correct is not what stands there now."""


def approve(actor: Actor, amendment: Amendment, reason: str = "") -> None:
    """The record takes the text that was asked for. Raises Decided, Outdated, RecordError."""
    reason = clean_text(reason, LONGEST_REASON)
    _check_may_decide(actor, amendment)
    examination = amendment.examination
    db.session.refresh(examination)
    if outdated(amendment):
        raise Outdated("Isinya sudah diubah sejak diminta. Tolak, lalu minta dibuat ulang.")
    try:
        apply_lines(amendment.requested_by_id, examination, amendment.lines)
    except StaleDataError as error:
        raise Conflict from error
    settle(actor, amendment, AmendmentState.APPLIED, reason, examination.version)
    log(actor, "approve_amendment", amendment, reason)
    mark_for_exchange(amendment)


def refuse(actor: Actor, amendment: Amendment, reason: str) -> None:
    """The record stays as it is; the reason is shown to who asked. Raises Decided, RecordError."""
    reason = clean_text(reason, LONGEST_REASON)
    _check_may_decide(actor, amendment)
    if not reason:
        raise RecordError("Tulis alasan menolak.", "alasan")
    settle(actor, amendment, AmendmentState.REFUSED, reason, None)
    log(actor, "refuse_amendment", amendment, reason)


def outdated(amendment: Amendment) -> dict[Part, str]:
    """What stands now where it is no longer what the request wanted to correct, by part."""
    now = amended_fields.stored(amendment.examination)
    parts = {Part(line.field, line.subject_ref): line.old_value for line in amendment.lines}
    empty = amended_fields.vitals_text({})
    return {
        part: now.get(part, empty) for part, old in parts.items() if now.get(part, empty) != old
    }


def _check_may_decide(actor: Actor, amendment: Amendment) -> None:
    db.session.refresh(amendment)
    if amendment.state != AmendmentState.WAITING:
        raise Decided
    if actor.role not in DECIDERS:
        raise RecordError("Hanya rekam medis atau kepala puskesmas yang memutuskan.")
    if is_own(actor.user_id, amendment):
        raise RecordError("Permintaan sendiri diputuskan orang lain: rekam medis atau kepala.")
