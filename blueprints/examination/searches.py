"""Which of the examination's search boxes a page was sent from: the next letters belong there."""

from collections.abc import Callable

from flask import g, request
from werkzeug.datastructures import MultiDict

from blueprints.examination import prescription_typed, procedure_fields
from blueprints.examination.blueprint import bp

# In the order of the page, as it is filled in.
BOXES = ("diagnosis_search", procedure_fields.SEARCH, prescription_typed.SEARCH)
# Boxes that a button can have been pressed for; Enter in a box presses another one.
OF_BUTTON = {
    "cari": BOXES[:2],
    prescription_typed.SEARCH_BUTTON: BOXES[2:],
    prescription_typed.COMPOUND_BUTTON: (),
    "gigi": (),
}
SHOWN = "cari_tadi"  # the words that stood in a box when the page was shown


def searched(sent: MultiDict) -> str:
    """The box with words that the page did not show yet, the last of them; '' without any."""
    boxes = OF_BUTTON.get(sent.get("aksi", ""), BOXES)
    filled = [name for name in boxes if sent.get(name, "").strip()]
    known = {text.strip() for text in sent.getlist(SHOWN)}
    new = [name for name in filled if sent[name].strip() not in known]
    return (new or filled or [""])[-1]


def stay_there() -> None:
    """The answer is shown at the box: Enter, unlike the box's own button, names no place."""
    if request.form.get("aksi") == "lanjut" and (box := searched(request.form)):
        g.answer_at = f"f-{box}"


@bp.context_processor
def focus() -> dict[str, Callable[[], str]]:
    # Asked for by the boxes alone: the page that says a request was too large cannot read it.
    return {"searched": lambda: searched(request.form)}
