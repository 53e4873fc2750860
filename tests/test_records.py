"""The record: drafts, finishing, addenda, vital signs, diagnoses, allergies, history."""

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from clinic import (
    allergies,
    diagnoses,
    favourites,
    history,
    measurements,
    queue_version,
    queues,
    records,
    series,
)
from clinic.days import clinic_date
from clinic.diagnoses import DiagnosisInput
from clinic.record_errors import MeasuredMeanwhile
from clinic.records import Conflict, ExaminationInput, NotOpen, RecordError
from db import db, transaction, utcnow
from models import (
    Addendum,
    Allergy,
    AuditEntry,
    Diagnosis,
    EntryState,
    Examination,
    QueueEntry,
    Visit,
    VisitStatus,
    VitalSigns,
)
from tests import factories, past_visits
from tests.databases import count_queries
from validators import FieldError

FULL = ExaminationInput(
    subjective="Demam dua hari",
    assessment="Infeksi saluran napas atas",
    disposition="pulang",
    diagnoses=(DiagnosisInput("J06.9"),),
)


def served(code: str = "UMUM", person=None, **fields) -> QueueEntry:
    """An entry that is being served."""
    entry = factories.entry(code, person, **fields)
    with transaction():
        queues.act(factories.actor("umum"), entry, "mulai")
    return entry


def save(entry, form=FULL, version=0, who="umum", finish=False) -> Examination:
    actor = factories.actor(who)
    with transaction():
        return (records.finish if finish else records.save)(actor, entry, form, version)


def all_rows(model, **where):
    return list(db.session.scalars(select(model).filter_by(**where).order_by(model.id)))


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


def all_audits(action: str) -> list[AuditEntry]:
    named = select(AuditEntry).where(AuditEntry.action == action)
    return list(db.session.scalars(named.order_by(AuditEntry.seq)))


# --- Draft and version ------------------------------------------------------------------------


def test_the_first_save_makes_the_examination_and_later_ones_change_it(app):
    entry = served()
    assert records.open_examination(entry) is None
    first = save(entry)
    assert (first.version, first.subjective, first.finished_at) == (1, "Demam dua hari", None)
    second = save(entry, ExaminationInput(subjective="Demam tiga hari"), version=1)
    assert second.id == first.id
    assert (second.version, second.subjective) == (2, "Demam tiga hari")
    assert second.assessment == "Infeksi saluran napas atas", "a field not sent is kept"
    assert actions().count("save_examination") == 2


def test_practitioner_and_typist_are_kept_apart(app):
    examination = save(served())
    user = factories.user("umum")
    assert examination.recorded_by_id == user.id
    assert examination.practitioner_id == user.practitioner_id is not None


def test_who_finishes_answers_for_what_another_began(app):
    entry = served()
    save(entry)
    done = save(entry, ExaminationInput(), version=1, who="gigi", finish=True)
    assert done.practitioner_id == factories.user("gigi").practitioner_id
    assert done.practitioner_id != factories.user("umum").practitioner_id


def test_a_stale_version_is_refused_and_changes_nothing(app):
    entry = served()
    save(entry)
    save(entry, ExaminationInput(plan="kontrol tiga hari"), version=1)
    with pytest.raises(Conflict) as caught:
        save(entry, ExaminationInput(plan="tulisan lain"), version=1)
    assert caught.value.current.plan == "kontrol tiga hari"
    assert records.open_examination(entry).plan == "kontrol tiga hari"


def test_two_first_saves_are_a_conflict_too(app):
    entry = served()
    save(entry)
    with pytest.raises(Conflict):
        save(entry, ExaminationInput(plan="tulisan lain"), version=0)
    assert len(all_rows(Examination)) == 1


def test_a_change_of_diagnoses_alone_raises_the_version(app):
    entry = served()
    save(entry)
    changed = save(entry, ExaminationInput(diagnoses=(DiagnosisInput("A09"),)), version=1)
    assert changed.version == 2
    same = save(entry, ExaminationInput(diagnoses=(DiagnosisInput("A09"),)), version=2)
    assert same.version == 2


def test_a_called_patient_is_started_by_the_first_save_a_waiting_one_is_not(app):
    entry = factories.entry()
    with pytest.raises(NotOpen):
        save(entry)
    assert all_rows(Examination) == []
    with transaction():
        queues.act(factories.actor("umum"), entry, "panggil")
    save(entry)
    assert db.session.get(QueueEntry, entry.id).state is EntryState.IN_SERVICE


