"""A medicine as doctors write it in one line: "amox 500 3 dd 1 no XV", "R/ pct tab no. X S 3dd1".

Pure. What it is called, its directions and how much of it, each for a box of its own; the
directions stay as they were written.
"""

import re
from dataclasses import dataclass

from clinic import prescription_text as words


@dataclass(frozen=True)
class Written:
    """`name` is what to look for; `sig` and `quantity` are empty where nothing is said of them."""

    name: str
    sig: str = ""
    quantity: str = ""


# How often; before it may stand when ("bila demam 3x1") and the prescription's "S" (signa).
_OFTEN = (
    r"\d{1,2}\s*(?:x|×|dd\b|dd(?=\d))"
    r"|\d+\s*-\s*\d+\s*-\s*\d+(?![\d-])"
    r"|(?:se)?tiap\s+\d{1,2}\s*jam\b"
)
_WHEN = r"(?:(?:bila|jika|kalau)\s+[a-z]+|(?:di)?oles(?:kan)?(?:\s+tipis)?|sehari)"
_DIRECTIONS = re.compile(
    rf"(?<![\w.,/%-])(?:s[.\s]\s*|s(?=\d))?(?:(?:{_WHEN})\s+)?(?:{_OFTEN})"
    r"|(?<!\w)s\.?\s?u\.?\s?e\b",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"(?<!\w)no\.?\s*(\d{1,4}|[ivx]+)(?!\w)\.?", re.IGNORECASE)
_RECIPE = re.compile(r"r/\s*", re.IGNORECASE)


def read(text: str) -> Written:
    """What was written, in its parts; all of it the name where no medicine stands before them."""
    written = " ".join(text.split())
    rest, quantity = _without_quantity(_RECIPE.sub("", written, count=1))
    found = _DIRECTIONS.search(rest)
    name, sig = (rest[: found.start()], rest[found.start() :]) if found else (rest, "")
    name = name.strip(" ,;:")
    return Written(name, sig.strip(" ,;"), quantity) if name else Written(written)


def _without_quantity(text: str) -> tuple[str, str]:
    for found in _QUANTITY.finditer(text):
        amount = words.number(found[1])
        if amount is not None:
            return f"{text[: found.start()]} {text[found.end() :]}", f"{amount:f}"
    return text, ""
