"""The screening desk's triage note: what was seen, and how soon the patient should be helped.

It proposes; the order of the queue changes by the room's own decision.
"""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from clinic import audit
from clinic.audit import Actor
from clinic.record_errors import NotOpen
from db import db, utcnow
from models import TriageNote, TriagePriority, Visit, VisitStatus
from validators import clean_text

LONGEST = 300
PRIORITY_LABELS = {
    TriagePriority.RED: "Merah: gawat, tolong sekarang",
    TriagePriority.YELLOW: "Kuning: didahulukan",
    TriagePriority.GREEN: "Hijau: sesuai antrean",
}


def own_note(user_id: int, visit: Visit) -> TriageNote | None:
    """What this person noted for the visit."""
    return db.session.scalar(
        select(TriageNote).where(
            TriageNote.visit_id == visit.id,
            TriageNote.recorded_by_id == user_id,
            TriageNote.ended_at.is_(None),
        )
    )


def by_visit(visit_ids: Iterable[int]) -> dict[int, list[TriageNote]]:
    """The notes that hold, oldest first; 1 query."""
    rows = (
        select(TriageNote)
        .options(joinedload(TriageNote.recorded_by))
        .where(TriageNote.visit_id.in_(list(visit_ids)), TriageNote.ended_at.is_(None))
        .order_by(TriageNote.id)
    )
    found: dict[int, list[TriageNote]] = {}
    for note in db.session.scalars(rows):
        found.setdefault(note.visit_id, []).append(note)
    return found


def write(
    actor: Actor, visit: Visit, seen: str, priority: TriagePriority | None
) -> TriageNote | None:
    """Note what one person saw; one's own earlier note ends when it differs. Raises NotOpen."""
    seen, own = clean_text(seen, LONGEST, newlines=True), own_note(actor.user_id, visit)
    before = (own.seen, own.priority) if own else ("", None)
    if (seen, priority) == before:
        return own
    if visit.status != VisitStatus.OPEN:
        raise NotOpen("Kunjungan ini sudah berakhir, jadi catatan triase tidak dapat ditambah.")
    if own:
        own.ended_at = utcnow()
        db.session.flush()
    note = None
    if seen or priority:
        note = TriageNote(
            visit_id=visit.id, seen=seen, priority=priority, recorded_by_id=actor.user_id
        )
        db.session.add(note)
    try:
        db.session.flush()
    except IntegrityError as error:  # the table's rule: one current note a person
        raise NotOpen("Catatan triase Anda baru saja disimpan. Muat ulang halamannya.") from error
    audit.record(
        actor,
        "write_triage",
        object_type="visit",
        object_ref=visit.public_id,
        patient_ref=visit.patient.public_id,
        details="corrected" if own else "",
    )
    return note
