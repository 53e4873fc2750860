"""The registration form, new and returning, and its two fragments."""

from datetime import UTC, datetime

from flask import flash, make_response, redirect, render_template, request, session, url_for
from werkzeug.datastructures import MultiDict

import access
from blueprints.registration import asked, prefill
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.forms import RegistrationForm
from clinic import asking, days, drafts, further_room, patients, review, routing, typed_search
from clinic.drafts import DraftSubject
from clinic.emergency import emergency_room
from db import transaction, utcnow
from formatting import short_date
from models import DraftKind, Patient, RegistrationDraft, Visit
from patient_forms import OTHER_PATIENT, is_for

MOST_SHOWN = 5
LONGEST_OPEN = 12 * 3600  # seconds; a session ends by then


@bp.get("/pendaftaran/baru")
@counter
def new():
    fields, left = _prefill()
    return _page(RegistrationForm(MultiDict(fields)), DraftSubject(), None, left)


@bp.post("/pendaftaran/baru")
@counter
def new_post():
    return _take(DraftSubject(), None)


@bp.get("/pendaftaran/pasien/<patient>")
@counter
def returning(patient):
    found = patients.current(access.patient_or_404(patient))
    access.record_view("view_identity", found)
    home = {"bpjs_home": patients.last_bpjs_home(found)}
    fields = prefill.fields_of(found, days.clinic_date()) | home
    draft = _asked_draft()
    if draft:
        same_person = draft.patient_ref == found.public_id
        typed = draft.fields
        if not same_person:  # "this is the patient": the record counts, gaps are filled
            typed = {
                k: v for k, v in typed.items() if k in prefill.VISIT_FIELDS or not fields.get(k)
            }
            typed.pop("no_nik_reason", None)
        fields = fields | typed
    form = RegistrationForm(MultiDict(fields), kind=DraftKind.RETURNING)
    return _page(form, DraftSubject(DraftKind.RETURNING, found.public_id), found)


@bp.post("/pendaftaran/pasien/<patient>")
@counter
def returning_post(patient):
    found = patients.current(access.patient_or_404(patient))
    return _take(DraftSubject(DraftKind.RETURNING, found.public_id), found)


@bp.get("/pendaftaran/kunjungan/<visit>/identitas")
@counter
def identity(visit):
    found = access.visit_or_404(visit)
    access.record_view("view_identity", found.patient, "visit", found.public_id)
    draft = _asked_draft() or drafts.about(found)
    fields = draft.fields if draft else prefill.known_fields(found.patient)
    fields = {"bpjs_home": found.bpjs_home} | fields
    form = RegistrationForm(MultiDict(fields), kind=DraftKind.IDENTITY)
    subject = DraftSubject(DraftKind.IDENTITY, None, found)
    return _page(form, subject, found.patient, draft=draft)


@bp.post("/pendaftaran/kunjungan/<visit>/identitas")
@counter
def identity_post(visit):
    found = access.visit_or_404(visit)
    subject = DraftSubject(DraftKind.IDENTITY, found.patient.public_id, found)
    return _take(subject, found.patient)


@bp.get("/pendaftaran/kunjungan/<visit>/ruang")
@counter
def room(visit):
    found = access.visit_or_404(visit)
    draft = _asked_draft()
    if not days.goes_on(found.service_day):
        return _as_new_visit(found, draft)
    fields = draft.fields if draft else {"pregnant": found.pregnant}
    form = RegistrationForm(MultiDict(fields), kind=DraftKind.ROOM)
    return _page(form, DraftSubject(DraftKind.ROOM, None, found), found.patient)


@bp.post("/pendaftaran/kunjungan/<visit>/ruang")
@counter
def room_post(visit):
    found = access.visit_or_404(visit)
    subject = DraftSubject(DraftKind.ROOM, found.patient.public_id, found)
    if not days.goes_on(found.service_day):
        subject = DraftSubject(DraftKind.RETURNING, found.patient.public_id)
        form = RegistrationForm(request.form, kind=DraftKind.ROOM)
        return _as_new_visit(found, _store(form, subject, found.patient, None))
    return _take(subject, found.patient)


def _as_new_visit(visit: Visit, draft: RegistrationDraft | None):
    """The visit is over: the patient's form for a new one, with what was typed."""
    flash(further_room.past(visit), "warning")
    ref, draf = patients.current(visit.patient).public_id, draft and draft.public_id
    return redirect(url_for("registration.returning", patient=ref, draf=draf), 303)


# --- Shared by the four ------------------------------------------------------------------------


def _take(subject: DraftSubject, patient: Patient | None):
    """Store a valid form as a draft and show its check page; else the form with what is wrong."""
    form = RegistrationForm(request.form, kind=subject.kind)
    if patient and not is_for(patient.public_id):
        form.form_errors = [OTHER_PATIENT]
        return make_response(_page(form, subject, patient), 409)
    if request.form.get("aksi") == "pakai_nik":
        _use_nik(form)
        return _page(form, subject, patient)
    if asked.is_emergency():
        kept = _kept_draft()
        if subject.kind in (DraftKind.NEW, DraftKind.RETURNING) and not (kept and kept.paper):
            return redirect(asked.emergency_address(_store(form, subject, patient, None)), 303)
        room = emergency_room()  # of a visit that runs already, or ran on paper
        form.poli.data = room.code if room else form.poli.data
    chosen = asked.chosen() if subject.kind != DraftKind.ROOM else None
    if chosen:  # whoever it is, nothing typed may be lost on the way, valid or not
        draft = _store(form, subject, patient, None)
        return redirect(asked.comparison_address(draft, chosen, "isian"), 303)
    if not form.validate() or _refuses_room(form, subject):
        return make_response(_page(form, subject, patient), 422)
    identity = form.identity(patient) if subject.kind != DraftKind.ROOM else None
    draft = _store(form, subject, patient, identity)
    return redirect(url_for("registration.check", draft=draft.public_id), 303)


