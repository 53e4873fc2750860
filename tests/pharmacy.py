"""Medicines, stock and prescriptions for the pharmacy's tests."""

import itertools
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from clinic import queues, stock
from clinic.stock import Delivery
from db import db, new_public_id, transaction, utcnow
from models import (
    EntryKind,
    Examination,
    Medicine,
    PoliKind,
    Prescription,
    PrescriptionComponent,
    PrescriptionLine,
    PrescriptionState,
    QueueEntry,
    StockBatch,
    Visit,
)
from tests import factories

serials = itertools.count(1)
FAR = date(2099, 12, 31)


def medicine(code: str = "", **fields: Any) -> Medicine:
    """A tablet that is on no list, unless said otherwise."""
    code = code or f"UJI-{next(serials)}"
    values = {
        "name": f"Obat {code}",
        "strength": "500 mg",
        "form": "tablet",
        "unit": "tablet",
        "dose_unit": "tablet",
        "ingredients": f"zat {code.lower()}",
    }
    with factories._writing():
        row = Medicine(code=code, **values | fields)
        db.session.add(row)
        db.session.flush()
    return row


def receive(
    row: Medicine, quantity: Any, number: str = "B1", expires_on: date = FAR, by: str = "farmasi"
) -> StockBatch:
    """So much of it on the shelf."""
    delivery = Delivery(number, expires_on, Decimal(quantity))
    with factories._writing():
        return stock.receive(factories.actor(by), row, delivery, new_public_id()).batch


def expired(row: Medicine, quantity: Any, number: str = "LAMA") -> StockBatch:
    """A batch that was good when it came."""
    batch = receive(row, quantity, number)
    with factories._writing():
        batch = db.session.get_one(StockBatch, batch.id)
        batch.expires_on = utcnow().date() - timedelta(days=10)
    return batch


def balance(row: Medicine) -> Decimal:
    """What the ledger says of it, all batches together."""
    db.session.rollback()
    total = select(func.sum(StockBatch.balance)).where(StockBatch.medicine_id == row.id)
    return round(Decimal(str(db.session.scalar(total) or 0)), 3)


def line(of: Medicine | None = None, quantity: Any = 10, **fields: Any) -> PrescriptionLine:
    """One line, not yet stored: three times a day one, after meals."""
    values = {
        "medicine": of,
        "title": of.label if of else "Obat luar daftar",
        "dose": Decimal(1),
        "dose_unit": of.dose_unit if of else "tablet",
        "times_a_day": 3,
        "days": 3,
        "quantity": Decimal(quantity),
        "unit": of.unit if of else "tablet",
        "instruction": "sesudah makan",
    }
    return PrescriptionLine(**values | fields)


def compound(*parts: tuple[Medicine, Any, str], packets: Any = 10) -> PrescriptionLine:
    """A *puyer*: medicine, amount in one packet, and its unit."""
    made = line(None, packets, title="Puyer batuk", is_compound=True, unit="bungkus")
    made.dose_unit = "bungkus"
    made.components = [
        PrescriptionComponent(
            position=n, medicine=of, title=of.label, amount=Decimal(amount), unit=unit
        )
        for n, (of, amount, unit) in enumerate(parts)
    ]
    return made


def prescription(*lines: PrescriptionLine, person: Any = None, queued: bool = True) -> Prescription:
    """One that a doctor of UMUM sent with "Selesai"; its patient stands in FARMASI's queue."""
    entry = factories.entry("UMUM", person)
    doctor = factories.actor("umum")
    with transaction():
        entry = db.session.get_one(QueueEntry, entry.id)
        queues.act(doctor, entry, "mulai", "Cocok dengan kartu BPJS")
        if not queued:  # else the end of the stay leads on to the pharmacy
            queues.finish(doctor, entry)
        made = _sent(entry, lines)
        if queued:
            queues.finish(doctor, entry)
    return made


def second_prescription(first: Prescription, *lines: PrescriptionLine) -> Prescription:
    """Another room's, in the same visit; nobody stands there any more."""
    with transaction():
        visit = db.session.get_one(Visit, first.visit_id)
        entry = queues.enqueue(factories.actor("gigi"), visit, factories.poli("GIGI"))
        made = _sent(entry, lines)
        queues.finish(factories.actor("gigi"), entry)
    return made


def _sent(entry: QueueEntry, lines: Iterable[PrescriptionLine]) -> Prescription:
    doctor = factories.user("umum")
    examination = Examination(
        entry_id=entry.id,
        visit_id=entry.visit_id,
        practitioner_id=doctor.practitioner_id,
        recorded_by_id=doctor.id,
        assessment="batuk pilek",
        disposition="pulang",
        finished_at=utcnow(),
    )
    db.session.add(examination)
    db.session.flush()
    made = Prescription(
        number=f"R-{next(serials):04}",
        visit_id=entry.visit_id,
        examination_id=examination.id,
        practitioner_id=examination.practitioner_id,
        recorded_by_id=doctor.id,
        state=PrescriptionState.SENT,
        sent_at=utcnow(),
    )
    for position, each in enumerate(lines):
        each.position, each.recorded_by_id = position, doctor.id
        made.lines.append(each)
    db.session.add(made)
    db.session.flush()
    return made


def pharmacy_entry(made: Prescription) -> QueueEntry:
    """The stay in the pharmacy of the prescription's visit."""
    rows = select(QueueEntry).join(QueueEntry.poli)
    rows = rows.where(QueueEntry.visit_id == made.visit_id)
    found = [row for row in db.session.scalars(rows) if row.poli.kind is PoliKind.PHARMACY]
    assert found[-1].kind is EntryKind.ORDERED
    return found[-1]
