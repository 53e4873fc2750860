"""Read, draft, finish, and add to an examination."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

import access
from blueprints.examination import (
    diagnosis_form,
    goes_on,
    laboratory_desk,
    late_words,
    letter,
    page,
    prescription_form,
    prescription_steps,
    prescription_typed,
    procedure_form,
    room_form,
    searches,
    shown_form,
    unusual,
    vital_boxes,
)
from blueprints.examination.blueprint import bp, clinical
from blueprints.examination.form_context import form_context
from blueprints.examination.forms import (
    ExaminationForm,
    entered_diagnoses,
    examination_input,
    undecided,
    version_sent,
    without_used_searches,
)
from blueprints.examination.typed import Typed, keys_sent
from clinic import (
    allergies,
    diagnoses,
    dispensing_lists,
    medicine_allergies,
    procedures,
    records,
    unsaved,
)
from clinic.diagnoses import DiagnosisInput
from clinic.procedures import ProcedureInput
from clinic.queues import QueueError
from clinic.unsaved import Place
from db import db, utcnow
from formatting import clock_time
from models import Examination, QueueEntry, Role, UnsavedText, Visit
from patient_forms import OTHER_PATIENT, is_for, writing
from validators import FieldError

# Buttons that store nothing.
LOOKS_AGAIN = ("cari", "gigi", prescription_typed.SEARCH_BUTTON, prescription_typed.COMPOUND_BUTTON)
MEANWHILE = "Pemeriksaan ini sudah diubah sejak Anda mengetik."
FORM_FIELDS = {"substance": "allergy_substance", "lab": "lab_note"}


@bp.get("/kunjungan/<visit>")
@access.allow(Role.POLI, Role.HEAD, Role.RECORDS)
def visit(visit: str):
    found = access.readable_visit(visit)
    entry = page.chosen_entry(found, request.args.get("antrean", ""))
    if laboratory_desk.has_work(found, entry):
        return redirect(url_for("examination.laboratory", visit=visit), 303)
    if dispensing_lists.opens_desk(entry, is_asked="antrean" in request.args):
        return redirect(url_for("pharmacy.visit", visit=visit), 303)
    kept = late_words.unsaved_text(entry) if entry else None
    return _restored(found, entry, kept) if kept else page.show(found, entry)


def _restored(visit: Visit, entry: QueueEntry, kept: UnsavedText):
    """The page with what the account typed earlier and has not saved."""
    # As if it had just been sent: that is where every part of the form looks for what was typed.
    request.form = MultiDict(kept.fields)
    form = room_form.sent(request.form, visit)
    if not is_for(visit.patient.public_id):
        return _again(visit, entry, form, 200, OTHER_PATIENT, kept=kept)
    examination = records.open_examination(entry)
    if examination and (examination.finished_at or examination.version != kept.version):
        return _again(visit, entry, form, 200, MEANWHILE, is_conflict=True, kept=kept)
    return _again(visit, entry, form, 200, kept=kept)


@bp.post("/kunjungan/<visit>")
@clinical
def record(visit: str):
    found = access.visit_or_404(visit)
    form = room_form.sent(request.form, found)
    if not access.has_record_access(found.patient):
        return page.only_typed(form, found)
    entry = entry_sent(found)
    action = request.form.get("aksi", "simpan")
    if entry is None:
        return _again(found, page.chosen_entry(found), form, 409, OTHER_PATIENT)
    open_searches = _open_searches(form)
    if action in LOOKS_AGAIN or (action == "lanjut" and open_searches):
        searches.stay_there()
        return _again(found, entry, form, 200)
    has_errors = not form.validate()
    unseen, more = unusual.to_look_at(form, entry) if action == "selesai" else ({}, [])
    try:
        if has_errors or open_searches or unseen or more:
            form.form_errors = more
            records.draft_of(entry)  # raises when there is no form any more to correct
            is_storable = not (has_errors or open_searches)
            finish = partial(_store, found, entry, form, action)
            _explain(form, unusual.refused(found, finish) if is_storable else None, entry)
            return _again(found, entry, form, 422, problems=unseen | open_searches)
        with writing(found):
            was = found.pregnant
            examination = _store(found, entry, form, action)
    except records.Conflict as conflict:
        return _again(found, entry, form, 409, str(conflict), is_conflict=True)
    except (records.NotOpen, QueueError) as problem:
        return _again(found, entry, form, 409, str(problem))
    except records.RecordError as problem:
        _explain(form, problem, entry)
        return _again(found, entry, form, 422)
    except FieldError as problem:
        form.form_errors = [str(problem)]
        return _again(found, entry, form, 422)
    if found.pregnant != was:
        state = "hamil" if found.pregnant == "ya" else "belum diketahui hamil atau tidak"
        flash(f"Kunjungan ini kini tercatat {state}, menurut HPHT atau HPL di isian.", "warning")
    return _go_on(found, entry, examination, form.allergy_substance.cleaned or "")


def _explain(form: ExaminationForm, problem: records.RecordError | None, entry: QueueEntry) -> None:
    if problem is None:
        return
    rest = prescription_form.explain(form, problem, records.open_examination(entry))
    for each in rest:
        name = FORM_FIELDS.get(each.field, each.field)
        if name in form:
            form[name].errors = [str(each)]
        else:
            form.form_errors = [*form.form_errors, str(each)]


def _open_searches(form: ExaminationForm) -> dict[str, str]:
    """By field: words in a search box of which nothing was ticked, and what "Selesai" also lacks.

    Nothing is stored then, so who is told of the one should not meet the other after it.
    """
    found = undecided(form, request.form)
    if prescription_typed.is_searched_only(request.form):
        found["medicine_search"] = prescription_typed.UNDECIDED
    if found and request.form.get("aksi") == "selesai" and not form.disposition.data:
        found["disposition"] = records.NO_DISPOSITION
    return found


def entry_sent(visit: Visit) -> QueueEntry | None:
    """The form's entry; None when the form was made for another visit or patient."""
    ref = request.form.get("entry", "")
    entry = next((each for each in page.entries_of(visit) if each.public_id == ref), None)
    if entry is None or not is_for(visit.patient.public_id):
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
    problems: Mapping[str, str] = MappingProxyType({}),
    kept: UnsavedText | None = None,
):
    """The page with everything that was typed, and the codes for what is in the search box."""
    request.form = without_used_searches(form, request.form)
    examination = records.open_examination(entry) if entry else None
    digests, both = request.form.get(shown_form.SHOWN), None
    if is_conflict and entry and not (examination and examination.finished_at):
        fresh = form_context(entry, examination, None)
        request.form, both = shown_form.merged(request.form, fresh, examination)
        form, digests = room_form.sent(request.form, visit), fresh["digests"]
        form.validate()
        vital_boxes.bring_up_to_date(form, visit, entry)
    for name, sentence in problems.items():
        form[name].errors = [sentence]
    entered = entered_diagnoses(request.form) or []
    lines = diagnoses.lines(entered, visit, examination)
    options = diagnosis_form.search_options(form.diagnosis_search.data or "", entry, lines)
    version = version_sent(request.form)
    typed = Typed(form, lines, version, options, problem, is_conflict, kept, digests, both)
    return page.show(visit, entry, typed, status=status)


