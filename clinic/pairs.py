"""Pairs of records that may be one person: what was answered is remembered for ever.

A pair is one row whoever was asked, the older record first. An answer belongs to the two records;
after a merge it counts for the person they became part of.
"""

from sqlalchemy import or_, select

from clinic import audit
from clinic.matching import Match
from db import db, utcnow
from models import PairSource, PairState, Patient, PatientMerge, SuspectedPair

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
    pair = _find(one.id, other.id)
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
    _record(actor, pair, other if other.id > one.id else one, source, note)
    return pair


def _find(one_id: int, other_id: int) -> SuspectedPair | None:
    """The row of these two. Nobody adds it after this look: one writer at a time."""
    if one_id == other_id:
        raise ValueError("a pair needs two records")
    first_id, second_id = sorted((one_id, other_id))
    return db.session.scalar(
        select(SuspectedPair).where(
            SuspectedPair.first_id == first_id, SuspectedPair.second_id == second_id
        )
    )


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
    pair.decided_at = None if is_open else utcnow()
    pair.decided_by_id = None if is_open else actor.user_id


def _record(
    actor: audit.Actor, pair: SuspectedPair, newer: Patient, source: PairSource, note: str
) -> None:
    audit.record(
        actor,
        "raise_pair" if pair.state == PairState.OPEN else "decide_pair",
        object_type="pair",
        object_ref=pair.public_id,
        patient_ref=newer.public_id,
        reason=note,
        details=f"{pair.state.value} {source.value}",
    )


# Reading


def different_from(patient: Patient) -> set[int]:
    """Ids of the records of people who were answered to be somebody else.

    An answer about a record holds for whatever it was merged with, on both sides.
    """
    own = _one_person({patient.id})
    first, second = SuspectedPair.first_id, SuspectedPair.second_id
    answered = select(first, second).where(
        SuspectedPair.state == PairState.DIFFERENT, or_(first.in_(own), second.in_(own))
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
