"""Pairs on the demo clinic's worklist: people whom a clerk was not sure about."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from clinic import days, patients, search
from db import db
from models import PairSource, PairState, Patient, SuspectedPair, User

PAIRS = 6
ASKED = 200  # so many without a card are compared with everybody
FIRST_AT = timedelta(hours=9)


def write(clerk: User) -> None:
    """Some patients without a NIK beside whom they resemble most, a few days old."""
    without = select(Patient).where(Patient.nik.is_(None), ~Patient.is_unknown)
    asked = list(db.session.scalars(without.order_by(Patient.id).limit(ASKED)))
    found: dict[tuple[int, int], SuspectedPair] = {}
    for told in (True, False):  # then as if only name and village had been told
        for patient in asked:
            person = search.person_of(patients.identity_of(patient))
            person = person if told else replace(person, birth_date=None)
            best = search.likely(person, limit=1, exclude_ref=patient.public_id)
            if best and len(found) < PAIRS:
                first, second = sorted((patient.id, best[0].patient.id))
                if (first, second) not in found:
                    found[first, second] = _pair(first, second, best[0], len(found), clerk)
    db.session.add_all(found.values())
    db.session.flush()


def _pair(
    first: int, second: int, likely: search.LikelyMatch, place: int, clerk: User
) -> SuspectedPair:
    morning = days.midnight_utc(days.clinic_date()) + FIRST_AT
    return SuspectedPair(
        first_id=first,
        second_id=second,
        state=PairState.OPEN,
        source=PairSource.COUNTER,
        level=likely.match.level or "",
        points=likely.match.points,
        reasons="; ".join(likely.match.reasons),
        raised_at=morning - timedelta(days=place + 1),
        raised_by_id=clerk.id,
    )
