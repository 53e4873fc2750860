"""The registration form's four pages: new, returning, identity to complete, further room."""

from flask import flash, make_response, redirect, request, session, url_for
from werkzeug.datastructures import MultiDict

import access
from blueprints.registration import filling, prefill
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.drafted import fields_over
from blueprints.registration.forms import RegistrationForm
from clinic import days, drafts, further_room, identity_warnings, patients, typed_search
from clinic.drafts import DraftSubject
from models import DraftKind, Patient, RegistrationDraft, Visit
from patient_forms import OTHER_PATIENT, is_for


@bp.get("/pendaftaran/baru")
@counter
def new():
    fields, said = _prefill()
    return filling.page(RegistrationForm(MultiDict(fields)), DraftSubject(), None, **said)


@bp.post("/pendaftaran/baru")
@counter
def new_post():
    return filling.take(DraftSubject(), None)


@bp.get("/pendaftaran/pasien/<patient>")
@counter
def returning(patient):
    found = patients.current(access.patient_or_404(patient))
    if not found.is_active:
        return _without_record(found)
    home = {"bpjs_home": patients.last_bpjs_home(found)}
    fields = prefill.fields_of(found, days.clinic_date()) | home
    draft = filling.asked_draft()
    if draft:
        same_person = draft.patient_ref == found.public_id
        typed = draft.fields
        if not same_person:  # "this is the patient": the record counts, gaps are filled
            typed = {
                k: v for k, v in typed.items() if k in prefill.VISIT_FIELDS or not fields.get(k)
            }
            typed.pop("no_nik_reason", None)
        fields = fields | typed
        if not same_person and fields.get("birth_date"):  # known or told now: no guess counts
            fields.pop("birth_date_estimated", None)
    form = RegistrationForm(MultiDict(fields), kind=DraftKind.RETURNING)
    return filling.page(form, DraftSubject(DraftKind.RETURNING, found.public_id), found)


@bp.post("/pendaftaran/pasien/<patient>")
@counter
def returning_post(patient):
    found = patients.current(access.patient_or_404(patient))
    return filling.take(DraftSubject(DraftKind.RETURNING, found.public_id), found)


@bp.get("/pendaftaran/kunjungan/<visit>/identitas")
@counter
def identity(visit):
    found = access.visit_or_404(visit)
    draft = filling.asked_draft()
    if draft is None or drafts.is_about(draft, found):
        return _identity_page(found, draft)
    return _identity_page(found, refused=draft.fields)


@bp.post("/pendaftaran/kunjungan/<visit>/identitas")
@counter
def identity_post(visit):
    found = access.visit_or_404(visit)
    draft = filling.kept_draft()
    if not is_for(found.patient.public_id) or (draft and not drafts.is_about(draft, found)):
        return make_response(_identity_page(found, refused=request.form.to_dict()), 409)
    subject = DraftSubject(DraftKind.IDENTITY, found.patient.public_id, found)
    return filling.take(subject, found.patient)


def _identity_page(
    visit: Visit, draft: RegistrationDraft | None = None, refused: dict[str, str] | None = None
):
    """From what waits for its save, or from the record.

    What was typed over the record of somebody else, whose the visit was, is there to be read.
    """
    draft, patient = draft or drafts.about(visit), visit.patient
    fields = fields_over(draft, patient) if draft else prefill.known_fields(patient)
    fields = {"bpjs_home": visit.bpjs_home} | fields
    form = RegistrationForm(MultiDict(fields), kind=DraftKind.IDENTITY)
    form.form_errors = [OTHER_PATIENT] if refused is not None else []
    subject, before = DraftSubject(DraftKind.IDENTITY, None, visit), drafts.of_another(visit)
    others = refused or (before.fields if before else {})
    return filling.page(form, subject, patient, draft=draft, others=others)


@bp.get("/pendaftaran/kunjungan/<visit>/ruang")
@counter
def room(visit):
    found = access.visit_or_404(visit)
    draft = filling.asked_draft()
    if not days.goes_on(found.service_day):
        return _as_new_visit(found, draft)
    fields = draft.fields if draft else {"pregnant": found.pregnant}
    form = RegistrationForm(MultiDict(fields), kind=DraftKind.ROOM)
    subject = DraftSubject(DraftKind.ROOM, found.patient.public_id, found)
    return filling.page(form, subject, found.patient)


@bp.post("/pendaftaran/kunjungan/<visit>/ruang")
@counter
def room_post(visit):
    found = access.visit_or_404(visit)
    subject = DraftSubject(DraftKind.ROOM, found.patient.public_id, found)
    if not days.goes_on(found.service_day):
        subject = DraftSubject(DraftKind.RETURNING, found.patient.public_id)
        form = RegistrationForm(request.form, kind=DraftKind.ROOM)
        return _as_new_visit(found, filling.store(form, subject, found.patient, None))
    return filling.take(subject, found.patient)


def _as_new_visit(visit: Visit, draft: RegistrationDraft | None):
    """The visit is over: the patient's form for a new one, with what was typed."""
    flash(further_room.past(visit), "warning")
    ref = patients.current(visit.patient).public_id
    draf = draft.public_id if draft else None
    return redirect(url_for("registration.returning", patient=ref, draf=draf), 303)


def _without_record(withdrawn: Patient):
    """The import took this record back: to the search, or with what was typed to somebody new."""
    flash(identity_warnings.withdrawn(withdrawn), "warning")
    draft = filling.asked_draft()
    if draft is None:
        return redirect(url_for("registration.desk"), 303)
    return redirect(url_for("registration.new", draf=draft.public_id), 303)


def _prefill() -> tuple[dict[str, str], dict]:
    """What is known already: a draft, a family member's visit, or what was searched for.

    And what the page says of it: whose family, and of the search what belongs into no field.
    """
    draft = filling.asked_draft()
    if draft:
        return draft.fields, {}
    family = request.args.get("keluarga")
    if family:
        found = access.visit_or_404(family)
        member = found.patient
        access.record_view("view_identity", member, "visit", found.public_id)
        return prefill.family_fields(member, request.args.get("hubungan", "")), {"relative": member}
    last = session.get("last_search") or {}
    today = days.clinic_date()
    fields, left = typed_search.form_fields(last.get("q", ""), last.get("birth_date", ""), today)
    return fields, {"left": left}
