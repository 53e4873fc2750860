"""The national vaccines with their doses: from which age, and how long after the dose before.

After the ministry's routine schedule (Permenkes 12/2017 and what was added since); working
values, listed in docs/clinical-limits.md for a clinician to read.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from formatting import age_on, short_date
from validators import Finding


class Dose(NamedTuple):
    """From this age in completed months; so many days after the dose before it."""

    number: int
    from_months: int
    after_days: int = 0


class Vaccine(NamedTuple):
    code: str
    name: str
    doses: tuple[Dose, ...]


class Given(NamedTuple):
    """A dose that was given, wherever."""

    vaccine: str
    dose: int
    on: date


FOUR_WEEKS, EIGHT_WEEKS, HALF_A_YEAR, A_YEAR = 28, 56, 180, 360
_LIST = (
    Vaccine("HB0", "Hepatitis B (HB-0)", (Dose(0, 0),)),
    Vaccine("BCG", "BCG", (Dose(1, 0),)),
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
    Vaccine("RV", "Rotavirus", (Dose(1, 2), Dose(2, 3, FOUR_WEEKS), Dose(3, 4, FOUR_WEEKS))),
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
TOO_EARLY = {"IMUN-UMUR", "IMUN-JARAK"}
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
    """Names of a small child's doses that are not noted, and not too early on this day."""
    if birth_date is None or on < birth_date:
        return []
    if age_on(birth_date, on).total_months >= ASKED_BELOW_MONTHS:
        return []
    found = []
    for code in ASKED_AFTER:
        given = {each.dose for each in known if each.vaccine == code}
        number = next((d.number for d in VACCINES[code].doses if d.number not in given), None)
        if number is None:
            continue
        rules = {each.rule for each in findings(Given(code, number, on), known, birth_date)}
        if not rules & TOO_EARLY:
            found.append(name(code, number))
    return found


def findings(wanted: Given, known: Sequence[Given], birth_date: date | None) -> list[Finding]:
    """Why this dose is not due: given already, too young, out of its order, or too soon.

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
