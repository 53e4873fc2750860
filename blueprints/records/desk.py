"""The worklist: pairs that may be one person, and the way to compare any two records."""

from flask import redirect, render_template, request, url_for
from sqlalchemy import select

import access
from blueprints.records.blueprint import bp, staff
from clinic import days, pairs, patients
from db import db, transaction
from models import AliasKind, PairSource, PairState, Patient, PatientAlias

PAGE = 30


@bp.get("/rekam-medis")
@staff
def desk():
    """Open pairs, those that clerks asked about first."""
    return _page()


@bp.post("/rekam-medis/banding")
@staff
def compare_two():
    """Two records by their MRN become a pair to decide."""
    one, other = (_by_mrn(request.form.get(name, "")) for name in ("satu", "dua"))
    if one is None or other is None:
        return _page("Nomor rekam medis itu tidak ada. Periksa angkanya."), 422
    if one.id == other.id:
        return _page("Kedua nomor itu sudah satu rekam medis."), 422
    with transaction():
        pair = pairs.note(
            access.current_actor(), one, other, PairState.OPEN, source=PairSource.RECORDS
        )
        ref = pair.public_id
    return redirect(url_for("records.pair", pair=ref), 303)


def _page(problem: str = "") -> str:
    after = request.args.get("sesudah", "")
    found = pairs.open_pairs(PAGE + 1, after or None)
    return render_template(
        "records/desk.html",
        found=found[:PAGE],
        more_after=found[PAGE - 1].pair.public_id if len(found) > PAGE else "",
        is_first_page=not after,
        count=pairs.count_open(),
        today=days.clinic_date(),
        problem=problem,
        typed=request.form,
    )


def _by_mrn(typed: str) -> Patient | None:
    """Who has this number now, or had it before a merge."""
    text = typed.strip().upper()[:20]
    found = db.session.scalar(select(Patient).where(Patient.mrn == text, Patient.is_active))
    if found is None:
        alias = select(PatientAlias.patient_id).where(
            PatientAlias.kind == AliasKind.MRN,
            PatientAlias.value == text,
            PatientAlias.ended_at.is_(None),
        )
        found = db.session.scalar(select(Patient).where(Patient.id.in_(alias)).limit(1))
    return patients.current(found) if found else None
