"""The examination form: fields as the contract names them, and what a request said in them."""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from functools import partial

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import RadioField
from wtforms.validators import ValidationError

from blueprints.examination import prescription_typed, procedure_fields
from clinic import deaths, diagnoses, diagnosis_rules, records
from clinic.diagnoses import LONGEST_REASON, DiagnosisInput
from clinic.lab_orders import LONGEST_NOTE, OrderInput
from clinic.records import ExaminationInput
from clinic.vital_signs import parse_vital, pressures
from formatting import DISPOSITION_LABELS, number_text
from models import CaseType, Death, Disposition, Examination
from page_form import PageForm, choices
from validators import FieldError, checked_by, clean_text

LONGEST_TEXT = 10_000
UNDECIDED = "Belum disimpan: centang diagnosis yang cocok, atau kosongkan kotak cari."
FAVOURITE = "diagnosis_favourite"  # apart: it is no answer to what stands in the search box
REASON = "override_reason"
SHOWN_ROWS, MOST_SHOWN = "shown-rows", 20
REMOVE = "hapus"  # a case type that takes the diagnosis off the list


def _vital(name: str) -> StringField:
    return StringField(validators=[checked_by(partial(parse_vital, name))])


def _text(field: type, limit: int, newlines: bool = False) -> StringField:
    parse = partial(clean_text, max_length=limit, newlines=newlines)
    return field(validators=[checked_by(parse)])


def _known_disposition(form: PageForm, field: RadioField) -> None:
    if field.data and field.data not in DISPOSITION_LABELS:
        raise ValidationError("Pilih salah satu tindak lanjut di daftar.")


class VitalsForm(PageForm):
    systolic = _vital("systolic")
    diastolic = _vital("diastolic")
    pulse = _vital("pulse")
    respiration = _vital("respiration")
    temperature = _vital("temperature")
    weight = _vital("weight")
    height = _vital("height")
    saturation = _vital("saturation")
    vitals_new = BooleanField()  # measured again: what was measured before holds on

    def process(self, *args, **kwargs) -> None:
        """As WTForms does; a pressure that was written in one box goes to both."""
        super().process(*args, **kwargs)
        for field in [each for each in self if each.name.startswith("systolic")]:
            other = self[field.name.replace("systolic", "diastolic")]
            both = pressures(field.data or "")
            if both and (other.data or "").strip() in ("", both[1]):
                field.data, other.data = both
                other.raw_data = other.raw_data or [both[1]]

    def measured(self, typed: MultiDict) -> records.Boxes | None:
        """The values of the fields that were sent; None when there was none of them."""
        sent = {name: self[name].cleaned for name in records.VITALS if self[name].raw_data}
        return records.Boxes(sent, shown(typed), self.vitals_new.data) if sent else None

    def readable(self) -> dict[str, Decimal | int]:
        """The values as they stand in the fields, without those that cannot be read."""
        found = {}
        for name in records.VITALS:
            with suppress(FieldError):
                found[name] = parse_vital(name, self[name].data or "")
        return {name: value for name, value in found.items() if value is not None}

    def cannot_be(self, name: str) -> bool:
        """Whether something stands in the field that is no measurement."""
        return bool(getattr(self[name], "failed_rule", None))


class ExaminationForm(VitalsForm):
    subjective = _text(TextAreaField, LONGEST_TEXT, newlines=True)
    objective = _text(TextAreaField, LONGEST_TEXT, newlines=True)
    assessment = _text(TextAreaField, LONGEST_TEXT, newlines=True)
    plan = _text(TextAreaField, LONGEST_TEXT, newlines=True)
    therapy = _text(TextAreaField, LONGEST_TEXT, newlines=True)
    diagnosis_search = _text(StringField, 300)
    procedure_search = _text(StringField, 300)
    disposition = RadioField(
        choices=choices(DISPOSITION_LABELS),
        validate_choice=False,
        validators=[_known_disposition],
    )
    refer_to = SelectField(choices=[], validate_choice=False)
    refer_external = _text(StringField, 120)
    death_time = StringField(validators=[checked_by(deaths.parse_time)])
    allergy_substance = _text(StringField, 100)
    allergy_reaction = _text(StringField, 200)
    lab_note = _text(StringField, LONGEST_NOTE)
    medicine_search = _text(StringField, 200)
    # Only to hold what is wrong; their boxes have names of their own.
    prescription = StringField()
    warnings = StringField()


for _rule in diagnosis_rules.rules():  # so that a missing reason is one of the form's errors
    setattr(ExaminationForm, f"{REASON}-{_rule.rule}", StringField())


def typed_vitals(values: Mapping[str, Decimal | int]) -> dict[str, str]:
    """Stored vital signs as a form shows them."""
    return {name: number_text(value) for name, value in values.items()}


def shown(typed: MultiDict) -> list[str] | None:
    """The rows that stood in the vital signs' boxes (and the triage note's) when they were shown.

    None of a form that does not say so.
    """
    return typed[SHOWN_ROWS].split()[:MOST_SHOWN] if SHOWN_ROWS in typed else None


def filled_form(
    examination: Examination | None,
    own: Mapping[str, Decimal | int],
    form_class: type[ExaminationForm] = ExaminationForm,
    more: Mapping[str, object] | None = None,
) -> ExaminationForm:
    """The form with what is stored, one's own vital signs, and `more` of a further class."""
    data: dict[str, object] = {**typed_vitals(own), **(more or {})}
    if examination:
        data |= {name: getattr(examination, name) for name in records.TEXTS}
        data["disposition"] = examination.disposition or ""
        data["death_time"] = examination.death_time
        is_outside = examination.disposition == Disposition.EXTERNAL
        data["refer_external" if is_outside else "refer_to"] = examination.refer_to
    return form_class(data=data)