@pytest.mark.parametrize("first_version", [0, 1])
def test_of_two_saves_at_the_same_moment_one_is_a_conflict(app, first_version):
    entry = served()
    if first_version:
        save(entry)
    has_written, may_commit = threading.Event(), threading.Event()
    outcomes = {}

    def write(name: str, waits: bool) -> None:
        with app.app_context():
            mine = db.session.get(QueueEntry, entry.id)
            form = ExaminationInput(plan=f"rencana {name}")
            try:
                with transaction():
                    records.save(factories.actor("umum"), mine, form, first_version)
                    has_written.set()
                    if waits:
                        may_commit.wait(10)
                outcomes[name] = "saved"
            except Conflict:
                outcomes[name] = "conflict"

    first = threading.Thread(target=write, args=("pertama", True))
    second = threading.Thread(target=write, args=("kedua", False))
    first.start()
    assert has_written.wait(10)
    second.start()
    may_commit.set()
    for thread in (first, second):
        thread.join(20)
    assert outcomes == {"pertama": "saved", "kedua": "conflict"}
    db.session.rollback()
    assert [row.plan for row in all_rows(Examination)] == ["rencana pertama"]


# --- Finishing --------------------------------------------------------------------------------


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("form", "field"),
    [
        (ExaminationInput(subjective="Demam", disposition="pulang"), "assessment"),
        (ExaminationInput(assessment="ISPA"), "disposition"),
        (ExaminationInput(assessment="ISPA", disposition="rujuk_eksternal"), "refer_external"),
        (ExaminationInput(assessment="ISPA", disposition="rujuk_internal"), "refer_to"),
        (
            ExaminationInput(assessment="ISPA", disposition="rujuk_internal", refer_to="UMUM"),
            "refer_to",
        ),
        (
            ExaminationInput(assessment="ISPA", disposition="rujuk_internal", refer_to="XX"),
            "refer_to",
        ),
    ],
)
def test_an_incomplete_examination_is_not_finished(app, form, field):
    entry = served()
    with pytest.raises(RecordError) as caught:
        save(entry, form, finish=True)
    assert caught.value.field == field
    assert records.open_examination(entry) is None, "nothing of it was stored"
    assert entry.state is EntryState.IN_SERVICE


@pytest.mark.parametrize(
    "form",
    [
        ExaminationInput(assessment="ISPA", disposition="pulang"),
        ExaminationInput(diagnoses=(DiagnosisInput("J06.9"),), disposition="kontrol"),
        ExaminationInput(assessment="ISPA", disposition="rujuk_eksternal", refer_to="RSUD"),
    ],
)
def test_finishing_closes_record_entry_and_visit(app, form):
    entry = served()
    examination = save(entry, form, finish=True)
    assert examination.finished_at is not None
    assert entry.state is EntryState.DONE
    assert entry.visit.status is VisitStatus.FINISHED
    assert "finish_examination" in actions()


@pytest.mark.parametrize("disposition", ["pulang", "rujuk_internal"])
def test_the_record_names_who_finished_what_a_practitioner_began(app, disposition):
    person = factories.patient()
    entry = served(person=person)
    save(entry)
    end = {"assessment": "ISPA", "disposition": disposition, "refer_to": "GIGI"}
    save(entry, ExaminationInput(**end), version=1, who="kepala", finish=True)
    (room,) = history.history(person)[0].examined
    assert room.author == "dr. Bagus Prasetyo"
    assert room.finisher == factories.user("kepala").display_name


def test_nobody_else_is_named_where_the_practitioner_finished(app):
    people = [factories.patient(), factories.patient("Budi", sex="L")]
    for person, first in zip(people, ("kepala", "umum"), strict=True):
        entry = served(person=person)
        save(entry, who=first)
        save(entry, version=1, who="umum", finish=True)
        (room,) = history.history(person)[0].examined
        assert (room.author, room.finisher) == ("dr. Bagus Prasetyo", "")


def test_in_the_laboratory_any_text_is_enough(app):
    form = ExaminationInput(objective="Hb 11,2", disposition="pulang")
    assert save(served("LAB"), form, finish=True).finished_at
    with pytest.raises(RecordError):
        save(served("LAB"), ExaminationInput(disposition="pulang"), finish=True)


def test_nothing_changes_after_the_end_but_addenda(app):
    entry = served()
    examination = save(entry, finish=True)
    version = examination.version
    for form in (ExaminationInput(plan="lain"), ExaminationInput(diagnoses=())):
        with pytest.raises(Conflict):
            save(entry, form, version=version)
        with pytest.raises(Conflict):
            save(entry, form, version=version, finish=True)
    assert len(all_rows(Diagnosis, ended_at=None)) == 1
    with transaction():
        records.add_addendum(factories.actor("umum"), examination, "Hasil foto normal")
    assert [row.text for row in all_rows(Addendum)] == ["Hasil foto normal"]
    assert examination.plan == "" and examination.version == version


