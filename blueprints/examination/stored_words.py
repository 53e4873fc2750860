"""What stands in the record, in the words in which a page gives back what was typed.

There only what is not written yet is listed: who has to copy it would write the rest twice.
"""

from collections.abc import Iterator

from blueprints.examination import prescription_form, room_form, typed_words
from blueprints.examination.forms import ExaminationForm, VitalsForm, stored_lines, typed_vitals
from blueprints.examination.procedure_form import Shown
from blueprints.examination.typed_words import Answer
from clinic import allergies, lab_orders, prescriptions, procedures
from clinic.visit_summaries import VisitSummary
from clinic.vital_signs import VITAL_RANGES
from models import Examination, Visit


def of_examination(
    form: ExaminationForm, examination: Examination | None, visit: Visit, today: VisitSummary
) -> list[Answer]:
    """All of it; of allergies only the one that was typed."""
    found = [*_vitals(form, today), *_allergy(form, visit)]
    return [*found, *_written(examination)] if examination else found


def of_screening(form: VitalsForm, stored: VitalsForm, today: VisitSummary) -> list[Answer]:
    """The account's own note, and what anybody measured."""
    note = [each for each in typed_words.of_fields(stored) if each.name not in VITAL_RANGES]
    return [*_vitals(form, today), *note]


def _vitals(form: VitalsForm, today: VisitSummary) -> Iterator[Answer]:
    """Nothing of what was measured anew: the same value is another one then."""
    for measured in () if form.vitals_new.data else today.vitals:
        yield from typed_words.of_fields(VitalsForm(data=typed_vitals(measured.values)))


def _allergy(form: ExaminationForm, visit: Visit) -> list[Answer]:
    names = ("allergy_substance", "allergy_reaction")
    typed = [(form[name].data or "").strip() for name in names]
    if typed not in [[each.substance, each.reaction] for each in allergies.held(visit.patient)]:
        return []
    return [each for each in typed_words.of_fields(form) if each.name in names]


def _written(examination: Examination) -> Iterator[Answer]:
    order = lab_orders.order_of(examination.entry)
    form = room_form.filled(examination.entry, examination, {})
    form.lab_note.data = order.note if order else ""
    yield from typed_words.of_fields(form)
    for line in stored_lines(examination):
        yield Answer("", line.override_reason, typed_words.REASON)
        for case_type in ("", line.case_type):
            for is_primary in {False, line.is_primary}:
                yield typed_words.diagnosis(line, case_type, is_primary=is_primary)
    for line in procedures.stored_lines(examination):
        yield typed_words.procedure(Shown(line, str(line.quantity), line.note))
    held = prescriptions.of(examination)
    yield from typed_words.medicines(prescription_form.of_stored(held) if held else None)
    yield from typed_words.laboratory([item.test.code for item in lab_orders.asked(order)])
