"""What of a visit follows from who it is: cluster, priority and the place in line."""

from clinic import days, lab_rejudging, patients, queue_changes, todays_visits, visit_cluster
from clinic.audit import Actor
from clinic.patients import Identity
from clinic.review import Application, case_of, priority_of
from clinic.visit_snapshot import age_day, fill_gaps
from models import DraftKind, Patient, Poli, Priority, Visit

# Chosen by what was seen at the counter; the others follow from age and pregnancy.
SEEN_PRIORITIES = (Priority.DISABLED, Priority.EMERGENCY)


def as_registered(visit: Visit, patient: Patient, room: Poli) -> Application:
    """This visit as if it were registered for this patient in this room."""
    return Application(
        identity=patients.identity_of(patient),
        complaint=visit.complaint,
        poli_code=room.code,
        visit_type=visit.visit_type,
        # Asked of whoever stood there; a man never is.
        pregnant=visit.pregnant if patient.sex == "P" else "",
        priority=visit.priority if visit.priority in SEEN_PRIORITIES else "",
        kind=DraftKind.RETURNING,
        patient=patient,
        about_visit=visit,
        on=age_day(visit, patient, visit.service_day),
    )


def tell_pregnancy(actor: Actor, visit: Visit, answer: str) -> None:
    """What is told later, of a further room or by an examination, counts for the whole visit."""
    before = lab_rejudging.person(visit)
    visit.pregnant = answer
    follow(visit, visit.patient)
    lab_rejudging.of_visit(actor, visit, before, f"Hamil: {answer or 'tidak diketahui'}")


def correct(
    actor: Actor, patient: Patient, identity: Identity, reason: str, *, nik_disputed: bool = False
) -> bool:
    """Correct who it is (`patients.update`); the visits of the day that goes on follow.

    Of somebody who was unknown every visit is told what it lacks.
    """
    was_unknown = patient.is_unknown
    was = patient.sex, patient.birth_date
    changed = patients.update(actor, patient, identity, reason, nik_disputed=nik_disputed)
    if was_unknown:
        fill_gaps(patient)
    day = days.todays() if was != (patient.sex, patient.birth_date) else None
    for visit in todays_visits.of_people(day, [patient.id]).get(patient.id, ()):
        follow(visit, patient)
        queue_changes.bump_rooms_with(visit)
    return changed


def follow(visit: Visit, patient: Patient) -> None:
    """Compute anew what the save had computed from the person, by the save's own rules.

    A chosen cluster was a reasoned answer to the computed one: it holds as long as that does.
    """
    if not visit.entries:
        return
    told = as_registered(visit, patient, visit.entries[0].poli)
    priority = priority_of(told, case_of(told, days.clinic_date()))
    visit.pregnant = told.pregnant
    visit_cluster.compute(visit, patient)
    if priority == visit.priority:
        return
    visit.priority = priority
    for entry in visit.entries:
        if entry.state in days.STILL_HERE:
            entry.is_priority = queue_changes.goes_ahead(visit)
