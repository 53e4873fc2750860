"""Issue a paper: a form with what the record says, read back, then numbered and kept."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

import access
from blueprints.papers.blueprint import bp, issuers
from blueprints.papers.desk import examination_or_404, may_replace
from blueprints.papers.forms import FORMS, InternalForm, PaperForm
from blueprints.papers.offers import may_issue
from clinic import allergies, days, paper_content, paper_facts, papers
from clinic.paper_texts import KINDS
from clinic.papers import AlreadyIssued, Changed, Order
from clinic.record_errors import RecordError
from db import db
from models import Examination, Paper, PaperKind, Poli, Visit
from patient_forms import OTHER_PATIENT, is_for, writing
from validators import FieldError

FIELD_WORDS = {
    "from_on": "Mulai",
    "until_on": "Sampai",
    "days": "Jumlah hari",
    "reason": "Alasan",
    "purpose": "Untuk keperluan",
    "note": "Catatan",
    "to_whom": "Kepada",
    "to_poli": "Poli",
    "findings": "Pemeriksaan",
    "diagnosis": "Diagnosis",
    "therapy": "Tindakan dan terapi",
    "complaint": "Keluhan",
    "advice": "Saran",
    "control_on": "Kontrol kembali",
}


@bp.get("/kunjungan/<visit>/surat/<jenis>")
@issuers
def form(visit: str, jenis: str):
    """The form, filled from the record, or from the paper that is to be replaced."""
    found, kind = access.readable_visit(visit), _kind_or_404(jenis)
    examination = _examination_or_404(found, kind, request.args.get("pemeriksaan", ""))
    replaces = _replaced_or_404(examination, kind, request.args.get("ganti", ""))
    facts = paper_facts.load(examination, days.clinic_date())
    data = replaces.fields if replaces else paper_facts.defaults(kind, facts)
    order = (replaces.subject if replaces else "") or request.args.get("permintaan", "")
    problem = papers.why_no_signer(access.current_actor())
    page = (examination, kind, _form(kind, data=data), replaces)
    return _form_page(*page, order=order, problem=problem)


@bp.post("/kunjungan/<visit>/surat/<jenis>")
@issuers
def issue(visit: str, jenis: str):
    """Read it back, go back to the form, or issue it."""
    found, kind = access.visit_or_404(visit), _kind_or_404(jenis)
    typed = _form(kind, request.form)
    if not access.has_record_access(found.patient):
        return _only_typed(found, typed)
    examination = _examination_or_404(found, kind, request.form.get("pemeriksaan", ""))
    replaces = _replaced_or_404(examination, kind, request.form.get("ganti", ""))
    action, page = request.form.get("aksi", "periksa"), (examination, kind, typed, replaces)
    if not is_for(found.patient.public_id):
        return _form_page(*page, problem=OTHER_PATIENT, status=409)
    if not typed.validate():
        return _form_page(*page, status=422)
    if action == "ubah":
        return _form_page(*page)
    try:
        if action != "terbitkan":
            return _check_page(*page)
        with writing(found):
            paper = papers.issue(access.current_actor(), examination, _order(kind, typed, replaces))
    except Changed as changed:
        return _check_page(*page, problem=str(changed), status=409)
    except AlreadyIssued as already:
        flash(str(already), "warning")
        return redirect(url_for("papers.paper", paper=already.paper.public_id), 303)
    except (RecordError, FieldError) as problem:
        return _refused(*page, problem)
    flash(f"Surat {paper.number} terbit. Cetak, lalu tanda tangani.", "success")
    return redirect(url_for("papers.paper", paper=paper.public_id), 303)


def _kind_or_404(text: str) -> PaperKind:
    return PaperKind(text) if text in list(PaperKind) else abort(404)


def _examination_or_404(visit: Visit, kind: PaperKind, ref: str) -> Examination:
    examination = examination_or_404(visit, ref)
    return examination if may_issue(kind, examination) else abort(404)


def _replaced_or_404(examination: Examination, kind: PaperKind, ref: str) -> Paper | None:
    if not ref:
        return None
    paper = papers.by_ref(ref)
    if paper is None or (paper.examination_id, paper.kind) != (examination.id, kind):
        abort(404)
    return paper


def _form(kind: PaperKind, formdata=None, data: dict[str, str] | None = None) -> PaperForm:
    form = FORMS[kind](formdata, data=data)
    if isinstance(form, InternalForm):
        polis = select(Poli).where(Poli.is_active).order_by(Poli.position)
        form.use_rooms({poli.code: poli.name for poli in db.session.scalars(polis)})
    return form


def _said(typed: PaperForm) -> dict[str, Any]:
    return typed.said() | {"order": request.form.get("permintaan", "")}


def _order(kind: PaperKind, typed: PaperForm, replaces: Paper | None) -> Order:
    return Order(
        kind=kind,
        said=_said(typed),
        typed=typed.typed(),
        form_key=request.form.get("kunci", ""),
        seen=request.form.get("dibaca", ""),
        replaces=replaces,
        reason=request.form.get("why", ""),
    )


def _refused(
    examination: Examination,
    kind: PaperKind,
    typed: PaperForm,
    replaces: Paper | None,
    problem: Exception,
) -> Response:
    """The form again, with each sentence at the field that it is about."""
    name = getattr(problem, "field", "")
    page = (examination, kind, typed, replaces)
    if name in typed:
        for each in (problem, *getattr(problem, "others", ())):
            typed[each.field].errors = [str(each)]
        return _form_page(*page, status=422)
    return _form_page(*page, problem=str(problem), status=422 if name == "why" else 409)


def _form_page(
    examination: Examination,
    kind: PaperKind,
    typed: PaperForm,
    replaces: Paper | None,
    *,
    order: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    visit = examination.visit
    html = render_template(
        f"papers/form_{kind.name.lower()}.html",
        **_frame(examination, kind, typed, replaces, problem),
        on=visit.service_day.on,
        allergies=allergies.banner(visit.patient),
        order=order or request.form.get("permintaan", ""),
        form_key=request.form.get("kunci") or papers.new_form_key(),
        limit=access.page_settings()["sick_days"],
    )
    return Response(html, status, mimetype="text/html")


def _check_page(
    examination: Examination,
    kind: PaperKind,
    typed: PaperForm,
    replaces: Paper | None,
    *,
    problem: str = "",
    status: int = 200,
) -> Response:
    """The paper as it will be; raises RecordError where it can't be."""
    if replaces is not None and not request.form.get("why", "").strip():
        raise RecordError("Tulis mengapa surat ini diganti.", "why")
    content = papers.drafted(access.current_actor(), examination, kind, _said(typed))
    html = render_template(
        "papers/check.html",
        **_frame(examination, kind, typed, replaces, problem),
        content=content,
        seen=paper_content.digest(content),
        sent=typed.typed(),
        order=request.form.get("permintaan", ""),
        form_key=request.form.get("kunci", ""),
    )
    return Response(html, status, mimetype="text/html")


def _frame(
    examination: Examination,
    kind: PaperKind,
    typed: PaperForm,
    replaces: Paper | None,
    problem: str,
) -> dict[str, Any]:
    visit = examination.visit
    access.record_view("view_visit", visit.patient, "visit", visit.public_id)
    return {
        "visit": visit,
        "patient": visit.patient,
        "examination": examination,
        "kind": kind,
        "title": KINDS[kind].title,
        "form": typed,
        "replaces": replaces if replaces and may_replace(replaces) else None,
        "why": request.form.get("why", ""),
        "problem": problem,
    }


def _only_typed(visit: Visit, typed: PaperForm) -> Response:
    """Access has ended meanwhile (a new day, say): the text is given back, the record is not."""
    named = [(words, typed[name].data) for name, words in FIELD_WORDS.items() if name in typed]
    answers = [(words, text) for words, text in named if text]
    html = render_template("examination/typed.html", visit=visit, answers=answers)
    return Response(html, 409, mimetype="text/html")
