"""The laboratory's list: tests, units, choices and ranges. The head's: it says what is abnormal."""

from decimal import Decimal
from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from wtforms import BooleanField, Field, RadioField, StringField
from wtforms.validators import Regexp, ValidationError

import access
from blueprints.system.desk import (
    ANY_SEX,
    BOTH,
    LARGEST_ID,
    RowForm,
    bp,
    line,
    lines,
    months_of,
    saved,
    split_months,
    whole,
)
from clinic import lab_catalogue
from clinic.lab_values import PREGNANT, range_text
from db import db
from formatting import number_text
from models import LabKind, LabReference, LabTest, Role
from page_form import PageForm, choices

KINDS = {"numeric": "Angka", "choice": "Pilihan", "text": "Teks"}
LISTS = ("choices", "abnormal", "critical")
TEST = f"/sistem/laboratorium/<int(max={LARGEST_ID}):test_id>"
WHOSE = ANY_SEX | {PREGNANT: "Ibu hamil"}
NEW = {"kind": "numeric", "decimals": 0, "position": 900}
SAME = ("code", "name", "group", "unit", "decimals", "loinc", "position", "is_active")


def _measure(_form: PageForm, field: Field) -> None:
    """Validator: an empty field or a number; "1,5" = "1.5"; it goes to field.cleaned."""
    typed, field.cleaned = (field.data or "").strip().replace(",", "."), None
    if not typed:
        return
    whole_part, _, places = typed.partition(".")
    if not (f"{whole_part}{places}".isdecimal() and typed.isascii()) or len(places) > 4:
        raise ValidationError("Isi angka, paling banyak 4 angka di belakang koma.")
    if not whole_part or len(whole_part) > 8:
        raise ValidationError("Isi angka, paling banyak 8 angka di depan koma.")
    field.cleaned = Decimal(typed)


def _lines(field: Field) -> str:
    """One choice a line, as the column holds them."""
    kept = [line.strip() for line in (field.cleaned or "").splitlines() if line.strip()]
    return "|".join(dict.fromkeys(kept))


def _no_bar(_form: PageForm, field: Field) -> None:
    if "|" in (field.data or ""):
        raise ValidationError("Tulis satu pilihan di setiap baris, tanpa garis tegak.")


class LabTestForm(RowForm):
    FIXED = ("code", "kind")  # what results are read by
    code = StringField("Kode", [Regexp(r"^[A-Za-z0-9-]{1,16}$", message="Huruf, angka, setrip.")])
    name = line("Nama", 60, "Isi nama pemeriksaan.")
    group = line("Kelompok", 40, "Isi kelompoknya, misalnya Hematologi.")
    kind = RadioField("Bentuk hasil", choices=choices(KINDS))
    unit = line("Satuan", 20)
    decimals = StringField("Angka di belakang koma", [whole(0, 4)])
    choices = lines("Pilihan hasil", 1000, _no_bar)
    abnormal = lines("Di antaranya yang tidak normal", 1000, _no_bar)
    critical = lines("Di antaranya yang kritis", 1000, _no_bar)
    plausible_low = StringField("Mustahil di bawah", [_measure])
    plausible_high = StringField("Mustahil di atas", [_measure])
    loinc = StringField("Kode LOINC", [Regexp(r"^(\d{1,7}-\d)?$", message="Seperti 718-7.")])
    position = StringField("Urutan", [whole(0, 9999)])
    is_active = BooleanField("Dapat diminta")

    def values(self) -> dict[str, Any]:
        texts = {name: self[name].cleaned or "" for name in ("name", "group", "unit")}
        numbers = {name: self[name].cleaned or 0 for name in ("decimals", "position")}
        limits = {name: self[name].cleaned for name in ("plausible_low", "plausible_high")}
        lists = {name: _lines(self[name]) for name in LISTS}
        more = {"loinc": self.loinc.data or "", "is_active": self.is_new or self.is_active.data}
        if self.is_new:
            more |= {"code": self.code.data, "kind": LabKind(self.kind.data)}
        return texts | numbers | limits | lists | more


