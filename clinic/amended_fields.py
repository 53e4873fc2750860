"""What of a finished examination can be amended: each part as one text that says all of it.

Diagnoses, actions, vital signs and room forms are JSON with sorted keys: equal content is equal
text.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import or_, select

from clinic import diagnoses, form_answers, form_sheets, procedures
from clinic.diagnoses import Line
from clinic.form_definitions import FORMS
from clinic.measurements import VITALS, Vitals
from clinic.records import TEXTS, ExaminationInput
from clinic.vital_signs import VITAL_RANGES
from db import db
from formatting import DISPOSITION_LABELS, number_text
from models import CaseType, Examination, VitalSigns

PLAIN = (*TEXTS, "disposition", "refer_to", "death_time")
DIAGNOSES, PROCEDURES = "diagnoses", "procedures"
VITAL_SIGNS, ROOM_FORM = "vitals", "room_form"
LABELS = {
    "subjective": "Anamnesis",
    "objective": "Pemeriksaan",
    "assessment": "Penilaian",
    DIAGNOSES: "Diagnosis",
    "plan": "Rencana",
    PROCEDURES: "Tindakan",
    "therapy": "Tindakan dan terapi",
    "disposition": "Tindak lanjut",
    "refer_to": "Tujuan rujukan",
    "death_time": "Pukul meninggal",
    VITAL_SIGNS: "Tanda vital",
    ROOM_FORM: "Isian ruang",
}


class Part(NamedTuple):
    """A field; of vital signs with the public id of the row, '' for one that is not there yet.

    Of a room's form with the form's name.
    """

    field: str
    subject_ref: str = ""


def measured(examination: Examination) -> list[VitalSigns]:
    """The vital signs that hold now and belong to it: of its room, and of the screening desk."""
    rows = select(VitalSigns).where(
        VitalSigns.visit_id == examination.visit_id,
        VitalSigns.ended_at.is_(None),
        or_(VitalSigns.entry_id == examination.entry_id, VitalSigns.entry_id.is_(None)),
    )
    return list(db.session.scalars(rows.order_by(VitalSigns.occurred_at, VitalSigns.id)))


def stored(examination: Examination) -> dict[Part, str]:
    """Everything that can be amended, as it stands now."""
    found = {Part(name): str(getattr(examination, name) or "") for name in PLAIN}
    found[Part(DIAGNOSES)] = diagnoses_text(
        [diagnoses.line_of(row) for row in diagnoses.active(examination)]
    )
    found[Part(PROCEDURES)] = procedures_text(procedures.stored_lines(examination))
    found[Part(VITAL_SIGNS)] = vitals_text({})
    for row in measured(examination):
        values = {name: getattr(row, name) for name in VITALS}
        found[Part(VITAL_SIGNS, row.public_id)] = vitals_text(values)
    kept = form_answers.current(examination)
    return found | {Part(ROOM_FORM, name): _json(kept.get(name, {})) for name in {*FORMS, *kept}}


def wanted(
    examination: Examination,
    form: ExaminationInput,
    vitals: Mapping[str, Vitals],
    now: Mapping[Part, str],
) -> dict[Part, str]:
    """What a form says, by part; vital signs by their row. What it did not send is not there."""
    plain = {Part(name): getattr(form, name) for name in PLAIN}
    found = {part: value for part, value in plain.items() if value is not None}
    if form.diagnoses is not None:
        typed = diagnoses.lines(form.diagnoses, examination.visit, examination)
        diagnoses.refuse_too_many(typed)
        found[Part(DIAGNOSES)] = diagnoses_text(_with_stored_titles(examination, typed))
    if form.procedures is not None:
        done = procedures.lines(form.procedures, examination)
        procedures.refuse_too_many(done)
        found[Part(PROCEDURES)] = procedures_text(done)
    for ref, values in vitals.items():
        part = Part(VITAL_SIGNS, ref)
        found[part] = vitals_text({**vitals_of(now.get(part, "{}")), **values})
    for name, answers in (form.forms or {}).items():
        found[Part(ROOM_FORM, name)] = _json(dict(answers))
    return found


def _with_stored_titles(examination: Examination, typed: Sequence[Line]) -> list[Line]:
    """What stood there keeps its words, though the ICD-10 table's may be others today."""
    known = {row.code or row.title.lower(): row for row in diagnoses.active(examination)}
    found = []
    for line in typed:
        row = known.get(line.code or line.title.lower())
        found.append(line._replace(title=row.title, edition=row.edition) if row else line)
    return found


# --- Texts that hold all of a part --------------------------------------------------------------


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def diagnoses_text(lines: Sequence[Line]) -> str:
    """Diagnoses as stored in an amendment's line."""
    return _json([line._asdict() for line in lines])


def diagnoses_of(text: str) -> list[Line]:
    """The diagnoses that such a text holds."""
    lines = [Line(**each) for each in json.loads(text)]
    return [line._replace(case_type=CaseType(line.case_type)) for line in lines]


def procedures_text(lines: Sequence[procedures.Line]) -> str:
    """Actions as stored in an amendment's line."""
    return _json([line._asdict() for line in lines])


def procedures_of(text: str) -> list[procedures.Line]:
    """The actions that such a text holds."""
    return [procedures.Line(**each) for each in json.loads(text)]


def vitals_text(values: Vitals) -> str:
    """Vital signs as stored in an amendment's line; what was not measured is left out."""
    return _json({name: _number(value) for name, value in values.items() if value is not None})


def _number(value: Decimal | int) -> str:
    return f"{Decimal(value).normalize():f}"  # 54.20 and 54.2 are one value


def vitals_of(text: str) -> dict[str, Decimal | int | None]:
    """All signs, None for what such a text leaves out."""
    typed = json.loads(text)
    found = dict.fromkeys(VITALS)
    for name, number in typed.items():
        found[name] = Decimal(number) if VITAL_RANGES[name].places else int(number)
    return found


def last_vitals(parts: Mapping[Part, str]) -> dict[str, Decimal | int]:
    """The newest value of each sign among such texts; rows stand there by their time."""
    rows = [part for part in parts if part.field == VITAL_SIGNS]
    rows.sort(key=lambda part: not part.subject_ref)  # stable: what is added now comes last
    signs = (vitals_of(parts[part]).items() for part in rows)
    return {name: value for row in signs for name, value in row if value is not None}


def answers_of(text: str) -> dict[str, str]:
    """The answers of a room's form that such a text holds."""
    return json.loads(text)


# --- What a reader sees -------------------------------------------------------------------------


def words(field: str, text: str, subject: str = "") -> str:
    """A part's value in words, a line for each diagnosis, sign and answer; '' when it is empty."""
    if field == ROOM_FORM:
        return form_sheets.text(subject, answers_of(text))
    if field == DIAGNOSES:
        return "\n".join(_diagnosis_words(line) for line in diagnoses_of(text))
    if field == PROCEDURES:
        return "\n".join(line.words for line in procedures_of(text))
    if field == VITAL_SIGNS:
        return "\n".join(_sign_words(*each) for each in vitals_of(text).items() if each[1])
    if field == "disposition":
        return DISPOSITION_LABELS.get(text, text)
    return text


def _diagnosis_words(line: Line) -> str:
    name = line.title if line.title == line.code else f"{line.code} {line.title}".strip()
    reason = f"; alasan: {line.override_reason}" if line.override_reason else ""
    return f"{name} ({line.case_type}{', utama' if line.is_primary else ''}{reason})"


def _sign_words(name: str, value: Decimal | int) -> str:
    vital = VITAL_RANGES[name]
    return f"{vital.label} {number_text(value)} {vital.unit}"
