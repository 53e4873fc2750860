"""Taking the last step of a queue entry back, exactly.

While its day goes on: the last step of the entry that was not undone, unless an examination ended
by it, or the patient is being served in the room to which the step sent him. Seen from the room
a patient arrived in, the last step may be the sender's: that one is then undone. What a closing cut
off comes back in all rooms of the visit: they may wait for one another.

A button names its step. It never takes back another one: sent twice it undoes once, and after a
colleague's step it says whose that was.
"""

from datetime import datetime

from sqlalchemy import select, update

from clinic import days, unsent_prescriptions, visit_cluster
from clinic.audit import Actor
from clinic.queue_changes import (
    from_snapshot,
    lock,
    note,
    record,
    refuse_second,
    reopen_visit,
    set_priority_run,
)
from clinic.queue_loans import FETCH, is_waited_for
from clinic.queue_order import REST
from clinic.queue_steps import (
    NOT_YET_SERVED,
    STEPS,
    QueueError,
    author_and_clock,
    last_event,
    present,
)
from db import db
from models import EntryState, Examination, QueueEntry, QueueEvent, QueueState, Visit

NEVER_HAPPENED = "Langkah diurungkan"


class AlreadyUndone(QueueError):
    """The named step was taken back before: the button was pressed, or sent, twice."""


def undo(actor: Actor, entry: QueueEntry, at: datetime, named: str = "") -> QueueEntry:
    """Undo the last step; returns the entry that stands as it stood. Raises QueueError.

    `named` is the id of the step that the button named: AlreadyUndone when that was taken back.
    """
    event = _event_to_undo(entry, named)
    if event.action == days.CLOSED:
        return _bring_back(actor, entry, at)
    owner = event.entry
    opened = _entry(event.before.get("opened"))
    closed = _closed_by(event)
    lock(entry, owner, opened, *closed)
    if _event_to_undo(entry, named).id != event.id:
        raise QueueError(f"{present(entry)}. Muat ulang halaman, lalu periksa lagi.")
    _refuse_finished(event)
    if opened is not None:
        _cancel_opened(actor, opened, at)
    for each in closed:
        _restore(actor, each, last_event(each), at)
    _restore(actor, owner, event, at)
    _refuse_vain_wait(owner)
    note(actor, owner, "urungkan", at=at, from_state=EntryState(event.to_state))
    reopen_visit(owner.visit)
    if event.action == "pindah":
        visit_cluster.follow_move(owner.visit)
    _give_turn_back(owner, event)
    record(actor, owner, "undo", reason=event.action)
    return owner


def step_to_undo(entry: QueueEntry) -> QueueEvent | None:
    """The step to take back, if there is one and no finished examination forbids it."""
    try:
        event = _event_to_undo(entry)
        if event.action != days.CLOSED:
            _refuse_finished(event)
    except QueueError:
        return None
    return event


def _entry(entry_id: int | None) -> QueueEntry | None:
    return db.session.get(QueueEntry, entry_id) if entry_id else None


def _closed_by(event: QueueEvent) -> list[QueueEntry]:
    """The stays elsewhere that the step ended; earlier versions noted one, not a list."""
    ids = event.before.get("closed") or []
    return [_entry(each) for each in (ids if isinstance(ids, list) else [ids])]


def _event_to_undo(entry: QueueEntry, named: str = "") -> QueueEvent:
    newest = days.latest_day()
    if newest is None or newest.id != entry.service_day_id:
        raise QueueError("Langkah dari hari layanan yang lalu tidak dapat diurungkan.")
    event = last_event(entry)
    sender = entry.previous_entry
    if event is not None and event.action == "masuk" and sender is not None:
        event = last_event(sender)
        if event is None or event.before.get("opened") != entry.id:
            event = None
    if named:
        _refuse_another(entry, event, named)
    if not days.is_current(newest.on, newest.closed_at):  # nobody would see who stands there
        raise QueueError(
            f"Hari layanannya sudah berakhir, jadi langkah {entry.visit.label} tidak dapat "
            "diurungkan. Minta kepala puskesmas membuka lagi hari ini, atau pendaftaran "
            "mendaftarkan pasiennya lagi."
        )
    if event is None or event.action in ("masuk", "hasil"):
        raise QueueError(f"Belum ada langkah {entry.visit.label} di ruang ini untuk diurungkan.")
    return event


def _refuse_another(entry: QueueEntry, event: QueueEvent | None, named: str) -> None:
    """Raise QueueError unless `event`, which is the last step, is the one that was named."""
    if event is not None and str(event.id) == named:
        return
    step = _step_of(entry, named)
    if step is None:
        raise QueueError(f"{present(entry)}. Muat ulang halaman, lalu periksa lagi.")
    if step.undone_at is not None:
        raise AlreadyUndone(f"Langkah itu sudah diurungkan{_undone_by(step)}. {present(entry)}.")
    word = STEPS[step.action].word if step.action in STEPS else "tutup hari"
    raise QueueError(
        f'{present(entry)}. Itu sesudah langkah "{word}", jadi langkah itu '
        "tidak diurungkan. Yang terakhir dapat diurungkan lewat Lainnya."
    )


def _step_of(entry: QueueEntry, named: str) -> QueueEvent | None:
    """The step of this id, if the entry or the one that it came from took it."""
    if not (named.isdecimal() and len(named) < 19):
        return None
    step = db.session.get(QueueEvent, int(named), populate_existing=True)
    is_known = step is not None and step.action in (*STEPS, days.CLOSED)
    return step if is_known and step.entry_id in (entry.id, entry.previous_entry_id) else None