def test_pressing_finish_twice_finishes_once(app):
    entry = served()
    first = save(entry, finish=True)
    again = save(entry, finish=True)
    assert again.id == first.id
    assert actions().count("finish_examination") == 1
    assert len(all_rows(Diagnosis)) == 1


def test_an_addendum_needs_text_and_a_finished_examination(app):
    entry = served()
    draft = save(entry)
    actor = factories.actor("umum")
    with pytest.raises(RecordError), transaction():
        records.add_addendum(actor, draft, "belum selesai")
    done = save(entry, ExaminationInput(), version=1, finish=True)
    with pytest.raises(RecordError), transaction():
        records.add_addendum(actor, done, "   ")
    for _ in range(2):
        with transaction():
            records.add_addendum(actor, done, "sekali saja")
    assert len(all_rows(Addendum)) == 1
    with transaction():  # somebody else's word is another one
        records.add_addendum(factories.actor("kepala"), done, "sekali saja")
    assert len(all_rows(Addendum)) == 2


def test_an_internal_referral_brings_the_patient_there_and_back(app):
    entry = served()
    form = ExaminationInput(assessment="Anemia", disposition="rujuk_internal", refer_to="LAB")
    save(entry, form, finish=True)
    assert entry.state is EntryState.AWAITING_RESULT
    there = all_rows(QueueEntry, poli_id=factories.poli("LAB").id)[0]
    with transaction():
        queues.act(factories.actor("lab"), there, "mulai")
    save(there, ExaminationInput(objective="Hb 9", disposition="pulang"), who="lab", finish=True)
    back = all_rows(QueueEntry, poli_id=factories.poli("UMUM").id)[-1]
    assert back.id != entry.id and back.state is EntryState.WAITING
    with transaction():
        queues.act(factories.actor("umum"), back, "mulai")
    second = save(back, finish=True)
    assert len(all_rows(Examination, visit_id=entry.visit_id)) == 3
    assert second.visit.status is VisitStatus.FINISHED


def test_from_the_pharmacy_nobody_comes_back(app):
    entry = served()
    form = ExaminationInput(assessment="ISPA", disposition="rujuk_internal", refer_to="FARMASI")
    save(entry, form, finish=True)
    assert entry.state is EntryState.DONE
    there = all_rows(QueueEntry, poli_id=factories.poli("FARMASI").id)[0]
    with transaction():
        queues.act(factories.actor("farmasi"), there, "mulai")
    given = ExaminationInput(plan="Obat diserahkan", disposition="pulang")
    done = save(there, given, who="farmasi", finish=True)
    assert len(all_rows(QueueEntry, visit_id=entry.visit_id)) == 2
    assert done.visit.status is VisitStatus.FINISHED


# --- Diagnoses --------------------------------------------------------------------------------


def stored(entry) -> list[tuple[str, str, bool]]:
    rows = diagnoses.active(records.open_examination(entry))
    return [(row.code, row.case_type, row.is_primary) for row in rows]


def test_diagnoses_are_ended_and_added_never_wiped(app):
    entry = served()
    save(entry, ExaminationInput(diagnoses=(DiagnosisInput("J06.9"), DiagnosisInput("A09"))))
    assert stored(entry) == [("J06.9", "baru", True), ("A09", "baru", False)]
    kept = all_rows(Diagnosis, code="A09")[0].id
    entered = (DiagnosisInput("K29.7"), DiagnosisInput("A09"))
    save(entry, ExaminationInput(diagnoses=entered), version=1, who="kepala")
    assert stored(entry) == [("K29.7", "baru", True), ("A09", "baru", False)]
    ended, other = all_rows(Diagnosis, code="J06.9"), factories.user("kepala").id
    assert len(ended) == 1 and ended[0].ended_at and ended[0].ended_by_id == other
    assert [row.id for row in all_rows(Diagnosis, code="A09")] == [kept]
    wrote = {row.code: row.recorded_by_id for row in all_rows(Diagnosis)}
    mine = factories.user("umum").id
    assert wrote == {"J06.9": mine, "A09": mine, "K29.7": other}


def test_a_code_is_known_in_any_spelling_and_once(app):
    entry = served()
    entered = [DiagnosisInput(text) for text in ("j069", "J06.9", "J06.9 ISPA", "")]
    save(entry, ExaminationInput(diagnoses=entered))
    (row,) = all_rows(Diagnosis)
    assert row.code == "J06.9" and row.edition and row.title != "J06.9"


