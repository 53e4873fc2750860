"""Amounts of a prescription's line that somebody has probably mistyped; they ask for a reason."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from clinic import prescription_compounds as compounds
from clinic import prescription_directions as directions
from clinic import prescription_text as words
from formatting import number_text

DOSE, LONG, MUCH = "DOSIS", "LAMA", "JUMLAH"
MOST_TIMES, MOST_DAYS, MOST_UNITS = 12, 90, 300
MOST_AT_ONCE = {"tablet": 4, "kapsul": 4, "mL": 30, "sachet": 2, "tetes": 20}
# A whole one is a dose; several at once are seldom meant.
MOST_AT_ONCE |= {"ampul": 4, "vial": 4, "tube": 2, "buah": 2}
# A typed quantity is asked about above so many times the computed one, and below it.
MOST_OF_COMPUTED = Decimal("1.5")

Found = tuple[str, tuple, str]  # rule, what it is about, the sentence


def unusual(line: Any) -> Iterable[Found]:
    """What is unusual in a line that is stored or wanted."""
    if line.times_a_day and line.times_a_day > MOST_TIMES:
        much = f"{line.times_a_day} kali sehari itu sering sekali"
        yield DOSE, (line.title, f"{line.times_a_day}x"), much
    if line.dose and line.dose > MOST_AT_ONCE.get(line.dose_unit, MOST_UNITS):
        much = f"{words.amount_text(line.dose, line.dose_unit)} {line.dose_unit}"
        yield DOSE, (line.title, much), f"{much} sekali pakai itu banyak"
    yield from _within(line)
    if line.days and line.days > MOST_DAYS:
        yield LONG, (line.title, line.days), f"{line.days} hari itu lama"
    if line.quantity and line.quantity > MOST_UNITS:
        much = f"{number_text(line.quantity)} {line.unit}"
        yield MUCH, (line.title, much), f"{much} itu banyak"
    elif line.quantity:
        yield from _against_directions(line)


def _within(line: Any) -> Iterable[Found]:
    """Of a compound what is taken of each medicine with one dose."""
    for part in () if compounds.is_ointment(line) else line.components:
        if part.medicine is None:
            continue
        unit, packets = part.medicine.dose_unit, line.dose or Decimal(1)
        doses = compounds.doses(part.amount, part.unit, part.medicine) * Fraction(packets)
        if doses > MOST_AT_ONCE.get(unit, MOST_UNITS):
            much = f"{part.title} {number_text(words.rounded(doses))} {unit}"
            yield DOSE, (line.title, much), f"{much} sekali pakai itu banyak"


def _against_directions(line: Any) -> Iterable[Found]:
    """Much more, or less, than the directions need. What is taken as needed lasts as it will."""
    # A bottle is never given in part, and how far it goes is an estimate.
    is_bottle = line.medicine is not None and line.medicine.doses_per_unit > 1
    if line.is_as_needed or is_bottle or not directions.is_counted(line):
        return
    computed = directions.units_needed(directions.of_line(line), line.days, 1)
    if computed and not computed <= line.quantity <= computed * MOST_OF_COMPUTED:
        much = f"{number_text(line.quantity)} {line.unit}"
        needed = f"{line.instruction.partition(', ')[0]}, {line.days} hari"
        sentence = f"jumlahnya {much}, menurut aturannya {number_text(computed)} ({needed})"
        yield MUCH, (line.title, much, computed), sentence
