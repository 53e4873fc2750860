"""Text that was kept while it was typed, and says nothing but what has been saved since.

The last words of a page that was loaded again arrive behind the new page, which knows nothing of
them. Given back after its save they would look like a loss, and be written a second time.
"""

from dataclasses import replace

from flask_login import current_user
from werkzeug.datastructures import MultiDict

import access
from blueprints.examination import prescription_typed, room_form
from blueprints.examination.forms import ExaminationForm, examination_input, undecided
from clinic import allergies, records, unsaved
from clinic.records import ExaminationInput
from clinic.unsaved import Place
from models import Examination, QueueEntry, UnsavedText, Visit
from validators import FieldError


def unsaved_text(entry: QueueEntry) -> UnsavedText | None:
    """What the account typed last in this examination, unless it stands there."""
    examination = records.open_examination(entry)
    rows = unsaved.all_own(current_user.id, Place(entry))
    return next((row for row in rows if not _stands(row, examination)), None)


def forget_saved(examination: Examination) -> None:
    """The examination was finished: what other pages of its author say of it goes as well."""
    for row in unsaved.all_own(current_user.id, Place(examination.entry)):
        if _stands(row, examination):
            unsaved.forget(row)


def _stands(row: UnsavedText, examination: Examination | None) -> bool:
    """Whether saving this text would change nothing."""
    typed = MultiDict(row.fields)
    if examination is None or typed.get("patient") != examination.visit.patient.public_id:
        return False
    form = room_form.sent(typed, examination.visit)
    if not form.validate() or _is_looking(form, typed) or not _is_known(form, examination.visit):
        return False
    said = replace(examination_input(form, typed), forms=room_form.forms_input(form))
    if examination.finished_at:
        said = _filled(said)
    try:
        return records.says_the_same(access.current_actor(), examination, said)
    except (records.RecordError, FieldError):  # it could not be saved
        return False


def _is_looking(form: ExaminationForm, typed: MultiDict) -> bool:
    return bool(undecided(form, typed)) or prescription_typed.is_searched_only(typed)


def _is_known(form: ExaminationForm, visit: Visit) -> bool:
    """Whether the allergy that was typed is the patient's already."""
    said = (form.allergy_substance.cleaned or "", form.allergy_reaction.cleaned or "")
    held = [(each.substance, each.reaction) for each in allergies.held(visit.patient)]
    return not any(said) or said in held


def _filled(said: ExaminationInput) -> ExaminationInput:
    """Without the empty boxes: where an examination is finished, they are not given back."""
    lab, rx, boxes = said.lab, said.prescription, said.vitals
    lists = ("diagnoses", "procedures")
    names = (*records.TEXTS, "disposition", "refer_to", "death_time", *lists)
    return replace(
        said,
        **{name: getattr(said, name) or None for name in names},
        vitals=boxes and replace(boxes, values=_measured(boxes.values)),
        lab=lab if lab and (lab.tests or lab.note) else None,
        prescription=rx if rx and (rx.lines or rx.note) else None,
        forms={name: answers for name, answers in (said.forms or {}).items() if answers} or None,
    )


def _measured(values: records.Vitals) -> records.Vitals:
    return {name: value for name, value in values.items() if value is not None}