@pytest.mark.parametrize(
    ("typed", "code", "title"),
    [
        ("XYZ99", "XYZ99", "XYZ99"),
        ("Z99.99 Penyakit langka", "Z99.99", "Penyakit langka"),
        ("pegal linu", "", "pegal linu"),
        ("tertusuk-paku-berkarat-2x", "", "tertusuk-paku-berkarat-2x"),  # no code is so long
    ],
)
def test_an_unknown_code_is_kept_as_typed_and_sent_again_unchanged(app, typed, code, title):
    entry = served()
    save(entry, ExaminationInput(diagnoses=(DiagnosisInput(typed),)))
    (row,) = all_rows(Diagnosis)
    assert (row.code, row.title, row.edition) == (code, title, "")
    again = DiagnosisInput(diagnoses.line_of(row).typed, "baru")
    save(entry, ExaminationInput(diagnoses=(again,)), version=1)
    assert len(all_rows(Diagnosis)) == 1


def test_a_text_is_known_once_in_any_letters(app):
    entry = served()
    entered = [DiagnosisInput(text) for text in ("Pegal linu", "pegal LINU", "pegal")]
    save(entry, ExaminationInput(diagnoses=entered))
    assert [row.title for row in all_rows(Diagnosis)] == ["Pegal linu", "pegal"]


def test_each_unusual_diagnosis_needs_a_reason_that_fits(app):
    entry = served()
    usual, unusual = DiagnosisInput("J06.9"), DiagnosisInput("C61")
    with pytest.raises(RecordError, match="C61 tidak lazim"):
        save(entry, replace(FULL, diagnoses=(usual, unusual)), finish=True)
    with pytest.raises(FieldError, match="terlalu panjang"):
        save(entry, replace(FULL, diagnoses=(usual, unusual._replace(reasons={"": "x" * 301}))))
    answered = unusual._replace(reasons={"": "x" * 300})
    done = save(entry, replace(FULL, diagnoses=(usual, answered)), finish=True)
    assert diagnoses.active(done)[1].override_reason == "x" * 300


def test_each_disease_is_looked_for_as_long_as_it_lasts(app):
    """Of two that are typed together, the short one does not shorten the other's memory."""
    person = factories.patient()
    before = served(person=person)
    both = (DiagnosisInput("I10"), DiagnosisInput("J06.9"))
    save(before, replace(FULL, diagnoses=both), finish=True)
    with transaction():
        visit = db.session.get(Visit, before.visit_id)
        visit.occurred_at -= timedelta(days=90)
        visit.service_day.on -= timedelta(days=90)
    now = save(served(person=person), replace(FULL, diagnoses=both))
    assert [(row.code, row.case_type) for row in diagnoses.active(now)] == [
        ("I10", "lama"),
        ("J06.9", "baru"),
    ]


def test_a_case_is_as_old_as_on_the_day_of_its_own_visit(app):
    """What is written down weeks later is judged by when the patient came."""
    person = factories.patient()
    for ago in (45, 20):
        entry = served(person=person)
        if ago == 45:
            save(entry, finish=True)
        with transaction():
            visit = db.session.get(Visit, entry.visit_id)
            visit.occurred_at -= timedelta(days=ago)
            visit.service_day.on -= timedelta(days=ago)
    (line,) = diagnoses.lines([DiagnosisInput("J06.9")], db.session.get(Visit, entry.visit_id))
    assert line.case_type == "lama"


def test_the_same_disease_within_thirty_days_is_an_old_case(app):
    person = factories.patient()
    earlier = served(person=person)
    save(earlier, finish=True)
    # At whatever hour they came: ten minutes less than thirty days ago was thirty days ago.
    for days, minutes, expected in ((29, 0, "lama"), (30, 10, "baru"), (31, 0, "baru")):
        with transaction():
            visit = db.session.get(Visit, earlier.visit_id)
            visit.occurred_at = utcnow() - timedelta(days=days, minutes=-minutes)
            visit.service_day.on = clinic_date() - timedelta(days=days)
        assert factories.suggested_case_type(person, "J06.0") == expected
        assert factories.suggested_case_type(person, "A09") == "baru"
    assert factories.suggested_case_type(factories.patient("Budi"), "J06.9") == "baru"


