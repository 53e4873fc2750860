"""Corrections of finished examinations: who may, until when, what stays, what is refused."""

import threading
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError, StatementError

from clinic import (
    amended_fields,
    amendment_decisions,
    amendment_lists,
    amendment_rules,
    amendment_writing,
    audit,
)
from clinic import settings as clinic_settings
from clinic.amended_fields import DIAGNOSES, Part
from clinic.amendment_decisions import Decided, Outdated, approve, refuse
from clinic.diagnoses import DiagnosisInput
from clinic.record_errors import Conflict, RecordError
from db import db, transaction, utcnow
from models import (
    Amendment,
    AmendmentLine,
    AmendmentState,
    AuditEntry,
    Diagnosis,
    Examination,
    OutboxEntry,
    Role,
    User,
    VisitStatus,
    VitalSigns,
)
from tests import factories
from tests.amending import again, amend, finished, mark_visit, measured, nurse

MINUTE = 1 / 60
pytestmark = pytest.mark.usefixtures("app")


def decide(how, amendment, by="rekammedis", reason="sesuai lembar kertas") -> None:
    with transaction():
        how(factories.actor(by), amendment, reason)


def rows(model, **where):
    db.session.rollback()
    return list(db.session.scalars(select(model).filter_by(**where).order_by(model.id)))


def stand(examination, field="plan"):
    return getattr(again(examination.public_id), field)


# --- Who may, until when ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "state"),
    [(0, "applied"), (48 - MINUTE, "applied"), (48 + MINUTE, "waiting"), (900, "waiting")],
)
def test_the_author_is_free_for_48_hours(hours, state):
    examination = finished(hours)
    done = amend(examination, plan="kontrol 3 hari")
    assert done.state == state
    assert stand(examination) == ("kontrol 3 hari" if state == "applied" else "istirahat")


def test_the_limit_is_an_instant_whatever_the_clinics_zone_is():
    examination = finished(48 - MINUTE)
    before = amendment_rules.free_until(examination)
    with transaction():
        clinic_settings.set_value("time_zone", "Asia/Jayapura")
    assert amendment_rules.free_until(again(examination.public_id)) == before
    assert amend(examination, plan="lain").state == "applied"


def test_the_head_may_shorten_the_time_but_never_beyond_the_law():
    examination = finished(3)
    hours = clinic_settings.parse("amend_free_hours", "2")
    with transaction():
        clinic_settings.set_value("amend_free_hours", hours)
    assert amend(examination, plan="lain").state == "waiting"
    for typed in ("49", "-1", "x"):
        with pytest.raises(clinic_settings.SettingError):
            clinic_settings.parse("amend_free_hours", typed)


def test_another_person_of_the_room_asks_within_the_hours_too():
    examination = finished()
    assert amend(examination, by=nurse(), plan="lain").state == "waiting"
    assert amend(examination, by="kepala", plan="lain lagi").state == "waiting"
    assert stand(examination) == "istirahat"


def test_a_nurse_who_began_the_text_and_the_doctor_who_ended_it_are_both_authors():
    examination = finished(by=nurse())
    with transaction():
        doctor = factories.user("umum").practitioner_id
        db.session.execute(update(Examination).values(practitioner_id=doctor))
    for number, by in enumerate(("umum", "perawat")):
        assert amend(again(examination.public_id), by=by, plan=f"lain {number}").state == "applied"
    assert not amendment_rules.is_author(factories.user("kepala").id, examination)


def test_who_finished_it_without_being_a_practitioner_is_an_author():
    examination = finished(by=nurse())
    with transaction():  # a colleague had begun it
        begun_by = factories.user("umum")
        db.session.execute(
            update(Examination).values(recorded_by_id=begun_by.id, practitioner_id=None)
        )
    assert amend(again(examination.public_id), by="perawat", plan="lain").state == "applied"


# --- What can be amended, and what can't ------------------------------------------------------


