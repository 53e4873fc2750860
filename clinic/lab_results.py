"""Laboratory results: stored and ended, judged, validated by a second person, corrected, read.

A change ends a row and adds another, so that what somebody may have acted on stays to be read.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from clinic import (
    audit,
    days,
    lab_alerts,
    lab_orders,
    lab_unread,
    lab_values,
    queue_changes,
    settings,
)
from clinic.audit import Actor
from clinic.record_errors import RecordError
from db import db, utcnow
from formatting import day_in_zone
from models import LabOrder, LabOrderState, LabOrderTest, LabResult, User
from validators import FieldError, clean_text

LONGEST_REASON = 300
LIMITS = ("low", "high", "critical_low", "critical_high")  # of a result and of its reference
CLOSED = (LabOrderState.RESULTED, LabOrderState.VALIDATED)


class Refused(RecordError):
    """Values that can't be stored: a sentence for each ordered test, by its public id."""

    def __init__(self, problems: Mapping[str, str], unlikely: Iterable[str] = ()) -> None:
        super().__init__("Sebagian hasil belum dapat disimpan. Periksa yang ditandai.")
        self.problems, self.unlikely = dict(problems), frozenset(unlikely)


class Unlikely(lab_values.LabValueError):
    """A number that hardly can be: stored only when somebody says that it is right."""


def current_results(orders: Iterable[LabOrder]) -> dict[tuple[int, int], LabResult]:
    """The results that hold, by order and test."""
    rows = (
        select(LabResult)
        .options(joinedload(LabResult.resulted_by), joinedload(LabResult.validated_by))
        .where(LabResult.order_id.in_([order.id for order in orders]), LabResult.ended_at.is_(None))
        .execution_options(populate_existing=True)
    )
    return {(row.order_id, row.test_id): row for row in db.session.scalars(rows)}


def judged_for(item: LabOrderTest, typed: str, is_sure: bool) -> lab_values.Judged:
    """What was typed, judged for this patient. Raises LabValueError, Unlikely."""
    judged = lab_values.judge(item.test, typed, *whom(item))
    if not is_sure and not lab_values.is_plausible(item.test, judged.number):
        raise Unlikely(
            f"{item.test.name} {typed} {item.test.unit} hampir tidak mungkin. Periksa angkanya; "
            "bila benar, centang “Angka ini benar”."
        )
    return judged


def whom(item: LabOrderTest) -> tuple[str, int | None]:
    """Sex (H: a pregnant woman), and the age in months when the sample was taken."""
    visit = item.order.visit
    on = day_in_zone(item.sampled_at or utcnow(), settings.value("time_zone"))
    sex, born = visit.patient.sex, visit.patient.birth_date
    return lab_values.whom(sex, born, visit.pregnant == "ya", on)


def end(actor: Actor, result: LabResult, reason: str) -> None:
    """The result holds no longer; it stays to be read."""
    result.ended_at, result.ended_by_id, result.end_reason = utcnow(), actor.user_id, reason
    db.session.flush()  # before the next one: only one may hold
    if result.flag in lab_values.CRITICAL:
        tell_sender(result.order)


def add(
    actor: Actor,
    order: LabOrder,
    item: LabOrderTest,
    judged: lab_values.Judged,
    before: LabResult | None,
    reason: str,
) -> LabResult:
    """Store a result, in the place of the one before."""
    if before is not None:
        end(actor, before, reason)
    result = LabResult(
        order_id=order.id,
        test_id=item.test_id,
        value=judged.value,
        number=judged.number,
        flag=judged.flag,
        unit=item.test.unit,
        **{name: getattr(judged.reference, name, None) for name in LIMITS},
        sampled_at=item.sampled_at,
        sampled_by_id=item.sampled_by_id,
        resulted_by_id=actor.user_id,
    )
    db.session.add(result)
    try:
        db.session.flush()
    except IntegrityError as error:  # the table's rule, should two ever come through
        raise RecordError("Hasil ini baru saja diisi orang lain. Muat ulang halaman.") from error
    if judged.is_critical:
        tell_sender(order)
    return result


def tell_sender(order: LabOrder) -> None:
    """The sender's queue page draws itself anew at its next poll, and what else the sender sees."""
    day = days.latest_day()  # after its end too: pages go by its version until the next one
    room = order.entry.poli_id
    others = db.session.scalars(lab_alerts.rooms_watched_with(room)).all()
    for each in sorted({room, *others}):
        queue_changes.bump(day.id if day else order.entry.service_day_id, each)


# --- Afterwards -------------------------------------------------------------------------------


