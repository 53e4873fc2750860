"""The ILP cluster in which a visit counts, computed anew when its person or its room changes."""

from clinic import routing
from clinic.visit_snapshot import age_day
from formatting import age_on
from models import EntryState, Patient, Poli, Visit


def follow_move(visit: Visit) -> None:
    """After a move, or its undo: the cluster of the right room, unless one was chosen (K1)."""
    if visit.cluster == visit.computed_cluster:
        compute(visit, visit.patient)


def compute(visit: Visit, patient: Patient) -> None:
    """As if the visit were registered for this patient where it counts.

    A chosen cluster was a reasoned answer to the computed one: it holds as long as that does.
    """
    cluster = routing.load().cluster(_case(visit, patient, _counted_room(visit)))
    if cluster.code != visit.computed_cluster:
        visit.cluster = visit.computed_cluster = cluster.code
    visit.cluster_rule = cluster.why[:60]


def _case(visit: Visit, patient: Patient, room: Poli) -> routing.Case:
    born, on = patient.birth_date, age_day(visit, patient, visit.service_day)
    return routing.Case(
        complaint=visit.complaint,
        sex=patient.sex,
        birth_date=born,
        age_months=age_on(born, on).total_months if born and born <= on else None,
        # Asked of whoever stood there; a man never is.
        pregnant=visit.pregnant if patient.sex == "P" else "",
        poli_code=room.code,
        on=on,
    )


def _counted_room(visit: Visit) -> Poli:
    """The visit's first room; one that was left before anybody began there was a wrong one."""
    entry, later = visit.entries[0], visit.entries[1:]
    while entry.state is EntryState.MOVED and entry.started_at is None:
        after = [one for one in later if one.previous_entry_id == entry.id and not one.undone_at]
        if not after:
            break
        entry = after[0]
    return entry.poli
