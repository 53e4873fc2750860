"""What reports count: visits, stays in rooms, waits, wrong rooms, diagnoses; and by what.

A fact is a SELECT with one row for each thing that counts, and dimensions: expressions that a
table's rows and columns, and the list behind each number, all filter by. So a number and its list
can't differ. Everything is counted as the record says now: cancelled visits and ended diagnoses are
gone, a merged patient's visits are the survivor's. Payer, village and cluster are the visit's own,
as they were that day; sex and birth date are the person's, corrections included.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, cast, exists, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, aliased

from clinic import dehydration
from clinic.elapsed import seconds_between
from clinic.report_ages import SETS, band_of
from models import (
    CaseType,
    Diagnosis,
    Disposition,
    EntryKind,
    EntryState,
    Examination,
    ExaminationAnswer,
    Icd10Term,
    Patient,
    Poli,
    QueueEntry,
    ServiceDay,
    Visit,
    VisitStatus,
)

Where = Mapping[str, str | tuple[str, ...]]
SECONDS = 60


def _yes(condition: ColumnElement[bool]) -> ColumnElement[str]:
    return case((condition, "ya"), else_="tidak")


@dataclass(frozen=True)
class Fact:
    """One kind of thing that is counted."""

    word: str  # what a number counts, in the clinic's words
    rows: Select
    row: InstrumentedAttribute[int]  # what one row of them is; last in the order of a list
    dims: Mapping[str, ColumnElement[Any]]
    details: Mapping[str, ColumnElement[Any]]  # what a list shows beside the visit
    rows_of_room: Select | None = None  # where a room alone counts other rows than the whole clinic


# --- Of every visit ---------------------------------------------------------------------------

# Who was born in the night that still belongs to the day before is 0 days old.
_is_of_night = (Visit.age_days == 0) & (Patient.birth_date > ServiceDay.on)
_AGE_DAY = case((_is_of_night, Patient.birth_date), else_=ServiceDay.on)
_PAYERS = {"JKN_PBI": "pbi", "JKN_NON_PBI": "non"}
_OF_VISIT = {
    "day": cast(ServiceDay.on, String),
    "month": func.substr(cast(ServiceDay.on, String), 1, 7),
    "sex": Patient.sex,
    "payer": Visit.payer,
    "jkn": case(_PAYERS, value=Visit.payer, else_="lain"),
    "home": case({"sini": "sini", "lain": "lain"}, value=Visit.bpjs_home, else_="x"),
    "cluster": Visit.cluster,
    "new": case((Visit.is_new_patient, "baru"), else_="lama"),
    "type": Visit.visit_type,
    "status": Visit.status,
    "area": case(
        (Visit.is_in_area.is_(None), "x"), (Visit.is_in_area.is_(True), "dalam"), else_="luar"
    ),
} | {name: band_of(name, Patient.birth_date, Patient.birth_precision, _AGE_DAY) for name in SETS}

_visits = (
    select()
    .select_from(ServiceDay)
    .join(Visit, Visit.service_day_id == ServiceDay.id)
    .join(Patient, Patient.id == Visit.patient_id)
    .where(Visit.status != VisitStatus.CANCELLED)
)
_draft = aliased(Examination)
_HAS_DRAFT = exists().where(_draft.visit_id == Visit.id, _draft.finished_at.is_(None))


# --- Stays in rooms ---------------------------------------------------------------------------

NOT_THERE = (EntryState.MOVED, EntryState.CANCELLED)


def was_there(entry) -> list[ColumnElement[bool]]:
    """Neither the wrong room, nor one that was cancelled or undone."""
    return [entry.undone_at.is_(None), entry.state.not_in(NOT_THERE)]


_earlier = aliased(QueueEntry)
_stays = (
    _visits.join(QueueEntry, QueueEntry.visit_id == Visit.id)
    .join(Poli, Poli.id == QueueEntry.poli_id)
    .where(
        *was_there(QueueEntry),
        ~exists().where(
            _earlier.visit_id == Visit.id,
            _earlier.poli_id == QueueEntry.poli_id,
            _earlier.id < QueueEntry.id,
            *was_there(_earlier),
        ),
    )
)
_there, _examined, _coded = aliased(QueueEntry), aliased(Examination), aliased(Diagnosis)
_finished_here = (
    select(_examined.id)
    .join(_there, _there.id == _examined.entry_id)
    .where(
        _there.visit_id == Visit.id,
        _there.poli_id == QueueEntry.poli_id,
        _examined.finished_at.is_not(None),
    )
)
_REFERRED = _finished_here.where(_examined.leads_to == Disposition.EXTERNAL).exists()
_HAS_CODE = (
    _finished_here.join(_coded, _coded.examination_id == _examined.id)
    .where(_coded.ended_at.is_(None))
    .exists()
)
_waited = seconds_between(QueueEntry.queued_at, QueueEntry.called_at)
_waits = (
    _visits.join(QueueEntry, QueueEntry.visit_id == Visit.id)
    .join(Poli, Poli.id == QueueEntry.poli_id)
    .where(
        *was_there(QueueEntry),
        QueueEntry.kind != EntryKind.RESULT_BACK,
        QueueEntry.called_at >= QueueEntry.queued_at,
    )
)
_before, _wrong = aliased(QueueEntry), aliased(Poli)
_moves = (
    _visits.join(QueueEntry, QueueEntry.visit_id == Visit.id)
    .join(Poli, Poli.id == QueueEntry.poli_id)
    .join(_before, _before.id == QueueEntry.previous_entry_id)
    .join(_wrong, _wrong.id == _before.poli_id)
    .where(QueueEntry.kind == EntryKind.MOVED, QueueEntry.undone_at.is_(None))
)


# --- Examinations that tell of a death, or of a child's dehydration ------------------------------

_examinations = (
    _visits.join(Examination, Examination.visit_id == Visit.id)
    .join(QueueEntry, QueueEntry.id == Examination.entry_id)
    .join(Poli, Poli.id == QueueEntry.poli_id)
    .where(Examination.finished_at.is_not(None))
)
_also, _main = aliased(Examination), aliased(Diagnosis)
_deaths = _examinations.outerjoin(
    _main,
    (_main.examination_id == Examination.id) & _main.is_primary & _main.ended_at.is_(None),
).where(
    Examination.death != "",
    # Nobody dies twice, whatever two rooms wrote.
    ~exists().where(
        _also.visit_id == Visit.id,
        _also.death != "",
        _also.finished_at.is_not(None),
        _also.id < Examination.id,
    ),
)


def _has_grade(answer, of) -> tuple[ColumnElement[bool], ...]:
    return (
        answer.examination_id == of.id,
        of.finished_at.is_not(None),
        answer.code == "dehydration",
        answer.ended_at.is_(None),
        dehydration.grade_of(answer.value) != "",
    )


_later, _later_of = aliased(ExaminationAnswer), aliased(Examination)
_dehydrated = _examinations.join(ExaminationAnswer).where(
    *_has_grade(ExaminationAnswer, Examination),
    # A child that came back from the laboratory is one, as it was found last.
    ~exists().where(
        _later_of.visit_id == Visit.id,
        # By examination: an amendment of the first one is written after the last.
        _later_of.id > Examination.id,
        *_has_grade(_later, _later_of),
    ),
)


# --- Diagnoses --------------------------------------------------------------------------------

_twin, _twin_of, _twin_in = aliased(Diagnosis), aliased(Examination), aliased(QueueEntry)
_new, _twin_new = (each.case_type == CaseType.NEW for each in (Diagnosis, _twin))
# Two rooms of one visit that note the same disease found one case: the first who called it new, or
# else the first. By examination: an amendment writes the row anew, after those of later rooms.
_HAS_TWIN = (
    _twin_of.visit_id == Visit.id,
    _twin_of.finished_at.is_not(None),
    _twin.examination_id == _twin_of.id,
    _twin.ended_at.is_(None),
    _twin.code == Diagnosis.code,
    (Diagnosis.code != "") | (func.lower(_twin.title) == func.lower(Diagnosis.title)),
    or_(
        _twin_new & ~_new,
        (_twin_new == _new)
        & (tuple_(_twin_of.id, _twin.id) < tuple_(Examination.id, Diagnosis.id)),
    ),
)
_held = _examinations.join(Diagnosis, Diagnosis.examination_id == Examination.id).where(
    Diagnosis.ended_at.is_(None)
)
_diagnoses = _held.where(~exists().where(*_HAS_TWIN))
# What one room found is its own, whoever else of the visit noted it.
_diagnoses_of_room = _held.where(
    ~exists().where(
        *_HAS_TWIN, _twin_in.id == _twin_of.entry_id, _twin_in.poli_id == QueueEntry.poli_id
    )
)
_term = aliased(Icd10Term)
_IS_KNOWN = exists().where(_term.code == Diagnosis.code)

_ROOM = {"Ruang": Poli.name}
FACTS: dict[str, Fact] = {
    "visits": Fact("kunjungan", _visits, Visit.id, _OF_VISIT | {"draft": _yes(_HAS_DRAFT)}, {}),
    "stays": Fact(
        "kunjungan ruang",
        _stays,
        QueueEntry.id,
        _OF_VISIT
        | {
            "room": Poli.code,
            "kind": Poli.kind,
            "stay": QueueEntry.state,
            "referred": _yes(_REFERRED),
            "coded": _yes(_HAS_CODE),
        },
        _ROOM,
    ),
    "waits": Fact(
        "panggilan",
        _waits,
        QueueEntry.id,
        _OF_VISIT | {"room": Poli.code, "minutes": _waited // SECONDS},
        _ROOM | {"Menunggu (menit)": _waited // SECONDS},
    ),
    "moves": Fact(
        "pindah ruang",
        _moves,
        QueueEntry.id,
        _OF_VISIT | {"room": Poli.code, "pair": _wrong.code + "-" + Poli.code},
        {"Dari": _wrong.name, "Ke": Poli.name, "Alasan": _before.reason},
    ),
    "deaths": Fact(
        "kematian",
        _deaths,
        Examination.id,
        _OF_VISIT | {"room": Poli.code, "code": func.coalesce(_main.code, "tanpa kode")},
        _ROOM
        | {"Kode": _main.code, "Diagnosis utama": _main.title, "Pukul": Examination.death_time},
    ),
    "dehydrated": Fact(
        "pemeriksaan",
        _dehydrated,
        ExaminationAnswer.id,
        _OF_VISIT | {"room": Poli.code, "grade": dehydration.grade_of(ExaminationAnswer.value)},
        _ROOM,
    ),
    "diagnoses": Fact(
        "diagnosis",
        _diagnoses,
        Diagnosis.id,
        _OF_VISIT
        | {
            "room": Poli.code,
            "code": Diagnosis.code,
            "case": Diagnosis.case_type,
            "known": _yes(_IS_KNOWN),
        },
        _ROOM
        | {"Kode": Diagnosis.code, "Diagnosis": Diagnosis.title, "Kasus": Diagnosis.case_type},
        rows_of_room=_diagnoses_of_room,
    ),
}
