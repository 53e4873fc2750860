"""A registration form, whoever it is about: shown, kept as a draft, taken to its check page."""

from datetime import UTC, datetime

from flask import make_response, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.datastructures import MultiDict

import access
from blueprints.registration import asked, prefill
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.drafted import form_address
from blueprints.registration.forms import RegistrationForm
from clinic import (
    asking,
    drafts,
    further_room,
    identity_warnings,
    last_rooms,
    nik_checks,
    patients,
    review,
    routing,
    villages,
)
from clinic.drafts import DraftSubject
from clinic.emergency import emergency_room
from db import transaction, utcnow
from formatting import short_date
from models import DraftKind, Patient, RegistrationDraft
from patient_forms import OTHER_PATIENT, is_for

MOST_SHOWN = 5
NOT_WORDS = {*prefill.VISIT_FIELDS, "patient_version", "nik_as_printed"}
LONGEST_OPEN = 12 * 3600  # seconds; a session ends by then


def take(subject: DraftSubject, patient: Patient | None):
    """Store a valid form as a draft and show its check page; else the form with what is wrong."""
    form = RegistrationForm(request.form, kind=subject.kind)
    if patient and not is_for(patient.public_id):
        form.form_errors = [OTHER_PATIENT]
        return make_response(page(form, subject, patient), 409)
    if request.form.get("aksi") in ("pakai_nik", "nik_ibu"):
        _use_nik(form, patient)
        return page(form, subject, patient)
    if asked.is_emergency():
        kept = kept_draft()
        if subject.kind in (DraftKind.NEW, DraftKind.RETURNING) and not (kept and kept.paper):
            return redirect(asked.emergency_address(store(form, subject, patient, None)), 303)
        room = emergency_room()  # of a visit that runs already, or ran on paper
        form.poli.data = room.code if room else form.poli.data
    chosen = asked.chosen() if subject.kind != DraftKind.ROOM else None
    if chosen:  # whoever it is, nothing typed may be lost on the way, valid or not
        draft = store(form, subject, patient, None)
        return redirect(asked.comparison_address(draft, chosen, "isian"), 303)
    if subject.kind == DraftKind.RETURNING and not patient.is_active:
        form.form_errors = [identity_warnings.withdrawn(patient)]
        draft = store(form, subject, patient, None)  # goes on from the desk's list
        return make_response(page(form, subject, patient, draft=draft), 409)
    is_valid = form.validate()
    if _refuses_room(form, subject) or not is_valid:  # all that is wrong at once
        return make_response(page(form, subject, patient), 422)
    identity = form.identity(patient) if subject.kind != DraftKind.ROOM else None
    draft = store(form, subject, patient, identity)
    return redirect(url_for("registration.check", draft=draft.public_id), 303)


def _refuses_room(form: RegistrationForm, subject: DraftSubject) -> bool:
    if subject.kind != DraftKind.ROOM:
        return False
    refused = further_room.refusal(subject.about_visit, form.poli.data)
    if refused:
        form.poli.errors = [refused[1]]
    return bool(refused)


def store(
    form: RegistrationForm,
    subject: DraftSubject,
    patient: Patient | None,
    identity: patients.Identity | None,
) -> RegistrationDraft:
    """Keep the form, its answers, and with a valid identity whom the check page must ask about."""
    base = {"patient_version": str(patient.version)} if patient else {}
    fields, opened = base | form.typed(), _opened_at()
    waiting = asked.to_answer(identity, patient)
    with transaction():
        # Looked for in here: of two presses at once the second finds what the first has kept.
        draft = kept_draft() or drafts.sent_again(current_user.id, subject, fields, opened)
        answers = asked.noted(draft, waiting)
        actor = access.current_actor()
        return drafts.store(actor, fields, subject, draft, answers, opened_at=opened)


def kept_draft() -> RegistrationDraft | None:
    """The draft that this form is about, if it was one already."""
    ref = request.form.get("draft", "")
    return drafts.by_ref(ref) if ref else None


def _opened_at() -> datetime | None:
    """When the form was first shown, as it says itself; None for what cannot be."""
    seconds = request.form.get("dibuka", type=int) or 0
    age = int(utcnow().timestamp()) - seconds
    return datetime.fromtimestamp(seconds, UTC) if 0 <= age <= LONGEST_OPEN else None


