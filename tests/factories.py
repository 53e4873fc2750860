"""People, visits and queue entries for tests, made by the clinic's own functions.

Each is stored at once, in a transaction of its own unless one is open. What a test doesn't name
is filled in; what it is about, it names.
"""

import contextlib
import itertools
from datetime import date
from typing import Any

from sqlalchemy import select

from clinic import diagnoses, patients, queues, records, registration
from clinic.audit import SYSTEM, Actor
from db import db, transaction
from models import CaseType, Examination, Patient, Poli, QueueEntry, User, Visit

_serials = itertools.count(1)


def _writing():
    """The open transaction, or one of its own."""
    if db.session.info.get("is_writing"):
        return contextlib.nullcontext(db.session)
    return transaction()


def user(username: str = "loket") -> User:
    """The demo clinic's account of this name."""
    return db.session.scalars(select(User).where(User.username == username)).one()


def actor(username: str = "loket") -> Actor:
    found = user(username)
    return Actor(found.id, found.role, "127.0.0.1")


def poli(code: str = "UMUM") -> Poli:
    return db.session.scalars(select(Poli).where(Poli.code == code)).one()


def nik(birth_date: date, sex: str, serial: int = 1, region: str = "647201") -> str:
    """A NIK that fits the person: women's day of birth is raised by 40."""
    day = birth_date.day + (40 if sex == "P" else 0)
    return f"{region}{day:02}{birth_date:%m%y}{serial:04}"


def patient(name: str = "Siti Aminah", **identity: Any) -> Patient:
    """A woman born on 14 May 1985 with a NIK of her own, unless said otherwise."""
    sex = identity.setdefault("sex", "P")
    born = identity.setdefault("birth_date", date(1985, 5, 14))
    if "nik" not in identity and not identity.get("no_nik_reason"):
        identity["nik"] = nik(born, sex, next(_serials))
    identity = {"address": "Jalan Kenanga 12", "village": "Tirta Alur"} | identity
    with _writing():
        return patients.create(SYSTEM, patients.Identity(name=name, **identity))


def visit(person: Patient | None = None, code: str = "UMUM", **fields: Any) -> Visit:
    """A visit of today, waiting in this room."""
    person = person or patient()
    defaults = {
        "complaint": "demam dan batuk sejak dua hari",
        "cluster": "3",
        "cluster_rule": "Umur 18-59 tahun",
        "computed_cluster": "3",
    }
    with _writing():
        person = db.session.merge(person, load=True)
        return registration.open_visit(SYSTEM, person, poli(code), Visit(**defaults | fields))


def entry(code: str = "UMUM", person: Patient | None = None, **fields: Any) -> QueueEntry:
    """The waiting queue entry of a new visit in this room."""
    made = visit(person, code, **fields)
    found = select(QueueEntry).where(QueueEntry.visit_id == made.id)
    return db.session.scalars(found).one()


def sent_to_laboratory_and_back(entry: QueueEntry, by: str, **forms: dict[str, str]) -> QueueEntry:
    """The second stay in the room, begun: the first was finished with these forms' answers."""
    said = records.ExaminationInput(
        assessment="periksa", disposition="rujuk_internal", refer_to="LAB", forms=forms
    )
    with transaction():
        records.finish(actor(by), db.session.get(QueueEntry, entry.id), said, 0)
    with transaction():
        there = select(QueueEntry).where(QueueEntry.previous_entry_id == entry.id)
        there = db.session.scalars(there).one()
        queues.act(actor("lab"), there, "mulai")
        back = queues.finish(actor("lab"), there)
        queues.act(actor(by), back, "mulai")
    return back


def suggested_case_type(
    patient: Patient, code: str, examination: Examination | None = None
) -> CaseType:
    """What the form would propose for this diagnosis of the patient."""
    visit = examination.visit if examination else None
    return diagnoses._suggested(patient, [code], examination, visit).get(code, CaseType.NEW)
