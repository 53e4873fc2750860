"""Corrections as they are read: of an examination, and those that wait for a decision."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from clinic.amended_fields import LABELS, ROOM_FORM, VITAL_SIGNS, Part, words
from clinic.form_definitions import FORMS
from db import db, grouped
from models import (
    Amendment,
    AmendmentLine,
    AmendmentState,
    Examination,
    QueueEntry,
    Visit,
)

PAGE = 20
_PEOPLE = (joinedload(Amendment.requested_by), joinedload(Amendment.decided_by))


@dataclass(frozen=True)
class ShownLine:
    """One changed part in words; `now` where something else stands there meanwhile."""

    field: str
    label: str
    old: str
    new: str
    now: str | None = None


def by_ref(ref: str) -> Amendment | None:
    """The amendment with this public id, with whose record it is about."""
    found = (
        select(Amendment)
        .where(Amendment.public_id == ref)
        .options(*_PEOPLE, selectinload(Amendment.lines))
    )
    return db.session.scalar(found)


def headers(examination_ids: Sequence[int]) -> dict[int, tuple[Amendment, ...]]:
    """The amendments of these examinations without their lines, newest first; 1 query."""
    rows = (
        select(Amendment)
        .options(*_PEOPLE)
        .where(Amendment.examination_id.in_(examination_ids))
        .order_by(Amendment.id.desc())
    )
    found = grouped(rows, "examination_id")
    return defaultdict(tuple, {key: tuple(rows) for key, rows in found.items()})


def amendments(
    examination: Examination, limit: int = PAGE, before: str | None = None
) -> list[Amendment]:
    """Amendments with their lines, newest first; those that wait or were refused too."""
    rows = (
        select(Amendment)
        .options(*_PEOPLE, selectinload(Amendment.lines))
        .where(Amendment.examination_id == examination.id)
        .order_by(Amendment.id.desc())
        .limit(limit)
    )
    if before:
        place = select(Amendment.id).where(Amendment.public_id == before).scalar_subquery()
        rows = rows.where(Amendment.id < place)
    return list(db.session.scalars(rows))


def last_applied(examination: Examination) -> Amendment | None:
    """The amendment that made the text that stands there now."""
    rows = (
        select(Amendment)
        .options(*_PEOPLE)
        .where(Amendment.examination_id == examination.id, Amendment.applied_version.is_not(None))
        .order_by(Amendment.applied_version.desc())
    )
    return db.session.scalar(rows.limit(1))


def waiting_for(examination: Examination) -> list[Amendment]:
    """What people have asked for and is not decided yet, one request each."""
    rows = (
        select(Amendment)
        .options(*_PEOPLE)
        .where(
            Amendment.examination_id == examination.id,
            Amendment.state == AmendmentState.WAITING,
        )
        .order_by(Amendment.id)
    )
    return list(db.session.scalars(rows))


def waiting(limit: int, after: str | None = None) -> list[Amendment]:
    """Requests to decide, the oldest first, with patient, room and what they change."""
    examination = joinedload(Amendment.examination)
    rows = (
        select(Amendment)
        .options(
            examination.joinedload(Examination.visit).joinedload(Visit.patient),
            examination.joinedload(Examination.entry).joinedload(QueueEntry.poli),
            joinedload(Amendment.requested_by),
            selectinload(Amendment.lines).load_only(AmendmentLine.field),
        )
        .where(Amendment.state == AmendmentState.WAITING)
        .order_by(Amendment.id)
        .limit(limit)
    )
    if after:
        place = select(Amendment.id).where(Amendment.public_id == after).scalar_subquery()
        rows = rows.where(Amendment.id > place)
    return list(db.session.scalars(rows))


def count_waiting() -> int:
    """How many requests are to be decided."""
    rows = select(func.count()).where(Amendment.state == AmendmentState.WAITING)
    return db.session.scalar(rows) or 0


def shown(amendment: Amendment, now: Mapping[Part, str] | None = None) -> list[ShownLine]:
    """Its lines in words, in the order of the form."""
    order = list(LABELS)
    found = []
    for line in sorted(amendment.lines, key=lambda each: order.index(each.field)):
        newer = (now or {}).get(Part(line.field, line.subject_ref))
        values = [line.old_value, line.new_value] + ([] if newer is None else [newer])
        texts = [words(line.field, value, line.subject_ref) for value in values]
        if line.field in (VITAL_SIGNS, ROOM_FORM):
            texts = _differing(texts)
        found.append(ShownLine(line.field, _label(line), *texts))
    return found


def _differing(texts: Sequence[str]) -> list[str]:
    """One changed sign among eight, one answer among thirty: without what all of them say."""
    lines = [text.split("\n") for text in texts]
    same = set.intersection(*map(set, lines))
    return ["\n".join(line for line in each if line not in same) for each in lines]


def _label(line: AmendmentLine) -> str:
    form = FORMS.get(line.subject_ref) if line.field == ROOM_FORM else None
    return form.label if form else LABELS[line.field]


def changed_labels(amendment: Amendment) -> list[str]:
    """What it is about, without the text."""
    fields = {line.field for line in amendment.lines}
    return [label for field, label in LABELS.items() if field in fields]
