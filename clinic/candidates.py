"""Who might be meant: the queries behind search and matching, each along an index."""

import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import Select, and_, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from clinic import matching
from clinic.likeness import near_dates
from clinic.matching import Person
from clinic.name_index import cut_words, name_key, own_words
from clinic.names import PREFIX_LENGTH, SHORT_WORD, join_words, prefix_tokens
from clinic.usable import usable_number
from db import db
from models import AliasKind, DatePrecision, Household, Patient, PatientAlias, PatientToken
from validators import normalise_phone

POOL = 100  # bearers of a name that are looked at
WIDE_POOL = 400  # those with a word in common
FEW = 30  # of those who share a number
COUNTED = 5000  # bearers of a word; beyond, one is as frequent as the other
FREQUENT = 1000  # a word with more bearers tells nothing without a birth date
SHORTLIST = 50  # are compared in full
SHORTLIST_BORN = 16  # of these at most, because of the birth date
YEARS = 2  # a told age is wrong by so much
MRN_LENGTHS = range(1, 11)
NIK_LENGTH, BPJS_LENGTH, PHONE_LENGTHS = 16, 13, range(6, 21)

# Of a merged patient is_active says nothing: the survivor's counts.
FINDABLE = or_(Patient.is_active, Patient.merged_into_id.is_not(None))


class Candidate(NamedTuple):
    """A patient's id, merged or not, with what the next step sorts by."""

    id: int
    name_key: str
    birth_date: date | None
    merged_into_id: int | None


COLUMNS = (Patient.id, Patient.name_key, Patient.birth_date, Patient.merged_into_id)


def _read(statement: Select) -> list[Candidate]:
    return list(map(Candidate._make, db.session.execute(statement.where(FINDABLE))))


def current_ids(found: Iterable[Candidate]) -> dict[int, int]:
    """For each candidate's id the one that counts today: its own, or the survivor's of a merge."""
    into = {one.id: one.merged_into_id or one.id for one in found}
    pending = set(into.values()) - into.keys()
    while pending:
        merged = select(Patient.id, Patient.merged_into_id).where(Patient.id.in_(pending))
        for row in db.session.execute(merged):
            into[row.id] = row.merged_into_id or row.id
        pending = set(into.values()) - into.keys()
    return {start: _end(into, start) for start in into}


def _end(into: dict[int, int], start: int) -> int:
    while into[start] != start:
        start = into[start]
    return start


# By number


def by_number(text: str) -> list[Candidate]:
    """Whoever has the typed number, the surest kind of number first."""
    compact = re.sub(r"[\s.:\-/]+", "", text).upper()
    if not re.search(r"[0-9]", compact):
        return []
    conditions = [
        Patient.mrn.in_({text.upper(), compact}),
        _has_alias(AliasKind.MRN, {text, compact}),
    ]
    if re.fullmatch(r"\+?[0-9]+", compact):
        conditions = _digit_conditions(compact.lstrip("+"), text) + conditions
    if re.fullmatch(r"[A-Z0-9]{5,20}", compact):
        conditions.append(Patient.passport_no == compact)
    return _read(_any_of(conditions))


def same_numbers(person: Person) -> list[Candidate]:
    """Whoever shares a number with the person, be it their own or the family's."""
    nik, card = usable_number(person.nik, NIK_LENGTH), usable_number(person.bpjs_number, 13)
    mother = usable_number(person.mother_nik, NIK_LENGTH)
    family = usable_number(person.kk_number, NIK_LENGTH)
    conditions: list[ColumnElement[bool]] = []
    if nik:
        conditions += [Patient.nik == nik, _has_alias(AliasKind.NIK, {nik})]
    if card:
        conditions.append(Patient.bpjs_number == card)
    if person.phone:
        conditions.append(Patient.phone == normalise_phone(person.phone[:20]))
    if mother:
        conditions.append(Patient.mother_nik == mother)
    if family:
        conditions.append(_in_family(family))
    return _read(_any_of(conditions)) if conditions else []


