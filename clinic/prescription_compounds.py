"""Compounds (*racikan*): what one packet holds, typed as a doctor writes it: "CTM 1/2 tablet".

Of an ointment it is what one pot holds: "hidrokortison krim 5 g", "bahan sulfur 3 g".
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from clinic import medicine_words, medicines
from clinic import prescription_text as words
from clinic.record_errors import RecordError
from formatting import number_text
from models import UNITS, Medicine, PrescriptionComponent, Route
from validators import clean_text

# Forms of a compound and what one of them is counted in.
OINTMENT = "salep"
FORMS = {"puyer": "bungkus", "kapsul": "kapsul", OINTMENT: "pot"}
MOST_COMPONENTS = 12
# "Parasetamol 120" is mg, though nobody wrote it; up to so many tablets a packet are believed.
MOST_WITHOUT_UNIT = 2
RAW = "bahan "  # before what is no medicine of the list, whatever the list has of that name
ENOUGH = "qs"  # the unit of what fills up, *secukupnya*


class LineError(RecordError):
    """What is wrong with one line, by the line's key in the form, and with which of its boxes.

    A stored line has no key there; its `place` among the lines is the form's as well.
    """

    box = "sig"

    def __init__(self, message: str, key: str, box: str = "", place: int | None = None) -> None:
        self.key, self.place, self.box = key, place, box or self.box
        where = key if place is None else place
        super().__init__(message, "prescription" if where == "" else f"rx_{self.box}-{where}")


class PartsError(LineError):
    """What is wrong with a compound's components."""

    box = "parts"


@dataclass(frozen=True)
class Component:
    """What one packet of a compound holds."""

    title: str
    amount: Decimal
    unit: str
    medicine: Medicine | None = None


_AMOUNT = r"(?P<amount>[\d½¼¾⅓⅔][\d.,/½¼¾⅓⅔]*(?:\s+\d/\d)?)\s*(?P<unit>[A-Za-z%]*)\s*"
_AFTER_NAME = re.compile(rf"(?P<name>.*\S)[\s:]+{_AMOUNT}")
_AFTER_EQUALS = re.compile(rf"(?P<name>.*\S)\s*=\s*{_AMOUNT}")
_ENOUGH = re.compile(r"(?P<name>.*[^\s:=])[\s:=]+(?:q\.?\s?s\.?|secukupnya)", re.IGNORECASE)
_CONTENTS = re.compile(r"([\d.,]+)\s*(g|mL)\b")


def title_of(form: str) -> str:
    return f"Racikan {form}"


def is_ointment(line: Any) -> bool:
    """Whether this line, stored or wanted, is a compound for the skin."""
    return line.is_compound and line.title == title_of(OINTMENT)


def read(text: str, key: str, form: str = "puyer") -> list[Component]:
    """What was typed, a component in each row. Raises PartsError."""
    rows = [row.strip() for row in clean_text(text, 2000, newlines=True).splitlines()]
    rows = [row for row in rows if row]
    if len(rows) > MOST_COMPONENTS:
        raise PartsError(f"Paling banyak {MOST_COMPONENTS} bahan dalam satu racikan.", key)
    return [_component(row, key, form) for row in rows]


def _component(row: str, key: str, form: str) -> Component:
    filled = _ENOUGH.fullmatch(row)
    if filled:
        return _filler(filled["name"], key, form)
    name, typed_amount, typed_unit = _taken_apart(row, key)
    amount = words.number(typed_amount)
    if amount is None or amount > words.MOST_UNITS:
        raise PartsError(
            f'Tulis jumlah per {FORMS[form]} di belakang "{row[:60]}", misalnya: CTM 1/2 tablet.',
            key,
        )
    unit = UNITS.get(typed_unit.lower(), typed_unit.lower())
    medicine = _meant(
        name, key, is_spread=form == OINTMENT and unit in ("g", "mL", "tube", "botol")
    )
    if not unit:
        _refuse_bare(row, amount, medicine, key)
    if medicine is None:
        return Component(clean_text(name, 160), amount, clean_text(unit, 20) or "bagian")
    unit = unit or medicine.dose_unit
    _refuse_unit(unit, medicine, key, form)
    return Component(medicine.label, amount, unit, medicine)


def _filler(name: str, key: str, form: str) -> Component:
    """What fills up has no amount, so it can't be counted out of the stock either."""
    medicine = _meant(name, key, is_spread=form == OINTMENT)
    if medicine is not None:
        raise PartsError(f"Tulis jumlah {medicine.label} per {FORMS[form]}, bukan qs.", key)
    return Component(clean_text(name, 160), Decimal(1), ENOUGH)


def _refuse_bare(row: str, amount: Decimal, medicine: Medicine | None, key: str) -> None:
    if medicine is None and amount > MOST_WITHOUT_UNIT:
        raise PartsError(f'Tulis satuan "{row[:60]}": mg, g, atau bagian?', key)
    if medicine is None:
        return
    if amount > MOST_WITHOUT_UNIT or medicine.dose_unit not in ("tablet", "kapsul"):
        units = ["g"] if medicine.dose_unit == words.SPREAD else ["mg", medicine.dose_unit]
        raise PartsError(f'Tulis satuan "{row[:60]}": {" atau ".join(units)}?', key)


