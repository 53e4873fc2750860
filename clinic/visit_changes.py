"""What changes on a visit after its save: each field with how it stood before, and why."""

from clinic import days
from clinic.audit import Actor
from clinic.patients import Identity
from clinic.villages import is_in_area
from clinic.visit_person import follow
from clinic.visit_snapshot import take_age
from db import add_row
from models import Patient, Visit, VisitCorrection

COMPLETED = "Identitas dilengkapi"
OF_RECORD = ("payer", "bpjs_number", "village")


def note(
    actor: Actor, visit: Visit, field: str, before: str, after: str, reason: str
) -> VisitCorrection:
    """Keep how it stood, how it is now, and why."""
    return add_row(
        VisitCorrection(
            visit_id=visit.id,
            field=field,
            before=before,
            after=after,
            reason=reason,
            corrected_by_id=actor.user_id,
        )
    )


def tell_visit(
    actor: Actor, visit: Visit, before: Identity, patient: Patient, bpjs_home: str
) -> None:
    """The visit on which `before` was completed to what the record says of the patient now.

    Payer, card and village are the visit's own, as they were that day: only what was told anew
    reaches it, and of somebody known only while its day goes on.
    """
    take_age(visit, patient, visit.service_day)
    is_open = before.is_unknown or days.goes_on(visit.service_day)
    told = {name: getattr(patient, name) for name in OF_RECORD} if is_open else {}
    told = {name: value for name, value in told.items() if value != getattr(before, name)}
    if is_open and told.get("payer", visit.payer) == patient.payer:  # else it was asked of another
        told["bpjs_home"] = bpjs_home
    for name, value in told.items():
        was = getattr(visit, name)
        if was and was != value and not before.is_unknown:
            note(actor, visit, name, was, value or "", COMPLETED)
        setattr(visit, name, value)
    if "village" in told:
        visit.is_in_area = is_in_area(visit.village)
    follow(visit, patient)
