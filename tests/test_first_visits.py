"""Whose first visit it was: "baru" and "lama" hold after cancelling, merging and moving a visit."""

from clinic import merging, queues, wrong_patient
from db import db, transaction
from models import AliasKind, Patient, PatientAlias, QueueEntry, Visit
from tests import factories


def opened(person: Patient, code: str = "UMUM") -> Visit:
    return factories.visit(person, code)


def new(*visits: Visit) -> list[bool]:
    db.session.rollback()
    return [db.session.get(Visit, each.id).is_new_patient for each in visits]


def act(visit: Visit, action: str) -> None:
    with transaction():
        entry = db.session.get(QueueEntry, db.session.get(Visit, visit.id).entries[0].id)
        queues.act(factories.actor("kepala"), entry, action, reason="salah daftar")


def test_a_cancelled_visit_is_nobodys_first(app):
    person = factories.patient()
    first = opened(person)
    act(first, "batal")
    second = opened(person)
    assert new(first, second) == [False, True]
    third = opened(person, "GIGI")
    assert new(third) == [False]
    act(second, "batal")
    assert new(second, third) == [False, True], "the next one is the first by now"
    act(second, "urungkan")
    assert new(second, third) == [True, False]


def test_two_records_of_one_person_had_one_first_visit(app):
    one, other = factories.patient("Siti Aminah"), factories.patient("Sitti Aminah")
    visits = [opened(one), opened(other)]
    assert new(*visits) == [True, True]
    for visit in visits:
        act(visit, "pulang")
    keeper = factories.actor("rekammedis")
    with transaction():
        done = merging.merge(keeper, db.session.merge(one), db.session.merge(other), {}, "sama")
        ref = done.id
    assert new(*visits) == [True, False]
    with transaction():
        merging.undo(keeper, db.session.get(type(done), ref), "dua orang")
    assert new(*visits) == [True, True]


def test_a_visit_that_goes_to_the_right_person_takes_no_first_with_it(app):
    wrong, right = factories.patient("Siti Aminah"), factories.patient("Siti Rahayu")
    visits = [opened(wrong), opened(wrong, "GIGI"), opened(right, "KIA")]
    assert new(*visits) == [True, False, True]
    with transaction():
        visit = db.session.get(Visit, visits[0].id)
        by = factories.actor("kepala")
        wrong_patient.reassign(by, visit, db.session.merge(right), "salah pilih")
    assert new(*visits) == [True, True, False]


def test_who_was_taken_over_with_an_old_number_is_not_new(app):
    person = factories.patient()
    with transaction():
        row = {"patient_id": person.id, "original_patient_id": person.id}
        db.session.add(PatientAlias(kind=AliasKind.MRN, value="50001", **row))
    first = opened(person)
    assert new(first) == [False]
    act(first, "batal")
    assert new(first, opened(person)) == [False, False]
