"""The worker's look for two records of one person, among those that nobody was asked about.

It goes through the register by id and through the changed identities, some at each look, and notes
in the worker's row how far it has come. So the whole register is compared once, after an import
or a first start too, and nobody waits for it.
"""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from clinic import audit, pairs, search
from clinic.matching import Match, Person
from db import db
from models import PairSource, PairState, Patient, PatientVersion

# Raise it when matching finds people it did not find before: the register is compared anew.
EDITION = 3
FOUND_AT_ONCE = 20  # the writing stays short
# More than what interrupts a clerk: among 100,000 invented people who are all different, those
# strong by a hair would fill the worklist with a thousand pairs.
WORTH_A_LOOK = 12.0  # points


@dataclass(frozen=True)
class Found:
    one_id: int
    other_id: int
    match: Match


@dataclass
class Look:
    """Where a look began and ended, and the strong matches without an answer."""

    began: tuple[int, int]  # the last patient, the last version
    patient_id: int
    version_id: int
    found: list[Found] = field(default_factory=list)

    @property
    def is_idle(self) -> bool:
        """Nothing was new."""
        return (self.patient_id, self.version_id) == self.began

    @property
    def place(self) -> str:
        """How far it has come, for the next look."""
        return f"{EDITION} {self.patient_id} {self.version_id}"


def look(place: str, limit: int) -> Look:
    """Compare at most `limit` people, those after `place`, with the register; only reads."""
    began = _began(place)
    done = Look(began, *began)
    changed = _changed(began[1], limit // 2)
    for version_id, patient_id in changed:
        patient = _one(Patient.id == patient_id)
        # One who is beyond the place will be met there.
        if patient is not None and patient_id <= began[0]:
            done.found += _strong(patient)
        done.version_id = version_id
        if len(done.found) >= FOUND_AT_ONCE:
            return done
    for patient in _registered(began[0], limit - len(changed)):
        done.found += _strong(patient)
        done.patient_id = patient.id
        if len(done.found) >= FOUND_AT_ONCE:
            return done
    return done


def keep(actor: audit.Actor, done: Look) -> int:
    """Put what a look found on the worklist; how many pairs are new."""
    new = 0
    for found in done.found:
        one, other = _one(Patient.id == found.one_id), _one(Patient.id == found.other_id)
        # Since the look somebody may have merged them, or answered.
        if one is None or other is None or _is_known(one, other):
            continue
        source = PairSource.SCAN
        pairs.note(actor, one, other, PairState.OPEN, source=source, match=found.match)
        new += 1
    return new


def _began(place: str) -> tuple[int, int]:
    numbers = [int(word) for word in place.split() if word.isdecimal()]
    if len(numbers) == 3 and numbers[0] == EDITION:
        return numbers[1], numbers[2]
    # What was changed before is met in the register itself.
    newest = select(PatientVersion.id).order_by(PatientVersion.id.desc()).limit(1)
    return 0, db.session.scalar(newest) or 0


def _changed(after: int, limit: int) -> list[tuple[int, int]]:
    versions = select(PatientVersion.id, PatientVersion.patient_id)
    newer = versions.where(PatientVersion.id > after).order_by(PatientVersion.id).limit(limit)
    return list(db.session.execute(newer).tuples())


_COMPARED = (
    select(Patient)
    .options(joinedload(Patient.household))
    .where(Patient.is_active, Patient.merged_into_id.is_(None), ~Patient.is_unknown)
)


def _one(condition) -> Patient | None:
    return db.session.scalar(_COMPARED.where(condition))


def _registered(after: int, limit: int) -> list[Patient]:
    newer = _COMPARED.where(Patient.id > after).order_by(Patient.id).limit(limit)
    return list(db.session.scalars(newer))


def _strong(patient: Patient) -> list[Found]:
    person = _person(patient)
    return [
        Found(patient.id, likely.patient.id, likely.match)
        for likely in search.likely(person, exclude_ref=patient.public_id)
        if likely.match.points >= WORTH_A_LOOK
        and not likely.patient.is_unknown
        and not _is_known(patient, likely.patient)
    ]


def _person(patient: Patient) -> Person:
    known = {name: getattr(patient, name) for name in search.PERSON_COLUMNS}
    return Person(kk_number=patient.household.kk_number if patient.household else None, **known)


def _is_known(one: Patient, other: Patient) -> bool:
    return pairs.between(one, other) is not None or other.id in pairs.different_from(one)
