"""Folds the names of medicines: "Amoxicillin", "amoksisilin" and "amoxycillin" are one word.

English and Indonesian differ by rule (c/k/s, x/ks, ph/f, th/t, y/i, doubled letters, a last e).
"""

import re
from difflib import SequenceMatcher
from functools import lru_cache

from clinic.icd10 import fold

SPELLINGS = (
    (r"\b[ck]o (?=trimo)", "ko"),  # "co-trimoxazole"
    (r"\bcream\b", "krim"),
    (r"\b(?:zalf|salf)\b", "salep"),
    (r"ph", "f"),
    (r"th", "t"),
    (r"rh", "r"),
    (r"ch", "k"),
    (r"qu?", "ku"),
    (r"x", "ks"),
    (r"c(?=[eiy])", "s"),
    (r"c(?=\w)|(?<=\w)c", "k"),  # "vit c" is not "vit k"
    (r"y", "i"),
    (r"[ao]e", "e"),
    (r"(?<=[a-z])([a-z])\1+", r"\1"),  # but "500" is not "50", nor "gg" "g"
    (r"(?<=\w{4})e\b", ""),
)
SHORTEST_ALIKE = 7  # letters; below, one letter makes another medicine
ALIKE = 0.87


@lru_cache(maxsize=4096)
def key(text: str) -> str:
    """Lower-case words with single spaces, spelled one way; digits stay as they are."""
    folded = fold(text)
    for pattern, instead in SPELLINGS:
        folded = re.sub(pattern, instead, folded)
    return folded


def alike(one: str, other: str) -> bool:
    """Whether two keys are the same medicine, or one of them a slip of the pen away."""
    if one == other:
        return True
    if min(len(one), len(other)) < SHORTEST_ALIKE:
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE
