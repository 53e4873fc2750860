"""From what the form says of one medicine to the line that would be stored; raises LineError."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from clinic import medicines
from clinic import prescription_compounds as compounds
from clinic import prescription_text as words
from clinic.prescription_compounds import FORMS, Component, LineError
from formatting import number_text
from models import Medicine, PrescriptionLine
from validators import FieldError, clean_text

OUTSIDE, COMPOUND = "luar", "racikan"
MOST_LINES = 20
LONGEST_SIG, LONGEST_NOTE = 60, 200


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
    """All lines of the form. Raises LineError for the first that can't be used."""
    if len(entered) > MOST_LINES:
        raise LineError(f"Paling banyak {MOST_LINES} baris dalam satu resep.", "")
    known = medicines.by_codes(each.what for each in entered)
    return [_wanted(each, known) for each in entered]


def usable(entered: Sequence[LineInput]) -> dict[str, WantedLine]:
    """By key, the lines that can be understood as they stand."""
    known, found = medicines.by_codes(each.what for each in entered), {}
    for each in entered:
        with contextlib.suppress(LineError, FieldError):
            found[each.key] = _wanted(each, known)
    return found


def _wanted(each: LineInput, known: Mapping[str, Medicine]) -> WantedLine:
    sig = words.read(clean_text(each.sig, LONGEST_SIG))
    if each.what == COMPOUND:
        return _compound(each, sig)
    if each.what == OUTSIDE:
        return _outside(each, sig)
    medicine = known.get(each.what)
    if medicine is None:
        raise LineError("Ada obat yang tidak lagi di daftar. Pilih lagi.", each.key)
    dose = _dose(each, sig, medicine)
    return _line(
        each,
        sig,
        dose,
        title=medicine.label,
        medicine=medicine,
        dose_unit=medicine.dose_unit,
        unit=medicine.unit,
        doses_per_unit=medicine.doses_per_unit,
    )


def _outside(each: LineInput, sig: words.Sig) -> WantedLine:
    title = clean_text(each.title, 160)
    if not title:
        raise LineError("Tulis nama dan kekuatan obat dari luar.", each.key)
    amount, _, unit = each.quantity.strip().partition(" ")
    counted = LineInput(each.what, each.sig, each.days, amount, each.note, key=each.key)
    unit = clean_text(unit, 20) or sig.unit or "buah"
    return _line(counted, sig, sig.dose, title=title, dose_unit=sig.unit, unit=unit)


def _compound(each: LineInput, sig: words.Sig) -> WantedLine:
    form = each.title if each.title in FORMS else "puyer"
    components = tuple(compounds.read(each.parts, each.key))
    if not components:
        raise LineError("Tulis isi racikan, satu bahan di setiap baris.", each.key)
    return _line(
        each,
        sig,
        sig.dose,
        title=f"Racikan {form}",
        is_compound=True,
        dose_unit=FORMS[form],
        unit=FORMS[form],
        components=components,
    )


def _dose(each: LineInput, sig: words.Sig, medicine: Medicine) -> Decimal | None:
    """The dose in the medicine's own unit; "3x500 mg" of a tablet of 500 mg is one tablet."""
    if sig.dose is None:
        return Decimal(1) if sig.times and medicine.dose_unit == words.SPREAD else None
    if sig.unit in words.MASSES:
        one = words.mass(medicine.strength)
        if one is None:
            raise LineError(f"Tulis dosis {medicine.name} dalam {medicine.dose_unit}.", each.key)
        return (sig.dose * words.MASSES[sig.unit] / one).quantize(Decimal("0.001"))
    if not sig.unit and medicine.dose_unit == words.MILLILITRE:
        # One "sendok takar" or one mL: five times as much, so nobody guesses.
        raise LineError(
            f"Tulis satuan dosis {medicine.label}: 3x5 mL, atau 3x1 sendok (5 mL).", each.key
        )
    if sig.unit and sig.unit != medicine.dose_unit:
        raise LineError(
            f"{medicine.label} dihitung dalam {medicine.dose_unit}, bukan {sig.unit}.", each.key
        )
    return sig.dose


