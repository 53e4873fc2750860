"""What the examination's form shows: stored or typed text, and what each of its parts adds."""

from collections.abc import Callable
from typing import Any, NamedTuple

from flask import request
from sqlalchemy import select

from blueprints.examination import (
    diagnosis_form,
    lab_order_form,
    prescription_form,
    procedure_form,
    room_form,
    shown_form,
    vital_boxes,
)
from blueprints.examination.forms import ExaminationForm, refer_to
from blueprints.examination.typed import Typed
from clinic import queue_loans, records
from db import db
from formatting import DISPOSITION_LABELS
from models import Examination, Poli, QueueEntry
from page_form import choices


class FormPart(NamedTuple):
    """A part of the form with a template of its own in templates/examination/_form.html.

    `context` may fill the form's fields and returns what the template needs; `theirs` says what
    another has stored where it differs from what was typed, by field.
    """

    context: Callable[[ExaminationForm, QueueEntry, Examination | None, Typed | None], dict]
    theirs: Callable[[Examination, Typed], dict[str, str]] = lambda examination, typed: {}


FORM_PARTS = (
    FormPart(diagnosis_form.context, diagnosis_form.theirs),
    FormPart(procedure_form.context, procedure_form.theirs),
    FormPart(prescription_form.context, prescription_form.theirs),
    FormPart(lab_order_form.context, lab_order_form.theirs),
    FormPart(room_form.context, room_form.theirs),
)


def form_context(
    entry: QueueEntry, examination: Examination | None, typed: Typed | None
) -> dict[str, Any]:
    own = vital_boxes.own_of(entry.visit, entry)
    form = typed.form if typed else room_form.filled(entry, examination, own.values)
    polis = list(db.session.scalars(select(Poli).where(Poli.is_active).order_by(Poli.position)))
    rooms = {poli.code: poli.name for poli in polis if poli.id != entry.poli_id}
    form.refer_to.choices = choices(rooms, "Pilih ruang")
    if sender := queue_loans.waiting_sender(entry):
        there = f"kembali ke {sender.poli.name}"
        back = {"pulang": f"Selesai, {there}", "kontrol": f"Kontrol nanti, sekarang {there}"}
        form.disposition.choices = choices(DISPOSITION_LABELS | back)
    is_echoed = typed is not None and not typed.is_conflict
    context = vital_boxes.context(own, own.refs, is_echoed=is_echoed)
    for part in FORM_PARTS:
        context |= part.context(form, entry, examination, typed)
    context |= {"form": form}
    return context | {
        "digests": typed.digests if typed else shown_form.digests(context),
        "version": _version(examination, typed),
        "has_own_vitals": own.rows or _has_vitals(form),
    }


def _has_vitals(form: ExaminationForm) -> bool:
    return any(form[name].data or form[name].errors for name in records.VITALS)


def _version(examination: Examination | None, typed: Typed | None) -> int:
    # Only who has seen the other's text may save over it.
    if typed and not typed.is_conflict:
        return typed.version
    return examination.version if examination else 0


def theirs(examination: Examination | None, typed: Typed) -> dict[str, str]:
    """What stands stored where it differs from what was typed, by field.

    Where the form says what it showed, only what was changed on both sides.
    """
    if examination is None:
        return {}
    stored = {name: getattr(examination, name) for name in records.TEXTS}
    found = {
        name: text
        for name, text in stored.items()
        if typed.form[name].raw_data and (typed.form[name].data or "").strip() != text
    }
    if examination.disposition:
        where = (examination.disposition, examination.refer_to)
        if where != (typed.form.disposition.data, refer_to(typed.form, request.form) or ""):
            to = f" ke {examination.refer_name}" if examination.refer_to else ""
            to += f" pukul {examination.death_time}" if examination.death_time else ""
            found["disposition"] = DISPOSITION_LABELS[examination.disposition] + to
    found |= vital_boxes.theirs(typed.form, examination.visit, examination.entry)
    for part in FORM_PARTS:
        found |= part.theirs(examination, typed)
    return shown_form.real(found, typed.both)
