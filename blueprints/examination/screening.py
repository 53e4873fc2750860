"""Vital signs at the screening desk, before the patient is called: their own author."""

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

import access
from blueprints.examination import page
from blueprints.examination.blueprint import bp, clinical
from blueprints.examination.forms import VitalsForm, typed_vitals
from clinic import allergies, history, records
from clinic.vital_signs import vital_findings
from db import transaction, utcnow
from formatting import clock_time
from models import Visit, VisitStatus


@bp.get("/kunjungan/<visit>/tanda-vital")
@clinical
def vital_signs(visit: str):
    found = page.readable_visit(visit)
    access.record_view("view_vital_signs", found.patient, "visit", found.public_id)
    own = records.own_measurement(current_user.id, found, None)
    return _show(found, VitalsForm(data=typed_vitals(own)))


@bp.post("/kunjungan/<visit>/tanda-vital")
@clinical
def measure(visit: str):
    found = page.readable_visit(visit)
    form = VitalsForm(request.form)
    if request.form.get("patient", found.patient.public_id) != found.patient.public_id:
        return _show(found, form, "Isian ini bukan untuk pasien ini, jadi belum disimpan.", 409)
    if not form.validate():
        return _show(found, form, status=422)
    try:
        with transaction():
            records.measure(access.current_actor(), found, None, form.measured() or {})
    except records.NotOpen as problem:
        return _show(found, form, str(problem), 409)
    clock = clock_time(utcnow(), access.page_settings()["time_zone"])
    flash(f"Tanda vital {found.label} {found.patient.name} tersimpan pukul {clock}.", "success")
    today = history.visit_summary(found)
    entry = page.chosen_entry(found)
    if entry is None or vital_findings(today.last_vitals, found.age_months):
        return redirect(url_for("examination.vital_signs", visit=visit), 303)
    return redirect(page.queue_address(entry.poli), 303)


def _show(visit: Visit, form: VitalsForm, problem: str = "", status: int = 200) -> Response:
    today = history.visit_summary(visit)
    html = render_template(
        "examination/vital_signs.html",
        visit=visit,
        patient=visit.patient,
        on=today.on,
        today=today,
        entry=page.chosen_entry(visit),
        allergies=allergies.labels(allergies.current(visit.patient)),
        findings=vital_findings(today.last_vitals, visit.age_months),
        form=form,
        problem=problem,
        is_open=visit.status == VisitStatus.OPEN,
    )
    return Response(html, status, mimetype="text/html")
