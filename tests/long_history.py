"""Hundreds of full visits in a few statements: rooms, diagnoses, therapies, lines, values."""

from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from clinic.demo_bulk import insert_only, insert_rows
from db import db, new_public_id, transaction, utcnow
from models import (
    Diagnosis,
    Examination,
    LabOrder,
    LabOrderState,
    LabOrderTest,
    LabResult,
    LabTest,
    Patient,
    Prescription,
    PrescriptionLine,
    PrescriptionState,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
    VitalSigns,
)
from tests import factories

ROOMS = ("UMUM", "GIGI")
DIAGNOSES = (("I10", "Hipertensi esensial"), ("J06.9", "ISPA"), ("K02.1", "Karies dentin"))
THERAPIES = ("Amlodipin 1x5 mg", "Parasetamol 3x500 mg bila demam")
TESTS = ("HB", "GDS")


def add(person: Patient, count: int, gap_days: int = 1) -> None:
    """`count` visits, one each `gap_days` before today, each with all that a visit can hold."""
    at = [utcnow() - timedelta(days=gap_days * n) for n in range(1, count + 1)]
    with transaction():
        days = _days({moment.date(): moment for moment in at})
        number = (db.session.scalar(select(func.max(Visit.number))) or 0) + 1
        rows = [_visit(person, n, number, at[n], days) for n in range(count)]
        visits = insert_rows(Visit, rows)
        rooms = [factories.poli(code).id for code in ROOMS]
        entries = insert_rows(
            QueueEntry,
            [
                {
                    "visit_id": id_,
                    "poli_id": rooms[n % 2],
                    "state": "done",
                    "service_day_id": days[at[n].date()],
                    "seq": n,
                    "place": n,
                }
                for n, id_ in enumerate(visits)
            ],
        )
        _examinations(at, visits, entries)
        _laboratory(at, visits, entries)


def _days(wanted: dict[date, datetime]) -> dict[date, int]:
    known = dict(db.session.execute(select(ServiceDay.on, ServiceDay.id)).tuples().all())
    rows = [
        {"on": on, "opened_at": at, "closed_at": at} for on, at in wanted.items() if on not in known
    ]
    ids = insert_rows(ServiceDay, rows)
    return known | dict(zip([row["on"] for row in rows], ids, strict=True))


def _visit(person: Patient, n: int, number: int, at: datetime, days: dict[date, int]) -> dict:
    return {
        "service_day_id": days[at.date()],
        "patient_id": person.id,
        "occurred_at": at,
        "original_patient_id": person.id,
        "series": "Y",
        "number": number + n,
        "label": f"Y{n:03}",
        "status": VisitStatus.FINISHED,
        "payer": "UMUM",
        "cluster": "3",
        "complaint": f"keluhan {n}",
        "cluster_rule": "",
        "computed_cluster": "3",
        "age_months": 480,
    }


def _examinations(at: list[datetime], visits: list[int], entries: list[int]) -> None:
    user = factories.user("umum").id
    examinations = insert_rows(
        Examination,
        [
            {
                "entry_id": entries[n],
                "visit_id": visits[n],
                "recorded_by_id": user,
                "therapy": THERAPIES[n % 2],
                "occurred_at": at[n],
                "finished_at": at[n],
                "assessment": f"penilaian {n}",
            }
            for n in range(len(at))
        ],
    )
    vitals, diagnoses = [], []
    for n, examination in enumerate(examinations):
        code, title = DIAGNOSES[n % 3]
        diagnoses.append(
            {
                "examination_id": examination,
                "code": code,
                "title": title,
                "case_type": "lama",
                "is_primary": True,
                "recorded_by_id": user,
            }
        )
        vitals.append(
            {
                "visit_id": visits[n],
                "recorded_by_id": user,
                "occurred_at": at[n],
                "systolic": 120 + n % 40,
                "diastolic": 80 + n % 9,
                "weight": 60 + n % 7,
                "temperature": 36 + n % 3,
                "pulse": 80,
                "respiration": 18,
                "saturation": 98,
            }
        )
    insert_only(Diagnosis, diagnoses)
    insert_only(VitalSigns, vitals)
    _prescriptions(at, visits, examinations, user)


def _prescriptions(
    at: list[datetime], visits: list[int], examinations: list[int], user: int
) -> None:
    wanted = [n for n in range(len(at)) if n % 3 == 0]
    rows = [
        {
            "visit_id": visits[n],
            "examination_id": examinations[n],
            "sent_at": at[n],
            "state": PrescriptionState.SENT,
            "number": f"R{new_public_id()[-12:]}-{n}",
            "recorded_by_id": user,
            "version": 1,
        }
        for n in wanted
    ]
    lines = [
        {
            "prescription_id": id_,
            "title": "Metformin 500 mg tablet",
            "quantity": 30,
            "unit": "tablet",
            "recorded_by_id": user,
        }
        for id_ in insert_rows(Prescription, rows)
    ]
    insert_only(PrescriptionLine, lines)


def _laboratory(at: list[datetime], visits: list[int], entries: list[int]) -> None:
    """Every second visit has two results."""
    user, wanted = factories.user("lab").id, [n for n in range(len(at)) if n % 2 == 0]
    tests = [db.session.scalar(select(LabTest.id).where(LabTest.code == one)) for one in TESTS]
    orders = insert_rows(
        LabOrder,
        [
            {
                "visit_id": visits[n],
                "entry_id": entries[n],
                "ordered_by_id": user,
                "state": LabOrderState.RESULTED,
                "resulted_at": at[n],
                "ordered_at": at[n],
            }
            for n in wanted
        ],
    )
    items, results = [], []
    for n, order in zip(wanted, orders, strict=True):
        for place, test in enumerate(tests):
            common = {"order_id": order, "test_id": test, "sampled_at": at[n]}
            items.append({**common, "sampled_by_id": user})
            number = 10 + n % 5 + place * 100
            results.append(
                {
                    **common,
                    "value": str(number),
                    "number": number,
                    "unit": "g/dL",
                    "flag": "normal",
                    "low": 10,
                    "high": 200,
                    "sampled_by_id": user,
                    "resulted_by_id": user,
                    "resulted_at": at[n],
                }
            )
    insert_only(LabOrderTest, items)
    insert_only(LabResult, results)
