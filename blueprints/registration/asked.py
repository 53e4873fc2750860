"""What the clerk says: `jawab-<patient>` about likely patients on the form and the check page,
and there `override_reason-<rule>` about warnings.
"""

import re

from flask import request, url_for

import access
from blueprints.registration.drafted import form_address
from clinic import asking, drafts, identity_warnings, patients
from clinic.asking import Likely
from clinic.patients import Identity
from clinic.review import Review
from db import transaction
from models import Patient, RegistrationDraft, Visit

ANSWER = "jawab-"
THIS_IS, CHANGE, TICKET, MOVE = "ini:", "ubah:", "tiket:", "pindah:"
BACK, EMERGENCY = "kembali", "gawat"
LONGEST_REASON = 300
REF_LENGTH = 36
MIN_NAME = 3
# Where what a warning speaks of is put right, by the beginning of its rule; else the room's choice.
REPAIRED_AT = {
    "NIK-AGE": "birth_date",
    "NIK-": "nik",
    "NO-BABY": "no_nik_reason",
    "NO-MOTHER-NIK": "mother_nik",
    "NO-PASSPORT-": "passport_no",
    "NO-BIRTH-ORDER": "birth_order",
    "BPJS-": "bpjs_number",
    "MOTHER-NIK": "mother_nik",
    "MOTHER-": "mother_name",
    "PASSPORT-": "passport_no",
    "PHONE-": "phone",
    "PERSON-": "name",
    "DEATH-": "",
    "E1": "pregnant",
    "W3": "pregnant",
    "K1": "cluster",
}


def given() -> dict[str, str]:
    """The answers of this request, by the other patient's public id."""
    return {
        name[len(ANSWER) :]: answer
        for name, answer in request.form.items()
        if name.startswith(ANSWER)
        and len(name) == len(ANSWER) + REF_LENGTH
        and answer in asking.STATES
    }


def reasons(start: str = "override_reason") -> dict[str, str]:
    """The reasons of this request by rule; '' is the one that answers all.

    `start` is how their names begin: a page with several people tells them apart by it.
    """
    form = re.compile(rf"{start}(?:-([A-Z0-9-]{{1,24}}))?")
    named = ((form.fullmatch(name), text) for name, text in request.form.items())
    return {name[1] or "": text.strip()[:LONGEST_REASON] for name, text in named if name}


def typed_reasons(draft: RegistrationDraft, found: Review) -> dict[str, str]:
    """What the boxes show. One reason for all is no answer about somebody else's NIK."""
    typed = draft.reasons | reasons()
    for_all = typed.get("", "")
    return {
        warned.rule: typed.get(warned.rule) or ("" if warned.patient else for_all)
        for warned in found.warnings
    }


def field_of(rule: str) -> str:
    """The form's field where this warning is put right; '' where there is nothing to repair."""
    return next((name for start, name in REPAIRED_AT.items() if rule.startswith(start)), "poli")


def leaves() -> bool:
    """Whether a button of the check page was pressed that does not save."""
    action = request.form.get("aksi", "")
    return action in (BACK, EMERGENCY) or action.startswith((THIS_IS, CHANGE, TICKET))


def other_room() -> str:
    """The room whose button was pressed beside a warning."""
    return _pressed(MOVE)


def were_asked() -> list[str]:
    """Whom the check page asked about."""
    refs = request.form.getlist("ditanya")
    return [ref for ref in refs if len(ref) == REF_LENGTH][: asking.MOST_ANSWERS]


def were_running() -> list[str] | None:
    """The running visits that the check page showed; None when what was sent does not say."""
    refs = request.form.get("berjalan")
    return None if refs is None else refs.split()


def chosen() -> Patient | None:
    """Whom the button "Ini orangnya" was pressed for."""
    ref = _pressed(THIS_IS)
    return patients.current(access.patient_or_404(ref)) if ref else None


def look(identity: Identity, patient: Patient | None) -> Likely:
    """Who a form, perhaps half filled, may be about."""
    numbers = identity.nik or identity.bpjs_number or identity.passport_no
    if not (numbers or len(identity.name) >= MIN_NAME):
        return Likely()
    return asking.look(identity, patient)


def to_answer(identity: Identity | None, patient: Patient | None) -> dict[str, str]:
    """Whom the save waits for, of a whole identity. Looked up before a transaction: it is slow."""
    if identity is None:
        return {}
    owner = identity_warnings.nik_owner(identity.nik, patient)
    besides = {owner.public_id} if owner else set()
    return asking.to_answer(asking.look(identity, patient), besides)


def noted(draft: RegistrationDraft | None, waiting: dict[str, str]) -> dict[str, str]:
    """What a draft keeps: all its answers and those of this request, and whom it waits for."""
    return asking.gather(draft.answers if draft else {}, given(), waiting)


def keep(draft: RegistrationDraft) -> None:
    """What was ticked and written on the check page stays in the draft."""
    with transaction():
        drafts.answer(draft, given(), reasons())


def leave(draft: RegistrationDraft) -> str:
    """Where a press on the check page leads that does not save; everything is kept."""
    found, visit = chosen(), _pressed(TICKET)
    keep(draft)
    if is_emergency():
        return emergency_address(draft)
    if visit:
        return url_for("registration.ticket", visit=access.visit_or_404(visit).public_id)
    if found:
        return comparison_address(draft, found, "periksa")
    field = _pressed(CHANGE)
    return form_address(draft, field if field.isascii() and field.isidentifier() else "")


def is_emergency() -> bool:
    """Whether the banner's button was pressed: to the emergency room first, all else later."""
    return request.form.get("aksi") == EMERGENCY


def emergency_address(draft: RegistrationDraft) -> str:
    """The emergency entry with what was typed so far; nothing personal stands in the address."""
    return url_for("registration.emergency", draf=draft.public_id)


def _pressed(which: str) -> str:
    """What stands behind the prefix of the button that was pressed; empty if another was."""
    action = request.form.get("aksi", "")
    return action[len(which) :] if action.startswith(which) else ""


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
