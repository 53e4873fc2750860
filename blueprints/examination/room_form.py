"""The room's own forms in the examination's form: their fields, what was sent, what is shown."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import Field, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import ValidationError

from blueprints.examination.forms import ExaminationForm, filled_form
from blueprints.examination.typed import Typed
from clinic import form_answers, form_items, form_sheets, pregnancy, teeth
from clinic.form_answers import Forms
from clinic.form_case import Case
from clinic.form_definitions import DENTAL, FORMS, PREGNANCY, item_of
from clinic.form_items import Item, Kind
from clinic.form_sheets import Sheet
from clinic.teeth import Finding
from formatting import short_date
from models import Examination, QueueEntry, Visit
from page_form import choices
from validators import FieldError, clean_text

SENT = "room_form"  # names the forms that a request holds, after their fields
EMPTY_ROWS = 2
WIDGETS = {
    Kind.CHOICE: SelectField,
    Kind.CHECKS: SelectMultipleField,
    Kind.NOTE: TextAreaField,
}


class RoomExaminationForm(ExaminationForm):
    """With the fields of some rooms' forms; `on` is the visit's day."""

    names: tuple[str, ...] = ()
    on: date
    carried: tuple[str, Visit] | None = None  # a form that is filled from what that visit told


class TeethField(Field):
    """Rows of tooth, condition and action; `data` as typed, `cleaned` a Finding for each tooth."""

    def process(self, formdata, data=None, extra_filters=None) -> None:
        super().process(formdata, data or [], extra_filters)
        if formdata is not None:
            lists = [
                formdata.getlist(name) for name in ("tooth", "tooth_condition", "tooth_action")
            ]
            rows = zip(*lists, strict=False)
            self.data = [Finding(*row) for row in rows if any(part.strip() for part in row)][:60]

    def pre_validate(self, form) -> None:
        self.cleaned = [_tooth(row) for row in self.data]
        seen = [row.tooth for row in self.cleaned]
        twice = next((tooth for tooth in seen if seen.count(tooth) > 1), "")
        if twice:
            raise ValidationError(f"Gigi {twice} ditulis dua kali. Jadikan satu baris.")


def _tooth(row: Finding) -> Finding:
    tooth = row.tooth.strip()
    if tooth not in teeth.TEETH:
        shown = tooth[:40] or "tanpa nomor"
        sentence = "tulis nomor FDI, satu gigi tiap baris: 11-48, gigi susu 51-85."
        raise ValidationError(f"Gigi {shown}: {sentence}")
    if row.condition not in teeth.CONDITIONS:
        raise ValidationError(f"Gigi {tooth}: pilih keadaannya.")
    try:
        action = clean_text(row.action, form_items.LONGEST["line"])
    except FieldError as problem:
        raise ValidationError(f"Gigi {tooth}: {problem}") from problem
    return Finding(tooth, row.condition, action)


def _field(item: Item) -> Field:
    def check(form: RoomExaminationForm, field: Field) -> None:
        try:
            field.cleaned = form_items.parse(item, field.data, form.on)
            form_items.refuse_contradiction(item, field.cleaned)
        except FieldError as problem:
            raise ValidationError(str(problem)) from problem

    options = {"validators": [check]}
    if item.kind in (Kind.CHOICE, Kind.CHECKS):
        empty = {"": "-"} if item.kind is Kind.CHOICE else {}
        options |= {"choices": choices(empty | item.choices), "validate_choice": False}
    return WIDGETS.get(item.kind, StringField)(**options)


@cache
def form_class(
    names: tuple[str, ...], base: type[ExaminationForm] = ExaminationForm
) -> type[RoomExaminationForm]:
    """The examination's form (or another one made of it) with the fields of these forms."""
    fields: dict[str, Any] = {
        item.code: _field(item) for name in names for item in FORMS[name].items
    }
    if DENTAL in names:
        fields["teeth"] = TeethField()
    bases = (base,) if issubclass(base, RoomExaminationForm) else (RoomExaminationForm, base)
    return type("ExaminationFormOfRoom", bases, {"names": names, **fields})


