"""Find a patient and read the record: identity, allergies, the whole history newest first."""

from collections.abc import Iterable

from flask import abort, flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import StringField, ValidationError

import access
from blueprints.patients.blueprint import bp, clinical, readers
from blueprints.patients.parts import visit_before
from blueprints.patients.timeline import timeline
from clinic import (
    allergies,
    consents,
    days,
    deaths,
    incomplete,
    medicine_allergies,
    paper_texts,
    papers,
    patient_summary,
    patients,
    records,
    typed_search,
    wrong_patient,
)
from clinic import search as finder
from clinic.month_names import parse_birth_date
from db import db, transaction
from formatting import mask_nik
from models import AliasKind, Allergy, Patient, PatientAlias, Role, Visit
from page_form import PageForm
from patient_forms import refuse_other
from validators import FieldError, checked_by, clean_text

SHORTEST_REASON = 10
MOST_FOUND = 20
NEWEST_PAPERS = 5


class SearchForm(PageForm):
    q = StringField()
    birth_date = StringField(
        validators=[checked_by(parse_birth_date, today=lambda _form: days.clinic_date())]
    )

    def validate_q(self, field: StringField) -> None:
        if not (field.data or "").strip() and not (self.birth_date.data or "").strip():
            raise ValidationError("Ketik nama atau nomor pasien, atau isi tanggal lahirnya.")


@bp.get("/pasien")
@readers
def search():
    last = session.get("patient_search")
    if not last:
        return _search_page(SearchForm(), None)
    form = SearchForm(data=last)
    form.validate()
    return _search_page(form, finder.find(last["q"], form.birth_date.cleaned, MOST_FOUND))


@bp.post("/pasien")
@readers
def find():
    form = SearchForm(request.form)
    if not form.validate():
        return Response(_search_page(form, None), 422, mimetype="text/html")
    # Kept for the page that follows: Back from a record must not ask to send a form again.
    session["patient_search"] = {
        "q": (form.q.data or "")[:120],
        "birth_date": form.birth_date.data or "",
    }
    return redirect(url_for("patients.search"), 303)


def _search_page(form: SearchForm, found: list | None) -> str:
    q, today, reading = form.q.data or "", days.clinic_date(), ""
    if found is not None:
        reading = typed_search.reading_note(q, form.birth_date.cleaned, today, found)
    return render_template(
        "patients/search.html",
        form=form,
        found=found,
        length_note=typed_search.length_note(q),
        reading=reading,
        today=today,
        most=MOST_FOUND,
    )


@bp.get("/pasien/<patient>")
@access.allow(Role.REGISTRATION, Role.POLI, Role.RECORDS, Role.HEAD)
def record(patient: str):
    found = access.patient_or_404(patient)
    if found.merged_into_id is not None:
        survivor = patients.current(found)
        return redirect(url_for("patients.record", patient=survivor.public_id))
    before = visit_before(found)
    is_clinical = not access.has_role(Role.REGISTRATION)
    if is_clinical and not access.has_record_access(found):
        return _ask_for_reason(found)
    return _page(found, before, clinical=is_clinical)


def _page(
    patient: Patient,
    before: Visit | None = None,
    *,
    clinical: bool = True,
    status: int = 200,
    **problem: str,
) -> Response:
    access.record_view("view_record" if clinical else "view_identity", patient)
    aliases = select(PatientAlias).where(
        PatientAlias.patient_id == patient.id, PatientAlias.ended_at.is_(None)
    )
    held = allergies.held(patient) if clinical else []
    shown = timeline(patient, before, clinical=clinical)
    has_head = clinical and shown.is_first_page
    page = render_template(
        "patients/record.html",
        patient=patient,
        today=days.clinic_date(),
        aliases=_texts(db.session.scalars(aliases.order_by(PatientAlias.id))),
        allergies=held,
        labels=allergies.banner(patient) if clinical else deaths.mark(patient),
        ended=allergies.ended(patient) if clinical else [],
        consent=consents.current(patient),
        papers=papers.of_patient(patient, NEWEST_PAPERS) if clinical else [],
        paper_kinds=paper_texts.KINDS,
        to_complete=_visit_to_complete(patient),
        shown=shown,
        moved=wrong_patient.moved(patient) if shown.is_first_page else [],
        summary=patient_summary.summary(patient) if has_head else None,
        clinical=clinical,
        my_rooms={room.code for room in current_user.rooms} if clinical else set(),
        may_write=clinical and access.has_role(Role.POLI, Role.HEAD),
        problem={"field": "", "text": "", **problem},
        typed=request.form,
    )
    return Response(page, 422 if shown.form.errors else status, mimetype="text/html")


def _visit_to_complete(patient: Patient) -> Visit | None:
    """The visit at which the counter may still say who it is, for those whose page that is."""
    if not access.has_role(Role.REGISTRATION, Role.HEAD):
        return None
    return incomplete.visits_of_unknown([patient]).get(patient.id)


def _texts(aliases: Iterable[PatientAlias]) -> list[str]:
    """Each once: a merge may bring a name that stood here already."""
    masked = (mask_nik(one.value) if one.kind == AliasKind.NIK else one.value for one in aliases)
    return list(dict.fromkeys(masked))


# --- Opening a record outside one's rooms -----------------------------------------------------


def _ask_for_reason(patient: Patient, problem: str = "", status: int = 200) -> Response:
    page = render_template(
        "patients/reason.html",
        patient=patient,
        today=days.clinic_date(),
        reason=request.form.get("alasan", ""),
        problem=problem,
    )
    return Response(page, status, mimetype="text/html")


@bp.post("/pasien/<patient>/buka")
@access.allow(Role.POLI)
def open_record(patient: str):
    found = patients.current(access.patient_or_404(patient))
    refuse_other(patient, found.public_id)
    try:
        reason = clean_text(request.form.get("alasan", ""), 300)
    except FieldError as problem:
        return _ask_for_reason(found, str(problem), 422)
    if len(reason) < SHORTEST_REASON:
        sentence = f"Tulis alasannya, paling sedikit {SHORTEST_REASON} huruf."
        return _ask_for_reason(found, sentence, 422)
    with transaction():
        access.grant_record_access(found, reason)
    return redirect(url_for("patients.record", patient=found.public_id), 303)


# --- Allergies --------------------------------------------------------------------------------


@bp.post("/pasien/<patient>/alergi")
@clinical
def add_allergy(patient: str):
    found = _writable(patient)
    substance = request.form.get("substance", "")
    reaction = request.form.get("reaction", "")
    is_alert = request.form.get("is_alert") == "1"
    try:
        with transaction():
            allergies.add_allergy(
                access.current_actor(), found, substance, reaction, is_alert=is_alert
            )
    except (records.RecordError, FieldError) as problem:
        return _refused(found, problem, "substance")
    flash("Peringatan tercatat." if is_alert else "Alergi tercatat.", "success")
    unmatched = "" if is_alert else medicine_allergies.not_understood(substance)
    if unmatched:
        flash(unmatched, "warning")
    return redirect(url_for("patients.record", patient=found.public_id), 303)


@bp.post("/pasien/<patient>/alergi/<allergy>/akhiri")
@clinical
def end_allergy(patient: str, allergy: str):
    found = _writable(patient)
    mine = select(Allergy).where(Allergy.public_id == allergy, Allergy.patient_id == found.id)
    row = db.session.scalar(mine) or abort(404)
    try:
        with transaction():
            allergies.end_allergy(access.current_actor(), row, request.form.get("reason", ""))
    except (records.RecordError, FieldError) as problem:
        return _refused(found, problem, allergy)
    flash(f"{row.substance} diakhiri; catatannya tetap ada.", "success")
    return redirect(url_for("patients.record", patient=found.public_id), 303)


def _writable(ref: str) -> Patient:
    found = patients.current(access.patient_or_404(ref))
    if not access.has_record_access(found):
        abort(404)
    refuse_other(ref, found.public_id)
    return found


def _refused(patient: Patient, problem: Exception, field: str) -> Response:
    return _page(patient, status=422, field=field, text=str(problem))
