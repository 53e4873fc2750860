"""Two records that are one person become one, and two again when it was a mistake.

What belongs to a person goes over by its `patient_id` (`clinic.belongings`); the loser's row stays
as it stood and points to the survivor. An undo gives back what came from the loser and leaves what
was added or corrected since. Undo in any order, with two exceptions that are refused: while the
survivor is itself merged, and before a newer merge of the survivor that changed the same fields.
"""

from collections.abc import Mapping

from sqlalchemy import and_, or_, select
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql import ColumnElement

from clinic import (
    audit,
    belongings,
    days,
    first_visits,
    identity_history,
    merge_fields,
    name_index,
    pairs,
    patients,
    queues,
    visit_snapshot,
)
from clinic.belongings import MOVES
from clinic.merge_fields import MergeError, Side
from db import add_row, db, utcnow
from models import (
    PairSource,
    PairState,
    Patient,
    PatientMerge,
    Poli,
    QueueEntry,
    SuspectedPair,
    Visit,
)
from validators import FieldError, clean_text

CHANGED = "Rekam ini baru saja diubah orang lain. Muat ulang halaman, lalu periksa lagi."


def refusal(survivor: Patient, loser: Patient) -> str:
    """Why these two can't be merged now, a sentence; empty when they can."""
    if survivor.id == loser.id:
        return "Keduanya rekam yang sama; tidak ada yang perlu digabung."
    for one in (survivor, loser):
        if one.merged_into_id is not None:
            return f"No. RM {one.mrn} sudah digabung ke No. RM {patients.current(one).mrn}."
        if not one.is_active:
            return f"No. RM {one.mrn} tidak aktif lagi, jadi tidak dapat digabung."
    return _still_queued(Visit.patient_id.in_([survivor.id, loser.id]))


def merge(
    actor: audit.Actor,
    survivor: Patient,
    loser: Patient,
    picked: Mapping[str, Side],
    reason: str,
    pair: SuspectedPair | None = None,
) -> PatientMerge:
    """Take the loser's record into the survivor's. Raises MergeError.

    `picked` names the record that a field of `patients.Identity` is taken from; what it doesn't
    name stays the survivor's. Visits keep what they noted of the person on their day,
    but for the age: it goes by the birth date that holds.
    """
    reason = _told(reason)
    why_not = refusal(survivor, loser) or _not_about(pair, survivor, loser)
    if why_not:
        raise MergeError(why_not)
    identity = merge_fields.chosen(survivor, loser, picked)
    asked = _pairs_between(survivor, loser, pair)
    try:
        done = PatientMerge(
            survivor_id=survivor.id,
            loser_id=loser.id,
            pair_id=(pair or asked[0]).id if asked else None,
            reason=reason,
            merged_by_id=actor.user_id,
        )
        # First: the loser must not hold its NIK when the survivor takes it.
        loser.merged_into_id = survivor.id
        db.session.flush()
        done.fields = merge_fields.take(actor, survivor, loser, identity, reason)
        done.fields |= merge_fields.take_beside(survivor, loser, picked)
        done.moved = {
            table.__tablename__: belongings.take_over(table, loser, survivor) for table in MOVES
        }
        identity_history.bring_aliases(survivor, loser)
        name_index.refresh(survivor)
        add_row(done)
    except StaleDataError as stale:
        raise MergeError(CHANGED) from stale
    for one in asked:
        state, source = PairState.MERGED, PairSource.RECORDS
        pairs.note(actor, one.first, one.second, state, source=source, note=reason)
    first_visits.settle(survivor.id)
    visit_snapshot.age_anew(survivor)
    queues.bump_rooms_of(survivor)
    _record(actor, "merge_patients", done, reason)
    return done


def undo_refusal(merge: PatientMerge) -> str:
    """Why this merge can't be undone now, a sentence; empty when it can."""
    if merge.undone_at is not None:
        return "Penggabungan ini sudah diurungkan."
    survivor = merge.survivor
    if survivor.merged_into_id is not None:
        into = db.session.get_one(Patient, survivor.merged_into_id)
        return (
            f"No. RM {survivor.mrn} sendiri sudah digabung ke No. RM {into.mrn}. "
            "Urungkan dahulu penggabungan itu."
        )
    for other in _merges_into(survivor):
        if other.id > merge.id and merge_fields.touch_the_same(merge.fields, other.fields):
            return (
                f"Urungkan dahulu penggabungan No. RM {other.loser.mrn} ke No. RM {survivor.mrn}: "
                "keduanya mengubah isian yang sama."
            )
    return _still_queued(Visit.id.in_(belongings.returning(Visit, merge)))


