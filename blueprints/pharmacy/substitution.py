"""Another medicine in the place of a line: found, directed, and with the reason."""

from typing import Any

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

import access
from blueprints.pharmacy import desk
from blueprints.pharmacy.blueprint import bp, staff
from blueprints.pharmacy.typed import version_sent
from clinic import (
    allergies,
    days,
    dispensing_review,
    measurements,
    medicines,
    prescription_text,
    stock,
)
from clinic.dispensing_review import Alternatives, Substitute, Unanswered
from clinic.dispensing_steps import Changed
from clinic.prescription_lines import LineInput, line_input
from clinic.record_errors import RecordError
from clinic.substitute_doses import DoseChanged
from models import Medicine, Prescription
from patient_forms import OTHER_PATIENT, writing
from validators import FieldError

FIELDS = ("what", "sig", "days", "quantity", "note", "reason", "dose_asked")


@bp.get("/farmasi/resep/<prescription>/ganti/<line>")
@staff
def substitution(prescription: str, line: str):
    found = desk.prescription_or_404(prescription)
    try:
        row = dispensing_review.active_line(found, line)
    except Changed as problem:
        flash(str(problem), "warning")
        return redirect(desk.address(found.visit), 303)
    said = line_input(row)  # the directions that the doctor wrote
    typed = {"sig": said.sig, "days": said.days, "quantity": "", "note": said.note}
    return _page(found, line, typed | {"what": "", "reason": "", "dose_asked": ""})


@bp.post("/farmasi/resep/<prescription>/ganti/<line>")
@staff
def substitute(prescription: str, line: str):
    found = desk.prescription_or_404(prescription)
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    reasons = {name: text for name, text in request.form.items() if name.startswith("peringatan-")}
    if not desk.is_for(found.visit):
        return _page(found, line, typed, status=409, problem=OTHER_PATIENT)
    if request.form.get("aksi") == "cari" or not typed["what"]:
        asks = "" if request.form.get("aksi") == "cari" else "Pilih obat penggantinya."
        return _page(found, line, typed, status=422 if asks else 200, problem=asks)
    wanted = Substitute(
        LineInput(*(typed[name] for name in FIELDS[:5]), key=line),
        typed["reason"],
        {name.partition("-")[2]: text for name, text in reasons.items()},
        typed["dose_asked"],
    )
    try:
        with writing(found.visit):
            actor, version = access.current_actor(), version_sent()
            added = dispensing_review.substitute(actor, prescription, version, line, wanted)
    except Changed as problem:
        flash(f"{problem} Obat belum diganti.", "error")
        return redirect(desk.address(found.visit), 303)
    except Unanswered as refused:
        more = {"warnings": refused.warnings, "reasons": reasons}
        return _page(found, line, typed, status=422, problem=str(refused), **more)
    except DoseChanged as changed:
        typed |= {"sig": changed.sig, "dose_asked": typed["what"]}
        return _page(found, line, typed, status=422, problem=str(changed), reasons=reasons)
    except (RecordError, FieldError) as problem:
        return _page(found, line, typed, status=422, problem=str(problem), reasons=reasons)
    flash(f"Diganti dengan {added.title}. Obat semula tetap tercatat.", "success")
    return redirect(desk.address(found.visit), 303)


def _page(
    found: Prescription, line: str, typed: dict[str, str], status: int = 200, **more: Any
) -> Response:
    try:
        row = dispensing_review.active_line(found, line)
    except Changed as problem:
        flash(str(problem), "error")
        return redirect(desk.address(found.visit), 303)
    query = request.values.get("q", "").strip()[:80]
    offered = (
        dispensing_review.found_substitutes(query) if query else dispensing_review.alternatives(row)
    )
    chosen = medicines.by_code(typed["what"]) if typed["what"] else None
    if chosen is not None and not any(chosen in group.medicines for group in offered):
        offered.insert(0, Alternatives("Yang dipilih", [chosen]))
    visit = found.visit
    page = render_template(
        "pharmacy/substitution.html",
        prescription=found,
        visit=visit,
        patient=visit.patient,
        on=visit.service_day.on,
        entry=desk.chosen_entry(visit),
        allergies=allergies.banner(visit.patient),
        weight=measurements.weight_text(visit),
        line=row,
        offered=[(group.title, _with_stock(group.medicines)) for group in offered],
        query=query,
        typed=typed,
        notes=prescription_text.NOTES,
        **({"problem": "", "warnings": [], "reasons": {}} | more),
    )
    return Response(page, status, mimetype="text/html")


def _with_stock(options: list[Medicine]) -> list[tuple[Medicine, Any]]:
    there = stock.usable([row.id for row in options], days.clinic_date())
    return [(row, sum(batch.balance for batch in there[row.id])) for row in options]
