"""Invented Indonesian names: regions, generations, old spellings, names of one word."""

from functools import cache
from random import Random

from clinic.data_files import texts

# How common each group is in the demo sub-district.
GROUPS = {
    "sasak": 34,
    "muslim": 24,
    "jawa": 16,
    "bali": 10,
    "bugis": 8,
    "sunda": 4,
    "batak": 2,
    "timur": 2,
}
OLD_UNTIL, NEW_FROM = 1962, 2009
FAMILY_NAMES = {"batak", "timur"}  # the father's name goes on to the children
HAJJ_GROUPS = {"sasak", "muslim", "bugis", "jawa"}
BIRTH_RANKS = (("Wayan", "Putu"), ("Made", "Kadek"), ("Nyoman", "Komang"), ("Ketut", "Ketut"))


@cache
def words(group: str, part: str) -> tuple[str, ...]:
    """The names of one group: part L or P, their `_old` and `_new`, `last`, `last_P`."""
    for row in texts("demo_names.csv"):
        if (row["group"], row["part"]) == (group, part):
            return tuple(row["names"].split(";"))
    return ()


@cache
def streets(kind: str) -> tuple[str, ...]:
    """Names of streets or hamlets."""
    found = {row["kind"]: row["names"] for row in texts("demo_streets.csv")}
    return tuple(found[kind].split(";"))


def full_name(
    random: Random, group: str, sex: str, year: int, *, rank: int = 0, family: str = ""
) -> str:
    """A name for somebody born in `year`; `rank` counts older siblings, `family` is the father's.

    Half of the old people have a name of one word, few of the young.
    """
    given = _given(random, group, sex, year)
    if group == "bali":
        given = _balinese(random, given, sex, year, rank)
    elif group in FAMILY_NAMES:
        given = f"{given} {family or random.choice(words(group, 'last'))}"
    elif " " not in given and random.random() > _one_word_share(year):
        last = (sex == "P" and words(group, "last_P")) or words(group, "last")
        given = f"{given} {random.choice(last)}"
    if group in HAJJ_GROUPS and year < 1970 and random.random() < 0.08:
        given = f"{'H.' if sex == 'L' else 'Hj.'} {given}"
    return given.removeprefix("Hj. ") if given.startswith("Hj. Hj. ") else given


def _given(random: Random, group: str, sex: str, year: int) -> str:
    if year < OLD_UNTIL and random.random() < 0.5:
        return random.choice(words(group, f"{sex}_old"))
    if year >= NEW_FROM and random.random() < 0.75:
        return random.choice(words(group, f"{sex}_new"))
    return random.choice(words(group, sex))


def _balinese(random: Random, given: str, sex: str, year: int, rank: int) -> str:
    born_as = BIRTH_RANKS[rank % len(BIRTH_RANKS)][year >= 1995 or random.random() < 0.2]
    if " " not in given and random.random() < 0.35:
        last = words("bali", "last_P" if sex == "P" else "last")
        given = f"{given} {random.choice(last)}"
    article = "" if year >= 2008 else "I " if sex == "L" else "Ni "
    return f"{article}{born_as} {given}"


def _one_word_share(year: int) -> float:
    return 0.55 if year < 1965 else 0.28 if year < 1995 else 0.1
