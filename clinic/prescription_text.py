"""Numbers, units and short forms of a prescription, as they are typed and as people read them.

Pure. The directions that they make up are read by `prescription_directions`.
"""

import math
import re
from decimal import Decimal
from fractions import Fraction

from formatting import number_text
from models import MILLILITRE

MOST_TIMES, MOST_DAYS, MOST_UNITS = 24, 365, 9999
SPREAD = "oles"  # the dose unit of what is spread on the skin: it needs no number
# Spoons of a doctor's hand, in mL.
SPOONS = {"cth": 5, "sdt": 5, "sendok takar": 5, "sendok teh": 5, "sendok": 5, "st": 5}
SPOONS |= {"sdm": 15, "sendok makan": 15, "cm": 15}
MASSES = {"g": Decimal(1000), "mg": Decimal(1), "mcg": Decimal("0.001")}  # in mg
FRACTIONS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
# As far as a quantity is written so: "no XV", "no XXX".
ROMAN = {
    tens + ones: 10 * len(tens) + n
    for tens in ("", "x", "xx", "xxx")
    for n, ones in enumerate(("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"))
    if tens + ones
}
# Short forms of a prescription, and what the patient reads.
SHORT_FORMS = {
    "pc": "sesudah makan",
    "ac": "sebelum makan",
    "dc": "bersama makan",
    "prn": "bila perlu",
    "kp": "bila perlu",
    "noct": "malam",
    "hs": "sebelum tidur",
    "mane": "pagi",
    "vespere": "sore",
    "et": "dan",
    "stlh": "setelah",
    "ssdh": "sesudah",
    "sblm": "sebelum",
    "mkn": "makan",
    "ue": "untuk pemakaian luar",
    "sue": "untuk pemakaian luar",
}
NOTES = (
    *("sesudah makan", "sebelum makan", "bersama makan", "malam", "pagi", "sebelum tidur"),
    *("bila perlu", "bila demam", "bila nyeri", "bila gatal", "bila sesak", "habiskan"),
    *("oleskan tipis", "teteskan", "kocok dahulu", "kunyah dahulu"),
)

_STRENGTH = re.compile(r"([\d.,]+)\s*(g|mg|mcg)(?:\s*/\s*([\d.,]*)\s*mL)?", re.ASCII)
_TIME_OF_DAY = re.compile(r"\b(?:pagi|siang|sore|malam|subuh)\b")
# But "pagi atau malam" is one of them.
_TIMES_OF_DAY = re.compile(
    rf"{_TIME_OF_DAY.pattern}(?:(?: hari)?(?:\s*[,&+]\s*|,?\s+dan\s+|\s+){_TIME_OF_DAY.pattern})+"
    r"(?!(?: hari)?\s*(?:,?\s*atau\b|/))"
)


def number(text: str) -> Decimal | None:
    """ "1", "0,5", "1/2", "½", "1 1/2", "II": a number above zero, else None."""
    typed = text.strip().lower()
    for sign, instead in FRACTIONS.items():
        typed = typed.replace(sign, f" {instead}").strip()
    if typed in ROMAN:
        return Decimal(ROMAN[typed])
    total = Decimal(0)
    for part in typed.split():
        whole, slash, below = part.partition("/")
        if not re.fullmatch(r"\d{1,6}([.,]\d{1,3})?", whole, re.ASCII):
            return None
        if re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", whole):
            whole = whole.replace(".", "")  # "1.000" is a thousand, "0.125" an eighth
        value = Decimal(whole.replace(",", "."))
        if slash:
            if not re.fullmatch(r"[1-9]\d?", below, re.ASCII):
                return None
            value = (value / Decimal(below)).quantize(Decimal("0.001"))
        total += value
    return total if total > 0 else None


def without_no(text: str) -> str:
    """A quantity without the "no." that doctors write before it."""
    return re.sub(r"\Ano\b\.?\s*", "", text.strip(), flags=re.IGNORECASE)


def quantity(text: str) -> Decimal | None:
    """ "15", "15 tab", "XV", "no. XV": a number above zero, else None."""
    typed = without_no(text)
    first = typed.partition(" ")[0].rstrip(".").lower()
    return number(first if first in ROMAN else re.sub(r"[^\d,./½¼¾ ]+$", "", typed))


