"""Compounds (*racikan*): what one packet holds, typed as a doctor writes it: "CTM 1/2 tablet"."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from clinic import medicines
from clinic import prescription_text as words
from clinic.record_errors import RecordError
from formatting import number_text
from models import UNITS, Medicine, PrescriptionComponent
from validators import clean_text

# Forms of a compound and what one of them is counted in.
FORMS = {"puyer": "bungkus", "kapsul": "kapsul", "salep": "pot"}
MOST_COMPONENTS = 12


class LineError(RecordError):
    """What is wrong with one line, by the line's key in the form."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message, "prescription")
        self.key = key


@dataclass(frozen=True)
class Component:
    """What one packet of a compound holds."""

    title: str
    amount: Decimal
    unit: str
    medicine: Medicine | None = None


_AMOUNT = r"(?P<amount>[\d½¼¾][\d.,/½¼¾]*(?:\s+\d/\d)?)\s*(?P<unit>[A-Za-z%]*)\s*"
_AFTER_NAME = re.compile(rf"(?P<name>.*\S)[\s:]+{_AMOUNT}")
_AFTER_EQUALS = re.compile(rf"(?P<name>.*\S)\s*=\s*{_AMOUNT}")


def read(text: str, key: str) -> list[Component]:
    """What was typed, a component in each row. Raises LineError."""
    rows = [row.strip() for row in clean_text(text, 2000, newlines=True).splitlines()]
    rows = [row for row in rows if row]
    if len(rows) > MOST_COMPONENTS:
        raise LineError(f"Paling banyak {MOST_COMPONENTS} bahan dalam satu racikan.", key)
    return [_component(row, key) for row in rows]


def _component(row: str, key: str) -> Component:
    found = _AFTER_EQUALS.fullmatch(row) or _AFTER_NAME.fullmatch(row)
    name, typed_amount = _name_and_amount(found) if found else ("", "")
    amount = words.number(typed_amount)
    if found is None or amount is None or amount > words.MOST_UNITS:
        raise LineError(
            f'Tulis jumlah per bungkus di belakang "{row[:60]}", misalnya: CTM 1/2 tablet.', key
        )
    typed = found["unit"].lower()
    unit = UNITS.get(typed, typed)
    medicine = _meant(name, key)
    if medicine is None:
        return Component(clean_text(name, 160), amount, clean_text(unit, 20) or "bagian")
    unit = unit or medicine.dose_unit
    if unit not in (medicine.dose_unit, *words.MASSES):
        raise LineError(f"{medicine.label} dihitung dalam {medicine.dose_unit}.", key)
    if unit in words.MASSES and words.mass(medicine.strength) is None:
        raise LineError(f"Tulis {medicine.label} dalam {medicine.dose_unit}.", key)
    return Component(medicine.label, amount, unit, medicine)


def _name_and_amount(found: re.Match) -> tuple[str, str]:
    """ "CTM 1 1/2" is one and a half, "CTM 4 1/2" half a tablet of 4 mg."""
    name, amount = found["name"], found["amount"]
    before, _, last = name.rpartition(" ")
    if last.isdecimal() and "/" in amount and before and not medicines.search(name):
        return before.strip(), f"{last} {amount}"
    return name, amount


def _meant(name: str, key: str) -> Medicine | None:
    """The one medicine of this name; None when it is not on the list."""
    found = medicines.search(name)
    exact = [each for each in found if each.label.lower() == name.lower()]
    solid = [each for each in found if each.unit in ("tablet", "kapsul")]
    meant = exact or solid or found
    if len(meant) > 1:
        labels = " atau ".join(each.label for each in meant[:3])
        raise LineError(f'"{name[:60]}" dapat berarti {labels}. Tulis kekuatannya juga.', key)
    return meant[0] if meant else None


def component_units(amount: Decimal, unit: str, medicine: Medicine, packets: Decimal) -> Decimal:
    """Whole units of stock that so many packets of a compound use up."""
    doses = words.exact(amount) * Fraction(packets)
    if unit in words.MASSES and (one := words.mass(medicine.strength)):
        doses = Fraction(amount * words.MASSES[unit] * packets) / Fraction(one)
    return words.whole_up(doses / medicine.doses_per_unit)


def text_of(each: Component | PrescriptionComponent) -> str:
    """A component as it would be typed."""
    is_mass = each.unit in words.MASSES
    plain = number_text(each.amount).replace(".", "")
    amount = plain if is_mass else words.amount_text(each.amount, each.unit)
    return f"{each.title} = {amount} {each.unit}"
