"""The check page: read everything back, answer warnings, save once."""

from typing import Any

from flask import abort, make_response, redirect, render_template, request, session, url_for

import access
from blueprints.registration import drafted
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.drafted import Drafted
from clinic import drafts, registration, review
from clinic.review import Review
from db import transaction
from models import DraftKind, RegistrationDraft

REASON = "override_reason"


@bp.get("/pendaftaran/periksa/<draft>")
@counter
def check(draft):
    read = _editable(draft)
    return _page(read, review.review(read.application()))


@bp.post("/pendaftaran/periksa/<draft>")
@counter
def save(draft):
    version = request.form.get("version", type=int) or 0
    try:
        with transaction():
            read = _editable(draft)
            visit = registration.save(
                access.current_actor(), read.draft, read.application(), version, _reasons()
            )
            ref = visit.public_id
    except registration.StaleDraft as stale:
        return _again(draft, 409, problem=str(stale))
    except registration.NeedsReasons as needs:
        return _again(draft, 422, missing=needs.missing)
    session.pop("last_search", None)  # the next one at the counter is somebody else
    return redirect(url_for("registration.ticket", visit=ref), 303)


def _editable(ref: str) -> Drafted:
    """The draft, if it can still be saved; else the answer that leads on from here."""
    draft = access.draft_or_404(ref)
    if not drafts.is_editable(draft):
        abort(_ended(draft))
    read = drafted.read(draft)
    if not read.is_valid:
        abort(redirect(_form_address(read), 303))
    return read


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


def _ended(draft: RegistrationDraft):
    if draft.saved_at:
        return redirect(url_for("registration.ticket", visit=draft.visit_ref), 303)
    read = drafted.read(draft)
    page = render_template("registration/expired.html", draft=draft, again=_form_address(read))
    return make_response(page, 410)


def _form_address(read: Drafted) -> str:
    kind, ref = DraftKind(read.draft.kind), read.draft.public_id
    if read.about_visit:
        endpoint = "registration.room" if kind == DraftKind.ROOM else "registration.identity"
        return url_for(endpoint, visit=read.about_visit.public_id, draf=ref)
    if read.patient:
        return url_for("registration.returning", patient=read.patient.public_id, draf=ref)
    return url_for("registration.new", draf=ref)


def _page(read: Drafted, found: Review, missing: dict | None = None, problem: str = "") -> str:
    application = read.application()
    return render_template(
        "registration/check.html",
        draft=read.draft,
        form=read.form,
        kind=read.draft.kind,
        identity=application.identity,
        application=application,
        patient=read.patient,
        visit=read.about_visit,
        found=found,
        missing=missing or {},
        reasons=_reasons() if request.method == "POST" else {},
        problem=problem,
        change=_form_address(read),
        today=read.form.today,
    )