def names_sent(typed: MultiDict) -> tuple[str, ...]:
    """The forms that a request holds, in a fixed order."""
    sent = typed.getlist(SENT)
    return tuple(name for name in FORMS if name in sent)


def sent(typed: MultiDict, visit: Visit) -> RoomExaminationForm:
    """What a request typed."""
    form = form_class(names_sent(typed))(typed)
    form.on = visit.service_day.on
    return form


def forms_input(form: ExaminationForm) -> Forms | None:
    """The answers of each form that was sent; None when there was none."""
    names = getattr(form, "names", ())
    return {name: _answers(form, name) for name in names} or None


def _answers(form: RoomExaminationForm, name: str) -> dict[str, str]:
    found = {item.code: form[item.code].cleaned for item in FORMS[name].items}
    rows = form.teeth.cleaned if name == DENTAL else []
    return teeth.values(rows) | {code: value for code, value in found.items() if value}


def data_of(forms: Forms) -> dict[str, Any]:
    """Kept answers as the fields' data."""
    found: dict[str, Any] = {"teeth": teeth.findings(forms.get(DENTAL, {}))}
    for answers in forms.values():
        for code, value in answers.items():
            item = item_of(code)
            is_many = item.kind is Kind.CHECKS
            found[code] = value.split() if is_many else form_items.shown(item, value)
    return found


def names_of(examination: Examination) -> tuple[str, ...]:
    """The forms of a finished examination: the room's for this patient, and those answered."""
    return _names(examination.entry, form_answers.current(examination))


def _names(entry: QueueEntry, kept: Forms) -> tuple[str, ...]:
    # What was answered before the room's setting changed stays in sight.
    wanted = {*form_answers.suiting(entry.poli, entry.visit), *kept}
    return tuple(name for name in FORMS if name in wanted)


def fill(typed: MultiDict, names: tuple[str, ...], forms: Forms) -> None:
    """Add the answers of these forms to what a request could have typed."""
    data = data_of({name: forms.get(name, {}) for name in names})
    for row in data.pop("teeth"):
        for field, text in zip(("tooth", "tooth_condition", "tooth_action"), row, strict=True):
            typed.add(field, text)
    for code, value in data.items():
        typed.setlist(code, value if isinstance(value, list) else [value])
    typed.setlist(SENT, list(names))


# --- What the page shows ------------------------------------------------------------------------


def filled(
    entry: QueueEntry, examination: Examination | None, own: Mapping[str, Decimal | int]
) -> RoomExaminationForm:
    """The form with what is kept; before its first save with what holds on from earlier."""
    kept = form_answers.current(examination)
    names = _names(entry, kept)
    name = form_answers.proposed(entry.poli, entry.visit)
    told = None if examination else _carried(name, entry.visit)
    data = data_of(kept | ({name: told[0]} if told else {}))
    form = filled_form(examination, own, form_class(names), data)
    form.on, form.carried = entry.visit.service_day.on, (name, told[1]) if told else None
    return form


def _carried(name: str, visit: Visit) -> tuple[dict[str, str], Visit] | None:
    """What was told before and holds on: a running pregnancy, the teeth of this visit."""
    if name == DENTAL:
        return form_answers.teeth_so_far(visit)
    # What she denied at the counter today is asked anew: saving it would call the visit pregnant.
    if name != PREGNANCY or visit.pregnant in ("nifas", "tidak"):
        return None
    told = form_answers.last_pregnancy(visit)
    return told if told and pregnancy.is_running(told[0], visit.service_day.on) else None


def context(
    form: ExaminationForm, entry: QueueEntry, examination: Examination | None, typed: Typed | None
) -> dict[str, Any]:
    names = getattr(form, "names", ())
    carried = getattr(form, "carried", None)
    if typed and examination is None:
        carried = _still_carried(form, entry)
    opened = {name for name in names if _has_typed(form, name)}
    return {
        "room_forms": [FORMS[name] for name in names],
        "opened_forms": opened or {form_answers.proposed(entry.poli, entry.visit)},
        "carried": {carried[0]: short_date(carried[1].service_day.on)} if carried else {},
        **(_chart_context(form, entry) if DENTAL in names else {}),
    }


