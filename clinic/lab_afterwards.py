"""A finished order whose result is withdrawn: nobody has to invent a value."""

from clinic import audit, lab_orders, lab_results
from clinic.audit import Actor
from clinic.lab_results import CLOSED, LONGEST_REASON
from clinic.record_errors import RecordError
from db import db, utcnow
from models import LabOrder, LabOrderTest, LabResult
from validators import clean_text

WITHDRAWN = "hasil ditarik, "


def withdraw(actor: Actor, result: LabResult, reason: str) -> LabOrderTest:
    """The finished result was not this patient's, or is none: the test was not done after all.

    Raises RecordError without a reason, or when it holds no longer.
    """
    db.session.refresh(result)
    order, reason = lab_orders.by_ref(result.order.public_id), clean_text(reason, LONGEST_REASON)
    item = next((row for row in lab_orders.asked(order) if row.test_id == result.test_id), None)
    if result.ended_at is not None:
        raise RecordError("Hasil ini sudah dikoreksi orang lain. Muat ulang halaman.")
    if item is None or order.state not in CLOSED:
        raise RecordError("Permintaannya belum selesai. Ubah hasilnya di isian laboratorium.")
    if not reason:
        raise RecordError("Tulis alasan menarik hasil ini.", "reason")
    lab_results.end(actor, result, reason)
    item.ended_at, item.ended_by_id = utcnow(), actor.user_id
    item.not_done_reason = f"{WITHDRAWN}{reason}"[:LONGEST_REASON]
    _tell(actor, order, "withdraw_lab_result", reason)
    return item


def _tell(actor: Actor, order: LabOrder, action: str, reason: str) -> None:
    db.session.flush()
    lab_results.tell_sender(order)
    lab_results.tell_laboratory()
    audit.record(actor, action, order, reason=reason)
