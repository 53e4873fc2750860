"""The rooms' forms: every question with its code, unit, limits and choices, from a table.

A code of data/room_forms.csv is never used for anything else: stored answers are read by it. Limits
catch slips of the hand (docs/clinical-limits.md), those of a day are counted from the visit's: a
pregnancy is 40 weeks, what is later is another year. What a value means is clinic.form_sheets'
business.
"""

from itertools import groupby

from clinic import teeth
from clinic.data_files import texts
from clinic.form_items import Group, Item, Kind, RoomForm

DENTAL, PREGNANCY, CHILD, SICK_CHILD = "gigi", "hamil", "anak", "mtbs"
LABELS = {
    DENTAL: "Gigi dan mulut",
    PREGNANCY: "Kehamilan",
    CHILD: "Tumbuh kembang anak",
    SICK_CHILD: "MTBS",
}


def _item(row: dict[str, str]) -> Item:
    choices = dict(choice.split("=") for choice in row["choices"].split("|") if choice)
    limits = [int(row[name] or 0) for name in ("low", "high", "places")]
    kind = Kind(row["kind"])
    return Item(row["code"], row["label"], kind, row["unit"], *limits, choices, row["hint"])


def _form(name: str, label: str) -> RoomForm:
    asked = (row for row in texts("room_forms.csv") if row["form"] == name)
    groups = groupby(asked, key=lambda row: (row["group"], row["heading"]))
    return RoomForm(
        name,
        label,
        tuple(Group(heading, tuple(map(_item, rows))) for (_, heading), rows in groups),
    )


FORMS = {name: _form(name, label) for name, label in LABELS.items()}
_ITEMS = {item.code: item for form in FORMS.values() for item in form.items}


def item_of(code: str) -> Item:
    """The question behind a stored code; of one that is gone only its code is known."""
    return _ITEMS.get(code) or teeth.item_of(code) or Item(code, code, Kind.NOTE)


def codes_in_order(form: str, codes: set[str]) -> list[str]:
    """Codes of answers as the form asks them, teeth first."""
    known = [item.code for item in FORMS[form].items] if form in FORMS else []
    chart = [f"{part}{tooth}" for tooth in teeth.TEETH for part in (teeth.CONDITION, teeth.ACTION)]
    order = {code: place for place, code in enumerate([*chart, *known])}
    return sorted(codes, key=lambda code: (order.get(code, len(order)), code))