def _line(
    each: LineInput, sig: words.Sig, dose: Decimal | None, doses_per_unit: int = 1, **more
) -> WantedLine:
    days = _days(each, sig, more["title"])
    note = words.join(sig.note, clean_text(each.note, LONGEST_NOTE))
    numbers = words.directions(sig.times, _told(dose, more["dose_unit"]), more["dose_unit"])
    typed = _quantity(each, more["title"])
    computed = words.units_needed(sig.times, dose, days, doses_per_unit)
    if computed and computed > words.MOST_UNITS and typed is None:
        raise LineError(f"Jumlah {more['title']} terlalu besar. Periksa aturan pakainya.", each.key)
    instruction = words.join(numbers, note)
    if len(instruction) > LONGEST_NOTE:
        raise LineError(f"Aturan pakai paling banyak {LONGEST_NOTE} huruf.", each.key)
    return WantedLine(
        dose=dose,
        times_a_day=sig.times,
        days=days,
        is_as_needed=words.is_as_needed(note),
        quantity=typed or computed,
        instruction=instruction,
        key=each.key,
        **more,
    )


def _told(dose: Decimal | None, unit: str) -> Decimal | None:
    return None if unit == words.SPREAD else dose  # "2 x sehari, oleskan tipis"


def _days(each: LineInput, sig: words.Sig, title: str) -> int | None:
    typed = each.days.strip().lower().removesuffix("hari").strip()
    if not typed:
        days = sig.days
    elif typed.isascii() and typed.isdecimal():
        days = int(typed[:6])
    else:
        raise LineError(f"{title}: tulis lamanya dalam hari, angka saja.", each.key)
    if days is not None and not 1 <= days <= words.MOST_DAYS:
        raise LineError(f"{title}: lamanya 1 sampai {words.MOST_DAYS} hari.", each.key)
    return days


def _quantity(each: LineInput, title: str) -> Decimal | None:
    typed = each.quantity.strip()
    if not typed:
        return None
    amount = words.number(re.sub(r"[^\d,./½¼¾ ]+$", "", typed).strip())
    if amount is None or amount > words.MOST_UNITS:
        raise LineError(f"{title}: tulis jumlah dengan angka, misalnya 10.", each.key)
    return amount


# --- Back into the form -----------------------------------------------------------------------


def line_input(row: PrescriptionLine) -> LineInput:
    """What the form would say to mean a stored line again."""
    unit = row.medicine.dose_unit if row.medicine else row.dose_unit
    told = _told(row.dose, unit)
    needs_unit = row.medicine is None or unit == words.MILLILITRE
    shown_unit = unit if needs_unit and not row.is_compound else ""
    numbers = words.directions(row.times_a_day, told, row.dose_unit)
    note = row.instruction.removeprefix(numbers).strip(", ")
    per_unit = row.medicine.doses_per_unit if row.medicine else 1
    computed = words.units_needed(row.times_a_day, row.dose, row.days, per_unit)
    quantity = "" if row.quantity in (None, computed) else number_text(row.quantity)
    what = row.medicine.code if row.medicine else COMPOUND if row.is_compound else OUTSIDE
    if what == OUTSIDE and row.quantity is not None:
        quantity = f"{number_text(row.quantity)} {row.unit}"
    return LineInput(
        what=what,
        sig=words.sig_text(row.times_a_day, told, shown_unit),
        days=str(row.days or ""),
        quantity=quantity.replace(".", ""),
        note=note,
        title=row.title.removeprefix("Racikan ") if row.is_compound else row.title,
        parts="\n".join(compounds.text_of(each) for each in row.components),
        key=row.public_id[-12:],
    )
