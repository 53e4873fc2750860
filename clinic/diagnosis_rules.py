"""Diagnoses that do not go with the patient's sex or age: they ask for a reason, never stop.

The rules are data (data/diagnosis_rules.csv), each with its source. A rule says for whom its codes
are meant; what isn't known of the patient breaks none. Of a code that breaks several, the first
speaks: the order of the file.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from clinic.code_ranges import CodeRanges, parse
from clinic.data_files import texts
from models import Level, Visit


class Person(NamedTuple):
    """Of whom a diagnosis is made, on the day of the visit."""

    sex: str
    years: int | None
    days: int | None


class Rule(NamedTuple):
    rule: str
    level: Level
    codes: CodeRanges
    sex: str
    from_years: int | None
    below_years: int | None
    below_days: int | None
    message: str
    source: str

    def is_broken_by(self, person: Person) -> bool:
        """Whether the person is none of those that the codes are meant for."""
        years, days = person.years, person.days
        return (
            bool(self.sex and person.sex and person.sex != self.sex)
            or (years is not None and self.from_years is not None and years < self.from_years)
            or (years is not None and self.below_years is not None and years >= self.below_years)
            or (days is not None and self.below_days is not None and days >= self.below_days)
        )

    @property
    def needs_reason(self) -> bool:
        return self.level in (Level.WARNING, Level.ERROR)


class Finding(NamedTuple):
    """A broken rule with the codes that break it, and the reason given so far."""

    rule: str
    level: Level
    message: str
    reason: str = ""


@cache
def rules() -> tuple[Rule, ...]:
    """All rules in the order of the file."""
    return tuple(_rule(row) for row in texts("diagnosis_rules.csv"))


def _rule(row: dict[str, str]) -> Rule:
    ages = ("from_years", "below_years", "below_days")
    numbers = {name: int(row[name]) if row[name] else None for name in ages}
    return Rule(**row | numbers | {"level": Level(row["level"]), "codes": parse(row["codes"])})


def person_of(visit: Visit) -> Person:
    """The patient as of the visit's day."""
    return Person(visit.patient.sex, visit.age_years, visit.age_days)


def broken(code: str, person: Person) -> Rule | None:
    """The first rule that this code breaks."""
    if not code:
        return None
    found = (rule for rule in rules() if code in rule.codes and rule.is_broken_by(person))
    return next(found, None)


def asks_for(code: str, person: Person) -> str:
    """The rule that wants a reason for this code; "" for none."""
    rule = broken(code, person)
    return rule.rule if rule and rule.needs_reason else ""


def findings(coded: Iterable[tuple[str, str]], person: Person) -> list[Finding]:
    """What to say about codes with their reasons, a rule once for all the codes that break it."""
    broken_by: dict[Rule, list[tuple[str, str]]] = {}
    for code, reason in coded:
        rule = broken(code, person)
        if rule:
            broken_by.setdefault(rule, []).append((code, reason))
    return [
        Finding(
            rule.rule,
            rule.level,
            f"{', '.join(code for code, _ in codes)}: {rule.message}.",
            next((reason for _, reason in codes if reason), ""),
        )
        for rule, codes in broken_by.items()
    ]
