"""Who might be meant: the queries behind search and matching, each along an index."""

import re
from calendar import monthrange
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import (
    BindParameter,
    Select,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from clinic.name_index import name_key
from clinic.names import SHORT_WORD, join_words
from clinic.typed_birth import Span
from clinic.typed_search import BPJS_LENGTH, NIK_LENGTH, PHONE_LENGTHS, compact, labelled_mrn
from db import db
from models import AliasKind, DatePrecision, Household, Patient, PatientAlias, PatientToken
from validators import normalise_phone

POOL = 100  # bearers of a name that are looked at
WIDE_POOL = 400  # those with a word in common
FEW = 30  # of those who share a number
COUNTED = 5000  # bearers of a word; beyond, one is as frequent as the other
YEARS = 2  # a told age is wrong by so much
MRN_LENGTHS = range(1, 11)

# Of the table, not of the class: rows of plain columns cost half as much.
PATIENT = Patient.__table__.c
# Of a merged patient is_active says nothing: the survivor's counts.
FINDABLE = or_(PATIENT.is_active, PATIENT.merged_into_id.is_not(None))


class Candidate(NamedTuple):
    """A patient's id, merged or not, with what the next step sorts by."""

    id: int
    name_key: str
    birth_date: date | None
    merged_into_id: int | None


COLUMNS = (PATIENT.id, PATIENT.name_key, PATIENT.birth_date, PATIENT.merged_into_id)


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


def by_number(text: str, parts: Iterable[str] = ()) -> tuple[list[Candidate], list[Candidate]]:
    """Who has the text as a number, and who has one of its parts; the surest kind first; 1 query.

    A clinic's own numbers may look like a name with a number beside it.
    """
    whole = _number_conditions(text)
    conditions = whole + [one for part in parts for one in _number_conditions(part)]
    if not conditions:
        return [], []
    rows = db.session.execute(any_of(conditions).add_columns(literal_column("place"))).all()
    found = [(place < len(whole), Candidate(*values)) for *values, place in rows]
    return [one for is_it, one in found if is_it], [one for is_it, one in found if not is_it]


def _number_conditions(text: str) -> list[ColumnElement[bool]]:
    number = compact(text)
    if not re.search(r"[0-9]", number):
        return []
    told = labelled_mrn(text)
    # A clinic's numbers may themselves begin with RM.
    written = {text, text.upper(), number} | ({told, compact(told)} if told else set())
    conditions = [Patient.mrn.in_(sorted(written)), has_alias(AliasKind.MRN, sorted(written))]
    conditions += _padded_mrn(compact(told))
    if re.fullmatch(r"\+?[0-9]+", number):
        conditions = _digit_conditions(number.lstrip("+"), text) + conditions
    if re.fullmatch(r"[A-Z0-9]{5,20}", number):
        conditions.append(Patient.passport_no == number)
    return conditions


def any_of(conditions: Sequence[ColumnElement[bool]], limits: Sequence[int] = ()) -> Select:
    """Whoever fits one of the conditions, beginning with the first, with the condition's place.

    One select a condition, so that each walks its own index; a phone may be a whole village's.
    """
    most = limits or [FEW] * len(conditions)
    # Who can't be found must not crowd out who can: the limit counts the findable ones.
    parts = (
        select(*COLUMNS, literal_column(str(place)).label("place"))
        .where(condition, FINDABLE)
        .limit(limit)
        .subquery()
        for place, (condition, limit) in enumerate(zip(conditions, most, strict=True))
    )
    hits = union_all(*(select(*part.c) for part in parts)).subquery().c
    return select(*list(hits)[:-1]).order_by(hits.place, hits.id)


def _digit_conditions(digits: str, text: str) -> list[ColumnElement[bool]]:
    found = _padded_mrn(digits)
    if len(digits) == NIK_LENGTH:
        found += [Patient.nik == digits, in_family(digits), Patient.mother_nik == digits]
        found.append(has_alias(AliasKind.NIK, [digits]))
    if len(digits) == BPJS_LENGTH:
        found.append(Patient.bpjs_number == digits)
    if len(digits) in PHONE_LENGTHS and len(text) in PHONE_LENGTHS:
        found.append(Patient.phone == normalise_phone(text))
    return found


def _padded_mrn(digits: str) -> list[ColumnElement[bool]]:
    """Whoever has, or had, these digits as MRN, with however many zeros before them.

    A spreadsheet drops the zeros of an old system's numbers, and cards show them.
    """
    bare = digits.lstrip("0")
    if not digits.isdigit() or len(bare) > MRN_LENGTHS[-1]:
        return []
    padded = sorted({digits, *(bare.zfill(length) for length in MRN_LENGTHS)})
    return [Patient.mrn.in_(padded), has_alias(AliasKind.MRN, padded)]


def in_family(kk_number: str | BindParameter) -> ColumnElement[bool]:
    """Whose household has this family card."""
    family = select(Household.id).where(Household.kk_number == kk_number)
    return PATIENT.household_id == family.scalar_subquery()


def has_alias(kind: AliasKind, values: Collection[str | BindParameter]) -> ColumnElement[bool]:
    """Who has, or had, one of these as a number or name of this kind."""
    return PATIENT.id.in_(
        select(PatientAlias.patient_id).where(
            PatientAlias.kind == kind,
            PatientAlias.value.in_(list(values)),
            PatientAlias.ended_at.is_(None),
        )
    )


# By name, for search


def called(names: Sequence[str]) -> list[Candidate]:
    """Who has, or had, one of these very names, which share a key."""
    is_called = and_(Patient.name_key == name_key(names[0]), Patient.name.in_(names))
    found = db.session.execute(any_of([is_called, has_alias(AliasKind.NAME, names)]))
    return list(map(Candidate._make, found))


def named(words: Sequence[str], key: str) -> list[Candidate]:
    """Whose words begin with the typed ones: whole names, whole words, then beginnings."""
    whole = select(*COLUMNS).where(Patient.name_key == key).limit(POOL)
    found = _read(whole) + _worded(words)
    for place, (first, second) in enumerate(pairwise(words)):
        # "nur hayati" must find "Nurhayati".
        if 1 < len(first) <= SHORT_WORD:
            return found + _worded([*words[:place], join_words(first, second), *words[place + 2 :]])
    return found


def born_on(words: Sequence[str], born: Sequence[Span]) -> list[Candidate]:
    """Who has the words and was born then, or only in its month or year where no more is known."""
    within = or_(*(Patient.birth_date.between(span.first, span.last) for span in born))
    may_be = or_(*map(_may_be_born, born))
    has_words = (_has_word(Patient.id, word) for word in words)
    statement = select(*COLUMNS).where(may_be, *has_words)
    return _read(statement.order_by(within.desc(), Patient.id).limit(POOL))


def _may_be_born(span: Span) -> ColumnElement[bool]:
    first, last = span
    month_end = monthrange(last.year, last.month)[1]
    is_in_month = Patient.birth_date.between(first.replace(day=1), last.replace(day=month_end))
    fits = or_(
        Patient.birth_date.between(first, last),
        Patient.birth_precision == DatePrecision.YEAR,
        and_(Patient.birth_precision == DatePrecision.MONTH, is_in_month),
    )
    in_year = Patient.birth_date.between(date(first.year, 1, 1), date(last.year, 12, 31))
    return and_(in_year, fits)


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
    bearers = db.session.execute(select(*(count_some(_starts(word)) for word in words))).one()
    return min(zip(bearers, (-len(word) for word in words), words, strict=True))[2]


def count_some(condition: ColumnElement[bool], most: int = COUNTED) -> ColumnElement[int]:
    """How many words fit the condition, counted up to so many."""
    some = select(PatientToken.patient_id).where(condition).limit(most).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _starts(word: str, token=PatientToken) -> ColumnElement[bool]:
    # A range, because LIKE uses the index on neither engine.
    return and_(token.word >= word, token.word < word + "\U0010ffff")


def _has_word(patient_id, word: str) -> ColumnElement[bool]:
    token = aliased(PatientToken)
    return exists().where(token.patient_id == patient_id, _starts(word, token))
