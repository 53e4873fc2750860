"""The form that corrects a finished examination: its fields, and a set for each measurement."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from wtforms import StringField

from blueprints.examination import room_form
from blueprints.examination.forms import ExaminationForm
from blueprints.examination.typed import Typed
from clinic import amended_fields, form_answers, records
from clinic.amended_fields import DIAGNOSES, ROOM_FORM, VITAL_SIGNS, Part
from clinic.vital_signs import VITAL_RANGES, parse_vital
from db import db
from formatting import DISPOSITION_LABELS, number_text
from models import Amendment, Disposition, Examination, VitalSigns
from page_form import choices
from validators import checked_by, clean_text

MOST_MEASURED = 20


class AmendForm(ExaminationForm):
    # Of the rows of a form that met a conflict: the signs that another changed as well.
    contested: Mapping[int, set[str]] | None = None
    reason = StringField(validators=[checked_by(partial(clean_text, max_length=300))])
    vitals_seen = StringField()  # what the page said of unusual values


@dataclass(frozen=True)
class Measurement:
    """One row of vital signs in the form: its number there, and the row it corrects ('' none)."""

    number: int
    ref: str
    row: VitalSigns | None = None


def _form(count: int, typed: MultiDict, examination: Examination) -> AmendForm:
    fields = {
        f"{name}_{number}": StringField(validators=[checked_by(partial(parse_vital, name))])
        for number in range(1, count + 1)
        for name in records.VITALS
    }
    base = room_form.form_class(room_form.names_sent(typed), AmendForm)
    form = type("AmendFormOfRows", (base,), fields)(typed)
    form.on = examination.visit.service_day.on
    labels = {key: text for key, text in DISPOSITION_LABELS.items() if key != Disposition.INTERNAL}
    form.disposition.choices = choices(labels)
    return form


def sent_form(typed: MultiDict, examination: Examination) -> AmendForm:
    """What a request typed."""
    return _form(len(sent_refs(typed)), typed, examination)


def sent_refs(typed: MultiDict) -> list[str]:
    """The rows of vital signs that the form was made for, in its order."""
    numbers = range(1, MOST_MEASURED + 1)
    return [typed[f"vitals_{n}"][:36] for n in numbers if f"vitals_{n}" in typed]


def sent_vitals(form: AmendForm, typed: MultiDict) -> dict[str, records.Vitals]:
    """Values by row, of the rows whose fields were sent."""
    found = {}
    for number, ref in enumerate(sent_refs(typed), 1):
        names = [name for name in records.VITALS if form[f"{name}_{number}"].raw_data]
        if names:
            found[ref] = {name: form[f"{name}_{number}"].cleaned for name in names}
    return found


class Measured(NamedTuple):
    """A row of vital signs as it was typed: what can be read of it, and what of that is new."""

    number: int
    values: dict[str, Decimal | int]
    changed: set[str]


def measured(form: AmendForm, typed: MultiDict, examination: Examination) -> Iterator[Measured]:
    stored = {each.ref: each.row for each in measurements(examination)}
    for number, ref in enumerate(sent_refs(typed), 1):
        if ref and ref not in stored:
            continue  # ended meanwhile: a conflict, which is shown first
        fields = {name: form[f"{name}_{number}"] for name in records.VITALS}
        cleaned = {name: getattr(field, "cleaned", None) for name, field in fields.items()}
        values = {name: value for name, value in cleaned.items() if value is not None}
        row = stored.get(ref)
        new = {name for name, value in values.items() if value != getattr(row, name, None)}
        yield Measured(number, values, new)


def measurements(examination: Examination) -> list[Measurement]:
    """The rows to correct; an empty one where nothing was measured."""
    rows = amended_fields.measured(examination)
    found = [Measurement(n, row.public_id, row) for n, row in enumerate(rows, 1)]
    return found or [Measurement(1, "")]


def filled(examination: Examination, request: Amendment | None) -> Typed:
    """The form with what is stored, and over it what this account has asked for already."""
    parts = amended_fields.stored(examination)
    if request:
        parts |= {Part(line.field, line.subject_ref): line.new_value for line in request.lines}
    typed = MultiDict({"reason": request.reason if request else ""})
    typed.update(
        {name: parts[Part(name)] for name in (*records.TEXTS, "disposition", "death_time")}
    )
    typed["refer_external"] = parts[Part("refer_to")]
    rows = measurements(examination)
    for each in rows:
        values = amended_fields.vitals_of(parts[Part(VITAL_SIGNS, each.ref)])
        typed.update(_numbered(values, each.number))
    room_form.fill(typed, room_form.names_of(examination), _answers(parts))
    lines = amended_fields.diagnoses_of(parts[Part(DIAGNOSES)])
    return Typed(_form(len(rows), typed, examination), lines, examination.version)


def _answers(parts: Mapping[Part, str]) -> dict[str, dict[str, str]]:
    return {
        part.subject_ref: amended_fields.answers_of(text)
        for part, text in parts.items()
        if part.field == ROOM_FORM
    }


def _numbered(values: records.Vitals, number: int) -> dict[str, str]:
    return {
        f"{name}_{number}": number_text(value)
        for name, value in values.items()
        if value is not None
    }


def on_these_rows(sent: MultiDict, rows: list[Measurement], examination: Examination) -> AmendForm:
    """What was typed, on the rows that hold now: those were corrected or measured meanwhile.

    What was typed for a row that has ended goes to the one in its place, or stands as a new one;
    boxes that say what such a row said were left alone.
    """
    typed = MultiDict(sent)
    places = {ref: number for number, ref in enumerate(sent_refs(sent), 1)}
    was = {n: _shown(ref) for ref, n in places.items()}
    said = {n: _changed(sent, n, was[n]) for n in was}
    gone = [n for ref, n in places.items() if ref not in {each.ref for each in rows}]
    homeless = [n for n in gone if said[n]]
    takers = [each for each in rows if each.ref not in places]
    sources = {each.number: places[each.ref] for each in rows if each.ref in places}
    sources |= {each.number: n for each, n in zip(takers, homeless, strict=False)}
    extra = homeless[len(takers) :]
    sources |= {len(rows) + place: n for place, n in enumerate(extra, 1)}
    now = {each.number: _texts(each.row) for each in rows}
    for number, texts in now.items():
        _fill(typed, number, texts)
    contested = {}
    for number, n in sources.items():
        _fill(typed, number, now.get(number, {}) | said[n])
        contested[number] = {
            name for name in said[n] if now.get(number, was[n])[name] != was[n][name]
        }
    form = _form(len(rows) + len(extra), typed, examination)
    form.contested = contested
    return form


def _shown(ref: str) -> dict[str, str]:
    """What a row's boxes showed: it keeps its values when it has ended."""
    row = db.session.scalar(select(VitalSigns).where(VitalSigns.public_id == ref)) if ref else None
    return _texts(row)


