"""Correct a finished examination, or ask to; and what was corrected so far."""

from dataclasses import replace

from flask import abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

import access
from blueprints.examination import (
    amend_form,
    amend_shown,
    diagnosis_form,
    page,
    room_form,
    searches,
    unusual,
)
from blueprints.examination.amend_form import AmendForm, sent_refs
from blueprints.examination.blueprint import bp, clinical
from blueprints.examination.desk import MEANWHILE
from blueprints.examination.forms import (
    entered_diagnoses,
    examination_input,
    undecided,
    version_sent,
    without_used_searches,
)
from blueprints.examination.shown_form import SHOWN
from blueprints.examination.typed import Typed, keys_sent, next_keys
from clinic import (
    allergies,
    amendment_lists,
    amendment_rules,
    amendments,
    diagnoses,
    last_writers,
    records,
    unsaved,
)
from clinic.unsaved import AMENDMENT, Place
from db import db, utcnow
from models import (
    Amendment,
    AmendmentState,
    Disposition,
    Examination,
    QueueEntry,
    Role,
    UnsavedText,
    Visit,
)
from patient_forms import OTHER_PATIENT, is_for, writing
from validators import FieldError


@bp.get("/pemeriksaan/<examination>/pembetulan")
@clinical
def amend_page(examination: str):
    found = _amendable(examination)
    access.readable_visit(found.visit.public_id)
    kept = unsaved.own(current_user.id, Place(found.entry, AMENDMENT))
    return _restored(found, kept) if kept else _show(found)


def _restored(examination: Examination, kept: UnsavedText):
    """The page with what the account typed earlier and has not sent."""
    request.form = MultiDict(kept.fields)
    form = amend_form.sent_form(request.form, examination)
    if not is_for(examination.visit.patient.public_id):
        return _again(examination, form, 200, OTHER_PATIENT, kept=kept)
    refs = {each.ref for each in amend_form.measurements(examination)}
    is_old = examination.version != kept.version
    if is_old or not refs.issuperset(sent_refs(request.form)):
        return _again(examination, form, 200, MEANWHILE, is_conflict=True, kept=kept)
    return _again(examination, form, 200, kept=kept)


@bp.post("/pemeriksaan/<examination>/pembetulan")
@clinical
def amend(examination: str):
    found = _amendable(examination)
    form = amend_form.sent_form(request.form, found)
    if not access.has_record_access(found.visit.patient):
        return page.only_typed(form, found.visit, amend_form.labels_of(form))
    if not is_for(found.visit.patient.public_id):
        return _again(found, form, 409, OTHER_PATIENT)
    action, open_searches = request.form.get("aksi"), undecided(form, request.form)
    if action in ("cari", "gigi") or (action == "lanjut" and open_searches):
        searches.stay_there()
        return _again(found, form, 200)
    is_valid = form.validate()
    unseen = unusual.in_correction(form, found)
    if not is_valid or open_searches or unseen:
        for name, sentence in (unseen | open_searches).items():
            form[name].errors = [sentence]
        return _again(found, form, 422)
    try:
        with writing(found.visit):
            amendment = _store(found, form)
    except records.Conflict as conflict:
        return _again(found, form, 409, str(conflict), is_conflict=True)
    except (records.RecordError, FieldError) as problem:
        _explain(form, problem)
        return _again(found, form, 422)
    return _go_on(found, amendment)


def _amendable(ref: str) -> Examination:
    """The finished examination, if it was made in a room of the account."""
    found = _examination_or_404(ref)
    if not found.finished_at or not access.may_use_room(found.entry.poli):
        abort(404)
    return found


def _examination_or_404(ref: str) -> Examination:
    found = db.session.scalar(
        select(Examination)
        .where(Examination.public_id == ref)
        .options(
            joinedload(Examination.entry).joinedload(QueueEntry.poli),
            joinedload(Examination.visit).joinedload(Visit.patient),
        )
    )
    return found or abort(404)


def _store(examination: Examination, form: AmendForm) -> Amendment:
    actor = access.current_actor()
    made = amendments.amend(
        actor,
        examination,
        replace(examination_input(form, request.form), forms=room_form.forms_input(form)),
        amend_form.sent_vitals(form, request.form),
        form.reason.cleaned or "",
        version_sent(request.form),
    )
    unsaved.end(actor, Place(examination.entry, AMENDMENT), keys_sent(request.form))
    return made


def _explain(form: AmendForm, problem: Exception) -> None:
    name = getattr(problem, "field", "")
    if name in form:
        form[name].errors = [str(problem)]
    else:
        form.form_errors = [str(problem)]


