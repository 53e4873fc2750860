"""Directions, as they are typed and as the patient reads them.

Pure. "3x1", "3 dd 1/2 pc", "2x5 mL", "1-0-1 prn 5 hari", "3x1-2 tab", "3x seminggu 2 tab". They
become numbers only when they are understood to the last word: a weekly dose read as a daily one,
or the first of two phases as the whole, harms. All else stays as it was written, without numbers.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from clinic import prescription_text as words
from clinic.data_files import DATA
from clinic.prescription_intervals import DAY, EACH, PHASE, WEEK, durations, speaks_of_interval
from clinic.prescription_text import MOST_TIMES, SHORT_FORMS, SPOONS
from models import MILLILITRE, UNITS

COUNTED = ("tablet", "kapsul", "bungkus", "sachet")  # so many doses are so many units
PARTS_OF_DAY = ("pagi", "siang", "malam")
# After these any words may follow: the patient decides when.
CONDITIONS = ("bila", "jika", "kalau")
# Before the numbers only what cannot change them: "bila demam 3x1", and no "sampai 3x1".
LEADS = frozenset((*words.NOTES, "setelah makan", "oles", "oleskan", "dioleskan", "oles tipis"))
# Behind its unit a number may also be a strength ("tab 500"), or in mL ("sendok 5").
MOST_SPOONS, MOST_COUNTED = 2, 4
# What may stand behind the numbers without changing them.
KNOWN = frozenset((DATA / "direction_words.txt").read_text(encoding="utf-8").split())
KNOWN |= frozenset(" ".join((*words.NOTES, *SHORT_FORMS.values())).split())


@dataclass(frozen=True)
class Sig:
    """The directions as numbers, as far as they are numbers; `note` is what else was said.

    `times` in `every` so many days. Of a range `dose` is the larger end, `least` the smaller.
    """

    times: int | None = None
    dose: Decimal | None = None
    unit: str = ""
    days: int | None = None
    note: str = ""
    every: int = DAY
    least: Decimal | None = None


# --- What is typed ----------------------------------------------------------------------------

_NUMBER = r"\d+\s+\d/\d|\d+/\d+|\d+(?:[.,]\d+)?|(?:iv|vi{0,3}|i{1,3})(?![a-z])"
_TO = r"\s*(?:-|atau|sampai|hingga|s/d|sd)\s*"
_UNIT = "|".join(sorted({*UNITS, *SPOONS}, key=len, reverse=True))
_DOSE = (
    rf"(?:(?P<dose>{_NUMBER})(?:{_TO}(?P<upto>{_NUMBER}))?"
    rf"\s*(?:(?P<unit>{_UNIT})(?![a-z]))?)?"
)


def _period(name: str) -> str:
    return rf"(?:<(?P<{name}>[a-z]\d{{1,2}})>)?\s*"


_TIMES = re.compile(
    rf"{_period('before')}(?P<times>\d{{1,2}})\s*(?:x|×|\*|dd|kali)\s*{_period('within')}@?\s*"
    rf"{_DOSE}\s*{_period('after')}(?P<rest>.*)"
)
_ONCE = re.compile(rf"<(?P<before>[et]\d{{1,2}})>\s*@?\s*{_DOSE}(?P<rest>.*)")
_DOSE_FIRST = re.compile(rf"{_DOSE}\s*<(?P<before>e\d{{1,2}})>(?P<rest>.*)")
_HOURS = re.compile(rf"(?:{EACH}|/)\s*(?P<hours>\d{{1,2}})\s*jam\s*@?\s*{_DOSE}(?P<rest>.*)")
_PATTERN = re.compile(
    rf"(?P<a>{_NUMBER})\s*-\s*(?P<b>{_NUMBER})\s*-\s*(?P<c>{_NUMBER})"
    rf"\s*(?:(?P<unit>{_UNIT})(?![a-z]))?(?P<rest>.*)"
)
_SIGNA = re.compile(r"\As\.?\s*(?=\d)")
_LEAD = re.compile(r"(?P<lead>[a-z][a-z./ ]*?)[\s,]+(?=[\d<])")
# As doctors write it: "3 dd tab I", "3 dd gtt 2".
_UNIT_FIRST = re.compile(
    rf"(?P<sign>[x×*@>]|dd|kali|jam)\s*(?P<unit>{_UNIT})(?![a-z])\.?\s*"
    rf"(?P<amount>(?:{_NUMBER}|[ivx]+(?![a-z]))(?:{_TO}(?:{_NUMBER}))?)"
    rf"(?!\s*(?:{_UNIT})(?![a-z])|[\d.,/])"
)
_SAID_HOURS = re.compile(rf"(?:{EACH}|/)\s*(\d{{1,2}})\s*jam\b")


def read(text: str) -> Sig:
    """What the box of directions says; without numbers unless all of it was understood."""
    typed = " ".join(text.split()).strip(" ,;.")
    plain = typed.lower().replace("–", "-")
    for sign, instead in words.FRACTIONS.items():
        plain = plain.replace(sign, f" {instead}")
    plain = _SIGNA.sub("", plain)
    plain, days = durations(" ".join(re.sub(r"\bmgg\b", "minggu", plain).split()))
    if "<" not in typed and len(days) <= 1:
        lead, plain = _lead(_UNIT_FIRST.sub(_unit_behind, plain))
        for reading in (_read_pattern, _read_times, _read_once, _read_hours):
            sig = reading(plain)
            if sig is not None:
                note = words.join(lead, sig.note)
                return replace(sig, days=days[0] if days else None, note=note)
    return Sig(note=words.expanded(typed))


def _lead(plain: str) -> tuple[str, str]:
    """What stands before the numbers and says when or how, in words; and the rest."""
    found = _LEAD.match(plain)
    said = words.expanded(found["lead"]) if found else ""
    condition, _, when = said.partition(" ")
    if said in LEADS or (condition in CONDITIONS and re.fullmatch("[a-z]+", when)):
        return said, plain[found.end() :]
    return "", plain


def _unit_behind(found: re.Match) -> str:
    """ "dd tab I" as "dd 1 tab", where the number can only be one of the dose."""
    unit, amounts = found["unit"], re.split(_TO, found["amount"])
    most = MOST_SPOONS if unit in SPOONS else MOST_COUNTED if UNITS[unit] in COUNTED else None
    numbers = [words.number(each) for each in amounts]
    if None in numbers or (most and max(numbers) > most):
        return found[0]
    told = "-".join(str(words.ROMAN.get(each, each)) for each in amounts)
    return f"{found['sign']} {told} {unit}"


def lacks_unit(note: str) -> bool:
    """Whether it has numbers and nowhere says of what: "3x1 lalu 2x1"."""
    has_unit = re.search(rf"(?<![a-z])(?:{_UNIT})(?![a-z])", note.lower())
    return has_unit is None and re.search(r"\d", note) is not None


def _read_times(text: str) -> Sig | None:
    found = _TIMES.fullmatch(text)
    if not found or not 1 <= int(found["times"]) <= MOST_TIMES:
        return None
    times = int(found["times"])
    every = _every(found, times)
    return _sig(found, times, every) if every else None


def _read_once(text: str) -> Sig | None:
    """ "Seminggu sekali 2 tablet", "2 tablet seminggu sekali"."""
    found = _ONCE.fullmatch(text) or _DOSE_FIRST.fullmatch(text)
    if not found or (found["dose"] and not found["unit"] and found.start("dose") == 0):
        return None
    every = int(found["before"][1:])
    return _sig(found, 1, every) if every else None


def _read_hours(text: str) -> Sig | None:
    found = _HOURS.fullmatch(text)
    if not found or not 1 <= int(found["hours"]) <= MOST_TIMES or MOST_TIMES % int(found["hours"]):
        return None
    return _sig(found, MOST_TIMES // int(found["hours"]))


def _read_pattern(text: str) -> Sig | None:
    """Morning, noon and evening; unequal doses in words, since they are no one number."""
    found = _PATTERN.fullmatch(text)
    if not found:
        return None
    doses = [words.number(found[name]) for name in "abc"]
    taken = [dose for dose in doses if dose]
    note = _note(found["rest"])
    if not taken or note is None or words.names_other_times(note, len(taken)):
        return None
    when = [word for word, dose in zip(PARTS_OF_DAY, doses, strict=True) if dose]
    measured = [_measured(found["unit"] or "", dose) for dose in taken]
    if len(set(taken)) > 1:
        amounts = (f"{words.amount_text(dose, unit)} {unit}".rstrip() for unit, dose in measured)
        told = map(" ".join, zip(when, amounts, strict=True))
        return Sig(note=words.join(*told, note))
    unit, dose = measured[0]
    return Sig(len(taken), dose, unit, note=words.join(" dan ".join(when), note))


def _every(found: re.Match, times: int) -> int | None:
    """In how many days so many times; None when that is said twice, or can be read in two ways."""
    said = [(name, found[name]) for name in ("before", "within", "after") if found[name]]
    if not said:
        return DAY
    where, mark = said[0]
    kind, days = mark[0], int(mark[1:])
    # "3x2 seminggu": two tablets thrice a week, or thrice a day for a week?
    is_either = kind == "w" and where == "after"
    if len(said) > 1 or is_either or (kind == "e" and times > 1):
        return None
    return days or None


def _sig(found: re.Match, times: int, every: int = DAY) -> Sig | None:
    """None when the dose is no number, the range no range, or something is said besides."""
    dose, least = _dose(found["dose"]), _dose(found["upto"])
    if least is not None:
        dose, least = least, dose
    note = _note(found["rest"], times)
    is_wrong = (found["dose"] and not dose) or (found["upto"] and not (least and least < dose))
    if is_wrong or note is None or words.names_other_times(note, times if every == DAY else 0):
        return None
    unit, dose = _measured(found["unit"] or "", dose)
    _, least = _measured(found["unit"] or "", least)
    return Sig(times, dose, unit, None, note, every, least)


def _dose(text: str | None) -> Decimal | None:
    return words.number(text) if text else None


def _measured(typed: str, amount: Decimal | None) -> tuple[str, Decimal | None]:
    """The unit in its one spelling; spoons in mL."""
    if typed in SPOONS and amount:
        return MILLILITRE, amount * SPOONS[typed]
    return UNITS.get(typed, ""), amount


def _note(rest: str, times: int = 0) -> str | None:
    """What follows the numbers, in words; None when it may change them."""
    hours = _SAID_HOURS.search(rest)
    if hours and times * int(hours[1]) == MOST_TIMES:
        before = _note(rest[: hours.start()])
        after = _note(rest[hours.end() :])
        told = (before, f"tiap {int(hours[1])} jam", after)
        return None if None in told else words.join(*told)
    text = words.expanded(rest)
    if re.search(r"[^a-z ,.;()']", text) or PHASE.search(text) or speaks_of_interval(text):
        return None
    return text if all(map(_is_known, re.split(r"[,;.()]", text))) else None


def _is_known(clause: str) -> bool:
    for word in clause.split():
        if word in CONDITIONS:
            return True
        if word not in KNOWN:
            return False
    return True


# --- What the patient reads -------------------------------------------------------------------


def directions(
    times: int | None,
    dose: Decimal | None,
    unit: str,
    every: int = DAY,
    least: Decimal | None = None,
) -> str:
    """ "3 x sehari 1-2 tablet", "tiap 2 hari 1 tablet"; empty when there are no numbers."""
    if times is None:
        return ""
    how_often = {DAY: f"{times} x sehari", WEEK: f"{times} x seminggu"}
    amount = f"{words.amount_text(least, unit)}-" if least is not None else ""
    amount += f"{words.amount_text(dose, unit)} {unit}" if dose is not None else ""
    return f"{how_often.get(every, f'tiap {every} hari')} {amount}".rstrip()


def sig_text(times: int | None, dose: Decimal | None, unit: str = "") -> str:
    """What would be typed in the box to say the same: "3x1", with its unit where one is given."""
    if times is None:
        return ""
    return f"{times}x{words.amount_text(dose, unit)} {unit}".strip() if dose else f"{times}x"


def of_line(line: Any) -> Sig:
    """The numbers of a line that is stored or wanted.

    Only its sentence tells of an interval other than a day, and of the smaller end of a range.
    """
    told = read(line.instruction.partition(", ")[0].removesuffix(f" {line.dose_unit}"))
    if told.times is not None and line.dose is not None:
        is_more = told.every != DAY if line.times_a_day is None else told.least is not None
        if is_more and line.times_a_day in (None, told.times):
            return replace(told, dose=line.dose, days=line.days)
    return Sig(line.times_a_day, line.dose, line.dose_unit, line.days)


def is_counted(line: Any) -> bool:
    """Whether so many doses of it are a known number of units."""
    return line.medicine is not None or line.dose_unit in COUNTED


def units_needed(sig: Sig, days: int | None, doses_per_unit: int | None) -> Decimal | None:
    """Whole units for so many days; None when a number is missing."""
    if sig.times is None or sig.dose is None or days is None or doses_per_unit is None:
        return None
    doses = words.whole_up(Fraction(sig.times * days, sig.every))
    return words.whole_up(words.exact(sig.dose) * int(doses) / doses_per_unit)


def days_supplied(
    quantity: Decimal, times: int | None, dose: Decimal | None, doses_per_unit: int
) -> int | None:
    """For how many days so much is enough; None when nobody can say."""
    if times is None or dose is None:
        return None
    return int(words.whole_up(quantity * doses_per_unit / (dose * times)))