def test_a_cancelled_visit_or_an_ended_diagnosis_makes_no_old_case(app):
    person = factories.patient()
    done = save(served(person=person), finish=True)
    assert factories.suggested_case_type(person, "J06.9") == "lama"
    (row,) = diagnoses.active(done)
    with transaction():
        db.session.merge(row).ended_at = utcnow()
    assert factories.suggested_case_type(person, "J06.9") == "baru"
    again = save(served("GIGI", person), finish=True)
    assert factories.suggested_case_type(person, "J06.9") == "lama"
    with transaction():
        db.session.get(Visit, again.visit_id).status = VisitStatus.CANCELLED
    assert factories.suggested_case_type(person, "J06.9") == "baru"


def test_what_a_moved_stay_only_drafted_makes_no_old_case(app):
    entry = served()
    save(entry, ExaminationInput(diagnoses=(DiagnosisInput("I10"),)))
    with transaction():
        lansia = factories.poli("LANSIA")
        there = queues.move(factories.actor("umum"), entry, lansia, "salah ruang", utcnow())
        queues.act(factories.actor("kepala"), there, "mulai")
    assert factories.suggested_case_type(entry.visit.patient, "I10") == "baru"
    done = save(there, ExaminationInput(diagnoses=(DiagnosisInput("I10"),)), who="kepala")
    assert [row.case_type for row in diagnoses.active(done)] == ["baru"]
    assert favourites.ongoing_codes(served("GIGI", entry.visit.patient).visit) == []


@pytest.mark.parametrize("refined", ["K30", "K30.1"])
@pytest.mark.parametrize("case_type", ["baru", "lama"])
def test_a_further_stay_of_a_visit_says_of_a_case_what_the_first_said(app, case_type, refined):
    entry = served()
    form = ExaminationInput(
        diagnoses=(DiagnosisInput("K30", case_type),), disposition="rujuk_internal", refer_to="GIGI"
    )
    save(entry, form, finish=True)
    there = all_rows(QueueEntry, poli_id=factories.poli("GIGI").id)[0]
    with transaction():
        queues.act(factories.actor("gigi"), there, "mulai")
    done = save(there, ExaminationInput(diagnoses=(DiagnosisInput(refined),)), who="gigi")
    assert [row.case_type for row in diagnoses.active(done)] == [case_type]


def test_what_came_later_makes_no_old_case_of_what_is_written_down_late(app):
    person = factories.patient()
    save(served(person=person), finish=True)
    entry, by = served("GIGI", person), factories.user("umum").id
    with transaction():
        paper = {"entry_id": entry.id, "visit_id": entry.visit_id, "recorded_by_id": by}
        late = Examination(**paper, occurred_at=utcnow() - timedelta(days=2))
        db.session.add(late)
    assert factories.suggested_case_type(person, "J06.9", late) == "baru"
    assert factories.suggested_case_type(person, "J06.9") == "lama"


# --- Vital signs ------------------------------------------------------------------------------


def measure(entry, who="umum", here=True, **values):
    with transaction():
        return records.measure(factories.actor(who), entry.visit, entry if here else None, values)


def test_a_correction_by_the_same_person_ends_a_row_and_adds_another(app):
    entry = served()
    first = measure(entry, systolic=120, diastolic=80)
    assert measure(entry, systolic=120, diastolic=80).id == first.id
    assert len(all_rows(VitalSigns)) == 1
    second = measure(entry, systolic=130, temperature=Decimal("36.5"))
    assert [bool(row.ended_at) for row in all_rows(VitalSigns)] == [True, False]
    assert (second.systolic, second.diastolic) == (130, 80), "a value not sent is kept"
    assert measure(entry, temperature=Decimal("36.50")).id == second.id


def test_everybody_is_the_author_of_what_they_measured(app):
    entry = served()
    measure(entry, "kia", here=False, systolic=150)
    measure(entry, "umum", systolic=140)
    rows = all_rows(VitalSigns)
    assert [(row.systolic, row.ended_at) for row in rows] == [(150, None), (140, None)]
    assert len({row.recorded_by_id for row in rows}) == 2
    assert history.visit_summary(entry.visit).last_vitals == {"systolic": 140}


def shown_today(entry):
    db.session.rollback()
    return history.visit_summary(db.session.get_one(Visit, entry.visit_id))


def test_two_who_measure_at_one_desk_each_keep_their_own(app):
    entry = factories.entry()
    measure(entry, here=False, pulse=80)
    measure(entry, "kepala", here=False, temperature=39)
    names = [factories.user(one).display_name for one in ("umum", "kepala")]
    authors = {each.author: each.values for each in shown_today(entry).vitals}
    assert authors == {names[0]: {"pulse": 80}, names[1]: {"temperature": 39}}
    measure(entry, "kepala", here=False, pulse=96)
    authors = {each.author: each.values for each in shown_today(entry).vitals}
    assert authors[names[0]] == {"pulse": 80}, "a colleague's measurement corrects nothing"


