"""Which demo patient came on which day with what: two years that end yesterday.

Visits follow from the person: check-ups before a child's birth, the child's immunisations,
monthly visits with a lasting disease, and illness by age and chance.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate
from random import Random

from clinic.demo_cases import Case, draw
from clinic.demo_people import SEED, Person
from formatting import age_on

HISTORY = timedelta(days=730)
KNOWN_SINCE = timedelta(days=4 * 365)  # the first of them was registered that long ago
HOLIDAYS = {(1, 1), (5, 1), (6, 1), (8, 17), (12, 25)}
WEEKDAYS = (1.4, 1.1, 1.0, 1.0, 0.7, 0.8, 0)  # Monday is the fullest, Sunday closed
OPENS, LAST_NUMBER, BUSIEST = 450, 780, 535  # minutes after midnight
KNOWN_PREGNANT_DAYS, CHILDBED_DAYS = 245, 42
BEFORE_BIRTH = (215, 170, 120, 75, 40, 14)
AFTER_BIRTH = (6, 16, 36)
CHILD_DAYS = {"imun1": (35,), "imun2": (64, 95, 126), "imun9": (278,), "imun18": (550,)}
# How often in two years somebody of up to this age falls ill.
ILLNESSES = ((5, 4.6), (18, 2.2), (45, 2.7), (60, 3.4), (130, 4.1))


@dataclass(frozen=True)
class PlannedVisit:
    """One visit to be written: who (place in the list of people), when and with what."""

    person: int
    on: date
    minute: float  # after midnight, clinic time
    case: Case
    pregnant: str


def pregnancy_on(person: Person, on: date) -> str:
    """ya, nifas or empty, by the births of her children."""
    for born in person.births:
        if 0 < (born - on).days <= KNOWN_PREGNANT_DAYS:
            return "ya"
        if 0 <= (on - born).days <= CHILDBED_DAYS:
            return "nifas"
    return ""


def months_on(person: Person, on: date) -> int | None:
    """Completed months of life; None when nobody knows the birth date."""
    return age_on(person.born, on).total_months if person.born else None


@dataclass
class Calendar:
    """Two years of visits for these people, the same for the same day."""

    people: Sequence[Person]
    today: date
    random: Random = field(default_factory=lambda: Random(SEED + 1))  # noqa: S311
    taken: dict[tuple[int, date], PlannedVisit] = field(default_factory=dict)

    @cached_property
    def days(self) -> list[date]:
        """The days on which the clinic was open."""
        first = self.today - HISTORY
        dates = [first + timedelta(days=number) for number in range(HISTORY.days)]
        return [on for on in dates if WEEKDAYS[on.weekday()] and (on.month, on.day) not in HOLIDAYS]

    @cached_property
    def weights(self) -> list[float]:
        return list(accumulate(WEEKDAYS[on.weekday()] for on in self.days))

    def joined(self, number: int) -> date:
        """When the person was first registered: in the list's order, a child soon after birth."""
        slot = self.today - KNOWN_SINCE * (1 - number / len(self.people))
        born = self.people[number].born
        if born is None or born < max(slot, self.days[0]):
            return slot
        return min(born + timedelta(days=5 + number % 25), self.today)

    def visits(self) -> list[PlannedVisit]:
        """All visits in the order in which the patients came; at most one a day for each."""
        for number, person in enumerate(self.people):
            since = self.joined(number)
            if person.visits:
                self.plan_daily(number, person, since)
                continue
            for on, tag in self.wishes(person, since):
                self.plan(number, person, on, tag)
            if since >= self.days[0]:  # somebody registers in order to be seen
                self.plan(number, person, since, "")
        return sorted(self.taken.values(), key=lambda visit: (visit.on, visit.minute, visit.person))

    def wishes(self, person: Person, since: date) -> Iterator[tuple[date, str]]:
        """Days on which the person would like to come, and why."""
        for on, tag in (*self.around_births(person), *self.in_childhood(person)):
            if on >= since and self.random.random() < 0.8:
                yield on, tag
        for ill in sorted(person.ills):
            yield from ((on, ill) for on in self.controls(ill, since))
        yield from ((on, "") for on in self.illnesses(person, since))

    def around_births(self, person: Person) -> Iterator[tuple[date, str]]:
        for born in dict.fromkeys(person.births):  # twins are one birth
            yield from ((born - timedelta(days=days), "anc") for days in BEFORE_BIRTH)
            yield from ((born + timedelta(days=days), "nifas") for days in AFTER_BIRTH)
            if born.day % 2:
                count = 1 + born.day % 7
                yield from ((born + timedelta(days=50 + 86 * n), "kb") for n in range(count))

    def in_childhood(self, person: Person) -> Iterator[tuple[date, str]]:
        if person.born and person.born > self.days[0] - timedelta(days=600):
            for tag, ages in CHILD_DAYS.items():
                yield from ((person.born + timedelta(days=days), tag) for days in ages)

    def controls(self, ill: str, since: date) -> Iterator[date]:
        on, end, gap = max(since, self.days[0]), self.today, 34
        if ill == "tb":  # half a year of treatment
            on = max(on, self.random.choice(self.days))
            end, gap = on + timedelta(days=180), 15
        while on < end:
            on += timedelta(days=gap + self.random.randint(-4, 9))
            if self.random.random() < 0.45:
                yield on

    def illnesses(self, person: Person, since: date) -> list[date]:
        first = bisect_left(self.days, max(since, person.born or since))
        if first >= len(self.days):
            return []
        years = 40 if person.born is None else age_on(person.born, self.today).years
        mean = next(count for below, count in ILLNESSES if years < below)
        count = round(self.random.expovariate(1 / mean) * (1 - first / len(self.days)))
        passed = self.weights[first - 1] if first else 0
        drawn = [self.random.uniform(passed, self.weights[-1]) for _ in range(count)]
        return [self.days[bisect_left(self.weights, weight)] for weight in drawn]

    def plan_daily(self, number: int, person: Person, since: date) -> None:
        """The long-time patient: spread evenly over the open days."""
        days = [on for on in self.days if on >= since]
        for place, on in enumerate(sorted(self.random.sample(days, person.visits))):
            self.plan(number, person, on, "luka" if place % 25 else "dm")

    def plan(self, number: int, person: Person, wanted: date, tag: str) -> None:
        """Note a visit on the next open day, unless it lies ahead or there is one already."""
        place = bisect_left(self.days, wanted)
        if place >= len(self.days) or (number, self.days[place]) in self.taken:
            return
        on = self.days[place]
        pregnant = pregnancy_on(person, on)
        if pregnant:  # whatever it is, she is seen by the midwife
            tag = "anc" if pregnant == "ya" else "nifas"
        elif tag in ("anc", "nifas"):
            return
        months = months_on(person, on)
        case = draw(self.random, tag, 360 if months is None else months, person.identity.sex)
        if case is None:
            return
        if tag == "kb":
            pregnant = "tidak"
        minute = self.random.triangular(OPENS, LAST_NUMBER, BUSIEST)
        self.taken[number, on] = PlannedVisit(number, on, minute, case, pregnant)