def _store(visit: Visit, entry: QueueEntry, form: ExaminationForm, action: str) -> Examination:
    actor = access.current_actor()
    write = records.finish if action == "selesai" else records.save
    said = replace(examination_input(form, request.form), forms=room_form.forms_input(form))
    version = version_sent(request.form)
    substance, reaction = form.allergy_substance.cleaned, form.allergy_reaction.cleaned
    if substance or reaction:  # before the prescription, which is checked against it
        allergies.add_allergy(actor, visit.patient, substance or "", reaction or "")
    examination = write(actor, entry, said, version)
    unsaved.end(actor, Place(entry), keys_sent(request.form))
    if examination.finished_at:
        late_words.forget_saved(examination)
    return examination


def _go_on(visit: Visit, entry: QueueEntry, examination: Examination, allergy: str):
    if unmatched := medicine_allergies.not_understood(allergy):
        flash(unmatched, "warning")
    without_code = [row.title for row in diagnoses.active(examination) if not row.edition]
    if without_code:
        flash(f"Disimpan tanpa kode ICD-10 yang dikenal: {', '.join(without_code)}.", "warning")
    if request.form.get("aksi") == "imunisasi":
        return redirect(url_for("examination.immunization", visit=visit.public_id), 303)
    if not examination.finished_at:
        clock = clock_time(utcnow(), access.page_settings()["time_zone"])
        flash(f"Tersimpan pukul {clock}.", "success")
        here = url_for("examination.visit", visit=visit.public_id, antrean=entry.public_id)
        # Enter in a box, without scripts: Tab goes on in the form, not at the top of the page.
        was_enter = request.form.get("aksi") == "lanjut"
        return redirect(f"{here}#isian" if was_enter else here, 303)
    text = f"Pemeriksaan {visit.label} {visit.patient.name} selesai."
    parts = (text, diagnosis_form.primary_said(examination), goes_on.said(entry, examination))
    text = " ".join(filter(None, parts))
    if examination.death:
        text += " Tercatat meninggal; bila keliru, buka kunjungannya, lalu Betulkan."
    text = f"{text} {prescription_steps.outcome(examination)}".strip()
    flash(letter.reminded(text, visit, examination), "success")
    return redirect(page.queue_address(entry.poli), 303)


