"""What the clerk says about likely patients: `jawab-<patient>` on the form and the check page."""

from flask import request, url_for

import access
from blueprints.registration.drafted import form_address
from clinic import asking, drafts, patients, review
from clinic.asking import Likely
from clinic.patients import Identity
from db import transaction
from models import Patient, RegistrationDraft, Visit

ANSWER = "jawab-"
THIS_IS = "ini:"
REF_LENGTH = 36
MIN_NAME = 3


def given() -> dict[str, str]:
    """The answers of this request, by the other patient's public id."""
    return {
        name[len(ANSWER) :]: answer
        for name, answer in request.form.items()
        if name.startswith(ANSWER)
        and len(name) == len(ANSWER) + REF_LENGTH
        and answer in asking.STATES
    }


def were_asked() -> list[str]:
    """Whom the check page asked about."""
    refs = request.form.getlist("ditanya")
    return [ref for ref in refs if len(ref) == REF_LENGTH][: asking.MOST_ANSWERS]


def chosen() -> Patient | None:
    """Whom the button "Ini orangnya" was pressed for."""
    action = request.form.get("aksi", "")
    if not action.startswith(THIS_IS):
        return None
    return patients.current(access.patient_or_404(action[len(THIS_IS) :]))


def look(identity: Identity, patient: Patient | None) -> Likely:
    """Who a form, perhaps half filled, may be about."""
    if not (identity.nik or identity.bpjs_number or len(identity.name) >= MIN_NAME):
        return Likely()
    return asking.look(identity, patient)


def noted(identity: Identity | None, patient: Patient | None, before: dict[str, str]) -> dict:
    """What a draft keeps: all answers, and with a whole identity whom the save waits for."""
    likely, owner = Likely(), None
    if identity:
        likely, owner = asking.look(identity, patient), review.nik_owner(identity.nik, patient)
    return asking.gather(before, given(), likely, {owner.public_id} if owner else ())


def leave(draft: RegistrationDraft, found: Patient | None) -> str:
    """Where a press on the check page leads that does not save; what was ticked is kept."""
    with transaction():
        drafts.answer(draft, given())
    return comparison_address(draft, found, "periksa") if found else form_address(draft)


def comparison_address(draft: RegistrationDraft, found: Patient, came_from: str) -> str:
    """Where "this is the patient" leads: to the comparison, or to moving the visit."""
    if draft.about_visit_ref:
        return moving_address(draft.about_visit_ref, found)
    ref = draft.public_id
    return url_for("registration.compare", draft=ref, patient=found.public_id, dari=came_from)


def moving_address(visit: Visit | str, found: Patient) -> str:
    """Where a visit that runs already is given to the patient whom it belongs to."""
    ref = visit if isinstance(visit, str) else visit.public_id
    return url_for("registration.correct", visit=ref, pasien=found.public_id)