def test_a_corrected_or_emptied_measurement_is_read_no_more(app):
    entry = factories.entry()
    measure(entry, here=False, systolic=210, diastolic=120)
    measure(entry, here=False, systolic=120, diastolic=80)
    assert [each.values["systolic"] for each in shown_today(entry).vitals] == [120]
    measure(entry, here=False, systolic=None, diastolic=None)
    today = shown_today(entry)
    assert today.vitals == () and today.last_vitals == {}


def test_what_a_correction_leaves_as_it_was_keeps_its_time_of_measuring(app):
    entry = served()
    measure(entry, "kia", here=False, systolic=180, diastolic=100, weight=57, height=160)
    measure(entry, "umum", systolic=150, diastolic=90)
    measure(entry, "kia", here=False, weight=75)
    today = shown_today(entry)
    newest = {"systolic": 150, "diastolic": 90, "weight": 75, "height": 160}
    assert today.last_vitals == newest
    assert [each.values for each in today.corrected_vitals] == [{"weight": 57}]
    assert measurements.newest(entry.visit, "systolic") == 150
    measure(entry, "umum", pulse=88)
    assert [row.ended_at for row in all_rows(VitalSigns)].count(None) == 4, "nothing is corrected"


def test_a_dose_is_checked_by_the_weight_that_was_measured_last(app):
    entry = served()
    measure(entry, "kia", here=False, systolic=180, diastolic=100, weight=57)
    measure(entry, "umum", weight=60)
    measure(entry, "kia", here=False, systolic=130, diastolic=80)
    assert measurements.weight_text(entry.visit) == "BB 60 kg"
    measure(entry, "umum", weight=None)
    assert measurements.weight_text(entry.visit) == "BB 57 kg", "what was taken back is no weight"


def own(entry) -> measurements.Own:
    return measurements.own_measurements(factories.user("umum").id, entry.visit, entry)


def on_page(entry, shown, is_new=False, **values):
    boxes = records.Boxes(dict.fromkeys(records.VITALS) | values, shown, is_new)
    with transaction():
        return records.measure(factories.actor("umum"), entry.visit, entry, boxes)


def test_who_measures_again_keeps_both_measurements(app):
    entry = served()
    first = measure(entry, systolic=80, diastolic=50, weight=60)
    shown = own(entry).refs
    again = on_page(entry, shown, True, systolic=130, diastolic=80, weight=60)
    assert (again.systolic, again.diastolic, again.weight) == (130, 80, None), "only what changed"
    assert on_page(entry, shown, True, systolic=130, diastolic=80, weight=60).id == again.id
    same = on_page(entry, own(entry).refs, True, systolic=130, diastolic=80, weight=60)
    assert (same.systolic, same.weight) == (130, 60), "unchanged: all was measured again"
    found = shown_today(entry)
    assert [each.values.get("systolic") for each in found.vitals] == [80, 130, 130]
    assert found.corrected_vitals == () and found.last_vitals["systolic"] == 130
    measure(entry, systolic=120, diastolic=80)
    assert [(row.id == same.id) for row in all_rows(VitalSigns) if row.ended_at] == [True]
    assert db.session.get(VitalSigns, first.id).ended_at is None
    number = len(all_rows(VitalSigns))
    on_page(entry, None, True, weight=60)
    assert len(all_rows(VitalSigns)) == number + 1, "a page that names no rows was not sent again"
    (drawn, *_) = series.vital_series(entry.visit.patient)
    assert [point.text for point in drawn.points] == ["80/50", "130/80", "120/80"]


def test_boxes_that_stand_as_they_were_shown_were_not_typed(app):
    entry = served()
    on_page(entry, [], systolic=190, diastolic=120)
    on_page(entry, [], weight=60, height=155)
    expected = {"systolic": 190, "diastolic": 120, "weight": 60, "height": 155}
    assert shown_today(entry).last_vitals == expected
    shown = own(entry).refs
    on_page(entry, shown, **expected | {"weight": 61})
    on_page(entry, shown, **expected | {"height": None})
    left = {"systolic": 190, "diastolic": 120, "weight": 61}
    assert shown_today(entry).last_vitals == left, "what was emptied is taken back"
    with pytest.raises(MeasuredMeanwhile):
        on_page(entry, shown, **expected | {"weight": 62})
    on_page(entry, shown, **expected | {"weight": 61})
    with pytest.raises(MeasuredMeanwhile):  # half a pressure of each would be nobody's
        on_page(entry, [], **left | {"systolic": 170})
    assert shown_today(entry).last_vitals == left


