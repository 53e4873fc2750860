"""Who of the register each row of a list may be: a few queries for many rows at once.

The score is the one of the counter; only the way to the candidates is shorter. What it misses, a
wrong birth date together with a misspelt beginning of the name, the worker's look finds later.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Date, Integer, String, and_, column, func, select, union, values

from clinic import candidates, matching
from clinic.likeness import PLACEHOLDER_DAYS, compare_words
from clinic.matching import Match, Person
from clinic.name_index import name_key
from clinic.names import fold, prefix_tokens
from clinic.search import PERSON_COLUMNS
from db import db
from models import AliasKind, Household, Patient, PatientAlias, PatientToken

SHORTLIST = 6  # of those with a similar name; whoever shares a number is always looked at
SAME_NAME_FROM = 0.75
AT_ONCE = 500  # values of one IN list


@dataclass(frozen=True)
class Resemblance:
    """Whom a row resembles: surely, when a number and the name agree; or strongly."""

    key: int  # of a patient, or the number of another row
    match: Match
    is_same: bool  # the same person beyond doubt
    has_same_nik: bool


Pool = dict[int, set[int]]  # row -> ids of patients


def in_register(people: Mapping[int, Person]) -> dict[int, Resemblance]:
    """For each row that resembles a patient, whom most; patients as they count today."""
    numbered, similar = _by_number(people), _similar(people)
    ids = {one for pool in (numbered, similar) for found in pool.values() for one in found}
    known = _Register(ids)
    found = {}
    for row, person in people.items():
        close = [(one, known.keys[one]) for one in similar.get(row, ()) if one in known.keys]
        chosen = dict.fromkeys(matching.shortlist(person, close, SHORTLIST))
        chosen |= dict.fromkeys(numbered.get(row, ()))
        best = closest(person, known.people(chosen))
        if best:
            found[row] = best
    return found


def closest(person: Person, others: Iterable[tuple[int, Person]]) -> Resemblance | None:
    """The one whom the person resembles most, the surely same before all; None for nobody."""
    found = [
        Resemblance(key, match, _is_same(person, other), _has_same_nik(person, other))
        for key, other in others
        if (match := matching.score(person, other)).level == "strong"
        or _has_same_nik(person, other)
    ]
    return max(
        found, key=lambda one: (one.is_same, one.has_same_nik, one.match.points), default=None
    )


def marks(person: Person) -> list[str]:
    """By what another row of the same file would be recognised as this person."""
    born = person.birth_date
    found = [f"nik {person.own_nik}"] if person.own_nik else []
    if person.card:
        found.append(f"bpjs {person.card}")
    if born:
        found += [f"{born} {prefix}" for prefix in sorted(_prefixes(person))]
        found.append(f"{born.year} {name_key(person.name)}")
    return found


def near_marks(person: Person) -> list[str]:
    """The marks of those who may be this person: some years beside count too."""
    found = marks(person)
    if person.birth_date:
        key, year = name_key(person.name), person.birth_date.year
        off = range(-candidates.YEARS, candidates.YEARS + 1)
        found += [f"{year + years} {key}" for years in off if years]
    return found


def _is_same(one: Person, other: Person) -> bool:
    shares_card = bool(one.card) and one.card == other.card
    return (_has_same_nik(one, other) or shares_card) and same_name(one, other)


def _has_same_nik(one: Person, other: Person) -> bool:
    return bool(one.own_nik) and one.own_nik == other.own_nik


def same_name(one: Person, other: Person) -> bool:
    """Whether the names are one name, however it is spelt."""
    if not (one.key.words and other.key.words) or one.key.is_baby_of != other.key.is_baby_of:
        return fold(one.name) == fold(other.name)
    fit = compare_words(one.key.words, other.key.words)
    return fit.alike >= SAME_NAME_FROM and not fit.is_other_person


def _prefixes(person: Person) -> set[str]:
    return prefix_tokens(person.name) or {name_key(person.name)[:4]}


# Candidates


def _by_number(people: Mapping[int, Person]) -> Pool:
    niks, cards = _rows_by(people, "own_nik"), _rows_by(people, "card")
    families = _rows_by(people, "kk_number")
    pool: Pool = defaultdict(set)
    alias = and_(PatientAlias.kind == AliasKind.NIK, PatientAlias.ended_at.is_(None))
    lookups = (
        (niks, select(Patient.nik, Patient.id), Patient.nik),
        (
            niks,
            select(PatientAlias.value, PatientAlias.patient_id).where(alias),
            PatientAlias.value,
        ),
        (cards, select(Patient.bpjs_number, Patient.id), Patient.bpjs_number),
        (
            families,
            select(Household.kk_number, Patient.id).join(
                Patient, Patient.household_id == Household.id
            ),
            Household.kk_number,
        ),
    )
    for rows, statement, number in lookups:
        for part in _parts(rows):
            for value, patient_id in db.session.execute(statement.where(number.in_(part))):
                for row in rows[value]:
                    pool[row].add(patient_id)
    return pool


def _rows_by(people: Mapping[int, Person], name: str) -> dict[str, list[int]]:
    rows = defaultdict(list)
    for row, person in people.items():
        if value := getattr(person, name):
            rows[value].append(row)
    return rows


def _similar(people: Mapping[int, Person]) -> Pool:
    pool: Pool = defaultdict(set)
    for statement in _similar_statements(people):
        for row, patient_id in db.session.execute(statement):
            pool[row].add(patient_id)
    return pool


def _similar_statements(people: Mapping[int, Person]) -> Iterator:
    """Born on the same day; or two words (or the only one) in common, and nearly the same age."""
    born = [(row, one.birth_date) for row, one in people.items() if _has_real_day(one.birth_date)]
    if born:
        asked = _asked(born, row=Integer, born=Date)
        yield select(asked.c.row, Patient.id).join(Patient, Patient.birth_date == asked.c.born)
    words = [
        (row, prefix, one.birth_date.year, one.sex, min(2, len(prefixes)))
        for row, one in people.items()
        if one.birth_date
        for prefixes in (_prefixes(one),)
        for prefix in prefixes
    ]
    if words:
        asked = _asked(words, row=Integer, prefix=String, year=Integer, sex=String, needed=Integer)
        years, token = candidates.YEARS, PatientToken
        same = and_(token.prefix == asked.c.prefix, token.sex == asked.c.sex)
        is_near = token.birth_year.between(asked.c.year - years, asked.c.year + years)
        hits = union(  # two selects, so that each walks along the index
            *(
                select(asked.c.row, asked.c.needed, asked.c.prefix, token.patient_id).join(
                    token, and_(same, age)
                )
                for age in (is_near, token.birth_year.is_(None))
            )
        ).subquery()
        yield (
            select(hits.c.row, hits.c.patient_id)
            .group_by(hits.c.row, hits.c.patient_id, hits.c.needed)
            .having(func.count() >= hits.c.needed)
        )


def _has_real_day(born: date | None) -> bool:
    # Half a village is born on 1 July.
    return born is not None and (born.day, born.month) not in PLACEHOLDER_DAYS


def _asked(rows: list[tuple], **columns):
    """The rows as a table of the statement."""
    return values(*(column(name, kind) for name, kind in columns.items())).data(rows).cte("asked")


def _parts(keys: Iterable) -> Iterator[list]:
    keys = sorted(keys)
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


class _Register:
    """The patients that are looked at, under their names of today and before."""

    def __init__(self, ids: Iterable[int]) -> None:
        self.keys: dict[int, str] = {}
        self._rows: dict[int, tuple] = {}
        self._former: dict[int, list[str]] = defaultdict(list)
        self._made: dict[int, Person] = {}
        found: list[candidates.Candidate] = []
        for part in _parts(ids):
            found += self._read(part)
        self._current = candidates.current_ids(found)

    def _read(self, ids: list[int]) -> Iterator[candidates.Candidate]:
        columns = [getattr(Patient, name) for name in PERSON_COLUMNS]
        statement = (
            select(*candidates.COLUMNS, Household.kk_number, *columns)
            .outerjoin(Household, Household.id == Patient.household_id)
            .where(Patient.id.in_(ids), candidates.FINDABLE, ~Patient.is_unknown)
        )
        first = len(candidates.COLUMNS)
        for row in db.session.execute(statement):
            candidate = candidates.Candidate._make(row[:first])
            self.keys[candidate.id] = candidate.name_key
            self._rows[candidate.id] = tuple(row[first:])
            yield candidate
        former = select(PatientAlias.patient_id, PatientAlias.value).where(
            PatientAlias.patient_id.in_(ids),
            PatientAlias.kind.in_((AliasKind.NAME, AliasKind.NIK)),
            PatientAlias.ended_at.is_(None),
        )
        for patient_id, value in db.session.execute(former):
            self._former[patient_id].append(value)

    def people(self, ids: Iterable[int]) -> Iterator[tuple[int, Person]]:
        """Each of them by the id that counts today, once for each name and NIK."""
        for one in ids:
            if one not in self._rows:
                continue
            person = self._person(one)
            yield self._current[one], person
            for value in self._former.get(one, ()):
                former = {"nik": value} if value.isdecimal() else {"name": value}
                yield self._current[one], replace(person, **former)

    def _person(self, one: int) -> Person:
        if one not in self._made:
            kk_number, *rest = self._rows[one]
            fields = dict(zip(PERSON_COLUMNS, rest, strict=True))
            self._made[one] = Person(kk_number=kk_number, **fields)
        return self._made[one]
