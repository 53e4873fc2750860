"""Corrections of a finished examination: the old text stays, with who, when and why.

The author corrects freely for some hours after the end (Permenkes 24/2022, article 16). Later, or
by somebody else, the same form is a request that the records officer or the head decides.
"""

from collections.abc import Mapping

from sqlalchemy import select

from clinic import amended_fields, diagnoses, form_answers, sick_child
from clinic.amended_fields import DIAGNOSES, ROOM_FORM, VITAL_SIGNS, Part
from clinic.amendment_rules import is_free
from clinic.amendment_writing import (
    LONGEST_REASON,
    apply_lines,
    log,
    mark_for_exchange,
    settle,
)
from clinic.audit import Actor
from clinic.examination_parts import goes_home
from clinic.form_case import Case
from clinic.form_definitions import SICK_CHILD
from clinic.measurements import Vitals
from clinic.record_errors import Conflict, RecordError
from clinic.records import TEXTS, WITHOUT_DIAGNOSIS, ExaminationInput
from db import add_row, db, new_public_id
from models import (
    Amendment,
    AmendmentLine,
    AmendmentState,
    Disposition,
    Examination,
    VisitStatus,
)
from validators import clean_text

REPLACED = "Diganti permintaan baru"
Texts = Mapping[Part, str]


def amend(
    actor: Actor,
    examination: Examination,
    form: ExaminationInput,
    vitals: Mapping[str, Vitals],
    reason: str,
    version: int,
) -> Amendment:
    """Correct, or ask to; the same press sent twice counts once. Vital signs by their row's ref.

    `version` is the examination's, as the form was opened. Raises Conflict, RecordError.
    """
    db.session.refresh(examination)
    reason = clean_text(reason, LONGEST_REASON)
    _check_open(examination)
    now = amended_fields.stored(examination)
    after = amended_fields.wanted(examination, form, vitals, now)
    again = _same_press(actor, examination, now, after, reason, version)
    if again:
        return again
    # Vital signs may have been measured again, which raises no version.
    if examination.version != version or not after.keys() <= now.keys():
        raise Conflict(examination)
    lines = _lines(now, after)
    if not lines:
        raise RecordError("Belum ada yang diubah dari yang tercatat.")
    if not reason:
        raise RecordError("Tulis mengapa ini dibetulkan.", "reason")
    _check_result(examination, now, lines)
    return _keep(actor, examination, lines, reason)


def _check_open(examination: Examination) -> None:
    if not examination.finished_at:
        raise RecordError("Pemeriksaan belum selesai. Ubah langsung di isiannya.")
    if examination.visit.status == VisitStatus.CANCELLED:
        raise RecordError("Kunjungan ini dibatalkan, jadi isinya tidak dapat dibetulkan.")


def _same_press(
    actor: Actor, examination: Examination, now: Texts, after: Texts, reason: str, version: int
) -> Amendment | None:
    """What an equal press made of the same page: a request, or the text that stands there now."""
    own = (
        select(Amendment)
        .where(Amendment.examination_id == examination.id)
        .where(Amendment.requested_by_id == actor.user_id, Amendment.base_version == version)
        .where(Amendment.reason == reason, Amendment.state != AmendmentState.REFUSED)
        .order_by(Amendment.id.desc())
        .limit(1)
    )
    last = db.session.scalar(own)
    if last is None or last.applied_version not in (None, examination.version):
        return None
    made = {Part(line.field, line.subject_ref): line.new_value for line in last.lines}
    rest = [part for part in after if part not in made]
    is_same = made.items() <= after.items() and all(now.get(part) == after[part] for part in rest)
    return last if is_same else None


def _lines(now: Texts, after: Texts) -> list[AmendmentLine]:
    return [
        AmendmentLine(
            field=part.field,
            subject_ref=part.subject_ref,
            # The row to come has its name already: who asks and who applies may be two presses.
            result_ref=new_public_id() if part.field == VITAL_SIGNS else "",
            old_value=now[part],
            new_value=value,
        )
        for part, value in after.items()
        if now[part] != value
    ]


