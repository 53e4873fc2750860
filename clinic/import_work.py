"""The worker's part of an import: `prepare` reads and thinks, `store` writes what it found.

Only `store` needs a transaction. It moves the batch's cursor together with what it writes, and
does nothing when the batch is no longer where `prepare` saw it: whoever is killed in between, or
stopped by the clerk, neither loses nor doubles a row.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from clinic import audit, days, import_creation, import_undo, imports
from clinic.import_files import FileProblem
from clinic.import_reading import Reading
from clinic.import_rows import DAY_FIRST, MONTH_FIRST, RowReader
from clinic.import_staging import Staging
from clinic.import_verdicts import Verdict, judge
from db import db, sqlite_driver, utcnow
from models import ImportBatch, ImportRow, ImportState, RowFate

CHUNK = 100  # rows of one transaction: those at the counter wait for it
CHECKED_AT_ONCE = 200
LINES_READ = 2000
_GONE = "Berkas impor ini tidak ada lagi di server. Unggah lagi."
_STUCK = "Ada kesalahan saat mengerjakan berkas ini; sudah dicatat untuk petugas TI."

log = logging.getLogger("alur.imports")
# The file that is being read stays open from one piece to the next.
_reading: dict[int, Reading] = {}


@dataclass
class Work:
    """A piece of a batch's work, and where the batch must still be for it to count."""

    batch_id: int
    state: ImportState
    start: int
    verdicts: list[Verdict] = field(default_factory=list)
    reading: Reading | None = None
    problem: str = ""


def prepare(data: Path) -> Work | None:
    """The next piece of the oldest import that waits for the worker; only reads the database."""
    batch = _due()
    if batch is None:
        return None
    work = Work(batch.id, batch.state, batch.rows_done)
    try:
        if batch.state == ImportState.UPLOADED:
            work.reading = _read_on(data, batch)
        elif batch.state != ImportState.UNDOING:
            work.verdicts = _judge(data, batch)
    except FileProblem as problem:
        work.problem = str(problem)
    except FileNotFoundError:
        work.problem = _GONE
    except (SQLAlchemyError, sqlite_driver.Error, OSError):
        raise  # may go by: the worker tries again
    except Exception:
        log.exception("an import can't go on")
        work.problem = _STUCK
    return work


def store(work: Work) -> None:
    """Write a piece of work and move the cursor, in the worker's transaction."""
    batch = db.session.get_one(ImportBatch, work.batch_id)
    if (batch.state, batch.rows_done) != (work.state, work.start):
        return
    if work.problem:
        batch.state, batch.problem = ImportState.FAILED, work.problem
        _close_readings()
    elif work.reading:
        _store_reading(batch, work.reading)
    elif work.state == ImportState.CHECKING:
        _store_check(batch, work.verdicts)
    elif work.state == ImportState.IMPORTING:
        _store_import(batch, work.verdicts)
    else:
        import_undo.store(imports.worker_actor(batch), batch, CHUNK)


def _due() -> ImportBatch | None:
    states = (*imports.WORKING, ImportState.UPLOADED)
    waiting = select(ImportBatch).where(ImportBatch.state.in_(states)).order_by(ImportBatch.id)
    return next(
        (
            batch
            for batch in db.session.scalars(waiting)
            if batch.state in imports.WORKING or imports.is_being_read(batch)
        ),
        None,
    )


# --- Reading the file ---


def _read_on(data: Path, batch: ImportBatch) -> Reading:
    reading = _reading.get(batch.id)
    if reading is None or reading.rows != batch.rows_done:
        _close_readings()
        reading = Reading(imports.file_path(data, batch), imports.staging_path(data, batch))
        _reading[batch.id] = reading
    reading.go_on(LINES_READ)
    return reading


def _store_reading(batch: ImportBatch, reading: Reading) -> None:
    batch.rows_done = reading.rows
    if reading.is_done:
        batch.headings, batch.rows, batch.rows_done = reading.headings, reading.rows, 0
        order = MONTH_FIRST if reading.month_comes_first() else DAY_FIRST
        found = {"samples": reading.samples(), "defaults": {"date_order": order}}
        batch.mapping = {**batch.mapping, **found}
        _close_readings()


def _close_readings() -> None:
    while _reading:
        _reading.popitem()[1].close()


# --- Checking ---


def _judge(data: Path, batch: ImportBatch) -> list[Verdict]:
    reader = RowReader(batch.mapping["columns"], imports.defaults_of(batch), days.clinic_date())
    is_check = batch.state == ImportState.CHECKING
    with Staging(imports.staging_path(data, batch)) as staging:
        if is_check and batch.rows_done == 0:
            staging.forget_check()
        lines = staging.lines(batch.rows_done, CHECKED_AT_ONCE if is_check else CHUNK)
        if not lines:
            return []
        # What came before these rows is in the register by now, unless this is only a check.
        verdicts = judge(lines, reader, staging, since=0 if is_check else lines[0][0])
        staging.break_rows(
            (one.parsed.number, one.reason) for one in verdicts if one.fate == RowFate.BROKEN
        )
    return verdicts


def _store_check(batch: ImportBatch, verdicts: list[Verdict]) -> None:
    _store_rows(batch, verdicts)
    if batch.rows_done >= batch.rows or not verdicts:
        batch.state = ImportState.CHECKED


_CHANGE_ROW = (
    update(ImportRow.__table__)
    .where(
        ImportRow.__table__.c.batch_id == bindparam("of_batch"),
        ImportRow.__table__.c.number == bindparam("of_number"),
    )
    .values(fate=bindparam("fate"), reason=bindparam("reason"), patient_id=bindparam("patient_id"))
)


def _store_rows(batch: ImportBatch, verdicts: list[Verdict]) -> None:
    numbers = [one.parsed.number for one in verdicts]
    known = select(ImportRow.number).where(
        ImportRow.batch_id == batch.id, ImportRow.number.in_(numbers)
    )
    there = set(db.session.scalars(known))
    values = {one.parsed.number: _row_values(one) for one in verdicts}
    added = [
        {"batch_id": batch.id, "number": number} | row
        for number, row in values.items()
        if number not in there
    ]
    changed = [
        {"of_batch": batch.id, "of_number": number} | row
        for number, row in values.items()
        if number in there
    ]
    if added:
        db.session.execute(insert(ImportRow.__table__), added)
    if changed:
        db.session.execute(_CHANGE_ROW, changed)
    batch.rows_done += len(verdicts)
    db.session.flush()


def _row_values(one: Verdict) -> dict[str, Any]:
    return {"fate": one.fate, "reason": one.reason[:300], "patient_id": one.patient_id}


# --- Importing ---


def _store_import(batch: ImportBatch, verdicts: list[Verdict]) -> None:
    actor = imports.worker_actor(batch)
    created = import_creation.create_all(actor, verdicts)
    _store_rows(batch, verdicts)
    audit.record(actor, "import_rows", batch, details=str(created))
    if batch.rows_done >= batch.rows or not verdicts:
        batch.state, batch.imported_at = ImportState.DONE, utcnow()
