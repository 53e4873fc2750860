"""Is this the person we already have? A plain additive score with its reasons in words.

The weights stand in clinic/weights.py. It only asks: nothing here merges anyone.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, TypeVar

from clinic import likeness
from clinic.names import NameKey, fold, name_tokens
from clinic.places import address_rule, same_place, village_key
from clinic.usable import (
    usable_address,
    usable_card,
    usable_number,
    usable_passport,
    usable_phone,
)
from clinic.weights import (
    FAMILY_RULES,
    HOME_RULES,
    HOUSEHOLD_CAP,
    NEAR_RULES,
    ONE_BIRTH,
    OWN_NUMBER,
    OWN_RULES,
    PARENT_HINT,
    POSSIBLE_FROM,
    RULES,
    SIBLING_HINT,
    STRONG_FROM,
    TWIN_RULES,
    WHOLE_NAME,
)

Id = TypeVar("Id")
Level = Literal["strong", "possible"]

NAME_ZERO = 0.60  # a name this alike is worth no point
PARENT_YEARS = 10


@dataclass(frozen=True)
class Person:
    """What is known of someone; unknown is None or empty. Sex is L or P."""

    name: str
    birth_date: date | None = None
    birth_precision: Literal["day", "month", "year"] = "day"
    sex: str | None = None
    nik: str | None = None
    bpjs_number: str | None = None
    passport_no: str | None = None
    phone: str | None = None
    village: str | None = None
    address: str | None = None
    kk_number: str | None = None
    mother_nik: str | None = None
    mother_name: str | None = None
    birth_order: int | None = None

    @cached_property
    def key(self) -> NameKey:
        return name_tokens(self.name)

    @cached_property
    def mother_words(self) -> list[str]:
        """The mother's name, its words sorted; for "By Ny X" without one it is X."""
        if self.mother_name:
            return sorted(name_tokens(self.mother_name).words)
        own = sorted(word for word in self.key.words if not word.isdigit())
        return own if self.key.is_baby_of else []

    @cached_property
    def order(self) -> int | None:
        """The order of birth; of "By Ny X 2" the name tells it."""
        told = [int(word) for word in self.key.words if word.isdigit()]
        return self.birth_order or (told[0] if told and self.key.is_baby_of else None)

    @cached_property
    def own_nik(self) -> str | None:
        # Babies are typed with the mother's NIK in their own field.
        nik = usable_number(self.nik, 16)
        return None if nik == usable_number(self.mother_nik, 16) else nik

    @cached_property
    def card(self) -> str | None:
        return usable_card(self.bpjs_number)

    @cached_property
    def passport(self) -> str | None:
        return usable_passport(self.passport_no)

    @cached_property
    def household(self) -> dict[str, object]:
        """What a family shares, by the name of its rule; empty values prove nothing."""
        return {rule: fact(self) for rule, fact in HOUSEHOLD.items()}


HOUSEHOLD: dict[str, Callable[[Person], object]] = {
    "kk_same": lambda one: usable_number(one.kk_number, 16),
    "phone_same": lambda one: usable_phone(one.phone),
    "mother_nik": lambda one: usable_number(one.mother_nik, 16),
    "mother_name": lambda one: one.mother_words,
    "address": lambda one: usable_address(one.address),
    "village": lambda one: village_key(one.village or ""),
}


@dataclass(frozen=True, slots=True)
class Match:
    points: float
    level: Level | None
    reasons: tuple[str, ...] = ()
    household_hint: str | None = None


def score(a: Person, b: Person) -> Match:
    """How likely two records are one person.

    Level strong from 10 points, possible from 8. A mother never matches her "By Ny" baby, not even
    by her card; anyone else who shares a card is asked about, whatever the rest says.
    """
    if _mother_and_child(a, b) or _mother_and_child(b, a):
        return Match(0.0, None, (), PARENT_HINT)
    found = _numbers(a, b)
    has_same_number = any(rule in OWN_RULES for rule, _ in found)
    name, is_other_person = _name_rules(a, b)
    found += name + _birth_rules(a, b) + _sex_rules(a, b)
    household = _household(a, b)
    shared = {rule for rule, _ in found + household}
    hint = None
    if (is_other_person or _other_birth_order(a, b)) and not has_same_number:
        is_near = "born_same" in shared and shared & NEAR_RULES
        hint = SIBLING_HINT if is_near or shared & FAMILY_RULES else None
        found.append(("sibling", 1.0))
    elif "born_other" in shared and shared & WHOLE_NAME and shared & HOME_RULES:
        found[found.index(("born_other", 1.0))] = ("born_other_home", 1.0)
    elif shared >= ONE_BIRTH and not shared & TWIN_RULES and _named_since(a, b):
        found.append(("named_since", 1.0))
    return _match(found, household, hint)


def rank(
    query: Person,
    candidates: Iterable[tuple[Id, Person]],
    limit: int = 8,
    include_household: bool = False,
) -> list[tuple[Id, Match]]:
    """The possible and strong matches of the query, best first.

    With include_household also those of no level that carry a household hint, at the end.
    """
    scored = [(key, score(query, person)) for key, person in candidates]
    worth = [
        (key, match)
        for key, match in scored
        if match.level or (include_household and match.household_hint)
    ]
    return sorted(worth, key=lambda pair: -pair[1].points)[:limit]


