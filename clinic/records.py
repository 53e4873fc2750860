"""The record: an examination's draft and its end, addenda, vital signs.

A draft may be written again until it is finished; then there are addenda and amendments. Who wrote
meanwhile is noticed by the version, so nobody's text is lost without being seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.exc import StaleDataError

from clinic import audit, deaths, diagnoses, prescriptions, queues
from clinic.audit import Actor
from clinic.diagnoses import DiagnosisInput
from clinic.examination_parts import PARTS, Part, refusals
from clinic.form_answers import Forms
from clinic.lab_orders import OrderInput
from clinic.measurements import VITALS, Boxes, Vitals, has_measured, measure, own_measurements
from clinic.prescription_lines import LineError
from clinic.prescriptions import PrescriptionInput
from clinic.procedures import ProcedureInput
from clinic.queue_steps import is_cut_off
from clinic.record_errors import Conflict, NotOpen, RecordError, refuse
from db import db, utcnow
from models import (
    Addendum,
    Disposition,
    EntryState,
    Examination,
    Poli,
    PoliKind,
    QueueEntry,
    Source,
    User,
)
from validators import clean_text

__all__ = [
    "VITALS",
    "Boxes",
    "Conflict",
    "ExaminationInput",
    "NotOpen",
    "RecordError",
    "Vitals",
    "add_addendum",
    "draft_of",
    "finish",
    "measure",
    "open_examination",
    "own_measurements",
    "save",
    "says_the_same",
    "write_from_paper",
]
TEXTS = ("subjective", "objective", "assessment", "plan", "therapy")
BEING_SERVED = (EntryState.CALLED, EntryState.IN_SERVICE)
# Their result or their service is the record; they seldom make a diagnosis.
WITHOUT_DIAGNOSIS = (PoliKind.LABORATORY, PoliKind.PHARMACY)
NO_DISPOSITION = "Pilih tindak lanjut sebelum selesai."


@dataclass(frozen=True)
class ExaminationInput:
    """What a form sent. None: the form had no such field, so that what stands is kept."""

    subjective: str | None = None
    objective: str | None = None
    assessment: str | None = None
    plan: str | None = None
    therapy: str | None = None
    disposition: str | None = None
    refer_to: str | None = None
    death_time: str | None = None
    diagnoses: Sequence[DiagnosisInput] | None = None
    procedures: Sequence[ProcedureInput] | None = None
    vitals: Vitals | Boxes | None = None
    lab: OrderInput | None = None
    forms: Forms | None = None
    prescription: PrescriptionInput | None = None


def open_examination(entry: QueueEntry) -> Examination | None:
    """The examination of this queue entry, draft or finished."""
    return db.session.scalar(select(Examination).where(Examination.entry_id == entry.id))


def draft_of(entry: QueueEntry, version: int | None = None) -> Examination | None:
    """What a form (of this version) may be written over. Raises Conflict, NotOpen."""
    db.session.refresh(entry)
    examination = open_examination(entry)
    if examination and (examination.finished_at or version not in (None, examination.version)):
        raise Conflict(examination)
    if entry.state not in BEING_SERVED and not is_cut_off(entry):
        raise NotOpen("Pasien ini tidak sedang dilayani di ruang Anda. Periksa antreannya.")
    return examination


def save(actor: Actor, entry: QueueEntry, form: ExaminationInput, version: int) -> Examination:
    """Store a draft; the first one makes the examination. Raises Conflict, NotOpen, RecordError."""
    before = open_examination(entry)
    is_next = before is not None and before.version == version + 1
    if is_next and says_the_same(actor, before, form):
        return before  # sent again, for the answer got lost
    examination = _write(actor, entry, form, version)
    _log(actor, "save_examination", examination)
    return examination


def finish(actor: Actor, entry: QueueEntry, form: ExaminationInput, version: int) -> Examination:
    """Store, close the record and end or refer the queue entry; a second press changes nothing.

    Raises RecordError without a diagnosis or assessment, or without a disposition.
    """
    before = open_examination(entry)
    if before and before.finished_at and says_the_same(actor, before, form):
        return before
    try:
        examination = _write(actor, entry, form, version)
    except LineError as problem:
        examination = open_examination(entry)
        more = [] if examination.death else prescriptions.gaps(form.prescription.lines)
        refuse([*_incomplete(examination, entry.poli), problem, *problem.others, *more])
    # A nurse may have begun the draft; who finishes it answers for it.
    who = _practitioner_id(actor) or examination.practitioner_id
    target = _close(actor, examination, who)
    if target:
        # From the pharmacy patients go home; from everywhere else they come back with a result.
        queues.refer(actor, entry, target, back=target.kind != PoliKind.PHARMACY)
    else:
        has_left = examination.disposition == Disposition.EXTERNAL
        queues.finish(actor, entry, has_died=bool(examination.death), has_left=has_left)
    _log(actor, "finish_examination", examination)
    return examination


def write_from_paper(
    actor: Actor, entry: QueueEntry, form: ExaminationInput, practitioner_id: int
) -> Examination:
    """The whole record of somebody who was served on paper, by the practitioner named there.

    A second press changes nothing. Raises Conflict, NotOpen, RecordError.
    """
    db.session.refresh(entry)
    before = open_examination(entry)
    if before and before.finished_at and says_the_same(actor, before, form):
        return before
    if before:
        raise Conflict(before)
    if entry.state != EntryState.DONE or entry.visit.source != Source.PAPER:
        raise NotOpen("Pasien ini tidak dicatat dari kertas sebagai sudah dilayani.")
    examination = _begin(actor, entry)
    examination.source, examination.occurred_at = Source.PAPER, entry.visit.occurred_at
    _write_content(actor, examination, form)
    _close(actor, examination, practitioner_id)
    _log(actor, "finish_examination", examination)
    return examination


def add_addendum(actor: Actor, examination: Examination, text: str) -> Addendum:
    """Add to a finished examination; the same text sent twice is added once."""
    text = clean_text(text, 10_000, newlines=True)
    if not examination.finished_at:
        raise RecordError("Pemeriksaan belum selesai. Tulis langsung di isiannya.", "text")
    if not text:
        raise RecordError("Tulis dulu tambahannya.", "text")
    last = db.session.scalar(
        select(Addendum)
        .where(Addendum.examination_id == examination.id)
        .order_by(Addendum.id.desc())
        .limit(1)
    )
    if last and last.text == text and last.recorded_by_id == actor.user_id:
        return last
    addendum = Addendum(examination_id=examination.id, text=text, recorded_by_id=actor.user_id)
    db.session.add(addendum)
    db.session.flush()
    _log(actor, "add_addendum", examination)
    return addendum


def _write(actor: Actor, entry: QueueEntry, form: ExaminationInput, version: int) -> Examination:
    examination = draft_of(entry, version)
    if entry.state == EntryState.CALLED:
        queues.act(actor, entry, "mulai")
    try:
        examination = examination or _begin(actor, entry)
        _write_content(actor, examination, form)
    except (IntegrityError, StaleDataError) as error:
        raise Conflict from error  # the table's rule: one examination an entry, one next version
    return examination


def _write_content(actor: Actor, examination: Examination, form: ExaminationInput) -> None:
    is_next_version = _write_texts(examination, form) or examination.id is None
    db.session.flush()
    for part, wanted in _parts(form):
        if part.write(actor, examination, wanted) and not is_next_version:
            flag_modified(examination, "plan")  # a part alone raises the version too
            is_next_version = True
    db.session.flush()


def _close(actor: Actor, examination: Examination, practitioner_id: int | None) -> Poli | None:
    """Finish what is complete; the room that the patient is sent to, if any."""
    refused = list(_incomplete(examination, examination.entry.poli))
    target = None
    try:
        target = _target(examination, examination.entry)
    except RecordError as problem:
        refused.append(problem)
    refuse([*refused, *refusals(examination, target)])
    examination.finished_at = utcnow()
    examination.practitioner_id = practitioner_id
    db.session.flush()
    for part in PARTS:
        part.finish(actor, examination)
    return target


def _begin(actor: Actor, entry: QueueEntry) -> Examination:
    examination = Examination(
        entry_id=entry.id,
        visit_id=entry.visit_id,
        practitioner_id=_practitioner_id(actor),
        recorded_by_id=actor.user_id,
        occurred_at=entry.started_at or utcnow(),
    )
    db.session.add(examination)
    return examination


def _practitioner_id(actor: Actor) -> int | None:
    return db.session.get(User, actor.user_id).practitioner_id


def _write_texts(examination: Examination, form: ExaminationInput) -> bool:
    changed = False
    for name, value in _texts(form).items():
        if value is not None and (getattr(examination, name) or "") != value:
            setattr(examination, name, value or (None if name == "disposition" else ""))
            changed = True
    return changed


def _texts(form: ExaminationInput) -> dict[str, str | None]:
    in_rows = {part.name for part in PARTS}
    names = [field.name for field in fields(form) if field.name not in in_rows]
    return {name: getattr(form, name) for name in names}


def _parts(form: ExaminationInput) -> list[tuple[Part, Any]]:
    """Each part that the form sent, with what it said."""
    return [(part, wanted) for part in PARTS if (wanted := getattr(form, part.name)) is not None]


def says_the_same(actor: Actor, examination: Examination, form: ExaminationInput) -> bool:
    """Whether all that this account's form says stands there: then it was sent twice."""
    texts = _texts(form).items()
    if any(text is not None and text != (getattr(examination, name) or "") for name, text in texts):
        return False
    if not has_measured(actor, examination.entry, form.vitals or {}):
        return False
    return all(part.says_the_same(examination, wanted) for part, wanted in _parts(form))


