"""A stored draft as its form, its person and its visit."""

from dataclasses import dataclass, replace

from flask import abort, flash, make_response, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import MultiDict

import access
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
    is_valid: bool  # a draft may outlive the room that it names

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
    about = None
    if draft.about_visit_ref:
        about = (
            db.session.scalars(
                select(Visit)
                .where(Visit.public_id == draft.about_visit_ref)
                .options(
                    joinedload(Visit.patient),
                    joinedload(Visit.entries).joinedload(QueueEntry.poli),
                )
            )
            .unique()
            .one()
        )
    record = about.patient if about else None
    if record is None and draft.patient_ref:
        record = patients.by_ref(draft.patient_ref)
    patient = patients.current(record) if record else None
    kind = DraftKind(draft.kind)
    of_form = IdentityCorrectionForm if drafts.is_correction(draft) else RegistrationForm
    form = of_form(MultiDict(draft.fields), kind=kind, on=slips.clinic_day(draft.paper))
    return Drafted(draft, form, record, patient, about, form.validate())


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
    field = next(iter(form.errors))
    flash(form.errors[field][0], "warning")
    return redirect(form_address(draft, field), 303)
