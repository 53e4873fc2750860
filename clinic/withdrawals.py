"""The counter takes back a registration that no room has begun with: registered twice, or gone.

What was begun is the rooms' to end: they know what was done, and for whom.
"""

from sqlalchemy import select

from clinic import history, queue_changes, queue_transfers
from clinic.audit import Actor
from clinic.days import STILL_HERE
from clinic.queue_steps import NOT_YET_SERVED, QueueError
from db import db, utcnow
from models import QueueEntry, Visit

BEGUN = (
    "{label} sudah dilayani atau diukur. Sebutkan nomornya kepada petugas ruangnya atau kepala: "
    "mereka membatalkannya di antrean lewat “Lainnya”, “Batalkan antrean”."
)
OVER = "{label} tidak lagi menunggu di ruang mana pun; tidak ada yang dibatalkan."


def may_withdraw(visit: Visit) -> bool:
    """Whether the patient only waits: no room has begun, and nothing was written or measured."""
    return _problem(visit, _stays(visit)) is None


def withdraw(actor: Actor, visit: Visit, reason: str) -> None:
    """Cancel every place in line of the visit. Raises QueueError where a room has begun."""
    standing = [entry for entry in _stays(visit) if entry.state in STILL_HERE]
    if standing:
        queue_changes.lock(*standing)
    problem = _problem(visit, _stays(visit))
    if problem:
        raise QueueError(problem.format(label=visit.label))
    for entry in standing:
        queue_transfers.end(actor, entry, "batal", reason, utcnow())


def _stays(visit: Visit) -> list[QueueEntry]:
    stays = select(QueueEntry).where(
        QueueEntry.visit_id == visit.id, QueueEntry.undone_at.is_(None)
    )
    return list(db.session.scalars(stays.order_by(QueueEntry.id)))


def _problem(visit: Visit, stays: list[QueueEntry]) -> str | None:
    here = [entry for entry in stays if entry.state in STILL_HERE]
    if any(entry.started_at for entry in stays):
        return BEGUN
    if not here:
        return OVER
    told = history.visit_summary(visit)
    is_begun = any(entry.state not in NOT_YET_SERVED for entry in here)
    return BEGUN if is_begun or told.vitals or told.triage or told.examined else None