def test_five_texts_at_once_are_one_amendment():
    examination = finished()
    texts = {name: f"{name} baru" for name in ("subjective", "objective", "assessment", "plan")}
    done = amend(examination, therapy="parasetamol", **texts)
    assert {line.field: line.old_value for line in done.lines} == {
        "subjective": "demam",
        "objective": "faring merah",
        "assessment": "ISPA",
        "plan": "istirahat",
    }
    assert stand(examination, "assessment") == "assessment baru"
    assert done.reason == "salah ketik" and done.decided_at is None
    assert done.applied_version == done.base_version + 1 == again(examination.public_id).version


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"disposition": "rujuk_internal", "refer_to": "GIGI"}, "disposition"),
        ({"disposition": "rujuk_eksternal"}, "refer_external"),
        ({"disposition": ""}, "disposition"),
        ({"assessment": " ", "diagnoses": []}, "assessment"),
        ({}, ""),
        ({"plan": "istirahat"}, ""),
        ({"plan": "lain", "reason": "  "}, "reason"),
    ],
)
def test_what_is_refused_changes_nothing(fields, field):
    examination = finished()
    with pytest.raises(RecordError) as problem:
        amend(examination, **fields)
    assert problem.value.field == field
    assert rows(Amendment) == [] and stand(examination) == "istirahat"


def test_the_end_is_amended_as_far_as_nobody_is_moved():
    examination = finished()
    done = amend(examination, disposition="rujuk_eksternal", refer_to="RSUD")
    assert {line.field for line in done.lines} == {"disposition", "refer_to"}
    assert stand(examination, "refer_to") == "RSUD"
    moved = finished(disposition="rujuk_internal", refer_to="LAB")
    with pytest.raises(RecordError, match="memindahkan"):
        amend(moved, disposition="pulang", refer_to="")
    assert amend(moved, plan="lain").state == "applied"


def test_a_laboratory_needs_no_diagnosis_but_some_words():
    empty = {"subjective": "", "assessment": "", "plan": "", "therapy": ""}
    examination = finished(by="lab", code="LAB", diagnoses=None, objective="Hb 9,1", **empty)
    assert amend(examination, by="lab", objective="Hb 11,9").state == "applied"
    with pytest.raises(RecordError, match="tidak boleh kosong"):
        amend(again(examination.public_id), by="lab", objective=" ")


def test_what_was_written_in_a_cancelled_visit_is_not_amended():
    examination = finished()
    with transaction():
        db.session.merge(examination).visit.status = VisitStatus.CANCELLED
    with pytest.raises(RecordError, match="dibatalkan"):
        amend(again(examination.public_id), plan="kontrol")


def test_an_unfinished_examination_is_written_not_amended():
    examination = finished()
    with transaction():
        db.session.execute(update(Examination).values(finished_at=None))
    with pytest.raises(RecordError, match="belum selesai"):
        amend(examination, plan="lain")


def test_diagnoses_are_ended_and_added_and_the_primary_one_changes():
    examination = finished()
    wanted = [DiagnosisInput("A09", "lama"), DiagnosisInput("K29.7", "baru")]
    (line,) = amend(examination, diagnoses=wanted).lines
    assert [(one.code, one.is_primary) for one in amended_fields.diagnoses_of(line.old_value)] == [
        ("J06.9", True),
        ("A09", False),
    ]
    stored = rows(Diagnosis)
    assert len(stored) == 4 and sum(row.ended_at is None for row in stored) == 2
    active = [(row.code, row.case_type, row.is_primary) for row in stored if row.ended_at is None]
    assert sorted(active) == [("A09", "lama", True), ("K29.7", "baru", False)]


def test_only_the_case_type_or_an_unchanged_list():
    examination = finished()
    same = [DiagnosisInput("J06.9", "baru"), DiagnosisInput("A09", "baru")]
    with pytest.raises(RecordError, match="Belum ada yang diubah"):
        amend(examination, diagnoses=same)
    done = amend(examination, diagnoses=[DiagnosisInput("J06.9", "lama"), same[1]])
    assert [line.field for line in done.lines] == [DIAGNOSES]


