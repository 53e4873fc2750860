"""Medicines found and added to the form; afterwards a prescription cancelled or written anew."""

from dataclasses import replace

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

import access
from blueprints.examination import prescription_form, prescription_typed
from blueprints.examination.blueprint import bp, clinical
from clinic import (
    allergies,
    medicines,
    prescription_changes,
    prescription_queue,
    prescription_text,
    prescriptions,
)
from clinic.prescription_compounds import FORMS
from clinic.queues import QueueError
from clinic.record_errors import RecordError
from db import db, new_public_id
from models import Disposition, EntryState, Examination, Prescription, QueueEntry
from patient_forms import OTHER_PATIENT, is_for, refuse_other, writing
from validators import FieldError

# How the pharmacy has the patient for whom another prescription comes; else they wait there.
STANDS = {
    EntryState.CALLED: "sudah dipanggil ke",
    EntryState.IN_SERVICE: "sedang dilayani di",
}


@bp.get("/kunjungan/<visit>/obat")
@clinical
def medicine_options(visit: str):
    """The search box's fragment."""
    found = access.readable_visit(visit)
    typed = request.args.get("q") or request.args.get("medicine_search", "")
    about = prescription_form.search(typed)
    return render_template("examination/_medicine_options.html", visit=found, **about)


@bp.get("/kunjungan/<visit>/obat/baris")
@clinical
def prescription_line(visit: str):
    """A ticked medicine as a line of the form, with what is to be warned of at once."""
    found = access.readable_visit(visit)
    key, outside = new_public_id()[-12:], request.args.get("obat_luar", "")[:160]
    written = request.args.get(prescription_typed.WRITTEN, "")
    line = prescription_typed.ticked(request.args.get("obat", ""), written)
    if outside:
        line = prescription_typed.ticked_outside(outside)
    line = replace(line, key=key)
    medicine = medicines.by_code(line.what)
    if medicine is None and not outside:
        abort(404)
    return render_template(
        "examination/_prescription_added.html",
        visit=found,
        line=prescription_form.view(line, medicine, None),
        rx_warnings=[
            each for each in prescription_form.warnings_of(found, line) if each.rule == "ALERGI"
        ],
        rx_forms=list(FORMS),
        rx_notes=prescription_text.NOTES,
    )


@bp.post("/resep/<prescription>/batal")
@clinical
def cancel_prescription(prescription: str):
    """By the room that wrote it, until the pharmacy has given it."""
    found = _of_my_room(prescriptions.by_ref(prescription))
    with_words = f"Resep {found.number} dibatalkan."
    return _cancelled(
        found, with_words, lambda actor, why: prescription_changes.cancel(actor, found, why)
    )


@bp.post("/resep/obat/<line>/batal")
@clinical
def cancel_prescription_line(line: str):
    """One line of it."""
    row = prescription_changes.line_by_ref(line) or abort(404)
    found = _of_my_room(row.prescription)
    with_words = f"{row.title} dihapus dari resep {found.number}."
    return _cancelled(
        found, with_words, lambda actor, why: prescription_changes.cancel_line(actor, row, why)
    )


def _of_my_room(prescription: Prescription | None) -> Prescription:
    if prescription is None:
        abort(404)
    access.readable_visit(prescription.visit.public_id)
    if prescription.number is None or not access.may_use_room(prescription.examination.entry.poli):
        abort(404)
    refuse_other(prescription.visit.patient.public_id)
    return prescription


def _cancelled(prescription: Prescription, words: str, cancel) -> Response:
    visit, entry = prescription.visit.public_id, prescription.examination.entry.public_id
    try:
        with writing(prescription.visit):
            cancel(access.current_actor(), request.form.get("alasan", ""))
    except (RecordError, FieldError, QueueError) as problem:
        flash(str(problem), "error")
    else:
        flash(words, "success")
    return redirect(url_for("examination.visit", visit=visit, antrean=entry), 303)


@bp.get("/pemeriksaan/<examination>/resep")
@clinical
def new_prescription(examination: str):
    """A prescription for an examination that has ended."""
    found = _finished(examination)
    try:
        prescription_changes.refuse_second(found)
    except RecordError as problem:
        flash(str(problem), "error")
        return _to_visit(found)
    return _page(found)


