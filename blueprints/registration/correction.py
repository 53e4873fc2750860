"""The records staff correct an identity without a visit: form, before and after, save."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import access
from blueprints.registration import asked, differences, drafted, prefill
from blueprints.registration.blueprint import bp
from blueprints.registration.drafted import Drafted, fields_over
from blueprints.registration.forms import IdentityCorrectionForm
from clinic import (
    asking,
    days,
    drafts,
    identity_corrections,
    patients,
    registration,
    review,
    villages,
)
from clinic.drafts import DraftSubject
from clinic.review import Review
from db import transaction
from models import DraftKind, Patient, RegistrationDraft, Role
from patient_forms import OTHER_PATIENT, is_for

staff = access.allow(Role.RECORDS, Role.HEAD)
SAVED = "Identitas diperbaiki. Yang lama tetap tercatat dalam riwayat."
FOR_THE_WORKLIST = "Pasangan rekam medisnya masuk daftar Pasangan mirip."


@bp.get("/pasien/<patient>/identitas")
@staff
def correct_identity(patient):
    found = access.patient_or_404(patient)
    if found.merged_into_id is not None:
        ref = patients.current(found).public_id
        there = url_for("registration.correct_identity", patient=ref, **request.args)
        return redirect(there, 303)
    draft = _draft_of(found, request.args.get("draf", ""))
    fields = fields_over(draft, found) if draft else prefill.known_fields(found)
    form = IdentityCorrectionForm(MultiDict(fields), kind=DraftKind.IDENTITY)
    return _form_page(form, found, draft)


@bp.post("/pasien/<patient>/identitas")
@staff
def correct_identity_post(patient):
    # The record of the address, even if it was merged meanwhile: over it was typed.
    record = access.patient_or_404(patient)
    found = patients.current(record)
    draft = _draft_of(found, request.form.get("draft", ""))
    form = IdentityCorrectionForm(request.form, kind=DraftKind.IDENTITY)
    if not is_for(record.public_id, found.public_id):
        form.form_errors = [OTHER_PATIENT]
        return make_response(_form_page(form, record, draft), 409)
    if not form.validate():
        return make_response(_form_page(form, record, draft), 422)
    waiting = asked.to_answer(form.identity(record), found)
    fields = {"patient_version": str(record.version)} | form.typed()
    subject = DraftSubject(DraftKind.IDENTITY, record.public_id)
    with transaction():
        answers = asked.noted(draft, waiting)
        draft = drafts.store(access.current_actor(), fields, subject, draft, answers)
    return redirect(_check_address(draft), 303)


@bp.get("/pasien/<patient>/identitas/<draft>")
@staff
def check_correction(patient, draft):
    read = _editable(patient, draft)
    if not read.is_valid:
        return drafted.to_form(read.draft, read.form)
    return _check_page(read, review.review(read.application()))


@bp.post("/pasien/<patient>/identitas/<draft>")
@staff
def save_correction(patient, draft):
    read = _editable(patient, draft)
    if asked.leaves():
        return redirect(asked.leave(read.draft), 303)
    if not read.is_valid:
        asked.keep(read.draft)
        return drafted.to_form(read.draft, read.form)
    try:
        with transaction():
            is_for_worklist = _save(patient, draft)
    except (registration.StaleDraft, identity_corrections.NothingChanged) as problem:
        return _again(draft, 409, problem=str(problem))
    except registration.NeedsReasons as needs:
        return _again(draft, 422, missing=needs.missing, unanswered=needs.unanswered)
    flash(SAVED, "success")
    if is_for_worklist:
        flash(FOR_THE_WORKLIST, "info")
    return redirect(url_for("patients.record", patient=patient), 303)


def _save(patient: str, draft: str) -> bool:
    read = _editable(patient, draft)
    if str(read.draft.version) != request.form.get("version"):
        raise registration.StaleDraft(identity_corrections.CHANGED)
    return identity_corrections.save(
        access.current_actor(),
        read.draft,
        read.application(),
        request.form.get("dilihat", ""),
        asked.reasons(),
        asked.given(),
        asked.were_asked(),
    )


def _editable(patient: str, draft: str) -> Drafted:
    read = drafted.editable(draft, correction=True)
    return read if read.draft.patient_ref == patient else abort(404)


def _draft_of(patient: Patient, ref: str) -> RegistrationDraft | None:
    """The draft of this id, if it corrects this patient."""
    draft = drafts.by_ref(ref) if ref else None
    if draft is None or not drafts.is_correction(draft):
        return None
    record = patients.by_ref(draft.patient_ref)
    return draft if patients.current(record).id == patient.id else None


def _check_address(draft: RegistrationDraft) -> str:
    return url_for(
        "registration.check_correction", patient=draft.patient_ref, draft=draft.public_id
    )


def _form_page(
    form: IdentityCorrectionForm, patient: Patient, draft: RegistrationDraft | None
) -> str:
    access.record_view("view_identity", patient)
    return render_template(
        "registration/form.html",
        form=form,
        kind="correction",
        patient=patient,
        visit=None,
        draft=draft.public_id if draft else "",
        gaps="",
        villages=villages.names,
        today=days.clinic_date(),
        back=url_for("patients.record", patient=patient.public_id),
    )


def _again(draft: str, status: int, **said: Any):
    """The page once more, as everything stands now."""
    found = access.draft_or_404(draft)
    asked.keep(found)
    read = drafted.read(found)
    if not read.is_valid:  # changed elsewhere meanwhile, or its room was closed
        return drafted.to_form(found, read.form)
    return make_response(_check_page(read, review.review(read.application()), **said), status)


def _check_page(
    read: Drafted,
    found: Review,
    missing: dict | None = None,
    unanswered: list[str] | None = None,
    problem: str = "",
) -> str:
    identity, today = read.application().identity, read.form.today
    parts = differences.changes(read.patient, identity, today)
    owner, kept = found.owner, read.answers
    return render_template(
        "registration/correction.html",
        draft=read.draft,
        address=_check_address(read.draft),
        patient=read.patient,
        seen=identity_corrections.seen(read.patient),
        why=read.form.alasan.data,
        found=found,
        changed=[part for part in parts if part.differs],
        kept=[part for part in parts if not part.differs],
        owner=differences.changes(owner, identity, today) if owner else [],
        questions=asking.questions(found.likely, kept, found.besides),
        answers=found.likely.standing | kept | asked.given(),
        missing=missing or {},
        unanswered=unanswered or [],
        reasons=asked.typed_reasons(read.draft, found),
        problem=problem,
        field_of=asked.field_of,
        today=today,
    )
