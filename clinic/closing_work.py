"""The worker's part of *tutup hari*: it takes the steps that were asked for, in their order.

One that fails holds up none of the others and is tried again until it succeeds. Nothing here needs
the internet. Each step has its own short transactions, and may be taken twice.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from clinic import audit, backups, days, report_days
from clinic.closing import ORDER, PENDING
from db import db, transaction, utcnow
from formatting import number_text
from models import (
    BackupKind,
    BackupState,
    ClosingStep,
    CopyState,
    OutboxEntry,
    OutboxState,
    ServiceDay,
    StepName,
    StepState,
    Visit,
)

TRY_AGAIN = timedelta(minutes=10)
FOLDER = "reports"  # in ALUR_DATA
UNEXPECTED = "Kesalahan yang tidak terduga; catatannya ada di log server. Dicoba lagi sendiri."

log = logging.getLogger("alur.closing")


class StepFailed(Exception):
    """Why a step could not be taken, and what to do: a sentence for the head."""


class NotYet(Exception):
    """Somebody else is at it; the step is looked at again in the next round."""


@dataclass(frozen=True)
class Try:
    """A step that is being taken: of which day, since when, and when it was asked for."""

    day_id: int
    data: Path
    asked_at: datetime
    started_at: datetime


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
        if step.state is not StepState.RUNNING:
            step.state, step.started_at, step.ended_at = StepState.RUNNING, utcnow(), None
            step.tries += 1
        name = step.name
        this = Try(step.service_day_id, data, step.asked_at, step.started_at)
    try:
        state, note = StepState.DONE, TAKEN[name](this)
    except NotYet:
        return
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
            told = f"{name.value} {state.value}"
            audit.record(audit.SYSTEM, "closing_step", step.day, details=told)


# --- The steps --------------------------------------------------------------------------------


def end_visits(this: Try) -> str:
    """Whoever is still in a queue is left unfinished, and the day's queues are closed."""
    with transaction():
        days.end(db.session.get_one(ServiceDay, this.day_id), utcnow())
    visits = select(func.count(Visit.id)).where(
        Visit.service_day_id == this.day_id, Visit.status != "cancelled"
    )
    unfinished = db.session.scalar(visits.where(Visit.status == "unfinished"))
    total = number_text(db.session.scalar(visits))
    if unfinished:
        return f"{number_text(unfinished)} dari {total} kunjungan belum selesai, lihat daftarnya."
    return f"Semua {total} kunjungan sudah selesai."


def back_up(this: Try) -> str:
    """The backups' own process makes one (clinic/backup_worker.py); this waits for it.

    A place that was missing is looked at again, without another backup.
    """
    made = backups.asked_since(BackupKind.CLOSE, this.asked_at)
    has_failed = made is not None and made.state is BackupState.FAILED
    if made is None or (has_failed and made.asked_at < this.started_at):
        with transaction():
            backups.ask(audit.SYSTEM, BackupKind.CLOSE)
        raise NotYet
    if made.state in backups.PENDING:
        raise NotYet
    if made.state is not BackupState.DONE:
        raise StepFailed(made.problem)
    untried = set(backups.places()) - {copy.place for copy in made.copies}
    if untried and made == backups.newest(at_all=True):  # it is still being copied there
        raise NotYet
    bad = [copy.place for copy in made.copies if copy.state is CopyState.BAD]
    if bad:
        raise StepFailed(f"Ada di server ini, belum di {', '.join(bad)}. Periksa tempat itu.")
    patients, visits = number_text(made.patients), number_text(made.visits)
    copies = f"{len(made.copies)} salinan dibaca ulang"
    return f"{made.name}: {patients} pasien, {visits} kunjungan, {copies}."


def keep_recap(this: Try) -> str:
    """The day's recap is kept as it is now, as a row and as files, and its sums are checked."""
    with transaction():
        kept = report_days.keep(audit.SYSTEM, db.session.get_one(ServiceDay, this.day_id))
    report_days.write(kept, this.data / FOLDER)
    if problems := report_days.problems(kept):
        raise StepFailed(f"Jumlah di rekap tidak cocok: {problems[0]}. Beri tahu petugas TI.")
    told = f"Rekap versi {kept.version} disimpan, jumlahnya cocok."
    # Each by itself: one visit may lack several things.
    gaps = [(label, count) for _, label, count in kept.figures["gaps"] if count]
    lacking = ", ".join(f"{label.lower()} {number_text(count)}" for label, count in gaps)
    return f"{told} Belum lengkap: {lacking}." if lacking else told


def check_outbox(this: Try) -> str:
    """Every visit of the day stands in the outbox once, to be sent when there is internet."""
    key = "satusehat:visit:" + Visit.public_id
    rows = (
        select(OutboxEntry.state, func.count(Visit.id))
        .outerjoin(OutboxEntry, OutboxEntry.business_key == key)
        .where(Visit.service_day_id == this.day_id)
        .group_by(OutboxEntry.state)
    )
    counts = dict(db.session.execute(rows).tuples().all())
    if lost := counts.get(None):
        raise StepFailed(
            f"{number_text(lost)} kunjungan tidak ada di antrean kirim. Beri tahu petugas TI."
        )
    waiting = number_text(counts.get(OutboxState.WAITING, 0))
    sent = number_text(counts.get(OutboxState.SENT, 0))
    return f"{sent} terkirim, {waiting} menunggu; pengirimannya belum ada di versi ini."


TAKEN: dict[StepName, Callable[[Try], str]] = {
    StepName.VISITS: end_visits,
    StepName.BACKUP: back_up,
    StepName.REPORT: keep_recap,
    StepName.OUTBOX: check_outbox,
}