def shortlist(query: Person, candidates: Iterable[tuple[Id, str]], keep: int = 60) -> list[Id]:
    """The candidates whose stored name key shares most letter pairs with the query's, best first.

    Candidates found by a number belong straight into rank(): their name may differ.
    """
    words = query.key.words
    pairs = {f" {word}"[i : i + 2] for word in words for i in range(len(word))}
    length = len(query.key.text)
    alike: dict[str, float] = {}  # by name: of hundreds of candidates many are namesakes
    ranked = []
    for position, (key, text) in enumerate(candidates):
        if text not in alike:
            # Substring tests against the query's pairs: half the time of a set for each name.
            shared = sum(map(f" {text}".__contains__, pairs))
            alike[text] = shared / (length + len(text) + 1)
        ranked.append((alike[text], -position, key))
    # No two have one position, so keys are never compared.
    return [key for _, _, key in heapq.nlargest(keep, ranked)]


def _match(
    found: list[tuple[str, float]], household: list[tuple[str, float]], hint: str | None
) -> Match:
    worth = [(RULES[rule][0] * share, RULES[rule][1]) for rule, share in found]
    shared = [(RULES[rule][0], RULES[rule][1]) for rule, _ in household]
    total = sum(points for points, _ in worth)
    total = round(total + min(HOUSEHOLD_CAP, sum(points for points, _ in shared)), 2)
    if any(rule in OWN_RULES for rule, _ in found):
        total = max(total, OWN_NUMBER)
    level: Level | None = None
    if total >= POSSIBLE_FROM:
        level = "strong" if total >= STRONG_FROM else "possible"
    reasons = sorted(worth + shared, key=lambda pair: -pair[0])
    return Match(total, level, tuple(words for _, words in reasons), hint)


# Numbers


def _numbers(a: Person, b: Person) -> list[tuple[str, float]]:
    found = []
    if a.own_nik and b.own_nik:
        rule = "nik_near" if likeness.one_edit(a.own_nik, b.own_nik) else "nik_other"
        found.append(("nik_same" if a.own_nik == b.own_nik else rule, 1.0))
    if a.card and a.card == b.card:
        found.append(("bpjs_same", 1.0))
    elif a.card and b.card and likeness.one_edit(a.card, b.card):
        found.append(("bpjs_near", 1.0))
    if a.passport and a.passport == b.passport:
        found.append(("passport_same", 1.0))
    return found


def _household(a: Person, b: Person) -> list[tuple[str, float]]:
    known = {rule: mine for rule, mine in a.household.items() if mine}
    theirs = {rule: HOUSEHOLD[rule](b) for rule in known}
    address = known.pop("address", None)
    shared = [rule for rule, mine in known.items() if mine == theirs[rule]]
    if "village" in known and "village" not in shared and theirs["village"]:
        shared += ["village"] * same_place(str(known["village"]), str(theirs["village"]))
    # The same house in another village too: hamlet and village are taken for each other.
    if address and (rule := address_rule(address, theirs["address"])):
        shared.append(rule)
    return [(rule, 1.0) for rule in shared]


# People of one family


def _mother_and_child(child: Person, parent: Person) -> bool:
    if child.birth_date and parent.birth_date:
        is_old_enough = child.birth_date.year - parent.birth_date.year >= PARENT_YEARS
        if not is_old_enough:
            return False
    if child.mother_nik and child.household["mother_nik"] == parent.own_nik is not None:
        return True
    if not child.key.is_baby_of or parent.key.is_baby_of:
        return False
    mother = tuple(word for word in child.key.words if not word.isdigit())
    if not mother or not parent.key.words:
        return False
    return not likeness.compare_words(mother, parent.key.words).is_other_person


def _named_since(a: Person, b: Person) -> bool:
    """Whether one has no name yet, and the order of birth does not make them twins."""
    is_other_order = a.order and b.order and a.order != b.order
    return a.key.is_baby_of != b.key.is_baby_of and not is_other_order


def _other_birth_order(a: Person, b: Person) -> bool:
    return bool(a.birth_order and b.birth_order and a.birth_order != b.birth_order)


# Names


def _name_rules(a: Person, b: Person) -> tuple[list[tuple[str, float]], bool]:
    # "By Ny Siti" tells the mother's name, nothing about the child's.
    if a.key.is_baby_of != b.key.is_baby_of or not (a.key.words and b.key.words):
        return [], False
    fit = likeness.compare_names(a.key, b.key)
    if fit.alike < NAME_ZERO:
        return [("name_other", 1 - fit.alike / NAME_ZERO)], fit.is_other_person
    share = (fit.alike - NAME_ZERO) / (1 - NAME_ZERO) * (0.6 + 0.4 * fit.evidence)
    if fit.is_part:
        rule = "name_part"
    elif fit.alike < 1:
        rule = "name_near"
    else:
        rule = "name_same" if fold(a.name) == fold(b.name) else "name_spelling"
    return [(rule, share)], fit.is_other_person


# Birth date and sex


def _birth_rules(a: Person, b: Person) -> list[tuple[str, float]]:
    if not a.birth_date or not b.birth_date:
        return []
    precisions = {a.birth_precision, b.birth_precision}
    return [(likeness.birth_rule(a.birth_date, b.birth_date, precisions), 1.0)]


def _sex_rules(a: Person, b: Person) -> list[tuple[str, float]]:
    if not a.sex or not b.sex:
        return []
    return [("sex_same" if a.sex == b.sex else "sex_other", 1.0)]
