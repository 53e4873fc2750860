"""The vital signs' boxes of a page: what stood in them when it was shown, and what does now."""

from contextlib import suppress
from typing import Any

from flask import request
from flask_login import current_user

from blueprints.examination.forms import SHOWN_ROWS, VitalsForm, shown
from clinic import measurements, records
from clinic.measurements import Boxes, Own
from clinic.vital_signs import VITAL_RANGES, parse_vital
from formatting import number_text
from models import QueueEntry, Visit
from validators import FieldError

EMPTIED = "(dikosongkan)"


def own_of(visit: Visit, entry: QueueEntry | None) -> Own:
    """What this account measured in this room, or at the screening desk (entry None)."""
    return records.own_measurements(current_user.id, visit, entry)


def context(own: Own, rows: list[str], *, is_echoed: bool) -> dict[str, Any]:
    """What a form's boxes need. A page that was refused knows no more than the one before it."""
    return {
        "measured_at": own.at,
        "shown_rows": request.form.get(SHOWN_ROWS) if is_echoed else " ".join(rows),
    }


def theirs(form: VitalsForm, visit: Visit, entry: QueueEntry | None) -> dict[str, str]:
    """What another page has stored where it changed what this one changed too, in words."""
    found = measurements.difference(current_user.id, visit, entry, _boxes(form)).conflicts
    words = [f"{VITAL_RANGES[sign].label} {_text(found[sign]) or EMPTIED}" for sign in found]
    return {"vitals": ", ".join(words)} if words else {}


def bring_up_to_date(form: VitalsForm, visit: Visit, entry: QueueEntry | None) -> None:
    """Beside what was stored meanwhile: boxes that nobody typed in show what stands there now."""
    boxes = _boxes(form)
    if boxes.shown is None:
        return
    found = measurements.difference(current_user.id, visit, entry, boxes)
    for name in boxes.values.keys() & set(found.untouched):
        form[name].data = _text(found.own.values.get(name))


def _text(value: Any) -> str:
    return "" if value is None else number_text(value)


def _boxes(form: VitalsForm) -> Boxes:
    """As they stand; those that cannot be read are left out."""
    values = {}
    for name in records.VITALS:
        with suppress(FieldError):
            if form[name].raw_data:
                values[name] = parse_vital(name, form[name].data or "")
    return Boxes(values, shown(request.form), form.vitals_new.data)
