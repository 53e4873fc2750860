"""The list of identities to complete: who is here, who was seen last, who was never seen."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select

from clinic import incomplete, patients
from clinic.audit import SYSTEM
from db import db, transaction, utcnow
from models import (
    DatePrecision,
    EntryState,
    Examination,
    NoNikReason,
    Patient,
    QueueEntry,
    ServiceDay,
    VisitStatus,
)
from tests import factories

FORGOT = NoNikReason.FORGOT_CARD


def lacking(**fields) -> Patient:
    return factories.patient(no_nik_reason=FORGOT, **fields)


def change(row, **fields):
    with transaction():
        stored = db.session.get_one(type(row), row.id)
        for name, value in fields.items():
            setattr(stored, name, value)


def seen(patient: Patient, days_ago: int, status: VisitStatus = VisitStatus.FINISHED) -> None:
    """A visit that ended so many days ago; days come before today's, whose row is the newest."""
    visit = factories.visit(patient)
    with transaction():
        visit = db.session.merge(visit)
        on = visit.service_day.on - timedelta(days=days_ago)
        day = db.session.scalars(select(ServiceDay).where(ServiceDay.on == on)).one_or_none()
        if day is None:
            day = ServiceDay(id=-days_ago, on=on, opened_at=visit.service_day.opened_at)
            db.session.add(day)
            db.session.flush()
        visit.service_day_id, visit.number, visit.status = day.id, visit.id, status
        for entry in visit.entries:
            entry.service_day_id, entry.state = day.id, EntryState.DONE


def ids(after: str | None = None, limit: int = 50) -> list[int]:
    db.session.rollback()
    return [each.patient.id for each in incomplete.incomplete(limit, after)]


def test_whoever_is_complete_is_not_on_it(app):
    factories.patient()
    merged, inactive, one = lacking(), lacking(), factories.patient()
    change(merged, merged_into_id=one.id)
    change(inactive, is_active=False)
    assert ids() == []
    assert incomplete.count() == 0


def test_each_way_to_be_incomplete(app):
    no_nik = lacking()
    year = factories.patient(birth_precision=DatePrecision.YEAR)
    undated = factories.patient(birth_date=None, nik=factories.nik(date(1990, 1, 2), "P", 77))
    unknown = factories.patient(is_unknown=True)
    assert sorted(ids()) == [no_nik.id, year.id, undated.id, unknown.id]
    assert incomplete.count() == 4
    found = {each.patient.id: each for each in incomplete.incomplete(10)}
    assert found[no_nik.id].lacks_nik
    assert not found[no_nik.id].lacks_birth_date
    assert found[year.id].lacks_birth_date
    assert not found[year.id].lacks_nik
    assert found[undated.id].lacks_birth_date
    assert found[unknown.id].patient.is_unknown


def test_a_nik_that_two_bear_is_asked_for_and_the_dead_are_not(app):
    owner = factories.patient(nik=factories.nik(date(1990, 1, 2), "P", 78))
    with transaction():
        identity = replace(patients.identity_of(owner), name="Dewi Lestari")
        bearer = patients.create(SYSTEM, identity, nik_disputed=True)
    gone = lacking()
    assert ids() == [gone.id, bearer.id]
    visit = factories.visit(gone)
    with transaction():
        db.session.add(
            Examination(
                entry_id=visit.entries[0].id,
                visit_id=visit.id,
                recorded_by_id=factories.user("umum").id,
                death="meninggal",
                finished_at=utcnow(),
            )
        )
    assert ids() == [bearer.id] and incomplete.count() == 1


def test_a_foreigner_with_a_passport_has_no_nik_to_bring(app):
    foreigner = NoNikReason.FOREIGNER
    factories.patient("Jane Doe", no_nik_reason=foreigner, passport_no="X1234567")
    without = factories.patient("John Doe", no_nik_reason=foreigner)
    guessed = factories.patient(
        "Jim Doe",
        no_nik_reason=foreigner,
        passport_no="X7654321",
        birth_precision=DatePrecision.YEAR,
    )
    assert sorted(ids()) == [without.id, guessed.id]
    assert not next(
        each for each in incomplete.incomplete(9) if each.patient.id == guessed.id
    ).lacks_nik


def test_who_is_here_comes_first_then_who_was_seen_last(app):
    never, long_ago, lately, done, waiting, cancelled = (lacking() for _ in range(6))
    seen(long_ago, 400)
    seen(lately, 3)
    seen(lately, 90)
    seen(cancelled, 1, status=VisitStatus.CANCELLED)
    factories.visit(waiting)
    factories.visit(done)
    entry = db.session.scalars(select(QueueEntry).order_by(QueueEntry.id.desc())).first()
    change(entry, state=EntryState.DONE)
    everyone = [waiting.id, done.id, lately.id, long_ago.id, cancelled.id, never.id]
    assert ids() == everyone
    page = incomplete.incomplete(50)
    assert [each.is_here for each in page] == [True, False, False, False, False, False]
    today = page[0].last_visit_on
    assert [each.last_visit_on and (today - each.last_visit_on).days for each in page] == [
        0,
        0,
        3,
        400,
        None,
        None,
    ]


def test_pages_meet_without_gap_or_repeat(app):
    people = [lacking() for _ in range(7)]
    for place, patient in enumerate(people[:4]):
        seen(patient, place // 2)
    factories.visit(people[5])
    everyone, paged = ids(), []
    while page := ids(paged[-1] if paged else None, 2):
        paged += [db.session.get_one(Patient, id_).public_id for id_ in page]
    assert [db.session.get_one(Patient, id_).public_id for id_ in everyone] == paged
    assert len(set(paged)) == 7
    assert ids("unknown") == everyone


def test_it_goes_back_as_far_as_needed(app):
    people = [lacking() for _ in range(5)]
    for patient, days_ago in zip(people, (1, 40, 41, 300, 2000), strict=True):
        seen(patient, days_ago)
    for days_ago in (*range(2, 30), 500):
        seen(people[0], days_ago)
    assert ids() == [patient.id for patient in people]
    assert ids(people[1].public_id) == [patient.id for patient in people[2:]]
