"""Read, draft, finish, and add to an examination."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

import access
from blueprints.examination import form_context, laboratory_desk, page
from blueprints.examination.blueprint import bp, clinical
from blueprints.examination.forms import (
    UNDECIDED,
    ExaminationForm,
    entered_diagnoses,
    examination_input,
    has_ticked,
    searched_only,
    version_sent,
)
from blueprints.examination.typed import Typed, keys_sent
from clinic import allergies, diagnoses, records, unsaved
from clinic.diagnoses import DiagnosisInput
from clinic.queues import QueueError
from db import db, transaction, utcnow
from formatting import clock_time
from models import Disposition, Examination, QueueEntry, Role, UnsavedText, Visit
from validators import FieldError

OTHER_PATIENT = (
    "Isian ini bukan untuk kunjungan ini, jadi belum disimpan. Cocokkan nama dan tanggal lahir."
)
MEANWHILE = "Pemeriksaan ini sudah diubah sejak Anda mengetik."
FORM_FIELDS = {"substance": "allergy_substance", "lab": "lab_note"}


@bp.get("/kunjungan/<visit>")
@access.allow(Role.POLI, Role.HEAD, Role.RECORDS)
def visit(visit: str):
    found = page.readable_visit(visit)
    entry = page.chosen_entry(found, request.args.get("antrean", ""))
    if laboratory_desk.has_work(found, entry):
        return redirect(url_for("examination.laboratory", visit=visit), 303)
    access.record_view("view_visit", found.patient, "visit", found.public_id)
    kept = unsaved.own(current_user.id, entry) if entry else None
    return _restored(found, entry, kept) if kept else page.show(found, entry)


def _restored(visit: Visit, entry: QueueEntry, kept: UnsavedText):
    """The page with what the account typed earlier and has not saved."""
    # As if it had just been sent: that is where every part of the form looks for what was typed.
    request.form = MultiDict(kept.fields)
    if has_ticked(request.form):
        request.form["diagnosis_search"] = ""  # it led to what was ticked, which is on the list now
    form = ExaminationForm(request.form)
    if request.form.get("patient", "") not in ("", visit.patient.public_id):
        return _again(visit, entry, form, 200, OTHER_PATIENT, kept=kept)
    examination = records.open_examination(entry)
    if examination and (examination.finished_at or examination.version != kept.version):
        return _again(visit, entry, form, 200, MEANWHILE, is_conflict=True, kept=kept)
    return _again(visit, entry, form, 200, kept=kept)


@bp.post("/kunjungan/<visit>")
@clinical
def record(visit: str):
    found = access.visit_or_404(visit)
    form = ExaminationForm(request.form)
    if not access.has_record_access(found.patient):
        return page.only_typed(form, found)
    entry = entry_sent(found)
    action = request.form.get("aksi", "simpan")
    if entry is None:
        return _again(found, page.chosen_entry(found), form, 409, OTHER_PATIENT)
    is_undecided = searched_only(form, request.form)
    if action == "cari" or (action == "lanjut" and is_undecided):
        return _again(found, entry, form, 200)
    if not form.validate() or is_undecided:
        return _again(found, entry, form, 422, is_undecided=is_undecided)
    try:
        with transaction():
            examination = _store(found, entry, form, action)
    except records.Conflict as conflict:
        return _again(found, entry, form, 409, str(conflict), is_conflict=True)
    except (records.NotOpen, QueueError) as problem:
        return _again(found, entry, form, 409, str(problem))
    except records.RecordError as problem:
        form[FORM_FIELDS.get(problem.field, problem.field)].errors = [str(problem)]
        return _again(found, entry, form, 422)
    except FieldError as problem:
        form.form_errors = [str(problem)]
        return _again(found, entry, form, 422)
    return _go_on(found, entry, examination)


def entry_sent(visit: Visit) -> QueueEntry | None:
    """The form's entry; None when the form was made for another visit or patient."""
    ref, patient = request.form.get("entry", ""), request.form.get("patient", "")
    entry = next((each for each in page.entries_of(visit) if each.public_id == ref), None)
    if entry is None or patient not in ("", visit.patient.public_id):
        return None
    if not access.may_use_room(entry.poli):
        abort(404)
    return entry


