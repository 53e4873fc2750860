"""Everything that a form's request typed, in words: for a page that only gives it back.

A field without a label here stands there by its own name: nothing typed is left out.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

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
from clinic.vital_signs import VITAL_RANGES
from db import db
from models import LabTest, Poli, Visit
from page_form import PageForm

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
Answer = tuple[str, str]  # what was asked, and what was typed


def answers(
    form: PageForm, sent: MultiDict, visit: Visit, more: Mapping[str, str] = NO_MORE
) -> list[Answer]:
    """All that a request typed; `more` names fields of a form that has further ones."""
    labels = {**LABELS, **room_form.labels_of(form), **more}
    found = [
        (labels.get(field.name, field.label.text), _words(field))
        for field in form
        if field.name not in UNTYPED and not field.name.startswith(REASON)
    ]
    found += [*_diagnoses(sent, visit), *_procedures(sent), *_medicines(sent), *_laboratory(sent)]
    return [(label, text) for label, text in found if text.strip()]


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
            about = [f"kasus {each.case_type}"] if each.case_type else []
            about += ["utama"] if each.text == primary else []
            title = line.title if line.title != line.code else ""
            yield "Diagnosis", ", ".join([f"{line.code} {title}".strip(), *about])
    for reason in override_reasons(sent).values():
        yield "Alasan diagnosis", reason


def _procedures(sent: MultiDict) -> Iterator[Answer]:
    typed = procedure_fields.entered(sent) or []
    for each in procedure_form.shown_lines(typed, None):
        times = f" {each.quantity}x" if each.quantity.strip() not in ("", "1") else ""
        yield "Tindakan", f"{each.line.title}{times}{f': {each.note}' if each.note else ''}"


def _medicines(sent: MultiDict) -> Iterator[Answer]:
    said = prescription_typed.said(sent)
    if said is None:
        return
    for text in prescription_form.typed_texts(said):
        yield "Resep", text
    yield "Catatan untuk farmasi", said.note
    for reason in said.reasons.values():
        yield "Alasan tetap memberi", reason


def _laboratory(sent: MultiDict) -> Iterator[Answer]:
    codes = sent.getlist("lab")[:100]
    if codes:
        rows = select(LabTest.name).where(LabTest.code.in_(codes))
        names = db.session.scalars(rows.order_by(LabTest.position, LabTest.id))
        yield "Permintaan laboratorium", ", ".join(names)
