"""Villages of the clinic's area. The head's: the reports count by them."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from sqlalchemy import select
from wtforms import BooleanField, RadioField, StringField
from wtforms.validators import Optional, Regexp

import access
from blueprints.system.desk import BOTH, LARGEST_ID, RowForm, bp
from clinic import catalogue
from db import db
from models import Role, Village
from page_form import choices, filled
from validators import checked_by, clean_name, clean_text


class VillageForm(RowForm):
    name = StringField(
        "Nama kelurahan atau desa",
        [
            checked_by(clean_text, max_length=60),
            filled("Isi nama kelurahan atau desa."),
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

    def values(self) -> dict[str, Any]:
        return {
            "name": self.name.cleaned,
            "code": self.code.data or None,
            "short_code": self.short_code.data or None,
            "is_in_area": self.is_in_area.data == "1",
            "is_active": self.is_new or self.is_active.data,
        }


def _known_values(village: Village) -> dict[str, Any]:
    same = ("name", "code", "short_code", "is_active")
    values = {name: getattr(village, name) for name in same}
    return values | {"is_in_area": "1" if village.is_in_area else "0"}


@bp.get("/sistem/wilayah")
@access.allow(Role.HEAD)
def villages():
    """All villages, those in use first."""
    found = select(Village).order_by(Village.is_active.desc(), Village.name, Village.id)
    return render_template("system/villages.html", villages=list(db.session.scalars(found)))


@bp.route("/sistem/wilayah/baru", methods=BOTH)
@bp.route(f"/sistem/wilayah/<int(max={LARGEST_ID}):village_id>", methods=BOTH)
@access.allow(Role.HEAD)
def village(village_id: int = 0):
    """Add a village, change it, or take it off the list; visits keep what they noted."""
    found = db.get_or_404(Village, village_id) if village_id else None
    form = VillageForm.of(found, _known_values(found) if found else {"is_in_area": "1"})
    if form.stored(catalogue.change_village, catalogue.create_village):
        flash(f"{form.name.cleaned} {form.done}", "success")
        return redirect(url_for("system.villages"), 303)
    return render_template("system/village.html", form=form, village=found), form.status