def _undone_by(step: QueueEvent) -> str:
    undone = select(QueueEvent).where(
        QueueEvent.entry_id == step.entry_id,
        QueueEvent.action == "urungkan",
        QueueEvent.at == step.undone_at,
    )
    event = db.session.scalars(undone.limit(1)).first()
    by, clock = author_and_clock(event) if event else ("", "")
    return f"{by} pukul {clock}" if clock else ""


def _bring_back(actor: Actor, entry: QueueEntry, at: datetime) -> QueueEntry:
    of_visit = QueueEntry.visit_id == entry.visit_id
    lock(entry, *(event.entry for event in days.cut_off(of_visit)))
    events = days.cut_off(of_visit)
    if entry.id not in {event.entry_id for event in events}:
        raise QueueError(f"{present(entry)}. Muat ulang halaman, lalu periksa lagi.")
    for event in events:
        days.stand_again(event)
        note(actor, event.entry, "urungkan", at=at, from_state=EntryState.UNFINISHED)
    reopen_visit(entry.visit)
    record(actor, entry, "undo", reason=days.CLOSED)
    return entry


def _refuse_finished(event: QueueEvent) -> None:
    """Raise QueueError when the step ended the stay's examination; that is long over at a fetch."""
    owner = event.entry
    if event.action == FETCH:
        return
    finished = db.session.scalar(
        select(Examination.id).where(
            Examination.entry_id == owner.id, Examination.finished_at.is_not(None)
        )
    )
    if finished is not None:
        raise QueueError(
            f"Pemeriksaan {owner.visit.label} di {owner.poli.name} sudah selesai dan tidak dapat "
            "diurungkan. Tulis tambahan pada pemeriksaannya."
        )


def _cancel_opened(actor: Actor, opened: QueueEntry, at: datetime) -> None:
    from_state = opened.state
    statement = (
        update(QueueEntry)
        .where(QueueEntry.id == opened.id, QueueEntry.state.in_(NOT_YET_SERVED))
        .values(state=EntryState.CANCELLED, reason=NEVER_HAPPENED, ended_at=at, undone_at=at)
        .execution_options(synchronize_session=False)
    )
    if db.session.execute(statement).rowcount != 1:
        raise QueueError(f"{present(opened)}, jadi langkah ini tidak dapat diurungkan lagi.")
    db.session.refresh(opened)
    note(actor, opened, "urungkan", at=at, from_state=from_state)


def _restore(actor: Actor, entry: QueueEntry, event: QueueEvent, at: datetime) -> None:
    ended_at = entry.ended_at
    refuse_second(entry.visit, entry.poli, but=entry)
    before = from_snapshot(event.before)
    if before["state"] in days.STILL_HERE and entry.state not in days.STILL_HERE:
        _refuse_to_stand_again(entry)
    # The visit may have become somebody else's since, or an emergency: that holds.
    before["is_priority"] = before["is_priority"] and bool(entry.visit.priority)
    before["rank"] = min(before["rank"], entry.rank)
    statement = (
        update(QueueEntry)
        .where(QueueEntry.id == entry.id, QueueEntry.state == EntryState(event.to_state))
        .values(**before)
        .execution_options(synchronize_session=False)
    )
    if db.session.execute(statement).rowcount != 1:
        raise QueueError(f"{present(entry)}. Muat ulang halaman, lalu periksa lagi.")
    event.undone_at = at
    db.session.flush()
    db.session.refresh(entry)
    if ended_at is not None:
        unsent_prescriptions.give_back(actor, entry, ended_at)


def _refuse_to_stand_again(entry: QueueEntry) -> None:
    """Raise QueueError when the room was closed since, or the patient was registered there anew."""
    label = entry.visit.label
    if not entry.poli.is_active:
        raise QueueError(
            f"{entry.poli.name} sudah ditutup, jadi {label} tidak dapat kembali ke sana. Pilih "
            "ruang lain, atau minta kepala puskesmas membuka ruang itu lagi."
        )
    anew = (
        select(QueueEntry)
        .join(QueueEntry.visit)
        .where(
            Visit.patient_id == entry.visit.patient_id,
            Visit.id != entry.visit_id,
            QueueEntry.service_day_id == entry.service_day_id,
            QueueEntry.poli_id == entry.poli_id,
            QueueEntry.state.in_(days.STILL_HERE),
        )
    )
    if other := db.session.scalar(anew.limit(1)):
        raise QueueError(
            f"{present(other)}, dan itu pasien yang sama. {label} tidak dikembalikan ke antrean, "
            f"supaya ia tidak dipanggil dua kali: layani dengan nomor {other.visit.label}."
        )


def _refuse_vain_wait(owner: QueueEntry) -> None:
    """Raise QueueError when the stay waits again, but no room is left that would end its wait."""
    if owner.state is EntryState.AWAITING_RESULT and not is_waited_for(owner):
        raise QueueError(
            f"Hasil yang ditunggu {owner.visit.label} di {owner.poli.name} tidak akan datang lagi: "
            "ruang yang mengirimnya sudah selesai. Jadi langkah ini tidak dapat diurungkan. Bila "
            'pasien tidak ada di antrean lain dan masih perlu dilayani, pilih "Tambah ruang" di '
            "tiketnya, di loket."
        )


def _give_turn_back(entry: QueueEntry, event: QueueEvent) -> None:
    """After a call taken back, priority and other patients take turns as before it."""
    if event.action != "panggil" or entry.state is not EntryState.WAITING or entry.rank != REST:
        return
    state = db.session.get(QueueState, (entry.service_day_id, entry.poli_id))
    run, before = state.priority_run, event.before.get("run", 0)
    set_priority_run(entry, max(0, run - 1) if entry.is_priority else before + run)