def _any_of(conditions: Sequence[ColumnElement[bool]], most: Sequence[int] | None = None) -> Select:
    limits = most or [FEW] * len(conditions)
    # One select a condition, so that each walks its own index; a phone may be a whole village's.
    parts = (
        select(Patient.id, literal(place).label("place")).where(condition).limit(limit).subquery()
        for place, (condition, limit) in enumerate(zip(conditions, limits, strict=True))
    )
    hits = union_all(*(select(part.c.id, part.c.place) for part in parts)).subquery()
    columns = select(*COLUMNS).join(hits, hits.c.id == Patient.id)
    return columns.order_by(hits.c.place, Patient.id)


def _digit_conditions(digits: str, text: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    bare = digits.lstrip("0")
    if len(bare) <= MRN_LENGTHS[-1]:
        padded = {digits, *(bare.zfill(length) for length in MRN_LENGTHS)}
        found.append(Patient.mrn.in_(sorted(padded)))
    if len(digits) == NIK_LENGTH:
        found += [Patient.nik == digits, _in_family(digits), Patient.mother_nik == digits]
        found.append(_has_alias(AliasKind.NIK, {digits}))
    if len(digits) == BPJS_LENGTH:
        found.append(Patient.bpjs_number == digits)
    if len(digits) in PHONE_LENGTHS and len(text) in PHONE_LENGTHS:
        found.append(Patient.phone == normalise_phone(text))
    return found


def _in_family(kk_number: str) -> ColumnElement[bool]:
    family = select(Household.id).where(Household.kk_number == kk_number)
    return Patient.household_id == family.scalar_subquery()


def _has_alias(kind: AliasKind, values: set[str]) -> ColumnElement[bool]:
    return Patient.id.in_(
        select(PatientAlias.patient_id).where(
            PatientAlias.kind == kind,
            PatientAlias.value.in_(sorted(values)),
            PatientAlias.ended_at.is_(None),
        )
    )


# By name, for search


def named(words: Sequence[str], key: str) -> list[Candidate]:
    """Whose words begin with the typed ones: whole names, whole words, then beginnings."""
    whole = select(*COLUMNS).where(Patient.name_key == key).limit(POOL)
    found = _read(whole) + _worded(words)
    for place, (first, second) in enumerate(pairwise(words)):
        # "nur hayati" must find "Nurhayati".
        if 1 < len(first) <= SHORT_WORD:
            return found + _worded([*words[:place], join_words(first, second), *words[place + 2 :]])
    return found


def born_on(words: Sequence[str], born: date) -> list[Candidate]:
    """Who has the words and this birth date, or only its month or year where no more is known."""
    month_end = monthrange(born.year, born.month)[1]
    is_in_month = Patient.birth_date.between(born.replace(day=1), born.replace(day=month_end))
    fits = or_(
        Patient.birth_date == born,
        Patient.birth_precision == DatePrecision.YEAR,
        and_(Patient.birth_precision == DatePrecision.MONTH, is_in_month),
    )
    in_year = Patient.birth_date.between(date(born.year, 1, 1), date(born.year, 12, 31))
    has_words = (_has_word(Patient.id, word) for word in words)
    statement = select(*COLUMNS).where(in_year, fits, *has_words)
    return _read(statement.order_by((Patient.birth_date == born).desc(), Patient.id).limit(POOL))


def _worded(words: Sequence[str]) -> list[Candidate]:
    driver = _rarest(words)
    id_ = PatientToken.patient_id  # not Patient.id: a word that is missing saves reading the row
    statement = (
        select(*COLUMNS)
        .join(PatientToken, PatientToken.patient_id == Patient.id)
        .where(_starts(driver), *(_has_word(id_, word) for word in words if word != driver))
        .order_by(PatientToken.word, PatientToken.patient_id)
        .limit(POOL)
    )
    return _read(statement)


def _rarest(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0]
    bearers = db.session.execute(select(*(_count(_starts(word)) for word in words))).one()
    return min(zip(bearers, (-len(word) for word in words), words, strict=True))[2]


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    some = select(PatientToken.patient_id).where(condition).limit(COUNTED).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _starts(word: str, token=PatientToken) -> ColumnElement[bool]:
    # A range, because LIKE uses the index on neither engine.
    return and_(token.word >= word, token.word < word + "\U0010ffff")


def _has_word(patient_id, word: str) -> ColumnElement[bool]:
    token = aliased(PatientToken)
    return exists().where(token.patient_id == patient_id, _starts(word, token))


# By name, for matching


def similar(person: Person) -> list[Candidate]:
    """Who shares the beginning of a word, best those with more of them, the sex and the age.

    Without a birth date only by the rarer words: everyone called Siti is no answer.
    """
    words = cut_words(own_words(person.name))
    prefixes = sorted(prefix_tokens(person.name) or {word[:PREFIX_LENGTH] for word in words})
    found: list[Candidate] = []
    if person.birth_date is None:
        prefixes = _rare(prefixes)
    if prefixes:
        hits = _sharing(prefixes, person)
        found = _read(select(*COLUMNS).join(hits, hits.c.patient_id == Patient.id))
    # The birth date may be the field that was mistyped, or the beginning of each word.
    alike = {Patient.name_key == name_key(person.name): POOL}
    if born := person.birth_date:
        slips = sorted(near_dates(born) - {born})
        alike |= {Patient.birth_date == born: POOL, Patient.birth_date.in_(slips): WIDE_POOL}
    found += _read(_any_of(list(alike), list(alike.values())))
    return sorted(dict.fromkeys(found), key=lambda one: one.birth_date != person.birth_date)


def shortlist(person: Person, found: Sequence[Candidate]) -> list[Candidate]:
    """The candidates worth a full comparison, at most SHORTLIST of those `similar` found.

    By their names, but some places are kept for those born on the date or a slip from it: among
    all who are called Aminah a namesake would hide the Intan Aminah of this very day.
    """
    near = near_dates(person.birth_date) if person.birth_date else set()
    born = [(one, one.name_key) for one in found if one.birth_date in near]
    chosen = matching.shortlist(person, born, SHORTLIST_BORN)
    taken = {one.id for one in chosen}
    others = [(one, one.name_key) for one in found if one.id not in taken]
    return chosen + matching.shortlist(person, others, SHORTLIST - len(chosen))


def _rare(prefixes: Sequence[str]) -> list[str]:
    if not prefixes:
        return []
    counts = (_count(PatientToken.prefix == prefix) for prefix in prefixes)
    bearers = db.session.execute(select(*counts)).one()
    return [p for p, count in zip(prefixes, bearers, strict=True) if count < FREQUENT]


def _sharing(prefixes: Sequence[str], person: Person):
    columns = (PatientToken.patient_id, PatientToken.birth_year, PatientToken.sex)
    tokens = select(*columns).where(PatientToken.prefix.in_(prefixes))
    year = person.birth_date.year if person.birth_date else None
    if year is not None:
        near = PatientToken.birth_year.in_(range(year - YEARS, year + YEARS + 1))
        unknown = PatientToken.birth_year.is_(None)
        # Two selects: with OR the index would not hold all that is read.
        hits = union_all(tokens.where(near), tokens.where(unknown)).subquery()
    else:
        hits = tokens.subquery()
    distance = func.coalesce(func.min(func.abs(hits.c.birth_year - (year or 0))), YEARS)
    return (
        select(hits.c.patient_id)
        .group_by(hits.c.patient_id)
        .order_by(
            func.count().desc(),
            (func.max(hits.c.sex) == (person.sex or "")).desc(),
            distance,
            hits.c.patient_id,
        )
        .limit(WIDE_POOL)
        .subquery()
    )
