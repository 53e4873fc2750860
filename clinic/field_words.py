"""What forms call their fields, for a page on which what was sent stands without its form."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from clinic import settings
from clinic.administration import COLUMN_WORDS
from clinic.data_files import labels
from clinic.form_definitions import FORMS
from formatting import (
    BPJS_HOME_LABELS,
    CLUSTER_LABELS,
    CONSENT_LABELS,
    DISPOSITION_LABELS,
    PAYER_LABELS,
    PHONE_OWNER_LABELS,
    PREGNANCY_LABELS,
    PRIORITY_LABELS,
    SEX_LABELS,
    SIGNER_LABELS,
    VISIT_TYPE_LABELS,
)
from validators import NO_NIK_REASONS

_FILE = "field_words.csv"
_QUESTIONS = {item.code: item for form in FORMS.values() for item in form.items}
WORDS = (
    COLUMN_WORDS
    | {key: known.label for key, known in settings.DEFINITIONS.items()}
    | {code: item.label for code, item in _QUESTIONS.items()}
    | labels(_FILE, "field")
)
# What a page sends of itself, or nobody should read from the screen; it is sent again all the same.
_HIDDEN = frozenset(labels(_FILE, "hidden"))
# A line of the paper sheet: name-12 beside slip-12.
_OF_LINE = labels(_FILE, "line")
_ALWAYS_SENT = {"why", "payer", "served"}  # they say something, also where no slip was typed
_ROOMS = {"poli", "to_poli"}
_TICKED = {"y": "ya", "1": "ya"}
_TICKS = {"is_alert", "nik_as_printed", "procedure_remove", "sampel", "yakin"}
VALUES: dict[str, Mapping[str, str]] = {
    "sex": SEX_LABELS,
    "payer": PAYER_LABELS,
    "phone_owner": PHONE_OWNER_LABELS,
    "bpjs_home": BPJS_HOME_LABELS,
    "no_nik_reason": NO_NIK_REASONS,
    "why": NO_NIK_REASONS,
    "visit_type": VISIT_TYPE_LABELS,
    "priority": PRIORITY_LABELS,
    "pregnant": PREGNANCY_LABELS,
    "cluster": CLUSTER_LABELS,
    "disposition": DISPOSITION_LABELS,
    "decision": CONSENT_LABELS,
    "signer": SIGNER_LABELS,
    "pilih": {"catatan": "Catatan", "ketik": "Diketik"},
    "served": {"sudah": "Sudah dilayani", "menunggu": "Masih menunggu"},
    **{code: item.choices for code, item in _QUESTIONS.items() if item.choices},
    **dict.fromkeys(_TICKS, _TICKED),
}


class Typed(NamedTuple):
    """A field as it is read again: `name` as it was sent, the others in words."""

    name: str
    label: str
    text: str


def field_text(name: str) -> str:
    """Such as "Alasan" for alasan-<id>; a name that has no word is given as it is."""
    label = WORDS.get(base(name)) or re.sub("[_-]", " ", name)
    about = name.partition("-")[2]  # pilih-name
    label += f" ({WORDS[about]})" if about in WORDS else ""
    return label[:1].upper() + label[1:]


def is_known(name: str) -> bool:
    """Whether the field has a word, or is none that is read."""
    return not is_typed(name) or base(name) in WORDS or base(name) in _OF_LINE


def is_typed(name: str) -> bool:
    """Whether somebody typed or chose it, and may read it again."""
    return base(name) not in _HIDDEN


def typed_rows(pairs: Iterable[tuple[str, str]], rooms: Mapping[str, str]) -> list[Typed]:
    """Of what a form sent, what to read again; `rooms` names by their codes."""
    pairs = list(pairs)
    lines, filled = _lines(pairs)
    shown = []
    for name, text in pairs:
        field, _, index = name.partition("-")
        label, is_of_line = field_text(name), index in lines and field in _OF_LINE
        if not text or not is_typed(name) or (is_of_line and index not in filled):
            continue
        if is_of_line:
            label = f"Slip {lines[index] or f'di baris {index}'}: {_OF_LINE[field]}"
        shown.append(Typed(name, label, _value(base(name), text, rooms)))
    return shown


def _lines(pairs: list[tuple[str, str]]) -> tuple[dict[str, str], set[str]]:
    """The paper sheet's lines with their slips' numbers, and in which of them something stands."""
    split = [(*name.partition("-")[::2], text) for name, text in pairs]
    lines = {index: text for field, index, text in split if field == "slip" and index}
    said = {f for f in _OF_LINE if f not in _ALWAYS_SENT}
    return lines, {index for field, index, text in split if field in said and text}


def _value(field: str, text: str, rooms: Mapping[str, str]) -> str:
    """A chosen code in the words of its form."""
    if field == "aksi":  # of a button, perhaps with what it is about: buang:3
        return text.partition(":")[0].replace("_", " ").capitalize()
    known = rooms if field in _ROOMS else VALUES.get(field, {})
    return known.get(text) or ("ya" if text == "y" else text)


def base(name: str) -> str:
    """Without the row that a field of many belongs to: rx_sig-k1, systolic_2."""
    return name if name in WORDS else re.sub(r"_\d+$", "", name.partition("-")[0])
