"""A row stored with one statement is, afterwards, what a flush of the ORM would have left."""

import pytest
from sqlalchemy import inspect, select

import new_rows
from db import add_row, db, transaction, utcnow
from models import Household, NoNikReason, Patient, ServiceDay
from tests.databases import count_queries

KK = "5271012345670001"


def patient(mrn: str = "900001", **more) -> Patient:
    return Patient(
        mrn=mrn,
        name="Siti",
        name_key="SITI",
        sex="P",
        no_nik_reason=NoNikReason.NEWBORN,
        address="",
        **more,
    )


def test_the_row_has_its_id_defaults_and_keys_without_another_query(app):
    with transaction():
        home = add_row(Household(kk_number=KK))
        with count_queries() as seen:
            row = add_row(patient(household=home))
            known = (row.household_id, row.is_active, row.version, row.nik, row.phone)
        assert len(seen) == 1
    assert known == (home.id, True, 1, None, None)
    assert row.id and len(row.public_id) == 36 and row.registered_at <= utcnow()
    db.session.expunge_all()
    stored = db.session.scalars(select(Patient).where(Patient.id == row.id)).one()
    assert (stored.public_id, stored.household.kk_number) == (row.public_id, KK)


def test_columns_that_are_named_otherwise_than_their_attribute(app):
    with transaction():
        day = add_row(ServiceDay(on=utcnow().date(), opened_at=utcnow()))
        db.session.expire(day)
        assert day.on == utcnow().date()


def test_a_later_change_is_written_with_its_version(app):
    with transaction():
        row = add_row(patient())
        row.name = "Siti Aminah"
        db.session.flush()
        assert row.version == 2
    db.session.expunge_all()
    assert db.session.get(Patient, row.id).name == "Siti Aminah"


def test_after_a_rollback_the_row_was_never_there(app):
    """SQLite gives the number of a row that was rolled back to the next one."""
    with pytest.raises(ZeroDivisionError), transaction():
        lost = add_row(patient())
        _ = 1 / 0
    assert inspect(lost).transient
    with transaction():
        kept = add_row(patient())
    assert db.session.scalars(select(Patient).where(Patient.mrn == "900001")).one() is kept


def test_a_savepoint_takes_only_its_own_rows_back(app):
    with transaction() as session:
        before = add_row(patient("900001"))
        inner = session.begin_nested()
        lost = add_row(patient("900002"))
        inner.rollback()
        assert inspect(before).persistent and inspect(lost).transient
        add_row(patient("900003"))
    found = select(Patient.mrn).where(Patient.mrn.like("90000_")).order_by(Patient.mrn)
    assert db.session.scalars(found).all() == ["900001", "900003"]


def test_what_waits_in_the_session_is_written_before(app):
    with transaction() as session:
        home = add_row(Household(kk_number=KK))
        home.folder_no = "F-1"
        add_row(patient())
        assert not session.dirty


def test_a_row_that_depends_on_another_new_one_is_left_to_the_orm(app):
    with transaction() as session:
        row = patient(household=Household(kk_number=KK))
        assert not new_rows.store(session, row) and inspect(row).transient
        assert add_row(row).household.id == row.household_id
