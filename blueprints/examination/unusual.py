"""What to look at twice: "Selesai" stops once for what its page did not show yet.

That is what was typed there, what others measured or noted since the page was opened, and a
patient sent to the laboratory for nothing.

A page sends back what it said of the values; pressed again on that page, "Selesai" goes through.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from hashlib import sha256

from flask import request

import access
from blueprints.examination import amend_form, lab_order_form, room_form
from clinic import form_answers, history, remarkable
from clinic.form_case import Case
from clinic.queues import QueueError
from clinic.record_errors import Conflict, RecordError
from clinic.vital_signs import field_of, vital_findings
from models import Examination, QueueEntry, Visit
from page_form import PageForm
from patient_forms import writing
from validators import FieldError, Finding

SEEN = "vitals_seen"
PRESS_AGAIN = "Bila sudah diukur lagi dan angkanya benar, tekan Selesai sekali lagi."
PRESSURE = {"systolic", "diastolic"}
READ_FIRST = "Baru masuk sesudah halaman ini dibuka. Baca dulu, lalu tekan Selesai sekali lagi."
SEND_AGAIN = "Bila angkanya memang benar, kirim pembetulan ini sekali lagi."


def marks(findings: Iterable[Finding]) -> str:
    """What a page says of the values, for its form to send back."""
    return " ".join(sorted({_mark(each) for each in findings}))


def seen(findings: Iterable[Finding], *, is_typed: bool) -> str:
    """What the next "Selesai" need not ask about: what an opened page says, or one that asked.

    A page that only looked something up again opens at that place, past what it says of the values.
    """
    if not is_typed or request.form.get("aksi") == "selesai":
        return marks(findings)
    return request.form.get(SEEN, "")


def to_look_at(
    form: room_form.RoomExaminationForm, entry: QueueEntry
) -> tuple[dict[str, str], list[str]]:
    """What "Selesai" stops for once: by field, and in sentences of the whole page."""
    values, others = unseen(form, entry.visit), news(entry.visit)
    asked = [("lab_note", each) for each in lab_order_form.nothing_asked(form, entry)]
    again = [READ_FIRST] if others else []
    again += [PRESS_AGAIN] if values else []
    return values | _not_said(asked, form), others + again


class _Tried(Exception):
    """Nothing is refused; raised so that nothing is stored either."""


def refused(visit: Visit, finish: Callable[[], object]) -> RecordError | None:
    """What the end would refuse beside what it stops for: it is tried, and taken back anyhow.

    A colleague's writing is no such thing: the next press says it, with what they wrote.
    """
    try:
        with writing(visit):
            finish()
            raise _Tried
    except (_Tried, Conflict):
        return None
    except RecordError as problem:
        return problem
    except (QueueError, FieldError) as problem:
        return RecordError(str(problem))


def unseen(form: room_form.RoomExaminationForm, visit: Visit) -> dict[str, str]:
    """By field: what is unusual of the values typed there, unless the page that was sent said it.

    What others measured is another matter: `news`.
    """
    on, told = visit.service_day.on, visit.pregnant
    case = Case(on, visit.age_months, form.readable(), pregnant=told)
    found = [(field_of(each), each) for each in vital_findings(case.vitals, case.age_months, told)]
    for sheet in room_form.own_sheets(form, case):
        found += sheet.measured.items()
    return _not_said(found, form)


def news(visit: Visit) -> list[str]:
    """What came in since the page that was sent was opened and must be read before the end."""
    if SEEN not in request.form:
        return []
    known, zone = request.form[SEEN].split(), access.page_settings()["time_zone"]
    found = remarkable.of_visit(history.visit_summary(visit), zone)
    return [each.message for each in found if _mark(each) not in known]


def in_correction(form: amend_form.AmendForm, examination: Examination) -> dict[str, str]:
    """By field: what is unusual of the measurements that a correction changes, if not said yet.

    Then the form's page says so, and is sent back with what it said.
    """
    visit, told = examination.visit, examination.visit.pregnant
    found: list[tuple[str, Finding]] = []
    case = Case(visit.service_day.on, visit.age_months, pregnant=told)
    places = {name: name for name in room_form.differing(form_answers.current(examination), form)}
    for row in amend_form.measured(form, request.form, examination):
        asked = row.changed | (PRESSURE if row.changed & PRESSURE else set())
        places |= {name: f"{name}_{row.number}" for name in asked}
        case = case._replace(vitals={**case.vitals, **row.values})
        findings = vital_findings(row.values, case.age_months, told)
        found += [(places[field_of(e)], e) for e in findings if field_of(e) in asked]
    for sheet in room_form.own_sheets(form, case):
        found += [(places[name], each) for name, each in sheet.measured.items() if name in places]
    unseen = _not_said(found, form)
    if unseen:
        form.vitals_seen.data = marks(each for _, each in found)
        form.form_errors = [SEND_AGAIN]
    return unseen


def _not_said(found: Iterable[tuple[str, Finding]], form: PageForm) -> dict[str, str]:
    known, unsaid = request.form.get(SEEN, "").split(), defaultdict(list)
    for name, each in found:
        sentence = each.message.removesuffix(".")
        is_new = _mark(each) not in known and sentence not in unsaid[name]
        if is_new and not form[name].errors:  # what cannot be is said instead
            unsaid[name].append(sentence)
    return {name: f"{'. '.join(texts)}." for name, texts in unsaid.items() if texts}


def _mark(finding: Finding) -> str:
    # Of the sentence: it names the value, so that another one is asked about again.
    return sha256(finding.message.encode()).hexdigest()[:8]
