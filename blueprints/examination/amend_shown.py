"""What the correction's page shows beside its fields: rows, actions, and what others stored."""

from typing import Any

from flask import request

from blueprints.examination import amend_form, form_context, procedure_form, room_form, shown_form
from blueprints.examination.amend_form import Measurement, sent_refs
from blueprints.examination.typed import Typed
from clinic import amended_fields
from clinic.amended_fields import PROCEDURES
from clinic.last_writers import Writer
from models import Amendment, Examination


def _stored_page(examination: Examination) -> dict[str, Any]:
    """What a page needs that shows the record as it stands."""
    filled = amend_form.filled(examination, None)
    return {
        "form": filled.form,
        "lines": filled.lines,
        **procedure_form.context(filled.form, examination.entry, examination, None),
        **room_form.context(filled.form, examination.entry, examination, filled),
    }


def digests(examination: Examination) -> str:
    """What a page says that shows the record as it stands."""
    return shown_form.digests(_stored_page(examination))


def merged(examination: Examination) -> shown_form.Merged:
    """The correction that was sent, on what stands now."""
    return shown_form.merged(request.form, _stored_page(examination), examination)


def actions(examination: Examination, shown: Typed, waiting: Amendment | None) -> dict[str, Any]:
    """The actions as typed, else as this account has asked for them, else as stored."""
    if waiting:
        asked = [line.new_value for line in waiting.lines if line.field == PROCEDURES]
        if asked:
            lines = amended_fields.procedures_of(asked[0])
            return procedure_form.about(shown.form, lines, examination.entry.poli)
    typed = shown if "version" in request.form else None
    return procedure_form.context(shown.form, examination.entry, examination, typed)


def rows(examination: Examination, shown: Typed) -> list[Measurement]:
    """The form's rows of vital signs; what was typed for one that is gone would be a new one."""
    now = amend_form.measurements(examination)
    if not shown.is_conflict and "version" in request.form:
        known = {each.ref: each.row for each in now}
        refs = sent_refs(request.form)
        return [Measurement(n, ref, known.get(ref)) for n, ref in enumerate(refs, 1)]
    # A hand-made request may name fewer rows than there are.
    every = [*now, Measurement(len(now) + 1, "")]
    return [each for each in every if f"systolic_{each.number}" in shown.form]


def theirs(examination: Examination, shown: Typed) -> dict[str, str]:
    """What stands stored where it differs from what was typed, by field."""
    found = amend_form.other_values(examination, shown.form)
    return form_context.theirs(examination, shown) | shown_form.real(found, shown.both)


def writer(amendment: Amendment | None) -> Writer | None:
    if amendment is None:
        return None
    who, at = amendment.requested_by, amendment.decided_at or amendment.requested_at
    return Writer(who.id, who.display_name, at)