def test_who_measured_is_in_the_audit_trail(app):
    entry, nurse = factories.entry(), factories.user("umum").id
    measure(entry, here=False, pulse=80)
    measure(entry, here=False, pulse=90)
    found = [(row.user_id, row.details) for row in all_audits("measure")]
    assert found == [(nurse, ""), (nurse, "corrected")]


def test_nothing_measured_adds_nothing_and_an_ended_visit_takes_nothing(app):
    entry = served()
    assert measure(entry, systolic=None, pulse=None) is None
    assert all_rows(VitalSigns) == [] and "measure" not in actions()
    save(entry, finish=True)
    with pytest.raises(NotOpen):
        measure(entry, systolic=120)


# --- Allergies --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "substance",
    ["tidak ada", "Tidak Ada.", "tdk ada alergi obat", "-", "(-)", "alergi (-), disangkal"]
    + ["nihil", "belum diketahui", "none", "NKDA", "tidak tahu", "tak ada riwayat alergi"],
)
def test_what_says_that_there_is_no_allergy_is_none(app, substance):
    for is_alert in (False, True):
        with pytest.raises(RecordError, match="Kosongkan bila tidak ada"), transaction():
            actor, person = factories.actor("umum"), factories.patient()
            allergies.add_allergy(actor, person, substance, is_alert=is_alert)


@pytest.mark.parametrize(
    "substance", ["obat", "tidak tahan susu", "obat tidak diketahui", "alergi", "NO2", "debu"]
)
def test_an_allergy_may_be_named_in_words_that_deny_elsewhere(app, substance):
    with transaction():
        actor, person = factories.actor("umum"), factories.patient()
        assert allergies.add_allergy(actor, person, substance).substance == substance


@pytest.mark.engines("sqlite")
def test_the_rooms_where_they_wait_show_an_allergy_and_its_end(app):
    entry = factories.entry()
    person, actor = entry.visit.patient, factories.actor("umum")
    shown = [queue_version.present_version(entry.poli_id)]
    with transaction():
        allergy = allergies.add_allergy(actor, person, "Amoksisilin")
    shown.append(queue_version.present_version(entry.poli_id))
    with transaction():
        allergies.end_allergy(actor, allergy, "ternyata bukan alergi")
    shown.append(queue_version.present_version(entry.poli_id))
    assert len(set(shown)) == 3


@pytest.mark.engines("sqlite")
def test_who_is_to_be_watched_is_not_called_allergic(app):
    deaf, allergic = factories.patient("Wayan"), factories.patient("Made")
    with transaction():
        actor = factories.actor("umum")
        allergies.add_allergy(actor, deaf, "tuli", is_alert=True)
        allergies.add_allergy(actor, allergic, "Udang")
    assert allergies.among([deaf.id, allergic.id]) == {allergic.id}


def test_allergies_are_added_once_and_ended_with_a_reason(app):
    person, actor = factories.patient(), factories.actor("umum")
    with transaction():
        allergy = allergies.add_allergy(actor, person, "Amoksisilin", "gatal")
    with transaction():
        assert allergies.add_allergy(actor, person, "Amoksisilin", "gatal").id == allergy.id
    with pytest.raises(RecordError), transaction():
        allergies.add_allergy(actor, person, "AMOKSISILIN", "sesak")
    with pytest.raises(RecordError), transaction():
        allergies.add_allergy(actor, person, " ", "")
    with pytest.raises(RecordError), transaction():
        allergies.end_allergy(actor, allergy, " ")
    with pytest.raises(RecordError, match="sudah tercatat"), transaction():
        allergies.add_allergy(factories.actor("gigi"), person, "Amoksisilin", "gatal")
    assert [row.substance for row in allergies.current(person)] == ["Amoksisilin"]
    assert allergies.among([person.id]) == {person.id}
    with transaction():
        allergies.end_allergy(actor, allergy, "ternyata bukan alergi")
    assert allergies.current(person) == [] and allergies.among([person.id]) == set()
    assert [row.end_reason for row in allergies.ended(person)] == ["ternyata bukan alergi"]
    with pytest.raises(RecordError), transaction():
        allergies.end_allergy(actor, allergy, "sekali lagi")
    assert len(all_rows(Allergy)) == 1
    assert [name for name in actions() if "allergy" in name] == ["add_allergy", "end_allergy"]


# --- History ----------------------------------------------------------------------------------


