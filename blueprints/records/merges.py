"""Merges: what was joined, by whom and why, and the way back."""

from collections.abc import Iterable

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload

import access
from blueprints.records.blueprint import bp, staff
from blueprints.records.comparison import PARTS
from clinic import merging
from clinic.merging import MergeError
from db import db, transaction
from models import PatientMerge

LATEST = 50
MOVED = {
    "visit": "kunjungan",
    "allergy": "alergi",
    "consent": "persetujuan umum",
    "patient_alias": "nama atau nomor lain",
}


@bp.get("/rekam-medis/gabung")
@staff
def merges():
    """The latest merges, in force or undone."""
    latest = select(PatientMerge).order_by(PatientMerge.id.desc()).limit(LATEST)
    people = joinedload(PatientMerge.survivor), joinedload(PatientMerge.loser)
    rows = latest.options(*people, joinedload(PatientMerge.merged_by))
    return render_template("records/merges.html", merges=list(db.session.scalars(rows)))


@bp.get("/rekam-medis/gabung/<merge>")
@staff
def merged(merge: str):
    """One merge: what went over, and a form that makes two records of them again."""
    return _page(_merge_or_404(merge))


@bp.post("/rekam-medis/gabung/<merge>/batal")
@staff
def undo(merge: str):
    """Two records again; what came since stays with the survivor."""
    found = _merge_or_404(merge)
    try:
        with transaction():
            kept = merging.undo(access.current_actor(), found, request.form.get("alasan", ""))
    except MergeError as problem:
        return _page(_merge_or_404(merge), str(problem)), 422
    flash("Penggabungan diurungkan: dua rekam medis lagi.", "success")
    if kept:
        names = ", ".join(_labels(kept)).lower()
        flash(f"Diubah lagi sesudah digabung, jadi tetap: {names}.", "info")
    return redirect(url_for("records.merged", merge=merge), 303)


def _merge_or_404(ref: str) -> PatientMerge:
    found = db.session.scalar(select(PatientMerge).where(PatientMerge.public_id == ref))
    return found or abort(404)


def _labels(fields: Iterable[str]) -> list[str]:
    """What the screen calls these fields; what only goes along with another is not named."""
    changed = set(fields)
    return [label for label, names in PARTS.values() if changed & set(names)]


def _page(merge: PatientMerge, problem: str = "") -> str:
    moved = merging.belongings_of(merge)
    return render_template(
        "records/merge.html",
        merge=merge,
        moved=[(MOVED[name], count) for name, count in moved.items() if count],
        fields=_labels(merge.fields),
        refusal=merging.undo_refusal(merge),
        problem=problem,
        reason=request.form.get("alasan", ""),
    )
