"""Finding patients: what the clerk types, and who is probably meant by a half-filled form."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import joinedload

from clinic import candidates, days, lookalikes, matching, nameless, typed_search
from clinic.among import among
from clinic.candidates import Candidate
from clinic.likeness import compare_words
from clinic.matching import Match, Person
from clinic.name_index import cut_words, name_key, own_words
from clinic.names import name_tokens, search_words
from clinic.patients import Identity
from clinic.typed_birth import Span, is_within, on_day
from db import db, run
from models import AliasKind, Household, Patient, PatientAlias, ServiceDay, Visit, VisitStatus

LONGEST_QUERY = 200
ALIKE_FROM = 0.85
MOST_NUMBERS = 3  # beside a name
NEWEST = 50  # patients of the last minutes
PERSON_COLUMNS = [field.name for field in fields(Person) if field.name != "kk_number"]


@dataclass(frozen=True)
class Found:
    patient: Patient
    last_visit_on: date | None
    is_alike: bool = False  # nobody is written as typed; this name is nearly so


@dataclass(frozen=True)
class LikelyMatch:
    patient: Patient
    match: Match
    last_visit_on: date | None


def person_of(identity: Identity) -> Person:
    """What matching compares."""
    values = {field.name: getattr(identity, field.name) for field in fields(Person)}
    return Person(**values | {"birth_precision": str(identity.birth_precision)})


def find(q: str, birth_date: date | None = None, limit: int = 20) -> list[Found]:
    """Patients by NIK, BPJS, KK, passport, MRN or phone number, else by name; best first.

    The word for a number may stand before it. A date inside q counts as the birth date, also in
    short ("25-5-90", "250590" or "1990" beside a name); a number beside a name leads to whoever
    has both, else to its bearers before those of the name. A merged patient appears as its
    survivor. Where nobody has the name, those who are called alike.
    """
    text = q.strip()[:LONGEST_QUERY]
    typed, whole = typed_search.read(text, days.clinic_date()), typed_search.plain(text)
    parts = [number for number in typed.numbers if number != whole][:MOST_NUMBERS]
    numbered, beside = candidates.by_number(whole, parts)
    if numbered:
        return of_ids(list(_unique(numbered))[:limit])
    born = on_day(birth_date) if birth_date else typed.born
    words, key = _typed_words(typed.name), name_key(typed.name)
    bearers = _unique(beside)
    both = [patient_id for patient_id, one in bearers.items() if _has_words(one, words)]
    if both or not (words or born):
        return of_ids(both[:limit])
    # A stand-in's date is no birth date; but another X may be born on that day.
    if stand_ins := nameless.typed_names(typed.name, _day(born)):
        bearers |= _unique(candidates.called(stand_ins))
    people = _named(words, key, born)
    # Who writes KR may mean Karaeng, or have begun to write Kristina.
    if not people and (written := _typed_words(typed.name, as_written=True)) != words:
        people = _named(written, key, born)
    if not (people or bearers) and words:
        ids = list(_unique(_alike(typed.name, born)))[:limit]
        return [replace(one, is_alike=True) for one in of_ids(ids)]
    visits = last_visits({**people, **bearers})
    # A phone may be a whole village's: it must not crowd out who has the name.
    few, named = list(bearers)[: limit // 2], _order(people, words, key, born, visits)
    # "250590" may be a number, but who has the name and that birth date is meant before others.
    is_birth = typed.short is not None and typed.short.may_be_number and not birth_date
    first = [*named, *few] if is_birth else [*few, *named]
    return _found(list(dict.fromkeys(first))[:limit], visits)


def of_ids(ids: list[int]) -> list[Found]:
    """These patients as a search finds them, in this order."""
    return _found(ids, last_visits(ids))


def likely(
    person: Person,
    limit: int = 8,
    exclude_ref: str | None = None,
    *,
    exclude: Collection[int] = (),
    with_family: bool = False,
) -> list[LikelyMatch]:
    """Existing patients who may be this person, best first; never those who are excluded.

    With family also those without a level who share the household, at the end.
    """
    similar = lookalikes.shortlist(person, lookalikes.similar(person))
    pool = [*lookalikes.same_numbers(person), *similar]
    matches: dict[int, Match] = {}
    ranked = matching.rank(person, _people(pool), len(pool), include_household=with_family)
    for patient_id, match in ranked:
        if patient_id not in exclude:
            matches.setdefault(patient_id, match)
    best = list(matches)[: limit + 1]
    visits = last_visits(best)
    return [
        LikelyMatch(patient, matches[patient.id], visits.get(patient.id))
        for patient in _load(best)
        if patient.public_id != exclude_ref
    ][:limit]


def just_registered(person: Person, since: datetime) -> list[tuple[str, Match]]:
    """Who was registered after this instant and may be this person, best first; one query.

    Only the newest patients are looked at: those of the minutes between a check and its save.
    """
    rows = run(_JUST_REGISTERED, {"since": since}).all()
    people = (
        (public_id, Person(kk_number=kk_number, **dict(zip(PERSON_COLUMNS, values, strict=True))))
        for public_id, kk_number, *values in rows
    )
    return matching.rank(person, people)


def last_visits(patient_ids: Iterable[int]) -> dict[int, date]:
    """The day of each patient's last visit that was not cancelled; one query."""
    ids = list(patient_ids)
    if not ids:
        return {}
    return dict(db.session.execute(_LAST_VISITS, {"ids": ids}).tuples().all())


# What was typed


def _named(words: list[str], key: str, born: tuple[Span, ...]) -> dict[int, Candidate]:
    return _unique(candidates.born_on(words, born) if born else candidates.named(words, key))


