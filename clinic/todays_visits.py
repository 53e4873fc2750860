"""Today's visits as the counter asks for them: the newest, by their number, of these people.

In at most 2 queries each, however many there are. Who was cancelled is in the list, not among
the visits of the people a search found.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import joinedload, selectinload

from clinic import days
from clinic.among import among
from clinic.typed_search import compact
from db import db
from models import QueueEntry, ServiceDay, Visit, VisitStatus

_NUMBER = re.compile(r"([A-Z]{1,2})0*([1-9][0-9]{0,3})")
_OF_PEOPLE = (
    select(Visit)
    .where(
        among(Visit.patient_id, "people"),
        Visit.service_day_id == bindparam("day"),
        Visit.status != VisitStatus.CANCELLED,
    )
    .order_by(Visit.id)
)


def count(day: ServiceDay) -> int:
    """How many there are."""
    return db.session.scalar(select(func.count(Visit.id)).where(_is_of(day))) or 0


def newest(day: ServiceDay, limit: int, before: Visit | None = None) -> list[Visit]:
    """The last ones registered, or the last before this one, with patients and rooms."""
    rows = select(Visit).where(_is_of(day)).order_by(Visit.id.desc()).limit(limit)
    if before:
        rows = rows.where(Visit.id < before.id)
    rooms = selectinload(Visit.entries).joinedload(QueueEntry.poli)
    return list(db.session.scalars(rows.options(joinedload(Visit.patient), rooms)))


def bearers(day: ServiceDay | None, typed: str) -> list[int]:
    """Patients whose visit has the typed number: "U012", "u12", a paper slip's "KT012"."""
    number = _NUMBER.fullmatch(compact(typed))
    if not (day and number):
        return []
    label = f"{number[1]}{int(number[2]):03d}"
    return list(
        db.session.scalars(select(Visit.patient_id).where(_is_of(day), Visit.label == label))
    )


def of_people(day: ServiceDay | None, patient_ids: Collection[int]) -> dict[int, list[Visit]]:
    """The visits of these patients, by patient; 1 query."""
    found: dict[int, list[Visit]] = defaultdict(list)
    if day and patient_ids:
        values = {"people": list(patient_ids), "day": day.id}
        for visit in db.session.scalars(_OF_PEOPLE, values):
            found[visit.patient_id].append(visit)
    return found


def standing(stays: Iterable[QueueEntry]) -> list[QueueEntry]:
    """Where a visit is now, or where it ended; a stay that an undo took back never was."""
    real = [stay for stay in stays if stay.undone_at is None]
    return [stay for stay in real if stay.state in days.STILL_HERE] or real[-1:]


def _is_of(day: ServiceDay) -> ColumnElement[bool]:
    return Visit.service_day_id == day.id
