"""The dose of a substitute beside the dose that was prescribed, in mg.

The directions of the old line are copied into the form. With another strength the same words are
another dose, so that is asked once, with what would be the same dose where that can be measured.
"""

from decimal import ROUND_HALF_UP, Decimal

from clinic import prescription_directions as directions
from clinic import prescription_text as words
from clinic.prescription_amounts import MOST_AT_ONCE
from clinic.prescription_lines import WantedLine, line_input
from clinic.record_errors import RecordError
from formatting import number_text
from models import Medicine, PrescriptionLine

# What can be taken as a part of one: half a tablet, a whole capsule, 0.1 mL of a measured liquid.
STEPS = {"tablet": Decimal("0.5"), "kapsul": Decimal(1), words.MILLILITRE: Decimal("0.1")}
# A tenth of a mL more or less may change the dose by so much of itself; all else by nothing.
MOST_ROUNDED, SAME = Decimal("0.05"), Decimal("0.01")


class DoseChanged(RecordError):
    """The substitute would be another dose; `sig` is what the box of directions should hold."""

    def __init__(self, sentence: str, sig: str) -> None:
        super().__init__(sentence, "sig")
        self.sig = sig


def refuse_unseen(line: PrescriptionLine, wanted: WantedLine, typed_sig: str) -> None:
    """Raise DoseChanged when `wanted` is another dose than `line`, or nobody can say."""
    if _is_equal_strength(line.medicine, wanted.medicine) or _is_same_dose(line, wanted):
        return
    is_copied = typed_sig.strip() == line_input(line).sig
    proposal = _proposal(line, wanted) if is_copied else ""
    raise DoseChanged(_sentence(line, wanted, proposal), proposal if is_copied else typed_sig)


def _change(line: PrescriptionLine, wanted: WantedLine) -> str:
    """ "dosis semula 1 x sehari 5 mg, kini 1 x sehari 10 mg"; '' where it can't be compared."""
    before, now = _milligrams(line), _milligrams(wanted)
    if before is None or now is None or not _are_comparable(line.medicine, wanted.medicine):
        return ""
    return f"dosis semula {_told(line, before)}, kini {_told(wanted, now)}"


def _sentence(line: PrescriptionLine, wanted: WantedLine, proposal: str) -> str:
    change = _change(line, wanted)
    if not change:
        return (
            f"{_strength_of(line)} dan {_strength_of(wanted)}: dosisnya tidak dapat dibandingkan. "
            f"Semula {line.instruction or 'tanpa aturan pakai'}. Tulis aturan pakai dan jumlah "
            "obat pengganti, lalu simpan lagi."
        )
    ask = (
        f"Agar dosisnya tetap, di bawah diusulkan {proposal}."
        if proposal
        else "Tulis aturan pakai dan jumlah obat pengganti."
    )
    return f"Kekuatannya berbeda: {change}. {ask} Periksa, lalu simpan lagi."


def _strength_of(line: PrescriptionLine | WantedLine) -> str:
    return line.medicine.label if line.medicine else line.title


def _told(line: PrescriptionLine | WantedLine, milligrams: Decimal) -> str:
    return f"{line.times_a_day} x sehari {number_text(milligrams.quantize(Decimal('0.001')))} mg"


# --- What can be compared ---------------------------------------------------------------------


def _is_equal_strength(before: Medicine | None, now: Medicine | None) -> bool:
    """Whether the same directions mean the same dose of both."""
    if not _are_comparable(before, now):
        return False
    if _mass(before) is None or _mass(now) is None:
        return (before.strength, before.dose_unit) == (now.strength, now.dose_unit)
    return _mass(before) == _mass(now)


def _are_comparable(before: Medicine | None, now: Medicine | None) -> bool:
    """Whether mg of the one are mg of the other: the same ingredients, taken the same way."""
    if before is None or now is None or before.route is not now.route:
        return False
    return set(before.ingredient_list) == set(now.ingredient_list)


def _mass(medicine: Medicine) -> Decimal | None:
    return words.mass_of_one(medicine.strength, medicine.dose_unit)


def _milligrams(line: PrescriptionLine | WantedLine) -> Decimal | None:
    """What is taken at once; None without numbers."""
    mass = _mass(line.medicine) if line.medicine else None
    return line.dose * mass if mass and line.dose and line.times_a_day else None


def _is_same_dose(line: PrescriptionLine, wanted: WantedLine) -> bool:
    before, now = _milligrams(line), _milligrams(wanted)
    if before is None or now is None or not _are_comparable(line.medicine, wanted.medicine):
        return False
    return line.times_a_day == wanted.times_a_day and abs(now - before) <= before * SAME


def _proposal(line: PrescriptionLine, wanted: WantedLine) -> str:
    """Directions for as many mg as before, if somebody can measure that; else ''."""
    before = _milligrams(line)
    if before is None or not _are_comparable(line.medicine, wanted.medicine):
        return ""
    unit, mass = wanted.medicine.dose_unit, _mass(wanted.medicine)
    step = STEPS.get(unit)
    if step is None or not mass:
        return ""
    exact = before / mass
    dose = (exact / step).to_integral_value(ROUND_HALF_UP) * step
    is_near = abs(dose - exact) <= exact * (MOST_ROUNDED if unit == words.MILLILITRE else SAME)
    if not is_near or not 0 < dose <= MOST_AT_ONCE[unit]:
        return ""
    return directions.sig_text(line.times_a_day, dose, unit if unit == words.MILLILITRE else "")
