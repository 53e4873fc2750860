"""What a page showed in its form, so that a conflict asks only about what two people wrote.

The page carries a few letters of a digest for each filled part. After a conflict a part that was
sent back as it was shown takes what stands stored now; one that was stored as it was shown is the
sender's alone. Lines of a prescription need no digest: `shown_medicines`.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from werkzeug.datastructures import MultiDict

from blueprints.examination import prescription_typed as rx
from blueprints.examination import shown_medicines
from blueprints.examination.shown_medicines import plain
from clinic import records
from models import CaseType, Examination

SHOWN, LETTERS, MOST = "shown-texts", 5, 200
END = ("disposition", "refer_to", "refer_external", "death_time")
TEETH = ("tooth", "tooth_condition", "tooth_action")
# A list of rows: the name of its rows, and what stands in each beside it, by its number.
LISTS = {
    "diagnosis": ("diagnosis", ("case_type",), ("diagnosis_primary",)),
    "procedure": (
        "procedure",
        ("procedure_quantity", "procedure_note", "procedure_remove"),
        (),
    ),
}


class Merged(NamedTuple):
    """What was typed, with what others stored; `both` are the parts that two people wrote.

    None of a form that does not say what it showed.
    """

    sent: MultiDict
    both: frozenset[str] | None


def digests(context: Mapping[str, Any]) -> str:
    """What the hidden field of a page with this context says; an empty part is left out."""
    untouched, names = _untouched(context), _names(context)
    found = {part: _digest(part, names[part], untouched) for part in names}
    return " ".join(f"{part}:{digest}" for part, digest in found.items() if digest)


def merged(sent: MultiDict, context: Mapping[str, Any], examination: Examination) -> Merged:
    """The form that was sent, on what stands now: `context` is of a page that was just opened."""
    if SHOWN not in sent:
        return Merged(sent, None)
    pairs = (each.partition(":") for each in sent[SHOWN].split()[:MOST])
    was = {part: digest for part, _, digest in pairs}
    now, result, both = _untouched(context), MultiDict(sent), set()
    for part, names in _names(context).items():
        mine, stored = _digest(part, names, sent), _digest(part, names, now)
        if mine == was.get(part, ""):
            _take(part, names, now, result)
        elif stored not in (mine, was.get(part, "")):
            both.add(part)
    if rx.SENT in sent and (shown_medicines.merge(sent, result, examination) or rx.NOTE in both):
        both.add("prescription")
    return Merged(result, frozenset(both))


def _names(context: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The parts of the form, each with the names of its fields (of a list, of its rows)."""
    items = [item.code for each in context["room_forms"] for item in each.items]
    alone = {name: (name,) for name in (*records.TEXTS, *items, rx.NOTE)}
    lists = {part: (name,) for part, (name, _, _) in LISTS.items()}
    return alone | lists | {"disposition": END, "lab": ("lab", "lab_note"), "teeth": TEETH}


def _untouched(context: Mapping[str, Any]) -> MultiDict:
    """What the page sends when nobody touches it."""
    form = context["form"]
    items = [item.code for each in context["room_forms"] for item in each.items]
    found = MultiDict()
    for name in (*records.TEXTS, *END, *items, "lab_note"):
        data = form[name].data or ""
        _put(found, name, list(data) if isinstance(data, list) else [data])
    for row in form.teeth.data if "teeth" in form else ():
        for name, text in zip(TEETH, row, strict=True):
            found.add(name, text)
    for n, line in enumerate(context["lines"], 1):
        found.add("diagnosis", line.typed)
        is_old = line.case_type == CaseType.OLD
        found[f"case_type-{n}"] = str(CaseType.OLD if is_old else CaseType.NEW)
    if len(context["lines"]) > 1:
        found["diagnosis_primary"] = context["lines"][0].typed
    for n, each in enumerate(context["procedures"], 1):
        found.add("procedure", each.line.typed)
        found[f"procedure_quantity-{n}"] = each.quantity
        found[f"procedure_note-{n}"] = each.note
    _put(found, "lab", sorted(context.get("lab_codes", ())))
    found[rx.NOTE] = context.get("rx_note", "")
    return found


def _digest(part: str, names: tuple[str, ...], typed: MultiDict) -> str:
    """'' when nothing stands there."""
    if part in LISTS:
        values = _rows(part, typed)
    elif part == "teeth":
        rows = zip(*(typed.getlist(name) for name in names), strict=False)
        values = [text for row in rows if any(each.strip() for each in row) for text in row]
    elif part == "lab":
        values = [*sorted(typed.getlist("lab")), *typed.getlist("lab_note")]
    else:
        values = [text for name in names for text in typed.getlist(name) or [""]]
    said = [plain(text) for text in values]
    if not any(said):
        return ""
    digest = hashlib.sha256("\0".join(said).encode()).digest()
    return base64.urlsafe_b64encode(digest)[:LETTERS].decode()


def _rows(part: str, typed: MultiDict) -> list[str]:
    """All that is said of the rows that were on the list, without what was ticked beside it."""
    name, beside, alone = LISTS[part]
    found = []
    for n, text in enumerate(typed.getlist(name), 1):
        if f"{beside[0]}-{n}" in typed:
            found += [text, *(typed.get(f"{each}-{n}", "") for each in beside)]
    return found + [typed.get(each, "") for each in alone]


def _take(part: str, names: tuple[str, ...], now: MultiDict, result: MultiDict) -> None:
    if part in LISTS:
        _take_rows(part, now, result)
        return
    for name in names:
        _put(result, name, now.getlist(name))


def _put(typed: MultiDict, name: str, values: list[str]) -> None:
    # A name without a value breaks whoever goes through them all.
    typed.setlist(name, values) if values else typed.poplist(name)


def _take_rows(part: str, now: MultiDict, result: MultiDict) -> None:
    """What was ticked goes behind the rows, where nothing stands beside it."""
    name, beside, alone = LISTS[part]
    rows = range(1, len(result.getlist(name)) + 1)
    listed = [n for n in rows if f"{beside[0]}-{n}" in result]
    ticked = [text for n, text in enumerate(result.getlist(name), 1) if n not in listed]
    for key in [f"{each}-{n}" for each in beside for n in rows] + list(alone):
        result.poplist(key)
    stored = now.getlist(name)
    for key in [f"{each}-{n}" for each in beside for n in range(1, len(stored) + 1)] + list(alone):
        if key in now:
            result[key] = now[key]
    _put(result, name, [*stored, *(text for text in ticked if text not in stored)])


def real(theirs: Mapping[str, str], both: Iterable[str] | None) -> dict[str, str]:
    """Of what differs, what two people wrote; an empty text says whether somebody emptied it."""
    if both is None:
        return {name: text or "(kosong)" for name, text in theirs.items()}
    parts = {name: "disposition" if name in END else name for name in theirs}
    return {
        name: theirs[name] or "(dikosongkan)"
        for name, part in parts.items()
        if part in both or name.startswith("vitals")
    }