def expanded(text: str) -> str:
    """Short forms written out; anything else stays."""
    plain = re.sub(r"\bk/p(?!\w)", "kp", text, flags=re.IGNORECASE)
    plain = re.sub(r"\b([ap])\.c\b\.?", r"\1c", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\b(?:s\.?\s*)?u\.?\s?e\b\.?", "ue", plain, flags=re.IGNORECASE)
    words = [SHORT_FORMS.get(word.strip(".,;").lower(), word) for word in plain.split()]
    return " ".join(words).strip(" ,;.")


def join(*texts: str) -> str:
    """Parts of a sentence, each said once."""
    found: list[str] = []
    for text in texts:
        if text and text not in found:
            found.append(text)
    return ", ".join(found)


def tidied(text: str) -> str:
    """Without the brackets and commas that nothing is left in: "( )", ", ,"."""
    plain = re.sub(r"(?<=\()[\s,;.]+|[\s,;]+(?=\))", "", text).replace("()", " ")
    return " ".join(re.sub(r",(?:\s*,)+", ",", plain).split())


def names_other_times(note: str, times: int) -> bool:
    """Whether it lists times of day, and not so many: "pagi dan malam" beside "1x"."""
    return any(
        len(set(_TIME_OF_DAY.findall(listed[0]))) != times
        for listed in _TIMES_OF_DAY.finditer(note.lower())
    )


def is_as_needed(note: str) -> bool:
    """Whether the patient decides when: "bila perlu", "bila demam"."""
    return any(
        part.strip().lower().startswith(("bila ", "jika ", "kalau ")) for part in note.split(",")
    )


def _mass(text: str) -> Decimal | None:
    """Milligrams in one dose unit, from a strength: "500 mg", "120 mg/5 mL"; else None."""
    found = _STRENGTH.fullmatch(text.strip())
    if not found:
        return None
    amount, parts = number(found[1]), number(found[3] or "1")
    return amount * MASSES[found[2]] / parts if amount and parts else None


def mass_of_one(strength: str, dose_unit: str) -> Decimal | None:
    """Milligrams in one dose unit, or None.

    "5 mg/2,5 mL" of an ampoule or tube is one of 2.5 mL; how much one of "24 mg/mL" holds, the list
    does not say, and a mistake would be ten times too much.
    """
    found = _STRENGTH.fullmatch(strength.strip())
    is_liquid = "ml" in strength.lower()
    if found and found[3] and dose_unit != MILLILITRE:
        amount = number(found[1])
        return amount * MASSES[found[2]] if amount else None
    return _mass(strength) if is_liquid is (dose_unit == MILLILITRE) else None


PARTS_OF_ONE = (
    *(("0.5", "1/2"), ("0.25", "1/4"), ("0.75", "3/4")),
    *(("0.333", "1/3"), ("0.667", "2/3")),
)
_SIGNS = {Decimal(value): sign for value, sign in PARTS_OF_ONE}


def amount_text(value: Decimal, unit: str = "") -> str:
    """Halves and quarters as people write them, else (and of mL always) a plain number."""
    whole, rest = divmod(value, 1)
    sign = _SIGNS.get(rest.normalize() if rest else rest)
    if sign is None or unit == MILLILITRE:
        return number_text(value)
    return f"{whole:f} {sign}" if whole else sign


def exact(value: Decimal) -> Fraction:
    """What a number of three decimals stands for: 0.667 is two thirds."""
    near = Fraction(value).limit_denominator(9)
    return near if abs(near - Fraction(value)) <= Fraction(1, 2000) else Fraction(value)


# What can be measured out: mL to a tenth, a tablet in quarters and thirds, all else whole.
PARTS = {MILLILITRE: (10,), "tablet": (4, 3)}
# So much a dose may change by it, working values: a syringe reads no finer than a tablet breaks.
OFF = {MILLILITRE: Decimal("0.05")}
USUALLY_OFF = Decimal("0.02")


def measurable(amount: Decimal, unit: str) -> Decimal | None:
    """The nearest dose that can be measured out; None when it is another dose."""
    near = [Decimal(round(amount * part)) / part for part in PARTS.get(unit, (1,))]
    best = min(near, key=lambda each: abs(each - amount))
    is_same = abs(best - amount) <= amount * OFF.get(unit, USUALLY_OFF)
    return best.quantize(Decimal("0.001")) if is_same else None


def rounded(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.001"))


def whole_up(value: Decimal | Fraction) -> Decimal:
    return Decimal(math.ceil(value))
