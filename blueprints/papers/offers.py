"""What an account may issue: the papers of its own rooms' examinations, and laboratory results."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

import access
from clinic import lab_reports, paper_facts
from clinic.papers import BEING_SERVED
from db import db
from models import Examination, PaperKind, PoliKind, QueueEntry, Role, Visit, VisitStatus

# In the order in which they are asked for.
MEDICAL = (
    PaperKind.SUMMARY,
    PaperKind.SICK,
    PaperKind.HEALTH,
    PaperKind.REFERRAL,
    PaperKind.INTERNAL,
)
TREATING = (PoliKind.OUTPATIENT, PoliKind.EMERGENCY)


@dataclass(frozen=True)
class Offer:
    """A paper that may be issued, and from what."""

    kind: PaperKind
    examination: str
    room: str
    order: str = ""
    asked: str = ""  # a laboratory order in a few words


def offers(visit: Visit) -> list[Offer]:
    """What the account may issue for this visit."""
    if not access.has_role(Role.POLI) or visit.status is VisitStatus.CANCELLED:
        return []
    rows = (
        select(Examination)
        .where(Examination.visit_id == visit.id)
        .options(joinedload(Examination.entry).joinedload(QueueEntry.poli))
        .order_by(Examination.id)
    )
    examinations = [one for one in db.session.scalars(rows) if _is_fit(one)]
    found = [
        Offer(kind, one.public_id, one.entry.poli.name)
        for one in examinations
        for kind in MEDICAL
        if may_issue(kind, one)
    ]
    by_entry = {one.entry.public_id: one for one in examinations}
    for report in lab_reports.by_visit([visit.id]).get(visit.id, ()):
        one = by_entry.get(report.entry_ref)
        if one and paper_facts.is_final(report) and may_issue(PaperKind.LAB, one):
            asked = ", ".join(line.name for line in report.lines)
            found.append(Offer(PaperKind.LAB, one.public_id, report.room, report.ref, asked))
    return found


def _is_fit(examination: Examination) -> bool:
    return examination.finished_at is not None or examination.entry.state in BEING_SERVED


def may_issue(kind: PaperKind, examination: Examination) -> bool:
    """Poli staff in the examination's room; the laboratory prints its results too."""
    poli = examination.entry.poli
    if kind is PaperKind.LAB:
        return access.may_use_room(poli) or access.works_in_laboratory()
    return poli.kind in TREATING and access.may_use_room(poli)
