"""What of the examination's form is kept in rows of its own, beside the examination's texts.

A part is written with the draft, compared when "Selesai" is pressed twice, and may refuse the end.
A new one is a line in PARTS and a field of the same name in `records.ExaminationInput`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clinic import (
    diagnoses,
    form_answers,
    found_pregnancy,
    lab_orders,
    pharmacy_alerts,
    prescription_warnings,
    prescriptions,
    procedures,
    sick_child,
)
from clinic.audit import Actor
from clinic.diagnoses import DiagnosisInput
from clinic.form_case import Case
from clinic.form_definitions import PREGNANCY, SICK_CHILD
from clinic.lab_orders import OrderInput
from clinic.measurements import Boxes, Vitals, measure, newest
from clinic.prescriptions import PrescriptionInput
from clinic.procedures import ProcedureInput
from clinic.record_errors import NotOpen, RecordError
from models import Disposition, Examination, Poli, PoliKind, Source


@dataclass(frozen=True)
class Part:
    """`name` is the field of the input; what the form did not send (None) never reaches it."""

    name: str
    # Makes the rows what was sent; True when whoever has the form open must be told.
    write: Callable[[Actor, Examination, Any], bool]
    # Of vital signs `records` asks itself: each has their own.
    says_the_same: Callable[[Examination, Any], bool] = lambda examination, wanted: True
    # Before "Selesai", with the room that the patient goes to: raises RecordError or NotOpen.
    check: Callable[[Examination, Poli | None], None] = lambda examination, target: None
    # At "Selesai", before the patient goes on.
    finish: Callable[[Actor, Examination], None] = lambda actor, examination: None


def _write_diagnoses(actor: Actor, examination: Examination, entered: list[DiagnosisInput]) -> bool:
    wanted = diagnoses.lines(entered, examination.visit, examination)
    diagnoses.refuse_too_many(wanted)
    return diagnoses.write(actor, examination, wanted)


def _refuse_unanswered(examination: Examination, target: Poli | None) -> None:
    rows = diagnoses.active(examination)
    diagnoses.refuse_unanswered([diagnoses.line_of(row) for row in rows])


def _write_procedures(
    actor: Actor, examination: Examination, entered: list[ProcedureInput]
) -> bool:
    wanted = procedures.lines(entered, examination)
    procedures.refuse_too_many(wanted)
    return procedures.write(actor, examination, wanted)


def _same_procedures(examination: Examination, entered: list[ProcedureInput]) -> bool:
    typed = procedures.lines(entered, examination)
    return typed == procedures.stored_lines(examination)


def _write_vitals(actor: Actor, examination: Examination, values: Vitals | Boxes) -> bool:
    measure(actor, examination.visit, examination.entry, values)
    return False  # each measures for themselves


def _write_order(actor: Actor, examination: Examination, wanted: OrderInput) -> bool:
    lab_orders.place(actor, examination.entry, wanted)
    return False


def _same_order(examination: Examination, wanted: OrderInput) -> bool:
    return lab_orders.says_the_same(lab_orders.order_of(examination.entry), wanted)


def _refuse_forgotten_order(examination: Examination, target: Poli | None) -> None:
    entry = examination.entry
    if examination.death:
        return
    if entry.poli.kind == PoliKind.LABORATORY and lab_orders.open_orders(entry.visit):
        raise NotOpen("Hasil laboratorium belum selesai. Isi di halaman laboratoriumnya.")
    if entry.poli.kind == PoliKind.PHARMACY and pharmacy_alerts.has_open(entry.visit_id):
        raise NotOpen("Resep belum diserahkan. Serahkan obatnya di halaman farmasi.")
    if target is not None and target.kind == PoliKind.LABORATORY:
        return
    order = lab_orders.order_of(entry)
    if order and order.state in lab_orders.OPEN:
        raise RecordError(
            "Permintaan laboratorium masih terbuka. Rujuk ke laboratorium, atau hapus centangnya.",
            "disposition",
        )
    for left in lab_orders.left_behind(entry.visit):
        tests = ", ".join(item.test.name for item in lab_orders.asked(left))
        raise RecordError(
            f"Permintaan laboratorium dari {left.entry.poli.name} masih terbuka: {tests}. Rujuk ke "
            "laboratorium, atau batalkan permintaannya di bawah Hasil laboratorium.",
            "disposition",
        )


def _write_forms(actor: Actor, examination: Examination, wanted: form_answers.Forms) -> bool:
    is_changed = form_answers.write(actor, examination, wanted)
    if PREGNANCY in wanted:
        found_pregnancy.note(actor, examination, wanted[PREGNANCY])
    return is_changed


def goes_home(disposition: str | None, target: Poli | None) -> bool:
    """Whether nobody examines the patient after this; from the pharmacy they go home too."""
    if disposition == Disposition.INTERNAL:
        return target is not None and target.kind == PoliKind.PHARMACY
    return disposition in (Disposition.HOME, Disposition.CONTROL)


def _refuse_danger(examination: Examination, target: Poli | None) -> None:
    """A child with danger signs goes home with a reason, or is referred."""
    if examination.source == Source.PAPER:
        return  # who was served on paper has gone; the desk that copies has no field for a reason
    is_home = goes_home(examination.disposition, target)
    if not is_home or SICK_CHILD not in form_answers.offered(examination.entry.poli):
        return
    told = form_answers.danger_of(examination.visit)
    own = form_answers.current(examination).get(SICK_CHILD, {})
    visit = examination.visit
    measured = {"temperature": newest(visit, "temperature")}
    case = Case(visit.service_day.on, visit.age_months, measured)
    signs = sick_child.danger_signs(told, case)
    if signs and not told.get("danger_reason") and not own.get("danger_reason"):
        sentence = f"Ada tanda bahaya ({signs}). Rujuk, atau tulis mengapa anak dipulangkan."
        raise RecordError(sentence, "danger_reason")


def _same_prescription(examination: Examination, wanted: PrescriptionInput) -> bool:
    if not prescriptions.says_the_same(examination, wanted):
        return False
    return prescription_warnings.are_answered(prescriptions.of(examination), wanted.reasons)


def _refuse_incomplete_prescription(examination: Examination, _target: Poli | None) -> None:
    if not examination.death:
        prescriptions.refuse_incomplete(prescriptions.of(examination))


def _send_prescription(actor: Actor, examination: Examination) -> None:
    prescription = prescriptions.of(examination)
    if prescription is not None and not examination.death:
        prescriptions.send(actor, prescription)


PARTS = (
    Part("diagnoses", _write_diagnoses, diagnoses.say_the_same, _refuse_unanswered),
    Part("procedures", _write_procedures, _same_procedures),
    Part("vitals", _write_vitals),
    Part("lab", _write_order, _same_order, _refuse_forgotten_order),
    Part("forms", _write_forms, form_answers.says_the_same, _refuse_danger),
    Part(
        "prescription",
        prescriptions.write,
        _same_prescription,
        _refuse_incomplete_prescription,
        _send_prescription,
    ),
)


def refusals(examination: Examination, target: Poli | None) -> list[RecordError]:
    """Why the parts can't be finished as they stand."""
    found = []
    for part in PARTS:
        try:
            part.check(examination, target)
        except RecordError as problem:
            found += [problem, *problem.others]
    return found
