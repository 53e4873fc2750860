"""The list of medicines, kept by the head; what was prescribed keeps the words of its day."""

from typing import Any

from sqlalchemy import select

from clinic import audit
from clinic.administration import AdministrationError, change_row, create_row
from clinic.icd10 import fold
from db import db
from models import Medicine

FIXED = ("code",)


def create_medicine(actor: audit.Actor, values: dict[str, Any]) -> Medicine:
    """A new medicine of the list. Raises AdministrationError: code or name taken, no ingredient."""
    values = _folded(values) | {"code": values["code"].upper()}
    if db.session.scalar(select(Medicine.id).where(Medicine.code == values["code"])):
        raise AdministrationError("Kode ini sudah dipakai.", "code")
    _refuse_same_label(values)
    return create_row(actor, "create_medicine", Medicine(**values), values["code"])


def change_medicine(actor: audit.Actor, medicine: Medicine, values: dict[str, Any]) -> None:
    """Change or end a medicine; its code stays. Raises AdministrationError."""
    wanted = {name: value for name, value in _folded(values).items() if name not in FIXED}
    _refuse_same_label(wanted, medicine)
    change_row(actor, "change_medicine", medicine, wanted, medicine.code)


def _folded(values: dict[str, Any]) -> dict[str, Any]:
    """Ingredients and families as the warnings compare them."""
    lists = {name: _list(values[name]) for name in ("ingredients", "families")}
    if not lists["ingredients"]:
        raise AdministrationError("Tulis paling sedikit satu zat aktif.", "ingredients")
    for name, text in lists.items():
        if len(text) > 200:
            raise AdministrationError("Terlalu panjang, paling banyak 200 huruf.", name)
    return values | lists


def _list(text: str) -> str:
    parts = [fold(part) for row in text.splitlines() for part in row.split("|")]
    return "|".join(dict.fromkeys(part for part in parts if part))


def _refuse_same_label(values: dict[str, Any], but: Medicine | None = None) -> None:
    about = {name: values[name] for name in ("name", "strength", "form")}
    rows = select(Medicine.code).filter_by(**about, is_active=True)
    same = db.session.scalar(rows.where(Medicine.id != (but.id if but else 0)))
    if same and values.get("is_active", True):
        raise AdministrationError(f"Obat ini sudah ada di daftar, kodenya {same}.", "name")