def _texts(row: VitalSigns | None) -> dict[str, str]:
    values = {name: getattr(row, name, None) for name in records.VITALS}
    return {name: "" if value is None else number_text(value) for name, value in values.items()}


def _changed(sent: MultiDict, number: int, was: Mapping[str, str]) -> dict[str, str]:
    """What was typed in a row's boxes otherwise than they showed it."""
    typed = {name: sent.get(f"{name}_{number}", "").strip() for name in records.VITALS}
    return {name: text for name, text in typed.items() if text != was[name]}


def _fill(typed: MultiDict, number: int, texts: Mapping[str, str]) -> None:
    for name in records.VITALS:
        typed[f"{name}_{number}"] = texts.get(name, "")


def other_values(examination: Examination, form: AmendForm) -> dict[str, str]:
    """What stands stored where it differs, of the fields that only this form has."""
    found = {}
    for each in measurements(examination):
        if each.row is None or f"systolic_{each.number}" not in form:
            continue
        stored = _texts(each.row)
        asked = records.VITALS if form.contested is None else form.contested.get(each.number, ())
        typed = {name: (form[f"{name}_{each.number}"].data or "").strip() for name in asked}
        other = {n: getattr(each.row, n) for n, text in typed.items() if text != stored[n]}
        if other:
            text = amended_fields.vitals_text(other)
            found[f"vitals_{each.number}"] = amended_fields.words(VITAL_SIGNS, text)
    typed_where = form.refer_external.data or ""
    if form.refer_external.raw_data and typed_where.strip() != examination.refer_to:
        found["refer_external"] = examination.refer_to
    return found | room_form.differing(form_answers.current(examination), form)


def labels_of(form: AmendForm) -> Mapping[str, str]:
    """Fields besides the texts, for a page that only gives back what was typed."""
    numbers = range(1, MOST_MEASURED + 1)
    signs = {f"{name}_{n}": VITAL_RANGES[name].label for n in numbers for name in records.VITALS}
    present = {name: label for name, label in signs.items() if name in form}
    return present | {"reason": "Alasan pembetulan"}
