"""The actions that a request sent: on the list, ticked, or in the search box."""

from werkzeug.datastructures import MultiDict

from clinic import action_list
from clinic.procedures import ProcedureInput

FIELD, FAVOURITE, SEARCH = "procedure", "procedure_favourite", "procedure_search"
UNDECIDED = "Belum disimpan: centang tindakan yang cocok, atau kosongkan kotak cari."


def entered(typed: MultiDict) -> list[ProcedureInput] | None:
    """Actions in the order sent; None when the form had none. Those marked to go are left out.

    Only what was on the list has a quantity; what was ticked counts once.
    """
    searched = typed.get(SEARCH, "").strip()
    if not {FIELD, FAVOURITE} & typed.keys() and not searched:
        return None
    found = [
        ProcedureInput(
            text[:300],
            typed.get(f"procedure_quantity-{n}", ""),
            typed.get(f"procedure_note-{n}", ""),
        )
        for n, text in enumerate(typed.getlist(FIELD), 1)
        if f"procedure_remove-{n}" not in typed
    ]
    found += [ProcedureInput(text[:300]) for text in typed.getlist(FAVOURITE)]
    if searched and not has_ticked(typed):
        found.append(ProcedureInput(searched[:300]))
    return found


def has_ticked(typed: MultiDict) -> bool:
    """Whether something was chosen from the search."""
    count = len(typed.getlist(FIELD))
    return any(f"procedure_quantity-{n}" not in typed for n in range(1, count + 1))


def searched_only(typed: MultiDict) -> bool:
    """Words in the search box of which nothing was ticked: no action yet."""
    searched = typed.get(SEARCH, "").strip()
    return bool(searched) and not has_ticked(typed) and not action_list.is_known(searched)
