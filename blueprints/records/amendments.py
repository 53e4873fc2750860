"""Requests to correct a finished examination: old and new side by side, approved or refused."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user

import access
from blueprints.records.blueprint import bp, staff
from clinic import (
    allergies,
    amendment_decisions,
    amendment_lists,
    amendment_rules,
    finishers,
)
from clinic.record_errors import RecordError
from models import Amendment, AmendmentState
from patient_forms import OTHER_PATIENT, is_for, writing
from validators import FieldError

PAGE = 30


@bp.get("/rekam-medis/pembetulan")
@staff
def amendments_list():
    """What waits for a decision, the oldest first."""
    after = request.args.get("sesudah", "")
    found = amendment_lists.waiting(PAGE + 1, after or None)
    return render_template(
        "records/amendments.html",
        found=[(each, amendment_lists.changed_labels(each)) for each in found[:PAGE]],
        more_after=found[PAGE - 1].public_id if len(found) > PAGE else "",
        is_first_page=not after,
        count=amendment_lists.count_waiting(),
    )


@bp.get("/rekam-medis/pembetulan/<amendment>")
@staff
def amendment(amendment: str):
    """One request beside what stands there now."""
    return _page(_amendment_or_404(amendment))


@bp.post("/rekam-medis/pembetulan/<amendment>/setujui")
@staff
def approve_amendment(amendment: str):
    """The record takes the text that was asked for."""
    return _decide(amendment, amendment_decisions.approve, "Disetujui: rekamnya sudah dibetulkan.")


@bp.post("/rekam-medis/pembetulan/<amendment>/tolak")
@staff
def refuse_amendment(amendment: str):
    """The record stays as it is."""
    return _decide(amendment, amendment_decisions.refuse, "Ditolak: rekamnya tetap seperti semula.")


def _decide(ref: str, decide, done: str):
    found = _amendment_or_404(ref)
    if not is_for(found.examination.visit.patient.public_id):
        return _page(found, OTHER_PATIENT), 409
    try:
        with writing(found.examination.visit):
            decide(access.current_actor(), found, request.form.get("alasan", ""))
    except (amendment_decisions.Decided, amendment_decisions.Outdated) as refusal:
        return _page(_amendment_or_404(ref), str(refusal)), 409
    except (RecordError, FieldError) as refusal:
        return _page(_amendment_or_404(ref), str(refusal)), 422
    flash(done, "success")
    return redirect(url_for("records.amendments_list"), 303)


def _amendment_or_404(ref: str) -> Amendment:
    return amendment_lists.by_ref(ref) or abort(404)


def _page(amendment: Amendment, problem: str = "") -> str:
    examination = amendment.examination
    patient = examination.visit.patient
    access.record_view("view_amendments", patient, "examination", examination.public_id)
    is_waiting = amendment.state == AmendmentState.WAITING
    now = amendment_decisions.outdated(amendment) if is_waiting else {}
    return render_template(
        "records/amendment.html",
        amendment=amendment,
        examination=examination,
        finisher=finishers.name_of(examination),
        visit=examination.visit,
        patient=patient,
        entry=examination.entry,
        on=examination.visit.service_day.on,
        allergies=allergies.banner(examination.visit.patient),
        lines=amendment_lists.shown(amendment, now),
        is_waiting=is_waiting,
        is_outdated=bool(now),
        is_own=amendment_rules.is_own(current_user.id, amendment),
        problem=problem,
        reason=request.form.get("alasan", ""),
    )
