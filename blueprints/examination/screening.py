"""The screening desk, before the patient is called: vital signs and triage, their own author."""

from functools import partial

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField, TextAreaField

import access
from blueprints.examination import page, stored_words, typed_words, vital_boxes
from blueprints.examination.blueprint import bp, clinical
from blueprints.examination.forms import VitalsForm, shown, typed_vitals
from blueprints.examination.typed import keys_sent, next_keys
from clinic import allergies, history, records, triage, unsaved
from clinic.unsaved import SCREENING, Place
from clinic.vital_signs import vital_findings
from db import utcnow
from formatting import clock_time
from models import TriagePriority, UnsavedText, Visit, VisitStatus
from page_form import choices
from patient_forms import OTHER_PATIENT, is_for, writing
from validators import checked_by, clean_text

NOTHING = "Belum ada yang diisi. Ketik hasil ukur atau catatan triase, lalu simpan."
BESIDE = "Tulisan Anda masih utuh di bawah, di sampingnya yang sudah tersimpan. Simpan lagi."
LABELS = {
    "triage_seen": "Catatan triase",
    "triage_priority": "Usul prioritas",
    "triage_reason": "Mengapa dibetulkan",
}


class ScreeningForm(VitalsForm):
    triage_seen = TextAreaField(
        validators=[checked_by(partial(clean_text, max_length=triage.LONGEST, newlines=True))]
    )
    triage_priority = RadioField(
        choices=choices(triage.PRIORITY_LABELS | {"": "Tidak dinilai"}),
        default="",
        validate_choice=False,
    )

    triage_reason = StringField(
        validators=[checked_by(partial(clean_text, max_length=triage.LONGEST))]
    )

    @property
    def is_empty(self) -> bool:
        texts = [field.data for field in self if field.name != "vitals_new"]
        return not any(text and text.strip() for text in texts)

    @property
    def note(self) -> triage.Said:
        """The triage note, of a form that was validated."""
        return triage.Said(self.triage_seen.cleaned or "", self.priority)

    @property
    def priority(self) -> TriagePriority | None:
        typed = self.triage_priority.data
        return TriagePriority(typed) if typed in list(TriagePriority) else None

    def write(self, visit: Visit) -> None:
        """Store what was measured and seen; what the request did not send stays as it is."""
        actor = access.current_actor()
        records.measure(actor, visit, None, self.measured(request.form) or {})
        if self.triage_seen.raw_data or self.triage_priority.raw_data:
            triage.write(actor, visit, *self.note, shown(request.form))

    def correct(self, visit: Visit) -> None:
        """The triage note alone, of a visit that has ended."""
        reason = self.triage_reason.cleaned or ""
        triage.correct(access.current_actor(), visit, *self.note, reason, shown(request.form))

    def beside_stored(self, visit: Visit) -> dict[str, str]:
        """What another page has stored where both changed it; what nobody typed here follows it."""
        theirs = vital_boxes.theirs(self, visit, None)
        vital_boxes.bring_up_to_date(self, visit, None)
        found = triage.merged(current_user.id, visit, self.note, shown(request.form))
        stands, wanted = triage.said(found.own), found.wanted
        if "seen" in found.others:
            theirs["triage_seen"] = stands.seen
        else:
            self.triage_seen.data = wanted.seen
        if "priority" in found.others:
            theirs["triage_priority"] = triage.PRIORITY_LABELS.get(stands.priority, "")
        else:
            self.triage_priority.data = wanted.priority or ""
        return theirs


@bp.get("/kunjungan/<visit>/tanda-vital")
@clinical
def vital_signs(visit: str):
    found = access.readable_visit(visit)
    kept = unsaved.own(current_user.id, _place(found))
    if kept is None:
        return _show(found)
    request.form = MultiDict(kept.fields)
    problem = "" if is_for(found.patient.public_id) else OTHER_PATIENT
    return _show(found, ScreeningForm(request.form), problem, kept=kept)


def _place(visit: Visit) -> Place:
    return Place(page.first_entry(visit), SCREENING)


