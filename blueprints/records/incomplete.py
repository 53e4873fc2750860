"""Identities to complete: who is here now first, then who was seen last."""

from flask import render_template, request

from blueprints.records.blueprint import bp, staff
from clinic import days
from clinic import incomplete as worklist
from validators import NO_NIK_REASONS

PAGE = 40


@bp.get("/rekam-medis/lengkapi")
@staff
def incomplete():
    """Patients without NIK, unknown, or with an estimated birth date; a page at a time."""
    after = request.args.get("sesudah", "")
    found = worklist.incomplete(PAGE + 1, after or None)
    return render_template(
        "records/incomplete.html",
        found=found[:PAGE],
        more_after=found[PAGE - 1].patient.public_id if len(found) > PAGE else "",
        is_first_page=not after,
        count=worklist.count(),
        reasons=NO_NIK_REASONS,
        today=days.clinic_date(),
    )
