"""What can be corrected of a visit after its save."""

from flask import request
from wtforms import BooleanField, StringField
from wtforms.fields.choices import SelectField

from blueprints.registration.forms import MAX_COMPLAINT, may_be_empty, text
from clinic import corrections, days
from formatting import BPJS_HOME_LABELS, PAYER_LABELS
from models import Visit
from page_form import PageForm, choices
from patient_forms import is_for
from validators import parse_bpjs_number

MIN_REASON, LONGEST_REASON = 4, 300
NO_REASON = "Tulis alasan pembetulan, misalnya: salah pilih pembiayaan."
OVERTAKEN = (
    "Petugas lain baru saja mengubahnya menjadi: {now}. Isian Anda: {typed}. "
    "Pilih yang benar, lalu simpan lagi."
)
ENTER = "enter"  # in a field: the page's form has the buttons of four parts
PRESS_ONE = "Belum ada yang disimpan. Tekan tombol yang Anda maksud."
# What their buttons need besides a search; none of them is pressed by Enter.
OF_OTHER_PARTS = ("alasan_pasien", "alasan_baru", "name", "alasan_batal")


def is_of(visit: Visit) -> bool:
    """Whether the page that was sent showed the visit's patient; its `patient` is the right one."""
    mine = visit.patient.public_id
    return request.form["dari"] == mine if "dari" in request.form else is_for(mine)


def is_typed_elsewhere() -> bool:
    """Whether something was typed in the parts that move or withdraw the visit."""
    return any(request.form.get(name, "").strip() for name in OF_OTHER_PARTS)


def meant_by_enter() -> str:
    """Which button somebody means who pressed none: a new search, or else the first part's."""
    typed = {name: text.strip() for name, text in request.form.items()}
    q = typed.get("q", "")
    if q and q != typed.get("dicari", "").strip():
        return "cari"
    if is_typed_elsewhere():
        return ENTER
    return "cari" if q and not typed.get("alasan") else "ubah"


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

    @classmethod
    def typed(cls, visit: Visit) -> "CorrectionForm":
        """As it was sent, whichever part's button was pressed."""
        return cls(request.form) if "complaint" in request.form else cls.of(visit)

    def is_begun(self) -> bool:
        """Whether something was typed that is to be saved yet."""
        is_changed = any(self[name].data != before for name, before in self.shown().items())
        return is_changed or bool(self.alasan.data)

    def beside(self, visit: Visit) -> "CorrectionForm":
        """What was typed, beside another patient: the rest is as their visit stands."""
        form = self.of(visit)
        for name, before in self.shown().items():
            if self[name].data != before:
                form[name].data = self[name].data
        form.alasan.data = self.alasan.data
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
