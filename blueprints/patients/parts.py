"""Parts of a record on pages of their own: one visit, values over time as charts and tables."""

from flask import abort, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

import access
from blueprints.patients.blueprint import bp, readers
from clinic import allergies, days, history, patients, series, value_rows
from db import db
from models import Patient, Visit


@bp.get("/pasien/<patient>/kunjungan/<visit>")
@readers
def visit(patient: str, visit: str):
    found = access.patient_or_404(patient)
    if answer := elsewhere(found):
        return answer
    one = visit_of(found, visit)
    access.record_view("view_visit", found, "visit", visit)
    is_fragment = "HX-Request" in request.headers
    return _page(
        "patients/_visit.html" if is_fragment else "patients/visit.html",
        found,
        visit=history.visit_summary(one),
        my_rooms={room.code for room in current_user.rooms},
    )


@bp.get("/pasien/<patient>/nilai")
@readers
def values(patient: str):
    found = access.patient_or_404(patient)
    if answer := elsewhere(found):
        return answer
    access.record_view("view_record", found, "values")
    return _page("patients/values.html", found, charts=series.all_series(found))


@bp.get("/pasien/<patient>/nilai/<code>")
@readers
def value(patient: str, code: str):
    found = access.patient_or_404(patient)
    if answer := elsewhere(found):
        return answer
    number = request.args.get("hal", "1")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0
    table = value_rows.table(found, code, page) if page else None
    if table is None or (page > 1 and not table.rows):
        abort(404)
    access.record_view("view_record", found, "values")
    charts = series.all_series(found) if page == 1 else []
    chart = next((one for one in charts if one.code == code), None)
    return _page("patients/value.html", found, code=code, table=table, chart=chart)


def visit_of(patient: Patient, ref: str) -> Visit:
    """The visit, if it is this patient's."""
    mine = select(Visit).where(Visit.public_id == ref, Visit.patient_id == patient.id)
    return db.session.scalar(mine) or abort(404)


def visit_before(patient: Patient) -> Visit | None:
    """Where the page that was asked for goes on from."""
    ref = request.args.get("sebelum", "")
    return visit_of(patient, ref) if ref else None


def elsewhere(patient: Patient) -> Response | None:
    """To the survivor of a merge; or to the record, which asks who may not read it for a reason."""
    survivor = patients.current(patient)
    if survivor is patient and access.has_record_access(patient):
        return None
    record = url_for("patients.record", patient=survivor.public_id)
    if "HX-Request" in request.headers:
        return Response(status=401, headers={"HX-Redirect": record})
    return redirect(record)


def _page(template: str, patient: Patient, **context) -> str:
    labels = allergies.banner(patient)
    return render_template(
        template, patient=patient, labels=labels, today=days.clinic_date(), **context
    )
