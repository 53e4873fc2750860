"""Who comes to the counter, and how they are typed: names and birth dates with their mistakes.

Belongs to `register`: frozen with it, and as ignorant of how matching works.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from bench import register_words as words
from bench.register import TODAY, Register, family
from clinic.patients import Identity
from models import DatePrecision, NoNikReason

NAME_ALTERED = 0.60
NAME_ALTERED_TWICE = 0.15  # of those
BIRTH_ALTERED = 0.30
OLDEST = date(TODAY.year - 130, TODAY.month, TODAY.day)
OTHER_VILLAGE = 0.08
OTHER_SEX = 0.005
OTHER_PHONE = 0.20
NIK_MISTYPED = 0.05
LEFT_OUT = {"phone": 0.2, "kk_number": 0.4, "mother_name": 0.4, "mother_nik": 0.4}
# How often each mistake happens, of 100.
NAME_MISTAKES = {
    "typo": 22,
    "spelling": 20,
    "title": 15,
    "alias": 12,
    "dropped": 11,
    "initial": 6,
    "joined": 5,
    "order": 5,
    "split": 4,
}
BIRTH_MISTAKES = {"digit": 8, "age": 6, "swapped": 5, "year": 5, "missing": 3, "estimated": 3}
SPLIT_AT = ("NUR", "ABDUL", "KHAIRUL", "SYAM", "SAMSUL", "MUH", "SITI", "RAHMA", "SAIFUL")


@dataclass(frozen=True)
class Query:
    """A person as typed; `place` is theirs in the register, None for somebody new."""

    typed: Identity
    place: int | None = None


# Who comes


def returning(register: Register, count: int, keep: Callable[[Identity], bool]) -> list[Query]:
    """Registered people who come again, of those that `keep` chooses."""
    chance = random.Random(f"{register.seed} returning")
    places = [at for at, one in enumerate(register.people) if keep(one)]
    chosen = chance.sample(places, count)
    return [Query(as_typed(chance, register.people[at]), at) for at in chosen]


def strangers(register: Register, count: int) -> list[Query]:
    """People of families that nobody knows yet, drawn as the register was."""
    chance, niks = random.Random(f"{register.seed} strangers"), set(register.niks)
    found: list[Query] = []
    number = 500_000
    while len(found) < count:
        number += 1
        found += [Query(as_typed(chance, one)) for one, _ in family(chance, number, niks)]
    return found[:count]


def relatives(
    register: Register,
    count: int,
    make: Callable[[random.Random, Identity, set[str]], Identity],
) -> list[Query]:
    """New siblings or twins (`register.sibling_of`, `twin_of`) of registered children."""
    chance, niks = random.Random(f"{register.seed} {make.__name__}"), set(register.niks)
    children = (register.people[at] for at in register.children)
    named = [one for one in children if not one.name.startswith("By ")]
    chosen = chance.sample(named, count)
    return [Query(as_typed(chance, make(chance, one, niks))) for one in chosen]


# What is filled in: the scenarios


def without_numbers(typed: Identity) -> Identity:
    """Scenario A: everything but NIK and BPJS."""
    return _without_nik(replace(typed, bpjs_number=None))


def bare(typed: Identity) -> Identity:
    """Scenario B: only name, birth date, sex and village."""
    kept = ("name", "birth_date", "birth_precision", "sex", "village")
    return _without_nik(Identity(**{name: getattr(typed, name) for name in kept}))


def with_nik(typed: Identity) -> Identity:
    """Scenario C: everything but BPJS."""
    return replace(typed, bpjs_number=None)


def _without_nik(typed: Identity) -> Identity:
    return replace(typed, nik=None, no_nik_reason=NoNikReason.FORGOT_CARD)


# Mistakes


def as_typed(chance: random.Random, one: Identity) -> Identity:
    """The person as told and typed this time, all fields."""
    typed = replace(one, name=mistaken_name(chance, one))
    if chance.random() < BIRTH_ALTERED:
        typed = mistaken_birth(chance, typed)
    if chance.random() < OTHER_VILLAGE:
        typed = replace(typed, village=chance.choice(words.VILLAGES))
    if chance.random() < OTHER_SEX:
        typed = replace(typed, sex="L" if one.sex == "P" else "P")
    if chance.random() < OTHER_PHONE:
        typed = replace(typed, phone=f"+628{chance.randrange(10**9, 10**10)}")
    left_out = [name for name, share in LEFT_OUT.items() if chance.random() < share]
    typed = replace(typed, **dict.fromkeys(left_out))
    if typed.nik and chance.random() < NIK_MISTYPED:
        typed = replace(typed, nik=other_digit(chance, typed.nik))
    return typed


def other_digit(chance: random.Random, number: str) -> str:
    """The number with one wrong digit."""
    at = chance.randrange(len(number))
    wrong = chance.choice([digit for digit in "0123456789" if digit != number[at]])
    return number[:at] + wrong + number[at + 1 :]


def mistaken_name(chance: random.Random, one: Identity) -> str:
    """The name with its mistakes, or as it is; in capitals, as cards have it, or not."""
    name = one.name.upper()
    if chance.random() < NAME_ALTERED:
        for _ in range(2 if chance.random() < NAME_ALTERED_TWICE else 1):
            name = altered(chance, name, one)
    return name if chance.random() < 0.6 else name.title()


def altered(chance: random.Random, name: str, one: Identity) -> str:
    """The name with one mistake that is possible in it."""
    for _ in range(20):
        kind = chance.choices(list(NAME_MISTAKES), weights=list(NAME_MISTAKES.values()))[0]
        result = MAKERS[kind](chance, name, one)
        if result != name:
            return result
    return name


def _typo(chance: random.Random, name: str, _: Identity) -> str:
    at = chance.choice([place for place, letter in enumerate(name) if letter.isalpha()])
    letter, rest = name[at], name[at + 1 :]
    kind = chance.choice(("other", "other", "missing", "double", "swapped"))
    if kind == "other":
        return name[:at] + chance.choice(_neighbours(letter)) + rest
    if kind == "missing":
        return name[:at] + rest if len(name) > 3 else name
    if kind == "double":
        return name[:at] + letter + letter + rest
    return name[:at] + rest[:1] + letter + rest[1:] if rest[:1].isalpha() else name


def _neighbours(letter: str) -> str:
    row = next(row for row in words.ROWS if letter.upper() in row)
    at = row.index(letter.upper())
    return row[max(0, at - 1) : at] + row[at + 1 : at + 2]


def _spelling(chance: random.Random, name: str, _: Identity) -> str:
    parts = name.split()
    at = chance.randrange(len(parts))
    fitting = [rule for rule in words.SPELLINGS if re.search(rule[0], parts[at])]
    for pattern, other in chance.sample(fitting, min(len(fitting), chance.choice((1, 1, 2)))):
        parts[at] = re.sub(pattern, other, parts[at], count=1)
    return " ".join(parts)


def _title(chance: random.Random, name: str, one: Identity) -> str:
    is_child = TODAY.year - one.birth_date.year < 17
    if not is_child and chance.random() < 0.2:
        return name + chance.choice(words.DEGREES)
    titles = words.TITLES[one.sex, "child" if is_child else "adult"]
    return f"{chance.choice(titles)} {name}"


def _alias(chance: random.Random, name: str, _: Identity) -> str:
    parts = name.split()
    places = [at for at, part in enumerate(parts) if part in words.ALIASES]
    if places and len(parts) > 1:
        at = chance.choice(places)
        parts[at] = chance.choice(words.ALIASES[parts[at]])
    return " ".join(parts)


def _dropped(chance: random.Random, name: str, _: Identity) -> str:
    parts = name.split()
    if len(parts) > 1:
        del parts[chance.randrange(len(parts))]
    return " ".join(parts)


def _initial(chance: random.Random, name: str, _: Identity) -> str:
    parts = name.split()
    if len(parts) > 1:
        at = chance.randrange(len(parts))
        parts[at] = parts[at][0] + chance.choice(("", "."))
    return " ".join(parts)


def _joined(chance: random.Random, name: str, _: Identity) -> str:
    parts = name.split()
    if len(parts) > 1:
        at = chance.randrange(len(parts) - 1)
        parts[at : at + 2] = ["".join(parts[at : at + 2])]
    return " ".join(parts)


def _split(chance: random.Random, name: str, _: Identity) -> str:
    parts = name.split()
    at = chance.randrange(len(parts))
    word = parts[at]
    if len(word) < 7:
        return name
    known = [len(start) for start in SPLIT_AT if word.startswith(start)]
    cut = known[0] if known else chance.randrange(3, len(word) - 2)
    parts[at] = f"{word[:cut]} {word[cut:]}".strip()
    return " ".join(parts)


def _order(chance: random.Random, name: str, _: Identity) -> str:
    parts = name.split()
    chance.shuffle(parts)
    return " ".join(parts)


MAKERS: dict[str, Callable[[random.Random, str, Identity], str]] = {
    "typo": _typo,
    "spelling": _spelling,
    "title": _title,
    "alias": _alias,
    "dropped": _dropped,
    "initial": _initial,
    "joined": _joined,
    "order": _order,
    "split": _split,
}


def mistaken_birth(chance: random.Random, one: Identity) -> Identity:
    """The person with another birth date, or with none, or with an age only."""
    kinds, weights = list(BIRTH_MISTAKES), list(BIRTH_MISTAKES.values())
    for _ in range(20):
        kind = chance.choices(kinds, weights=weights)[0]
        if kind == "missing":
            return replace(one, birth_date=None, birth_precision=DatePrecision.DAY)
        if kind == "age":  # told in years, kept as the program keeps it
            year = one.birth_date.year + chance.choice((-1, 0, 0, 1))
            born = date(min(year, TODAY.year - 1), 7, 1)
            return replace(one, birth_date=born, birth_precision=DatePrecision.YEAR)
        born = _other_date(chance, one.birth_date, kind)
        # The form refuses days to come, and those of more than 130 years ago.
        if born and born != one.birth_date and OLDEST <= born <= TODAY:
            return replace(one, birth_date=born, birth_precision=DatePrecision.DAY)
    return one


def _other_date(chance: random.Random, born: date, kind: str) -> date | None:
    try:
        if kind == "swapped":
            return date(born.year, born.day, born.month)
        if kind == "year":
            return born.replace(year=born.year + chance.choice((-1, 1)))
        if kind == "estimated":
            return date(born.year, *chance.choice(((1, 1), (12, 31))))
        digits = other_digit(chance, f"{born:%d%m%Y}")
        return date(int(digits[4:]), int(digits[2:4]), int(digits[:2]))
    except ValueError:
        return None
