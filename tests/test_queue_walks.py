"""Whatever rooms do with a patient, in whatever order: the stays never contradict each other.

Steps are drawn at random, the same ones at each run, from those that the stay's state allows.
Each walk begins with a patient on loan: where rooms wait for one another most can go wrong.
"""

import random
from collections import Counter

import pytest
from sqlalchemy import select

from clinic import days, queues, withdrawals
from clinic.queue_loans import is_waited_for
from clinic.queue_steps import STEPS, QueueError, possible
from db import db, transaction
from models import EntryState, QueueEntry, Visit, VisitStatus
from tests import factories

ROOMS = ("UMUM", "GIGI", "LAB")
BETWEEN_ROOMS = ("rujuk", "rujuk_saja", "periksa")
WALKS, LENGTH = 20, 12


def take(visit: Visit, action: str, entry: QueueEntry, room: str) -> None:
    actor, poli = factories.actor("kepala"), factories.poli(room)
    if action.startswith("rujuk"):
        queues.refer(actor, entry, poli, "periksa", back=action == "rujuk")
    elif action == "periksa":
        queues.finish(actor, entry)
    elif action == "ruang":
        queues.enqueue(actor, visit, poli)
    elif action == "tarik":
        withdrawals.withdraw(actor, visit, "terdaftar dua kali")
    else:
        queues.act(actor, entry, action, "salah ruang", poli)


def draw(dice: random.Random, stays: list[QueueEntry]) -> tuple[str, QueueEntry, str]:
    entry = dice.choice(stays)
    further = BETWEEN_ROOMS if entry.state in STEPS["rujuk"].sources else ()
    visit = ("ruang", "tarik") if entry is stays[0] else ()
    action = dice.choice([*possible(entry), "urungkan", "urungkan", *further, *visit])
    return action, entry, dice.choice(ROOMS)


def contradictions(visit: Visit, stays: list[QueueEntry]) -> list[str]:
    here = [stay for stay in stays if stay.state in days.STILL_HERE]
    rooms = Counter(stay.poli_id for stay in here)
    found = {
        "open and nowhere, or over and somewhere": (visit.status is VisitStatus.OPEN) != bool(here),
        "twice in a room": max(rooms.values(), default=0) > 1,
        "here, but ended or undone": any(stay.ended_at or stay.undone_at for stay in here),
        "over without an end": any(not stay.ended_at for stay in stays if stay not in here),
        "waits for a result that never comes": any(
            stay.state is EntryState.AWAITING_RESULT and not is_waited_for(stay) for stay in here
        ),
    }
    return [words for words, is_so in found.items() if is_so]


@pytest.mark.engines("sqlite")
def test_no_walk_of_steps_leads_into_a_contradiction(app):
    steps: list[str] = []
    with transaction():  # one for all: what is refused goes back to its savepoint
        for seed in range(WALKS):
            dice, walk = random.Random(seed), []
            visit = factories.visit(factories.patient(f"Pasien {seed}"), "UMUM")
            take(visit, "rujuk", visit.entries[0], dice.choice(ROOMS[1:]))
            known = select(QueueEntry).where(QueueEntry.visit_id == visit.id)
            for _ in range(LENGTH):
                step = draw(dice, list(db.session.scalars(known.order_by(QueueEntry.id))))
                try:
                    with db.session.begin_nested():
                        take(visit, *step)
                except QueueError:
                    continue
                db.session.expire_all()
                walk.append(f"{step[1].poli.code} {step[0]} {step[2]}")
                assert not contradictions(visit, list(db.session.scalars(known))), (seed, walk)
            steps += walk
    assert len(steps) > 2 * WALKS, "most walks were refused"
