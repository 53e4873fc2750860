"""Emergency first, identity later: two fields and the patient stands in the UGD's queue.

What was typed in the ordinary form is carried here by its draft, and waits there meanwhile.
"""

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from wtforms import StringField, ValidationError
from wtforms.fields.choices import RadioField, SelectChoice

import access
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.forms import MAX_COMPLAINT, RegistrationForm, text
from clinic import days, drafts, patients
from clinic.emergency import Begun, register_emergency, saved_by
from clinic.registration import RegistrationError
from db import new_public_id, transaction
from models import DraftKind
from page_form import PageForm, choices
from patient_forms import OTHER_PATIENT, is_for

CARRIED = (DraftKind.NEW, DraftKind.RETURNING, DraftKind.IDENTITY)  # the last: by an earlier press
SEXES = {"L": "Laki-laki", "P": "Perempuan"}


def _known_sex(_form: PageForm, field: RadioField) -> None:
    if field.data not in SEXES:
        raise ValidationError("Pilih laki-laki atau perempuan, menurut yang terlihat.")


class EmergencyForm(PageForm):
    # What is cried out first is typed first: letters on a radio button would be lost.
    complaint = StringField("Keadaannya", [text(MAX_COMPLAINT)])
    sex = RadioField("Jenis kelamin", [_known_sex], choices=choices(SEXES), validate_choice=False)
    name = StringField("Nama atau ciri-ciri", [text(100)])


@bp.get("/pendaftaran/gawat")
@counter
def emergency():
    begun = _begun(request.args.get("draf", ""))
    typed = begun.draft.fields if begun else {}
    one_line = {name: " ".join(typed.get(name, "").split()) for name in ("name", "complaint")}
    form = EmergencyForm(MultiDict({"sex": typed.get("sex", "")} | one_line))
    return _page(form, new_public_id(), begun)


@bp.post("/pendaftaran/gawat")
@counter
def emergency_post():
    key, source = request.form.get("draft", ""), request.form.get("dari", "")
    if done := saved_by(key):  # the answer got lost
        return redirect(url_for("registration.ticket", visit=done.public_id), 303)
    form, begun = EmergencyForm(request.form), _begun(source)
    if begun and begun.patient:
        form.sex.data = begun.patient.sex
    if not form.validate() or len(key) != 36:
        page = _page(form, key if len(key) == 36 else new_public_id(), begun)
        return make_response(page, 422)
    try:
        with transaction():
            ref = _register(form, key, source)
    except RegistrationError as refused:
        form.form_errors.append(str(refused))
        return make_response(_page(form, key, begun), 409)
    return redirect(url_for("registration.ticket", visit=ref), 303)


def _register(form: EmergencyForm, key: str, source: str) -> str:
    """The public id of the visit."""
    begun = _begun(source)
    if begun and begun.patient and not is_for(begun.patient.public_id):
        raise RegistrationError(OTHER_PATIENT)
    said = (form.name.cleaned or "", form.sex.data, form.complaint.cleaned or "")
    return register_emergency(access.current_actor(), key, *said, begun).public_id


def _begun(ref: str) -> Begun | None:
    """The registration that was left for this, with its patient if that one is known."""
    draft = drafts.by_ref(ref) if ref else None
    is_this = draft is not None and draft.kind in CARRIED and not drafts.is_correction(draft)
    if not is_this or draft.paper:
        return None
    known = draft.kind == DraftKind.RETURNING and draft.patient_ref
    record = patients.by_ref(draft.patient_ref) if known else None
    form = RegistrationForm(MultiDict(draft.fields), kind=DraftKind.IDENTITY)
    form.validate()
    patient = patients.current(record) if record else None
    is_withdrawn = patient is not None and not patient.is_active
    return Begun(draft, form.identity(record), None if is_withdrawn else patient)


def _page(form: EmergencyForm, key: str, begun: Begun | None) -> str:
    if begun and begun.patient:
        access.record_view("view_identity", begun.patient)
    if form.complaint.data and not form.sex.data:  # what is left to ask
        first = SelectChoice(value="L", label=SEXES["L"], render_kw={"autofocus": ""})
        form.sex.choices = [first, *choices(SEXES)[1:]]
    return render_template(
        "registration/emergency.html",
        form=form,
        draft=key,
        source=begun.draft.public_id if begun else "",
        patient=begun.patient if begun else None,
        visit=begun.visit if begun else None,
        today=days.clinic_date(),
    )
