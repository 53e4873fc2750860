"""Fills an empty clinic: `python -m bench.fill PATIENTS`, into ALUR_DATA.

The demo's accounts, so many patients with one finished visit each (100 a day, before today), and
40 who wait in UMUM now. Patients and today's visits are made by the clinic's own functions; past
visits are inserted in bulk.
"""

import sys
import time
from datetime import date, timedelta

from sqlalchemy import select

import app
import cli
from bench.people import GENERAL, person
from clinic import accounts, days, demo, demo_bulk, patients, registration, settings, worker
from clinic.audit import SYSTEM
from config import ConfigError
from db import db, new_public_id, transaction
from models import EntryState, NoNikReason, Patient, Poli, QueueEntry, ServiceDay, Visit
from models import VisitStatus as Status

VISITS_A_DAY = 100
WAITING = 40
PART = 2_000


def identity(index: int) -> patients.Identity:
    fields = person(index)
    del fields["complaint"]
    fields["birth_date"] = date.fromisoformat(fields["birth_date"])
    fields["phone"] = f"+62{fields['phone'][1:]}"
    if index % 11 == 0:  # some came without their card
        fields |= {"nik": None, "no_nik_reason": NoNikReason.FORGOT_CARD}
    return patients.Identity(**fields)


def fill(count: int) -> None:
    password_hash = accounts.hash_passphrase(cli.DEMO_PASSWORD)
    with transaction():
        demo.create_staff(password_hash)
        settings.set_value("idle_minutes", 240)  # polls keep no session awake
    fill_patients(count)
    worker.run_once()  # as in any clinic: the planner's statistics are there


def fill_patients(count: int) -> None:
    """So many with a visit of the past each, and those who wait today."""
    _days.clear()
    for start in range(0, count, PART):
        with transaction():
            _fill_part(range(start, min(start + PART, count)))
        db.session.expunge_all()
    for index in range(count, count + WAITING):
        with transaction():
            _put_in_line(index)


def _fill_part(indexes: range) -> None:
    created = patients.create_many(SYSTEM, [identity(index) for index in indexes])
    poli = db.session.scalars(select(Poli).where(Poli.code == "UMUM")).one()
    visits = []
    for index, patient in zip(indexes, created, strict=True):
        day = _day(index // VISITS_A_DAY + 1)
        visits.append(_visit(patient, day, poli, index % VISITS_A_DAY + 1))
    # The database numbers them: its sequence must not give the same ids again.
    ids = demo_bulk.insert_rows(Visit, visits)
    stored = zip(ids, visits, strict=True)
    demo_bulk.insert_only(QueueEntry, [_entry({"id": id_} | visit, poli) for id_, visit in stored])


_days: dict[int, ServiceDay] = {}


def _day(ago: int) -> ServiceDay:
    if ago not in _days:
        on = days.clinic_date() - timedelta(days=ago)
        opened = days.midnight_utc(on) + timedelta(hours=8)
        day = ServiceDay(on=on, opened_at=opened, closed_at=opened + timedelta(hours=6))
        db.session.add(day)
        db.session.flush()
        _days[ago] = day
    return _days[ago]


def _visit(patient: Patient, day: ServiceDay, poli: Poli, number: int) -> dict:
    at = day.opened_at + timedelta(minutes=3 * number)
    return {
        "public_id": new_public_id(),
        "service_day_id": day.id,
        "patient_id": patient.id,
        "original_patient_id": patient.id,
        "series": poli.prefix,
        "number": number,
        "label": f"{poli.prefix}{number:03}",
        "status": Status.FINISHED,
        "complaint": GENERAL[number % len(GENERAL)],
        "payer": patient.payer,
        "village": patient.village,
        "cluster": "3",
        "cluster_rule": "Umur 18-59 tahun",
        "computed_cluster": "3",
        "is_new_patient": True,
        "occurred_at": at,
        "recorded_at": at,
        "ended_at": at + timedelta(minutes=40),
    }


def _entry(visit: dict, poli: Poli) -> dict:
    at = visit["occurred_at"]
    return {
        "public_id": new_public_id(),
        "visit_id": visit["id"],
        "service_day_id": visit["service_day_id"],
        "poli_id": poli.id,
        "state": EntryState.DONE,
        "seq": visit["number"],
        "place": visit["number"] * 1000,
        "calls": 1,
        "queued_at": at,
        "called_at": at + timedelta(minutes=20),
        "started_at": at + timedelta(minutes=21),
        "ended_at": visit["ended_at"],
    }


def _put_in_line(index: int) -> None:
    patient = patients.create(SYSTEM, identity(index))
    poli = db.session.scalars(select(Poli).where(Poli.code == "UMUM")).one()
    visit = Visit(
        complaint=GENERAL[index % len(GENERAL)],
        cluster="3",
        cluster_rule="Umur 18-59 tahun",
        computed_cluster="3",
    )
    registration.open_visit(SYSTEM, patient, poli, visit)


def main(count: int) -> int:
    began = time.perf_counter()
    with app.create_app().app_context():
        cli.prepare_database()
        if not cli.is_empty():
            raise ConfigError("ALUR_DATA holds a clinic already; the benchmark fills empty ones.")
        fill(count)
    print(f"{count} patients in {time.perf_counter() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