@bp.post("/kunjungan/<visit>/tambahan")
@clinical
def add_addendum(visit: str):
    found = access.readable_visit(visit)
    ref, text = request.form.get("examination", ""), request.form.get("text", "")
    examination = db.session.scalar(
        select(Examination).where(Examination.public_id == ref, Examination.visit_id == found.id)
    )
    if examination is None or not access.may_use_room(examination.entry.poli):
        abort(404)
    try:
        if not is_for(found.patient.public_id):
            raise records.RecordError(OTHER_PATIENT)
        with writing(found):
            records.add_addendum(access.current_actor(), examination, text)
    except (records.RecordError, FieldError) as problem:
        addendum = {"examination": ref, "text": text, "problem": str(problem)}
        status = 422 if is_for(found.patient.public_id) else 409
        return page.show(found, page.chosen_entry(found), addendum=addendum, status=status)
    flash("Tambahan tersimpan.", "success")
    entry_ref = examination.entry.public_id
    return redirect(url_for("examination.visit", visit=visit, antrean=entry_ref), 303)


@bp.get("/kunjungan/<visit>/diagnosis")
@clinical
def diagnosis_options(visit: str):
    """The search box's fragment; what was ticked stays, so that a second search loses nothing."""
    found = access.readable_visit(visit)
    query = request.args.get("q") or request.args.get("diagnosis_search", "")
    entered = [DiagnosisInput(text[:300]) for text in request.args.getlist("diagnosis")]
    ticked = diagnoses.lines(entered, found)
    entry = page.chosen_entry(found, request.args.get("antrean", ""))
    options = diagnosis_form.search_options(query[:80], entry, ticked)
    about = diagnosis_form.found(query, options, ticked)
    return render_template("examination/_diagnosis_options.html", **about)


@bp.get("/kunjungan/<visit>/tindakan")
@clinical
def procedure_options(visit: str):
    """The actions' search: a fragment as the one above."""
    found = access.readable_visit(visit)
    query = request.args.get("q") or request.args.get("procedure_search", "")
    entered = [ProcedureInput(text[:300]) for text in request.args.getlist("procedure")]
    ticked = procedures.lines(entered)
    entry = page.chosen_entry(found, request.args.get("antrean", ""))
    listed = {line.code for line in ticked}
    options = procedure_form.search_options(query[:80], entry.poli if entry else None, listed)
    return render_template(
        "examination/_procedure_options.html",
        action_options=options.terms,
        actions_are_near=options.is_near,
        actions_ticked=ticked,
        action_query=query,
    )