def test_history_is_complete_newest_first_and_paged(app):
    person = factories.patient()
    past_visits.add(person, 30)
    first = history.history(person, 20)
    assert [visit.complaint for visit in first] == [f"keluhan {n}" for n in range(1, 21)]
    newest = first[0]
    (room,) = newest.examined
    assert (room.name, room.author) == (factories.poli().name, "dr. Bagus Prasetyo")
    assert [row.code for row in room.diagnoses] == ["J06.9"]
    assert (room.examination.therapy, newest.last_vitals) == (
        "terapi 1",
        {"systolic": 120, "diastolic": 80},
    )
    last = db.session.scalars(select(Visit).where(Visit.public_id == first[-1].ref)).one()
    rest = history.history(person, 20, last)
    assert [visit.complaint for visit in rest] == [f"keluhan {n}" for n in range(21, 31)]


@pytest.mark.engines("sqlite")
def test_history_takes_the_same_queries_at_5_and_200_visits(app):
    few, many = factories.patient("Ani"), factories.patient("Budi", sex="L")
    past_visits.add(few, 5)
    past_visits.add(many, 200)
    counts = []
    for person, size in ((few, 5), (many, 200)):
        db.session.refresh(person)
        with count_queries() as statements:
            shown = history.history(person, 500)
            assert {room.author for visit in shown for room in visit.examined} == {
                "dr. Bagus Prasetyo"
            }
        assert len(shown) == size
        counts.append(len(statements))
    assert counts[0] == counts[1] == 13


def test_a_cancelled_entry_or_visit_is_never_shown_as_seen(app):
    person = factories.patient()
    entry = served(person=person)
    save(entry)
    measure(entry, systolic=120)
    with transaction():
        queues.act(factories.actor("umum"), entry, "batal", reason="salah pasien")
    (shown,) = history.history(person)
    assert shown.is_cancelled and shown.examined == () and shown.vitals == ()
    assert shown.complaint == ""


def test_of_visits_at_one_moment_each_stands_once_in_the_paged_history(app):
    person = factories.patient()
    visits = [factories.visit(person, code) for code in ("UMUM", "GIGI", "LAB")]
    with transaction():
        for visit in visits:
            db.session.get(Visit, visit.id).occurred_at = visits[0].occurred_at
    shown, before = [], None
    while page := history.history(person, 1, before):
        shown += [each.ref for each in page]
        before = db.session.scalars(select(Visit).where(Visit.public_id == page[0].ref)).one()
    assert shown == [visit.public_id for visit in reversed(visits)]


def test_history_tells_the_diagnoses_that_hold_in_the_order_of_the_form(app):
    entry = served()
    save(entry, ExaminationInput(diagnoses=(DiagnosisInput("J06.9"), DiagnosisInput("A09"))))
    entered = (DiagnosisInput("K29.7"), DiagnosisInput("A09"))
    save(entry, ExaminationInput(diagnoses=entered), version=1)
    (room,) = shown_today(entry).examined
    assert [row.code for row in room.diagnoses] == ["K29.7", "A09"]


def test_what_was_drafted_in_a_cancelled_stay_of_a_visit_is_not_shown(app):
    entry = served()
    form = ExaminationInput(
        assessment="periksa", disposition="rujuk_internal", refer_to="GIGI", diagnoses=()
    )
    save(entry, form, finish=True)
    there = db.session.scalars(select(QueueEntry).filter_by(previous_entry_id=entry.id)).one()
    with transaction():
        queues.act(factories.actor("gigi"), there, "mulai")
    save(there, ExaminationInput(assessment="bukan pasien ini"), who="gigi")
    with transaction():
        queues.act(factories.actor("gigi"), there, "batal", reason="salah pasien")
    assert [room.code for room in shown_today(entry).examined] == ["UMUM"]


def test_a_room_of_an_undone_move_is_no_part_of_the_history(app):
    entry = factories.entry()
    with transaction():
        queues.act(factories.actor("umum"), entry, "pindah", "salah", factories.poli("GIGI"))
    with transaction():
        queues.act(factories.actor("umum"), entry, "urungkan")
    assert [each.code for each in shown_today(entry).rooms] == ["UMUM"]


def test_an_unfinished_examination_is_shown_as_such(app):
    person = factories.patient()
    entry = served(person=person)
    save(entry)
    (shown,) = history.history(person)
    (room,) = shown.examined
    assert not room.is_finished
    assert db.session.scalar(select(func.count()).select_from(Examination)) == 1


def test_visit_lines_hold_nothing_clinical(app):
    person = factories.patient()
    entry = served(person=person)
    save(entry, finish=True)
    (line,) = history.visit_lines(person)
    assert line.complaint == "" and line.vitals == () and line.examined == ()
    assert line.room_names == factories.poli().name
