"""What somebody meant who found nothing: another spelling of a word, or a slip of the hand.

Only asked when a search finds nothing, and only of the words that the Indonesian rows have: those
are what clerks of a clinic type.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute

SHORTEST_SOUND = 3
SHORTEST_SLIP = 4  # a slip in a shorter word could be any word
LIKENESS = 0.8
MOST = 3
# English, old and Indonesian spelling of one sound; in this order.
_SOUNDS = (
    ("ph", "f"), ("ck", "k"), ("ae", "e"), ("oe", "e"), ("y", "i"), ("z", "s"),
    ("x", "ks"), ("v", "f"), ("q", "k"), ("c", "k"),
)  # fmt: skip
_SILENT_H = re.compile(r"(?<=.)h")
_DOUBLE = re.compile(r"(.)\1+")


def spelling(word: str) -> str:
    """The word as it sounds: "dhiarrhoea", "diarrhea" and "diarea" are one."""
    for theirs, ours in _SOUNDS:
        word = word.replace(theirs, ours)
    return _DOUBLE.sub(r"\1", _SILENT_H.sub("", word))


def one_of_each(column: InstrumentedAttribute, words: list[list[str]]) -> list[ColumnElement]:
    """Conditions on a column of folded words: of each word's alternatives one begins some word."""
    return [or_(*(column.contains(f" {each}") for each in group)) for group in words]


def meant(words: Sequence[str], known: tuple[str, ...]) -> list[list[str]]:
    """For each typed word those that it may stand for; [] when one stands for none.

    `known` are rows of folded words, as `Icd10Term.words` holds them.
    """
    vocabulary, sounds = _index(known)
    found = [_one(word, vocabulary, sounds) for word in words]
    return found if all(found) else []


@lru_cache(1)
def _index(known: tuple[str, ...]) -> tuple[str, dict[str, list[str]]]:
    """All words between spaces, and by their sound."""
    vocabulary = sorted({word for row in known for word in row.split() if word.isalpha()})
    sounds: dict[str, list[str]] = defaultdict(list)
    for word in vocabulary:
        sounds[spelling(word)].append(word)
    return f" {' '.join(vocabulary)} ", dict(sounds)


def _one(word: str, vocabulary: str, sounds: Mapping[str, list[str]]) -> list[str]:
    if not word.isalpha() or f" {word}" in vocabulary:
        return [word]
    sound = spelling(word)
    if len(sound) < SHORTEST_SOUND:
        return []
    alike = [each for key, group in sounds.items() if key.startswith(sound) for each in group]
    if alike:
        return alike[:MOST]
    if len(word) < SHORTEST_SLIP:
        return []
    near = [key for key in sounds if abs(len(key) - len(sound)) <= 2 and key[0] == sound[0]]
    close = get_close_matches(sound, near, MOST, LIKENESS)
    return [each for key in close for each in sounds[key]][:MOST]
