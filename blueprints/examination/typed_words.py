"""Everything that a form's request typed, in words: for a page that only gives it back.

A field without a label here stands there by its own name: nothing typed is left out.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from wtforms import Field

from blueprints.examination import (
    prescription_form,
    prescription_typed,
    procedure_fields,
    procedure_form,
    room_form,
)
from blueprints.examination.forms import REASON, entered_diagnoses, override_reasons
from clinic import diagnoses
from clinic.prescriptions import PrescriptionInput
from clinic.vital_signs import VITAL_RANGES, parse_vital
from db import db
from formatting import number_text
from models import LabTest, Poli, Visit
from page_form import PageForm
from validators import FieldError

LABELS = {name: vital.label for name, vital in VITAL_RANGES.items()} | {
    "vitals_new": "Pengukuran baru",
    "subjective": "Anamnesis",
    "objective": "Pemeriksaan",
    "assessment": "Penilaian",
    "plan": "Rencana",
    "therapy": "Tindakan dan terapi",
    "diagnosis_search": "Cari diagnosis",
    "procedure_search": "Cari tindakan",
    "medicine_search": "Cari obat",
    "disposition": "Tindak lanjut",
    "refer_to": "Rujuk ke ruang",
    "refer_external": "Tujuan rujukan",
    "death_time": "Meninggal pukul",
    "allergy_substance": "Alergi terhadap",
    "allergy_reaction": "Reaksi alergi",
    "lab_note": "Catatan untuk laboratorium",
}
NO_MORE: Mapping[str, str] = MappingProxyType({})
UNTYPED = {"vitals_seen"}  # what the page said, not its reader


class Answer(NamedTuple):
    """What was asked, and what was typed; `name` is the field's or its list's."""

    label: str
    text: str
    name: str

    @property
    def said(self) -> tuple[str, str]:
        """The same of two answers that say the same: 36.5 is 36,5."""
        text = " ".join(self.text.split())
        if self.name in VITAL_RANGES:
            with suppress(FieldError):
                text = number_text(parse_vital(self.name, text))
        return self.name, text


def answers(
    form: PageForm,
    sent: MultiDict,
    visit: Visit,
    more: Mapping[str, str] = NO_MORE,
    stands: Collection[Answer] = (),
) -> list[Answer]:
    """All that a request typed, but for what `stands` on the page already.

    `more` names fields of a form that has further ones.
    """
    found = [*of_fields(form, more), *_diagnoses(sent, visit), *_procedures(sent)]
    found += [*medicines(prescription_typed.said(sent)), *laboratory(sent.getlist("lab")[:100])]
    known = {each.said for each in stands}
    return [each for each in found if each.text.strip() and each.said not in known]


def of_fields(form: PageForm, more: Mapping[str, str] = NO_MORE) -> Iterator[Answer]:
    """What stands in the fields that have one name; the lists are no fields."""
    labels = {**LABELS, **room_form.labels_of(form), **more}
    for field in form:
        if field.name not in UNTYPED and not field.name.startswith(REASON):
            yield Answer(labels.get(field.name, field.label.text), _words(field), field.name)


def _words(field: Field) -> str:
    """What was typed or chosen; of a choice its label."""
    if isinstance(field, room_form.TeethField):
        rows = [(row.tooth, row.condition_text, row.action) for row in field.data]
        return "; ".join(" ".join(filter(None, row)) for row in rows)
    if field.data is True:
        return "ya"
    data = field.data if isinstance(field.data, list) else [field.data or ""]
    known = {each.value: each.label for each in getattr(field, "choices", None) or ()}
    if field.name == "refer_to":
        known |= dict(db.session.execute(select(Poli.code, Poli.name)).tuples().all())
    return ", ".join(str(known.get(each, each)) for each in data if each)


def _diagnoses(sent: MultiDict, visit: Visit) -> Iterator[Answer]:
    primary = sent.get("diagnosis_primary", "")
    for each in (entered_diagnoses(sent) or [])[: diagnoses.MOST_READ]:
        for line in diagnoses.lines([each._replace(case_type="")], visit):
            yield diagnosis(line, each.case_type, is_primary=each.text == primary)
    for reason in override_reasons(sent).values():
        yield Answer("Alasan diagnosis", reason, REASON)


def diagnosis(line: diagnoses.Line, case_type: str, *, is_primary: bool) -> Answer:
    """As much of it as was said."""
    about = [f"kasus {case_type}"] if case_type else []
    about += ["utama"] if is_primary else []
    title = line.title if line.title != line.code else ""
    words = ", ".join([f"{line.code} {title}".strip(), *about])
    return Answer("Diagnosis", words, "diagnosis")


def _procedures(sent: MultiDict) -> Iterator[Answer]:
    typed = procedure_fields.entered(sent) or []
    for each in procedure_form.shown_lines(typed, None):
        yield procedure(each)


def procedure(shown: procedure_form.Shown) -> Answer:
    """One of the list, with its number and note."""
    times = f" {shown.quantity}x" if shown.quantity.strip() not in ("", "1") else ""
    words = f"{shown.line.title}{times}{f': {shown.note}' if shown.note else ''}"
    return Answer("Tindakan", words, "procedure")


def medicines(said: PrescriptionInput | None) -> Iterator[Answer]:
    """The lines of a prescription and what is said beside them."""
    if said is None:
        return
    for text in prescription_form.typed_texts(said):
        yield Answer("Resep", text, "prescription")
    yield Answer("Catatan untuk farmasi", said.note, prescription_typed.NOTE)
    for reason in said.reasons.values():
        yield Answer("Alasan tetap memberi", reason, prescription_typed.REASON)


def laboratory(codes: list[str]) -> Iterator[Answer]:
    """The tests that are asked for, by their names."""
    if codes:
        rows = select(LabTest.name).where(LabTest.code.in_(codes))
        names = db.session.scalars(rows.order_by(LabTest.position, LabTest.id))
        yield Answer("Permintaan laboratorium", ", ".join(names), "lab")
