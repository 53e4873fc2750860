"""Corrections of a visit after the save: payer, BPJS data, complaint; each with its reason."""

from sqlalchemy import select

from clinic import audit, queue_changes
from db import add_row, db
from models import Visit, VisitCorrection, VisitStatus


class CorrectionError(Exception):
    """A correction that is refused, with a sentence for the clerk."""


def correct_visit(
    actor: audit.Actor, visit: Visit, changes: dict[str, str | None], reason: str
) -> list[str]:
    """Change payer, BPJS data or complaint of a visit; returns the names of what changed."""
    refuse_ended(visit)
    changed = [name for name, new in changes.items() if getattr(visit, name) != new]
    if changed:
        lock(visit)
    for name in changed:
        note(actor, visit, name, getattr(visit, name) or "", changes[name] or "", reason)
        setattr(visit, name, changes[name])
    if changed:
        audit.record(actor, "correct_visit", visit, reason=reason, details=", ".join(changed))
    return changed


def refuse_ended(visit: Visit) -> None:
    """Raise CorrectionError for a visit that was cancelled or came to no end."""
    if visit.status not in (VisitStatus.OPEN, VisitStatus.FINISHED):
        raise CorrectionError("Kunjungan ini sudah dibatalkan atau berakhir; tidak dapat diubah.")


def lock(visit: Visit) -> None:
    """Its rooms' screens draw themselves anew; nobody else changes it, and it is read again."""
    if visit.entries:
        queue_changes.lock(*visit.entries)
    db.session.execute(select(Visit.id).where(Visit.id == visit.id).with_for_update())
    db.session.refresh(visit)


def note(
    actor: audit.Actor, visit: Visit, field: str, before: str, after: str, reason: str
) -> VisitCorrection:
    """Keep how it stood, how it is now, and why."""
    return add_row(
        VisitCorrection(
            visit_id=visit.id,
            field=field,
            before=before,
            after=after,
            reason=reason,
            corrected_by_id=actor.user_id,
        )
    )
