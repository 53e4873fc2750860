"""A few corrections in the demo clinic: at once, waiting, approved and refused."""

from datetime import timedelta

from sqlalchemy import select

from clinic import amended_fields, amendment_decisions, amendments
from clinic.demo_desks import actor
from clinic.records import ExaminationInput
from db import db, utcnow
from models import Amendment, Examination, Poli, QueueEntry, User

LATE = timedelta(hours=49)
ADVICE = "Kembali bila tiga hari tidak membaik."


def write() -> None:
    """Each by the functions the desks use, on the newest examinations that are old enough."""
    doctor, records, head = (_user(one) for one in ("umum", "rekammedis", "kepala"))
    for examination in _finished("UMUM", timedelta(0), 1):
        _advise(doctor, examination)
    for examination in _finished("GIGI", LATE, 1):
        _advise(_user("gigi"), examination)
    asked = [_measure_anew(doctor, examination) for examination in _finished("UMUM", LATE, 4)]
    for request in asked[1:2]:
        amendment_decisions.approve(actor(records), request, "Sesuai catatan kertas")
    for request in asked[2:3]:
        reason = "Lembar pengukurannya tidak ada. Lampirkan, lalu minta lagi."
        amendment_decisions.refuse(actor(head), request, reason)


def _user(username: str) -> User:
    return db.session.scalars(select(User).where(User.username == username)).one()


def _finished(code: str, age: timedelta, count: int) -> list[Examination]:
    rows = (
        select(Examination)
        .join(Examination.entry)
        .join(QueueEntry.poli)
        .where(Poli.code == code, Examination.therapy != "")
        .where(Examination.finished_at < utcnow() - age)
        .order_by(Examination.finished_at.desc(), Examination.id.desc())
        .limit(count)
    )
    return list(db.session.scalars(rows))


def _advise(user: User, examination: Examination) -> None:
    reason = "Saran kontrol lupa ditulis"
    form = ExaminationInput(plan=f"{examination.plan} {ADVICE}".strip())
    amendments.amend(actor(user), examination, form, {}, reason, examination.version)


def _measure_anew(user: User, examination: Examination) -> Amendment:
    form = ExaminationInput(plan=f"{examination.plan} {ADVICE}".strip())
    rows = [row for row in amended_fields.measured(examination) if row.pulse]
    vitals = {row.public_id: {"pulse": row.pulse + 8} for row in rows}
    reason = "Nadi salah disalin dari lembar skrining"
    return amendments.amend(actor(user), examination, form, vitals, reason, examination.version)
