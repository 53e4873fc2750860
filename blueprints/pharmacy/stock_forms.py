"""What the pages of the stock ask for."""

from functools import partial
from typing import Self

from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired

from clinic.stock import LONGEST_NUMBER, LONGEST_REASON, LONGEST_SOURCE
from clinic.stock_typed import read_amount, read_expiry
from models import Medicine
from page_form import PageForm, filled
from validators import checked_by, clean_text


def _text(longest: int, needed: str = "") -> StringField:
    required = [filled(needed)] if needed else []
    return StringField(validators=[checked_by(partial(clean_text, max_length=longest)), *required])


def _amount(needed: str) -> StringField:
    return StringField(validators=[DataRequired(needed), _in_its_unit])


def _in_its_unit(form: "StockForm", field: StringField) -> None:
    checked_by(partial(read_amount, unit=form.unit))(form, field)


class StockForm(PageForm):
    """An amount of one medicine."""

    unit = ""

    def of(self, medicine: Medicine) -> Self:
        self.unit = medicine.unit
        return self


class DeliveryForm(StockForm):
    """What came in."""

    number = _text(LONGEST_NUMBER, "Tulis nomor batch seperti di kemasan.")
    expires_on = StringField(
        validators=[
            DataRequired("Tulis tanggal kedaluwarsa seperti di kemasan."),
            checked_by(read_expiry),
        ]
    )
    quantity = _amount("Tulis jumlah yang diterima.")
    source = _text(LONGEST_SOURCE)
    key = HiddenField()


class CountForm(StockForm):
    """What lies there, counted."""

    counted = _amount("Tulis jumlah yang dihitung; 0 bila habis.")
    reason = _text(LONGEST_REASON, "Tulis alasan koreksi, misalnya hasil stok opname.")
    seen = HiddenField()
    key = HiddenField()


class ExpiryForm(PageForm):
    """Where the expired went."""

    expiry_reason = _text(LONGEST_REASON, "Tulis ke mana yang kedaluwarsa, misalnya dipisahkan.")
    seen = HiddenField()
    key = HiddenField()
