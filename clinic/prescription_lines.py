"""From what the form says of one medicine to the line that would be stored; raises LineError."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from clinic import medicines
from clinic import prescription_compounds as compounds
from clinic import prescription_directions as directions
from clinic import prescription_text as words
from clinic.prescription_compounds import FORMS, Component, LineError
from clinic.prescription_directions import Sig
from clinic.prescription_intervals import DAY, speaks_of_interval
from clinic.record_errors import refuse
from formatting import number_text
from models import Medicine, PrescriptionLine
from validators import FieldError, clean_text

OUTSIDE, COMPOUND = "luar", "racikan"
MOST_LINES = 20
LONGEST_SIG, LONGEST_NOTE = 60, 200
_LIKE_DIRECTIONS = re.compile(r"\d\s*(?:x|×|dd|kali|-)|\b(?:pagi|siang|malam) \d")


@dataclass(frozen=True)
class LineInput:
    """One line of the form, as typed. `what`: a medicine's code, OUTSIDE or COMPOUND."""

    what: str
    sig: str = ""  # "3x1"
    days: str = ""
    quantity: str = ""  # empty: computed
    note: str = ""  # "sesudah makan"
    title: str = ""  # of what is not on the list; of a compound its form
    parts: str = ""  # a compound's components, one in each row
    key: str = ""


@dataclass(frozen=True)
class WantedLine:
    """A line as it would be stored."""

    title: str
    medicine: Medicine | None = None
    is_compound: bool = False
    dose: Decimal | None = None
    dose_unit: str = ""
    times_a_day: int | None = None
    days: int | None = None
    is_as_needed: bool = False
    quantity: Decimal | None = None
    unit: str = ""
    instruction: str = ""
    components: tuple[Component, ...] = ()
    key: str = ""

    @property
    def identity(self) -> tuple:
        """Equal for lines that say the same."""
        parts = tuple((each.title, each.amount, each.unit) for each in self.components)
        about = (self.medicine.id if self.medicine else None, self.title, self.is_compound, parts)
        numbers = (self.dose, self.dose_unit, self.times_a_day, self.days, self.quantity)
        return (*about, *numbers, self.unit, self.instruction)


def wanted_lines(entered: Sequence[LineInput]) -> list[WantedLine]:
    """All lines of the form. Raises LineError for those that can't be used, all at once."""
    if len(entered) > MOST_LINES:
        raise LineError(f"Paling banyak {MOST_LINES} baris dalam satu resep.", "")
    known, found, problems = medicines.by_codes(each.what for each in entered), [], []
    for each in entered:
        try:
            found.append(_wanted(each, known))
        except LineError as problem:
            problems.append(problem)
    refuse(problems)
    return found


def usable(entered: Sequence[LineInput]) -> dict[str, WantedLine]:
    """By key, the lines that can be understood as they stand."""
    known, found = medicines.by_codes(each.what for each in entered), {}
    for each in entered:
        with contextlib.suppress(LineError, FieldError):
            found[each.key] = _wanted(each, known)
    return found


def _wanted(each: LineInput, known: Mapping[str, Medicine]) -> WantedLine:
    sig = _directions(each)
    if each.what == COMPOUND:
        return _compound(each, sig)
    if each.what == OUTSIDE:
        return _outside(each, sig)
    medicine = known.get(each.what)
    if medicine is None:
        raise LineError("Ada obat yang tidak lagi di daftar. Pilih lagi.", each.key)
    return _line(
        each,
        _in_its_unit(each, sig, medicine),
        title=medicine.label,
        medicine=medicine,
        dose_unit=medicine.dose_unit,
        unit=medicine.unit,
        doses_per_unit=medicine.doses_per_unit,
    )


def _directions(each: LineInput) -> Sig:
    """Both boxes, read as one where the second says how often: "1x1", "seminggu sekali"."""
    typed, note = clean_text(each.sig, LONGEST_SIG), clean_text(each.note, LONGEST_NOTE)
    if speaks_of_interval(note):
        return directions.read(f"{typed} {note}")
    sig = directions.read(typed)
    if sig.times and words.names_other_times(note, sig.times if sig.every == DAY else 0):
        return Sig(note=words.join(words.expanded(typed), note))
    return replace(sig, note=words.join(sig.note, note))