def _check_result(examination: Examination, now: Texts, lines: list[AmendmentLine]) -> None:
    """What could not be finished so can't be amended so either; nobody is moved by it."""
    after = {**now, **{Part(line.field, line.subject_ref): line.new_value for line in lines}}
    changed = {line.field for line in lines}
    if changed & {"disposition", "refer_to"}:
        _check_end(now[Part("disposition")], after[Part("disposition")], after[Part("refer_to")])
    if DIAGNOSES in changed:
        diagnoses.refuse_unanswered(amended_fields.diagnoses_of(after[Part(DIAGNOSES)]))
    if changed & {"disposition", ROOM_FORM, VITAL_SIGNS}:
        _check_danger(examination, after)
    is_unasked = examination.entry.poli.kind in WITHOUT_DIAGNOSIS
    texts = TEXTS if is_unasked else ("assessment",)
    has_words = any(after[Part(name)].strip() for name in texts)
    nothing = amended_fields.diagnoses_text([])
    if changed & {*texts, DIAGNOSES} and not has_words and after[Part(DIAGNOSES)] == nothing:
        raise RecordError("Diagnosis atau penilaian tidak boleh kosong.", "assessment")


def _check_danger(examination: Examination, after: Texts) -> None:
    """A child that went home with danger signs keeps the reason why."""
    answers = amended_fields.answers_of(after[Part(ROOM_FORM, SICK_CHILD)])
    is_asked = answers or SICK_CHILD in form_answers.offered(examination.entry.poli)
    if not is_asked or not goes_home(after[Part("disposition")], examination.refer_room):
        return
    visit = examination.visit
    case = Case(visit.service_day.on, visit.age_months, amended_fields.last_vitals(after))
    signs = sick_child.danger_signs(answers, case)
    if signs and not answers.get("danger_reason"):
        sentence = f"Ada tanda bahaya ({signs}). Tulis mengapa anak dipulangkan."
        raise RecordError(sentence, "danger_reason")


def _check_end(before: str, disposition: str, refer_to: str) -> None:
    if Disposition.INTERNAL in (before, disposition):
        raise RecordError("Rujukan ke ruang lain memindahkan pasien, jadi tetap.", "disposition")
    if not disposition:
        raise RecordError("Pilih tindak lanjut.", "disposition")
    if disposition == Disposition.EXTERNAL and not refer_to:
        raise RecordError("Tulis ke mana pasien dirujuk.", "refer_external")


def _keep(
    actor: Actor, examination: Examination, lines: list[AmendmentLine], reason: str
) -> Amendment:
    amendment = Amendment(
        examination_id=examination.id,
        reason=reason,
        requested_by_id=actor.user_id,
        base_version=examination.version,
        state=AmendmentState.WAITING,
        lines=lines,
    )
    _withdraw_waiting(actor, examination)
    if is_free(actor.user_id, examination):
        apply_lines(actor.user_id, examination, lines)
        amendment.state = AmendmentState.APPLIED
        amendment.applied_version = examination.version
    add_row(amendment)
    if amendment.state == AmendmentState.APPLIED:
        log(actor, "amend_examination", amendment, reason)
        mark_for_exchange(amendment)
    else:
        log(actor, "request_amendment", amendment, reason)
    return amendment


def _withdraw_waiting(actor: Actor, examination: Examination) -> None:
    """One person asks for one thing at a time: the newer request takes the older one's place."""
    waiting = select(Amendment).where(
        Amendment.examination_id == examination.id,
        Amendment.requested_by_id == actor.user_id,
        Amendment.state == AmendmentState.WAITING,
    )
    for older in db.session.scalars(waiting).all():
        settle(actor, older, AmendmentState.REFUSED, REPLACED, None)
        log(actor, "withdraw_amendment", older, REPLACED)