def _incomplete(examination: Examination, poli: Poli) -> Iterator[RecordError]:
    texts = TEXTS if poli.kind in WITHOUT_DIAGNOSIS else ("assessment",)
    has_words = any(getattr(examination, name).strip() for name in texts)
    if not has_words and not diagnoses.active(examination):
        yield RecordError("Isi diagnosis atau penilaian sebelum selesai.", "assessment")
    if examination.disposition is None:
        yield RecordError(NO_DISPOSITION, "disposition")
    if examination.disposition == Disposition.EXTERNAL and not examination.refer_to:
        yield RecordError("Tulis ke mana pasien dirujuk.", "refer_external")
    if examination.death and deaths.is_ahead(examination):
        sentence = f"Pukul {examination.death_time} belum lewat. Betulkan jamnya, atau kosongkan."
        yield RecordError(sentence, "death_time")


def _target(examination: Examination, entry: QueueEntry) -> Poli | None:
    if examination.disposition != Disposition.INTERNAL:
        return None
    wanted = select(Poli).where(Poli.code == examination.refer_to, Poli.is_active)
    target = db.session.scalar(wanted)
    if target is None or target.id == entry.poli_id:
        raise RecordError("Pilih ruang lain sebagai tujuan rujukan.", "refer_to")
    return target


def _log(actor: Actor, action: str, examination: Examination) -> None:
    audit.record(actor, action, examination, details=f"version {examination.version}")
