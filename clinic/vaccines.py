"""The national vaccines with their doses: from and until which age, how long after the one before.

After the ministry's routine schedule (Permenkes 12/2017 and what was added since). Where it names
an age beyond which a dose does harm or no good: HB-0 until 7 days and BCG below 12 months after
the same; rotavirus first below 15 weeks (IDAI schedule 2014: 6-14 weeks), last below 32 weeks.
Every other vaccine is caught up on, so that it has none. Working values, listed in
docs/clinical-limits.md for a clinician to read.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import Enum
from typing import NamedTuple

from formatting import age_on, short_date
from validators import Finding


class Unit(Enum):
    """Of an age, as it is said."""

    DAYS = "hari"
    WEEKS = "minggu"
    MONTHS = "bulan"


class Until(NamedTuple):
    """The last completed age at which a dose is given: 14 weeks until the 15th is full."""

    number: int
    unit: Unit

    def is_past(self, birth_date: date, on: date) -> bool:
        days = (on - birth_date).days
        if self.unit is Unit.MONTHS:
            return days > 0 and age_on(birth_date, on).total_months > self.number
        return days // (7 if self.unit is Unit.WEEKS else 1) > self.number


class Dose(NamedTuple):
    """From this age in completed months; so many days after the dose before it; until when."""

    number: int
    from_months: int
    after_days: int = 0
    until: Until | None = None


class Vaccine(NamedTuple):
    code: str
    name: str
    doses: tuple[Dose, ...]


class Given(NamedTuple):
    """A dose that was given, wherever."""

    vaccine: str
    dose: int
    on: date


FIRST_WEEK, FIRST_YEAR = Until(7, Unit.DAYS), Until(11, Unit.MONTHS)
FIRST_ROTAVIRUS, LAST_ROTAVIRUS = Until(14, Unit.WEEKS), Until(31, Unit.WEEKS)
FOUR_WEEKS, EIGHT_WEEKS, HALF_A_YEAR, A_YEAR = 28, 56, 180, 360
_LIST = (
    Vaccine("HB0", "Hepatitis B (HB-0)", (Dose(0, 0, until=FIRST_WEEK),)),
    Vaccine("BCG", "BCG", (Dose(1, 0, until=FIRST_YEAR),)),
    Vaccine(
        "OPV",
        "Polio tetes (bOPV)",
        (Dose(1, 0), Dose(2, 2, FOUR_WEEKS), Dose(3, 3, FOUR_WEEKS), Dose(4, 4, FOUR_WEEKS)),
    ),
    Vaccine(
        "DPTHBHIB",
        "DPT-HB-Hib",
        (Dose(1, 2), Dose(2, 3, FOUR_WEEKS), Dose(3, 4, FOUR_WEEKS), Dose(4, 18, A_YEAR)),
    ),
    Vaccine("IPV", "Polio suntik (IPV)", (Dose(1, 4), Dose(2, 9, FOUR_WEEKS))),
    Vaccine("PCV", "PCV", (Dose(1, 2), Dose(2, 3, FOUR_WEEKS), Dose(3, 12, EIGHT_WEEKS))),
    Vaccine(
        "RV",
        "Rotavirus",
        (
            Dose(1, 2, until=FIRST_ROTAVIRUS),
            *(Dose(n, n + 1, FOUR_WEEKS, LAST_ROTAVIRUS) for n in (2, 3)),
        ),
    ),
    Vaccine("MR", "Campak-Rubela (MR)", (Dose(1, 9), Dose(2, 18, HALF_A_YEAR), Dose(3, 72))),
    Vaccine("JE", "Japanese encephalitis", (Dose(1, 10),)),
    Vaccine("DT", "DT", (Dose(1, 72),)),
    Vaccine("HPV", "HPV", (Dose(1, 108), Dose(2, 108, HALF_A_YEAR))),
    Vaccine(
        "TD",
        "Td",
        (
            *(Dose(1, 72), Dose(2, 72, FOUR_WEEKS), Dose(3, 72, HALF_A_YEAR)),
            *(Dose(4, 72, A_YEAR), Dose(5, 72, A_YEAR)),
        ),
    ),
)
# Asked after in a child's first years; HB-0 is of the first days, the others of school or region.
ASKED_AFTER = ("BCG", "OPV", "DPTHBHIB", "IPV", "PCV", "RV", "MR")
ASKED_BELOW_MONTHS = 60
NOT_NOW = {"IMUN-UMUR", "IMUN-JARAK", "IMUN-LEWAT"}
VACCINES = {vaccine.code: vaccine for vaccine in _LIST}


def name(code: str, dose: int) -> str:
    """Such as "DPT-HB-Hib 2"; of a vaccine that is gone from the list its code."""
    known = VACCINES.get(code)
    if known and len(known.doses) == 1:
        return known.name
    return f"{known.name if known else code} {dose}"


def dose_of(code: str, number: int) -> Dose | None:
    """The schedule's dose, None for one that it does not have."""
    doses = VACCINES[code].doses if code in VACCINES else ()
    return next((dose for dose in doses if dose.number == number), None)


