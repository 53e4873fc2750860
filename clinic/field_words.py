"""What forms call their fields, for a page on which what was sent stands without its form."""

import re
from collections.abc import Iterable

from clinic.administration import COLUMN_WORDS
from clinic.data_files import labels
from clinic.form_definitions import FORMS

_FILE = "field_words.csv"
_QUESTIONS = {item.code: item.label for form in FORMS.values() for item in form.items}
WORDS = COLUMN_WORDS | _QUESTIONS | labels(_FILE, "field")
# What a page sends of itself, or nobody should read from the screen; it is sent again all the same.
_HIDDEN = frozenset(labels(_FILE, "hidden"))


def field_text(name: str) -> str:
    """Such as "Alasan" for alasan-<id>; a name that has no word is given as it is."""
    label = WORDS.get(_base(name)) or re.sub("[_-]", " ", name)
    return label[:1].upper() + label[1:]


def is_typed(name: str) -> bool:
    """Whether somebody typed or chose it, and may read it again."""
    return _base(name) not in _HIDDEN


def typed_only(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of what a form sent, the names and texts to read again."""
    return [(name, text) for name, text in pairs if text and is_typed(name)]


def _base(name: str) -> str:
    """Without the row that a field of many belongs to: rx_sig-k1, systolic_2."""
    return name if name in WORDS else re.sub(r"_\d+$", "", name.partition("-")[0])
