"""From room to room: moved, referred, ended; `queue_loans` says who comes back to whom."""

from datetime import datetime

from sqlalchemy import select

from clinic import immunizations, pharmacy_alerts, prescription_queue, visit_cluster
from clinic.audit import Actor
from clinic.queue_changes import (
    enqueue,
    lock,
    open_entry,
    rank_in,
    record,
    refuse_second,
    settle_visit,
    take,
)
from clinic.queue_loans import stand_again, stop_waiting, waiting_senders
from clinic.queue_steps import NOT_YET_SERVED, STEPS, QueueError, check, is_cut_off
from db import db, utcnow
from models import (
    EntryKind,
    EntryState,
    Examination,
    LabOrder,
    LabOrderState,
    Poli,
    PoliKind,
    QueueEntry,
    Visit,
    VisitStatus,
)

DIED = "Pasien meninggal"
# What a visit becomes when its last entry ends this way and nobody has seen the patient.
ENDS = {
    "selesai": VisitStatus.FINISHED,
    "periksa": VisitStatus.FINISHED,
    "batal": VisitStatus.CANCELLED,
    "pulang": VisitStatus.LEFT,
}
# Of who sends a patient to a room that has them already.
WAYS_OUT = {
    "rujuk": "pilih tindak lanjut lain, misalnya Pulang",
    "pindah": "bila tidak perlu lagi di ruang ini, batalkan antreannya di sini",
}


def move(
    actor: Actor, entry: QueueEntry, target: Poli | None, reason: str, at: datetime
) -> QueueEntry:
    """Wrong room: end here, stand there at the same place in line. The entry there.

    An emergency room's rank is the room's own: nobody brings it along into another one.
    """
    _lock_for_target(entry, target, "pindah")
    earned = None if entry.poli.kind is PoliKind.EMERGENCY else entry.rank
    successor = QueueEntry(
        visit=entry.visit,
        poli=target,
        service_day_id=entry.service_day_id,
        kind=EntryKind.MOVED,
        state=EntryState.WAITING,
        previous_entry_id=entry.id,
        rank=rank_in(entry.visit, target, earned),
        is_priority=entry.is_priority,
        seq=entry.seq,
        place=entry.place,
        queued_at=entry.queued_at,
        queued_by_id=actor.user_id,
    )
    open_entry(actor, successor, at)
    _leave(actor, entry, "pindah", reason, at, {"opened": successor.id})
    visit_cluster.follow_move(entry.visit)
    record(actor, entry, "move", reason)
    return successor


def _lock_for_target(
    entry: QueueEntry, target: Poli | None, action: str, *others: QueueEntry
) -> None:
    if target is None or not target.is_active:
        raise QueueError("Pilih ruang tujuannya.")
    if target.id == entry.poli_id:
        raise QueueError(f"Pasien {entry.visit.label} sudah berada di {target.name}.")
    lock(entry, *others, rooms=(target,))
    check(entry, action)
    refuse_second(entry.visit, target, way_out=WAYS_OUT.get(action, ""))


def _leave(
    actor: Actor, entry: QueueEntry, action: str, reason: str, at: datetime, trace: dict
) -> None:
    changes = {"ended_at": at, "reason": reason[:300]}
    take(actor, entry, action, changes, at=at, reason=reason, trace=trace)


def refer(
    actor: Actor,
    entry: QueueEntry,
    target: Poli,
    reason: str = "",
    back: bool = True,
    *,
    at: datetime | None = None,
) -> QueueEntry:
    """Send the patient to another room, with `back` to return with a result; the entry there.

    Without `back` nobody waits any more for a patient on loan: from there the way leads home.
    Raises QueueError when the entry can't be sent or the visit stands in that room already.
    """
    at = at or utcnow()
    senders = [] if back else waiting_senders(entry)
    _lock_for_target(entry, target, "rujuk", *senders)
    is_order = target.kind in (PoliKind.LABORATORY, PoliKind.PHARMACY)
    kind = EntryKind.ORDERED if is_order else EntryKind.REFERRED
    there = enqueue(actor, entry.visit, target, kind=kind, previous=entry, at=at)
    changes = {
        "state": EntryState.AWAITING_RESULT if back else EntryState.DONE,
        "started_at": entry.started_at or at,
        "ended_at": None if back else at,
    }
    trace = {"opened": there.id, "closed": stop_waiting(actor, senders, at)}
    take(actor, entry, "rujuk", changes, at=at, reason=reason, trace=trace)
    record(actor, entry, "refer", reason)
    return there


