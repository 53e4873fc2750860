"""An invented register of patients: families with shared names, twins, phones and estimated dates.

The same size and seed give the same people. Nothing here, or in `mistakes`, knows how matching
works; both were committed before the first measurement, and the weights may not be fitted to
them. What they assume is told in docs/matching.md.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate

from bench import register_words as words
from clinic.patients import Identity
from models import DatePrecision, NoNikReason

TODAY = date(2025, 6, 30)
SEED = 20250630
CHILDREN = {0: 12, 1: 25, 2: 32, 3: 18, 4: 9, 5: 4}  # how many, of 100 couples
ONE_WORD = ((1955, 0.40), (1975, 0.25), (9999, 0.10))  # share of one-word names, by birth year
PLACEHOLDERS = ((1955, 0.35), (1975, 0.12), (9999, 0.0))  # share of estimated birth dates
PLACEHOLDER_DAYS = ((1, 1), (1, 1), (31, 12), (1, 7))


@dataclass(frozen=True)
class Register:
    """Everybody who is registered; `children` are the places of those who live with parents."""

    people: Sequence[Identity]
    children: Sequence[int]
    niks: frozenset[str]
    seed: int = SEED


def _skewed(chance: random.Random, choices: Sequence[str]) -> str:
    return chance.choices(choices, cum_weights=_weights(len(choices)))[0]


_known_weights: dict[int, list[float]] = {}


def _weights(length: int) -> list[float]:
    if length not in _known_weights:
        _known_weights[length] = list(accumulate(1 / (place + 3) for place in range(length)))
    return _known_weights[length]


def _share(table: Sequence[tuple[int, float]], year: int) -> float:
    return next(share for before, share in table if year < before)


# People


def build(size: int, seed: int = SEED) -> Register:
    """So many registered people, family by family."""
    chance = random.Random(seed)
    people: list[Identity] = []
    children: list[int] = []
    niks: set[str] = set()
    number = 0
    while len(people) < size:
        number += 1
        for one, is_child in family(chance, number, niks):
            if chance.random() < 0.85 and len(people) < size:  # the others never came
                if is_child:
                    children.append(len(people))
                people.append(one)
    return Register(people, children, frozenset(niks), seed)


def family(chance: random.Random, number: int, niks: set[str]) -> Iterator[tuple[Identity, bool]]:
    """The members of one household, each with whether they are a child of it."""
    shared = _household(chance, number)
    oldest = TODAY - timedelta(days=chance.randrange(22 * 365, 78 * 365))
    if chance.random() < 0.12:  # lives alone
        yield _adult(chance, chance.choice("LP"), oldest, shared, niks), False
        return
    father = _adult(chance, "L", oldest, shared, niks)
    younger = min(oldest + timedelta(days=chance.randrange(0, 8 * 365)), years_before(TODAY, 20))
    mother = _adult(chance, "P", younger, shared, niks)
    if chance.random() < 0.92:
        yield father, False
    if chance.random() < 0.95:
        yield mother, False
    if chance.random() < 0.08:
        grandparent = oldest - timedelta(days=chance.randrange(20 * 365, 30 * 365))
        if grandparent > date(1930, 1, 1):
            yield _adult(chance, chance.choice("LP"), grandparent, shared, niks), False
    yield from ((one, True) for one in _children(chance, father, mother, younger, niks))


def years_before(day: date, years: int) -> date:
    return day - timedelta(days=round(years * 365.25))


def _household(chance: random.Random, number: int) -> dict[str, str | None]:
    phone = f"+628{chance.randrange(10**9, 10**10)}" if chance.random() < 0.75 else None
    if chance.random() < 0.02:  # the health volunteer's, for many families
        phone = f"+62812300000{chance.randrange(10, 60)}"
    kk_number = f"5271{1 + number % 6:02}{1 + number % 28:02}03{number:06}"
    return {
        "kk_number": kk_number if chance.random() < 0.9 else None,
        "village": _skewed(chance, words.VILLAGES),
        "phone": phone,
    }


def _adult(
    chance: random.Random, sex: str, born: date, shared: dict[str, str | None], niks: set[str]
) -> Identity:
    own = f"+628{chance.randrange(10**9, 10**10)}" if chance.random() < 0.4 else shared["phone"]
    one = Identity(
        name=name_of(chance, sex, born),
        sex=sex,
        birth_date=born,
        kk_number=shared["kk_number"],
        village=shared["village"],
        phone=own if chance.random() < 0.8 else None,
    )
    return _with_papers(chance, _estimated(chance, one), niks, 0.9)


def _estimated(chance: random.Random, one: Identity) -> Identity:
    """The birth date of an older person is often known by its year only."""
    born = one.birth_date
    if chance.random() >= _share(PLACEHOLDERS, born.year):
        return one
    day, month = chance.choice(PLACEHOLDER_DAYS)
    is_marked = (day, month) == (1, 7)  # how this program itself keeps a told age
    precision = DatePrecision.YEAR if is_marked else DatePrecision.DAY
    return replace(one, birth_date=date(born.year, month, day), birth_precision=precision)


def _with_papers(chance: random.Random, one: Identity, niks: set[str], share: float) -> Identity:
    nik = new_nik(chance, one, niks)
    card = f"000{chance.randrange(10**9, 10**10)}" if chance.random() < 0.6 else None
    if chance.random() < share:
        return replace(one, nik=nik, bpjs_number=card)
    return replace(one, no_nik_reason=NoNikReason.NOT_BROUGHT, bpjs_number=card)


def new_nik(chance: random.Random, one: Identity, niks: set[str]) -> str:
    """A NIK nobody has; it tells the birth date, the day of women with 40 added."""
    day = one.birth_date.day + (40 if one.sex == "P" else 0)
    area = f"5271{chance.randrange(1, 7):02}"
    while True:
        serial = 1 + int(40 * chance.random() ** 2) if chance.random() < 0.9 else 77
        nik = f"{area}{day:02}{one.birth_date:%m%y}{serial:04}"
        if nik not in niks:
            niks.add(nik)
            return nik
        area = f"{chance.randrange(5201, 5299)}{chance.randrange(1, 12):02}"


def _children(
    chance: random.Random, father: Identity, mother: Identity, born: date, niks: set[str]
) -> Iterator[Identity]:
    count = chance.choices(list(CHILDREN), weights=list(CHILDREN.values()))[0]
    at = born + timedelta(days=chance.randrange(19 * 365, 30 * 365))
    for _ in range(count):
        if at > TODAY:
            return
        has_left = at < years_before(TODAY, 27) and chance.random() < 0.7
        if not has_left:
            child = _child(chance, father, mother, at, niks)
            yield child
            if chance.random() < 0.012:
                yield twin_of(chance, child, niks)
        at += timedelta(days=chance.randrange(330, 5 * 365))


def _child(
    chance: random.Random, father: Identity, mother: Identity, born: date, niks: set[str]
) -> Identity:
    sex = chance.choice("LP")
    name = name_of(chance, sex, born, father.name.split()[-1])
    is_newborn = (TODAY - born).days < 60
    if is_newborn and chance.random() < 0.5:
        name = f"By Ny {mother.name}"
    one = Identity(
        name=name,
        sex=sex,
        birth_date=born,
        kk_number=father.kk_number,
        village=father.village,
        phone=(mother.phone or father.phone) if chance.random() < 0.7 else None,
        mother_name=mother.name if chance.random() < 0.7 else None,
        mother_nik=mother.nik if chance.random() < 0.5 else None,
    )
    return _with_papers(chance, one, niks, 0.3 if is_newborn else 0.85)


def name_of(chance: random.Random, sex: str, born: date, family_word: str | None = None) -> str:
    """A name as people of this age have it: one to three words, no word twice."""
    first = _skewed(chance, words.MEN if sex == "L" else words.WOMEN)
    if first in ("I", "Ni"):
        first = f"{first} {_skewed(chance, words.BIRTH_WORDS)}"
    elif chance.random() < _share(ONE_WORD, born.year):
        return "Abdullah" if first == "Abdul" else first
    seconds = words.SECOND_MEN if sex == "L" else words.SECOND_WOMEN
    more = [_skewed(chance, seconds) for _ in range(2 if chance.random() < 0.22 else 1)]
    if family_word and chance.random() < 0.25:
        more[-1] = family_word
    return " ".join(dict.fromkeys([*first.split(), *more]))


def twin_of(chance: random.Random, child: Identity, niks: set[str]) -> Identity:
    """Born on the same day, in the same house; the names often share a word."""
    sex = child.sex if chance.random() < 0.65 else chance.choice("LP")
    return _relative(chance, child, sex, child.birth_date, niks, shares_first=0.25)


def sibling_of(chance: random.Random, child: Identity, niks: set[str]) -> Identity:
    """Another child of the family, 1 to 6 years older or younger."""
    days = chance.randrange(330, 6 * 365) * chance.choice((-1, 1))
    born = min(child.birth_date + timedelta(days=days), TODAY)
    return _relative(chance, child, chance.choice("LP"), born, niks, shares_first=0.1)


def _relative(
    chance: random.Random,
    child: Identity,
    sex: str,
    born: date,
    niks: set[str],
    shares_first: float,
) -> Identity:
    theirs = child.name.split()
    while True:
        own = name_of(chance, sex, born).split()
        if len(theirs) > 1 and len(own) > 1:
            if sex == child.sex and chance.random() < shares_first:
                own[0] = theirs[0]
            elif chance.random() < 0.4:
                own[-1] = theirs[-1]
        if {*own} != {*theirs}:
            break
    one = replace(child, name=" ".join(dict.fromkeys(own)), sex=sex, birth_date=born)
    return _with_papers(chance, replace(one, no_nik_reason=None, nik=None), niks, 0.85)