def test_titles_that_changed_in_the_icd_table_are_no_correction():
    examination = finished()
    with transaction():
        db.session.execute(update(Diagnosis).values(title="Judul lama", edition="2010"))
    same = [DiagnosisInput("J06.9", "baru"), DiagnosisInput("A09", "baru")]
    with pytest.raises(RecordError, match="Belum ada yang diubah"):
        amend(examination, diagnoses=same)


def test_vital_signs_are_ended_and_added():
    examination = finished()
    (old,) = measured(examination)
    (line,) = amend(examination, vitals={old.public_id: {"systolic": 120}}).lines
    (new,) = measured(again(examination.public_id))
    assert (new.systolic, new.diastolic, new.weight) == (120, 80, Decimal("54.20"))
    assert (new.public_id, new.occurred_at) == (line.result_ref, old.occurred_at)
    assert new.entry_id == examination.entry_id
    ended = rows(VitalSigns, public_id=line.subject_ref)[0]
    assert ended.systolic == 210 and ended.ended_at


def test_equal_numbers_written_otherwise_are_no_correction():
    examination = finished()
    (old,) = measured(examination)
    with pytest.raises(RecordError, match="Belum ada yang diubah"):
        amend(examination, vitals={old.public_id: {"weight": Decimal("54.2"), "systolic": 210}})


def test_vital_signs_that_were_forgotten_are_added_and_those_of_another_patient_ended():
    examination = finished(vitals=None)
    amend(examination, vitals={"": {"pulse": 88}})
    (row,) = measured(again(examination.public_id))
    assert row.pulse == 88
    nothing = dict.fromkeys(amended_fields.VITALS)
    amend(again(examination.public_id), vitals={row.public_id: nothing}, reason="pasien lain")
    assert measured(again(examination.public_id)) == []
    assert len(rows(VitalSigns)) == 1


def test_vital_signs_of_another_examination_are_not_touched():
    mine, other = finished(), finished()
    (theirs,) = measured(other)
    with pytest.raises(Conflict):
        amend(mine, vitals={theirs.public_id: {"systolic": 120}})
    assert measured(again(other.public_id))[0].systolic == 210
    by = {"recorded_by_id": mine.recorded_by_id, "occurred_at": utcnow()}
    with transaction():  # in another room of the visit
        db.session.add(VitalSigns(visit_id=mine.visit_id, entry_id=other.entry_id, pulse=88, **by))
    found = amended_fields.measured(again(mine.public_id))
    assert [row.pulse for row in found] == [None]


# --- The same press, two people ---------------------------------------------------------------


@pytest.mark.parametrize("hours", [0, 72])
def test_the_same_press_twice_counts_once(hours):
    examination = finished(hours)
    (row,) = measured(examination)
    # A page sends every sign.
    signs = {"systolic": 120, "diastolic": 80, "weight": Decimal("54.2"), "pulse": None}
    fields = {"plan": "lain", "vitals": {row.public_id: signs}}
    begun = examination.version
    first = amend(examination, version=begun, **fields)
    second = amend(examination, version=begun, **fields)
    assert first.id == second.id
    assert len(rows(Amendment)) == 1 and len(rows(AmendmentLine)) == 2


def test_the_second_of_two_people_meets_a_conflict():
    examination = finished()
    begun = examination.version
    amend(examination, version=begun, plan="yang pertama")
    with pytest.raises(Conflict) as conflict:
        amend(examination, by=nurse(), version=begun, plan="yang kedua")
    assert conflict.value.current.plan == "yang pertama"
    assert len(rows(Amendment)) == 1


def test_a_newer_request_of_the_same_person_takes_the_older_ones_place():
    examination = finished(72)
    first = amend(examination, plan="lain")
    second = amend(examination, plan="lain lagi")
    db.session.refresh(first)
    assert (first.state, first.decided_by_id) == ("refused", first.requested_by_id)
    assert second.state == "waiting"
    assert [each.id for each in amendment_lists.waiting_for(examination)] == [second.id]