def page(
    form: RegistrationForm,
    subject: DraftSubject,
    patient: Patient | None,
    *,
    left: str = "",
    relative: Patient | None = None,
    draft: RegistrationDraft | None = None,
    others: dict[str, str] | None = None,
) -> str:
    """`others` was typed over another record: to be read beside the form, never to be stored."""
    if patient:
        visit = subject.about_visit
        about = ("visit", visit.public_id) if visit else ()
        access.record_view("view_identity", patient, *about)
    kept = draft if others is not None else draft or kept_draft() or asked_draft()
    is_opened = kept is None and request.method == "GET" and not request.args.get("keluarga")
    behind = drafts.just_left(current_user.id, subject) if is_opened else None
    return render_template(
        "registration/form.html",
        form=form,
        kind=subject.kind.value,
        patient=patient,
        visit=subject.about_visit,
        draft=kept.public_id if kept else "",
        opened=request.form.get("dibuka", type=int) or int(utcnow().timestamp()),
        gaps=prefill.gaps(patient) if subject.kind == DraftKind.RETURNING else "",
        has_searched=bool(session.get("last_search")),
        left=left,
        relative=relative,
        villages=villages.names,
        behind=behind,
        behind_address=form_address(behind) if behind else "",
        others=_in_words(others) if others else [],
        last_room=last_rooms.last_room(patient) if subject.kind == DraftKind.RETURNING else None,
        **_suggestion(form, patient, patient),
        **_likely(form, patient, kept.answers if kept else {}),
    )


def _in_words(fields: dict[str, str]) -> list[str]:
    """What was typed of who it is, a line a field, with the words that were chosen."""
    lines = []
    for field in RegistrationForm(MultiDict(fields), kind=DraftKind.IDENTITY):
        words = {one.value: one.label for one in getattr(field, "choices", None) or ()}
        if field.data and field.name not in NOT_WORDS:
            lines.append(f"{field.label.text}: {words.get(field.data, field.data)}")
    return lines


def asked_draft() -> RegistrationDraft | None:
    """The draft that the address names."""
    ref = request.args.get("draf", "")
    return drafts.by_ref(ref) if ref else None


def _use_nik(form: RegistrationForm, patient: Patient | None) -> None:
    form.validate()
    told = form.identity()
    fields = prefill.from_nik(told, form.today)
    if request.form.get("aksi") == "nik_ibu" and told.nik:
        fields = prefill.to_mother(told, identity_warnings.nik_owner(told.nik, patient))
    for name, text in fields.items():
        form[name].data = text
    for field in form:
        field.errors = []


# --- Fragments: POST, so that nothing personal stands in an address; read-only -------------------


@bp.post("/pendaftaran/saran")
@counter
def suggestion():
    form = RegistrationForm(request.form)
    ref = request.form.get("patient", "")
    found = _suggestion(form, None, patients.by_ref(ref) if ref else None)
    return render_template("registration/_suggestion.html", **found)


@bp.post("/pendaftaran/mirip")
@counter
def likely():
    form = RegistrationForm(request.form)
    ref = request.form.get("patient", "")
    patient = patients.by_ref(ref) if ref else None
    found = _likely(form, patient, {})
    return render_template("registration/_likely.html", has_looked=True, **found)


def _suggestion(form: RegistrationForm, patient: Patient | None, returning: Patient | None) -> dict:
    """Rooms for half-filled fields too, red flags, the cluster, and what the NIK says."""
    kept = {field.name: field.errors for field in form}
    form.validate()
    identity = patients.identity_of(patient) if patient and form.kind == DraftKind.ROOM else None
    told = form.application(form.kind, identity or form.identity(patient))
    case = review.case_of(told, form.today)
    for field in form:
        field.errors = kept[field.name]
    rules = routing.load()
    is_asked = bool(case.complaint or case.poli_code)
    proposals = rules.propose(case) if is_asked else []
    if returning and last_rooms.is_bare_control(case):
        person = patients.current(returning)
        proposals = last_rooms.room_of_control(proposals, case, rules.rooms, person)
    return {
        "proposals": proposals[:3],
        "red_flags": rules.red_flags(case),
        "cluster_now": rules.cluster(case) if case.poli_code else None,
    }


def _news(offer: dict[str, str], form: RegistrationForm) -> dict[str, str]:
    """What the NIK tells, unless the form says just that."""
    said = {"birth_date": short_date(form.cleaned("birth_date")), "sex": form.sex.data}
    return {} if offer | said == offer else offer


def _likely(form: RegistrationForm, patient: Patient | None, answers: dict[str, str]) -> dict:
    kept = {field.name: field.errors for field in form}
    form.validate()
    identity = form.identity()
    offer = _news(prefill.from_nik(identity, form.today), form)
    is_mothers = nik_checks.mothers_nik(
        identity, identity_warnings.nik_owner(identity.nik, patient), form.today
    )
    for field in form:
        field.errors = kept[field.name]
    found = asking.Likely()
    if form.kind != DraftKind.ROOM:
        found = asked.look(identity, patient)
    return {
        "matches": found.alike[:MOST_SHOWN],
        "family": found.family,
        "answers": found.standing | answers | asked.given(),
        "today": form.today,
        "offer": {} if is_mothers else offer,
        "is_mothers": bool(is_mothers),
        "is_filled": bool(form.birth_date.data and form.sex.data),
    }
