"""Pairs of records that may be one person: answers that stay, whoever asks again."""

import itertools
import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

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


# The worklist


def listed(limit: int = 50, before: str | None = None) -> list[tuple[int, int]]:
    db.session.rollback()
    return [(each.one.id, each.other.id) for each in pairs.open_pairs(limit, before)]


def test_the_worklist_shows_doubts_of_people_first_strong_ones_then_the_oldest(app):
    a, b, c, d = (factories.patient() for _ in range(4))
    note(a, b, OPEN, match=POSSIBLE)
    note(a, c, OPEN)
    note(a, d, OPEN, match=STRONG)
    note(b, c, OPEN, match=STRONG)
    note(b, d, DIFFERENT, match=STRONG)
    note(c, d, OPEN, SCAN, match=STRONG)
    everything = [(a.id, d.id), (b.id, c.id), (a.id, b.id), (a.id, c.id), (c.id, d.id)]
    assert listed() == everything
    assert pairs.count_open() == 5
    paged, before = [], None
    while page := pairs.open_pairs(1, before):
        paged += [(each.one.id, each.other.id) for each in page]
        before = page[-1].pair.public_id
    assert paged == everything
    assert listed(before="unknown") == everything


def test_the_worklist_follows_merges_however_deep(app):
    loser, into, top, other = (factories.patient() for _ in range(4))
    pair = note(loser, other, OPEN)
    joined(into, loser)
    upper = joined(top, into)
    assert listed() == [(top.id, other.id)]
    assert pairs.of_today(pairs.by_ref(pair.public_id)).one.id == top.id
    parted(upper)
    assert listed() == [(into.id, other.id)]


def test_two_pairs_that_became_the_same_are_shown_once(app):
    one, two, other = (factories.patient() for _ in range(3))
    note(one, other, OPEN)
    note(two, other, OPEN, match=STRONG)
    joined(one, two)
    assert listed() == [(one.id, other.id)]
    assert pairs.count_open() == 1
    with transaction():
        pair = pairs.open_pairs(1)[0].pair
        pairs.decide_different(factories.actor(), pair, "kakak beradik")
    assert listed() == []
    assert pairs.different_from(one) == {other.id}
    assert {row.note for row in db.session.scalars(select(SuspectedPair))} == {"kakak beradik"}


def test_what_was_answered_about_the_survivor_is_not_asked_again(app):
    one, two, other = (factories.patient() for _ in range(3))
    note(two, other, OPEN)
    note(one, other, DIFFERENT)
    merge = joined(one, two)
    assert listed() == []
    assert pairs.count_open() == 0
    parted(merge)
    assert listed() == [(two.id, other.id)]


def test_who_is_one_record_by_now_is_no_pair(app):
    one, two, top = (factories.patient() for _ in range(3))
    note(one, two, OPEN, match=STRONG)
    joined(top, one)
    last = joined(top, two)
    assert listed() == []
    parted(last)
    assert listed() == [(two.id, top.id)]


def test_a_record_that_an_import_took_back_is_no_pair(app):
    one, two = factories.patient(), factories.patient()
    note(one, two, OPEN)
    with transaction():
        db.session.get_one(Patient, two.id).is_active = False
    assert listed() == []
    assert pairs.count_open() == 0


def test_the_worklist_is_one_query_however_long(app):
    known = [factories.patient() for _ in range(6)]
    for one, other in itertools.combinations(known, 2):
        note(one, other, OPEN)
    db.session.rollback()
    db.session.expunge_all()
    statements = []
    listen = lambda *given: statements.append(given[2])  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        names = [(each.one.name, each.other.household) for each in pairs.open_pairs(50)]
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)
    assert len(names) == 15
    assert sum("suspected_pair" in statement for statement in statements) == 1
    assert not [one for one in statements if "FROM patient" in one and "suspected_pair" not in one]