def _outside(each: LineInput, sig: Sig) -> WantedLine:
    title = clean_text(each.title, 160)
    if not title:
        raise LineError("Tulis nama dan kekuatan obat dari luar.", each.key, "title")
    amount, _, unit = words.without_no(each.quantity).partition(" ")
    counted = LineInput(each.what, each.sig, each.days, amount, each.note, key=each.key)
    # "Cendo Xitrol 2x1": one of what? Nobody knows how much of it ten days need.
    is_counted = sig.unit in directions.COUNTED
    unit = clean_text(unit, 20) or (sig.unit if is_counted else "buah")
    per_unit = 1 if is_counted else None
    return _line(counted, sig, per_unit, title=title, dose_unit=sig.unit, unit=unit)


def _compound(each: LineInput, sig: Sig) -> WantedLine:
    form = each.title if each.title in FORMS else "puyer"
    components = tuple(compounds.read(each.parts, each.key, form))
    if not components:
        raise LineError("Tulis isi racikan, satu bahan di setiap baris.", each.key, "parts")
    title, unit = compounds.title_of(form), FORMS[form]
    if sig.unit and sig.unit != unit:
        raise LineError(f"{title} dihitung dalam {unit}, bukan {sig.unit}.", each.key)
    if form == compounds.OINTMENT:  # "2x1" of an ointment is no pot
        sig = replace(sig, dose=None, least=None)
    about = {"title": title, "dose_unit": unit, "unit": unit}
    return _line(each, sig, **about, is_compound=True, components=components)


def _in_its_unit(each: LineInput, sig: Sig, medicine: Medicine) -> Sig:
    """The dose in the medicine's own unit; "3x500 mg" of a tablet of 500 mg is one tablet."""
    is_fluid = medicine.dose_unit == words.MILLILITRE
    is_bare = directions.lacks_unit(each.sig) if sig.times is None else sig.dose and not sig.unit
    if is_fluid and is_bare:
        # One "sendok takar" or one mL: five times as much, so nobody guesses.
        raise LineError(
            f"Tulis satuan dosis {medicine.label}: 3x5 mL, atau 3x1 sendok (5 mL).", each.key
        )
    if sig.dose is None:
        is_one = sig.times and medicine.dose_unit == words.SPREAD
        return replace(sig, dose=Decimal(1)) if is_one else sig
    if sig.unit in words.MASSES:
        return _from_mass(each, sig, medicine)
    if sig.unit and sig.unit != medicine.dose_unit:
        raise LineError(
            f"{medicine.label} dihitung dalam {medicine.dose_unit}, bukan {sig.unit}.", each.key
        )
    return sig


def _from_mass(each: LineInput, sig: Sig, medicine: Medicine) -> Sig:
    one = words.mass_of_one(medicine.strength, medicine.dose_unit)
    if one is None:
        raise LineError(f"Tulis dosis {medicine.name} dalam {medicine.dose_unit}.", each.key)
    factor = words.MASSES[sig.unit] / one
    return replace(
        sig,
        dose=_measurable(each, sig.dose * factor, medicine),
        least=sig.least and _measurable(each, sig.least * factor, medicine),
    )


def _measurable(each: LineInput, amount: Decimal, medicine: Medicine) -> Decimal:
    found = words.measurable(amount, medicine.dose_unit)
    if found is None:
        much = f"{number_text(amount.quantize(Decimal('0.001')))} {medicine.dose_unit}"
        raise LineError(
            f"{medicine.label}: dosis ini {much}, tidak dapat ditakar. Tulis dalam "
            f"{medicine.dose_unit}.",
            each.key,
        )
    return found


