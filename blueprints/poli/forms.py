"""What a step of the queue asks for."""

from functools import partial

from wtforms import SelectField, StringField
from wtforms.validators import ValidationError

from page_form import PageForm, filled
from validators import checked_by, clean_text


def reason_field() -> StringField:
    return StringField(
        "Alasan",
        [
            checked_by(partial(clean_text, max_length=300)),
            filled("Tulis alasannya, supaya jelas bagi petugas lain."),
        ],
    )


class ReasonForm(PageForm):
    alasan = reason_field()


class MoveForm(PageForm):
    poli = SelectField("Ruang tujuan", validate_choice=False)
    alasan = reason_field()

    def validate_poli(self, field: SelectField) -> None:
        if field.data not in {choice.value for choice in field.choices if choice.value}:
            raise ValidationError("Pilih ruang tujuannya.")


class StartForm(PageForm):
    """Who it is, where somebody else of this name is here today."""

    jawaban = StringField()
    alasan = StringField()