def _again(
    visit: Visit,
    entry: QueueEntry | None,
    form: ExaminationForm,
    status: int,
    problem: str = "",
    *,
    is_conflict: bool = False,
    is_undecided: bool = False,
    kept: UnsavedText | None = None,
):
    """The page with everything that was typed, and the codes for what is in the search box."""
    if is_undecided:
        form.diagnosis_search.errors = [UNDECIDED]
    examination = records.open_examination(entry) if entry else None
    entered = entered_diagnoses(request.form) or []
    lines = diagnoses.lines(entered, visit.patient, examination)
    chosen = {line.code for line in lines}
    options = [
        term
        for term in form_context.search_options(form.diagnosis_search.data or "")
        if term.code not in chosen
    ]
    typed = Typed(form, lines, version_sent(request.form), options, problem, is_conflict, kept)
    return page.show(visit, entry, typed, status=status)


def _store(visit: Visit, entry: QueueEntry, form: ExaminationForm, action: str) -> Examination:
    actor = access.current_actor()
    write = records.finish if action == "selesai" else records.save
    said, version = examination_input(form, request.form), version_sent(request.form)
    examination = write(actor, entry, said, version)
    if form.allergy_substance.cleaned:
        reaction = form.allergy_reaction.cleaned or ""
        allergies.add_allergy(actor, visit.patient, form.allergy_substance.cleaned, reaction)
    unsaved.end(actor, entry, keys_sent(request.form))
    return examination


def _go_on(visit: Visit, entry: QueueEntry, examination: Examination):
    without_code = [row.title for row in diagnoses.active(examination) if not row.edition]
    if without_code:
        flash(f"Disimpan tanpa kode ICD-10 yang dikenal: {', '.join(without_code)}.", "warning")
    if not examination.finished_at:
        clock = clock_time(utcnow(), access.page_settings()["time_zone"])
        flash(f"Tersimpan pukul {clock}.", "success")
        here = url_for("examination.visit", visit=visit.public_id, antrean=entry.public_id)
        return redirect(here, 303)
    text = f"Pemeriksaan {visit.label} {visit.patient.name} selesai."
    if examination.disposition == Disposition.INTERNAL:
        text += f" Pasien antre di {examination.refer_to} dan kembali ke sini sesudahnya."
    flash(text, "success")
    return redirect(page.queue_address(entry.poli), 303)


@bp.post("/kunjungan/<visit>/tambahan")
@clinical
def add_addendum(visit: str):
    found = page.readable_visit(visit)
    ref, text = request.form.get("examination", ""), request.form.get("text", "")
    examination = db.session.scalar(
        select(Examination).where(Examination.public_id == ref, Examination.visit_id == found.id)
    )
    if examination is None or not access.may_use_room(examination.entry.poli):
        abort(404)
    try:
        with transaction():
            records.add_addendum(access.current_actor(), examination, text)
    except (records.RecordError, FieldError) as problem:
        addendum = {"examination": ref, "text": text, "problem": str(problem)}
        return page.show(found, page.chosen_entry(found), addendum=addendum, status=422)
    flash("Tambahan tersimpan.", "success")
    entry_ref = examination.entry.public_id
    return redirect(url_for("examination.visit", visit=visit, antrean=entry_ref), 303)


@bp.get("/kunjungan/<visit>/diagnosis")
@clinical
def diagnosis_options(visit: str):
    """The search box's fragment; what was ticked stays, so that a second search loses nothing."""
    found = page.readable_visit(visit)
    query = request.args.get("q") or request.args.get("diagnosis_search", "")
    entered = [DiagnosisInput(text[:300]) for text in request.args.getlist("diagnosis")]
    ticked = diagnoses.lines(entered, found.patient)
    chosen = {line.code for line in ticked}
    options = [term for term in form_context.search_options(query[:80]) if term.code not in chosen]
    return render_template(
        "examination/_diagnosis_options.html", options=options, ticked=ticked, query=query
    )
