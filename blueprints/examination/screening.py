"""The screening desk, before the patient is called: vital signs and triage, their own author."""

from functools import partial

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField, TextAreaField

import access
from blueprints.examination import page, typed_words
from blueprints.examination.blueprint import bp, clinical
from blueprints.examination.forms import VitalsForm, typed_vitals
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
        texts = [field.data for field in self]
        return not any(text and text.strip() for text in texts)

    @property
    def priority(self) -> TriagePriority | None:
        typed = self.triage_priority.data
        return TriagePriority(typed) if typed in list(TriagePriority) else None

    def write(self, visit: Visit) -> None:
        """Store what was measured and seen; what the request did not send stays as it is."""
        actor = access.current_actor()
        records.measure(actor, visit, None, self.measured() or {})
        if self.triage_seen.raw_data or self.triage_priority.raw_data:
            triage.write(actor, visit, self.triage_seen.cleaned or "", self.priority)

    def correct(self, visit: Visit) -> None:
        """The triage note alone, of a visit that has ended."""
        seen, reason = self.triage_seen.cleaned or "", self.triage_reason.cleaned or ""
        triage.correct(access.current_actor(), visit, seen, self.priority, reason)


@bp.get("/kunjungan/<visit>/tanda-vital")
@clinical
def vital_signs(visit: str):
    found = access.readable_visit(visit)
    access.record_view("view_vital_signs", found.patient, "visit", found.public_id)
    own = records.own_measurement(current_user.id, found, None)
    note = triage.own_note(current_user.id, found)
    seen = {"triage_seen": note.seen, "triage_priority": note.priority or ""} if note else {}
    kept = unsaved.own(current_user.id, _place(found))
    if kept is None:
        return _show(found, ScreeningForm(data=typed_vitals(own) | seen))
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
    if form.is_empty and not _has_own(found):
        return _show(found, form, NOTHING, 422)
    try:
        with writing(found):
            form.write(found)
            unsaved.end(access.current_actor(), _place(found), keys_sent(request.form))
    except records.NotOpen as problem:
        return _show(found, form, str(problem), 409)
    clock = clock_time(utcnow(), access.page_settings()["time_zone"])
    flash(f"Tanda vital {found.label} {found.patient.name} tersimpan pukul {clock}.", "success")
    today = history.visit_summary(found)
    entry = page.chosen_entry(found)
    if entry is None or vital_findings(today.last_vitals, found.age_months):
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


def _has_own(visit: Visit) -> bool:
    """Something of this account that empty fields would take back."""
    return bool(
        records.own_measurement(current_user.id, visit, None)
        or triage.own_note(current_user.id, visit)
    )


def _show(
    visit: Visit,
    form: ScreeningForm,
    problem: str = "",
    status: int = 200,
    *,
    kept: UnsavedText | None = None,
) -> Response:
    today, is_open = history.visit_summary(visit), visit.status == VisitStatus.OPEN
    html = render_template(
        "examination/vital_signs.html",
        visit=visit,
        patient=visit.patient,
        on=today.on,
        today=today,
        entry=page.chosen_entry(visit),
        allergies=allergies.banner(visit.patient),
        findings=vital_findings(today.last_vitals, visit.age_months),
        form=form,
        problem=problem,
        kept=kept,
        keys=next_keys(request.form),
        is_unsent=request.method == "POST",
        answers=[] if is_open else typed_words.answers(form, request.form, visit, LABELS),
        is_open=is_open,
        may_correct=triage.is_free(visit.ended_at)
        and triage.own_note(current_user.id, visit) is not None,
    )
    return Response(html, status, mimetype="text/html")
