"""The list of medicines, kept by the head; what was prescribed keeps the words of its day."""

from typing import Any

from sqlalchemy import or_, select

from clinic import audit
from clinic.administration import AdministrationError, change_row, create_row
from clinic.icd10 import fold
from db import db
from models import (
    UNITS,
    Medicine,
    Prescription,
    PrescriptionComponent,
    PrescriptionLine,
    PrescriptionState,
    StockBatch,
    StockMove,
)

FIXED = ("code",)
COUNTED_IN = ("unit", "dose_unit", "doses_per_unit")
UNFINISHED = (PrescriptionState.DRAFT, PrescriptionState.SENT, PrescriptionState.REVIEWED)


def create_medicine(actor: audit.Actor, values: dict[str, Any]) -> Medicine:
    """A new medicine of the list. Raises AdministrationError: code or name taken, no ingredient."""
    values = _folded(values) | {"code": values["code"].upper()}
    if db.session.scalar(select(Medicine.id).where(Medicine.code == values["code"])):
        raise AdministrationError("Kode ini sudah dipakai.", "code")
    _refuse_same_label(values)
    return create_row(actor, "create_medicine", Medicine(**values), values["code"])


def change_medicine(actor: audit.Actor, medicine: Medicine, values: dict[str, Any]) -> None:
    """Change or end a medicine; its code stays. Raises AdministrationError.

    What it is counted in stays too, once something was counted in it.
    """
    wanted = {name: value for name, value in _folded(values).items() if name not in FIXED}
    _refuse_same_label(wanted, medicine)
    _refuse_other_unit(wanted, medicine)
    change_row(actor, "change_medicine", medicine, wanted, medicine.code)


def _refuse_other_unit(wanted: dict[str, Any], medicine: Medicine) -> None:
    changed = [name for name in COUNTED_IN if not _is_same(wanted[name], getattr(medicine, name))]
    if not changed or not (_is_in_stock_book(medicine) or _is_being_prescribed(medicine)):
        return
    raise AdministrationError(
        "Satuannya tidak dapat diubah lagi: stok dan resep yang ada akan terbaca dalam satuan yang "
        "salah. Hapus centang “Dapat diresepkan” di obat ini, lalu buat obat baru dengan kode lain "
        "dan satuan yang benar. Stok lama dinolkan farmasi dengan koreksi.",
        changed[0],
    )


def _is_same(wanted: object, stored: object) -> bool:
    """ "ml" is "mL": another spelling counts the same."""
    one, other = str(wanted).lower(), str(stored).lower()
    return UNITS.get(one, one) == UNITS.get(other, other)


def _is_in_stock_book(medicine: Medicine) -> bool:
    moves = select(StockMove.id).join(StockMove.batch)
    moves = moves.where(StockBatch.medicine_id == medicine.id)
    return db.session.scalar(moves.limit(1)) is not None


def _is_being_prescribed(medicine: Medicine) -> bool:
    """Whether a prescription that is not closed yet has it, also inside a compound."""
    parts = PrescriptionLine.components.any(PrescriptionComponent.medicine_id == medicine.id)
    lines = (
        select(PrescriptionLine.id)
        .join(PrescriptionLine.prescription)
        .where(
            PrescriptionLine.ended_at.is_(None),
            Prescription.state.in_(UNFINISHED),
            or_(PrescriptionLine.medicine_id == medicine.id, parts),
        )
    )
    return db.session.scalar(lines.limit(1)) is not None


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
