"""The check page: read everything back, answer warnings and questions, save once."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from flask import make_response, redirect, render_template, request, session, url_for
from werkzeug.datastructures import MultiDict

import access
from blueprints.registration import asked, compare, differences, drafted, prefill
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.drafted import Drafted
from blueprints.registration.forms import NO_SUCH_ROOM
from clinic import (
    asking,
    drafts,
    identity_warnings,
    patients,
    registration,
    review,
    slips,
    villages,
)
from clinic.drafts import DraftSubject
from clinic.review import Review
from db import transaction
from formatting import PREGNANCY_LABELS
from models import DraftKind, Patient


class NotValid(Exception):
    """The draft can't be saved as it is, for instance because its room was closed meanwhile."""

    def __init__(self, read: Drafted) -> None:
        super().__init__()
        self.read = read


@bp.get("/pendaftaran/periksa/<draft>")
@counter
def check(draft):
    read = drafted.editable(draft)
    if not read.is_valid:
        return drafted.to_form(read.draft, read.form)
    found = review.review(read.application())
    owner = _to_compare(read, found)
    return compare.page(read, owner, "periksa") if owner else _page(read, found)


@bp.post("/pendaftaran/periksa/<draft>")
@counter
def save(draft):
    if asked.leaves():
        return redirect(asked.leave(drafted.editable(draft).draft), 303)
    if request.form.get("aksi") in OFFERS:
        return _use(drafted.editable(draft), OFFERS[request.form["aksi"]])
    if asked.other_room():
        return _to_other_room(draft, asked.other_room())
    try:
        with transaction():
            ref = _save(draft)
    except NotValid as refused:
        asked.keep(access.draft_or_404(draft))
        return drafted.to_form(refused.read.draft, refused.read.form)
    except registration.Overtaken as refused:
        with transaction():
            drafts.renew(access.draft_or_404(draft))
        return _again(draft, 409, problem=str(refused))
    except (registration.StaleDraft, registration.Stopped, slips.SlipError) as refused:
        return _again(draft, 409, problem=str(refused))
    except registration.NeedsReasons as needs:
        return _again(draft, 422, missing=needs.missing, unanswered=needs.unanswered)
    session.pop("last_search", None)  # the next one at the counter is somebody else
    return redirect(url_for("registration.ticket", visit=ref), 303)


def _use(read: Drafted, offered: Callable[[Drafted], dict[str, str]]):
    """By one press what a warning offers, and the page again, or what it lacks then."""
    version = read.draft.version
    asked.keep(read.draft)
    offer = offered(read)
    if offer:
        fields = {name: text for name, text in (read.draft.fields | offer).items() if text}
        form = type(read.form)(MultiDict(fields), kind=read.form.kind, on=read.form.on)
        is_valid = form.validate()
        identity = form.identity(read.record) if is_valid else None
        waiting = asked.to_answer(identity, read.patient)
        subject = DraftSubject(read.form.kind, read.draft.patient_ref, read.about_visit)
        try:
            with transaction():
                if read.draft.fields != fields:  # else pressed twice
                    drafts.refuse_changed(read.draft, version)
                    answers = asked.noted(read.draft, waiting)
                    drafts.store(access.current_actor(), fields, subject, read.draft, answers)
        except drafts.DraftChanged as refused:
            return _again(read.draft.public_id, 409, problem=str(refused))
        if not is_valid:
            return drafted.to_form(read.draft, form)
    return redirect(url_for("registration.check", draft=read.draft.public_id), 303)


def _of_nik(read: Drafted) -> dict[str, str]:
    if read.form.kind == DraftKind.ROOM:
        return {}
    return prefill.from_nik(read.application().identity, read.form.today)


def _of_mother(read: Drafted) -> dict[str, str]:
    identity = read.application().identity
    if read.form.kind == DraftKind.ROOM or not identity.nik:
        return {}
    owner = identity_warnings.nik_owner(identity.nik, read.patient)
    return prefill.to_mother(identity, owner)


