"""The worklist: pairs that may be one person, and the way to compare any two records."""

from flask import redirect, render_template, request, url_for
from sqlalchemy import select

import access
from blueprints.records.blueprint import bp, staff
from clinic import days, pairs, patients
from clinic.typed_search import compact, labelled_mrn
from db import db, transaction
from models import AliasKind, PairSource, PairState, Patient, PatientAlias

PAGE = 30
LONGEST = 12  # digits of a number


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
    """Who has this number now, or had it before a merge; leading zeros may be left out."""
    text, bare = typed.strip().upper()[:20], compact(labelled_mrn(typed[:40]) or typed[:40])
    longer = [bare.zfill(length) for length in range(len(bare), LONGEST + 1) if bare.isdecimal()]
    return _numbered([text]) or _numbered([bare]) or _numbered(longer)


def _numbered(numbers: list[str]) -> Patient | None:
    """The one person of these numbers; None when there are several."""
    is_there = Patient.mrn.in_(numbers), Patient.is_active
    found = list(db.session.scalars(select(Patient).where(*is_there)))
    if not found:
        alias = select(PatientAlias.patient_id).where(
            PatientAlias.kind == AliasKind.MRN,
            PatientAlias.value.in_(numbers),
            PatientAlias.ended_at.is_(None),
        )
        found = list(db.session.scalars(select(Patient).where(Patient.id.in_(alias))))
    people = {person.id: person for person in map(patients.current, found)}
    return people.popitem()[1] if len(people) == 1 else None
