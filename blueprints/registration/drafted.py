"""A stored draft as its form, its person and its visit."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import MultiDict

from blueprints.registration.forms import RegistrationForm
from clinic import patients
from clinic.rebase import rebase
from clinic.review import Application
from db import db
from models import DraftKind, Patient, QueueEntry, RegistrationDraft, Visit


@dataclass
class Drafted:
    draft: RegistrationDraft
    form: RegistrationForm
    patient: Patient | None
    about_visit: Visit | None
    is_valid: bool  # a draft may outlive the room that it names

    def application(self) -> Application:
        """Valid fields only."""
        kind = DraftKind(self.draft.kind)
        if kind == DraftKind.ROOM:
            identity = patients.identity_of(self.patient)
        else:
            identity = self.form.identity(self.patient)
            if self.patient:
                identity = rebase(self.patient, identity, self._typed_over())
        return self.form.application(kind, identity, self.patient, self.about_visit)

    def _typed_over(self) -> int:
        version = self.form.patient_version.data or ""
        is_number = version.isdecimal() and len(version) < 9
        return int(version) if is_number else self.patient.version


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
    patient = about.patient if about else None
    if patient is None and draft.patient_ref:
        patient = patients.by_ref(draft.patient_ref)
    kind = DraftKind(draft.kind)
    form = RegistrationForm(MultiDict(draft.fields), kind=kind)
    return Drafted(draft, form, patient, about, form.validate())
