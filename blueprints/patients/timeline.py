"""The visits of a record, narrowed by a form that is sent in the page's address."""

from dataclasses import dataclass

from flask import request
from wtforms import BooleanField, SelectField, StringField, ValidationError

from clinic import history, history_filters
from clinic.history import VisitSummary
from clinic.history_filters import Filters
from models import Patient, Visit
from page_form import PageForm, choices
from validators import checked_by, parse_date

CLINICAL = ("diagnosis", "obat", "lab")


class FilterForm(PageForm):
    ruang = SelectField(validate_choice=False)
    diagnosis = StringField(validators=[checked_by(history_filters.parse_words)])
    obat = StringField(validators=[checked_by(history_filters.parse_words)])
    tahun = SelectField(validate_choice=False)
    dari = StringField(validators=[checked_by(parse_date)])
    sampai = StringField(validators=[checked_by(parse_date)])
    lab = BooleanField()

    def validate_ruang(self, field: SelectField) -> None:
        if field.data and field.data not in [choice.value for choice in field.choices]:
            raise ValidationError("Pilih dari daftar: pasien ini tidak pernah ke ruang itu.")

    def validate_tahun(self, field: SelectField) -> None:
        if field.data and field.data not in [choice.value for choice in field.choices]:
            raise ValidationError("Pilih dari daftar: tidak ada kunjungan pada tahun itu.")

    def validate_sampai(self, field: StringField) -> None:
        since, until = self.dari.cleaned, getattr(field, "cleaned", None)
        if since and until and until < since:
            raise ValidationError("Tanggal akhir lebih dulu daripada tanggal awal.")

    @property
    def filters(self) -> Filters:
        """What a valid form asks for; a clerk's has no clinical fields."""
        return Filters(
            room=self.ruang.data or "",
            diagnosis=self._cleaned("diagnosis") or "",
            medicine=self._cleaned("obat") or "",
            year=int(self.tahun.data) if self.tahun.data else None,
            since=self.dari.cleaned,
            until=self.sampai.cleaned,
            has_lab="lab" in self and self.lab.data,
        )

    def _cleaned(self, name: str):
        return self[name].cleaned if name in self else None

    @property
    def address(self) -> dict[str, str]:
        """What a link to the same filters carries."""
        return {
            field.name: "1" if field.data is True else field.data for field in self if field.data
        }


@dataclass(frozen=True)
class Timeline:
    """One page of visits, and which of them were asked for."""

    form: FilterForm
    visits: list[VisitSummary]
    earlier_than: str = ""  # the last visit here, when there are older ones
    words: tuple[str, ...] = ()
    found: int = 0  # visits in all that the filters leave
    is_first_page: bool = True


def timeline(patient: Patient, before: Visit | None, *, clinical: bool) -> Timeline:
    """The page that the request asks for; without visits when its form can't be understood."""
    rooms = history_filters.rooms(patient)
    form = _form(patient, rooms, clinical=clinical)
    is_first_page = before is None
    if form.errors:
        return Timeline(form, [], is_first_page=is_first_page)
    filters = form.filters
    narrowed = history_filters.conditions(filters, clinical=clinical)
    read = history.history if clinical else history.visit_lines
    visits = read(patient, history.PAGE + 1, before, narrowed)
    return Timeline(
        form,
        visits[: history.PAGE],
        earlier_than=visits[history.PAGE - 1].ref if len(visits) > history.PAGE else "",
        words=tuple(filters.words(rooms)),
        found=history.visit_count(patient, narrowed) if filters else 0,
        is_first_page=is_first_page,
    )


def _form(patient: Patient, rooms: dict[str, str], *, clinical: bool) -> FilterForm:
    form = FilterForm(request.args)
    form.ruang.choices = choices(rooms, "Semua ruang")
    years = {str(year): str(year) for year in history_filters.years(patient)}
    form.tahun.choices = choices(years, "Semua tahun")
    if not clinical:
        for name in CLINICAL:
            del form[name]
    form.validate()
    return form
