"""How a prescription is written and read: "3x1", "3 dd 1/2 pc", "2x5 mL", "1-0-1 prn 5 hari".

Pure. What was typed becomes numbers and a sentence for the patient; what can't be read as numbers
stays as it was written.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from formatting import number_text

MOST_TIMES, MOST_DAYS, MOST_UNITS = 24, 365, 9999
SPREAD = "oles"  # the dose unit of what is spread on the skin: it needs no number
MILLILITRE = "mL"
# Spoons of a doctor's hand, in mL.
SPOONS = {"cth": 5, "sdt": 5, "sendok takar": 5, "sendok teh": 5, "sendok": 5, "st": 5}
SPOONS |= {"sdm": 15, "sendok makan": 15, "cm": 15}
MASSES = {"g": Decimal(1000), "mg": Decimal(1), "mcg": Decimal("0.001")}  # in mg
UNITS = {
    word: unit
    for unit, words in {
        MILLILITRE: "ml cc",
        "tablet": "tablet tab tb",
        "kapsul": "kapsul kaps cap",
        "tetes": "tetes tts",
        "sachet": "sachet",
        "bungkus": "bungkus bks",
        "semprot": "semprot puff",
        "IU": "iu unit",
        "mg": "mg",
        "mcg": "mcg ug",
        "g": "g gr gram",
    }.items()
    for word in words.split()
}
FRACTIONS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3"}
ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
# Short forms of a prescription, and what the patient reads.
SHORT_FORMS = {
    "pc": "sesudah makan",
    "ac": "sebelum makan",
    "dc": "bersama makan",
    "prn": "bila perlu",
    "kp": "bila perlu",
    "noct": "malam",
    "hs": "sebelum tidur",
}
NOTES = (
    *("sesudah makan", "sebelum makan", "bersama makan", "malam", "pagi", "sebelum tidur"),
    *("bila perlu", "bila demam", "bila nyeri", "bila gatal", "bila sesak", "habiskan"),
    *("oleskan tipis", "teteskan", "kocok dahulu", "kunyah dahulu"),
)
PARTS_OF_DAY = ("pagi", "siang", "malam")

_NUMBER = r"\d+\s+\d/\d|\d+/\d+|\d+(?:[.,]\d+)?"
_DOSE = rf"(?P<dose>{_NUMBER}|(?:iv|i{{1,3}})(?![a-z]))?"
_TIMES = re.compile(
    rf"(?P<times>\d{{1,2}})\s*(?:x|×|\*|dd|kali)\s*(?:sehari|/\s*hari|se)?\s*@?\s*{_DOSE}"
    r"(?P<rest>.*)"
)
_EVERY = re.compile(rf"(?:tiap|setiap|/)\s*(?P<hours>\d{{1,2}})\s*jam\s*@?\s*{_DOSE}(?P<rest>.*)")
_PATTERN = re.compile(
    rf"(?P<a>{_NUMBER})\s*-\s*(?P<b>{_NUMBER})\s*-\s*(?P<c>{_NUMBER})(?P<rest>.*)"
)
_STRENGTH = re.compile(r"([\d.,]+)\s*(g|mg|mcg)(?:\s*/\s*([\d.,]*)\s*mL)?", re.ASCII)
_DAYS = re.compile(r"(?:selama\s+)?\b(\d{1,3})\s*(?:hari|hr|h)\b")


@dataclass(frozen=True)
class Sig:
    """The directions as numbers, as far as they are numbers; `note` is what else was said."""

    times: int | None = None
    dose: Decimal | None = None
    unit: str = ""
    days: int | None = None
    note: str = ""


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


def read(text: str) -> Sig:
    """What the box of directions says."""
    typed = " ".join(text.split())
    plain = typed.lower()
    for sign, instead in FRACTIONS.items():
        plain = plain.replace(sign, f" {instead}")
    found_days = _DAYS.search(plain)
    days = int(found_days[1]) if found_days else None
    if found_days:
        plain = f"{plain[: found_days.start()]} {plain[found_days.end() :]}"
    for reading in (_read_pattern, _read_times, _read_every):
        sig = reading(" ".join(plain.split()))
        if sig is not None:
            return Sig(sig.times, sig.dose, sig.unit, days, sig.note)
    return Sig(days=days, note=_words(plain, typed))


def _read_times(text: str) -> Sig | None:
    found = _TIMES.fullmatch(text)
    if not found or not 1 <= int(found["times"]) <= MOST_TIMES:
        return None
    return _sig(int(found["times"]), found["dose"], found["rest"])


def _read_every(text: str) -> Sig | None:
    found = _EVERY.fullmatch(text)
    if not found or not 1 <= int(found["hours"]) <= MOST_TIMES or MOST_TIMES % int(found["hours"]):
        return None
    return _sig(MOST_TIMES // int(found["hours"]), found["dose"], found["rest"])


def _read_pattern(text: str) -> Sig | None:
    """Morning, noon and evening, as long as each dose is the same."""
    found = _PATTERN.fullmatch(text)
    if not found:
        return None
    doses = [number(found[name]) for name in "abc"]
    taken = [dose for dose in doses if dose]
    if not taken or len(set(taken)) > 1:
        return None
    when = [word for word, dose in zip(PARTS_OF_DAY, doses, strict=True) if dose]
    sig = _sig(len(taken), found["a" if doses[0] else "b" if doses[1] else "c"], found["rest"])
    return Sig(sig.times, sig.dose, sig.unit, None, join(" dan ".join(when), sig.note))


def _sig(times: int, dose: str | None, rest: str) -> Sig:
    unit, rest = _unit(rest) if dose else ("", rest)
    amount = number(dose) if dose else None
    if unit in SPOONS and amount:
        unit, amount = MILLILITRE, amount * SPOONS[unit]
    return Sig(times, amount, unit, None, _words(rest, rest))


def _unit(rest: str) -> tuple[str, str]:
    """The unit that follows a dose, and what is left."""
    typed = rest.strip()
    for spoon in sorted(SPOONS, key=len, reverse=True):
        if re.match(rf"{spoon}\b", typed):
            return spoon, typed[len(spoon) :]
    found = re.match(r"([a-z]+)\b", typed)
    if not found or found[1] not in UNITS:
        return "", rest
    return UNITS[found[1]], typed[found.end() :]


def _words(plain: str, otherwise: str) -> str:
    """Short forms written out; anything else stays."""
    cleaned = plain.replace("k/p", "kp").replace("p.c.", "pc").replace("a.c.", "ac")
    words = [SHORT_FORMS.get(word.strip(".,;"), word) for word in cleaned.split()]
    text = " ".join(words).strip(" ,;.")
    return text if text != " ".join(otherwise.lower().split()).strip(" ,;.") else _tidy(otherwise)


def _tidy(text: str) -> str:
    return " ".join(text.split()).strip(" ,;.")


def join(*texts: str) -> str:
    """Parts of a sentence, each said once."""
    found: list[str] = []
    for text in texts:
        if text and text not in found:
            found.append(text)
    return ", ".join(found)


def is_as_needed(note: str) -> bool:
    """Whether the patient decides when: "bila perlu", "bila demam"."""
    return any(
        part.strip().lower().startswith(("bila ", "jika ", "kalau ")) for part in note.split(",")
    )


def mass(text: str) -> Decimal | None:
    """Milligrams in one dose unit, from a strength: "500 mg", "120 mg/5 mL"; else None."""
    found = _STRENGTH.fullmatch(text.strip())
    if not found:
        return None
    amount, parts = number(found[1]), number(found[3] or "1")
    return amount * MASSES[found[2]] / parts if amount and parts else None


def directions(times: int | None, dose: Decimal | None, unit: str) -> str:
    """ "3 x sehari 1 tablet"; empty when there are no numbers."""
    if times is None:
        return ""
    amount = f" {amount_text(dose, unit)} {unit}".rstrip() if dose is not None else ""
    return f"{times} x sehari{amount}"


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


def sig_text(times: int | None, dose: Decimal | None, unit: str = "") -> str:
    """What would be typed in the box to say the same: "3x1", with its unit where one is given."""
    if times is None:
        return ""
    return f"{times}x{amount_text(dose, unit)} {unit}".strip() if dose is not None else f"{times}x"


def units_needed(
    times: int | None, dose: Decimal | None, days: int | None, doses_per_unit: int
) -> Decimal | None:
    """Whole units for so many days; None when a number is missing."""
    if times is None or dose is None or days is None:
        return None
    return whole_up(dose * times * days / doses_per_unit)


def whole_up(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_CEILING)


def days_supplied(
    quantity: Decimal, times: int | None, dose: Decimal | None, doses_per_unit: int
) -> int | None:
    """For how many days so much is enough; None when nobody can say."""
    if times is None or dose is None:
        return None
    return int(whole_up(quantity * doses_per_unit / (dose * times)))