def finish(
    actor: Actor,
    entry: QueueEntry,
    *,
    has_died: bool = False,
    has_left: bool = False,
    at: datetime | None = None,
) -> QueueEntry:
    """End the stay by its examination; a patient on loan goes back to the sender, ahead of others.

    Who `has_left`, for a hospital, comes back to nobody. Returns the entry in the sender's room,
    else `entry`. Raises QueueError when it is over already.
    """
    at = at or utcnow()
    if has_died:
        return _end_with_all(actor, entry, "periksa", DIED, at)
    return end(actor, entry, "periksa", "", at, comes_back=not has_left)


def _end_with_all(
    actor: Actor, entry: QueueEntry, action: str, reason: str, at: datetime
) -> QueueEntry:
    """End the stay, and what of the visit stands in other lines; who is served there may write."""
    standing = select(QueueEntry).where(
        QueueEntry.visit_id == entry.visit_id,
        QueueEntry.id != entry.id,
        QueueEntry.state.in_((*NOT_YET_SERVED, EntryState.AWAITING_RESULT)),
    )
    others = db.session.scalars(standing.order_by(QueueEntry.id)).all()
    lock(entry, *others)
    check(entry, action)
    for other in others:
        if other.state is EntryState.AWAITING_RESULT:
            take(actor, other, "hasil", {"ended_at": at}, at=at)
        elif other.state in NOT_YET_SERVED:
            _leave(actor, other, "batal", reason, at, {})
    _leave(actor, entry, action, reason, at, {})
    settle_visit(entry.visit, at)
    for each in (*others, entry):
        record(actor, each, STEPS[action].audit if each is entry else "cancel", reason)
    return entry


def end(
    actor: Actor,
    entry: QueueEntry,
    action: str,
    reason: str,
    at: datetime,
    *,
    comes_back: bool = True,
) -> QueueEntry:
    """End the stay in one of the ways of ENDS; the entry with which the visit goes on."""
    senders = waiting_senders(entry)
    is_over = action == "pulang" or is_cut_off(entry)  # the patient is no longer here
    pharmacy = None if is_over else prescription_queue.next_room(entry)
    lock(entry, *senders, rooms=(pharmacy,) if pharmacy else ())
    check(entry, action)
    if action == "selesai":
        _refuse_unfinished(entry)
    after, trace = entry, {}
    # Who went home comes back to nobody; who was cancelled elsewhere does, untreated.
    comes_back = comes_back and action != "pulang"
    if closed := stop_waiting(actor, senders[:1] if comes_back else senders, at):
        trace["closed"] = closed
        if comes_back:
            after = stand_again(actor, senders[0], entry, at)
            trace["opened"] = after.id
    there = prescription_queue.go_on(actor, entry, pharmacy, at) if pharmacy else None
    if there is not None:
        after, trace["opened"] = there, there.id
    _leave(actor, entry, action, reason, at, trace)
    settle_visit(entry.visit, at, ENDS[action])
    if entry.visit.status is VisitStatus.CANCELLED:
        _refuse_vaccinated(entry.visit)
    record(actor, entry, STEPS[action].audit, reason)
    return after


def _refuse_unfinished(entry: QueueEntry) -> None:
    draft = db.session.scalar(
        select(Examination.id).where(
            Examination.entry_id == entry.id, Examination.finished_at.is_(None)
        )
    )
    if entry.poli.kind is PoliKind.LABORATORY and _has_open_order(entry):
        raise QueueError(
            f"Permintaan laboratorium {entry.visit.label} belum selesai. Isi hasilnya, atau tulis "
            "mengapa tidak dikerjakan, lalu tekan Selesai di halaman laboratoriumnya."
        )
    if entry.poli.kind is PoliKind.PHARMACY and pharmacy_alerts.has_open(entry.visit_id):
        raise QueueError(
            f"Resep {entry.visit.label} belum diserahkan. Tekan Serahkan obat di halaman "
            "farmasinya; yang tidak diambil diserahkan 0 dengan alasannya."
        )
    if draft is not None:
        raise QueueError(
            f"Pemeriksaan {entry.visit.label} baru disimpan sebagai konsep. Buka pemeriksaannya, "
            "lalu tekan Selesai di sana."
        )


def _refuse_vaccinated(visit: Visit) -> None:
    """Of a cancelled visit nobody reads what was done: a dose would be given twice."""
    doses = ", ".join(each.name for each in immunizations.given_in(visit))
    if doses:
        raise QueueError(
            f"Imunisasi {doses} sudah tercatat di kunjungan {visit.label}, jadi tidak dapat "
            "dibatalkan. Akhiri dulu imunisasi yang tercatat, atau selesaikan kunjungannya."
        )


def _has_open_order(entry: QueueEntry) -> bool:
    is_open = LabOrder.state.in_((LabOrderState.ORDERED, LabOrderState.SAMPLED))
    waiting = select(LabOrder.id).where(LabOrder.visit_id == entry.visit_id, is_open)
    return db.session.scalar(waiting.limit(1)) is not None
