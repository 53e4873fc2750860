"""General consent: the paper to sign, and what was signed."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from wtforms import HiddenField, RadioField, StringField

import access
from clinic import allergies, consents, days, patients
from clinic.record_errors import RecordError
from db import transaction
from formatting import CONSENT_LABELS, SIGNER_LABELS
from models import ConsentDecision, Patient, Role, Signer
from page_form import PageForm, choices
from patient_forms import OTHER_PATIENT, is_for
from validators import FieldError

bp = Blueprint("consents", __name__)
desks = access.allow(Role.REGISTRATION, Role.POLI, Role.RECORDS, Role.HEAD)
CHOOSE = "Pilih salah satu."


class ConsentForm(PageForm):
    decision = RadioField("Keputusan", choices=choices(CONSENT_LABELS))
    signer = RadioField("Yang menandatangani", choices=choices(SIGNER_LABELS))
    signed_by = StringField("Nama penanda tangan")
    reason = StringField("Mengapa bukan orang tua atau wali")
    seen = HiddenField()

    def validate(self, extra_validators=None) -> bool:
        for field, labels in ((self.decision, CONSENT_LABELS), (self.signer, SIGNER_LABELS)):
            if field.data not in labels:
                field.errors = [CHOOSE]
        return not (self.decision.errors or self.signer.errors)


@bp.get("/pasien/<patient>/persetujuan")
@desks
def consent(patient: str):
    found = access.patient_or_404(patient)
    if found.merged_into_id is not None:
        survivor = patients.current(found)
        return redirect(url_for("consents.consent", patient=survivor.public_id))
    return _page(found, ConsentForm(data={"signer": _likely_signer(found)}))


def _likely_signer(patient: Patient) -> Signer:
    """For a child a parent; a minor who is married may choose otherwise."""
    years = consents.age(patient, days.clinic_date())
    is_minor = years is not None and years < consents.ADULT
    return Signer.PARENT if is_minor else Signer.PATIENT


@bp.post("/pasien/<patient>/persetujuan")
@desks
def record(patient: str):
    found = patients.current(access.patient_or_404(patient))
    form = ConsentForm(request.form)
    if not is_for(patient, found.public_id):
        return _page(found, form, 409, OTHER_PATIENT)
    if not form.validate():
        return _page(found, form, 422)
    decision, signer = ConsentDecision(form.decision.data), Signer(form.signer.data)
    said = (decision, signer, form.signed_by.data or "", form.seen.data or "")
    said += (form.reason.data or "",)
    try:
        with transaction():
            consents.record(access.current_actor(), found, *said)
    except consents.ConsentChanged as changed:
        return _page(found, form, 409, str(changed))
    except (RecordError, FieldError) as problem:
        name = getattr(problem, "field", "")
        form[name if name in form else "signed_by"].errors = [str(problem)]
        return _page(found, form, 422)
    flash("Persetujuan umum tercatat. Simpan kertasnya di map pasien.", "success")
    return redirect(url_for("consents.consent", patient=found.public_id), 303)


def _page(patient: Patient, form: ConsentForm, status: int = 200, problem: str = "") -> Response:
    access.record_view("view_identity", patient)
    held, today = consents.current(patient), days.clinic_date()
    html = render_template(
        "consents/consent.html",
        patient=patient,
        allergy_mark=allergies.mark(patient),
        held=held,
        former=consents.former(patient),
        form=form,
        seen=held.public_id if held else "",
        problem=problem,
        today=today,
        asks_why=consents.asks_why(consents.age(patient, today)),
        decisions=CONSENT_LABELS,
        signers=SIGNER_LABELS,
    )
    return Response(html, status, mimetype="text/html")