def _again(
    examination: Examination,
    form: AmendForm,
    status: int,
    problem: str = "",
    *,
    is_conflict: bool = False,
    kept: UnsavedText | None = None,
) -> Response:
    """The page with everything that was typed, beside it what was stored meanwhile."""
    request.form = without_used_searches(form, request.form)
    digests, both = request.form.get(SHOWN), None
    if is_conflict:
        request.form, both = amend_shown.merged(examination)
        digests = amend_shown.digests(examination)
        form = amend_form.on_these_rows(
            request.form, amend_form.measurements(examination), examination
        )
        form.validate()
    entered = entered_diagnoses(request.form) or []
    lines = diagnoses.lines(entered, examination.visit, examination)
    query = form.diagnosis_search.data or ""
    options = diagnosis_form.search_options(query, examination.entry, lines)
    version = examination.version if is_conflict else version_sent(request.form)
    typed = Typed(form, lines, version, options, problem, is_conflict, kept, digests, both)
    return _show(examination, typed, status)


def _show(examination: Examination, typed: Typed | None = None, status: int = 200) -> Response:
    visit = examination.visit
    access.record_view("view_visit", visit.patient, "visit", visit.public_id)
    now = amendment_lists.last_applied(examination)
    requests = amendment_lists.waiting_for(examination)
    waiting = next((each for each in requests if each.requested_by_id == current_user.id), None)
    shown = typed or amend_form.filled(examination, waiting)
    is_compared = shown.is_conflict or (waiting is not None and typed is None)
    theirs = amend_shown.theirs(examination, shown) if is_compared else {}
    is_contested = typed is None or diagnosis_form.is_contested(typed)
    html = render_template(
        "examination/amend.html",
        examination=examination,
        visit=visit,
        patient=visit.patient,
        entry=examination.entry,
        on=visit.service_day.on,
        allergies=allergies.banner(visit.patient),
        form=shown.form,
        version=shown.version,
        typed=shown,
        kept=shown.kept,
        drawn_at=utcnow().timestamp(),
        keys=next_keys(request.form, Place(examination.entry, AMENDMENT), shown.kept),
        is_unsent=typed is not None and typed.kept is None,
        rows=amend_shown.rows(examination, shown),
        waiting=waiting,
        others_waiting=[each for each in requests if each is not waiting],
        digests=typed.digests if typed else amend_shown.digests(examination),
        theirs=theirs,
        writer=amend_shown.writer(now) or last_writers.of_examination(examination)
        if is_compared
        else None,
        is_free=amendment_rules.is_free(current_user.id, examination),
        is_author=amendment_rules.is_author(current_user.id, examination),
        free_until=amendment_rules.free_until(examination),
        is_moved=examination.disposition == Disposition.INTERNAL,
        **diagnosis_form.found(shown.form.diagnosis_search.data or "", shown.options),
        **diagnosis_form.about(
            shown.lines,
            examination.entry,
            diagnosis_form.stored_lines(examination) if is_compared and is_contested else (),
        ),
        **amend_shown.actions(examination, shown, waiting if typed is None else None),
        own_sheets=(),
        **room_form.context(shown.form, examination.entry, examination, shown),
    )
    return Response(html, status, mimetype="text/html")


def _go_on(examination: Examination, amendment: Amendment) -> Response:
    label = f"{examination.visit.label} {examination.visit.patient.name}"
    if amendment.state == AmendmentState.APPLIED:
        flash(f"Pemeriksaan {label} dibetulkan. Tulisan lama tetap tersimpan.", "success")
    else:
        text = "Pembetulan menunggu persetujuan rekam medis atau kepala; rekamnya belum berubah."
        flash(text, "info")
    entry, visit = examination.entry.public_id, examination.visit.public_id
    return redirect(url_for("examination.visit", visit=visit, antrean=entry), 303)


@bp.get("/pemeriksaan/<examination>/riwayat")
@access.allow(Role.POLI, Role.HEAD, Role.RECORDS)
def amendments_page(examination: str):
    """Every correction of this examination: who, when, why, old and new."""
    found = _examination_or_404(examination)
    visit = access.readable_visit(found.visit.public_id)
    access.record_view("view_amendments", visit.patient, "examination", found.public_id)
    size, before = amendment_lists.PAGE, request.args.get("sebelum", "")
    rows = amendment_lists.amendments(found, size + 1, before or None)
    return render_template(
        "examination/amendments.html",
        examination=found,
        visit=visit,
        patient=visit.patient,
        entry=found.entry,
        on=visit.service_day.on,
        allergies=allergies.banner(visit.patient),
        amendments=[(each, amendment_lists.shown(each)) for each in rows[:size]],
        earlier_than=rows[size - 1].public_id if len(rows) > size else "",
    )