def undo(actor: audit.Actor, merge: PatientMerge, reason: str) -> list[str]:
    """Make two records of them again. Returns the fields that stay as they are now.

    Those are fields that the merge changed and somebody changed again since. What was added to the
    survivor after the merge, or corrected to another patient, stays there. Raises MergeError.
    """
    reason = _told(reason)
    why_not = undo_refusal(merge)
    if why_not:
        raise MergeError(why_not)
    survivor, loser = merge.survivor, merge.loser
    try:
        kept = merge_fields.give_back(actor, merge, reason)
        for table in MOVES:
            belongings.set_patient(table, belongings.returning(table, merge), loser)
        identity_history.end_brought_aliases(survivor, loser)
        merge.undone_at, merge.undone_by_id, merge.undo_reason = utcnow(), actor.user_id, reason
        # Somebody may have been given the loser's NIK meanwhile.
        loser.is_nik_disputed = loser.is_nik_disputed or merge_fields.is_owned(loser.nik, loser)
        loser.merged_into_id = None
        db.session.flush()
        for other in _merges_into(survivor):
            identity_history.bring_aliases(survivor, other.loser)
        name_index.refresh(survivor)
        name_index.refresh(loser)
    except StaleDataError as stale:
        raise MergeError(CHANGED) from stale
    _reopen_pairs(actor, survivor, loser, reason)
    first_visits.settle(survivor.id, loser.id)
    for one in (survivor, loser):
        visit_snapshot.age_anew(one)
    queues.bump_rooms_of(survivor, loser)
    _record(actor, "undo_merge", merge, reason)
    return kept


def belongings_of(merge: PatientMerge) -> dict[str, int]:
    """How many rows went over, by table."""
    return {t.__tablename__: len(merge.moved.get(t.__tablename__, ())) for t in MOVES}


# Refusing


def _told(reason: str) -> str:
    try:
        cleaned = clean_text(reason, 300)
    except FieldError as problem:
        raise MergeError(str(problem)) from problem
    if not cleaned:
        raise MergeError("Tulis alasannya.")
    return cleaned


def _still_queued(whose: ColumnElement[bool]) -> str:
    day = days.current_day()
    if day is None:
        return ""
    rows = (
        select(Visit.label, Poli.name)
        .join(QueueEntry, QueueEntry.visit_id == Visit.id)
        .join(Poli, Poli.id == QueueEntry.poli_id)
        .where(QueueEntry.service_day_id == day.id, QueueEntry.state.in_(days.STILL_HERE), whose)
        .order_by(QueueEntry.id)
    )
    places = [f"{label} di {room}" for label, room in db.session.execute(rows)]
    return f"Selesaikan atau batalkan dahulu antrean {' dan '.join(places)}." if places else ""


def _not_about(pair: SuspectedPair | None, survivor: Patient, loser: Patient) -> str:
    if pair is None:
        return ""
    asked = {patients.current(pair.first).id, patients.current(pair.second).id}
    return "" if asked == {survivor.id, loser.id} else "Pasangan ini tentang rekam yang lain."


# What shows it


def _merges_into(survivor: Patient) -> list[PatientMerge]:
    """The survivor's merges in force, the newest first."""
    rows = select(PatientMerge).where(
        PatientMerge.survivor_id == survivor.id, PatientMerge.undone_at.is_(None)
    )
    return list(db.session.scalars(rows.order_by(PatientMerge.id.desc())))


def _pairs_between(
    survivor: Patient, loser: Patient, given: SuspectedPair | None
) -> list[SuspectedPair]:
    """What the merge answers: the pair of the two, and open ones of records merged into them."""
    ones, others = belongings.with_merged(survivor.id), belongings.with_merged(loser.id)
    first, second = SuspectedPair.first_id, SuspectedPair.second_id
    is_asked = or_(
        SuspectedPair.state == PairState.OPEN,
        SuspectedPair.id == (given.id if given else None),
        and_(first.in_([survivor.id, loser.id]), second.in_([survivor.id, loser.id])),
    )
    return _crossing(ones, others, is_asked)


def _crossing(
    ones: set[int], others: set[int], condition: ColumnElement[bool]
) -> list[SuspectedPair]:
    first, second = SuspectedPair.first_id, SuspectedPair.second_id
    is_theirs = or_(
        and_(first.in_(ones), second.in_(others)), and_(first.in_(others), second.in_(ones))
    )
    rows = select(SuspectedPair).where(is_theirs, condition).order_by(SuspectedPair.id)
    return list(db.session.scalars(rows))


def _reopen_pairs(actor: audit.Actor, survivor: Patient, loser: Patient, reason: str) -> None:
    """A pair is merged exactly as long as both lead to one record."""
    text = f"Penggabungan diurungkan: {reason}"
    is_merged = SuspectedPair.state == PairState.MERGED
    for pair in _crossing(
        belongings.with_merged(survivor.id), belongings.with_merged(loser.id), is_merged
    ):
        state, source = PairState.OPEN, PairSource.RECORDS
        pairs.note(actor, pair.first, pair.second, state, source=source, note=text)


def _record(actor: audit.Actor, action: str, merge: PatientMerge, reason: str) -> None:
    ref, details = merge.survivor.public_id, f"{merge.loser.mrn} > {merge.survivor.mrn}"
    audit.record(actor, action, merge, patient_ref=ref, reason=reason, details=details)
