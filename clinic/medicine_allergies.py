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
SHORTEST_START = 5  # letters of "amoks": from here a name may be cut off
# Words that name no substance, as keys.
EMPTY_WORDS = frozenset(
    key(
        "obat alergi antibiotik antibiotika golongan tablet kapsul sirup salep krim tetes suntik"
        " injeksi infus asam acid natrium kalium kalsium vitamin hidroksida klorida sulfat mesilat"
        " dan atau jenis semua sejenis dll anak kompleks merah biru bulan buatan kering mata"
        " kombinasi asetil"
    ).split()
)
# Other names of families, as keys. Metamizole is asked about as a painkiller of the AINS.
FAMILY_NAMES = {
    key(name): key(family)
    for family, names in {
        "ains": "nsaid|oains|antiinflamasi|antalgin|metamizol|metampiron|novalgin",
        "sulfa": "sulfonamida|sulfonamid|sulfametoksazol",
        "salisilat": "aspirin",
        "penisilin": "pen|penicilin",
        "sefalosporin": "sefalo|cefa|cef",
        "betalaktam": "beta laktam",
        "kuinolon": "fluorokuinolon",
        "makrolida": "makrolid|macrolide",
        "azol": "antijamur",
        "kortikosteroid": "steroid",
        "penghambat ace": "ace inhibitor|inhibitor ace|acei",
        "penyekat beta": "beta blocker|beta bloker",
        "anestetik amida": "anestesi lokal|anestetik lokal|bius lokal",
    }.items()
    for name in names.split("|")
}
# Names that no word of the list leads to, and what they hold.
OTHER_NAMES = {
    key(name): substance
    for substance, names in {
        "guaifenesin": "gg",
        "triheksifenidil": "thp",
        "besi": "sf fe",
        "metilprednisolon": "mp",
        "mefenamat": "mefinal",
    }.items()
    for name in names.split()
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
    allergic |= _cut_off(allergic, known)
    # "INH" and "Panadol" are what they hold, also in a medicine that is not called so.
    allergic |= frozenset[str]().union(*(each.substance for each in known if allergic & each.words))
    named = _words(title)
    if medicine is not None:
        named |= _words(f"{medicine.ingredients.replace('|', ' ')} {medicine.synonyms}")
    if _meet(allergic, named):
        return "zat"
    families = _families(substance, allergic, known)
    own = _own_families(title, medicine, named, known)
    shared = sorted(families & own)
    written = {key(each): each for each in medicine.family_list} if medicine else {}
    return f"golongan {written.get(shared[-1], shared[-1])}" if shared else ""


def _cut_off(words: frozenset[str], known: Iterable[Known]) -> frozenset[str]:
    """The whole names of which these are the beginning: "amox", "kotri"."""
    starts = tuple(word for word in words if len(word) >= SHORTEST_START)
    return frozenset(name for each in known for name in each.words if name.startswith(starts))


def _own_families(
    title: str, medicine: Medicine | None, named: frozenset[str], known: Iterable[Known]
) -> frozenset[str]:
    if medicine is not None:
        return frozenset(key(each) for each in medicine.family_list)
    return _families(title, named, known)  # of what is not on the list, by its name


def _families(text: str, words: frozenset[str], known: Iterable[Known]) -> frozenset[str]:
    """The families that a text names, in one word or more, or whose medicines its words name."""
    said = f" {key(text)} "
    found = {family for name, family in FAMILY_NAMES.items() if f" {name} " in said}
    for each in known:
        if each.families and _meet(words, each.words):
            found |= each.families
        found |= {
            family
            for family in each.families
            if f" {family} " in said or _meet(words, frozenset([family]))
        }
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
    said = key(text).split()
    found = {word for word in said if len(word) >= SHORTEST and not word[0].isdigit()}
    found |= {OTHER_NAMES[word] for word in said if word in OTHER_NAMES}
    return frozenset(found - EMPTY_WORDS)