def _is_pregnant(answer: str) -> Callable[[Drafted], dict[str, str]]:
    return lambda _read: {"pregnant": answer}


PREGNANT = {f"hamil:{answer}": text for answer, text in PREGNANCY_LABELS.items()}
OFFERS = {"pakai_nik": _of_nik, "nik_ibu": _of_mother} | {
    action: _is_pregnant(action.partition(":")[2]) for action in PREGNANT
}


def _save(draft: str) -> str:
    """The public id of the visit."""
    read = drafted.editable(draft)
    if not read.is_valid:
        raise NotValid(read)
    said = (asked.reasons(), asked.given(), asked.were_asked(), asked.were_running())
    actor, application = access.current_actor(), read.application()
    return registration.save(actor, read.draft, application, _version(), *said).public_id


def _version() -> int:
    return request.form.get("version", type=int) or 0


def _to_other_room(draft: str, code: str):
    """By one press to the room that a warning names, and back here with everything kept."""
    try:
        with transaction():
            read = drafted.editable(draft)
            drafts.answer(read.draft, asked.given(), asked.reasons())
            if code not in read.form.rooms:
                raise drafts.DraftChanged(NO_SUCH_ROOM)
            drafts.change_room(read.draft, code, _version())
    except drafts.DraftChanged as refused:
        return _again(draft, 409, problem=str(refused))
    return redirect(url_for("registration.check", draft=draft), 303)


def _to_compare(read: Drafted, found: Review) -> Patient | None:
    """The NIK's owner, who must be looked at first unless the form says the very same person."""
    owner = found.owner
    if any(warned.rule == "NIK-MOTHER" for warned in found.warnings):
        return None  # nobody asks whether a baby is its mother
    if owner is None or identity_warnings.is_surely(read.application().identity, owner):
        return None
    return None if read.answers.get(owner.public_id) else owner


def _again(draft: str, status: int, **said: Any):
    """The page once more, as everything stands now."""
    asked.keep(access.draft_or_404(draft))
    read = drafted.editable(draft)
    if not read.is_valid:  # changed elsewhere meanwhile, or its room was closed
        return drafted.to_form(read.draft, read.form)
    return make_response(_page(read, review.review(read.application()), **said), status)


def _page(
    read: Drafted,
    found: Review,
    missing: dict | None = None,
    unanswered: list[str] | None = None,
    problem: str = "",
) -> str:
    application = read.application()
    identity = application.identity
    kept = read.answers
    answers = found.likely.standing | kept | asked.given()
    questions = asking.questions(found.likely, kept, found.besides)
    shown = {one.patient.public_id for one in questions} | found.besides
    reasons = asked.typed_reasons(read.draft, found)
    running = found.running[0] if found.running else None  # for a second room its number is kept
    return render_template(
        "registration/check.html",
        draft=read.draft,
        form=read.form,
        kind=read.draft.kind,
        identity=identity,
        is_outside=villages.is_in_area(identity.village) is False,
        nik_agrees=identity_warnings.nik_agreement(identity, read.form.today),
        application=application,
        patient=read.patient,
        found=found,
        offer=_of_nik(read),
        pregnant_answers=PREGNANT,
        questions=questions,
        possible=[one for one in found.likely.alike if one.patient.public_id not in shown],
        answers=answers,
        missing=missing or {},
        unanswered=unanswered or [],
        is_answered=not asking.unanswered(answers, shown, found.besides)
        and not found.unanswered(reasons)
        and not running,
        reasons=reasons,
        problem=problem,
        running=running,
        was=_was(read, identity),
        field_of=asked.field_of,
        today=read.form.today,
    )


def _was(read: Drafted, identity: patients.Identity) -> dict[str, str]:
    """What the record says, by part, of all that the save will change; nothing of a new patient."""
    found = defaultdict(str)
    if read.patient and read.form.kind != DraftKind.ROOM:
        parts = differences.changes(read.patient, identity, read.form.today)
        found.update({part.name: part.kept for part in parts if part.differs})
    return found
