"""The screening desk's triage note: what was seen, and how soon the patient should be helped.

It proposes; the order of the queue changes by the room's own decision, and its row says the colour.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from clinic import audit
from clinic.amendment_rules import free_time
from clinic.audit import Actor
from clinic.queue_changes import bump_rooms_with
from clinic.queue_order import FIRST
from clinic.record_errors import MeasuredMeanwhile, NotOpen, RecordError
from db import db, grouped, utcnow
from models import EntryState, TriageNote, TriagePriority, Visit, VisitStatus
from validators import clean_text

LONGEST = 300
PRIORITY_LABELS = {
    TriagePriority.RED: "Merah: gawat, tolong sekarang",
    TriagePriority.YELLOW: "Kuning: didahulukan",
    TriagePriority.GREEN: "Hijau: sesuai antrean",
}


URGENT = (TriagePriority.RED, TriagePriority.YELLOW)
NOT_YET_CALLED = (EntryState.WAITING, EntryState.SKIPPED)


def what_to_do(visit: Visit, priority: TriagePriority | None) -> str:
    """What the room has to do itself for a patient who should be helped before the others."""
    waits = [entry for entry in visit.entries if entry.state in NOT_YET_CALLED]
    if priority not in URGENT or not waits:
        return ""
    # In the emergency room there is no other to move to.
    or_move = "" if any(entry.rank == FIRST for entry in waits) else ", atau pindahkan ke UGD"
    return f"Urutan antrean tidak berubah: panggil dari barisnya{or_move}."


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
    """All notes, also those that were corrected, oldest first; 1 query."""
    rows = (
        select(TriageNote)
        .options(joinedload(TriageNote.recorded_by))
        .where(TriageNote.visit_id.in_(list(visit_ids)))
        .order_by(TriageNote.id)
    )
    return grouped(rows, "visit_id")


class Said(NamedTuple):
    """What a note says, or a page's fields."""

    seen: str = ""
    priority: TriagePriority | None = None


def said(note: TriageNote | None) -> Said:
    return Said(note.seen, note.priority) if note else Said()


def shown_note(user_id: int, visit: Visit, shown: Collection[str]) -> TriageNote | None:
    """This person's note that stood on a page, by the rows that the page names."""
    return db.session.scalar(
        select(TriageNote).where(
            TriageNote.visit_id == visit.id,
            TriageNote.recorded_by_id == user_id,
            TriageNote.public_id.in_(shown),
        )
    )


class Merged(NamedTuple):
    """What the own note should say now, and the fields that another page has changed otherwise."""

    own: TriageNote | None
    wanted: Said
    others: set[str]


def merged(user_id: int, visit: Visit, typed: Said, shown: Collection[str] | None) -> Merged:
    """`shown` names the rows on the page when it was shown: what is as it was there was not typed.

    None of a page that does not say so.
    """
    own = own_note(user_id, visit)
    now = before = said(own)
    if shown is not None:
        before = said(shown_note(user_id, visit, shown))
    wanted, others = now, set()
    for name in Said._fields:
        mine, was, stands = (getattr(each, name) for each in (typed, before, now))
        if mine in (was, stands):
            continue
        if was == stands:
            wanted = wanted._replace(**{name: mine})
        else:
            others.add(name)
    return Merged(own, wanted, others)


def write(
    actor: Actor,
    visit: Visit,
    seen: str,
    priority: TriagePriority | None,
    shown: Collection[str] | None = None,
) -> TriageNote | None:
    """Note what one person saw; one's own earlier note ends when it differs.

    Raises NotOpen; MeasuredMeanwhile when another page changed what this one did.
    """
    own, (seen, priority) = _mine(actor, visit, seen, priority, shown)
    if _says(own, seen, priority):
        return own
    if visit.status != VisitStatus.OPEN:
        raise NotOpen("Kunjungan ini sudah berakhir, jadi catatan triase tidak dapat ditambah.")
    return _replace(actor, visit, own, seen, priority)


def _mine(
    actor: Actor,
    visit: Visit,
    seen: str,
    priority: TriagePriority | None,
    shown: Collection[str] | None,
) -> tuple[TriageNote | None, Said]:
    typed = Said(clean_text(seen, LONGEST, newlines=True), priority)
    found = merged(actor.user_id, visit, typed, shown)
    if found.others:
        raise MeasuredMeanwhile
    return found.own, found.wanted


def is_free(ended_at: datetime | None) -> bool:
    """Whether an author may still correct a note of a visit that ended then."""
    return ended_at is not None and utcnow() <= ended_at + free_time()


def correct(
    actor: Actor,
    visit: Visit,
    seen: str,
    priority: TriagePriority | None,
    reason: str,
    shown: Collection[str] | None = None,
) -> TriageNote | None:
    """After the visit: one's own note, within the free hours of amendments, with a reason.

    Raises NotOpen when it is too late or somebody else's, RecordError without a reason,
    MeasuredMeanwhile when another page changed what this one did.
    """
    reason = clean_text(reason, LONGEST)
    own, (seen, priority) = _mine(actor, visit, seen, priority, shown)
    if own is None:
        raise NotOpen("Catatan triase hanya dibetulkan oleh penulisnya.")
    if _says(own, seen, priority):
        return own
    if visit.status is VisitStatus.CANCELLED or not is_free(visit.ended_at):
        hours = int(free_time().total_seconds() // 3600)
        raise NotOpen(f"Sudah lewat {hours} jam sejak kunjungan berakhir: catatan triase tetap.")
    if not reason:
        raise RecordError("Tulis mengapa catatan triase dibetulkan.", "triage_reason")
    return _replace(actor, visit, own, seen, priority, reason)


def _says(own: TriageNote | None, seen: str, priority: TriagePriority | None) -> bool:
    return (seen, priority) == said(own)


def _replace(
    actor: Actor,
    visit: Visit,
    own: TriageNote | None,
    seen: str,
    priority: TriagePriority | None,
    reason: str = "",
) -> TriageNote | None:
    if own:
        own.ended_at, own.end_reason = utcnow(), reason
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
    bump_rooms_with(visit)
    details = "corrected" if own else ""
    audit.record(actor, "write_triage", visit, reason=reason, details=details)
    return note