# --- Deciding ---------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["rekammedis", "kepala"])
def test_an_approved_request_changes_the_record(by):
    examination = finished(72)
    (row,) = measured(examination)
    request = amend(
        examination,
        plan="lain",
        diagnoses=[DiagnosisInput("A09", "baru")],
        vitals={row.public_id: {"systolic": 120}},
    )
    assert stand(examination) == "istirahat"
    decide(approve, request, by)
    assert stand(examination) == "lain"
    (row,) = measured(again(examination.public_id))
    assert row.systolic == 120 and row.recorded_by_id == factories.user("umum").id
    active = [each.code for each in rows(Diagnosis) if each.ended_at is None]
    assert active == ["A09"]
    db.session.refresh(request)
    assert request.decided_by_id == factories.user(by).id and request.decided_at


def test_a_refused_request_changes_nothing_and_needs_a_reason():
    examination = finished(72)
    request = amend(examination, plan="lain")
    with pytest.raises(RecordError) as problem:
        decide(refuse, request, reason=" ")
    assert problem.value.field == "alasan"
    decide(refuse, request, reason="tidak sesuai")
    db.session.refresh(request)
    assert (request.state, request.decision_reason) == ("refused", "tidak sesuai")
    assert stand(examination) == "istirahat"


@pytest.mark.parametrize(("author", "other"), [("kepala", "rekammedis"), ("petugasrm", "kepala")])
def test_nobody_approves_their_own_request(author, other):
    if author == "petugasrm":  # asked in a room, and works at the records desk since
        nurse("petugasrm", Role.POLI)
    examination = finished(72, by="umum")
    request = amend(examination, by=author, plan="lain")
    with transaction():
        if author == "petugasrm":
            db.session.execute(
                update(User).where(User.username == author).values(role=Role.RECORDS)
            )
    for how in (approve, refuse):
        with pytest.raises(RecordError, match="sendiri"):
            decide(how, request, author)
    assert stand(examination) == "istirahat"
    decide(approve, request, other)
    assert stand(examination) == "lain"


def test_another_account_of_the_same_person_is_no_other_person():
    request = amend(finished(72), plan="lain")
    nurse("dokterkepala", Role.HEAD, ())
    with transaction():
        same = factories.user("umum").practitioner_id
        db.session.execute(
            update(User).where(User.username == "dokterkepala").values(practitioner_id=same)
        )
    with pytest.raises(RecordError, match="sendiri"):
        decide(approve, request, "dokterkepala")


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("by", ["umum", "gigi", "loket", "ti"])
def test_other_roles_decide_nothing(by):
    request = amend(finished(72), by=nurse(), plan="lain")
    with pytest.raises(RecordError, match="Hanya rekam medis"):
        decide(approve, request, by)


def test_a_second_decision_is_refused_by_the_function_and_by_the_table():
    examination = finished(72)
    request = amend(examination, plan="lain")
    decide(approve, request)
    for how in (approve, refuse):
        with pytest.raises(Decided):
            decide(how, request, "kepala")
    with pytest.raises(Decided), transaction():
        actor = factories.actor("kepala")
        amendment_writing.settle(actor, request, AmendmentState.REFUSED, "x", None)
    with pytest.raises(DatabaseError), transaction():
        db.session.execute(text("UPDATE amendment SET decision_reason = 'lain'"))
    assert stand(examination) == "lain"
    assert again(examination.public_id).version == rows(Amendment)[0].base_version + 1


def test_two_deciders_at_once_give_one_decision(app):
    examination = finished(72)
    ref = amend(examination, plan="lain").public_id
    db.session.rollback()
    start, outcomes = threading.Barrier(2), []

    def press(how, by):
        with app.app_context():
            request = amendment_lists.by_ref(ref)
            start.wait()
            try:
                decide(how, request, by)
                outcomes.append(how.__name__)
            except Decided:
                outcomes.append("decided")

    pair = [(approve, "rekammedis"), (refuse, "kepala")]
    threads = [threading.Thread(target=press, args=each) for each in pair]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert outcomes.count("decided") == 1 and len(outcomes) == 2
    (row,) = rows(Amendment)
    assert row.state == ("applied" if "approve" in outcomes else "refused")
    assert stand(examination) == ("lain" if "approve" in outcomes else "istirahat")


