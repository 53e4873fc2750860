"""Whose first visit it was: "baru" and "lama" hold after cancelling, merging and moving a visit."""

from datetime import timedelta

import pytest
from sqlalchemy import text

import cli
from clinic import merging, queues, wrong_patient
from db import db, transaction, utcnow
from models import (
    AliasKind,
    ImportBatch,
    ImportRow,
    Patient,
    PatientAlias,
    QueueEntry,
    RowFate,
    Visit,
)
from tests import factories
from tests.test_migrations import migrate


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


def keep_old_number(person: Patient, value: str) -> None:
    with transaction():
        row = {"patient_id": person.id, "original_patient_id": person.id}
        db.session.add(PatientAlias(kind=AliasKind.MRN, value=value, **row))


def keep_row(person: Patient, fate: RowFate) -> None:
    """As the import of a file notes whom its row is about."""
    with transaction():
        head = factories.user("kepala").id
        batch = ImportBatch(file_name="lama.csv", digest="0" * 64, uploaded_by_id=head)
        db.session.add(batch)
        db.session.flush()
        row = ImportRow(batch_id=batch.id, number=2, fate=fate, patient_id=person.id)
        db.session.add(row)


@pytest.mark.parametrize("number", ["50001", "its own", "somebody's"])
def test_who_was_taken_over_with_an_old_number_is_not_new(app, number):
    person, somebody = factories.patient(), factories.patient("Yohana")
    keep_old_number(person, {"its own": person.mrn, "somebody's": somebody.mrn}.get(number, number))
    first = opened(person)
    assert new(first) == [False]
    act(first, "batal")
    assert new(first, opened(person)) == [False, False]
    assert new(opened(somebody)) == [True]


@pytest.mark.parametrize(
    ("fate", "number"),
    [(RowFate.CREATED, ""), (RowFate.KEPT, ""), (RowFate.CREATED, "50001")],
)
def test_who_was_imported_is_not_new_under_the_record_it_was_merged_into(app, fate, number):
    one, imported = factories.patient("Siti Aminah"), factories.patient("Sitti Aminah")
    keep_old_number(imported, number or imported.mrn)
    keep_row(imported, fate)
    visit = opened(one)
    act(visit, "pulang")
    with transaction():
        both = (db.session.merge(one), db.session.merge(imported))
        done = merging.merge(factories.actor("rekammedis"), *both, {}, "sama")
        ref = done.id
    assert new(visit) == [False]
    with transaction():
        merging.undo(factories.actor("rekammedis"), db.session.get(type(done), ref), "dua orang")
    assert new(visit) == [True], "the old number is the other one's alone"


def test_who_was_known_here_before_the_import_is_not_imported(app):
    one, other = factories.patient("Siti Aminah"), factories.patient("Sitti Aminah")
    keep_row(other, RowFate.KNOWN)
    visit = opened(one)
    act(visit, "pulang")
    with transaction():
        both = (db.session.merge(one), db.session.merge(other))
        merging.merge(factories.actor("rekammedis"), *both, {}, "sama")
    assert new(visit) == [True]


def test_a_slip_of_an_earlier_day_takes_the_first_from_the_visit_typed_before_it(app):
    person = factories.patient()
    today = opened(person)
    yesterday = utcnow() - timedelta(days=1)
    paper = {"source": "paper", "occurred_at": yesterday, "label": "KT001"}
    slip = factories.visit(person, **paper)
    assert new(today, slip) == [False, True]
    act(slip, "batal")
    assert new(today, slip) == [True, False]


def test_an_upgrade_mends_what_old_numbers_had_made_new(app):
    one, other, imported = (factories.patient(name) for name in ("Siti", "Sitti", "Yohana"))
    visits = [opened(one), opened(imported)]
    act(visits[0], "pulang")
    with transaction():
        both = (db.session.merge(one), db.session.merge(other))
        merging.merge(factories.actor("rekammedis"), *both, {}, "sama")
    keep_old_number(imported, one.mrn)
    assert new(*visits) == [True, True]
    later = ("0030_values_that_exist", "0028_corrected_critical_results", "0027_nothing_is_deleted")
    for name in later:
        migrate(name, "downgrade")
    db.session.execute(text("UPDATE alembic_version SET version_num = '0024'"))
    db.session.commit()
    cli.prepare_database()
    db.session.expire_all()
    assert new(*visits) == [True, False]
