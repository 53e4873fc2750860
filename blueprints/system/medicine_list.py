"""The list of medicines. The head's: it says what is warned of and how doses are counted."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired, Regexp

import access
from blueprints.system.desk import BOTH, LARGEST_ID, RowForm, bp, line, lines, whole
from clinic import medicine_catalogue, medicines
from db import db
from models import Medicine, Role, Route
from page_form import choices

ROUTES = {
    Route.ORAL: "Diminum",
    Route.TOPICAL: "Kulit",
    Route.EYE: "Mata",
    Route.EAR: "Telinga",
    Route.NOSE: "Hidung",
    Route.INHALED: "Dihirup",
    Route.RECTAL: "Dubur",
    Route.VAGINAL: "Vagina",
    Route.INJECTED: "Suntik",
}
TEXTS = ("name", "strength", "form", "unit", "dose_unit", "synonyms", "group")
NUMBERS = ("doses_per_unit", "reorder_level", "position")
LISTS = ("ingredients", "families")
NEW = {"doses_per_unit": 1, "reorder_level": 0, "position": 9000, "route": Route.ORAL}


class MedicineForm(RowForm):
    FIXED = ("code",)
    code = StringField("Kode", [Regexp(r"^[A-Za-z0-9-]{1,24}$", message="Huruf, angka, setrip.")])
    name = line("Nama", 80, "Isi nama obat.")
    strength = line("Kekuatan", 40)
    form = line("Bentuk", 30, "Isi bentuknya, misalnya tablet atau sirup 60 mL.")
    unit = line("Satuan stok", 20, "Isi satuan yang dihitung di gudang, misalnya botol.")
    dose_unit = line("Satuan dosis", 20, "Isi satuan sekali pakai, misalnya mL.")
    doses_per_unit = StringField(
        "Satuan dosis dalam satu satuan stok", [InputRequired("Isi angkanya."), whole(1, 100_000)]
    )
    route = SelectField("Cara pakai", choices=choices(ROUTES))
    ingredients = lines("Zat aktif", 400)
    families = lines("Golongan", 400)
    synonyms = line("Nama lain", 200)
    group = line("Kelompok", 40)
    kfa_code = StringField("Kode KFA", [Regexp(r"^\d{0,16}$", message="Hanya angka.")])
    reorder_level = StringField("Stok tipis mulai", [whole(0, 1_000_000)])
    position = StringField("Urutan", [whole(0, 99_999)])
    is_active = BooleanField("Dapat diresepkan")

    def values(self) -> dict[str, Any]:
        texts = {name: self[name].cleaned or "" for name in (*TEXTS, *LISTS)}
        numbers = {name: self[name].cleaned or 0 for name in NUMBERS}
        more = {"route": Route(self.route.data), "kfa_code": self.kfa_code.data or ""}
        more["is_active"] = self.is_new or self.is_active.data
        if self.is_new:
            more["code"] = self.code.data
        return texts | numbers | more


def _values(medicine: Medicine) -> dict[str, Any]:
    names = (*TEXTS, *NUMBERS, "kfa_code", "is_active")
    lists = {name: getattr(medicine, name).replace("|", "\n") for name in LISTS}
    return {name: getattr(medicine, name) for name in names} | lists | {"route": medicine.route}


@bp.get("/sistem/obat")
@access.allow(Role.HEAD)
def medicine_list():
    """The list by groups, or what the search finds."""
    query = request.args.get("q", "")[:80]
    rows = select(Medicine).order_by(Medicine.position, Medicine.id)
    found = (
        medicines.search(query, 60, also_ended=True)
        if query.strip()
        else list(db.session.scalars(rows))
    )
    return render_template("system/medicines.html", medicines=found, query=query)


@bp.route("/sistem/obat/baru", methods=BOTH)
@bp.route(f"/sistem/obat/<int(max={LARGEST_ID}):medicine_id>", methods=BOTH)
@access.allow(Role.HEAD)
def medicine(medicine_id: int = 0):
    """Add a medicine, change it, or end it."""
    found = db.get_or_404(Medicine, medicine_id) if medicine_id else None
    form = MedicineForm.of(found, _values(found) if found else NEW)
    if form.stored(medicine_catalogue.change_medicine, medicine_catalogue.create_medicine):
        flash(f"{form.name.cleaned} {form.done}", "success")
        return redirect(url_for("system.medicine_list"), 303)
    return render_template("system/medicine.html", form=form, medicine=found), form.status