def test_two_authors_at_once_give_one_amendment_and_one_conflict(app):
    examination = finished()
    ref = examination.public_id
    start, outcomes = threading.Barrier(2), []

    def press(plan):
        with app.app_context():
            found = again(ref)
            version = found.version
            start.wait()
            try:
                amend(found, version=version, plan=plan)
                outcomes.append("applied")
            except Conflict:
                outcomes.append("conflict")

    threads = [threading.Thread(target=press, args=(f"rencana {n}",)) for n in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["applied", "conflict"]
    assert len(rows(Amendment)) == 1


def test_a_request_whose_text_changed_meanwhile_is_not_approved():
    examination = finished(72)
    request = amend(examination, plan="lain")
    newer = amend(again(examination.public_id), by="kepala", plan="lebih baru")
    decide(approve, newer)
    with pytest.raises(Outdated):
        decide(approve, request)
    now = amendment_decisions.outdated(amendment_lists.by_ref(request.public_id))
    assert now == {Part("plan"): "lebih baru"}
    (line,) = amendment_lists.shown(request, now)
    assert (line.old, line.new, line.now) == ("istirahat", "lain", "lebih baru")
    assert stand(examination) == "lebih baru"
    decide(refuse, request)


def test_a_change_of_other_fields_does_not_outdate_a_request():
    examination = finished(72)
    request = amend(examination, plan="lain")
    decide(approve, amend(again(examination.public_id), by="kepala", therapy="lain"))
    decide(approve, request)
    assert (stand(examination), stand(examination, "therapy")) == ("lain", "lain")


def test_vital_signs_that_were_corrected_meanwhile_outdate_a_request():
    examination = finished(72)
    (row,) = measured(examination)
    vitals = {row.public_id: {"systolic": 120}}
    request = amend(examination, vitals=vitals)
    decide(approve, amend(again(examination.public_id), by="kepala", vitals=vitals))
    with pytest.raises(Outdated):
        decide(approve, request)
    assert len(measured(again(examination.public_id))) == 1


# --- What the tables forbid -------------------------------------------------------------------


def raw(examination, **changed) -> Amendment:
    user_id = factories.user("umum").id
    return Amendment(
        **{
            "examination_id": examination.id,
            "state": "waiting",
            "reason": "alasan",
            "requested_by_id": user_id,
            "base_version": 1,
            **changed,
        }
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"reason": ""},
        {"state": "applied"},
        {"state": "refused"},
        {"state": "waiting", "applied_version": 2},
        {"decided_at": "now"},
        {"state": "waiting", "decided_at": "now", "decided_by_id": "other"},
        {"state": "refused", "decided_at": "now", "decided_by_id": "other"},
        {"state": "applied", "applied_version": 2, "decided_at": "now", "decided_by_id": "self"},
        {"state": "gone"},
    ],
)
def test_the_table_refuses_what_must_never_be(changed):
    examination = finished()
    ids = {"self": factories.user("umum").id, "other": factories.user("kepala").id, "now": utcnow()}
    changed = {name: ids.get(value, value) for name, value in changed.items()}
    with pytest.raises(StatementError), transaction():
        db.session.add(raw(examination, **changed))
    assert rows(Amendment) == []


def test_of_many_vital_signs_and_answers_only_those_that_changed_are_read():
    examination = finished()
    ref = measured(examination)[0].public_id
    made = amend(examination, vitals={ref: {"systolic": 120, "weight": None}}, plan="pulang")
    shown = {line.field: (line.old, line.new) for line in amendment_lists.shown(made)}
    old = "Tekanan sistolik 210 mmHg\nBerat badan 54,2 kg"
    assert shown["vitals"] == (old, "Tekanan sistolik 120 mmHg")
    assert shown["plan"] == ("istirahat", "pulang")
    (row,) = (line.new_value for line in made.lines if line.field == "vitals")
    assert "diastolic" in row, "stored is all of it"


