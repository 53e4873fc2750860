"""Whether a medicine is, or is of the family of, what a person is allergic to.

Words are compared, folded (`medicine_words`): of the allergy as it was written, and of the
medicine's ingredients, name, synonyms and families. Better asked once too often.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from clinic.medicine_words import alike, key
from db import db
from models import Medicine

SHORTEST = 3
# Words that name no substance, as keys.
EMPTY_WORDS = frozenset(
    key(
        "obat alergi antibiotik antibiotika golongan tablet kapsul sirup salep krim tetes suntik"
        " injeksi infus asam acid natrium kalium kalsium vitamin hidroksida klorida sulfat mesilat"
        " dan atau jenis semua sejenis dll anak kompleks merah biru bulan buatan kering mata"
        " kombinasi"
    ).split()
)
# Other names of families, as keys.
FAMILY_NAMES = {
    key(word): key(family)
    for family, words in {
        "ains": "nsaid oains antiinflamasi",
        "sulfa": "sulfonamida sulfonamid sulfametoksazol",
        "salisilat": "aspirin",
        "penisilin": "pen penicilin",
        "sefalosporin": "sefalo",
        "kuinolon": "fluorokuinolon",
        "makrolida": "makrolid macrolide",
        "azol": "antijamur",
    }.items()
    for word in words.split()
}


@dataclass(frozen=True)
class Known:
    """A medicine of the list as words: what it is called by, its families, its only substance."""

    words: frozenset[str]
    families: frozenset[str]
    substance: frozenset[str]


def catalogue() -> list[Known]:
    """The whole list, ended medicines too; 1 query."""
    columns = (Medicine.name, Medicine.ingredients, Medicine.synonyms, Medicine.families)
    return [
        Known(
            _words(f"{row.name} {row.ingredients.replace('|', ' ')} {row.synonyms}"),
            frozenset(key(each) for each in row.families.split("|") if each),
            frozenset() if "|" in row.ingredients else _words(row.ingredients),
        )
        for row in db.session.execute(select(*columns).distinct())
    ]


def matches(substance: str, title: str, medicine: Medicine | None, known: Iterable[Known]) -> str:
    """How the medicine meets the allergy: "zat", "golongan" with its name, or ''."""
    allergic = _words(substance)
    # "INH" and "Panadol" are what they hold, also in a medicine that is not called so.
    allergic |= frozenset[str]().union(*(each.substance for each in known if allergic & each.words))
    named = _words(title)
    if medicine is not None:
        named |= _words(f"{medicine.ingredients.replace('|', ' ')} {medicine.synonyms}")
    if _meet(allergic, named):
        return "zat"
    families = _families(allergic, known)
    own = _own_families(medicine, named, known)
    shared = sorted(families & own)
    return f"golongan {shared[-1]}" if shared else ""


def _own_families(
    medicine: Medicine | None, named: frozenset[str], known: Iterable[Known]
) -> frozenset[str]:
    if medicine is not None:
        return frozenset(key(each) for each in medicine.family_list)
    return _families(named, known)  # of what is not on the list, by its name


def _families(words: frozenset[str], known: Iterable[Known]) -> frozenset[str]:
    """The families that these words name, or whose medicines they name."""
    found = {FAMILY_NAMES[word] for word in words if word in FAMILY_NAMES}
    for each in known:
        if each.families and _meet(words, each.words):
            found |= each.families
        found |= {family for family in each.families if _meet(words, frozenset([family]))}
    return frozenset(found)


def _meet(some: frozenset[str], others: frozenset[str]) -> bool:
    if some & others:
        return True
    return any(
        one[0] == other[0] and abs(len(one) - len(other)) <= 3 and alike(one, other)
        for one in some
        for other in others
    )


def _words(text: str) -> frozenset[str]:
    found = (word for word in key(text).split() if len(word) >= SHORTEST)
    return frozenset(word for word in found if word not in EMPTY_WORDS and not word[0].isdigit())
