"""The laboratory's tests in the examination's form."""

from typing import Any

from flask import request

from blueprints.examination.forms import ExaminationForm
from blueprints.examination.typed import Typed
from clinic import lab_orders
from clinic.lab_orders import OrderInput
from models import Disposition, Examination, LabOrderState, LabTest, QueueEntry
from validators import Finding

NOTHING_ASKED = (
    "Belum ada pemeriksaan laboratorium yang diminta. Centang yang diminta, atau tekan Selesai "
    "sekali lagi bila diminta lisan."
)


def context(
    form: ExaminationForm, entry: QueueEntry, examination: Examination | None, typed: Typed | None
) -> dict[str, Any]:
    """The tests to tick, by group, and those that are ticked; none once a sample was taken."""
    room, order = lab_orders.laboratory(), lab_orders.order_of(entry)
    if not typed:
        form.lab_note.data = order.note if order else ""
    is_fixed = order is not None and order.state is not LabOrderState.ORDERED
    if room is None or room.id == entry.poli_id or is_fixed:
        return {"lab_groups": {}, "lab_codes": set(), "lab_room": ""}
    asked = [item.test for item in lab_orders.asked(order)]
    groups: dict[str, list[LabTest]] = {}
    for test in dict.fromkeys([*lab_orders.active_tests(), *asked]):
        groups.setdefault(test.group, []).append(test)
    sent = typed is not None and "lab_sent" in request.form
    codes = set(request.form.getlist("lab")) if sent else {test.code for test in asked}
    if codes and not form.disposition.data:  # what is asked for leads there
        form.disposition.data, form.refer_to.data = Disposition.INTERNAL.value, room.code
    return {"lab_groups": groups, "lab_codes": codes, "lab_room": room.code}


def nothing_asked(form: ExaminationForm, entry: QueueEntry) -> list[Finding]:
    """What to say of a patient sent to the laboratory by a form where no test is ticked.

    A note without a test is refused anyway.
    """
    is_sent = "lab_sent" in request.form and form.disposition.data == Disposition.INTERNAL
    if not is_sent or (form.lab_note.data or "").strip():
        return []
    room, codes = form.refer_to.data or "", request.form.getlist("lab")
    is_forgotten = lab_orders.asks_for_nothing(entry, room, codes)
    return [Finding("LAB-NONE", "warning", NOTHING_ASKED)] if is_forgotten else []


def theirs(examination: Examination, typed: Typed) -> dict[str, str]:
    """What another has asked of the laboratory, where something else is ticked."""
    order = lab_orders.order_of(examination.entry)
    said = OrderInput(request.form.getlist("lab"), typed.form.lab_note.data or "")
    if "lab_sent" not in request.form or lab_orders.says_the_same(order, said):
        return {}
    names = ", ".join(item.test.name for item in lab_orders.asked(order))
    return {"lab": "\n".join(filter(None, (names, order.note if order else ""))) or "belum ada"}
