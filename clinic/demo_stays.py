"""From a planned demo visit to the rooms the patient went through, minute by minute."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from clinic import days
from clinic.demo_people import Person
from clinic.demo_visits import PlannedVisit, months_on
from models import EntryKind, EntryState, Poli, VisitStatus

LAB = "LAB"
LAB_SHARE = 0.3  # of the visits whose case has a laboratory result


@dataclass(frozen=True)
class Ending:
    """How a visit ended, and its stay in the queue with it."""

    status: VisitStatus
    state: EntryState
    reason: str = ""


SEEN = Ending(VisitStatus.FINISHED, EntryState.DONE)
ENDINGS = {
    SEEN: 965,
    Ending(VisitStatus.LEFT, EntryState.LEFT, "Tidak ada saat dipanggil tiga kali"): 18,
    Ending(VisitStatus.CANCELLED, EntryState.CANCELLED, "Salah daftar"): 9,
    Ending(VisitStatus.UNFINISHED, EntryState.UNFINISHED, days.DAY_OVER): 8,
}


@dataclass
class Stay:
    """One stay in one room; `place` is the visit's place in the list of plans."""

    place: int
    plan: PlannedVisit
    person: Person
    months: int | None
    ending: Ending
    room: Poli
    kind: EntryKind
    queued_at: datetime
    started_at: datetime
    ended_at: datetime
    is_last: bool = True
    seq: int = 0

    @property
    def is_seen(self) -> bool:
        return self.ending is SEEN


def stays(
    random: Random,
    people: Sequence[Person],
    plans: Iterable[PlannedVisit],
    rooms: Mapping[str, Poli],
    midnights: Mapping[date, datetime],
) -> list[Stay]:
    """All stays, those of one visit together; each day's arrivals are numbered in `seq`."""
    found: list[Stay] = []
    for place, plan in enumerate(plans):
        person = people[plan.person]
        months = months_on(person, plan.on)
        ending = random.choices(list(ENDINGS), list(ENDINGS.values()))[0]
        visit = (place, plan, person, months, ending)
        at = midnights[plan.on] + timedelta(minutes=plan.minute)
        room = rooms[plan.case.room_for(months)]
        found.append(_stay(random, visit, room, EntryKind.REGISTERED, at, 35))
        if ending is SEEN and plan.case.lab and random.random() < LAB_SHARE:
            first = found[-1]
            there = _stay(random, visit, rooms[LAB], EntryKind.ORDERED, first.ended_at, 15)
            back = _stay(random, visit, room, EntryKind.RESULT_BACK, there.ended_at, 6)
            first.is_last = there.is_last = False
            found += [there, back]
    _number_arrivals(found)
    return found


def _stay(
    random: Random, visit: tuple, room: Poli, kind: EntryKind, at: datetime, wait: int
) -> Stay:
    started = at + timedelta(minutes=random.triangular(2, 2 * wait, wait / 2))
    ended = started + timedelta(minutes=random.triangular(3, 16, 7))
    return Stay(*visit, room, kind, at, started, ended)


def _number_arrivals(found: list[Stay]) -> None:
    arrived: dict[date, int] = defaultdict(int)
    for stay in sorted(found, key=lambda stay: stay.queued_at):
        arrived[stay.plan.on] += 1
        stay.seq = arrived[stay.plan.on]
