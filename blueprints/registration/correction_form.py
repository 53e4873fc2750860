"""What can be corrected of a visit after its save."""

from flask import request
from wtforms import BooleanField, StringField
from wtforms.fields.choices import SelectField

from blueprints.registration.forms import MAX_COMPLAINT, may_be_empty, text
from clinic import corrections, days
from formatting import BPJS_HOME_LABELS, PAYER_LABELS
from models import Visit
from page_form import PageForm, choices
from validators import parse_bpjs_number

MIN_REASON, LONGEST_REASON = 4, 300
NO_REASON = "Tulis alasan pembetulan, misalnya: salah pilih pembiayaan."
OVERTAKEN = (
    "Petugas lain baru saja mengubahnya menjadi: {now}. Isian Anda: {typed}. "
    "Pilih yang benar, lalu simpan lagi."
)


class CorrectionForm(PageForm):
    """A visit's fields; beside each the page carries how it stood when it was shown."""

    CHANGED = ("payer", "bpjs_number", "bpjs_home", "complaint")
    payer = SelectField("Pembiayaan", choices=choices(PAYER_LABELS))
    bpjs_number = may_be_empty("Nomor BPJS", parse_bpjs_number)
    bpjs_home = SelectField(
        "Terdaftar di", choices=choices(BPJS_HOME_LABELS, "Belum ditanya"), default=""
    )
    complaint = StringField("Keluhan", [text(MAX_COMPLAINT, newlines=True)])
    juga_pasien = BooleanField()
    alasan = StringField("Alasan", [text(LONGEST_REASON)])

    @classmethod
    def of(cls, visit: Visit) -> "CorrectionForm":
        """As it stands; what today's visit has from the record is offered to go back there."""
        form, patient = cls(obj=visit), visit.patient
        is_same = (visit.payer, visit.bpjs_number) == (patient.payer, patient.bpjs_number)
        form.juga_pasien.data = is_same and days.goes_on(visit.service_day)
        return form

    def validate(self, extra_validators=None) -> bool:
        super().validate(extra_validators)
        if not (self.complaint.data or "").strip():
            self.complaint.errors = ["Isi keluhan, beberapa kata saja."]
        if len((self.alasan.data or "").strip()) < MIN_REASON:
            self.alasan.errors = [NO_REASON]
        return not self.errors

    @classmethod
    def shown(cls) -> dict[str, str]:
        """What the page that sent this request had shown."""
        names = {name: f"shown-{name}" for name in cls.CHANGED}
        return {name: request.form[key] for name, key in names.items() if key in request.form}

    def meet(self, visit: Visit, overtaken: corrections.Overtaken) -> None:
        """What was typed stays beside what somebody else made of it; what was not follows."""
        for name, before in self.shown().items():
            field, now = self[name], getattr(visit, name) or ""
            if name in overtaken.now:
                labels = {"": "kosong"}
                labels |= {each.value: each.label for each in getattr(field, "choices", ())}
                values = {"now": now, "typed": field.data or ""}
                words = {which: labels.get(value, value) for which, value in values.items()}
                field.errors = [OVERTAKEN.format(**words)]
            elif field.data == before:
                field.data = now
