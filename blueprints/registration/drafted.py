"""A stored draft as its form, its person and its visit."""

from dataclasses import dataclass, replace

from flask import abort, flash, make_response, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import MultiDict

import access
from blueprints.registration import prefill
from blueprints.registration.forms import IdentityCorrectionForm, RegistrationForm
from clinic import asking, drafts, patients, slips
from clinic.rebase import rebase
from clinic.review import Application
from db import db
from models import DraftKind, Patient, QueueEntry, RegistrationDraft, Visit


@dataclass
class Drafted:
    draft: RegistrationDraft
    form: RegistrationForm
    record: Patient | None  # whose fields the form was filled from; it may be merged since
    patient: Patient | None
    about_visit: Visit | None
    is_valid: bool  # a draft may outlive the room that it names, and whose the visit was

    @property
    def answers(self) -> dict[str, str]:
        """What was answered, about the records that count today."""
        return asking.of_today(self.draft.answers, self.patient)

    def application(self) -> Application:
        """Valid fields only."""
        kind = DraftKind(self.draft.kind)
        if kind == DraftKind.ROOM:
            identity = patients.identity_of(self.patient)
        else:
            identity = self.form.identity(self.record)
            if self.record:
                identity = rebase(self.record, identity, self._typed_over())
        application = self.form.application(kind, identity, self.patient, self.about_visit)
        return replace(application, was_served=slips.was_served(self.draft.paper))

    def _typed_over(self) -> int:
        version = self.form.patient_version.data or ""
        is_number = version.isdecimal() and len(version) < 9
        return int(version) if is_number else self.record.version


def read(draft: RegistrationDraft) -> Drafted:
    """Everything about a draft, read from the database as it stands now."""
    about = _about(draft)
    record = patients.by_ref(draft.patient_ref) if draft.patient_ref else None
    patient = about.patient if about else record and patients.current(record)
    kind = DraftKind(draft.kind)
    of_form = IdentityCorrectionForm if drafts.is_correction(draft) else RegistrationForm
    form = of_form(MultiDict(draft.fields), kind=kind, on=slips.clinic_day(draft.paper))
    is_valid = form.validate() and not _is_anothers(draft, about)
    return Drafted(draft, form, record, patient, about, is_valid)


def _about(draft: RegistrationDraft) -> Visit | None:
    if not draft.about_visit_ref:
        return None
    parts = joinedload(Visit.patient), joinedload(Visit.entries).joinedload(QueueEntry.poli)
    visit = select(Visit).where(Visit.public_id == draft.about_visit_ref).options(*parts)
    return db.session.scalars(visit).unique().one()


def _is_anothers(draft: RegistrationDraft, visit: Visit | None) -> bool:
    """Whether it says who somebody is whose the visit is no more; its form tells the rest."""
    is_of_visit = visit is not None and draft.kind == DraftKind.IDENTITY
    return is_of_visit and not drafts.is_about(draft, visit)


def fields_over(draft: RegistrationDraft, patient: Patient) -> dict[str, str]:
    """As typed; over a record that was merged into this one meanwhile, what becomes of it."""
    if draft.patient_ref == patient.public_id:
        return draft.fields
    kept, version = read(draft), {"patient_version": str(patient.version)}
    if not kept.is_valid:
        return draft.fields | version
    fields = prefill.identity_fields(kept.application().identity, kept.form.today)
    asked = {name: draft.fields[name] for name in ("alasan", "bpjs_home") if name in draft.fields}
    return fields | asked | version


def editable(ref: str, *, correction: bool = False) -> Drafted:
    """The draft, if it can still be saved; else the answer that leads on from here."""
    draft = access.draft_or_404(ref)
    if drafts.is_correction(draft) != correction:
        abort(404)  # a clerk saves no correction, and a correction makes no visit
    if not drafts.is_editable(draft):
        abort(_ended(draft))
    return read(draft)


def _ended(draft: RegistrationDraft):
    if draft.saved_at and drafts.is_correction(draft):
        return redirect(url_for("patients.record", patient=draft.patient_ref), 303)
    if draft.saved_at:
        return redirect(url_for("registration.ticket", visit=draft.visit_ref), 303)
    if _is_anothers(draft, _about(draft)):
        return redirect(form_address(draft), 303)
    page = render_template("registration/expired.html", draft=draft, again=form_address(draft))
    return make_response(page, 410)


def form_address(draft: RegistrationDraft, field: str = "") -> str:
    """The form that the draft fills, at this field."""
    kind = DraftKind(draft.kind)
    there = {"draf": draft.public_id, "_anchor": f"f-{field}" if field else None}
    if drafts.is_correction(draft):
        return url_for("registration.correct_identity", patient=draft.patient_ref, **there)
    if draft.about_visit_ref:
        endpoint = "registration.room" if kind == DraftKind.ROOM else "registration.identity"
        return url_for(endpoint, visit=draft.about_visit_ref, **there)
    if draft.patient_ref:
        return url_for("registration.returning", patient=draft.patient_ref, **there)
    return url_for("registration.new", **there)


def to_form(draft: RegistrationDraft, form: RegistrationForm):
    """Lead a draft that can't be read back to its form, to the field that is wrong, and say why."""
    field, said = next(iter(form.errors.items()), ("", ()))  # none: another's, as its form says
    if said:
        flash(said[0], "warning")
    return redirect(form_address(draft, field or ""), 303)
