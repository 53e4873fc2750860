"""Whether two addresses name one house, two names one village."""

import re

from clinic.likeness import one_edit
from clinic.names import fold
from clinic.usable import Address

PLACE_LENGTH = 6  # of shorter village names one letter makes another village
WORD_LENGTH = 5  # so does it in a word of a street's name
SAME_STREET = 0.7  # of the letters: clerks add a hamlet or a housing estate, or leave it out
# What a village is, before its name; a dusun is only a part of one.
_KIND = re.compile(r"(?:DESA|DS|KELURAHAN|KEL) (?=.)")


def village_key(name: str) -> str:
    """A village's name as it is compared: without "Desa" or "Kel.", and without spaces."""
    folded = fold(name)
    kind = _KIND.match(folded)
    return folded[kind.end() if kind else 0 :].replace(" ", "")


def same_place(a: str, b: str) -> bool:
    """Whether two folded village names are one: with and without a space, or one slip apart."""
    one, other = a.replace(" ", ""), b.replace(" ", "")
    return one == other or (min(len(one), len(other)) >= PLACE_LENGTH and one_edit(one, other))


def address_rule(a: Address, b: Address | None) -> str | None:
    """The rule of the score for two addresses: one house, perhaps one, only its street, or none."""
    if b is None or not _same_street(a.street, b.street):
        return None
    if a.number and a.number == b.number:
        return "address"
    return "street" if bool(a.number) == bool(b.number) else "address_part"


def _same_street(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """In any order, because hamlet and street have one field; words of the longer may be more."""
    short, long = sorted((a, b), key=lambda words: (sum(map(len, words)), words))
    found = sum(len(word) for word in short if any(_same_word(word, other) for other in long))
    return found >= SAME_STREET * sum(map(len, short)) or same_place("".join(a), "".join(b))


def _same_word(a: str, b: str) -> bool:
    return a == b or (min(len(a), len(b)) >= WORD_LENGTH and one_edit(a, b))
