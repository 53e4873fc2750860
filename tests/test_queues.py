"""The rooms' queues: every legal and illegal step, the order, moves, referrals and undo."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from clinic import (
    allergies,
    days,
    queue_changes,
    queue_lines,
    queue_version,
    queue_watch,
    queues,
    records,
    settings,
)
from clinic.queue_order import in_calling_order, put_back
from clinic.queue_steps import PRESENT, STEPS, QueueError, last_event
from db import db, transaction, utcnow
from models import (
    Allergy,
    AuditEntry,
    EntryKind,
    EntryState,
    Examination,
    Level,
    LoginSession,
    Override,
    Priority,
    QueueEntry,
    QueueEvent,
    QueueState,
    User,
    UserPoli,
    Visit,
    VisitStatus,
    VitalSigns,
)
from sessions import digest
from tests import factories
from tests.databases import count_queries

BUTTONS = sorted(action for action, step in STEPS.items() if step.is_button)
ACTIVE = ("waiting", "called", "in_service", "awaiting_result", "skipped")


def stand(code="UMUM", name="Siti Aminah", **fields) -> QueueEntry:
    """A patient who was just registered for this room."""
    return factories.entry(code, factories.patient(name), **fields)


def act(entry, action, reason="salah ruang", target=None, by="umum"):
    with transaction():
        room = factories.poli(target) if target else None
        return queues.act(factories.actor(by), entry, action, reason, room)


def call_next(code="UMUM", key=None, by="umum"):
    with transaction():
        return queues.call_next(factories.actor(by), factories.poli(code), key)


def refer(entry, target, back=True, reason="periksa darah"):
    with transaction():
        return queues.refer(factories.actor(), entry, factories.poli(target), reason, back)


def finish(entry):
    with transaction():
        return queues.finish(factories.actor(), entry)


def set_setting(key, value):
    with transaction():
        settings.set_value(key, value)


def fresh(entry) -> QueueEntry:
    db.session.rollback()
    return db.session.get(QueueEntry, entry.id, populate_existing=True)


def version(code="UMUM") -> int:
    db.session.rollback()
    room = factories.poli(code)
    return (
        db.session.scalar(select(func.sum(QueueState.version)).where(QueueState.poli_id == room.id))
        or 0
    )


def room(code="UMUM"):
    db.session.rollback()
    return queues.room_queue(factories.poli(code), days.current_day())


def waiting_labels(code="UMUM") -> list[str]:
    return [row.label for row in room(code).waiting]


def bring_to(state: str) -> QueueEntry:
    """An entry in this state, by the steps that staff would take."""
    entry = stand()
    if state in ("called", "skipped"):
        act(entry, "panggil")
    if state == "skipped":
        act(entry, "lewati")
    if state in ("in_service", "done"):
        act(entry, "mulai")
    if state == "done":
        act(entry, "selesai")
    if state == "awaiting_result":
        refer(entry, "LAB")
    if state == "moved":
        act(entry, "pindah", target="GIGI")
    if state == "cancelled":
        act(entry, "batal")
    if state == "left":
        act(entry, "pulang")
    if state == "unfinished":
        with transaction():
            db.session.get(QueueEntry, entry.id).state = EntryState.UNFINISHED
    assert fresh(entry).state == state
    return entry


# --- The order --------------------------------------------------------------------------------


class Stand:
    def __init__(self, rank, is_priority, place, seq):
        self.rank, self.is_priority, self.place, self.seq = rank, is_priority, place, seq

    def __repr__(self):
        return f"{self.rank}{'P' if self.is_priority else 'r'}{self.place}"


@st.composite
def lines(draw):
    size = draw(st.integers(0, 25))
    places = draw(st.lists(st.integers(1, 60), min_size=size, max_size=size))
    return [
        Stand(draw(st.sampled_from([0, 1, 2, 2, 2])), draw(st.booleans()), place, seq)
        for seq, place in enumerate(places)
    ]


@given(lines(), st.integers(0, 4), st.integers(0, 6))
def test_order_loses_nobody_and_keeps_each_class_in_line(line, ratio, run):
    order = in_calling_order(line, ratio, run)
    assert sorted(map(id, order)) == sorted(map(id, line))
    assert [entry.rank for entry in order] == sorted(entry.rank for entry in line)
    classes = [
        [entry for entry in order if entry.rank < 2],
        [entry for entry in order if entry.rank == 2 and entry.is_priority],
        [entry for entry in order if entry.rank == 2 and not entry.is_priority],
    ]
    for members in classes:
        keys = [(entry.rank, entry.place, entry.seq) for entry in members]
        assert keys == sorted(keys)


@given(lines(), st.integers(1, 4), st.integers(0, 6))
def test_priority_never_holds_the_others_up_for_longer_than_the_ratio(line, ratio, run):
    rest = [entry for entry in in_calling_order(line, ratio, run) if entry.rank == 2]
    others = sum(not entry.is_priority for entry in rest)
    streak = run
    for entry in rest:
        if not entry.is_priority:
            streak, others = 0, others - 1
            continue
        streak += 1
        assert streak <= ratio or not others


def test_two_priority_patients_then_one_other():
    line = [Stand(2, kind == "P", place, place) for place, kind in enumerate("rrrrPPPPP")]
    order = "".join("P" if e.is_priority else "r" for e in in_calling_order(line, 2, 0))
    assert order == "PPrPPrPrr"
    order = "".join("P" if e.is_priority else "r" for e in in_calling_order(line, 2, 2))
    assert order == "rPPrPPrPr"
    assert [e.place for e in in_calling_order(line, 0, 0)] == list(range(9))


BACK = st.builds(Stand, st.sampled_from([0, 1, 2]), st.booleans(), st.integers(1, 60), st.just(99))


@given(lines(), st.integers(0, 5), st.integers(0, 3), st.integers(0, 4), BACK)
def test_put_back_stands_behind_the_next_ones(line, behind, ratio, run, back):
    order = in_calling_order(line, ratio, run)
    rank, is_priority, lane, spot = put_back(back, order, behind, ratio, run)
    assert (rank, is_priority) in {(back.rank, back.is_priority), (2, False)}
    assert back.rank or rank == 0  # an emergency stays one
    next_ones, before = order[:behind], lane[:spot]
    assert all(entry in before for entry in lane if entry in next_ones)
    is_own_class = (rank, is_priority) == (back.rank, back.is_priority)
    own = [entry for entry in lane if is_own_class and entry.place < back.place]
    assert all(entry in before for entry in own)
    assert all(entry in next_ones or entry in own for entry in before[-1:])  # and no further back
    if back.rank and lane[spot:]:
        mine = Stand(rank, is_priority, lane[spot].place, lane[spot].seq - 0.5)
        assert in_calling_order([*line, mine], ratio, run).index(mine) >= len(next_ones)


# --- Registration, calling --------------------------------------------------------------------


def test_enqueue_gives_places_by_arrival_and_raises_the_version(app):
    before = version()
    first, second = stand(name="Siti"), stand("GIGI", name="Budi")
    third = stand(name="Wayan")
    assert [e.place for e in (first, second, third)] == [1000, 2000, 3000]
    assert version() == before + 2
    assert waiting_labels() == [first.visit.label, third.visit.label]
    assert last_event(first).action == "masuk"


def test_enqueue_ranks_emergencies_and_marks_priority(app):
    stand()
    elder = stand(priority=Priority.ELDERLY)
    urgent = stand(priority=Priority.EMERGENCY)
    assert (elder.rank, elder.is_priority) == (2, True)
    assert (urgent.rank, urgent.is_priority) == (0, False)
    assert waiting_labels()[:2] == [urgent.visit.label, elder.visit.label]


def test_a_visit_stands_once_in_a_room(app):
    entry = stand()
    with pytest.raises(QueueError, match="dua kali"), transaction():
        queues.enqueue(factories.actor(), entry.visit, factories.poli("UMUM"))
    columns = {key: getattr(entry, key) for key in ("visit_id", "service_day_id", "poli_id")}
    with pytest.raises(IntegrityError), transaction():
        db.session.add(QueueEntry(**columns, seq=9, place=9))


@pytest.mark.parametrize(
    ("steps", "stays"),
    [((), "tetap di antrean sana"), (("panggil", "mulai"), "tetap dilayani di sana")],
)
def test_who_sends_a_patient_where_they_stand_is_told_what_to_do(app, steps, stays):
    entry = stand()
    with transaction():
        there = queues.enqueue(factories.actor(), entry.visit, factories.poli("GIGI"))
    for step in steps:
        act(there, step, by="gigi")
    refused = f"dua kali. Pasien {stays}; pilih tindak lanjut lain, misalnya Pulang.$"
    with pytest.raises(QueueError, match=refused), transaction():
        queues.refer(factories.actor("umum"), entry, factories.poli("GIGI"))
    with pytest.raises(QueueError, match=f"{stays}; bila tidak perlu lagi di ruang ini"):
        act(entry, "pindah", target="GIGI")


def test_call_next_goes_down_the_line_and_ends(app):
    labels = [stand().visit.label for _ in range(3)]
    called = [call_next() for _ in range(4)]
    assert [entry.visit.label for entry in called[:3]] == labels
    assert called[3] is None
    assert {fresh(entry).state for entry in called[:3]} == {EntryState.CALLED}
    assert called[0].calls == 1
    assert called[0].called_at


def test_call_next_is_in_the_audit_trail(app):
    entry = stand()
    call_next()
    found = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "call")).one()
    assert (found.object_ref, found.user_id) == (entry.public_id, factories.user("umum").id)


def test_call_next_interleaves_priority_across_calls(app):
    others = [stand().visit.label for _ in range(3)]
    elders = [stand(priority=Priority.ELDERLY).visit.label for _ in range(5)]
    called = [call_next().visit.label for _ in range(8)]
    assert called == [*elders[:2], others[0], *elders[2:4], others[1], elders[4], others[2]]


def test_an_emergency_that_is_called_takes_nobodys_turn(app):
    set_setting("priority_ratio", 1)
    for priority in (Priority.ELDERLY, Priority.EMERGENCY):
        stand(priority=priority), call_next()
    stand(priority=Priority.ELDERLY)
    other = stand()
    assert call_next().id == other.id


def test_call_next_without_a_day_or_anybody_changes_nothing(app):
    assert call_next() is None
    stand("GIGI")
    before = version()
    assert call_next() is None
    assert version() == before


def test_the_same_press_calls_once(app):
    first, second = stand(), stand()
    assert call_next(key="a1").id == first.id
    assert call_next(key="a1").id == first.id
    assert call_next(key="x" * 500).id == second.id
    assert call_next(key="x" * 500).id == second.id
    assert fresh(first).calls == 1


def test_a_press_counts_in_its_own_room_only(app):
    here, there = stand(), stand("GIGI")
    assert call_next(key="a1").id == here.id
    assert call_next("GIGI", key="a1", by="gigi").id == there.id


def test_call_next_leaves_a_result_that_waits_in_front_of_new_ones(app):
    sender = stand()
    stand()
    act(sender, "mulai")
    back = finish(refer(sender, "LAB"))
    assert call_next().id == back.id


# --- The table of steps -----------------------------------------------------------------------


@pytest.mark.parametrize("state", [state.value for state in EntryState])
def test_every_step_from_every_state(app, state):
    for action in BUTTONS:
        entry = bring_to(state)
        before, events = version(), event_count(entry)
        target = "KIA" if action == "pindah" else None
        step = STEPS[action]
        if EntryState(state) in step.sources:
            act(entry, action, target=target)
            assert fresh(entry).state == step.target, action
            assert version() > before
            assert event_count(entry) == events + 1
            event = last_event(entry)
            assert (event.from_state, event.to_state, event.action) == (state, step.target, action)
            assert event.user_id == factories.user("umum").id
            assert audit_actions()[-1] == step.audit
        else:
            with pytest.raises(QueueError) as refused:
                act(entry, action, target=target)
            assert entry.visit.label in str(refused.value)
            assert fresh(entry).state == state, action
            assert (version(), event_count(entry)) == (before, events)


def event_count(entry) -> int:
    return db.session.scalar(
        select(func.count()).select_from(QueueEvent).where(QueueEvent.entry_id == entry.id)
    )


def audit_actions() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


def test_every_state_has_its_sentence():
    assert set(PRESENT) == set(EntryState)


def test_the_table_of_steps_is_the_clinics():
    """Written out once more: the test of every step reads its expectations from the table."""
    waiting, called, serving, away, skipped = ACTIVE
    expected = {
        "panggil": ({waiting, called, skipped}, called),
        "lewati": ({called}, skipped),
        "kembali": ({skipped}, waiting),
        "jemput": ({away}, "done"),
        "mulai": ({waiting, called}, serving),
        "selesai": ({serving, away}, "done"),
        "pindah": ({waiting, called, serving, skipped}, "moved"),
        "batal": ({waiting, called, serving, skipped}, "cancelled"),
        "pulang": ({waiting, called, skipped}, "left"),
        "periksa": ({waiting, called, serving, "unfinished"}, "done"),
        "rujuk": ({waiting, called, serving}, away),
        "hasil": ({away}, "done"),
        "kertas": ({waiting}, "done"),
    }
    assert {name: (set(step.sources), step.target) for name, step in STEPS.items()} == expected


def test_a_refusal_names_the_state_the_person_and_the_time(app):
    entry = stand()
    act(entry, "panggil")
    act(entry, "mulai")
    with pytest.raises(QueueError) as refused:
        act(entry, "lewati")
    assert str(refused.value).startswith(
        f"Pasien {entry.visit.label} sedang dilayani di Poli Umum, dimulai oleh "
        "dr. Bagus Prasetyo pukul "
    )
    assert "Yang dapat dilewati hanya pasien yang sedang dipanggil" in str(refused.value)


@pytest.mark.parametrize("action", ["pindah", "batal", "pulang"])
def test_a_step_that_needs_a_reason_is_refused_without(app, action):
    entry = stand()
    with pytest.raises(QueueError, match="alasan"):
        act(entry, action, reason="  ", target="GIGI")
    assert fresh(entry).state == "waiting"


@pytest.mark.parametrize("action", ["pindah", "batal", "pulang"])
def test_a_reason_stands_in_the_trail(app, action):
    entry = stand()
    act(entry, action, reason="salah orang", target="GIGI")
    noted = db.session.scalars(select(AuditEntry).where(AuditEntry.reason != "")).one()
    assert (noted.action, noted.reason) == (STEPS[action].audit, "salah orang")
    assert (noted.object_ref, noted.patient_ref) == (
        entry.public_id,
        entry.visit.patient.public_id,
    )


def test_a_room_that_closed_meanwhile_takes_nobody(app):
    entry = stand()
    with transaction():
        factories.poli("GIGI").is_active = False
    with pytest.raises(QueueError, match="Pilih ruang tujuannya"):
        act(entry, "pindah", target="GIGI")
    assert fresh(entry).state == "waiting"


@pytest.mark.parametrize("action", ["pindah", "batal"])
def test_no_undo_leads_into_a_room_that_was_closed(app, action):
    entry = stand("GIZI")
    after = act(entry, action, target="UMUM")
    with transaction():
        factories.poli("GIZI").is_active = False
    before = states(entry, after)
    with pytest.raises(QueueError, match="sudah ditutup, jadi"):
        act(after, "urungkan")
    assert states(entry, after) == before


def test_a_priority_patient_called_again_takes_one_turn(app):
    set_setting("priority_ratio", 2)
    first, second = stand(priority=Priority.ELDERLY), stand(priority=Priority.ELDERLY)
    stand()
    assert call_next().id == first.id
    act(first, "panggil")
    assert call_next().id == second.id


def test_calling_again_counts(app):
    entry = stand()
    call_next()
    act(entry, "panggil")
    assert fresh(entry).calls == 2


def test_a_step_of_a_stale_page_is_refused(app):
    entry = stand()
    with transaction():
        # The object in memory still says "waiting"; the table knows better.
        db.session.execute(QueueEntry.__table__.update().values(state=EntryState.CANCELLED.value))
        with pytest.raises(QueueError):
            queues.act(factories.actor(), entry, "panggil")


def test_a_step_that_comes_too_late_is_refused_by_the_statement_itself(app):
    """Whatever was asked before it."""
    entry = stand()
    with transaction():
        db.session.execute(QueueEntry.__table__.update().values(state=EntryState.CANCELLED.value))
        with pytest.raises(QueueError, match="sudah dibatalkan"):
            queue_changes.take(factories.actor(), entry, "panggil", {}, at=utcnow())
    assert fresh(entry).state == "cancelled"


# --- Put back ---------------------------------------------------------------------------------


def test_put_back_stands_behind_the_next_two(app):
    entry = stand()
    labels = [stand().visit.label for _ in range(4)]
    act(entry, "panggil")
    act(entry, "lewati")
    act(entry, "kembali")
    assert waiting_labels() == [*labels[:2], entry.visit.label, *labels[2:]]


def test_put_back_is_last_when_fewer_wait_and_before_those_who_come(app):
    entry, other = stand(), stand()
    act(entry, "panggil")
    act(entry, "lewati")
    act(entry, "kembali")
    late = stand()
    assert waiting_labels() == [other.visit.label, entry.visit.label, late.visit.label]


def test_put_back_where_no_number_is_left_between(app):
    set_setting("put_back_behind", 1)
    entries = [stand() for _ in range(4)]
    with transaction():
        for place, entry in enumerate(entries[1:], start=2000):
            db.session.get(QueueEntry, entry.id).place = place
    act(entries[0], "panggil")
    act(entries[0], "lewati")
    act(entries[0], "kembali")
    late = stand()
    order = [entries[1], entries[0], entries[2], entries[3], late]
    assert waiting_labels() == [entry.visit.label for entry in order]


def test_put_back_again_and_again_keeps_everybody(app):
    set_setting("put_back_behind", 1)
    labels = {stand().visit.label for _ in range(3)}
    for _ in range(15):
        entry = call_next()
        act(entry, "lewati")
        expected = waiting_labels()
        act(entry, "kembali")
        assert waiting_labels() == [expected[0], entry.visit.label, *expected[1:]]
    assert set(waiting_labels()) == labels


def test_put_back_never_gains_a_place(app):
    labels = [stand().visit.label for _ in range(4)]
    last = stand()
    act(last, "panggil")
    act(last, "lewati")
    act(last, "kembali")
    assert waiting_labels() == [*labels, last.visit.label]


def test_a_priority_patient_put_back_does_not_overtake_the_next_two(app):
    elder = stand(priority=Priority.ELDERLY)
    labels = [stand().visit.label for _ in range(3)]
    act(elder, "panggil")
    act(elder, "lewati")
    act(elder, "kembali")
    assert waiting_labels() == [*labels[:2], elder.visit.label, labels[2]]
    act(elder, "urungkan")
    assert (fresh(elder).state, elder.is_priority) == ("skipped", True)


@pytest.mark.parametrize("behind", [0, 1, 2, 3])
def test_a_priority_patient_who_came_last_stands_behind_as_many_as_the_setting_says(app, behind):
    set_setting("put_back_behind", behind)
    labels = [stand().visit.label for _ in range(5)]
    elder = stand(priority=Priority.ELDERLY)
    assert call_next().id == elder.id
    act(elder, "lewati")
    act(elder, "kembali")
    assert waiting_labels() == [*labels[:behind], elder.visit.label, *labels[behind:]]


def test_who_is_back_with_a_result_and_put_back_stands_behind_the_next_two(app):
    entry = stand()
    labels = [stand().visit.label for _ in range(4)]
    act(entry, "panggil")
    act(entry, "mulai")
    back = finish(refer(entry, "LAB"))
    assert waiting_labels() == [back.visit.label, *labels]
    act(back, "panggil")
    act(back, "lewati")
    act(back, "kembali")
    assert waiting_labels() == [*labels[:2], back.visit.label, *labels[2:]]


def test_an_emergency_put_back_is_next(app):
    urgent = stand(priority=Priority.EMERGENCY)
    stand()
    act(urgent, "panggil")
    act(urgent, "lewati")
    act(urgent, "kembali")
    assert waiting_labels()[0] == urgent.visit.label


# --- Moves ------------------------------------------------------------------------------------


def test_a_move_keeps_the_place_in_line(app):
    stand("GIGI")
    entry = stand()
    stand("GIGI")
    moved = act(entry, "pindah", reason="sakit gigi", target="GIGI")
    assert waiting_labels("GIGI")[1] == entry.visit.label
    assert (moved.kind, moved.previous_entry_id) == (EntryKind.MOVED, entry.id)
    assert (moved.seq, moved.place) == (entry.seq, entry.place)
    assert moved.queued_at == entry.queued_at
    old = fresh(entry)
    assert (old.state, old.reason) == ("moved", "sakit gigi")
    assert old.ended_at
    assert old.visit.status == VisitStatus.OPEN
    assert room().done[0].to_room == "Poli Gigi dan Mulut"
    assert room("GIGI").waiting[1].from_room == "Poli Umum"


def cluster(entry) -> tuple[str, str]:
    visit = fresh(entry).visit
    return visit.cluster, visit.computed_cluster


def test_who_was_moved_out_of_a_wrong_room_has_the_cluster_of_the_right_one(app):
    """The reports count the patient there; nobody of the first room has seen them."""
    entry = stand()
    moved = act(entry, "pindah", target="GIGI")
    assert cluster(entry) == ("LINTAS", "LINTAS")
    assert entry.visit.cluster_rule == "Menurut ruang Poli Gigi dan Mulut"
    on = act(moved, "pindah", target="TB", by="gigi")
    assert cluster(entry) == ("4", "4")
    act(on, "urungkan", by="gigi")
    assert cluster(entry) == ("LINTAS", "LINTAS")
    act(entry, "urungkan")
    assert cluster(entry) == ("3", "3")
    assert entry.visit.cluster_rule.startswith("Umur")


def test_a_chosen_cluster_and_that_of_an_examined_patient_stay_in_a_move(app):
    chosen = stand(cluster="2")
    act(chosen, "pindah", target="GIGI")
    assert cluster(chosen) == ("2", "3")
    seen = stand()
    act(seen, "mulai")
    act(seen, "pindah", target="GIGI")
    assert cluster(seen) == ("3", "3")
    second = stand()
    with transaction():
        there = queues.enqueue(factories.actor(), second.visit, factories.poli("KIA"))
    act(there, "pindah", target="GIGI")
    assert cluster(second) == ("3", "3"), "a further room gives no cluster"


def test_a_move_to_where_the_visit_stands_already_is_refused(app):
    entry = stand()
    with transaction():
        queues.enqueue(factories.actor(), entry.visit, factories.poli("GIGI"))
    with pytest.raises(QueueError, match="masih menunggu di Poli Gigi"):
        act(entry, "pindah", target="GIGI")
    with pytest.raises(QueueError, match="sudah berada di Poli Umum"):
        act(entry, "pindah", target="UMUM")
    assert fresh(entry).state == "waiting"


@pytest.mark.parametrize("from_state", ["waiting", "called", "in_service", "skipped"])
@pytest.mark.parametrize("side", ["old", "new"])
def test_an_undone_move_leaves_everything_as_it_was(app, from_state, side):
    entry = bring_to(from_state)
    before = columns(fresh(entry))
    moved = act(entry, "pindah", target="GIGI")
    after = act(entry if side == "old" else moved, "urungkan", by="gigi")
    assert after.id == entry.id
    assert columns(fresh(entry)) == before
    gone = fresh(moved)
    assert gone.state == "cancelled"
    assert gone.undone_at
    assert room("GIGI").done == room("GIGI").waiting == []
    # and it can be moved again
    act(entry, "pindah", target="GIGI")
    assert waiting_labels("GIGI") == [entry.visit.label]


def columns(entry) -> dict:
    return {column.key: getattr(entry, column.key) for column in entry.__table__.columns}


def test_a_move_can_not_be_undone_once_the_patient_is_served_there(app):
    entry = stand()
    moved = act(entry, "pindah", target="GIGI")
    act(moved, "mulai", by="gigi")
    with pytest.raises(QueueError, match="sedang dilayani di Poli Gigi"):
        act(entry, "urungkan")
    assert fresh(moved).state == "in_service"
    assert fresh(entry).state == "moved"


def test_an_end_can_not_be_undone_where_the_patient_stands_again(app):
    entry = stand()
    act(entry, "pulang")
    with transaction():
        again = queues.enqueue(factories.actor(), entry.visit, factories.poli("UMUM"))
    with pytest.raises(QueueError, match="tidak dapat masuk Poli Umum dua kali"):
        act(entry, "urungkan")
    assert (fresh(entry).state, fresh(again).state) == ("left", "waiting")


def test_undo_in_the_new_room_takes_back_its_own_call_first(app):
    entry = stand()
    moved = act(entry, "pindah", target="GIGI")
    act(moved, "panggil", by="gigi")
    assert act(moved, "urungkan", by="gigi").id == moved.id
    assert fresh(moved).state == "waiting"
    assert act(moved, "urungkan", by="gigi").id == entry.id


@pytest.mark.parametrize("road", ["move", "further room", "referral"])
def test_in_the_emergency_room_everybody_is_an_emergency_by_whatever_road(app, road):
    """By arrival among them: who was sent there does not stand behind who registers later."""
    entry = stand(name="Budi Kejang")
    if road == "move":
        there = act(entry, "pindah", reason="kejang", target="UGD")
    elif road == "referral":
        there = refer(entry, "UGD", reason="kejang")
    else:
        with transaction():
            there = queues.enqueue(factories.actor(), entry.visit, factories.poli("UGD"))
    later = stand("UGD", name="Ani Luka", priority=Priority.EMERGENCY)
    assert (fresh(there).rank, waiting_labels("UGD")) == (0, [entry.visit.label, later.visit.label])
    act(there, "panggil")
    act(there, "urungkan")
    assert fresh(there).rank == 0


def test_who_leaves_the_emergency_room_has_the_visits_own_rank_again(app):
    entry = stand()
    there = act(entry, "pindah", target="UGD")
    on = act(there, "pindah", target="GIGI")
    assert (fresh(there).rank, fresh(on).rank) == (0, 2)
    urgent = stand("UGD", priority=Priority.EMERGENCY)
    assert fresh(act(urgent, "pindah", target="GIGI")).rank == 0
    act(on, "urungkan", by="gigi")
    act(there, "urungkan")
    assert (fresh(entry).rank, fresh(entry).state) == (2, "waiting")


def test_who_is_back_with_a_result_brings_that_rank_along_but_not_into_the_emergency_room(app):
    sender = stand()
    act(sender, "mulai")
    back = finish(refer(sender, "LAB"))
    assert fresh(act(back, "pindah", target="GIGI")).rank == 1
    sender = stand("UGD", priority=Priority.EMERGENCY)
    act(sender, "mulai")
    there = refer(sender, "LAB")
    later = stand("UGD", name="Ani", priority=Priority.EMERGENCY)
    assert fresh(finish(there)).rank == 0
    assert waiting_labels("UGD") == [sender.visit.label, later.visit.label]


# --- Undo -------------------------------------------------------------------------------------

UNDOABLE = ["panggil", "lewati", "kembali", "mulai", "selesai", "batal", "pulang"]


@pytest.mark.parametrize("action", UNDOABLE)
def test_every_step_can_be_undone_exactly(app, action):
    for state in STEPS[action].sources:
        entry = bring_to(state.value)
        before, status = columns(fresh(entry)), entry.visit.status
        act(entry, action)
        act(entry, "urungkan")
        assert columns(fresh(entry)) == before, (action, state)
        assert (entry.visit.status, entry.visit.ended_at) == (status, None)
        assert audit_actions()[-1] == "undo"


@pytest.mark.engines("sqlite")
def test_a_call_taken_back_after_another_one_gives_the_turn_back_too(app):
    set_setting("priority_ratio", 2)
    stand(priority=Priority.ELDERLY), stand()
    _, other = call_next(), call_next()
    stand(priority=Priority.ELDERLY), call_next()
    stand(priority=Priority.ELDERLY)
    act(other, "urungkan")
    assert waiting_labels()[0] == other.visit.label, "two with priority were called before"


def test_steps_are_undone_one_after_another_until_none_is_left(app):
    entry = stand()
    for action in ("panggil", "lewati", "kembali", "mulai"):
        act(entry, action)
    for state in ("waiting", "skipped", "called", "waiting"):
        act(entry, "urungkan")
        assert fresh(entry).state == state
    with pytest.raises(QueueError, match="Belum ada langkah"):
        act(entry, "urungkan")


def test_a_call_taken_back_gives_the_turn_back(app):
    other = stand()
    elders = [stand(priority=Priority.ELDERLY) for _ in range(3)]
    expected = [*elders[:2], other, elders[2]]
    for entry in expected:
        assert call_next().id == entry.id
        act(entry, "urungkan")
        assert call_next().id == entry.id


def test_a_finished_examination_is_never_undone(app):
    entry = stand()
    act(entry, "mulai")
    with transaction():
        examination = Examination(
            entry_id=entry.id, visit_id=entry.visit_id, recorded_by_id=factories.user("umum").id
        )
        db.session.add(examination)
    with pytest.raises(QueueError, match="konsep"):
        act(entry, "selesai")
    with transaction():
        db.session.get(Examination, examination.id).finished_at = utcnow()
        queues.finish(factories.actor("umum"), entry)
    with pytest.raises(QueueError, match="Tulis tambahan"):
        act(entry, "urungkan")
    assert fresh(entry).state == "done"


def test_yesterday_is_not_undone(app):
    entry = stand()
    act(entry, "batal")
    with transaction():
        day = days.current_day()
        day.on -= timedelta(days=2)
        days.open_day()
    with pytest.raises(QueueError, match="hari layanan yang lalu"):
        act(entry, "urungkan")


# --- The visit's end --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "status"),
    [("batal", VisitStatus.CANCELLED), ("pulang", VisitStatus.LEFT)],
)
def test_the_last_entry_ends_the_visit(app, action, status):
    entry = stand()
    with transaction():
        second = queues.enqueue(factories.actor(), entry.visit, factories.poli("GIGI"))
    act(entry, action)
    assert fresh(entry).visit.status == VisitStatus.OPEN
    act(second, action, by="gigi")
    assert fresh(entry).visit.status == status
    assert entry.visit.ended_at


def test_a_visit_that_was_seen_is_finished_however_it_ends(app):
    entry = stand()
    with transaction():
        second = queues.enqueue(factories.actor(), entry.visit, factories.poli("GIGI"))
    finish(entry)
    act(second, "pulang", by="gigi")
    assert fresh(entry).visit.status == VisitStatus.FINISHED


def test_a_further_room_opens_a_finished_visit_again(app):
    entry = stand()
    finish(entry)
    assert fresh(entry).visit.status == VisitStatus.FINISHED
    with transaction():
        queues.enqueue(factories.actor(), entry.visit, factories.poli("GIGI"))
    assert fresh(entry).visit.status == VisitStatus.OPEN


# --- Referred and back ------------------------------------------------------------------------


def test_a_referral_goes_there_and_comes_back_first(app):
    sender = stand()
    act(sender, "mulai")
    there = refer(sender, "LAB")
    stand()
    assert (there.kind, there.previous_entry_id) == (EntryKind.ORDERED, sender.id)
    assert fresh(sender).state == "awaiting_result"
    assert room().awaiting[0].to_room == "Laboratorium"
    act(there, "mulai", by="lab")
    back = finish(there)
    assert (back.kind, back.rank, back.poli.code) == (EntryKind.RESULT_BACK, 1, "UMUM")
    assert back.previous_entry_id == there.id
    assert fresh(there).state == fresh(sender).state == "done"
    assert fresh(sender).ended_at == there.ended_at
    assert waiting_labels()[0] == sender.visit.label
    assert sender.visit.status == VisitStatus.OPEN
    finish(back)
    assert fresh(back).visit.status == VisitStatus.FINISHED


@pytest.mark.parametrize("code", ["UGD", "UMUM"])
def test_an_emergency_back_with_its_result_is_still_one(app, code):
    sender = stand(code, priority=Priority.EMERGENCY)
    act(sender, "mulai")
    there = refer(sender, "LAB")
    stand(code, priority=Priority.EMERGENCY)
    act(there, "mulai", by="lab")
    back = finish(there)
    assert (back.kind, back.rank) == (EntryKind.RESULT_BACK, 0)
    assert waiting_labels(code)[0] == sender.visit.label, "going for a result costs no place"


def test_who_are_back_with_a_result_stand_as_they_came_back(app):
    first, second = stand(), stand()
    away = [refer(sender, "LAB") for sender in (first, second)]
    for there in reversed(away):
        finish(there)
    assert waiting_labels() == [second.visit.label, first.visit.label]


def test_a_move_takes_the_priority_along_and_says_who_moved(app):
    moved = act(stand(priority=Priority.ELDERLY), "pindah", target="GIGI", by="umum")
    assert moved.is_priority and moved.queued_by_id == factories.user("umum").id


def test_a_long_reason_is_cut_to_what_the_table_holds(app):
    entry = stand()
    act(entry, "pulang", reason="x" * 400)
    assert fresh(entry).reason == "x" * 300


def test_a_referral_without_return_ends_the_sender(app):
    sender = stand()
    there = refer(sender, "GIGI", back=False)
    assert there.kind == EntryKind.REFERRED
    assert fresh(sender).state == "done"
    assert sender.started_at == sender.ended_at == there.queued_at, "seen, though never begun"
    sent = select(QueueEvent).where(QueueEvent.entry_id == sender.id, QueueEvent.action == "rujuk")
    assert db.session.scalars(sent).one().reason == "periksa darah"
    assert finish(there).id == there.id
    assert fresh(there).visit.status == VisitStatus.FINISHED


def test_a_referred_patient_moved_on_the_way_still_comes_back(app):
    sender = stand()
    moved = act(refer(sender, "GIGI"), "pindah", target="LAB", by="gigi")
    back = finish(moved)
    assert (back.kind, back.poli.code) == (EntryKind.RESULT_BACK, "UMUM")


def test_cancelled_elsewhere_comes_back_and_gone_home_does_not(app):
    sender = stand()
    there = refer(sender, "LAB")
    back = act(there, "batal", reason="alat rusak", by="lab")
    assert (back.kind, back.poli.code) == (EntryKind.RESULT_BACK, "UMUM")
    other = stand()
    there = refer(other, "LAB")
    act(there, "pulang", by="lab")
    assert fresh(other).state == "done"
    assert other.visit.status == VisitStatus.FINISHED


def test_a_sender_who_does_not_wait_gets_nobody_back(app):
    sender = stand()
    there = refer(sender, "LAB")
    act(sender, "selesai")
    assert finish(there).id == there.id
    assert fresh(there).visit.status == VisitStatus.FINISHED


def lent(*rooms) -> list[QueueEntry]:
    """The stays of a patient who was sent from each of these rooms to the next, and is in it."""
    stays = [stand(rooms[0])]
    for room in rooms[1:]:
        act(stays[-1], "mulai")
        stays.append(refer(stays[-1], room))
    return stays


def states(*entries) -> list[str]:
    return [fresh(each).state.value for each in entries]


def test_who_left_for_a_hospital_comes_back_to_nobody(app):
    mtbs, clinic, emergency = lent("MTBS", "KIA", "UGD")
    act(emergency, "mulai", by="umum")
    with transaction():
        done = queues.finish(factories.actor("umum"), emergency, has_left=True)
    assert done.id == emergency.id
    assert states(mtbs, clinic, emergency) == ["done"] * 3
    assert fresh(mtbs).visit.status == VisitStatus.FINISHED


def test_who_is_lent_and_sent_home_by_way_of_another_room_leaves_nobody_waiting(app):
    sender, there = lent("UMUM", "GIZI")
    act(there, "mulai")
    last = refer(there, "FARMASI", back=False)
    assert states(sender, there, last) == ["done", "done", "waiting"]
    assert finish(last).id == last.id
    assert fresh(sender).visit.status == VisitStatus.FINISHED


def test_who_has_a_result_of_the_other_room_goes_back_to_the_first_one(app):
    sender, there, laboratory = lent("UMUM", "GIZI", "LAB")
    back = finish(laboratory)
    assert (back.kind, back.poli.code) == (EntryKind.RESULT_BACK, "GIZI")
    first = finish(back)
    assert (first.kind, first.poli.code) == (EntryKind.RESULT_BACK, "UMUM")
    assert states(sender, there, back) == ["done"] * 3
    assert finish(first).id == first.id
    assert fresh(sender).visit.status == VisitStatus.FINISHED


def test_who_leaves_the_last_of_three_rooms_is_waited_for_in_none_until_undone(app):
    stays = lent("UMUM", "GIZI", "LAB")
    act(stays[-1], "pulang", by="lab")
    assert states(*stays) == ["done", "done", "left"]
    act(stays[-1], "urungkan", by="lab")
    assert states(*stays) == ["awaiting_result", "awaiting_result", "waiting"]


def test_a_room_fetches_back_whom_it_waits_for_in_vain(app):
    first, sender, there = lent("UMUM", "GIZI", "LAB")
    back = act(sender, "jemput", by="umum")
    assert (back.kind, back.poli.code, back.rank) == (EntryKind.RESULT_BACK, "GIZI", 1)
    assert states(first, sender, there, back) == ["awaiting_result", "done", "waiting", "waiting"]
    assert finish(there).id == there.id, "nobody waits for it any more"
    assert finish(back).poli.code == "UMUM"


def test_a_fetch_is_undone_though_the_examination_is_finished(app):
    sender = stand()
    to = {"disposition": "rujuk_internal", "refer_to": "LAB"}
    form = records.ExaminationInput(assessment="Anemia", **to)
    act(sender, "mulai")
    with transaction():
        records.finish(factories.actor("umum"), fresh(sender), form, 0)
    back = act(sender, "jemput")
    act(sender, "urungkan")
    assert states(sender, back) == ["awaiting_result", "cancelled"]
    with pytest.raises(QueueError, match="sudah selesai dan tidak dapat"):
        act(sender, "urungkan")


@pytest.mark.parametrize("step", ["jemput", "selesai"])
@pytest.mark.parametrize("over", ["selesai", "batal"])
def test_no_wait_is_given_back_for_a_result_that_no_longer_comes(app, step, over):
    sender, there = lent("UMUM", "LAB")
    act(sender, step)
    act(there, "mulai", by="lab")
    act(there, over, by="lab")
    before = states(sender, there)
    with pytest.raises(QueueError, match="tidak akan datang lagi"):
        act(sender, "urungkan")
    assert states(sender, there) == before
    act(there, "urungkan", by="lab")
    act(sender, "urungkan")
    assert states(sender, there) == ["awaiting_result", "in_service"]


def test_a_referral_is_undone_until_the_patient_is_served_there(app):
    sender = stand()
    act(sender, "mulai")
    before = columns(fresh(sender))
    there = refer(sender, "LAB")
    act(sender, "urungkan")
    assert columns(fresh(sender)) == before
    assert fresh(there).undone_at
    there = refer(sender, "LAB")
    act(there, "mulai", by="lab")
    with pytest.raises(QueueError, match="sedang dilayani di Laboratorium"):
        act(sender, "urungkan")


def test_the_room_of_a_referral_does_not_undo_the_senders_own_end(app):
    sender = stand()
    act(sender, "mulai")
    there = refer(sender, "LAB")
    act(sender, "selesai")
    with pytest.raises(QueueError):
        act(there, "urungkan", by="lab")
    assert fresh(sender).state == "done"


def test_a_result_sent_back_too_early_is_fetched_again(app):
    sender = stand()
    there = refer(sender, "LAB")
    act(there, "mulai", by="lab")
    before = columns(fresh(there)), columns(fresh(sender))
    back = act(there, "selesai", by="lab")
    assert back.kind == EntryKind.RESULT_BACK
    with pytest.raises(QueueError, match="Belum ada langkah"):
        act(sender, "urungkan")
    act(there, "urungkan", by="lab")
    assert (columns(fresh(there)), columns(fresh(sender))) == before
    assert fresh(back).undone_at
    assert act(there, "selesai", by="lab").kind == EntryKind.RESULT_BACK


def test_a_referral_to_where_the_visit_stands_is_refused(app):
    sender = stand()
    with transaction():
        queues.enqueue(factories.actor(), sender.visit, factories.poli("LAB"))
    with pytest.raises(QueueError, match="masih menunggu di Laboratorium"):
        refer(sender, "LAB")
    assert fresh(sender).state == "waiting"


# --- Reading ----------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
def test_the_room_page_needs_three_queries_however_long_the_line(app):
    counts = []
    for size in (10, 50):
        while len(room().waiting) < size:
            stand()
        poli, day = factories.poli(), days.current_day()
        with count_queries() as statements:
            queues.room_queue(poli, day)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 3


def test_rows_carry_what_the_room_needs_to_know(app):
    entry = stand(complaint="batuk " * 40, priority=Priority.PREGNANT, pregnant="ya")
    by = factories.user("loket").id
    with transaction():
        db.session.add(VitalSigns(visit_id=entry.visit_id, pulse=80, recorded_by_id=by))
        for rule, level in (("P1", Level.INFO), ("R1", Level.WARNING)):
            db.session.add(
                Override(
                    visit_id=entry.visit_id,
                    rule=rule,
                    level=level,
                    message="-",
                    reason="-",
                    recorded_by_id=by,
                )
            )
    stand(name="St. Aminah")
    stand("GIGI", name="Budi")
    first, second = sorted(room().waiting, key=lambda row: row.seq)
    assert (first.name, first.sex, first.priority) == ("Siti Aminah", "P", "HAMIL")
    assert first.same_name == second.same_name == 2
    assert (first.has_vital_signs, first.has_cough, first.has_red_flag) == (True, True, True)
    assert (second.has_vital_signs, second.has_cough, second.has_allergy) == (False, False, False)
    assert len(first.complaint) <= 48
    assert first.complaint.endswith("…")
    assert room("GIGI").waiting[0].same_name is None


def marks() -> tuple:
    row = room().waiting[0]
    return row.has_allergy, row.has_vital_signs, row.same_name


def test_what_has_ended_is_no_mark_of_the_row(app):
    entry, namesake, nurse = stand(), stand("GIGI"), factories.actor("umum")
    with transaction():
        visit = db.session.get_one(Visit, entry.visit_id)
        kept = allergies.add_allergy(nurse, visit.patient, "Udang")
        records.measure(nurse, visit, None, {"pulse": 80})
    assert marks() == (True, True, 2)
    with transaction():
        allergies.end_allergy(nurse, db.session.get_one(Allergy, kept.id), "keliru")
        records.measure(nurse, db.session.get_one(Visit, entry.visit_id), None, {"pulse": None})
    act(namesake, "batal", by="gigi")
    assert marks() == (False, False, None)


def test_the_row_says_where_the_patient_went_in_the_end(app):
    entry = stand()
    act(entry, "pindah", target="TB")
    act(entry, "urungkan")
    act(entry, "pindah", target="GIGI")
    assert room().done[0].to_room == "Poli Gigi dan Mulut"
    assert queue_lines.entry_after(fresh(entry)).poli.code == "GIGI"


def test_the_called_and_the_done_stand_newest_first(app):
    first, second, third, fourth = (stand() for _ in range(4))
    for entry in (second, first):
        act(entry, "panggil")
    for entry in (fourth, third):
        act(entry, "pulang")
    assert [row.label for row in room().called] == [first.visit.label, second.visit.label]
    assert [row.label for row in room().done] == [third.visit.label, fourth.visit.label]


def test_the_same_name_in_another_room_is_noticed(app):
    stand()
    other = stand("GIGI")
    assert room("GIGI").waiting[0].same_name == 2
    # The same person in two rooms is no namesake.
    with transaction():
        queues.enqueue(factories.actor(), other.visit, factories.poli("KIA"))
    act(other, "batal", by="gigi")
    assert room("KIA").waiting[0].same_name == 2


def test_waiting_minutes_have_bands(app):
    entry = stand()
    with transaction():
        db.session.get(QueueEntry, entry.id).queued_at = utcnow() - timedelta(minutes=31)
    row = room().waiting[0]
    assert (row.minutes, row.band) == (31, "warn")
    set_setting("wait_late_minutes", 31)
    assert room().waiting[0].band == "late"
    set_setting("wait_late_minutes", 60)
    for minutes, band in ((31, "warn"), (32, "ok")):
        set_setting("wait_warn_minutes", minutes)
        assert room().waiting[0].band == band


def test_people_before_follows_the_calling_order(app):
    first, second = stand(), stand()
    elder = stand(priority=Priority.ELDERLY)
    assert [queues.people_before(entry) for entry in (elder, first, second)] == [0, 1, 2]
    act(first, "panggil")
    assert queues.people_before(fresh(first)) == 0
    assert queues.people_before(fresh(second)) == 1


def test_nobody_is_before_who_is_called_between_two_reads(app):
    stand()
    entry = stand()
    with transaction():
        db.session.execute(  # past the object: it stands as it was read before
            update(QueueEntry)
            .where(QueueEntry.id == entry.id)
            .values(state=EntryState.CALLED)
            .execution_options(synchronize_session=False)
        )
        assert entry.state is EntryState.WAITING
        assert queues.people_before(entry) == 0


def test_people_before_knows_whose_turn_it_is(app):
    """After as many priority patients as the ratio lets go first, another one is next."""
    set_setting("priority_ratio", 1)
    stand(priority=Priority.ELDERLY), call_next()
    elder, other = stand(priority=Priority.ELDERLY), stand()
    assert [queues.people_before(entry) for entry in (other, elder)] == [0, 1]


def test_the_board_knows_numbers_and_rooms_only(app):
    entries = [stand() for _ in range(6)]
    other = stand("GIGI")
    for _ in range(5):
        call_next()
    act(other, "panggil", by="gigi")
    act(entries[4], "urungkan")
    polis = [factories.poli("UMUM"), factories.poli("GIGI")]
    board = queue_watch.board(days.current_day(), polis)
    assert [call.label for call in board.calls] == [
        other.visit.label,
        *[entry.visit.label for entry in reversed(entries[:4])],
    ][:4]
    assert [(r.name, r.waiting) for r in board.rooms] == [
        ("Poli Umum", 2),
        ("Poli Gigi dan Mulut", 0),
    ]
    assert board.rooms[0].numbers == [entry.visit.label for entry in entries[4:]]


def test_the_board_names_the_next_ones_as_they_will_be_called(app):
    set_setting("priority_ratio", 1)
    stand(priority=Priority.ELDERLY), call_next()
    elder, other = stand(priority=Priority.ELDERLY), stand()
    board = queue_watch.board(days.current_day(), [factories.poli("UMUM")])
    assert board.rooms[0].numbers == [other.visit.label, elder.visit.label]


def test_a_call_stands_out_on_the_board_while_it_is_new(app):
    stand()
    at = call_next().called_at
    for later, is_new in ((0, True), (19, True), (20, False)):
        now = at + timedelta(seconds=later)
        board = queue_watch.board(days.current_day(), [factories.poli("UMUM")], now)
        assert [call.is_new for call in board.calls] == [is_new]


def test_the_board_shows_no_call_of_yesterday(app):
    entry = stand()
    for action in ("panggil", "mulai", "selesai"):
        act(entry, action)
    with transaction():
        days.current_day().on -= timedelta(days=2)
        today = days.open_day()
    assert queue_watch.board(today, [factories.poli("UMUM")]).calls == []


# --- The poll ---------------------------------------------------------------------------------


def poll(cookie="t", code="UMUM", at=None):
    db.session.rollback()
    return queue_watch.poll(digest(cookie), code, at or utcnow(), db.engine)


def log_in(username, cookie="t", **fields):
    now = utcnow()
    defaults = {
        "token_digest": digest(cookie),
        "user_id": factories.user(username).id,
        "idle_until": now + timedelta(minutes=15),
        "expires_at": now + timedelta(hours=12),
    }
    with transaction():
        db.session.add(LoginSession(**defaults | fields))


def test_a_poll_is_one_query_and_knows_the_version(app):
    stand()
    log_in("umum")
    queue = room()
    with count_queries() as statements:
        state = poll()
    assert len(statements) == 1
    assert (state.role, state.may_see) == ("poli", True)
    assert state.version == queue.version
    stand()
    assert poll().version != queue.version
    assert poll().version == room().version


def test_a_poll_of_an_empty_day_has_the_page_s_version(app):
    log_in("umum")
    assert poll().version == room().version
    stand()
    with transaction():
        day = days.current_day()
        day.on -= timedelta(days=2)
    between = room()
    assert days.current_day() is None
    assert (
        poll().version
        == between.version
        == queue_version.present_version(factories.poli("UMUM").id)
    )
    assert not between.waiting


@pytest.mark.parametrize(
    ("username", "code", "may_see"),
    [
        ("umum", "UMUM", True),
        ("umum", "GIGI", False),
        ("kepala", "GIGI", True),
        ("kepala", "TIDAKADA", False),
        ("loket", "UMUM", False),
        ("ti", "UMUM", False),
    ],
)
def test_a_poll_knows_whose_room_it_is(app, username, code, may_see):
    log_in(username)
    assert poll(code=code).may_see is may_see


def test_a_poll_of_a_room_that_was_taken_away(app):
    log_in("umum")
    with transaction():
        mine = db.session.get(UserPoli, (factories.user("umum").id, factories.poli().id))
        mine.is_active = False
    assert not poll().may_see


@pytest.mark.parametrize("field", ["ended_at", "idle_until", "expires_at"])
def test_a_session_that_is_over_polls_as_a_stranger(app, field):
    log_in("umum", **{field: utcnow() - timedelta(seconds=1)})
    assert poll().user_id is None


def test_a_poll_at_the_end_of_the_session_is_a_stranger_s(app):
    """As a page's: both ask in the same second whether the screen is locked."""
    now = utcnow()
    log_in("umum", idle_until=now)
    assert poll(at=now).user_id is None
    assert poll(at=now - timedelta(seconds=1)).user_id is not None


def test_a_closed_account_polls_as_a_stranger(app):
    log_in("umum")
    with transaction():
        db.session.get(User, factories.user("umum").id).is_active = False
    assert poll().user_id is None
    assert poll("unknown").user_id is None