def test_the_table_holds_one_waiting_request_a_person_and_one_amendment_a_version():
    examination = finished(72)
    amend(examination, plan="lain")
    with pytest.raises(IntegrityError), transaction():
        db.session.add(raw(examination))
    other = {"requested_by_id": factories.user("kepala").id}
    applied = {"state": "applied", "applied_version": 7}
    with transaction():
        db.session.add(raw(examination, **other, **applied))
    with pytest.raises(IntegrityError), transaction():
        db.session.add(raw(examination, **other, **applied))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM amendment_line",
        "DELETE FROM amendment",
        "UPDATE amendment_line SET old_value = 'x'",
        "UPDATE amendment SET reason = 'x'",
        "UPDATE amendment SET state = 'waiting', applied_version = NULL",
    ],
)
def test_what_was_amended_cannot_be_changed(statement):
    amend(finished(), plan="lain")
    with pytest.raises(DatabaseError), transaction():
        db.session.execute(text(statement))


# --- Nothing is lost --------------------------------------------------------------------------

words = st.sampled_from(["", "demam", "a\nb", "<b>", "x" * 300])
numbers = st.one_of(st.none(), st.integers(40, 200))
signs = st.fixed_dictionaries({"systolic": numbers, "weight": numbers})
codes = st.lists(st.sampled_from(["J06.9", "A09", "K29.7", "pegal linu"]), unique=True, max_size=3)
steps = st.lists(st.tuples(words, words, codes, signs), min_size=1, max_size=5)


@given(steps)
@settings(max_examples=12)
def test_replaying_the_lines_backwards_gives_the_original(wanted):
    examination = finished()
    original = amended_fields.stored(examination)
    for number, (plan, therapy, chosen, values) in enumerate(wanted):
        found = again(examination.public_id)
        vitals = {row.public_id: values for row in measured(found)} or {"": values}
        entered = [DiagnosisInput(code, "baru") for code in chosen]
        try:
            amend(found, plan=plan, therapy=therapy, diagnoses=entered, vitals=vitals)
        except RecordError as problem:
            assert "Belum ada yang diubah" in str(problem), number
    found = again(examination.public_id)
    state = amended_fields.stored(found)
    for amendment in amendment_lists.amendments(found, 100):
        for line in amendment.lines:
            here = Part(line.field, line.result_ref or line.subject_ref)
            assert state.pop(here, "{}") == line.new_value
            state[Part(line.field, line.subject_ref)] = line.old_value
    assert state == original


# --- Audit, exchange --------------------------------------------------------------------------


def test_each_step_is_in_the_audit_trail_without_the_text():
    examination = finished(72)
    request = amend(examination, plan="rahasia pasien")
    decide(approve, request)
    decide(refuse, amend(again(examination.public_id), plan="lain"))
    amend(finished(), therapy="rahasia pasien")
    found = db.session.scalars(select(AuditEntry).where(AuditEntry.action.like("%amend%"))).all()
    assert [row.action for row in sorted(found, key=lambda row: row.seq)] == [
        "request_amendment",
        "approve_amendment",
        "request_amendment",
        "refuse_amendment",
        "amend_examination",
    ]
    assert not any("rahasia" in row.details + row.reason for row in found)
    assert all(row.patient_ref and row.object_ref for row in found)
    assert audit.broken_link() is None


def test_a_visit_that_leaves_the_building_leaves_again_once_for_each_amendment():
    examination, unmarked = finished(), finished()
    mark_visit(examination)
    begun = examination.version
    first = amend(examination, version=begun, plan="lain")
    amend(examination, version=begun, plan="lain")
    amend(unmarked, plan="lain")
    amend(again(examination.public_id), by="kepala", plan="menunggu")
    keys = [row.business_key for row in rows(OutboxEntry)]
    ref = examination.visit.public_id
    assert keys == [f"satusehat:visit:{ref}", f"satusehat:amendment:{first.public_id}"]
