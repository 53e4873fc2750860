"""Finished examinations to correct, and what a correction of them sends."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select, update

from clinic import accounts, amendments, queues, records
from clinic.audit import SYSTEM
from clinic.diagnoses import DiagnosisInput
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from models import Amendment, Examination, OutboxEntry, Role, VitalSigns
from tests import factories
from tests.databases import CHEAP_HASH

VITALS = {"systolic": 210, "diastolic": 80, "weight": Decimal("54.20")}
FINISHED = ExaminationInput(
    subjective="demam",
    objective="faring merah",
    assessment="ISPA",
    plan="istirahat",
    therapy="parasetamol",
    disposition="pulang",
    diagnoses=[DiagnosisInput("J06.9", "baru"), DiagnosisInput("A09", "baru")],
    vitals=VITALS,
)


def finished(hours: float = 0, by: str = "umum", code: str = "UMUM", **changed) -> Examination:
    """An examination that this account finished so long ago."""
    entry = factories.entry(code)
    form = ExaminationInput(**{**vars(FINISHED), **changed})
    with transaction():
        queues.act(factories.actor(by), entry, "mulai")
        ref = records.finish(factories.actor(by), entry, form, 0).public_id
        at = utcnow() - timedelta(hours=hours)
        db.session.execute(
            update(Examination).where(Examination.public_id == ref).values(finished_at=at)
        )
    return again(ref)


def again(ref: str) -> Examination:
    db.session.rollback()
    return db.session.scalars(select(Examination).where(Examination.public_id == ref)).one()


def nurse(username: str = "perawat", role: Role = Role.POLI, rooms: tuple[str, ...] = ("UMUM",)):
    """A further account of the room."""
    with transaction():
        accounts.create_user(
            SYSTEM,
            username=username,
            display_name=username.title(),
            password_hash=CHEAP_HASH,
            role=role,
            rooms=list(rooms),
        )
    return username


def amend(
    examination: Examination,
    by: str = "umum",
    version: int | None = None,
    vitals=None,
    reason: str = "salah ketik",
    **fields,
) -> Amendment:
    """Correct by the clinic's function, in a transaction of its own."""
    version = examination.version if version is None else version
    with transaction():
        actor = factories.actor(by)
        return amendments.amend(
            actor, examination, ExaminationInput(**fields), vitals or {}, reason, version
        )


def measured(examination: Examination) -> list[VitalSigns]:
    rows = select(VitalSigns).where(
        VitalSigns.visit_id == examination.visit_id, VitalSigns.ended_at.is_(None)
    )
    return list(db.session.scalars(rows))


def mark_visit(examination: Examination) -> None:
    """As a registration at the counter marks the visit for exchange."""
    ref = examination.visit.public_id
    key = f"satusehat:visit:{ref}"
    with transaction():
        db.session.add(
            OutboxEntry(target="satusehat", business_key=key, subject_type="visit", subject_ref=ref)
        )
