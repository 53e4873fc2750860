"""Whether a medicine is, or is of the family of, what a person is allergic to.

Words are compared, folded (`medicine_words`): of the allergy as it was written, and of the
medicine's ingredients, name, synonyms and families. Better asked once too often; what says nothing
here is told to whoever writes it down.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from clinic.data_files import DATA
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
# Other names of families, and members that the list lacks, as keys. Metamizole is asked about as a
# painkiller of the AINS.
FAMILY_NAMES = {
    key(name): key(family)
    for family, names in {
        "ains": "nsaid|oains|antiinflamasi|antalgin|metamizol|metampiron|novalgin|piroksikam"
        "|ketoprofen|naproksen|propifenazon",
        "sulfa": "sulfonamida|sulfonamid|sulfametoksazol",
        "salisilat": "aspirin",
        "penisilin": "pen|penicilin|kloksasilin|dikloksasilin",
        "sefalosporin": "sefalo|cefa|cef|sefaleksin|sefotaksim|sefuroksim|seftazidim",
        "aminoglikosida": "streptomisin|neomisin|kanamisin|amikasin",
        "betalaktam": "beta laktam",
        "kuinolon": "fluorokuinolon|ofloksasin|moksifloksasin",
        "makrolida": "makrolid|macrolide|klaritromisin|spiramisin",
        "azol": "antijamur",
        "kortikosteroid": "steroid",
        "penghambat ace": "ace inhibitor|inhibitor ace|acei",
        "penyekat beta": "beta blocker|beta bloker",
        "anestetik amida": "anestesi lokal|anestetik lokal|bius lokal",
    }.items()
    for name in names.split("|")
}
# What is written when nobody knows which one it was: any of these families and substances.
GROUPS = {
    "antibiotik": (
        "antibiotik|antibiotika|antibiotic|antibiotics",
        "penisilin|sefalosporin|sulfa|kuinolon|makrolida|tetrasiklin|linkosamid|nitroimidazol"
        "|aminoglikosida|kloramfenikol|rifampisin",
    ),
    "obat nyeri dan demam": (
        "anti nyeri|antinyeri|pereda nyeri|peredam nyeri|penghilang nyeri|penahan nyeri|obat nyeri"
        "|anti sakit|pereda sakit|penghilang sakit|penghilang rasa sakit|penahan sakit|obat sakit"
        "|obat pusing|painkiller|pain killer|analgesik|analgetik|analgesic|analgetic"
        "|penurun panas|penurun demam|obat panas|obat demam|antipiretik|antipiretika|puyer",
        "ains|parasetamol|metamizol",
    ),
}
# Names that no word of the list leads to, and what they hold.
OTHER_NAMES = {
    key(name): key(substance)
    for substance, names in {
        "guaifenesin": "gg",
        "triheksifenidil": "thp",
        "besi": "sf fe",
        "metilprednisolon": "mp",
        "mefenamat": "mefinal mef pondex",
        "penisilin": "pnc",
        "amoksisilin": "amok",
        "ampisilin": "ampi",
        "sulfametoksazol": "septrin sanprima primadex",
        "parasetamol": "bodrex biogesic tempra praxion dumin termorex sumagesic mixagrip decolgen"
        " procold neozep paramex saridon oskadon inza ultraflu",
        "asetosal": "bodrexin inzana naspro",
        "diklofenak": "cataflam kaflam voltadex",
    }.items()
    for name in names.split()
}
# Food, dust and reactions: nobody who writes these down means a medicine.
THINGS = frozenset(key((DATA / "allergens.txt").read_text(encoding="utf-8")).split())
PARTS = re.compile(r"[,;/()]|\b(?:dan|atau|serta)\b", re.IGNORECASE)


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
    substance, groups = _without_groups(substance)
    allergic = _allergic(substance, known)
    named = _words(title)
    if medicine is not None:
        named |= _words(f"{medicine.ingredients.replace('|', ' ')} {medicine.synonyms}")
    if _meet(allergic, named):
        return "zat"
    families = _families(substance, allergic, known)
    own = _own_families(title, medicine, named, known)
    shared = sorted(families & own)
    written = {key(each): each for each in medicine.family_list} if medicine else {}
    if shared:
        return f"golongan {written.get(shared[-1], shared[-1])}"
    if groups and _is_named(substance, known):  # "antibiotik amoksisilin": that one
        return ""
    return next((f"golongan {each}" for each in groups if _holds(each, own | named)), "")


def _without_groups(text: str) -> tuple[str, list[str]]:
    """What an allergy says besides the groups that it names, and those."""
    said, groups = f" {key(text)} ", []
    for group, (names, _) in GROUPS.items():
        for name in names.split("|"):
            if f" {key(name)} " in said:
                said = said.replace(f" {key(name)} ", "  ")
                groups.append(group)
    return (said if groups else text), groups


def _holds(group: str, words: frozenset[str]) -> bool:
    return any(key(each) in words for each in GROUPS[group][1].split("|"))


def _allergic(text: str, known: Iterable[Known]) -> frozenset[str]:
    """The names of all that an allergy may mean."""
    words = _words(text)
    words |= _cut_off(words, known)
    # "INH" and "Panadol" are what they hold, also in a medicine that is not called so.
    return words.union(*(each.substance for each in known if words & each.words))


def _is_named(text: str, known: Iterable[Known]) -> bool:
    """Whether a text leads to a medicine of the list, or to a family."""
    words = _allergic(text, known)
    return bool(_families(text, words, known)) or any(_meet(words, one.words) for one in known)


def not_understood(substance: str) -> str:
    """What to say of an allergy that leads to no medicine: '' of one that does, and of food."""
    if not substance:
        return ""
    known, unknown = catalogue(), []
    for part in PARTS.split(substance):
        rest, groups = _without_groups(part)
        is_thing = not THINGS.isdisjoint(key(part).split()) and "obat" not in key(part).split()
        if part.strip() and not (groups or is_thing or _is_named(rest, known)):
            unknown.append(part.strip())
    if not unknown:
        return ""
    return (
        f'Alur tidak mengenal "{", ".join(unknown)}" sebagai obat: resep hanya diperiksa terhadap '
        "kata itu. Bila itu obat, tulis nama zatnya."
    )


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
