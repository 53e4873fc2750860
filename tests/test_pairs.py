"""Pairs of records that may be one person: answers that stay, whoever asks again."""

import itertools
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from clinic import pairs
from clinic.audit import SYSTEM
from clinic.matching import Match
from db import db, transaction, utcnow
from models import AuditEntry, PairSource, PairState, Patient, PatientMerge, SuspectedPair
from tests import factories

OPEN, DIFFERENT, MERGED = PairState.OPEN, PairState.DIFFERENT, PairState.MERGED
COUNTER, RECORDS, IMPORT, SCAN = (
    PairSource.COUNTER,
    PairSource.RECORDS,
    PairSource.IMPORT,
    PairSource.SCAN,
)
STRONG = Match(12.5, "strong", ("nama sama", "tanggal lahir sama"))
POSSIBLE = Match(8.5, "possible", ("nama mirip", "satu desa"))


def note(one, other, state, source=COUNTER, actor=SYSTEM, **more) -> SuspectedPair:
    with transaction():
        one, other = db.session.merge(one), db.session.merge(other)
        return pairs.note(actor, one, other, state, source=source, **more)


def joined(survivor: Patient, loser: Patient) -> PatientMerge:
    """The merge of two records, as far as pairs look at it."""
    with transaction():
        merge = PatientMerge(survivor_id=survivor.id, loser_id=loser.id, reason="sama")
        db.session.add(merge)
        db.session.get_one(Patient, loser.id).merged_into_id = survivor.id
    return merge


def parted(merge: PatientMerge) -> None:
    with transaction():
        merge.undone_at = utcnow()
        db.session.get_one(Patient, merge.loser_id).merged_into_id = None


def audited() -> list[str]:
    actions = ("raise_pair", "decide_pair")
    found = select(AuditEntry.action, AuditEntry.details).where(AuditEntry.action.in_(actions))
    return [f"{action} {details}" for action, details in db.session.execute(found)]


def rows() -> int:
    return db.session.scalar(select(func.count()).select_from(SuspectedPair))


def test_a_pair_is_one_row_whoever_was_asked(app):
    one, other = factories.patient(), factories.patient()
    first = note(other, one, OPEN, match=STRONG, actor=factories.actor())
    again = note(one, other, OPEN, match=POSSIBLE)
    assert (first.first_id, first.second_id) == (one.id, other.id)
    assert again.id == first.id
    assert rows() == 1
    assert again.raised_at == first.raised_at
    assert again.raised_by_id == factories.user().id
    assert (again.level, again.points) == ("possible", 8.5)
    assert again.reasons == "nama mirip; satu desa"
    assert audited() == ["raise_pair open counter"]


def test_the_audit_trail_knows_the_pair_by_its_public_ids(app):
    one, other = factories.patient(), factories.patient()
    pair = note(other, one, DIFFERENT, actor=factories.actor(), note="kembar")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "decide_pair")).one()
    assert (entry.object_type, entry.object_ref) == ("pair", pair.public_id)
    assert entry.patient_ref == other.public_id
    assert entry.reason == "kembar"
    assert not any(patient.nik in entry.details + entry.reason for patient in (one, other))


def test_a_record_is_no_pair_with_itself(app):
    one = factories.patient()
    with pytest.raises(ValueError, match="two records"):
        note(one, one, OPEN)


@pytest.mark.parametrize("source", [COUNTER, IMPORT, SCAN])
@pytest.mark.parametrize("state", [OPEN, MERGED])
def test_not_the_same_is_remembered_for_ever(app, source, state):
    one, other = factories.patient(), factories.patient()
    decided = note(one, other, DIFFERENT, actor=factories.actor())
    again = note(one, other, state, source)
    assert again.state == DIFFERENT
    assert again.decided_at == decided.decided_at
    assert audited() == ["decide_pair different counter"]


def test_only_the_records_staff_reopen_it(app):
    one, other = factories.patient(), factories.patient()
    before = note(one, other, DIFFERENT).raised_at
    pair = note(one, other, OPEN, RECORDS)
    assert (pair.state, pair.decided_at, pair.source) == (OPEN, None, RECORDS)
    assert pair.raised_at > before
    assert audited() == ["decide_pair different counter", "raise_pair open records"]


def test_an_answer_at_the_counter_decides_an_open_pair(app):
    one, other = factories.patient(), factories.patient()
    raised = note(one, other, OPEN, SCAN, match=STRONG).raised_at
    pair = note(one, other, DIFFERENT, actor=factories.actor())
    assert (pair.state, pair.source, pair.raised_at) == (DIFFERENT, SCAN, raised)
    assert pair.decided_by_id == factories.user().id
    assert timedelta() <= pair.decided_at - raised < timedelta(minutes=5)
    assert pair.level == "strong"


def test_a_merged_pair_stays_merged_until_the_merge_is_undone(app):
    one, other = factories.patient(), factories.patient()
    note(one, other, OPEN)
    merge = joined(one, other)
    note(one, other, MERGED, RECORDS)
    for state, source in itertools.product((OPEN, DIFFERENT), (COUNTER, RECORDS)):
        assert note(one, other, state, source).state == MERGED
    parted(merge)
    assert note(one, other, OPEN, RECORDS).state == OPEN


def test_different_from_nobody(app):
    one, other = factories.patient(), factories.patient()
    note(one, other, OPEN)
    assert pairs.different_from(one) == set()


def test_different_from_holds_for_both(app):
    one, other, third = factories.patient(), factories.patient(), factories.patient()
    note(one, other, DIFFERENT)
    note(one, third, DIFFERENT)
    assert pairs.different_from(one) == {other.id, third.id}
    assert pairs.different_from(other) == {one.id}


def test_an_answer_holds_for_whatever_the_record_was_merged_with(app):
    one, other, into, top, alias = (factories.patient() for _ in range(5))
    note(one, other, DIFFERENT)
    joined(into, other)
    upper = joined(top, into)
    joined(one, alias)
    assert pairs.different_from(one) == {other.id, into.id, top.id}
    assert pairs.different_from(alias) == {other.id, into.id, top.id}
    assert pairs.different_from(top) == {one.id, alias.id}
    parted(upper)
    assert pairs.different_from(one) == {other.id, into.id}
    assert pairs.different_from(top) == set()


def test_two_clerks_at_once_make_one_row(app):
    one, other = factories.patient(), factories.patient()
    start, failed = threading.Barrier(4), []

    def answer(state: PairState) -> None:
        with app.app_context():
            mine, theirs = db.session.get(Patient, one.id), db.session.get(Patient, other.id)
            start.wait(10)
            try:
                note(theirs, mine, state)
            except Exception as problem:
                failed.append(problem)

    clerks = [threading.Thread(target=answer, args=[s]) for s in (OPEN, DIFFERENT) * 2]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join()
    assert not failed
    db.session.rollback()
    assert db.session.scalars(select(SuspectedPair.state)).all() == [DIFFERENT]
