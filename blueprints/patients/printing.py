"""The whole record on paper: a year's visits in full, a sheet of some at a time."""

from flask import abort, render_template, request

import access
from blueprints.patients.blueprint import bp, readers
from blueprints.patients.parts import elsewhere, visit_before
from clinic import allergies, days, history, history_filters
from clinic.history_filters import Filters

SHEET = 10  # visits in full: more of them would be a slow page


@bp.get("/pasien/<patient>/cetak")
@readers
def print_record(patient: str):
    found = access.patient_or_404(patient)
    if answer := elsewhere(found):
        return answer
    years = history_filters.years(found)
    year = _year(years)
    narrowed = history_filters.conditions(Filters(year=year))
    before = visit_before(found)
    access.record_view("print_record", found)  # before what it would expire is read
    visits = history.history(found, SHEET + 1, before, narrowed)
    return render_template(
        "patients/print.html",
        patient=found,
        labels=allergies.banner(found),
        today=days.clinic_date(),
        year=year,
        years=years,
        visits=visits[:SHEET],
        count=history.visit_count(found, narrowed),
        earlier_than=visits[SHEET - 1].ref if len(visits) > SHEET else "",
        is_continued=before is not None,
        my_rooms=(),
        is_print=True,
    )


def _year(years: list[int]) -> int:
    asked = request.args.get("tahun", "")
    if not asked:
        return years[0] if years else days.clinic_date().year
    return next((year for year in years if str(year) == asked), None) or abort(404)
