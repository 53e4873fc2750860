"""What the demo clinic's patients come with: complaint, findings, diagnoses, therapy, measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import pairwise
from random import Random

from clinic.data_files import texts

CHILD_MONTHS, ELDERLY_MONTHS, TODDLER_MONTHS = 144, 720, 60
# Age in months, usual weight in kg and height in cm.
GROWTH = (
    *((0, 3.3, 50), (3, 6.0, 60), (6, 7.6, 66), (12, 9.3, 75), (24, 12.0, 86), (36, 14.0, 95)),
    *((60, 18.0, 109), (84, 23.0, 121), (120, 32.0, 138), (156, 44.0, 154), (204, 54.0, 161)),
)
# Age in months from which, pulse and breaths a minute.
RATES = ((0, 130, 40), (12, 115, 28), (60, 95, 22), (144, 82, 18))


@dataclass(frozen=True)
class Case:
    """One row of demo_cases.csv; room AGE is UMUM, MTBS or LANSIA by the patient's age."""

    tag: str
    room: str
    weight: int
    from_months: int
    below_months: int
    sex: str
    complaints: tuple[str, ...]
    codes: tuple[tuple[str, ...], ...]
    subjective: str
    objective: str
    plan: str
    therapy: str
    therapy_child: str
    vital: str
    lab: str

    def fits(self, months: int, sex: str) -> bool:
        return self.from_months <= months < self.below_months and self.sex in ("", sex)

    def room_for(self, months: int | None) -> str:
        if self.room != "AGE" or months is None:
            return self.room.replace("AGE", "UMUM")
        return (
            "MTBS" if months < TODDLER_MONTHS else "LANSIA" if months >= ELDERLY_MONTHS else "UMUM"
        )

    def therapy_for(self, months: int | None) -> str:
        is_child = months is not None and months < CHILD_MONTHS
        return self.therapy_child if is_child and self.therapy_child else self.therapy


@cache
def cases(tag: str = "") -> tuple[Case, ...]:
    """The cases of one tag; '' are those that anybody may come with on any day."""
    return tuple(_case(row) for row in texts("demo_cases.csv") if row["tag"] == tag)


def _case(row: dict[str, str]) -> Case:
    texts = {key: value for key, value in row.items() if not key.startswith("age_")}
    return Case(
        **texts
        | {
            "weight": int(row["weight"]),
            "from_months": int(row["age_from_months"] or 0),
            "below_months": int(row["age_below_months"] or 2000),
            "complaints": tuple(row["complaints"].split("|")),
            "codes": tuple(tuple(codes.split()) for codes in row["codes"].split("|")),
        }
    )


@cache
def all_codes() -> frozenset[str]:
    """Every ICD-10 code that a case may be given."""
    lists = [row["codes"].replace("|", " ").split() for row in texts("demo_cases.csv")]
    return frozenset(code for codes in lists for code in codes)


@cache
def _fitting(tag: str, months: int, sex: str, room: str) -> tuple[Sequence[Case], Sequence[int]]:
    found = [
        case
        for case in cases(tag)
        if case.fits(months, sex) and room in ("", case.room_for(months))
    ]
    return found, [case.weight for case in found]


def draw(random: Random, tag: str, months: int, sex: str, room: str = "") -> Case | None:
    """A case of this tag for a patient of this age and sex, by weight; in this room only."""
    found, weights = _fitting(tag, months, sex, room)
    return random.choices(found, weights)[0] if found else None


def build_of(person: int) -> float:
    """How big this person is for the age, about 1; the same at every visit."""
    return 0.93 + (person * 37 % 100) / 600


def vital_signs(random: Random, case: Case, months: int | None, build: float) -> dict[str, object]:
    """Plausible measurements; `build` (about 1) is how big the person is for the age."""
    months = 360 if months is None else months
    weight, height = _grown(months)
    weight *= build ** (3 if months > CHILD_MONTHS else 1.5)
    pulse, breaths = next((p, b) for at, p, b in reversed(RATES) if months >= at)
    is_ill, is_short_of_breath = case.vital == "demam", case.vital == "sesak"
    signs = {
        "systolic": None,
        "diastolic": None,
        "pulse": pulse + random.randint(-9, 9) + (12 if is_ill else 0),
        "respiration": breaths + random.randint(-2, 3) + (6 if is_short_of_breath else 0),
        "temperature": _tenths(random.uniform(38.0, 39.4) if is_ill else random.gauss(36.6, 0.2)),
        "weight": _tenths(weight + random.uniform(-0.2, 0.3)),
        "height": _tenths(height * (0.7 + 0.3 * build)),
        "saturation": random.randint(93, 95) if is_short_of_breath else random.randint(96, 99),
    }
    if months >= CHILD_MONTHS:
        high = case.vital == "ht"
        signs["systolic"] = random.randint(138, 172) if high else random.randint(100, 132)
        signs["diastolic"] = random.randint(84, 100) if high else random.randint(64, 84)
    if case.vital == "sehat":  # immunisation: weighed and measured only
        signs |= dict.fromkeys(("pulse", "respiration", "saturation"))
    return signs


def _grown(months: int) -> tuple[float, float]:
    for (low, weight, height), (high, next_weight, next_height) in pairwise(GROWTH):
        if months < high:
            part = (months - low) / (high - low)
            return (
                weight + part * (next_weight - weight),
                height + part * (next_height - height),
            )
    return GROWTH[-1][1] + 3, GROWTH[-1][2]


def _tenths(value: float) -> Decimal:
    return Decimal(round(value * 10)) / 10
