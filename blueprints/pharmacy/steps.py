"""The steps on a prescription: looked over, handed out, given back."""

from flask import abort, flash, redirect, request, url_for
from flask_login import current_user

import access
from blueprints.pharmacy import desk
from blueprints.pharmacy.blueprint import bp, staff
from blueprints.pharmacy.typed import (
    Typed,
    given_sent,
    review_sent,
    version_sent,
)
from clinic import dispensing, dispensing_review, dispensing_steps, prescriptions
from clinic.dispensing_steps import Changed, NotReady
from clinic.queues import QueueError
from clinic.record_errors import NotOpen, RecordError
from models import Prescription, PrescriptionState, QueueEntry, VisitStatus
from patient_forms import OTHER_PATIENT, refuse_other, writing
from validators import FieldError


@bp.post("/farmasi/resep/<prescription>/telaah")
@staff
def review(prescription: str):
    found = desk.prescription_or_404(prescription)
    said = review_sent()
    if not desk.is_for(found.visit):
        typed = Typed(prescription, review=said, problem=OTHER_PATIENT)
        return desk.show(found.visit, typed, 409)
    if _was_mine(found, found.reviewed_by_id):
        return redirect(desk.address(found.visit), 303)
    try:
        with writing(found.visit):
            dispensing_review.review(access.current_actor(), prescription, version_sent(), said)
    except Changed as problem:
        typed = Typed(prescription, review=said, problem=str(problem))
        return desk.show(found.visit, typed, 409)
    except (RecordError, FieldError) as problem:
        typed = Typed(prescription, review=said, problem=str(problem), field="problems")
        return desk.show(found.visit, typed, 422)
    flash(f"Resep {found.number} sudah ditelaah. Siapkan obat dan etiketnya.", "success")
    return redirect(desk.address(found.visit), 303)


@bp.post("/farmasi/resep/<prescription>/serahkan")
@staff
def hand_over(prescription: str):
    """Enter in a field only looks whether it could be handed out; the button does it."""
    found = desk.prescription_or_404(prescription)
    given, visit = given_sent(), found.visit
    is_late = dispensing_steps.is_late(visit)
    entry = None if is_late else desk.chosen_entry(visit, request.form.get("entry", "-"))
    if (entry is None and not is_late) or not desk.is_for(visit):
        return desk.show(visit, Typed(prescription, given, problem=OTHER_PATIENT), 409)
    if entry is not None and not access.may_use_room(entry.poli):
        abort(404)
    if request.form.get("aksi") != "serahkan":
        return desk.show(visit, Typed(prescription, given))
    if _was_mine(found, found.closed_by_id):
        return _done(found, entry)
    try:
        with writing(visit):
            actor = access.current_actor()
            dispensing.hand_over(actor, entry, prescription, version_sent(), given)
    except NotReady as refused:
        typed = Typed(prescription, given, problem=str(refused), problems=refused.problems)
        return desk.show(visit, typed, 422)
    except (Changed, NotOpen, QueueError) as problem:
        return desk.show(visit, Typed(prescription, given, problem=str(problem)), 409)
    except (RecordError, FieldError) as problem:
        return desk.show(visit, Typed(prescription, given, problem=str(problem)), 422)
    return _done(found, entry)


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
    return by_id == current_user.id and found.version == version_sent() + 1


def _done(found: Prescription, entry: QueueEntry | None):
    visit = found.visit
    if entry is None:
        flash(f"Obat {visit.patient.name} diserahkan. Kunjungannya tidak berubah.", "success")
        return redirect(desk.address(visit), 303)
    is_over = visit.status is not VisitStatus.OPEN
    rest = " Pasien pulang." if is_over else ""
    flash(f"Obat {visit.label} {visit.patient.name} diserahkan.{rest}", "success")
    if is_over:
        return redirect(url_for("poli.queue", code=entry.poli.code), 303)
    return redirect(desk.address(visit), 303)


@bp.post("/farmasi/penyerahan/<dispensing_ref>/kembali")
@staff
def give_back(dispensing_ref: str):
    row = dispensing.dispensing_by_ref(dispensing_ref) or abort(404)
    visit = desk.prescription_or_404(row.line.prescription.public_id).visit
    typed = {name: request.form.get(name, "") for name in ("quantity", "reason")}
    kept = {"ref": dispensing_ref, **typed}
    if not desk.is_for(visit):
        return desk.show(visit, Typed(returned=kept, problem=OTHER_PATIENT), 409)
    try:
        with writing(visit):
            dispensing.give_back(access.current_actor(), row, typed["quantity"], typed["reason"])
    except (RecordError, FieldError) as problem:
        return desk.show(visit, Typed(returned=kept, problem=str(problem)), 422)
    flash(f"{row.medicine.label} dicatat kembali ke stok.", "success")
    return redirect(desk.address(visit), 303)
