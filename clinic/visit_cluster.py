"""The ILP cluster in which a visit counts, computed anew when its person or its room changes."""

from collections.abc import Callable

from clinic import routing
from clinic.visit_snapshot import age_day
from models import EntryState, Patient, Poli, QueueEntry, Visit


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


def room_of(visit: Visit) -> Poli | None:
    """Where the visit was registered, or was moved to from there."""
    return _after_moves(visit, lambda _left: True)


def _counted_room(visit: Visit) -> Poli | None:
    """The visit's first room; one that was left before anybody began there was a wrong one."""
    return _after_moves(visit, lambda left: left.started_at is None)


def _after_moves(visit: Visit, goes_on: Callable[[QueueEntry], bool]) -> Poli | None:
    entry = visit.entries[0] if visit.entries else None
    while entry and entry.state is EntryState.MOVED and goes_on(entry):
        after = [
            one for one in visit.entries if one.previous_entry_id == entry.id and not one.undone_at
        ]
        if not after:
            break
        entry = after[-1]
    return entry.poli if entry else None


def _case(visit: Visit, patient: Patient, room: Poli | None) -> routing.Case:
    return routing.Case(
        complaint=visit.complaint,
        sex=patient.sex,
        birth_date=patient.birth_date,
        age_months=visit.age_months,
        # Asked of whoever stood there; a man never is.
        pregnant=visit.pregnant if patient.sex == "P" else "",
        poli_code=room.code if room else "",
        on=age_day(visit, patient, visit.service_day),
    )
