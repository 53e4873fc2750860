"""Villages of the clinic's area. The head's: the reports count by them."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from wtforms import BooleanField, RadioField, StringField
from wtforms.validators import DataRequired, Optional, Regexp

import access
from blueprints.system.desk import LARGEST_ID, PageForm, bp, choices, saved
from clinic import catalogue
from db import db
from models import Role, Village
from validators import checked_by, clean_name, clean_text


class VillageForm(PageForm):
    name = StringField(
        "Nama kelurahan atau desa",
        [
            DataRequired("Isi nama kelurahan atau desa."),
            checked_by(clean_text, max_length=60),
            checked_by(clean_name),
        ],
    )
    code = StringField(
        "Kode Kemendagri",
        [
            Optional(),
            Regexp(r"^[0-9.]{10,13}$", message="Tulis kode seperti 52.71.01.1001."),
        ],
        filters=[lambda text: (text or "").strip()],
    )
    short_code = StringField(
        "Angka desa di nomor rekam medis",
        [Optional(), Regexp(r"^[0-9]{1,4}$", message="Tulis 1 sampai 4 angka, misalnya 02.")],
        filters=[lambda text: (text or "").strip()],
    )
    is_in_area = RadioField(
        "Wilayah kerja",
        choices=choices({"1": "Di dalam wilayah puskesmas", "0": "Di luar wilayah"}),
    )
    is_active = BooleanField("Tampil di daftar")

    def __init__(self, formdata=None, *, village: Village | None = None, data=None):
        super().__init__(formdata, data=data)
        self.is_new = village is None

    def values(self) -> dict[str, Any]:
        return {
            "name": self.name.cleaned,
            "code": self.code.data or None,
            "short_code": self.short_code.data or None,
            "is_in_area": self.is_in_area.data == "1",
            "is_active": self.is_new or self.is_active.data,
        }


@bp.get("/sistem/wilayah")
@access.allow(Role.HEAD)
def villages():
    """All villages, those in use first."""
    found = select(Village).order_by(Village.is_active.desc(), Village.name, Village.id)
    return render_template("system/villages.html", villages=list(db.session.scalars(found)))


@bp.get("/sistem/wilayah/baru")
@bp.get(f"/sistem/wilayah/<int(max={LARGEST_ID}):village_id>")
@access.allow(Role.HEAD)
def village(village_id: int = 0):
    """The form of one village, or of a new one."""
    found = db.get_or_404(Village, village_id) if village_id else None
    data: dict[str, Any] = {"is_in_area": "1"}
    if found:
        data = {name: getattr(found, name) for name in ("name", "code", "short_code", "is_active")}
        data["is_in_area"] = "1" if found.is_in_area else "0"
    form = VillageForm(village=found, data=data)
    return render_template("system/village.html", form=form, village=found)


@bp.post("/sistem/wilayah/baru")
@access.allow(Role.HEAD)
def create_village():
    """Add a village."""
    form = VillageForm(request.form)
    if saved(form, catalogue.create_village):
        flash(f"{form.name.cleaned} ditambahkan.", "success")
        return redirect(url_for("system.villages"), 303)
    return render_template("system/village.html", form=form, village=None), 422


@bp.post(f"/sistem/wilayah/<int(max={LARGEST_ID}):village_id>")
@access.allow(Role.HEAD)
def save_village(village_id: int):
    """Change a village, or take it off the list; visits keep what they noted."""
    found = db.get_or_404(Village, village_id)
    form = VillageForm(request.form, village=found)
    if saved(form, catalogue.change_village, found):
        flash(f"{form.name.cleaned} disimpan.", "success")
        return redirect(url_for("system.villages"), 303)
    return render_template("system/village.html", form=form, village=found), 422
