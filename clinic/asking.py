"""Asked at the counter: is this somebody we have? Whom to ask about, and what was answered.

A draft keeps answers by the public id of the other record: "beda" or "ragu", and "" for one that
was asked about and waits for its answer. Who is the patient is no answer: it changes the draft.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from clinic import audit, matching, pairs, patients, search
from clinic.patients import Identity
from clinic.search import LikelyMatch
from db import db
from models import PairSource, PairState, Patient

STATES = {"beda": PairState.DIFFERENT, "ragu": PairState.OPEN}
MOST_ANSWERS = 40
MOST_FAMILY = 3  # a hint must not drown the matches
NOT_SAID = matching.Match(0.0, "strong")


@dataclass(frozen=True)
class Likely:
    """Who the person may be, best first; `family` only shares the household.

    `standing` are answers of former days that are still open.
    """

    alike: list[LikelyMatch] = field(default_factory=list)
    family: list[LikelyMatch] = field(default_factory=list)
    standing: dict[str, str] = field(default_factory=dict)

    def strong(self, besides: Collection[str] = ()) -> list[LikelyMatch]:
        """Those that interrupt, without the records of these public ids."""
        return [
            one
            for one in self.alike
            if one.match.level == "strong" and one.patient.public_id not in besides
        ]


# Whom to ask about


def look(identity: Identity, patient: Patient | None = None) -> Likely:
    """Who this may be; not `patient`, nor anyone who was answered to be somebody else than it."""
    if identity.is_unknown:
        return Likely()
    known = {patient.id} | pairs.different_from(patient) if patient else set()
    # Of a record that was chosen only another record of the same person matters.
    found = search.likely(search.person_of(identity), exclude=known, with_family=not patient)
    alike = [one for one in found if one.match.level]
    family = [one for one in found if not one.match.level and _is_sibling(one)]
    open_with = pairs.open_with(patient) if patient and alike else set()
    standing = {one.patient.public_id: "ragu" for one in alike if one.patient.id in open_with}
    return Likely(alike, family[:MOST_FAMILY], standing)


def came_meanwhile(identity: Identity, since: datetime, known: Collection[str]) -> bool:
    """Whether a colleague registered this very person since; `known` were asked about already.

    With a NIK its owner is found at the save anyway.
    """
    if identity.nik or identity.is_unknown:
        return False
    found = search.just_registered(search.person_of(identity), since)
    return any(match.level == "strong" and ref not in known for ref, match in found)


def questions(
    found: Likely, answers: Mapping[str, str], besides: Collection[str] = ()
) -> list[LikelyMatch]:
    """Who must be answered about: the strong ones, and those who were strong when asked."""
    strong = found.strong(besides)
    shown = {one.patient.public_id for one in strong} | set(besides)
    waiting = [ref for ref, answer in answers.items() if not answer and ref not in shown]
    if not waiting:
        return strong
    alike = {one.patient.public_id: one for one in found.alike}
    asked = _by_refs(ref for ref in waiting if ref not in alike)
    seen = search.last_visits(patient.id for patient in asked.values())
    return strong + [
        alike.get(ref) or LikelyMatch(asked[ref], NOT_SAID, seen.get(asked[ref].id))
        for ref in waiting
        if ref in alike or ref in asked
    ]


def _is_sibling(one: LikelyMatch) -> bool:
    return one.match.household_hint == matching.SIBLING_HINT


# What was answered


def to_answer(found: Likely, besides: Collection[str]) -> dict[str, str]:
    """Whom a draft waits for: the strong ones, and what is still open of former days."""
    return {one.patient.public_id: "" for one in found.strong(besides)} | found.standing


def gather(
    before: Mapping[str, str], given: Mapping[str, str], waiting: Mapping[str, str]
) -> dict[str, str]:
    """What a draft keeps: every answer so far, and whom it waits for (see `to_answer`)."""
    answered = {ref: answer for ref, answer in before.items() if answer} | dict(given)
    kept = dict(waiting) | answered
    return dict(list(kept.items())[:MOST_ANSWERS])


def of_today(answers: Mapping[str, str], patient: Patient | None) -> dict[str, str]:
    """The answers by the records that count today; none about what became the patient's own."""
    if not answers:
        return {}
    people, found = _by_refs(answers), {}
    for ref, answer in answers.items():
        now = patients.current(people[ref]) if ref in people else None
        if now is None or patient is None or now.id != patient.id:
            key = now.public_id if now else ref
            found[key] = max(found.get(key, ""), answer)  # "" < "beda" < "ragu": a doubt stays
    return found


def unanswered(
    answers: Mapping[str, str], asked: Collection[str], besides: Collection[str] = ()
) -> list[str]:
    """Public ids of those who were asked about, in the draft or on the check page, in vain."""
    waiting = [ref for ref, answer in answers.items() if answer not in STATES]
    waiting += [ref for ref in asked if ref not in answers]
    return [ref for ref in waiting if ref not in besides]


def remember(
    actor: audit.Actor,
    patient: Patient,
    answers: Mapping[str, str],
    *,
    disputed_with: Patient | None = None,
    reason: str = "",
    source: PairSource = PairSource.COUNTER,
) -> None:
    """Make each answer a pair of the records: remembered for ever, or for the records staff.

    A disputed NIK is always theirs to resolve, whatever else was answered about its owner.
    """
    answered = {ref: STATES[answer] for ref, answer in answers.items() if answer in STATES}
    states: dict[int, PairState] = {}
    for ref, other in _by_refs(answered).items():
        states[patients.current(other).id] = answered[ref]
    if disputed_with is not None:
        states[disputed_with.id] = PairState.OPEN
    states.pop(patient.id, None)
    for other_id, state in states.items():
        other = db.session.get_one(Patient, other_id)
        text = reason if disputed_with is not None and other is disputed_with else ""
        match = _score(patient, other)
        pairs.note(actor, patient, other, state, source=source, match=match, note=text)


def _score(patient: Patient, other: Patient) -> matching.Match:
    one, two = (search.person_of(patients.identity_of(each)) for each in (patient, other))
    return matching.score(one, two)


def _by_refs(refs) -> dict[str, Patient]:
    wanted = list(refs)
    if not wanted:
        return {}
    found = db.session.scalars(select(Patient).where(Patient.public_id.in_(wanted)))
    by_ref = {patient.public_id: patient for patient in found}
    return {ref: by_ref[ref] for ref in wanted if ref in by_ref}