def _still_carried(form: ExaminationForm, entry: QueueEntry) -> tuple[str, Visit] | None:
    """Of a form that was sent and not saved yet: what it still holds as it was filled in."""
    name = form_answers.proposed(entry.poli, entry.visit)
    told = _carried(name, entry.visit) if name in getattr(form, "names", ()) else None
    if told is None:
        return None
    kept, when = told
    if name == DENTAL:
        is_there = any(row in form.teeth.data for row in teeth.findings(kept))
    else:
        is_there = any(_as_kept(form, item_of(code)) == value for code, value in kept.items())
    return (name, when) if is_there else None


def own_sheets(form: ExaminationForm, case: Case) -> tuple[Sheet, ...]:
    """What the form says as it stands, judged; of values that cannot be read nothing."""
    found = {
        name: {item.code: _as_kept(form, item) for item in FORMS[name].items}
        for name in getattr(form, "names", ())
    }
    if DENTAL in found:
        rows = (row._replace(tooth=row.tooth.strip()) for row in form.teeth.data)
        found[DENTAL] |= teeth.values([row for row in rows if row.tooth in teeth.TEETH])
    answers = {name: {c: v for c, v in each.items() if v} for name, each in found.items()}
    return form_sheets.sheets(answers, case)


def _has_typed(form: ExaminationForm, name: str) -> bool:
    return any(form[item.code].errors or form[item.code].data for item in FORMS[name].items)


def _chart_context(form: ExaminationForm, entry: QueueEntry) -> dict[str, Any]:
    earlier = form_answers.last_chart(entry.visit)
    known = {tooth: found.condition for tooth, (found, _) in earlier.items()}
    typed = {row.tooth.strip(): row.condition for row in form.teeth.data}
    known |= {tooth: condition for tooth, condition in typed.items() if tooth in teeth.TEETH}
    treated = {tooth for tooth, (found, _) in earlier.items() if found.action} - typed.keys()
    signs = {
        teeth.SIGNS[each]: teeth.CONDITIONS[each] for each in known.values() if each in teeth.SIGNS
    }
    return {
        "tooth_rows": [*form.teeth.data, *[Finding("", "")] * EMPTY_ROWS],
        "tooth_choices": teeth.CONDITIONS,
        "mouth": teeth.mouth(known, entry.visit.age_months, treated),
        "mouth_signs": signs
        | ({teeth.TREATED: "sudah ditindak, lihat di bawah"} if treated else {}),
        "earlier_teeth": [
            (found, when.service_day.on) for _, (found, when) in sorted(earlier.items())
        ],
    }


def theirs(examination: Examination, typed: Typed) -> dict[str, str]:
    """Kept answers that differ from what was typed, by field."""
    return differing(form_answers.current(examination), typed.form)


def differing(kept: Forms, form: ExaminationForm) -> dict[str, str]:
    """Of the forms that were sent: what is kept where something else was typed, in words."""
    found: dict[str, str] = {}
    for name in getattr(form, "names", ()):
        answers: Mapping[str, str] = kept.get(name, {})
        for item in FORMS[name].items:
            if answers.get(item.code, "") != _as_kept(form, item):
                found[item.code] = form_items.words(item, answers.get(item.code, ""))
        if name == DENTAL and teeth.findings(answers) != list(form.teeth.data):
            rows = {code: text for code, text in answers.items() if teeth.item_of(code)}
            found["teeth"] = form_sheets.text(DENTAL, rows)
    return found


def _as_kept(form: RoomExaminationForm, item: Item) -> str:
    """What a field would be kept as; '' of one that cannot be read."""
    try:
        return form_items.parse(item, form[item.code].data or "", form.on)
    except FieldError:
        return ""


def labels_of(form: ExaminationForm) -> dict[str, str]:
    """The fields, for a page that only gives back what was typed."""
    names = getattr(form, "names", ())
    found = {item.code: item.label for name in names for item in FORMS[name].items}
    return found | ({"teeth": "Gigi"} if DENTAL in names else {})