def _line(each: LineInput, sig: Sig, doses_per_unit: int | None = 1, **more) -> WantedLine:
    days = _days(each, sig, more["title"])
    instruction = words.join(_numbers(sig, more["dose_unit"]), sig.note)
    typed = _quantity(each, more["title"])
    computed = directions.units_needed(sig, days, doses_per_unit)
    if computed and computed > words.MOST_UNITS and typed is None:
        raise LineError(f"Jumlah {more['title']} terlalu besar. Periksa aturan pakainya.", each.key)
    if len(instruction) > LONGEST_NOTE:
        raise LineError(f"Aturan pakai paling banyak {LONGEST_NOTE} huruf.", each.key)
    return WantedLine(
        dose=sig.dose,
        times_a_day=sig.times if sig.every == DAY else None,
        days=days,
        is_as_needed=words.is_as_needed(sig.note),
        quantity=typed or computed,
        instruction=instruction,
        key=each.key,
        **more,
    )


def _numbers(sig: Sig, unit: str) -> str:
    if unit == words.SPREAD:  # "2 x sehari, oleskan tipis"
        sig = replace(sig, dose=None, least=None)
    return directions.directions(sig.times, sig.dose, unit, sig.every, sig.least)


def _days(each: LineInput, sig: Sig, title: str) -> int | None:
    typed = each.days.strip().lower().removesuffix("hari").strip()
    if not typed:
        days = sig.days
    elif typed.isascii() and typed.isdecimal():
        days = int(typed[:6])
        if sig.days and sig.days != days:
            told = f"aturan pakai {sig.days} hari, kotak hari {days}"
            sentence = f"{title}: {told}. Samakan, atau hapus salah satunya."
            raise LineError(sentence, each.key, "days")
    else:
        raise LineError(f"{title}: tulis lamanya dalam hari, angka saja.", each.key, "days")
    if days is not None and not 1 <= days <= words.MOST_DAYS:
        raise LineError(f"{title}: lamanya 1 sampai {words.MOST_DAYS} hari.", each.key, "days")
    return days


def _quantity(each: LineInput, title: str) -> Decimal | None:
    typed = each.quantity.strip()
    if not typed:
        return None
    amount = words.quantity(typed)
    if amount is None or amount > words.MOST_UNITS:
        sentence = f"{title}: tulis jumlah dengan angka, misalnya 10."
        raise LineError(sentence, each.key, "quantity")
    return amount


# --- Back into the form -----------------------------------------------------------------------


def line_input(row: PrescriptionLine) -> LineInput:
    """What the form would say to mean a stored line again."""
    sig, note = _boxes(row)
    per_unit = row.medicine.doses_per_unit if row.medicine else 1
    computed = directions.units_needed(directions.of_line(row), row.days, per_unit)
    quantity = "" if row.quantity in (None, computed) else number_text(row.quantity)
    what = row.medicine.code if row.medicine else COMPOUND if row.is_compound else OUTSIDE
    if what == OUTSIDE and row.quantity is not None:
        quantity = f"{number_text(row.quantity)} {row.unit}"
    return LineInput(
        what=what,
        sig=sig,
        days=str(row.days or ""),
        quantity=quantity.replace(".", ""),
        note=note,
        title=row.title.removeprefix("Racikan ") if row.is_compound else row.title,
        parts="\n".join(compounds.text_of(each) for each in row.components),
        key=row.public_id[-12:],
    )


def _boxes(row: PrescriptionLine) -> tuple[str, str]:
    """Directions and note of a stored line, as they would be typed."""
    said, unit = directions.of_line(row), row.medicine.dose_unit if row.medicine else row.dose_unit
    if said.times is None:
        # As it was written: in the box of directions where it looks like some, else a note.
        text = row.instruction
        is_sig = len(text) <= LONGEST_SIG and _LIKE_DIRECTIONS.search(text)
        return (text, "") if is_sig and directions.read(text) == Sig(note=text) else ("", text)
    numbers = _numbers(said, row.dose_unit)
    note = row.instruction.removeprefix(numbers).strip(", ")
    needs_unit = row.medicine is None or unit == words.MILLILITRE
    shown_unit = unit if needs_unit and not row.is_compound else ""
    told = None if unit == words.SPREAD else row.dose
    if row.times_a_day is None or said.least is not None:
        said = replace(said, dose=told, least=told and said.least)
        return _numbers(said, shown_unit), note
    return directions.sig_text(row.times_a_day, told, shown_unit), note
