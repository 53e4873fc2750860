"""What people type around a value, or in place of one: taken off before the value is read."""

import re
import unicodedata

# Invisible marks that reverse or hide text; the joiners inside emoji are not among them.
_HIDDEN = re.compile(r"[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_NOTHING = re.compile(r"[-\u2010-\u2015\u2212.\s]+")  # every kind of dash


def printable(text: str) -> str:
    """Without what databases refuse (NUL is Cc, half surrogates are Cs) and nobody sees."""
    return "".join(c for c in _HIDDEN.sub("", text) if unicodedata.category(c) not in ("Cc", "Cs"))


def or_nothing(text: str | None) -> str | None:
    """A filter for fields that may stay empty: "-" is how paper forms say that there is none."""
    return "" if text and _NOTHING.fullmatch(text) else text