def _refuse_unit(unit: str, medicine: Medicine, key: str, form: str) -> None:
    if medicine.dose_unit == words.SPREAD:
        if form != OINTMENT:
            raise PartsError(f"{medicine.label} hanya untuk racikan {OINTMENT}.", key)
        units = [*(each[1] for each in [_contents(medicine)] if each), medicine.unit]
        if unit not in units:
            raise PartsError(f"Tulis {medicine.label} dalam {' atau '.join(units)}.", key)
        return
    if unit not in (medicine.dose_unit, *words.MASSES):
        raise PartsError(f"{medicine.label} dihitung dalam {medicine.dose_unit}.", key)
    if unit in words.MASSES and _mass(medicine) is None:
        raise PartsError(f"Tulis {medicine.label} dalam {medicine.dose_unit}.", key)


def _mass(medicine: Medicine) -> Decimal | None:
    return words.mass_of_one(medicine.strength, medicine.dose_unit)


def _contents(medicine: Medicine) -> tuple[Decimal, str] | None:
    """How much one tube or bottle holds, by its form: "krim 5 g"."""
    found = _CONTENTS.search(medicine.form)
    amount = words.number(found[1]) if found else None
    return (amount, found[2]) if found and amount else None


def _taken_apart(row: str, key: str) -> tuple[str, str, str]:
    """Name, amount and unit: "CTM 1 1/2" is one and a half, "CTM 4 1/2" half a tablet of 4 mg."""
    found = _AFTER_EQUALS.fullmatch(row)
    if found:
        return found["name"], found["amount"], found["unit"]
    found = _AFTER_NAME.fullmatch(row)
    if not found:
        return "", "", ""
    name, amount, unit = found["name"], found["amount"], found["unit"]
    before, _, last = name.rpartition(" ")
    before = before.strip()
    if not (last.isdecimal() and before and ("/" in amount or amount in words.FRACTIONS)):
        return name, amount, unit
    if not any(last in re.findall(r"[\d.,]+", each.strength) for each in _called(before)):
        return before, f"{last} {amount}", unit
    if int(last) <= MOST_WITHOUT_UNIT:  # "asam folat 1 1/2": of 1 mg there is a tablet too
        raise PartsError(
            f'"{row[:60]}" dapat berarti dua hal. Tulis "{before} = {last} {amount}" atau '
            f'"{before} {last} mg = {amount}".',
            key,
        )
    return name, amount, unit


def _called(name: str) -> list[Medicine]:
    """What is called so; not what only holds it, nor another strength that begins so."""
    typed, found = medicine_words.key(name).split(), []
    for each in medicines.search(name):
        about = f"{each.name} {each.strength} {each.form} {each.synonyms} {each.code}"
        known = f" {medicine_words.key(about)} "
        if all(f" {word} " in known if word.isdecimal() else f" {word}" in known for word in typed):
            found.append(each)
    return found


def _meant(name: str, key: str, *, is_spread: bool) -> Medicine | None:
    """The one medicine of this name; None when it is not on the list."""
    if name.lower().startswith(RAW):
        return None
    found, raw = _called(name), f'"{RAW}{name[:40]}" bila bahan baku'
    if not found:
        near = " atau ".join(each.label for each in medicines.search(name)[:3])
        if near:
            text = f'"{name[:60]}" tidak di daftar, yang ada {near}. Tulis namanya, atau {raw}.'
            raise PartsError(text, key)
        return None
    exact = [each for each in found if each.label.lower() == name.lower()]
    fitting = [each for each in found if _fits(each, is_spread=is_spread)]
    meant = exact or fitting or found
    if len(meant) > 1:
        labels = " atau ".join(each.label for each in meant[:3])
        raise PartsError(
            f'"{name[:60]}" dapat berarti {labels}. Tulis kekuatannya juga, atau {raw}.', key
        )
    return meant[0]


def _fits(medicine: Medicine, *, is_spread: bool) -> bool:
    if is_spread:
        return medicine.dose_unit == words.SPREAD and medicine.route is Route.TOPICAL
    return medicine.dose_unit in ("tablet", "kapsul")


def doses(amount: Decimal, unit: str, medicine: Medicine) -> Fraction:
    """An amount of a component in the medicine's dose units."""
    if unit in words.MASSES and (one := _mass(medicine)):
        return Fraction(amount * words.MASSES[unit]) / Fraction(one)
    return words.exact(amount)


def component_units(amount: Decimal, unit: str, medicine: Medicine, packets: Decimal) -> Decimal:
    """Whole units of stock that so many packets of a compound use up."""
    if medicine.dose_unit == words.SPREAD:
        contents = _contents(medicine)
        one = Fraction(contents[0]) if contents and contents[1] == unit else 1
        return words.whole_up(words.exact(amount) * Fraction(packets) / one)
    needed = doses(amount, unit, medicine) * Fraction(packets)
    return words.whole_up(needed / medicine.doses_per_unit)


def amount_of(each: Component | PrescriptionComponent) -> str:
    """How much of it one packet holds: "1/2 tablet", "120 mg", "qs"."""
    if each.unit == ENOUGH:
        return ENOUGH
    if each.unit in words.MASSES:
        return f"{number_text(each.amount)} {each.unit}"
    return f"{words.amount_text(each.amount, each.unit)} {each.unit}"


def text_of(each: Component | PrescriptionComponent) -> str:
    """A component as it would be typed."""
    if each.unit == ENOUGH:
        return f"{each.title} {ENOUGH}"
    is_mass = each.unit in words.MASSES
    plain = number_text(each.amount).replace(".", "")
    amount = plain if is_mass else words.amount_text(each.amount, each.unit)
    return f"{each.title} = {amount} {each.unit}"
