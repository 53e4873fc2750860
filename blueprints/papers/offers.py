"""What an account may issue: the papers of its own rooms' examinations, and laboratory results."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

import access
from clinic import lab_reports, paper_facts
from clinic.papers import BEING_SERVED
from db import db
from models import (
    EntryKind,
    Examination,
    PaperKind,
    PoliKind,
    QueueEntry,
    Role,
    Visit,
    VisitStatus,
)

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
    """A paper that may be issued, and from which stay."""

    kind: PaperKind
    examination: str
    room: str
    back_from: str = ""  # the room that the patient had been sent to, of a further stay
    finished_at: datetime | None = None
    order: str = ""
    asked: str = ""  # a laboratory order in a few words


def offers(visit: Visit) -> list[list[Offer]]:
    """What the account may issue for this visit, by stay, the newest first."""
    if not access.has_role(Role.POLI) or visit.status is VisitStatus.CANCELLED:
        return []
    rows = (
        select(Examination)
        .where(Examination.visit_id == visit.id)
        .options(joinedload(Examination.entry).joinedload(QueueEntry.poli))
        .order_by(Examination.id)
    )
    examinations = [one for one in db.session.scalars(rows) if _is_fit(one)]
    found = {
        one.public_id: [_offer(kind, one) for kind in MEDICAL if may_issue(kind, one)]
        for one in reversed(examinations)
    }
    by_entry = {one.entry.public_id: one for one in examinations}
    for report in lab_reports.by_visit([visit.id]).get(visit.id, ()):
        one = by_entry.get(report.entry_ref)
        if one and paper_facts.is_final(report) and may_issue(PaperKind.LAB, one):
            asked = ", ".join(line.name for line in report.lines)
            offer = replace(_offer(PaperKind.LAB, one), order=report.ref, asked=asked)
            found[one.public_id].append(offer)
    return [each for each in found.values() if each]


def _offer(kind: PaperKind, examination: Examination) -> Offer:
    entry, at = examination.entry, examination.finished_at
    is_back = entry.kind is EntryKind.RESULT_BACK
    back_from = entry.previous_entry.poli.name if is_back else ""
    return Offer(kind, examination.public_id, entry.poli.name, back_from, at)


def _is_fit(examination: Examination) -> bool:
    return examination.finished_at is not None or examination.entry.state in BEING_SERVED


def may_issue(kind: PaperKind, examination: Examination) -> bool:
    """Poli staff in the examination's room; the laboratory prints its results too."""
    poli = examination.entry.poli
    if kind is PaperKind.LAB:
        return access.may_use_room(poli) or access.works_in_laboratory()
    return poli.kind in TREATING and access.may_use_room(poli)
