"""The worker's part of *tutup hari*: it takes the steps that were asked for, in their order.

One that fails holds up none of the others and is tried again until it succeeds. Nothing here needs
the internet. Each step has its own short transactions, and may be taken twice.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from clinic import audit, days
from clinic.closing import ORDER, PENDING, record
from db import db, transaction, utcnow
from formatting import number_text
from models import ClosingStep, OutboxEntry, OutboxState, ServiceDay, StepName, StepState, Visit

TRY_AGAIN = timedelta(minutes=10)
UNEXPECTED = "Kesalahan yang tidak terduga; catatannya ada di log server. Dicoba lagi sendiri."

log = logging.getLogger("alur.closing")


class StepFailed(Exception):
    """Why a step could not be taken, and what to do: a sentence for the head."""


def work(data: Path, at: datetime, must_stop: Callable[[], bool] = lambda: False) -> None:
    """Take what is to be taken. One that was found running had a worker that died over it."""
    wanted = select(ClosingStep).where(
        ClosingStep.state.in_(PENDING)
        | (ClosingStep.state == StepState.FAILED) & (ClosingStep.ended_at <= at - TRY_AGAIN)
    )
    found = [(row.service_day_id, ORDER[row.name], row.id) for row in db.session.scalars(wanted)]
    for _, _, step_id in sorted(found):
        if must_stop():
            return
        _take(step_id, data)


def _take(step_id: int, data: Path) -> None:
    with transaction():
        step = db.session.get_one(ClosingStep, step_id)
        step.state, step.started_at, step.ended_at = StepState.RUNNING, utcnow(), None
        step.tries += 1
        name, day_id = step.name, step.service_day_id
    try:
        state, note = StepState.DONE, TAKEN[name](day_id, data)
    except StepFailed as failure:
        state, note = StepState.FAILED, str(failure)
    except Exception:
        log.exception("closing step %s failed", name.value)
        db.session.rollback()
        state, note = StepState.FAILED, UNEXPECTED
    with transaction():
        step = db.session.get_one(ClosingStep, step_id)
        if step.state is StepState.RUNNING:  # else the day was opened again meanwhile
            step.state, step.note, step.ended_at = state, note[:300], utcnow()
            record(audit.SYSTEM, "closing_step", step.day, f"{name.value} {state.value}")


# --- The steps --------------------------------------------------------------------------------


def end_visits(day_id: int, _data: Path) -> str:
    """Whoever is still in a queue is left unfinished, and the day's queues are closed."""
    with transaction():
        # On PostgreSQL this waits for saves that have begun, and they for it.
        day = db.session.scalars(
            select(ServiceDay).where(ServiceDay.id == day_id).with_for_update()
        ).one()
        days.end(day, utcnow())
    visits = select(func.count(Visit.id)).where(Visit.service_day_id == day_id)
    unfinished = db.session.scalar(visits.where(Visit.status == "unfinished"))
    total = number_text(db.session.scalar(visits))
    if unfinished:
        return f"{number_text(unfinished)} dari {total} kunjungan belum selesai, lihat daftarnya."
    return f"Semua {total} kunjungan sudah selesai."


def check_outbox(day_id: int, _data: Path) -> str:
    """Every visit of the day stands in the outbox once, to be sent when there is internet."""
    key = "satusehat:visit:" + Visit.public_id
    rows = (
        select(OutboxEntry.state, func.count(Visit.id))
        .outerjoin(OutboxEntry, OutboxEntry.business_key == key)
        .where(Visit.service_day_id == day_id)
        .group_by(OutboxEntry.state)
    )
    counts = dict(db.session.execute(rows).tuples().all())
    if lost := counts.get(None):
        raise StepFailed(
            f"{number_text(lost)} kunjungan tidak ada di antrean kirim. Beri tahu petugas TI."
        )
    waiting = number_text(counts.get(OutboxState.WAITING, 0))
    sent = number_text(counts.get(OutboxState.SENT, 0))
    return f"{sent} terkirim, {waiting} menunggu; dikirim sendiri begitu ada internet."


TAKEN: dict[StepName, Callable[[int, Path], str]] = {
    StepName.VISITS: end_visits,
    StepName.OUTBOX: check_outbox,
}