@bp.post("/kunjungan/<visit>/tanda-vital")
@clinical
def measure(visit: str):
    found, form = access.visit_or_404(visit), ScreeningForm(request.form)
    refusal = _refusal(found, form)
    if refusal is not None:
        return refusal
    if form.is_empty and (form.vitals_new.data or not _has_shown(found)):
        return _show(found, form, NOTHING, 422)
    try:
        with writing(found):
            form.write(found)
            unsaved.end(access.current_actor(), _place(found), keys_sent(request.form))
    except records.Conflict as problem:
        return _show(found, form, f"{problem} {BESIDE}", 409, is_conflict=True)
    except records.NotOpen as problem:
        return _show(found, form, str(problem), 409)
    clock = clock_time(utcnow(), access.page_settings()["time_zone"])
    saved = f"Tanda vital {found.label} {found.patient.name} tersimpan pukul {clock}."
    flash(f"{saved} {triage.what_to_do(found, form.priority)}".rstrip(), "success")
    today = history.visit_summary(found)
    entry = page.chosen_entry(found)
    if entry is None or vital_findings(today.last_vitals, found.age_months, found.pregnant):
        return redirect(url_for("examination.vital_signs", visit=visit), 303)
    return redirect(page.queue_address(entry.poli), 303)


@bp.post("/kunjungan/<visit>/triase")
@clinical
def correct_triage(visit: str):
    """One's own note, after the visit has ended."""
    found, form = access.visit_or_404(visit), ScreeningForm(request.form)
    refusal = _refusal(found, form)
    if refusal is not None:
        return refusal
    try:
        with writing(found):
            form.correct(found)
    except records.Conflict as problem:
        return _show(found, form, f"{problem} {BESIDE}", 409, is_conflict=True)
    except records.NotOpen as problem:
        return _show(found, form, str(problem), 409)
    except records.RecordError as problem:
        form.triage_reason.errors = [str(problem)]
        return _show(found, form, status=422)
    flash(f"Catatan triase {found.label} {found.patient.name} dibetulkan.", "success")
    return redirect(url_for("patients.record", patient=found.patient.public_id), 303)


def _refusal(visit: Visit, form: ScreeningForm) -> Response | None:
    """The answer to a form that can't be stored as it is, or None."""
    if not access.has_record_access(visit.patient):
        return page.only_typed(form, visit, LABELS)
    if not is_for(visit.patient.public_id):
        return _show(visit, form, OTHER_PATIENT, 409)
    if not form.validate():
        return _show(visit, form, status=422)
    return None


def _has_shown(visit: Visit) -> bool:
    """Whether something of this account stood in the form, which empty fields take back."""
    stood = shown(request.form)
    if stood is not None:
        return bool(stood)
    own = vital_boxes.own_of(visit, None)
    return bool(own.rows or triage.own_note(current_user.id, visit))


def _show(
    visit: Visit,
    form: ScreeningForm | None = None,
    problem: str = "",
    status: int = 200,
    *,
    is_conflict: bool = False,
    kept: UnsavedText | None = None,
) -> Response:
    access.record_view("view_vital_signs", visit.patient, "visit", visit.public_id)
    own, note = vital_boxes.own_of(visit, None), triage.own_note(current_user.id, visit)
    is_echoed = form is not None and not is_conflict
    theirs = form.beside_stored(visit) if is_conflict and form else {}
    seen = {"triage_seen": note.seen, "triage_priority": note.priority or ""} if note else {}
    stored = ScreeningForm(data=typed_vitals(own.values) | seen)
    form = form or stored
    rows = [*own.refs, note.public_id] if note else own.refs
    today, is_open = history.visit_summary(visit), visit.status == VisitStatus.OPEN
    html = render_template(
        "examination/vital_signs.html",
        visit=visit,
        patient=visit.patient,
        on=today.on,
        today=today,
        entry=page.chosen_entry(visit),
        allergies=allergies.banner(visit.patient),
        findings=vital_findings(today.last_vitals, visit.age_months, visit.pregnant),
        form=form,
        problem=problem,
        kept=kept,
        drawn_at=utcnow().timestamp(),
        keys=next_keys(request.form, _place(visit), kept),
        is_unsent=request.method == "POST",
        answers=[]
        if is_open
        else typed_words.answers(
            form, request.form, visit, LABELS, stored_words.of_screening(form, stored, today)
        ),
        is_open=is_open,
        may_correct=triage.is_free(visit.ended_at) and note is not None,
        theirs=theirs,
        writer=None,
        **vital_boxes.context(own, rows, is_echoed=is_echoed),
    )
    return Response(html, status, mimetype="text/html")
