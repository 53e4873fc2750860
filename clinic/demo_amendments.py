"""A few corrections in the demo clinic: at once, waiting, approved and refused."""

from datetime import timedelta

from clinic import amended_fields, amendment_decisions, amendments
from clinic.demo_desks import actor, finished, user
from clinic.records import ExaminationInput
from db import db, utcnow
from models import Amendment, Examination, User

LATE = timedelta(hours=49)
ADVICE = "Kembali bila tiga hari tidak membaik."


def write() -> None:
    """Each by the functions the desks use, on the newest examinations that are old enough."""
    doctor, records, head = (user(one) for one in ("umum", "rekammedis", "kepala"))
    for examination in _finished("UMUM", timedelta(0), 1):
        _advise(doctor, examination)
    for examination in _finished("GIGI", LATE, 1):
        _advise(user("gigi"), examination)
    asked = [_measure_anew(doctor, examination) for examination in _finished("UMUM", LATE, 4)]
    for request in asked[1:2]:
        amendment_decisions.approve(actor(records), request, "Sesuai catatan kertas")
    for request in asked[2:3]:
        reason = "Lembar pengukurannya tidak ada. Lampirkan, lalu minta lagi."
        amendment_decisions.refuse(actor(head), request, reason)


def _finished(code: str, age: timedelta, count: int) -> list[Examination]:
    rows = finished(code).where(Examination.finished_at < utcnow() - age)
    return list(db.session.scalars(rows.limit(count)))


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
