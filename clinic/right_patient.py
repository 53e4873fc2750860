"""Is it this one? Before somebody begins with a patient whose name another one has today.

Whoever calls "Siti Aminah" may see another Siti Aminah come in: the one in front answers with
their birth year before the work begins (two identifiers, as accreditation asks).
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic.queue_steps import QueueError, is_cut_off
from db import db
from models import DatePrecision, EntryState, Patient, QueueEntry, Visit, VisitStatus
from validators import FieldError, clean_text, parse_date

EMERGENCY_RANK = 0  # care does not wait for an answer
ESTIMATE_TOLERANCE = 2  # years
SHORTEST_REASON, LONGEST_REASON = 10, 280  # letters; the audit entry holds a few more


@dataclass(frozen=True)
class Question:
    """What to ask; the whole date where namesakes were born in one year."""

    people: int
    asks_date: bool


class Unconfirmed(QueueError):
    """Nobody has asked yet, or the answer is another patient's."""

    def __init__(self, sentence: str, question: Question) -> None:
        super().__init__(sentence)
        self.question = question


def question(entry: QueueEntry) -> Question | None:
    """What must be asked before this entry is begun, or None."""
    patient = entry.visit.patient
    if entry.rank == EMERGENCY_RANK or patient.birth_date is None:
        return None
    others = _namesakes(entry, patient)
    strangers = [born for born in others if born != patient.birth_date]
    if not strangers:
        return None  # twins of one name, or the only one: no date tells more
    is_one_year = all(born and born.year == patient.birth_date.year for born in strangers)
    is_exact = patient.birth_precision == DatePrecision.DAY
    return Question(len(others) + 1, asks_date=is_one_year and is_exact)


def said_of_namesakes(entry: QueueEntry) -> str:
    """A sentence for whoever calls this patient out; '' when nobody else has the name today."""
    patient = entry.visit.patient
    others = _namesakes(entry, patient)
    if not others:
        return ""
    # Twins are born on one day: their date tells nothing.
    ask = "; tanyakan tanggal lahir" if set(others) != {patient.birth_date} else ""
    return f"{len(others) + 1} x nama ini hari ini{ask}."


def may_write(entry: QueueEntry) -> bool:
    """Whether the patient is served, or was, or was called and needs no question."""
    if entry.state is EntryState.CALLED:
        return question(entry) is None
    return entry.state is EntryState.IN_SERVICE or is_cut_off(entry)


def is_settled(entry: QueueEntry) -> bool:
    """Whether the stay may still be written about: it goes on, or somebody was served in it."""
    was_served = entry.state in (EntryState.DONE, EntryState.AWAITING_RESULT)
    was_moved = entry.state is EntryState.MOVED and entry.started_at is not None
    return may_write(entry) or was_served or was_moved


def confirm(entry: QueueEntry, answer: str, reason: str) -> str:
    """What the start's audit entry says of it; '' when nothing had to be asked.

    A reason of some words takes the place of an answer: not everybody knows their birth date.
    Raises Unconfirmed, and FieldError for a reason that can't be kept.
    """
    asked = question(entry)
    if asked is None:
        return ""
    if answer.strip():
        if _fits(answer.strip(), entry.visit.patient, asked):
            return "senama: tahun lahir cocok"
        raise Unconfirmed(
            "Itu bukan jawaban pasien ini. Periksa nomor antreannya: mungkin yang masuk pasien "
            "lain yang senama.",
            asked,
        )
    told = clean_text(reason, LONGEST_REASON)
    if len(told) < SHORTEST_REASON:
        raise Unconfirmed(
            "Ada pasien senama hari ini. Di tombol Mulai tanyakan dulu siapa yang masuk, lalu isi "
            "jawabannya atau cara lain.",
            asked,
        )
    return f"senama: {told}"


def _namesakes(entry: QueueEntry, patient: Patient) -> list[date | None]:
    """The birth dates of the others who have this name and were registered on this day."""
    others = (
        select(Patient.id, Patient.birth_date)
        .join(Visit, Visit.patient_id == Patient.id)
        .where(
            Visit.service_day_id == entry.service_day_id,
            Visit.status != VisitStatus.CANCELLED,
            Patient.name_key == patient.name_key,
            Patient.id != patient.id,
        )
        .distinct()
    )
    return [born for _, born in db.session.execute(others)]


def _fits(answer: str, patient: Patient, asked: Question) -> bool:
    born, is_exact = patient.birth_date, patient.birth_precision == DatePrecision.DAY
    tolerance = 0 if is_exact else ESTIMATE_TOLERANCE
    try:
        told = parse_date(answer)
    except FieldError:  # not a date: a year, perhaps
        if asked.asks_date or not (answer.isdecimal() and len(answer) == 4):
            return False
        return abs(int(answer) - born.year) <= tolerance
    # Of an estimate only the year was ever told.
    return told == born if is_exact else abs(told.year - born.year) <= tolerance
