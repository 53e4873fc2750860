"""The check page: read everything back, answer warnings and questions, save once."""

from typing import Any

from flask import abort, make_response, redirect, render_template, request, session, url_for

import access
from blueprints.registration import asked, compare, drafted
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.drafted import Drafted, form_address
from clinic import asking, registration, review
from clinic.review import Review
from db import transaction
from models import Patient

REASON = "override_reason"


@bp.get("/pendaftaran/periksa/<draft>")
@counter
def check(draft):
    read = _editable(draft)
    found = review.review(read.application())
    owner = _to_compare(read, found)
    return compare.page(read, owner, "periksa") if owner else _page(read, found)


@bp.post("/pendaftaran/periksa/<draft>")
@counter
def save(draft):
    found = asked.chosen()
    if found or request.form.get("aksi") == "kembali":
        return redirect(asked.leave(_editable(draft).draft, found), 303)
    version = request.form.get("version", type=int) or 0
    said = (_reasons(), asked.given(), asked.were_asked())
    try:
        with transaction():
            read = _editable(draft)
            visit = registration.save(
                access.current_actor(), read.draft, read.application(), version, *said
            )
            ref = visit.public_id
    except registration.StaleDraft as stale:
        return _again(draft, 409, problem=str(stale))
    except registration.NeedsReasons as needs:
        return _again(draft, 422, missing=needs.missing, unanswered=needs.unanswered)
    session.pop("last_search", None)  # the next one at the counter is somebody else
    return redirect(url_for("registration.ticket", visit=ref), 303)


def _editable(ref: str) -> Drafted:
    """The draft, if it can be saved; else the answer that leads on from here."""
    read = drafted.editable(ref)
    if not read.is_valid:
        abort(redirect(form_address(read.draft), 303))
    return read


def _to_compare(read: Drafted, found: Review) -> Patient | None:
    """The NIK's owner, who must be looked at first unless the form says the very same person."""
    owner = found.owner
    if owner is None or review.is_surely(read.application().identity, owner):
        return None
    return None if read.draft.answers.get(owner.public_id) else owner


def _again(draft: str, status: int, **said: Any):
    """The page once more, as everything stands now."""
    read = drafted.read(access.draft_or_404(draft))
    return make_response(_page(read, review.review(read.application()), **said), status)


def _reasons() -> dict[str, str]:
    """Typed reasons by rule; '' is the one that answers all."""
    return {
        name[len(REASON) :].lstrip("-"): text
        for name, text in request.form.items()
        if name.startswith(REASON)
    }


def _page(
    read: Drafted,
    found: Review,
    missing: dict | None = None,
    unanswered: list[str] | None = None,
    problem: str = "",
) -> str:
    application = read.application()
    answers = found.likely.standing | read.draft.answers | asked.given()
    questions = asking.questions(found.likely, read.draft.answers, found.besides)
    shown = {one.patient.public_id for one in questions} | found.besides
    return render_template(
        "registration/check.html",
        draft=read.draft,
        form=read.form,
        kind=read.draft.kind,
        identity=application.identity,
        application=application,
        patient=read.patient,
        found=found,
        questions=questions,
        possible=[one for one in found.likely.alike if one.patient.public_id not in shown],
        answers=answers,
        missing=missing or {},
        unanswered=unanswered or [],
        is_answered=not asking.unanswered(answers, shown, found.besides),
        reasons=_reasons() if request.method == "POST" else {},
        problem=problem,
        change=form_address(read.draft),
        today=read.form.today,
    )
