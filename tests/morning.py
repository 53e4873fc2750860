"""A room in the middle of a morning: who waits there differs in name, complaint and arrival."""

from datetime import date, timedelta
from random import Random

from sqlalchemy import update

from clinic import demo_cases
from clinic.demo_names import GROUPS, full_name
from db import transaction, utcnow
from models import Priority, QueueEntry
from tests import factories

MOST_APART = 400  # seconds between two who arrive


def crowd(size: int, code: str = "UMUM") -> list[QueueEntry]:
    """Patients who wait in this room, in the order of their arrival; the same every time."""
    dice = Random(size)
    return [_arrived(dice, code, before) for before in _arrivals(dice, size)]


def _arrivals(dice: Random, size: int) -> list[int]:
    """Seconds before now, the longest wait first."""
    waits = [dice.randint(5, MOST_APART)]
    while len(waits) < size:
        waits.append(waits[-1] + dice.randint(5, MOST_APART))
    return waits[::-1]


def _arrived(dice: Random, code: str, seconds_ago: int) -> QueueEntry:
    sex, born = dice.choice("LP"), date(dice.randint(1940, 2019), dice.randint(1, 12), 1)
    born += timedelta(days=dice.randrange(28))
    group = dice.choices(list(GROUPS), list(GROUPS.values()))[0]
    person = factories.patient(full_name(dice, group, sex, born.year), birth_date=born, sex=sex)
    at = utcnow() - timedelta(seconds=seconds_ago)
    years = at.year - born.year
    case = demo_cases.draw(dice, "", years * 12, sex)
    priority = Priority.ELDERLY if years >= 60 else Priority.NONE
    entry = factories.entry(code, person, complaint=dice.choice(case.complaints), priority=priority)
    # An id begins with the time it was made at, and so would tell that all came in one second.
    moment = f"{int(at.timestamp() * 1000):012x}"
    arrived = {"queued_at": at, "public_id": f"{moment[:8]}-{moment[8:]}{entry.public_id[13:]}"}
    with transaction() as session:
        session.execute(update(QueueEntry).where(QueueEntry.id == entry.id).values(arrived))
    session.refresh(entry)
    return entry
