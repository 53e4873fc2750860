"""The worker's look for two records of one person: found once, never asked against an answer."""

from datetime import date, timedelta

from sqlalchemy import select

from clinic import pair_scan, pairs, patients, worker
from clinic.audit import SYSTEM
from db import db, transaction, utcnow
from models import (
    NoNikReason,
    PairSource,
    PairState,
    Patient,
    PatientVersion,
    SuspectedPair,
    WorkerBeat,
)
from tests import factories

NOW = utcnow()
FORGOT = NoNikReason.FORGOT_CARD


def amina(**identity) -> Patient:
    return factories.patient("Siti Aminah", **identity)


def again(**identity) -> Patient:
    """Amina as she was registered a second time, without her card."""
    return factories.patient("St. Aminah", no_nik_reason=FORGOT, **identity)


def stranger() -> Patient:
    return factories.patient("Wulandari Kusumawati", birth_date=date(1999, 1, 8))


def scanned(minutes: int = 0) -> list[tuple[int, int, PairState]]:
    worker.find_pairs(NOW + timedelta(minutes=minutes))
    db.session.rollback()
    rows = select(SuspectedPair).order_by(SuspectedPair.id)
    return [(row.first_id, row.second_id, row.state) for row in db.session.scalars(rows)]


def place() -> str:
    return db.session.scalars(select(WorkerBeat.note).where(WorkerBeat.name == "pairs")).one()


def change(patient: Patient, **fields) -> None:
    with transaction():
        known = db.session.get_one(Patient, patient.id)
        for name, value in fields.items():
            setattr(known, name, value)


def test_a_strong_match_comes_on_the_worklist(app):
    one, other = amina(), again()
    stranger()
    assert scanned() == [(one.id, other.id, PairState.OPEN)]
    pair = db.session.scalars(select(SuspectedPair)).one()
    assert (pair.source, pair.level, pair.raised_by_id) == (PairSource.SCAN, "strong", None)
    assert pair.reasons.startswith("nama beda ejaan; tanggal lahir sama")


def test_a_newborn_that_got_its_name_as_a_second_patient_is_found(app):
    born, mother = date(2026, 9, 27), factories.nik(date(1995, 5, 14), "P", 3)
    same = {"birth_date": born, "mother_nik": mother, "birth_order": 1}
    baby = factories.patient("Bayi Ny. Nurhayati", no_nik_reason=NoNikReason.NEWBORN, **same)
    named = factories.patient("Aisyah Putri", mother_name="Nurhayati", **same)
    factories.patient("Fatimah Putri", mother_name="Nurhayati", **same | {"birth_order": 2})
    assert scanned() == [(baby.id, named.id, PairState.OPEN)]


def test_it_looks_once_a_minute_and_writes_only_when_there_is_something_new(app):
    amina()
    assert scanned() == []
    other = again()
    worker.find_pairs(NOW + timedelta(seconds=59))
    assert place() == f"{pair_scan.EDITION} {other.id - 1} 0"
    assert len(scanned(1)) == 1
    seen = db.session.get_one(WorkerBeat, "pairs").beat_at
    scanned(2)
    assert db.session.get_one(WorkerBeat, "pairs").beat_at == seen


def test_it_is_a_step_of_the_worker(app):
    amina()
    again()
    worker.run_once(NOW)
    assert pairs.count_open() == 1


def test_it_goes_through_the_whole_register_some_at_a_time(app, monkeypatch):
    monkeypatch.setattr(worker, "PEOPLE_COMPARED", 2)
    known = [stranger() for _ in range(4)]
    one, other = amina(), again()
    assert place_after(0) == known[1].id
    assert place_after(1) == known[3].id
    assert place_after(2) == other.id
    assert (one.id, other.id, PairState.OPEN) in scanned(3)


def place_after(minutes: int) -> int:
    worker.find_pairs(NOW + timedelta(minutes=minutes))
    return int(place().split()[1])


def test_after_a_new_edition_it_begins_anew(app, monkeypatch):
    one, other = amina(), again()
    scanned()
    assert pair_scan.look(place(), 10).is_idle
    monkeypatch.setattr(pair_scan, "EDITION", pair_scan.EDITION + 1)
    assert pair_scan.look(place(), 10).patient_id == other.id
    assert one.id < other.id


def test_what_was_answered_is_not_found(app):
    one, other = amina(), again()
    with transaction():
        pairs.note(SYSTEM, one, other, PairState.DIFFERENT, source=PairSource.COUNTER)
    assert scanned() == [(one.id, other.id, PairState.DIFFERENT)]


def test_an_answer_during_the_look_counts(app):
    one, other = amina(), again()
    done = pair_scan.look("", 10)
    assert done.found
    with transaction():
        pairs.note(SYSTEM, one, other, PairState.DIFFERENT, source=PairSource.COUNTER)
    with transaction():
        assert pair_scan.keep(SYSTEM, done) == 0
    assert db.session.scalars(select(SuspectedPair.state)).all() == [PairState.DIFFERENT]


def test_a_merge_during_the_look_counts(app):
    one, other = amina(), again()
    done = pair_scan.look("", 10)
    change(other, merged_into_id=one.id)
    with transaction():
        assert pair_scan.keep(SYSTEM, done) == 0


def test_who_is_merged_inactive_or_unknown_is_left_alone(app):
    one, merged, inactive, unknown = amina(), again(), again(), again()
    change(merged, merged_into_id=one.id)
    change(inactive, is_active=False)
    change(unknown, is_unknown=True)
    assert scanned() == []


def test_a_changed_identity_is_compared_again(app):
    one, other = amina(), stranger()
    assert scanned() == []
    with transaction():
        known = db.session.get_one(Patient, other.id)
        identity = patients.Identity(
            "Siti Aminah", "P", one.birth_date, no_nik_reason=FORGOT, village=one.village
        )
        patients.update(SYSTEM, known, identity, "salah orang")
    version = db.session.scalars(select(PatientVersion.id)).one()
    assert scanned(1) == [(one.id, other.id, PairState.OPEN)]
    assert place() == f"{pair_scan.EDITION} {other.id} {version}"


def test_much_that_is_found_is_written_in_parts(app, monkeypatch):
    monkeypatch.setattr(pair_scan, "FOUND_AT_ONCE", 2)
    one, *others = amina(), again(), again(), again()
    assert place_after(0) == one.id
    assert len(scanned(9)) >= 3
    for minute in range(10, 14):
        found = scanned(minute)
    assert len(found) == 6
    assert place() == f"{pair_scan.EDITION} {others[-1].id} 0"
