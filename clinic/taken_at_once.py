"""How many pieces of a medicine were swallowed: from ten on it may be an overdose. Pure.

"Minum obat 20 butir" is one, "minum obat 2 tablet", "obat 30 biji" and a course of ten that was
no help are none. The words are gathered from what clerks type, without a published source.
"""

import re
from collections.abc import Sequence

MANY = 10
PIECES_OF = {
    **dict.fromkeys(["biji", "bj", "butir", "btr", "tablet", "tab", "kaplet", "kapsul", "pil"], 1),
    **dict.fromkeys(["strip", "setrip", "papan", "lempeng", "blister"], MANY),
}
# What stands for such a number and its unit, as long as they: the lexicon knows it.
TOO_MANY = ("kebanyakan", "obat")

_SWALLOWED = frozenset(
    {
        *("minum", "meminum", "makan", "memakan", "telan", "menelan", "nelan", "nenggak"),
        *("menenggak", "tenggak", "negak", "menegak", "konsumsi", "mengkonsumsi", "mengonsumsi"),
    }
)
_MEDICINES = frozenset(
    {
        *("obat", "obatan", "pil", "tablet", "kapsul", "kaplet", "paracetamol", "parasetamol"),
        *("pct", "panadol", "bodrex", "paramex", "antimo", "ctm", "amlodipin", "metformin"),
        *("glibenclamid", "dexa", "dextro", "tramadol", "alprazolam", "diazepam"),
    }
)
# What is taken so for weeks, and what says that it was.
_LONG_TAKEN = frozenset(
    ("kb", "fe", "ttd", "tambah", "penambah", "vitamin", "vit", "besi", "jamu", "herbal")
)
_OVER_DAYS = frozenset(
    ("selama", "untuk", "per", "tiap", "setiap", "semingu", "sebulan", "habis", "rutin")
)
_NO_HELP = frozenset({"sembuh", "membaik", "mempan", "reda"})
_HIGH = frozenset({"puluh", "puluhan", "belas", "sebelas"})  # "dua puluh butir"
_DOSE = re.compile(r"\bx ?[0-9]")  # "3x1 10 tablet"; "1x 10 butir" is at once
BETWEEN = 4  # words: "minum obat darah tinggi dua puluh butir"


def with_too_many(
    words: Sequence[str], breaks: frozenset[int], numbers: dict[str, int]
) -> Sequence[str]:
    """The folded words, an amount that is too much at once said as the lexicon says it."""
    said = list(words)
    for at, unit in enumerate(words[1:], 1):
        number = words[at - 1]
        count = int(number) if number.isdigit() else numbers.get(number, 0)
        count = MANY if number in _HIGH else count
        is_many = unit in PIECES_OF and count * PIECES_OF[unit] >= MANY
        if is_many and at not in breaks and _is_at_once(words, breaks, at):
            said[at - 1 : at + 1] = TOO_MANY
    return said


def _is_at_once(words: Sequence[str], breaks: frozenset[int], at: int) -> bool:
    """Whether a medicine was swallowed in the clause of this unit, and not over days."""
    first = _verb_before(words, breaks, at)
    if first is None:
        return False
    behind = words[at + 1 : min((one for one in breaks if one > at), default=len(words))]
    clause = {*words[first:at], *behind[:2]}
    # "Minum 20 tablet" names no medicine and needs none.
    is_medicine = bool(clause & _MEDICINES) or words[at] in _MEDICINES
    is_course = (
        not _OVER_DAYS.isdisjoint(behind[:1])
        or not _NO_HELP.isdisjoint(words[at + 2 : at + 3])  # "10 tablet, belum sembuh"
        or bool(_DOSE.search(" ".join(words[first : at - 1])))
    )
    is_pack = PIECES_OF[words[at]] > 1 and words[first - 1 : first] == ["sudah"]
    return is_medicine and not (is_course or is_pack or clause & _LONG_TAKEN)


def _verb_before(words: Sequence[str], breaks: frozenset[int], at: int) -> int | None:
    """Where the clause of the unit at this place says that something was swallowed."""
    for place in range(at - 1, max(at - 3 - BETWEEN, -1), -1):
        if words[place] in _SWALLOWED:
            return place
        if place in breaks:
            break
    return None
