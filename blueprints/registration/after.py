"""After the save: the ticket, and corrections with a reason."""

from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from wtforms import Form, StringField
from wtforms.fields.choices import SelectField

import access
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.forms import MAX_COMPLAINT, choices, text
from clinic import consents, corrections, days, patients, queues, search
from db import db, transaction
from formatting import BPJS_HOME_LABELS, CLUSTER_LABELS, PAYER_LABELS
from models import QueueEntry, Visit
from patient_forms import OTHER_PATIENT, is_for
from validators import checked_by, parse_bpjs_number

MIN_REASON = 4
NO_REASON = "Tulis alasan pembetulan, misalnya: salah pilih pembiayaan."


@bp.get("/pendaftaran/tiket/<visit>")
@counter
def ticket(visit):
    found = access.visit_or_404(visit)
    entries = list(
        db.session.scalars(
            select(QueueEntry)
            .where(QueueEntry.visit_id == found.id)
            .options(joinedload(QueueEntry.poli))
            .order_by(QueueEntry.id)
        )
    )
    standing = [entry for entry in entries if entry.state in days.STILL_HERE] or entries[-1:]
    return render_template(
        "registration/ticket.html",
        visit=found,
        patient=found.patient,
        entries=[(entry, queues.people_before(entry)) for entry in standing],
        goes_on=days.goes_on(found.service_day),
        cluster=CLUSTER_LABELS[found.cluster],
        household=patients.household_members(found.patient),
        consent=consents.current(found.patient),
    )


class CorrectionForm(Form):
    payer = SelectField("Pembiayaan", choices=choices(PAYER_LABELS))
    bpjs_number = StringField("Nomor BPJS", [checked_by(parse_bpjs_number)])
    bpjs_home = SelectField(
        "Terdaftar di", choices=choices(BPJS_HOME_LABELS, "Belum ditanya"), default=""
    )
    complaint = StringField("Keluhan", [text(MAX_COMPLAINT, newlines=True)])
    alasan = StringField("Alasan", [text(300)])

    def validate(self, extra_validators=None) -> bool:
        super().validate(extra_validators)
        if not (self.complaint.data or "").strip():
            self.complaint.errors = ["Isi keluhan, beberapa kata saja."]
        if len((self.alasan.data or "").strip()) < MIN_REASON:
            self.alasan.errors = [NO_REASON]
        return not self.errors


@bp.get("/pendaftaran/kunjungan/<visit>/ubah")
@counter
def correct(visit):
    found = access.visit_or_404(visit)
    form = CorrectionForm(obj=found)
    chosen = request.args.get("pasien", "")
    candidates = []
    if chosen:
        candidates = [search.Found(access.patient_or_404(chosen), None)]
    return _correction_page(found, form, candidates=candidates)


@bp.post("/pendaftaran/kunjungan/<visit>/ubah")
@counter
def correct_post(visit):
    found = access.visit_or_404(visit)
    action = request.form.get("aksi", "ubah")
    if action == "cari":
        form = CorrectionForm(obj=found)
        q = request.form.get("q", "")
        return _correction_page(found, form, candidates=search.find(q), q=q)
    if action == "ganti_pasien":
        return _reassign(found)
    form = CorrectionForm(request.form)
    if not is_for(found.patient.public_id):
        return make_response(_correction_page(found, form, problem=OTHER_PATIENT), 409)
    if not form.validate():
        return make_response(_correction_page(found, form), 422)
    changes = {
        "payer": form.payer.data,
        "bpjs_number": form.bpjs_number.cleaned,
        "bpjs_home": form.bpjs_home.data if form.payer.data.startswith("JKN") else "",
        "complaint": form.complaint.cleaned,
    }
    return _carry_out(
        found, lambda actor, v: corrections.correct_visit(actor, v, changes, form.alasan.cleaned)
    )


def _reassign(found: Visit):
    reason = request.form.get("alasan_pasien", "").strip()
    patient = access.patient_or_404(request.form.get("patient", ""))
    if len(reason) < MIN_REASON:
        form = CorrectionForm(obj=found)
        page = _correction_page(
            found,
            form,
            candidates=[search.Found(patient, None)],
            problem="Tulis alasan mengganti pasien, beberapa kata saja.",
        )
        return make_response(page, 422)
    return _carry_out(
        found, lambda actor, v: corrections.reassign_patient(actor, v, patient, reason)
    )


def _carry_out(found: Visit, change):
    ref = found.public_id
    try:
        with transaction():
            change(access.current_actor(), access.visit_or_404(ref))
    except corrections.CorrectionError as refused:
        found = access.visit_or_404(ref)
        form = CorrectionForm(obj=found)
        return make_response(_correction_page(found, form, problem=str(refused)), 409)
    flash("Pembetulan tersimpan.", "success")
    return redirect(url_for("registration.ticket", visit=ref), 303)


def _correction_page(
    visit: Visit, form: CorrectionForm, *, candidates=(), q: str = "", problem: str = ""
) -> str:
    return render_template(
        "registration/correct.html",
        visit=visit,
        patient=visit.patient,
        form=form,
        candidates=candidates,
        q=q,
        problem=problem,
        today=days.clinic_date(),
    )
