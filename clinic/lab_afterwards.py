"""A finished order whose result is withdrawn, or comes when it is ready: nobody invents a value."""

from sqlalchemy.exc import IntegrityError

from clinic import audit, lab_orders, lab_results, lab_unread
from clinic.audit import Actor
from clinic.lab_results import CLOSED, LONGEST_REASON, Refused, Unlikely
from clinic.record_errors import RecordError
from db import db, utcnow
from models import LabOrder, LabOrderState, LabOrderTest, LabResult
from validators import FieldError, clean_text

WITHDRAWN = "hasil ditarik, "
FILLED = "Hasil ini sudah diisi orang lain. Muat ulang halaman."


def withdraw(actor: Actor, result: LabResult, reason: str) -> LabOrderTest:
    """The finished result was not this patient's, or is none: the test was not done after all.

    Raises RecordError without a reason, or when it holds no longer.
    """
    order, item, reason = lab_results.to_change(result, reason, "Tulis alasan menarik hasil ini.")
    lab_results.end(actor, result, reason)
    item.ended_at, item.ended_by_id = utcnow(), actor.user_id
    item.not_done_reason = f"{WITHDRAWN}{reason}"[:LONGEST_REASON]
    _tell(actor, order, "withdraw_lab_result", reason)
    return item


def fill_in(
    actor: Actor, order: LabOrder, ref: str, typed: str, reason: str, *, is_sure: bool = False
) -> LabResult:
    """The result of a test (by its line) that was not done when its order was finished.

    Raises RecordError, Refused with what is wrong with the value.
    """
    order, reason = lab_orders.by_ref(order.public_id), clean_text(reason, LONGEST_REASON)
    newest = {row.test_id: row for row in order.items}
    item = next((row for row in newest.values() if row.public_id == ref), None)
    if order.state not in CLOSED:
        raise RecordError("Permintaannya belum selesai. Isi hasilnya di isian laboratorium.")
    if item is None or not item.not_done_reason:
        raise RecordError(FILLED)
    if not reason:
        raise RecordError("Tulis mengapa hasilnya baru ada.", "reason")
    try:
        judged = lab_results.judged_for(item, typed.strip(), is_sure)
    except FieldError as problem:
        unlikely = {item.public_id} if isinstance(problem, Unlikely) else ()
        raise Refused({item.public_id: str(problem)}, unlikely) from problem
    again = _asked_again(actor, order, item)
    result = lab_results.add(actor, order, again, judged, None, reason)
    if order.needs_validation:
        order.state = LabOrderState.RESULTED
    lab_unread.note(actor, order, result)
    _tell(actor, order, "fill_lab_result", reason)
    return result


def _asked_again(actor: Actor, order: LabOrder, item: LabOrderTest) -> LabOrderTest:
    """The line that says why not has ended and stays; the result has one of its own."""
    again = LabOrderTest(
        order=order,
        test=item.test,
        sampled_at=item.sampled_at or utcnow(),
        sampled_by_id=item.sampled_by_id or actor.user_id,
    )
    db.session.add(again)
    try:
        db.session.flush()
    except IntegrityError as error:  # only one line of a test may be open
        raise RecordError(FILLED) from error
    return again


def _tell(actor: Actor, order: LabOrder, action: str, reason: str) -> None:
    db.session.flush()
    lab_results.tell_sender(order)
    lab_results.tell_laboratory()
    audit.record(actor, action, order, reason=reason)