def _refuses_room(form: RegistrationForm, subject: DraftSubject) -> bool:
    is_room = subject.kind == DraftKind.ROOM
    refused = further_room.refusal(subject.about_visit, form.poli.data) if is_room else None
    form.poli.errors = [refused[1]] if refused else form.poli.errors
    return bool(refused)


def _store(
    form: RegistrationForm,
    subject: DraftSubject,
    patient: Patient | None,
    identity: patients.Identity | None,
) -> RegistrationDraft:
    """Keep the form, its answers, and with a valid identity whom the check page must ask about."""
    draft = _kept_draft()
    answers = asked.noted(identity, patient, draft.answers if draft else {})
    base = {"patient_version": str(patient.version)} if patient else {}
    fields = base | form.typed()
    with transaction():
        actor, opened = access.current_actor(), _opened_at()
        return drafts.store(actor, fields, subject, draft, answers, opened_at=opened)


def _kept_draft() -> RegistrationDraft | None:
    """The draft that this form is about, if it was one already."""
    ref = request.form.get("draft", "")
    return drafts.by_ref(ref) if ref else None


def _opened_at() -> datetime | None:
    """When the form was first shown, as it says itself; None for what cannot be."""
    seconds = request.form.get("dibuka", type=int) or 0
    age = int(utcnow().timestamp()) - seconds
    return datetime.fromtimestamp(seconds, UTC) if 0 <= age <= LONGEST_OPEN else None


def _page(
    form: RegistrationForm,
    subject: DraftSubject,
    patient: Patient | None,
    left: str = "",
    draft: RegistrationDraft | None = None,
) -> str:
    kept = draft or _kept_draft() or _asked_draft()
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
        **_suggestion(form, patient),
        **_likely(form, patient, kept.answers if kept else {}),
    )


def _asked_draft():
    ref = request.args.get("draf", "")
    return drafts.by_ref(ref) if ref else None


def _use_nik(form: RegistrationForm) -> None:
    form.validate()
    told = form.identity()
    for name, text in prefill.from_nik(told.nik, told.birth_date, form.today).items():
        form[name].data = text
    for field in form:
        field.errors = []


def _prefill() -> tuple[dict[str, str], str]:
    """What is known already: a draft, a family member's visit, or what was searched for.

    And of the search what belongs into no field.
    """
    draft = _asked_draft()
    if draft:
        return draft.fields, ""
    family = request.args.get("keluarga")
    if family:
        return prefill.family_fields(access.visit_or_404(family).patient), ""
    last = session.get("last_search") or {}
    return typed_search.form_fields(
        last.get("q", ""), last.get("birth_date", ""), days.clinic_date()
    )


# --- Fragments: POST, so that nothing personal stands in an address; read-only -------------------


@bp.post("/pendaftaran/saran")
@counter
def suggestion():
    form = RegistrationForm(request.form)
    return render_template("registration/_suggestion.html", **_suggestion(form, None))


@bp.post("/pendaftaran/mirip")
@counter
def likely():
    form = RegistrationForm(request.form)
    ref = request.form.get("patient", "")
    patient = patients.by_ref(ref) if ref else None
    found = _likely(form, patient, {})
    return render_template("registration/_likely.html", has_looked=True, **found)


def _suggestion(form: RegistrationForm, patient: Patient | None) -> dict:
    """Rooms for half-filled fields too, red flags, the cluster, and what the NIK says."""
    kept = {field.name: field.errors for field in form}
    form.validate()
    identity = patients.identity_of(patient) if patient and form.kind == DraftKind.ROOM else None
    case = review.case_of(
        form.application(form.kind, identity or form.identity(patient)), form.today
    )
    for field in form:
        field.errors = kept[field.name]
    rules = routing.load()
    asked = bool(case.complaint or case.poli_code)
    return {
        "proposals": rules.propose(case)[:3] if asked else [],
        "red_flags": rules.red_flags(case),
        "cluster_now": rules.cluster(case) if case.poli_code else None,
    }


def _news(offer: dict[str, str], form: RegistrationForm) -> dict[str, str]:
    """What the NIK tells, unless the form says just that."""
    said = {"birth_date": short_date(form.cleaned("birth_date")), "sex": form.sex.data}
    return {} if offer == said else offer


def _likely(form: RegistrationForm, patient: Patient | None, answers: dict[str, str]) -> dict:
    kept = {field.name: field.errors for field in form}
    form.validate()
    identity = form.identity()
    offer = prefill.from_nik(identity.nik, identity.birth_date, form.today)
    offer = _news(offer, form)
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
        "offer": offer,
        "is_filled": bool(form.birth_date.data and form.sex.data),
    }