def _day(born: tuple[Span, ...]) -> date | None:
    return born[0].first if born and born[0].is_day else None


def _typed_words(text: str, *, as_written: bool = False) -> list[str]:
    folded = [word for word in search_words(text, as_written) if not word.isdigit()]
    return cut_words(folded or [word for word in own_words(text) if any(map(str.isalpha, word))])


def _has_words(one: Candidate, words: list[str]) -> bool:
    own = one.name_key.split()
    return all(any(mine.startswith(word) for mine in own) for word in words)


def _alike(text: str, born: tuple[Span, ...]) -> list[Candidate]:
    """Whose name is a slip away, best first; with a birth date only those born on that day."""
    words = name_tokens(text).words
    alike = []
    for one in _shortlist(text, born) if words else []:
        fit = compare_words(words, tuple(one.name_key.split()))
        if fit.alike >= ALIKE_FROM and not fit.is_other_person:
            alike.append((fit.alike, one))
    return [one for _, one in sorted(alike, key=lambda pair: -pair[0])]


def _shortlist(text: str, born: tuple[Span, ...]) -> Iterable[Candidate]:
    for day in [span.first for span in born if span.is_day] or [None]:
        person = Person(name=text, birth_date=day)
        found = lookalikes.similar(person)
        fitting = [one for one in found if not born or is_within(one.birth_date, born)]
        yield from lookalikes.shortlist(person, fitting)


# From candidates to patients


def _unique(found: list[Candidate]) -> dict[int, Candidate]:
    """The candidates by the id that counts today, in their order."""
    current = candidates.current_ids(found)
    unique: dict[int, Candidate] = {}
    for one in found:
        unique.setdefault(current[one.id], one)
    return unique


def _order(
    people: dict[int, Candidate],
    words: list[str],
    key: str,
    born: tuple[Span, ...],
    visits: dict[int, date],
) -> list[int]:
    """Ids: the very birth date, the whole name, whole words, then who was here last."""
    whole = sorted(key.split())

    def place(patient_id: int):
        one = people[patient_id]
        own = one.name_key.split()
        seen = visits.get(patient_id, date.min)
        return (
            bool(born) and not is_within(one.birth_date, born),
            sorted(own) != whole,
            -sum(word in own for word in words),
            -seen.toordinal(),
            one.name_key,
            patient_id,
        )

    return sorted(people, key=place)


def _found(ids: list[int], visits: dict[int, date]) -> list[Found]:
    return [Found(patient, visits.get(patient.id)) for patient in _load(ids)]


def _load(ids: list[int]) -> list[Patient]:
    if not ids:
        return []
    loaded = {patient.id: patient for patient in db.session.scalars(_PATIENTS, {"ids": ids})}
    return [loaded[patient_id] for patient_id in ids if patient_id in loaded]


def _people(pool: list[Candidate]) -> list[tuple[int, Person]]:
    """Each candidate as matching sees them, once under every name, with the id of today."""
    current = candidates.current_ids(pool)
    if not current:
        return []
    ids = {"ids": list(current)}
    people = {
        patient_id: Person(kk_number=kk_number, **dict(zip(PERSON_COLUMNS, values, strict=True)))
        for patient_id, kk_number, *values in db.session.execute(_PEOPLE, ids).all()
    }
    known = [(current[patient_id], person) for patient_id, person in people.items()]
    for patient_id, name in db.session.execute(_FORMER_NAMES, ids):
        known.append((current[patient_id], replace(people[patient_id], name=name)))
    return known


# Built once: building a statement costs more than SQLite needs to answer it. Tables, not classes:
# rows of plain columns cost half as much.

_PATIENT, _ALIAS = Patient.__table__.c, PatientAlias.__table__.c
_VISIT, _DAY, _HOUSEHOLD = Visit.__table__.c, ServiceDay.__table__.c, Household.__table__.c
_LAST_VISITS = (
    select(_VISIT.patient_id, func.max(_DAY.day_on))
    .join(ServiceDay.__table__, _DAY.id == _VISIT.service_day_id)
    .where(among(_VISIT.patient_id, "ids"), _VISIT.status != VisitStatus.CANCELLED)
    .group_by(_VISIT.patient_id)
)
_PEOPLE = (
    select(_PATIENT.id, _HOUSEHOLD.kk_number, *(_PATIENT[name] for name in PERSON_COLUMNS))
    .outerjoin(Household.__table__, _HOUSEHOLD.id == _PATIENT.household_id)
    .where(among(_PATIENT.id, "ids"))
)
_NEWEST = select(_PATIENT.id).order_by(_PATIENT.id.desc()).limit(NEWEST).subquery()
_JUST_REGISTERED = (
    select(_PATIENT.public_id, _HOUSEHOLD.kk_number, *(_PATIENT[name] for name in PERSON_COLUMNS))
    .join(_NEWEST, _NEWEST.c.id == _PATIENT.id)
    .outerjoin(Household.__table__, _HOUSEHOLD.id == _PATIENT.household_id)
    .where(
        _PATIENT.registered_at > bindparam("since", type_=_PATIENT.registered_at.type),
        _PATIENT.is_active,
        _PATIENT.merged_into_id.is_(None),
    )
)
_FORMER_NAMES = select(_ALIAS.patient_id, _ALIAS.value).where(
    among(_ALIAS.patient_id, "ids"),
    _ALIAS.kind == AliasKind.NAME,
    _ALIAS.ended_at.is_(None),
)
_PATIENTS = (
    select(Patient)
    .options(joinedload(Patient.household))
    .where(among(Patient.id, "ids"), Patient.is_active)
)
