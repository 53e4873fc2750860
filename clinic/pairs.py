"""Pairs of records that may be one person: what was answered is remembered for ever.

A pair is one row whoever was asked, the older record first. An answer belongs to the two records;
after a merge it counts for the person they became part of.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from clinic import audit, patients
from clinic.matching import Match
from db import db, utcnow
from models import PairSource, PairState, Patient, PatientMerge, SuspectedPair


@dataclass(frozen=True)
class OpenPair:
    """A pair to decide, with the records that count today, the older first."""

    pair: SuspectedPair
    one: Patient
    other: Patient


# Writing


def note(
    actor: audit.Actor,
    one: Patient,
    other: Patient,
    state: PairState,
    *,
    source: PairSource,
    match: Match | None = None,
    note: str = "",
) -> SuspectedPair:
    """Keep what was found or answered about two records; the same answer twice changes nothing.

    "Not the same" is reopened by RECORDS alone, "merged" only once the merge is undone. Both
    records are flushed already. Raises ValueError for one record with itself.
    """
    pair = between(one, other)
    if pair is None:
        pair = _new(actor, one, other, source)
    elif pair.state == PairState.OPEN == state:
        _describe(pair, match, note)
        db.session.flush()
        return pair
    elif pair.state == state or not _may_change(pair, source):
        return pair
    elif state == PairState.OPEN:
        pair.raised_at, pair.raised_by_id, pair.source = utcnow(), actor.user_id, source
    _describe(pair, match, note)
    _set_state(actor, pair, state)
    db.session.flush()
    audit.record(
        actor,
        "raise_pair" if state == PairState.OPEN else "decide_pair",
        pair,
        patient_ref=(other if other.id > one.id else one).public_id,
        reason=note,
        details=f"{state.value} {source.value}",
    )
    return pair


def decide_different(actor: audit.Actor, pair: SuspectedPair, reason: str = "") -> None:
    """The records staff say: two people. Decides every open pair of these two, merged or not."""
    ones, others = _one_person({pair.first_id}), _one_person({pair.second_id})
    first, second = SuspectedPair.first_id, SuspectedPair.second_id
    is_theirs = or_(
        and_(first.in_(ones), second.in_(others)), and_(first.in_(others), second.in_(ones))
    )
    same = select(SuspectedPair).where(SuspectedPair.state == PairState.OPEN, is_theirs)
    for one in db.session.scalars(same.order_by(SuspectedPair.id)).all():
        _decide(actor, one, reason)


def _decide(actor: audit.Actor, pair: SuspectedPair, text: str) -> None:
    state, source = PairState.DIFFERENT, PairSource.RECORDS
    note(actor, pair.first, pair.second, state, source=source, note=text)


def _new(actor: audit.Actor, one: Patient, other: Patient, source: PairSource) -> SuspectedPair:
    first_id, second_id = sorted((one.id, other.id))
    pair = SuspectedPair(
        first_id=first_id,
        second_id=second_id,
        source=source,
        raised_at=utcnow(),
        raised_by_id=actor.user_id,
    )
    db.session.add(pair)
    return pair


def _may_change(pair: SuspectedPair, source: PairSource) -> bool:
    if pair.state == PairState.MERGED:
        return pair.second_id not in _one_person({pair.first_id})
    return pair.state == PairState.OPEN or source == PairSource.RECORDS


def _describe(pair: SuspectedPair, match: Match | None, note: str) -> None:
    if match is not None:
        pair.level, pair.points = match.level or "", match.points
        pair.reasons = "; ".join(match.reasons)
    if note:
        pair.note = note[:300]


def _set_state(actor: audit.Actor, pair: SuspectedPair, state: PairState) -> None:
    is_open = state == PairState.OPEN
    pair.state = state
    # The very instant of a new row: an answer at once, which waited for nobody.
    pair.decided_at = None if is_open else pair.raised_at if pair.id is None else utcnow()
    pair.decided_by_id = None if is_open else actor.user_id


# Reading


def by_ref(public_id: str) -> SuspectedPair | None:
    """The pair of this public id, open or not."""
    return db.session.scalar(select(SuspectedPair).where(SuspectedPair.public_id == public_id))


def between(one: Patient, other: Patient) -> SuspectedPair | None:
    """The row of these two records. Within a transaction nobody adds it after this look."""
    if one.id == other.id:
        raise ValueError("a pair needs two records")
    first_id, second_id = sorted((one.id, other.id))
    return db.session.scalar(
        select(SuspectedPair).where(
            SuspectedPair.first_id == first_id, SuspectedPair.second_id == second_id
        )
    )


def of_today(pair: SuspectedPair) -> OpenPair:
    """The pair with the records that count today: both may be one by now."""
    one, other = patients.current(pair.first), patients.current(pair.second)
    return OpenPair(pair, *sorted((one, other), key=lambda patient: patient.id))


def open_pairs(limit: int, before: str | None = None) -> list[OpenPair]:
    """The worklist: people's doubts before what the program found, strong ones first, then those
    who wait longest; one query.

    `before` is the public id of the last pair of the page before. Pairs that merges made one
    record don't appear, two that they made the same pair appear once.
    """
    one, other, asked = aliased(Patient), aliased(Patient), _asked_today()
    found = (
        select(SuspectedPair, one, other)
        .join(asked, and_(asked.c.pair_id == SuspectedPair.id, asked.c.place == 1))
        .join(one, one.id == asked.c.low)
        .join(other, other.id == asked.c.high)
        .options(joinedload(one.household), joinedload(other.household))
        .order_by(*_ORDER)
        .limit(limit)
    )
    last = by_ref(before) if before else None
    if last is not None:
        found = found.where(_comes_after(last))
    return [OpenPair(*row) for row in db.session.execute(found)]


def count_open() -> int:
    """How long the worklist is."""
    asked = _asked_today()
    return db.session.scalar(select(func.count()).where(asked.c.place == 1)) or 0


def oldest_open() -> datetime | None:
    """Since when the longest waiting pair of the worklist has waited."""
    asked = _asked_today()
    shown = select(func.min(SuspectedPair.raised_at)).join(
        asked, and_(asked.c.pair_id == SuspectedPair.id, asked.c.place == 1)
    )
    return db.session.scalar(shown)


# Whom people asked about goes before what the program found; each time strong ones first.
_FOUND = (PairSource.IMPORT, PairSource.SCAN)
_URGENCY = case((SuspectedPair.source.in_(_FOUND), 2), else_=0) + case(
    (SuspectedPair.level == "strong", 0), else_=1
)
_ORDER = (_URGENCY, SuspectedPair.raised_at, SuspectedPair.id)


def _comes_after(last: SuspectedPair):
    urgency = 2 * (last.source in _FOUND) + (last.level != "strong")
    at, id_ = SuspectedPair.raised_at, SuspectedPair.id
    is_later = or_(at > last.raised_at, and_(at == last.raised_at, id_ > last.id))
    return or_(urgency < _URGENCY, and_(urgency == _URGENCY, is_later))


def _asked_today():
    """Open pairs (pair_id) with the records of today (low, high); place 1 is shown."""
    walked = _walked()
    low = case((walked.c.one_id < walked.c.other_id, walked.c.one_id), else_=walked.c.other_id)
    high = case((walked.c.one_id < walked.c.other_id, walked.c.other_id), else_=walked.c.one_id)
    one, other, answered = aliased(Patient), aliased(Patient), aliased(SuspectedPair)
    is_answered = exists().where(
        answered.first_id == low,
        answered.second_id == high,
        answered.state == PairState.DIFFERENT,
    )
    place = func.row_number().over(partition_by=(low, high), order_by=_ORDER)
    return (
        select(walked.c.pair_id, low.label("low"), high.label("high"), place.label("place"))
        .join(SuspectedPair, SuspectedPair.id == walked.c.pair_id)
        .join(one, and_(one.id == walked.c.one_id, one.is_active, one.merged_into_id.is_(None)))
        .join(
            other,
            and_(other.id == walked.c.other_id, other.is_active, other.merged_into_id.is_(None)),
        )
        .where(walked.c.one_id != walked.c.other_id, ~is_answered)
        .subquery()
    )


def _walked():
    """Open pairs, and each again for every merge on the way to the records of today."""
    first, second = (
        SuspectedPair.first_id.label("one_id"),
        SuspectedPair.second_id.label("other_id"),
    )
    start = select(SuspectedPair.id.label("pair_id"), first, second)
    walked = start.where(SuspectedPair.state == PairState.OPEN).cte("walked", recursive=True)
    one, other = aliased(Patient), aliased(Patient)
    is_merged = or_(one.merged_into_id.is_not(None), other.merged_into_id.is_not(None))
    return walked.union_all(
        select(
            walked.c.pair_id,
            func.coalesce(one.merged_into_id, walked.c.one_id),
            func.coalesce(other.merged_into_id, walked.c.other_id),
        )
        .join(one, one.id == walked.c.one_id)
        .join(other, other.id == walked.c.other_id)
        .where(is_merged)
    )


def different_from(patient: Patient) -> set[int]:
    """Ids of the records of people who were answered to be somebody else.

    An answer about a record holds for whatever it was merged with, on both sides.
    """
    return _others(patient, PairState.DIFFERENT)


def open_with(patient: Patient) -> set[int]:
    """Ids of the records that may be the same person, as somebody said and nobody decided."""
    return _others(patient, PairState.OPEN)


def _others(patient: Patient, state: PairState) -> set[int]:
    own = _one_person({patient.id})
    first, second = SuspectedPair.first_id, SuspectedPair.second_id
    answered = select(first, second).where(
        SuspectedPair.state == state, or_(first.in_(own), second.in_(own))
    )
    others = {id_ for pair in db.session.execute(answered) for id_ in pair} - own
    return _one_person(others) - own if others else others


def _one_person(ids: set[int]) -> set[int]:
    """These records and all that are joined to them by merges in force."""
    known, fresh = set(ids), set(ids)
    while fresh:
        joined = select(PatientMerge.loser_id, PatientMerge.survivor_id).where(
            PatientMerge.undone_at.is_(None),
            or_(PatientMerge.loser_id.in_(fresh), PatientMerge.survivor_id.in_(fresh)),
        )
        fresh = {id_ for merge in db.session.execute(joined) for id_ in merge} - known
        known |= fresh
    return known
