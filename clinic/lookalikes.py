"""Whom the person of a half-filled form may be: the candidates that are then compared.

Asked while a clerk types, so every statement is built once. To build one costs more than SQLite
needs to answer it, and PostgreSQL plans each text anew.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, union_all

from clinic import matching
from clinic.among import among
from clinic.candidates import (
    COLUMNS,
    FINDABLE,
    PATIENT,
    POOL,
    WIDE_POOL,
    YEARS,
    Candidate,
    any_of,
    count_some,
    has_alias,
    in_family,
)
from clinic.likeness import near_dates
from clinic.matching import Person
from clinic.name_index import cut_words, name_key, own_words
from clinic.names import PREFIX_LENGTH, prefix_tokens
from clinic.usable import usable_card, usable_number, usable_passport
from db import db
from models import AliasKind, PatientToken
from validators import normalise_phone

FREQUENT = 1000  # a word with more bearers tells nothing without a birth date
SHORTLIST = 50  # are compared in full
SHORTLIST_BORN = 16  # of these at most, because of the birth date
NIK_LENGTH = 16


def _read(statement: Select, values: dict[str, Any]) -> list[Candidate]:
    return list(map(Candidate._make, db.session.execute(statement, values).all()))


# By number


def same_numbers(person: Person) -> list[Candidate]:
    """Whoever shares a number with the person, be it their own or the family's."""
    known = {
        "nik": usable_number(person.nik, NIK_LENGTH),
        "bpjs_number": usable_card(person.bpjs_number),
        "passport_no": usable_passport(person.passport_no),
        "phone": normalise_phone(person.phone) if person.phone else None,
        "mother_nik": usable_number(person.mother_nik, NIK_LENGTH),
        "kk_number": usable_number(person.kk_number, NIK_LENGTH),
    }
    numbers = {name: number for name, number in known.items() if number}
    return _read(_with_numbers(tuple(numbers)), numbers) if numbers else []


@cache
def _with_numbers(names: tuple[str, ...]) -> Select:
    conditions = []
    for name in names:
        number = bindparam(name)
        if name == "kk_number":
            conditions.append(in_family(number))
        else:
            conditions.append(PATIENT[name] == number)
        if name == "nik":
            conditions.append(has_alias(AliasKind.NIK, [number]))
    return any_of(conditions)


# By name and birth date


def similar(person: Person) -> list[Candidate]:
    """Who shares the beginning of a word, best those with more of them, the sex and the age.

    Without a birth date only by the rarer words: everyone called Siti is no answer.
    """
    born = person.birth_date
    prefixes = _prefixes(person.name)
    if born is None:
        prefixes = _rare(prefixes)
    found: list[Candidate] = []
    if prefixes:
        values = {"prefixes": prefixes, "sex": person.sex or "", "year": born.year if born else 0}
        found = _read(_SHARING_BORN if born else _SHARING, values)
    # The birth date may be the field that was mistyped, or the beginning of each word.
    values = {"key": name_key(person.name)}
    if born:
        values |= {"born": born, "slips": sorted(near_dates(born) - {born})}
    found += _read(_ALIKE_BORN if born else _ALIKE, values)
    return sorted(dict.fromkeys(found), key=lambda one: one.birth_date != born)


def shortlist(person: Person, found: Sequence[Candidate]) -> list[Candidate]:
    """The candidates worth a full comparison, at most SHORTLIST of those `similar` found.

    By their names, but some places are kept for those born on the date or a slip from it: among
    all who are called Aminah a namesake would hide the Intan Aminah of this very day.
    """
    near = near_dates(person.birth_date) if person.birth_date else frozenset()
    born = [(one, one.name_key) for one in found if one.birth_date in near]
    chosen = matching.shortlist(person, born, SHORTLIST_BORN)
    taken = {one.id for one in chosen}
    others = [(one, one.name_key) for one in found if one.id not in taken]
    return chosen + matching.shortlist(person, others, SHORTLIST - len(chosen))


def _prefixes(name: str) -> list[str]:
    words = cut_words(own_words(name))
    return sorted(prefix_tokens(name) or {word[:PREFIX_LENGTH] for word in words})


def _rare(prefixes: Sequence[str]) -> list[str]:
    if not prefixes:
        return []
    values = {f"prefix_{place}": prefix for place, prefix in enumerate(prefixes)}
    bearers = db.session.execute(_bearers(len(prefixes)), values).one()
    return [p for p, count in zip(prefixes, bearers, strict=True) if count < FREQUENT]


@cache
def _bearers(count: int) -> Select:
    names = (bindparam(f"prefix_{place}") for place in range(count))
    return select(*(count_some(PatientToken.prefix == name, FREQUENT) for name in names))


def _sharing(with_year: bool) -> Select:
    token = PatientToken.__table__.c
    tokens = select(token.patient_id, token.birth_year, token.sex)
    tokens = tokens.where(among(token.prefix, "prefixes"))
    year = bindparam("year", type_=token.birth_year.type)
    if with_year:
        near = token.birth_year.between(year - YEARS, year + YEARS)
        unknown = token.birth_year.is_(None)
        # Two selects: with OR the index would not hold all that is read.
        hits = union_all(tokens.where(near), tokens.where(unknown)).subquery().c
    else:
        hits = tokens.subquery().c
    distance = func.coalesce(func.min(func.abs(hits.birth_year - year)), YEARS)
    is_of_sex = func.max(hits.sex) == bindparam("sex")
    best = select(hits.patient_id).group_by(hits.patient_id)
    best = best.order_by(func.count().desc(), is_of_sex.desc(), distance, hits.patient_id)
    pool = best.limit(WIDE_POOL).subquery()
    return select(*COLUMNS).join(pool, pool.c.patient_id == PATIENT.id).where(FINDABLE)


_SHARING, _SHARING_BORN = _sharing(with_year=False), _sharing(with_year=True)
_SAME_NAME = PATIENT.name_key == bindparam("key")
_SAME_DAY = PATIENT.birth_date == bindparam("born")
_SLIPPED = among(PATIENT.birth_date, "slips")
_ALIKE = any_of([_SAME_NAME], [POOL])
_ALIKE_BORN = any_of([_SAME_NAME, _SAME_DAY, _SLIPPED], [POOL, POOL, WIDE_POOL])