class RangeForm(RowForm):
    sex = RadioField("Untuk", choices=choices(WHOSE))
    from_years = StringField("Umur mulai, tahun", [whole(0, 130)])
    from_months = StringField("Umur mulai, bulan", [whole(0, 11)])
    below_years = StringField("Umur di bawah, tahun", [whole(0, 130)])
    below_months = StringField("Umur di bawah, bulan", [whole(0, 11)])
    low = StringField("Rujukan dari", [_measure])
    high = StringField("Rujukan sampai", [_measure])
    critical_low = StringField("Kritis rendah mulai", [_measure])
    critical_high = StringField("Kritis tinggi mulai", [_measure])
    is_active = BooleanField("Dipakai")

    def values(self) -> dict[str, Any]:
        limits = {name: self[name].cleaned for name in lab_catalogue.LIMITS}
        return limits | {
            "sex": self.sex.data,
            "age_from_months": months_of(self.from_years, self.from_months) or 0,
            "age_below_months": months_of(self.below_years, self.below_months),
            "is_active": self.is_active.data,
        }


def _test_values(test: LabTest) -> dict[str, Any]:
    values = {name: getattr(test, name) for name in SAME}
    values |= {name: getattr(test, name).replace("|", "\n") for name in LISTS}
    return values | _numbers(test, ("plausible_low", "plausible_high"))


def _range_values(row: LabReference) -> dict[str, Any]:
    values = {"sex": row.sex, "is_active": row.is_active}
    values |= _numbers(row, lab_catalogue.LIMITS)
    values |= split_months("from", row.age_from_months)
    return values | split_months("below", row.age_below_months)


def _numbers(row: Any, names: tuple[str, ...]) -> dict[str, str]:
    """As the form's fields hold them: without thousands' points, which would be read as commas."""
    values = {name: getattr(row, name) for name in names}
    return {
        name: "" if value is None else number_text(value).replace(".", "")
        for name, value in values.items()
    }


@bp.get("/sistem/laboratorium")
@access.allow(Role.HEAD)
def lab_tests():
    """All tests in the order of the list."""
    rows = select(LabTest).options(selectinload(LabTest.references))
    tests = list(db.session.scalars(rows.order_by(LabTest.position, LabTest.id)))
    return render_template("system/lab_tests.html", tests=tests, kinds=KINDS)


@bp.route("/sistem/laboratorium/baru", methods=BOTH)
@bp.route(TEST, methods=BOTH)
@access.allow(Role.HEAD)
def lab_test(test_id: int = 0):
    """Add a test, change it, or end it; its ranges stand on its page."""
    found = db.get_or_404(LabTest, test_id) if test_id else None
    form = LabTestForm.of(found, _test_values(found) if found else NEW)
    if form.stored(lab_catalogue.change_test, lab_catalogue.create_test):
        more = " Tambah nilai rujukannya bila ada." if found is None else ""
        flash(f"{form.name.cleaned} {form.done}{more}", "success")
        return redirect(url_for("system.lab_tests"), 303)
    page = render_template(
        "system/lab_test.html",
        form=form,
        test=found,
        ranges=[row for row in found.references if row.is_active] if found else [],
        range_text=range_text,
        whose=WHOSE,
    )
    return page, form.status


@bp.route(f"{TEST}/rujukan", methods=BOTH)
@bp.route(f"{TEST}/rujukan/<int(max={LARGEST_ID}):range_id>", methods=BOTH)
@access.allow(Role.HEAD)
def lab_range(test_id: int, range_id: int = 0):
    """A range takes the place of another; results keep what they were judged by."""
    test, row = _range_or_404(test_id, range_id)
    form = RangeForm.of(row, _range_values(row) if row else {"sex": "", "is_active": True})
    if form.is_sent and saved(form, lab_catalogue.save_range, test, row):
        flash(f"Nilai rujukan {test.name} disimpan.", "success")
        return redirect(url_for("system.lab_test", test_id=test.id), 303)
    return render_template("system/lab_range.html", form=form, test=test, row=row), form.status


def _range_or_404(test_id: int, range_id: int) -> tuple[LabTest, LabReference | None]:
    test = db.get_or_404(LabTest, test_id)
    rows = [row for row in test.references if row.id == range_id and row.is_active]
    if test.kind is not LabKind.NUMERIC or (range_id and not rows):
        abort(404)
    return test, rows[0] if rows else None
