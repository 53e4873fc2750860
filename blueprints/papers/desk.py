"""Papers to read: of a visit, of a patient, and one to print; and the way to take one back."""

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

import access
from blueprints.papers.blueprint import bp, readers
from blueprints.papers.offers import may_issue, offers
from clinic import allergies, days, paper_doubts, papers, patients
from clinic.paper_texts import KINDS
from clinic.record_errors import RecordError
from db import db
from models import Examination, Paper, PaperState, QueueEntry, Role, Visit, VisitStatus
from patient_forms import OTHER_PATIENT, is_for, writing
from validators import FieldError

PAGE = 30


@bp.get("/kunjungan/<visit>/surat")
@readers
def visit_papers(visit: str):
    """The visit's papers, and those that this account may issue."""
    found = access.readable_visit(visit)
    access.record_view("view_visit", found.patient, "visit", found.public_id)
    offered = offers(found)
    return render_template(
        "papers/visit.html",
        visit=found,
        patient=found.patient,
        on=found.service_day.on,
        allergies=allergies.banner(found.patient),
        papers=papers.of_visit(found),
        offers=offered,
        no_signer=papers.why_no_signer(access.current_actor()) if offered else "",
        kinds=KINDS,
    )


@bp.get("/pasien/<patient>/surat")
@readers
def patient_papers(patient: str):
    """All of the patient's papers, page by page."""
    found = patients.current(access.patient_or_404(patient))
    access.refuse_unread(found)
    access.record_view("view_record", found)
    before = papers.by_ref(request.args["sebelum"]) if "sebelum" in request.args else None
    rows = papers.of_patient(found, PAGE + 1, before)
    return render_template(
        "papers/patient.html",
        patient=found,
        today=days.clinic_date(),
        allergies=allergies.banner(found),
        papers=rows[:PAGE],
        earlier_than=rows[PAGE - 1].public_id if len(rows) > PAGE else "",
        kinds=KINDS,
    )


@bp.get("/surat/<paper>")
@readers
def paper(paper: str):
    """The paper as it was printed, to print again; who opens it is logged."""
    return paper_page(paper_or_404(paper))


@bp.post("/surat/<paper>/batal")
@access.allow(Role.POLI, Role.HEAD)
def cancel(paper: str):
    """Take it back with a reason; it stays in the record, marked."""
    found = paper_or_404(paper)
    if not may_cancel(found):
        abort(404)
    if not is_for(found.visit.patient.public_id):
        return paper_page(found, OTHER_PATIENT, 409)
    try:
        with writing(found.visit):
            papers.cancel(access.current_actor(), found, request.form.get("why", ""))
    except (RecordError, FieldError) as problem:
        status = 422 if found.state is PaperState.ISSUED else 409
        return paper_page(found, str(problem), status)
    flash(f"Surat {found.number} dibatalkan. Mintalah kembali kertasnya.", "success")
    return redirect(url_for("papers.paper", paper=paper), 303)


def paper_page(paper: Paper, problem: str = "", status: int = 200) -> Response:
    access.record_view("print_paper", paper.visit.patient, "paper", paper.public_id)
    html = render_template(
        "papers/paper.html",
        paper=paper,
        content=paper.content,
        title=KINDS[paper.kind].title,
        doubt=paper_doubts.doubt(paper),
        may_cancel=may_cancel(paper),
        may_replace=may_replace(paper),
        why=request.form.get("why", ""),
        problem=problem,
    )
    return Response(html, status, mimetype="text/html")


def may_replace(paper: Paper) -> bool:
    """Whether this account may issue one in its place."""
    is_held = paper.state is PaperState.ISSUED and paper.visit.status is not VisitStatus.CANCELLED
    is_held = is_held and access.has_role(Role.POLI)
    return is_held and may_issue(paper.kind, paper.examination)


def may_cancel(paper: Paper) -> bool:
    """The head, and who works in the room that it came from."""
    is_head = access.has_role(Role.HEAD)
    return is_head or (access.has_role(Role.POLI) and may_issue(paper.kind, paper.examination))


def paper_or_404(ref: str) -> Paper:
    """The paper, if the account may read its patient's record now."""
    found = papers.by_ref(ref) or abort(404)
    access.readable_visit(found.visit.public_id)
    return found


def examination_or_404(visit: Visit, ref: str) -> Examination:
    """An examination of this visit."""
    rows = select(Examination).where(Examination.public_id == ref, Examination.visit_id == visit.id)
    entry = joinedload(Examination.entry).joinedload(QueueEntry.poli)
    return db.session.scalar(rows.options(entry)) or abort(404)