def examination_input(form: ExaminationForm, typed: MultiDict) -> ExaminationInput:
    """What the request says; fields that it did not send are None."""
    texts = {name: form[name].cleaned or "" for name in records.TEXTS if form[name].raw_data}
    disposition = form.disposition.data if "disposition" in typed else None
    return ExaminationInput(
        **texts,
        disposition=disposition,
        refer_to=refer_to(form, typed),
        death_time=_death_time(form) if disposition is not None else None,
        diagnoses=entered_diagnoses(typed, form.diagnosis_search.data or ""),
        procedures=procedure_fields.entered(typed),
        vitals=form.measured(typed),
        lab=_lab_order(form, typed),
        prescription=prescription_typed.said(typed),
    )


def _death_time(form: ExaminationForm) -> str:
    return (form.death_time.cleaned or "") if form.disposition.data in list(Death) else ""


def _lab_order(form: ExaminationForm, typed: MultiDict) -> OrderInput | None:
    """The tests that were ticked; None when the form had none to tick."""
    if "lab_sent" not in typed:
        return None
    return OrderInput(typed.getlist("lab"), form.lab_note.cleaned or "")


def refer_to(form: ExaminationForm, typed: MultiDict) -> str | None:
    """The room or the place that belongs to the disposition; None when neither was sent."""
    if not {"refer_to", "refer_external"} & typed.keys():
        return None
    room = clean_text(form.refer_to.data or "", 120)
    if form.disposition.data == Disposition.EXTERNAL:
        return form.refer_external.cleaned or room
    return room if form.disposition.data == Disposition.INTERNAL else ""


def entered_diagnoses(typed: MultiDict, searched: str = "") -> list[DiagnosisInput] | None:
    """Codes and texts in the order of the page, the one marked as primary first.

    What was on the list comes first, then what was ticked: of what is often used, then of what was
    found. A code in the search box counts as well, unless it was the way to what was ticked.
    """
    if not {"diagnosis", FAVOURITE} & typed.keys() and not searched.strip():
        return None
    listed, ticked, reasons = [], [], override_reasons(typed)
    for text, case_type in _with_case_types(typed):
        if case_type != REMOVE and text.strip():
            known = case_type if case_type in list(CaseType) else ""
            place = ticked if case_type is None else listed
            place.append(DiagnosisInput(text[:300], known, reasons))
    favourites = [DiagnosisInput(text[:300], "", reasons) for text in typed.getlist(FAVOURITE)]
    found = listed + favourites + ticked
    if searched.strip() and not has_ticked(typed):
        found.append(DiagnosisInput(searched, "", reasons))
    primary = typed.get("diagnosis_primary", "")
    return sorted(found, key=lambda each: each.text != primary) if primary else found


def override_reasons(typed: MultiDict) -> dict[str, str]:
    """What was answered to the warnings: by rule, "" for the one that answers all."""
    found = {
        name.removeprefix(REASON).removeprefix("-"): text[:LONGEST_REASON]
        for name, text in typed.items()
        if name == REASON or name.startswith(f"{REASON}-")
    }
    return {rule: text for rule, text in found.items() if text.strip()}


def has_ticked(typed: MultiDict) -> bool:
    """Whether something was chosen from the search; only what was on the list has a case type."""
    return any(case_type is None for _, case_type in _with_case_types(typed))


def searched_only(form: ExaminationForm, typed: MultiDict) -> bool:
    """Words in the search box of which nothing was ticked: no diagnosis yet."""
    searched = (form.diagnosis_search.data or "").strip()
    return bool(searched) and not has_ticked(typed) and not diagnoses.is_known(searched)


def undecided(form: ExaminationForm, typed: MultiDict) -> dict[str, str]:
    """The search boxes with words of which nothing was chosen, and what to say there."""
    found = {}
    if searched_only(form, typed):
        found["diagnosis_search"] = UNDECIDED
    if procedure_fields.searched_only(typed):
        found[procedure_fields.SEARCH] = procedure_fields.UNDECIDED
    return found


def without_used_searches(form: PageForm, typed: MultiDict) -> MultiDict:
    """The request as the page shows it again: no words that led to what was ticked.

    That is on the list now; the same words would ask once more to be decided. Where the search's
    own button was pressed, they may be new ones.
    """
    looks_for_codes = typed.get("aksi") == "cari"
    used = {
        "diagnosis_search": has_ticked(typed) and not looks_for_codes,
        procedure_fields.SEARCH: procedure_fields.has_ticked(typed) and not looks_for_codes,
        prescription_typed.SEARCH: prescription_typed.has_used_search(typed),
    }
    shown = MultiDict(typed)
    for name in [name for name, is_used in used.items() if is_used and name in form]:
        shown[name] = form[name].data = ""
    return shown


def version_sent(typed: MultiDict) -> int:
    """The examination's version as the form was opened."""
    text = typed.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _with_case_types(typed: MultiDict) -> list[tuple[str, str | None]]:
    # case_type-<n> belongs to the n-th diagnosis, counted from 1 as people do (or from 0).
    first = 0 if "case_type-0" in typed else 1
    texts = enumerate(typed.getlist("diagnosis"), first)
    return [(text, typed.get(f"case_type-{n}")) for n, text in texts]


def stored_lines(examination: Examination | None) -> list[diagnoses.Line]:
    return [diagnoses.line_of(row) for row in diagnoses.active(examination)]
