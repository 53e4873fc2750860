"""Teeth by their FDI numbers: which there are, what may be found, and the mouth as rows."""

import re
from collections.abc import Mapping, Set
from typing import NamedTuple

from clinic.form_items import Item, Kind

CONDITIONS = {
    "sehat": "Sehat",
    "karies": "Karies",
    "karies_dalam": "Karies mencapai pulpa",
    "tambalan": "Tambalan",
    "tambalan_rusak": "Tambalan rusak",
    "sisa_akar": "Sisa akar",
    "hilang": "Hilang",
    "belum_tumbuh": "Belum tumbuh",
    "goyang": "Goyang",
    "persistensi": "Persistensi",
    "impaksi": "Impaksi",
    "fraktur": "Patah",
    "tiruan": "Gigi tiruan atau mahkota",
    "karang": "Karang gigi",
}
# In the drawn mouth; the legend says what they mean.
SIGNS = {
    "sehat": "✓",
    "karies": "K",
    "karies_dalam": "KP",
    "tambalan": "T",
    "tambalan_rusak": "TR",
    "sisa_akar": "SA",
    "hilang": "X",
    "belum_tumbuh": "-",
    "goyang": "G",
    "persistensi": "P",
    "impaksi": "I",
    "fraktur": "F",
    "tiruan": "M",
    "karang": "KG",
}
TREATED = "*"
STAYED = "persistensi"
# Deciduous teeth are drawn for children below this age, and where one is noted.
MIXED_BELOW_MONTHS = 14 * 12
_JAWS = (("1", "2", 8), ("5", "6", 5), ("8", "7", 5), ("4", "3", 8))
TEETH = tuple(
    f"{quadrant}{place}"
    for right, left, size in _JAWS
    for quadrant in (right, left)
    for place in range(1, size + 1)
)
CONDITION, ACTION = "tooth", "act"
_CODE = re.compile(r"(tooth|act)([1-8][1-8])")


class Finding(NamedTuple):
    """What is noted of one tooth."""

    tooth: str
    condition: str
    action: str = ""

    @property
    def condition_text(self) -> str:
        return CONDITIONS.get(self.condition, self.condition)


def is_deciduous(tooth: str) -> bool:
    return tooth[0] in "5678"


def seldom_there(found: list[Finding], age_months: int | None) -> list[str]:
    """Deciduous teeth of somebody who should have lost them; that one stayed may be the finding."""
    if age_months is None or age_months < MIXED_BELOW_MONTHS:
        return []
    return [each.tooth for each in found if is_deciduous(each.tooth) and each.condition != STAYED]


def item_of(code: str) -> Item | None:
    """The item of a tooth's condition or action, by its code such as tooth36 or act36."""
    found = _CODE.fullmatch(code)
    if not found or found[2] not in TEETH:
        return None
    if found[1] == ACTION:
        return Item(code, f"Gigi {found[2]}, tindakan", Kind.LINE)
    return Item(code, f"Gigi {found[2]}", Kind.CHOICE, choices=CONDITIONS)


def findings(values: Mapping[str, str]) -> list[Finding]:
    """The teeth among a form's answers, in the order of the chart."""
    return [
        Finding(tooth, values[f"{CONDITION}{tooth}"], values.get(f"{ACTION}{tooth}", ""))
        for tooth in TEETH
        if f"{CONDITION}{tooth}" in values
    ]


def values(found: list[Finding]) -> dict[str, str]:
    """The answers that say this of the teeth."""
    kept = {f"{CONDITION}{each.tooth}": each.condition for each in found}
    return kept | {f"{ACTION}{each.tooth}": each.action for each in found if each.action}


def mouth(
    conditions: Mapping[str, str], age_months: int | None, treated: Set[str] = frozenset()
) -> list[list[tuple[str, str]]]:
    """Rows from the patient's right to left, each tooth with its sign.

    `treated` are teeth of which the sign tells how they were found before something was done.
    """
    is_child = age_months is not None and age_months < MIXED_BELOW_MONTHS
    has_deciduous = any(is_deciduous(tooth) for tooth in conditions)
    rows = []
    for right, left, size in _JAWS:
        if size == 5 and not is_child and not has_deciduous:
            continue
        teeth = [f"{right}{place}" for place in range(size, 0, -1)]
        teeth += [f"{left}{place}" for place in range(1, size + 1)]
        signs = [SIGNS.get(conditions.get(tooth, ""), "") for tooth in teeth]
        marked = [
            sign + TREATED * (tooth in treated) for tooth, sign in zip(teeth, signs, strict=True)
        ]
        rows.append(list(zip(teeth, marked, strict=True)))
    return rows
