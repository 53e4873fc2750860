"""The form of each kind of paper: its fields, and what was typed in them."""

from datetime import date, timedelta
from functools import partial
from typing import Any

from wtforms import BooleanField, RadioField, StringField, TextAreaField
from wtforms.fields import SelectField
from wtforms.validators import ValidationError

from clinic.paper_facts import LONGEST_TEXT
from clinic.paper_texts import COLOUR_WORDS, HEALTH_WORDS
from clinic.vital_signs import parse_vital
from models import PaperKind
from page_form import PageForm, choices
from validators import checked_by, clean_text, parse_date

LONGEST_LINE = 120


def _line(limit: int = LONGEST_LINE) -> StringField:
    return StringField(validators=[checked_by(partial(clean_text, max_length=limit))])


def _text() -> TextAreaField:
    parse = partial(clean_text, max_length=LONGEST_TEXT, newlines=True)
    return TextAreaField(validators=[checked_by(parse)])


def _date() -> StringField:
    return StringField(validators=[checked_by(parse_date)])


def _vital(name: str) -> StringField:
    return StringField(validators=[checked_by(partial(parse_vital, name))])


class PaperForm(PageForm):
    """What all have: the fields' cleaned values, and the text to send once more."""

    def said(self) -> dict[str, Any]:
        return {field.name: _value(field) for field in self}

    def typed(self) -> dict[str, str]:
        """The fields that hold something, as they would be typed again."""
        pairs = {field.name: "1" if field.data is True else field.data for field in self}
        return {
            name: clean_text(text, LONGEST_TEXT, newlines=True)
            for name, text in pairs.items()
            if text
        }


def _value(field: Any) -> Any:
    cleaned = getattr(field, "cleaned", field.data)
    return "" if cleaned is None else cleaned


class SickForm(PaperForm):
    from_on = _date()
    until_on = _date()
    days = StringField()
    reason = _line(300)
    purpose = _line()
    shows_diagnosis = BooleanField()

    def validate_days(self, field: StringField) -> None:
        text = (field.data or "").strip()
        if text and not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= 999):
            raise ValidationError("Tulis jumlah hari dengan angka, misalnya 3.")
        field.cleaned = int(text) if text else None

    def said(self) -> dict[str, Any]:
        """From the days comes the last date, where only they were typed."""
        said = super().said()
        first, days = said["from_on"], said["days"]
        if isinstance(first, date) and days and not said["until_on"]:
            said["until_on"] = first + timedelta(days=days - 1)
        return said


class HealthForm(PaperForm):
    purpose = _line()
    height = _vital("height")
    weight = _vital("weight")
    systolic = _vital("systolic")
    diastolic = _vital("diastolic")
    colour = SelectField(choices=choices(COLOUR_WORDS), validate_choice=False)
    note = _line(300)
    result = RadioField(choices=choices(HEALTH_WORDS), validate_choice=False)


# In the page's order, which is that of the error summary too: what is inherited would come first.
class ReferralForm(PaperForm):
    to_whom = _line()
    to_poli = _line(60)
    reason, findings, diagnosis, therapy = _text(), _text(), _text(), _text()


class InternalForm(PaperForm):
    to_room = SelectField(choices=[], validate_choice=False)
    reason, findings, diagnosis, therapy = _text(), _text(), _text(), _text()

    def use_rooms(self, rooms: dict[str, str]) -> None:
        """Offer these rooms, by code."""
        self.to_room.choices = choices(rooms, "Pilih ruang")
        self.rooms = rooms

    def validate_to_room(self, field: SelectField) -> None:
        if field.data and field.data not in self.rooms:
            raise ValidationError("Pilih ruang di daftar.")

    def said(self) -> dict[str, Any]:
        said = super().said()
        return said | {"to_room_name": self.rooms.get(said["to_room"], "")}


class SummaryForm(PaperForm):
    complaint = _text()
    diagnosis = _text()
    therapy = _text()
    advice = _text()
    control_on = _date()


class LabForm(PaperForm):
    note = _line(300)


FORMS = {
    PaperKind.SUMMARY: SummaryForm,
    PaperKind.SICK: SickForm,
    PaperKind.HEALTH: HealthForm,
    PaperKind.REFERRAL: ReferralForm,
    PaperKind.INTERNAL: InternalForm,
    PaperKind.LAB: LabForm,
}