def due(known: Sequence[Given], birth_date: date | None, on: date) -> list[str]:
    """Names of a small child's next doses that are neither too early nor too late on this day.

    Next is what comes after the highest that is noted; see `unrecorded` for the others.
    """
    if birth_date is None or on < birth_date:
        return []
    if age_on(birth_date, on).total_months >= ASKED_BELOW_MONTHS:
        return []
    found = []
    for code in ASKED_AFTER:
        highest = _highest(code, known)
        number = next((d.number for d in VACCINES[code].doses if d.number > highest), None)
        if number is None:
            continue
        rules = {each.rule for each in findings(Given(code, number, on), known, birth_date)}
        if not rules & NOT_NOW:
            found.append(name(code, number))
    return found


def unrecorded(known: Sequence[Given]) -> list[str]:
    """Names of doses before one that is noted, themselves not noted: given elsewhere, mostly."""
    noted = {(each.vaccine, each.dose) for each in known}
    return [
        name(code, dose.number)
        for code in ASKED_AFTER
        for dose in VACCINES[code].doses
        if dose.number < _highest(code, known) and (code, dose.number) not in noted
    ]


def _highest(code: str, known: Sequence[Given]) -> int:
    """The number of the highest dose noted; -1 without any, as HB-0 is number 0."""
    return max((each.dose for each in known if each.vaccine == code), default=-1)


def findings(wanted: Given, known: Sequence[Given], birth_date: date | None) -> list[Finding]:
    """Why this dose is not due: given already, too young, too old, out of its order, or too soon.

    What was given elsewhere may not be known here: a dose that is missing only warns.
    """
    what, dose = name(wanted.vaccine, wanted.dose), dose_of(wanted.vaccine, wanted.dose)
    same = [each for each in known if each.vaccine == wanted.vaccine]
    texts = {}
    if again := [each for each in same if each.dose == wanted.dose]:
        texts["IMUN-ULANG"] = f"{what} sudah diberikan {short_date(again[-1].on)}"
    if dose is None:
        texts["IMUN-JADWAL"] = f"{what} tidak ada di jadwal nasional"
        return [Finding(rule, "warning", text) for rule, text in texts.items()]
    if (
        birth_date
        and age_on(birth_date, max(wanted.on, birth_date)).total_months < dose.from_months
    ):
        texts["IMUN-UMUR"] = f"{what} terlalu dini: jadwalnya mulai umur {dose.from_months} bulan"
    if birth_date and dose.until and dose.until.is_past(birth_date, wanted.on):
        last = f"{dose.until.number} {dose.until.unit.value}"
        texts["IMUN-LEWAT"] = f"{what} melewati umurnya: jadwalnya sampai umur {last}"
    before = max((each.on for each in same if each.dose < wanted.dose), default=None)
    if before and wanted.on - before < timedelta(days=dose.after_days):
        soon = short_date(before + timedelta(days=dose.after_days))
        texts["IMUN-JARAK"] = f"{what} terlalu dekat dengan dosis sebelumnya: mulai {soon}"
    numbers = {each.number for each in VACCINES[wanted.vaccine].doses if each.number < dose.number}
    if missing := sorted(numbers - {each.dose for each in same}):
        texts["IMUN-BELUM"] = f"{what}: dosis {_listed(missing)} belum tercatat di sini"
    texts |= _held_against_later(what, wanted, same)
    return [Finding(rule, "warning", text) for rule, text in texts.items()]


def _held_against_later(what: str, wanted: Given, same: Sequence[Given]) -> dict[str, str]:
    """A later dose that was given already, before this one or soon after it."""
    later = min((each for each in same if each.dose > wanted.dose), key=_day, default=None)
    if later is None:
        return {}
    told = f"{name(later.vaccine, later.dose)} sudah tercatat {short_date(later.on)}"
    if later.on <= wanted.on:
        return {"IMUN-URUT": f"{what} tidak urut: {told}"}
    dose = dose_of(later.vaccine, later.dose)
    if dose and later.on - wanted.on < timedelta(days=dose.after_days):
        return {"IMUN-JARAK": f"{what} terlalu dekat dengan dosis sesudahnya: {told}"}
    return {}


def _day(given: Given) -> date:
    return given.on


def _listed(numbers: Sequence[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} dan {last}" if first else last
