"""The steps on a prescription: looked over, handed out, given back."""

from dataclasses import replace
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import access
from blueprints.pharmacy import desk
from blueprints.pharmacy.blueprint import bp, staff
from blueprints.pharmacy.typed import Returned, Typed, typed_sent, version_sent
from clinic import (
    dispensing,
    dispensing_lists,
    dispensing_reports,
    dispensing_review,
    dispensing_steps,
    prescriptions,
)
from clinic.dispensing_review import ReviewInput
from clinic.dispensing_steps import Changed, NotReady
from clinic.queues import QueueError
from clinic.record_errors import NotOpen, RecordError
from models import Prescription, PrescriptionState, QueueEntry, Visit, VisitStatus
from patient_forms import OTHER_PATIENT, refuse_other, writing
from validators import FieldError


@bp.post("/kunjungan/<visit>/farmasi")
@staff
def look(visit: str):
    """Enter in a field: only shows the page again; the buttons do what they say."""
    found, typed = desk.readable_visit(visit), typed_sent()
    if not desk.is_for(found):
        return _again(found, typed, OTHER_PATIENT, 409)
    return desk.show(found, typed)


@bp.post("/farmasi/resep/<prescription>/telaah")
@staff
def review(prescription: str):
    found, typed = desk.prescription_or_404(prescription), typed_sent(prescription)
    said = typed.reviews.get(prescription, ReviewInput(frozenset()))
    if not desk.is_for(found.visit):
        return _again(found.visit, typed, OTHER_PATIENT, 409)
    if _was_mine(found, found.reviewed_by_id):
        return _on(found.visit, typed)
    try:
        with writing(found.visit):
            actor, version = access.current_actor(), version_sent(prescription)
            dispensing_review.review(actor, prescription, version, said)
    except Changed as problem:
        return _again(found.visit, typed, str(problem), 409)
    except (RecordError, FieldError) as problem:
        return _again(found.visit, typed, str(problem), 422, field="problems")
    flash(f"Resep {found.number} sudah ditelaah. Siapkan obat dan etiketnya.", "success")
    return _on(found.visit, typed)


@bp.post("/farmasi/resep/<prescription>/serahkan")
@staff
def hand_over(prescription: str):
    found, typed = desk.prescription_or_404(prescription), typed_sent(prescription)
    visit, is_late = found.visit, dispensing_steps.is_late(found.visit)
    entry = None if is_late else desk.chosen_entry(visit, request.form.get("entry", "-"))
    if (entry is None and not is_late) or not desk.is_for(visit):
        return _again(visit, typed, OTHER_PATIENT, 409)
    if entry is not None and not access.may_use_room(entry.poli):
        abort(404)
    if request.form.get("aksi") != "serahkan":
        return desk.show(visit, typed)
    if _was_mine(found, found.closed_by_id):
        return _done(found, entry, typed)
    given = dispensing_lists.said_of(found, typed.given)
    try:
        with writing(visit):
            actor, version = access.current_actor(), version_sent(prescription)
            dispensing.hand_over(actor, entry, prescription, version, given)
    except NotReady as refused:
        return _again(visit, typed, str(refused), 422, problems=refused.problems)
    except (Changed, NotOpen, QueueError) as problem:
        return _again(visit, typed, str(problem), 409)
    except (RecordError, FieldError) as problem:
        return _again(visit, typed, str(problem), 422)
    return _done(found, entry, typed)


def _again(visit: Visit, typed: Typed, problem: str, status: int, **more: Any) -> Response:
    """The page with what was typed and what was wrong with it."""
    return desk.show(visit, replace(typed, problem=problem, **more), status)


def _on(visit: Visit, typed: Typed) -> Response:
    """On with the page; what was typed for the visit's other open prescriptions stays."""
    if dispensing_lists.has_open(visit, besides=typed.ref):
        return desk.show(visit, replace(typed, ref=""))
    return redirect(desk.address(visit), 303)


@bp.post("/farmasi/resep/<prescription>/tutup")
@staff
def close(prescription: str):
    """Of an earlier day, and nobody came for it; from the list, the record is not shown."""
    found = prescriptions.by_ref(prescription)
    if found is None or found.state is PrescriptionState.DRAFT:
        abort(404)
    refuse_other(found.visit.patient.public_id)
    whose = f"Resep {found.number} {found.visit.patient.name}"
    back = redirect(url_for("pharmacy.worklist", masa=request.args.get("masa")), 303)
    if not _was_mine(found, found.closed_by_id):
        reason = request.form.get("alasan", "")
        try:
            with writing(found.visit):
                actor = access.current_actor()
                dispensing.close_unfetched(actor, prescription, version_sent(), reason)
        except (RecordError, FieldError) as problem:
            flash(f"{whose} belum ditutup. {problem}", "error")
            return back
    flash(f"{whose} ditutup, tidak ada yang diserahkan.", "success")
    return back


def _was_mine(found: Prescription, by_id: int | None) -> bool:
    """The same person's second press on a button that had worked."""
    return by_id == current_user.id and found.version == version_sent(found.public_id) + 1


def _done(found: Prescription, entry: QueueEntry | None, typed: Typed) -> Response:
    visit, given = found.visit, dispensing_reports.closed_text(found)
    whose = f"{visit.label} {visit.patient.name}" if entry else visit.patient.name
    text = f"Obat {whose} {given}."
    if given == dispensing_reports.NONE_GIVEN:
        text = f"Resep {found.number} {whose} ditutup, tidak ada obat yang diserahkan."
    if entry is None:
        flash(f"{text} Kunjungannya tidak berubah.", "success")
        return _on(visit, typed)
    is_over = visit.status is not VisitStatus.OPEN
    flash(f"{text} Pasien pulang." if is_over else text, "success")
    if is_over:
        return redirect(url_for("poli.queue", code=entry.poli.code), 303)
    return _on(visit, typed)


@bp.post("/farmasi/penyerahan/<dispensing_ref>/kembali")
@staff
def give_back(dispensing_ref: str):
    row = dispensing.dispensing_by_ref(dispensing_ref) or abort(404)
    visit = desk.prescription_or_404(row.line.prescription.public_id).visit
    typed = typed_sent(dispensing_ref)
    said = typed.returned.get(dispensing_ref, Returned("", ""))
    if not desk.is_for(visit):
        return _again(visit, typed, OTHER_PATIENT, 409)
    try:
        with writing(visit):
            dispensing.give_back(access.current_actor(), row, said.quantity, said.reason)
    except (RecordError, FieldError) as problem:
        return _again(visit, typed, str(problem), 422)
    flash(f"{row.medicine.label} dicatat kembali ke stok.", "success")
    return _on(visit, typed)