def validate(actor: Actor, order: LabOrder) -> LabOrder:
    """A second person stands by the results; nobody by his own. Raises RecordError."""
    order = lab_orders.by_ref(order.public_id)
    if order.state is LabOrderState.VALIDATED:
        raise RecordError("Hasil ini sudah divalidasi.")
    if order.state is not LabOrderState.RESULTED or not order.needs_validation:
        raise RecordError("Tidak ada hasil yang menunggu validasi di permintaan ini.")
    waiting = [row for row in current_results([order]).values() if row.validated_at is None]
    others = [row for row in waiting if row.resulted_by_id != actor.user_id]
    if waiting and not others:
        raise RecordError("Hasil ini Anda isi sendiri. Minta orang lain memvalidasinya.")
    for row in others:
        row.validated_at, row.validated_by_id = utcnow(), actor.user_id
    if len(others) == len(waiting):
        order.state = LabOrderState.VALIDATED
    db.session.flush()
    tell_sender(order)
    tell_laboratory()
    audit.record(actor, "validate_lab_order", order)
    return order


def correct(
    actor: Actor, result: LabResult, typed: str, reason: str, *, is_sure: bool = False
) -> LabResult:
    """Put another value in the place of a finished one, which stays to be read.

    Raises RecordError, Refused for a number that needs to be confirmed.
    """
    order, item, reason = to_change(result, reason, "Tulis alasan koreksi.")
    try:
        judged = judged_for(item, typed.strip(), is_sure)
    except FieldError as problem:
        unlikely = {result.public_id} if isinstance(problem, Unlikely) else ()
        raise Refused({result.public_id: str(problem)}, unlikely) from problem
    if judged.value == result.value and not _is_judged_otherwise(judged, result):
        raise RecordError("Nilainya sama dengan yang tersimpan.", "value")
    corrected = add(actor, order, item, judged, result, reason)
    if order.needs_validation:
        order.state = LabOrderState.RESULTED
    db.session.flush()
    tell_sender(order)
    tell_laboratory()
    audit.record(actor, "correct_lab_result", order, reason=reason)
    return corrected


def to_change(
    result: LabResult, reason: str, without_reason: str
) -> tuple[LabOrder, LabOrderTest, str]:
    """Of a finished result that still holds: its order, its line there, and the reason, cleaned.

    Raises RecordError when it holds no longer or is not finished, or with `without_reason`.
    """
    db.session.refresh(result)
    order, reason = lab_orders.by_ref(result.order.public_id), clean_text(reason, LONGEST_REASON)
    item = next((row for row in lab_orders.asked(order) if row.test_id == result.test_id), None)
    if result.ended_at is not None:
        raise RecordError("Hasil ini sudah dikoreksi orang lain. Muat ulang halaman.")
    if item is None or order.state not in CLOSED:
        raise RecordError("Permintaannya belum selesai. Ubah hasilnya di isian laboratorium.")
    if not reason:
        raise RecordError(without_reason, "reason")
    return order, item, reason


def _is_judged_otherwise(judged: lab_values.Judged, result: LabResult) -> bool:
    """Whether the same value has another range or flag by now: the person or the list changed."""
    limits = [getattr(judged.reference, name, None) for name in LIMITS]
    stored = [getattr(result, name) for name in LIMITS]
    return judged.flag is not result.flag or limits != stored


def mark_read(actor: Actor, result: LabResult, *, is_withdrawn: bool = False) -> LabResult:
    """Somebody of the sender's room has seen what stood in its queue to be read.

    `is_withdrawn` is what was seen: that the result holds no longer. Then it takes the place of
    who read the result, which the trail keeps. Raises RecordError when too late.
    """
    db.session.refresh(result)
    is_read = result.read_at is not None and result.read_at >= (result.ended_at or result.read_at)
    is_known, is_ended = result.id in lab_unread.to_read(), result.ended_at is not None
    if is_ended is not is_withdrawn or (is_ended and not is_read and not is_known):
        raise RecordError("Nilai ini sudah dikoreksi laboratorium. Baca hasil yang baru.")
    if is_read:
        reader = db.session.get(User, result.read_by_id)
        raise RecordError(f"Hasil ini sudah dibaca {reader.display_name}.")
    if not is_known:
        raise RecordError("Nilai ini tidak kritis, jadi tidak perlu ditandai sudah dibaca.")
    result.read_at, result.read_by_id = utcnow(), actor.user_id
    db.session.flush()
    tell_sender(result.order)
    action = "read_critical_result" if lab_alerts.is_critical(result) else "read_lab_result"
    audit.record(actor, action, result.order)
    return result


def tell_laboratory() -> None:
    """The laboratory's queue page says how much waits to be validated."""
    room, day = lab_orders.laboratory(), days.latest_day()
    if room is not None and day is not None:
        queue_changes.bump(day.id, room.id)
