"""In which visit and stay doses are noted or ended now, in words where they are not.

As other parts of the record: while its day goes on, later by the author for the free hours of
amendments. What was given in an old visit is noted in one of today, with the day it was given.
"""

from collections.abc import Iterable

from sqlalchemy import select

from clinic import amendment_rules, days, right_patient
from clinic.audit import Actor
from clinic.queue_steps import NOT_YET_SERVED, is_cut_off
from db import db, utcnow
from models import Examination, Immunization, QueueEntry, Role

NOT_BEGUN = (
    "Pasien ini belum mulai dilayani. Cocokkan nama dan tanggal lahirnya, lalu tekan Mulai; "
    "sesudah itu imunisasi dapat dicatat."
)
NOT_SERVED = "Pasien ini tidak dilayani di ruang Anda, jadi imunisasi tidak dicatat di sini."
TOO_LATE = (
    "Kunjungan ini sudah lewat. Catat di kunjungan hari ini dengan tanggal diberikannya, seperti "
    "yang disalin dari buku KIA."
)
HEAD_ENDS = "Imunisasi ini sudah lama dicatat: hanya kepala yang dapat mengakhirinya."


def not_begun(entry: QueueEntry) -> bool:
    """Whether the patient is still to be called in, so that nobody has asked who it is."""
    return entry.state in NOT_YET_SERVED and not right_patient.is_settled(entry)


def refusal(user_id: int, entry: QueueEntry) -> str:
    """Why this account adds no dose in this stay; '' when it may."""
    if not_begun(entry):
        return NOT_BEGUN
    if not right_patient.is_settled(entry):
        return NOT_SERVED
    is_open = days.goes_on(entry.visit.service_day) or _is_free(user_id, entry)
    return "" if is_open else TOO_LATE


def _is_free(user_id: int, entry: QueueEntry) -> bool:
    """Whether the author's free hours go on; of a stay that was cut off they began at its end."""
    if is_cut_off(entry) and utcnow() <= entry.ended_at + amendment_rules.free_time():
        return True
    finished = select(Examination).where(
        Examination.visit_id == entry.visit_id, Examination.finished_at.is_not(None)
    )
    return any(amendment_rules.is_free(user_id, each) for each in db.session.scalars(finished))


def may_end(actor: Actor, rows: Iterable[Immunization]) -> set[int]:
    """Which of these doses, by id, the account ends now.

    The room on the day of the visit, then for the free hours who noted it, the head always.
    """
    day, now = days.latest_day(), utcnow()
    open_day = day.id if day and days.goes_on(day) else None
    return {
        row.id
        for row in rows
        if actor.role == Role.HEAD
        or row.visit.service_day_id == open_day
        or (
            row.recorded_by_id == actor.user_id
            and now <= row.recorded_at + amendment_rules.free_time()
        )
    }