@bp.post("/pemeriksaan/<examination>/resep")
@clinical
def write_prescription(examination: str):
    """Sent at once when it is complete; else shown again with all that was typed."""
    found = _finished(examination)
    if not is_for(found.visit.patient.public_id):
        return _page(found, OTHER_PATIENT, status=409)
    said = prescription_typed.said(request.form) or prescriptions.PrescriptionInput([])
    if request.form.get("aksi") != "kirim":
        return _page(found)
    if prescription_typed.is_searched_only(request.form):
        return _page(found, prescription_typed.UNDECIDED, status=422)
    try:
        with writing(found.visit):
            prescription_changes.write_anew(access.current_actor(), found, said)
    except (RecordError, FieldError, QueueError) as problem:
        return _page(found, problem, status=422)
    flash(outcome(found) or "Resep dikirim.", "success")
    return _to_visit(found)


def _finished(ref: str) -> Examination:
    found = db.session.scalar(select(Examination).where(Examination.public_id == ref))
    if found is None:
        abort(404)
    access.readable_visit(found.visit.public_id)
    kinds = prescription_form.WITHOUT
    if not access.may_use_room(found.entry.poli) or found.entry.poli.kind in kinds:
        abort(404)
    return found


def _to_visit(examination: Examination) -> Response:
    visit, entry = examination.visit.public_id, examination.entry.public_id
    return redirect(url_for("examination.visit", visit=visit, antrean=entry), 303)


def _page(examination: Examination, problem: Exception | str = "", status: int = 200):
    visit = examination.visit
    access.record_view("view_visit", visit.patient, "visit", visit.public_id)
    said = prescription_typed.said(request.form) or prescriptions.PrescriptionInput([])
    wrong, rest = {}, [problem] if problem else []
    if isinstance(problem, RecordError):
        wrong, rest = prescription_form.wrong_lines(problem, said)
    about = prescription_form.shown(visit, said, None, wrong)
    is_used = prescription_typed.has_used_search(request.form)
    about |= prescription_form.search("" if is_used else request.form.get("medicine_search", ""))
    html = render_template(
        "examination/prescription.html",
        examination=examination,
        visit=visit,
        patient=visit.patient,
        entry=examination.entry,
        on=visit.service_day.on,
        allergies=allergies.banner(visit.patient),
        problems=[*(("", str(each)) for each in rest), *prescription_form.links(wrong)],
        theirs={},
        **about,
    )
    return Response(html, status, mimetype="text/html")


def outcome(examination: Examination) -> str:
    """Where the examination's prescription went, or its end sent the patient for another one."""
    prescription = prescriptions.of(examination)
    if prescription is None or prescription.number is None:
        return _goes_for_another(examination)
    words = f"Resep {prescription.number}"
    there: QueueEntry | None = prescription_queue.waiting_there(examination.visit)
    if there is not None:
        return f"{words} dikirim; pasien {STANDS.get(there.state, 'antre di')} {there.poli.name}."
    if all(line.medicine_id is None and not line.is_compound for line in prescription.lines):
        return f"{words} untuk apotek luar; pasien tidak antre di farmasi."
    if prescription_queue.pharmacy() is None:
        return f"{words} tersimpan; tidak ada ruang farmasi yang dipakai, jadi pasien tidak antre."
    if listed := prescription_queue.list_without_queue(examination.visit):
        return f'{words} tersimpan; pasien tidak antre. Farmasi menemukannya di "{listed}".'
    return f"{words} menunggu; pasien antre di farmasi sesudah ruang lainnya selesai."


def _goes_for_another(examination: Examination) -> str:
    """The pharmacy, if this end opened a stay there for what an earlier room prescribed."""
    there = prescription_queue.waiting_there(examination.visit)
    if there is None or there.previous_entry_id != examination.entry_id:
        return ""
    is_told = examination.disposition == Disposition.INTERNAL  # sent there by hand
    return "" if is_told else f"Pasien antre di {there.poli.name}."
