"""Single steps on orders and results: cancelled, validated, corrected, withdrawn, read."""

from collections.abc import Callable, Mapping

from flask import abort, flash, redirect, render_template, request, url_for

import access
from blueprints.examination import laboratory_desk, page
from blueprints.examination.blueprint import bp, clinical
from clinic import lab_afterwards, lab_alerts, lab_orders, lab_results, right_patient
from clinic.audit import Actor
from clinic.lab_results import Refused
from clinic.queue_steps import GIVEN_UP
from clinic.queues import QueueError
from clinic.record_errors import RecordError
from models import LabOrder, LabResult
from patient_forms import OTHER_PATIENT, is_for, refuse_other, writing
from validators import FieldError


def _order_or_404(ref: str) -> LabOrder:
    return lab_orders.by_ref(ref) or abort(404)


def _result_or_404(ref: str) -> LabResult:
    return lab_alerts.result_by_ref(ref) or abort(404)


def _is_left_to_us(order: LabOrder) -> bool:
    """Whether the stay that asked was given up, and the patient is served in the account's room."""
    entry = page.chosen_entry(order.visit)
    is_left = order.entry.state in GIVEN_UP
    return is_left and entry is not None and right_patient.may_write(entry)


@bp.post("/laboratorium/permintaan/<order>/batal")
@clinical
def cancel_lab_order(order: str):
    """By the sender's room, or where its patient was moved to, until a sample is taken."""
    found = _order_or_404(order)
    visit = access.readable_visit(found.visit.public_id)
    if not (access.may_use_room(found.entry.poli) or _is_left_to_us(found)):
        abort(404)
    refuse_other(visit.patient.public_id)
    try:
        with writing(visit):
            reason = request.form.get("alasan", "")
            lab_orders.cancel(access.current_actor(), found, reason)
    except (RecordError, FieldError, QueueError) as problem:
        flash(str(problem), "error")
    else:
        flash(f"Permintaan laboratorium {visit.label} dibatalkan.", "success")
    is_own = access.may_use_room(found.entry.poli)
    entry = found.entry.public_id if is_own else None
    return redirect(url_for("examination.visit", visit=visit.public_id, antrean=entry), 303)


@bp.get("/laboratorium/validasi")
@clinical
def lab_validation():
    """What waits for a second person; names and numbers only."""
    laboratory_desk.refuse_others()
    return render_template(
        "examination/lab_validation.html", orders=lab_alerts.waiting_for_validation()
    )


@bp.post("/laboratorium/permintaan/<order>/validasi")
@clinical
def validate_lab_order(order: str):
    """By somebody of the laboratory or the head who did not enter the results."""
    laboratory_desk.refuse_others()
    found = _order_or_404(order)
    visit = access.readable_visit(found.visit.public_id)
    refuse_other(visit.patient.public_id)
    try:
        with writing(visit):
            lab_results.validate(access.current_actor(), found)
    except RecordError as problem:
        flash(str(problem), "error")
    else:
        flash(f"Hasil {visit.label} divalidasi.", "success")
    return redirect(url_for("examination.laboratory", visit=visit.public_id), 303)


@bp.post("/laboratorium/hasil/<result>/koreksi")
@clinical
def correct_lab_result(result: str):
    """Another value in the place of a finished one, with the reason."""
    laboratory_desk.refuse_others()
    found = _result_or_404(result)

    def write(actor: Actor, typed: Mapping[str, str], *, is_sure: bool) -> str:
        lab_results.correct(actor, found, typed["value"], typed["reason"], is_sure=is_sure)
        return "Hasil dikoreksi. Nilai lama tetap tercatat."

    return _change(found.order, result, write)


@bp.post("/laboratorium/hasil/<result>/tarik")
@clinical
def withdraw_lab_result(result: str):
    """No value in the place of a finished one: it was not this patient's."""
    laboratory_desk.refuse_others()
    found = _result_or_404(result)

    def write(actor: Actor, typed: Mapping[str, str], **_) -> str:
        lab_afterwards.withdraw(actor, found, typed["reason"])
        return "Hasil ditarik. Nilai lama tetap tercatat, dan pengirim diberi tahu."

    return _change(found.order, result, write)


@bp.post("/laboratorium/permintaan/<order>/isi")
@clinical
def fill_lab_result(order: str):
    """The result of a test that was not done when the order was finished."""
    laboratory_desk.refuse_others()
    found, ref = _order_or_404(order), request.form.get("pemeriksaan", "")

    def write(actor: Actor, typed: Mapping[str, str], *, is_sure: bool) -> str:
        text, reason = typed["value"], typed["reason"]
        filled = lab_afterwards.fill_in(actor, found, ref, text, reason, is_sure=is_sure)
        return f"Hasil {filled.test.name} tersimpan."

    return _change(found, ref, write)


def _change(order: LabOrder, ref: str, write: Callable[..., str]):
    """Write what was typed about a finished order's test, or show it again."""
    visit = access.readable_visit(order.visit.public_id)
    typed = {name: request.form.get(name, "") for name in ("value", "reason")}
    is_sure, kept = request.form.get("yakin") == "1", typed | {"ref": ref}
    if not is_for(visit.patient.public_id):
        kept |= {"problem": OTHER_PATIENT, "is_unlikely": False}
        return laboratory_desk.show(visit, correction=kept, status=409)
    try:
        with writing(visit):
            said = write(access.current_actor(), typed, is_sure=is_sure)
    except Refused as refused:
        kept |= {"problem": refused.problems[ref], "is_unlikely": bool(refused.unlikely)}
        return laboratory_desk.show(visit, correction=kept, status=422)
    except (RecordError, FieldError) as problem:
        kept |= {"problem": str(problem), "is_unlikely": False}
        return laboratory_desk.show(visit, correction=kept, status=422)
    flash(said, "success")
    return redirect(url_for("examination.laboratory", visit=visit.public_id), 303)


@bp.post("/laboratorium/kritis/<result>/dibaca")
@clinical
def read_critical_result(result: str):
    """By somebody of the room that sent the patient."""
    return _read(result, is_withdrawn=False)


@bp.post("/laboratorium/tarikan/<result>/dibaca")
@clinical
def read_withdrawn_result(result: str):
    """That it holds no longer: who saw the value itself has not seen this."""
    return _read(result, is_withdrawn=True)


def _read(result: str, *, is_withdrawn: bool):
    found = _result_or_404(result)
    poli = found.order.entry.poli
    if not access.may_use_room(poli):
        abort(404)
    visit = found.order.visit
    refuse_other(visit.patient.public_id)
    label = visit.label
    try:
        with writing(visit):
            lab_results.mark_read(access.current_actor(), found, is_withdrawn=is_withdrawn)
    except RecordError as problem:
        flash(str(problem), "error")
    else:
        flash(f"Hasil {found.test.name} {label} dicatat sudah dibaca.", "success")
    return redirect(page.queue_address(poli), 303)
