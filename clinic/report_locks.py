"""Locked months: figures that stay as they were reported, and what the record says since.

A lock keeps each form's tables with their digest. A correction made afterwards changes the record,
never the kept figures: it is shown beside them, cell by cell.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from clinic import audit, days, report_tables
from clinic.audit import Actor
from clinic.report_definitions import REPORTS, Report
from clinic.report_periods import Period
from clinic.report_sections import MOST_FREQUENT
from clinic.report_tables import Table
from db import add_row, db, utcnow
from formatting import long_date
from models import LockedReport, ReportLock
from validators import clean_text

LONGEST_REASON = 300


class LockError(Exception):
    """A lock or its end that is refused, with a sentence for the head."""


def digest(figures: Any) -> str:
    """SHA-256 of figures as JSON in one form."""
    text = json.dumps(figures, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def of_month(month: str) -> list[ReportLock]:
    """All locks of a month, the newest first; only the first can still hold."""
    found = (
        select(ReportLock)
        .where(ReportLock.month == month)
        .options(joinedload(ReportLock.locked_by), joinedload(ReportLock.reopened_by))
        .order_by(ReportLock.id.desc())
    )
    return list(db.session.scalars(found))


def held(month: str) -> ReportLock | None:
    """The lock under which the month is now."""
    return next((lock for lock in of_month(month) if lock.reopened_at is None), None)


def of_report(report: Report, period: Period) -> ReportLock | None:
    """The lock under which the report's figures of this period are kept."""
    return held(period.code) if report.is_form and period.kind == "month" else None


# --- Locking ----------------------------------------------------------------------------------


def figures(period: Period) -> dict[str, list[dict]]:
    """All forms of a month as they are kept; computed before the transaction that keeps them."""
    forms = (report for report in REPORTS.values() if report.is_form)
    return {
        report.code: [table.as_json() for table in report_tables.fill(report.sections, period)]
        for report in forms
    }


def lock(actor: Actor, period: Period, kept: dict[str, list[dict]]) -> ReportLock:
    """Keep these figures as the month's. Raises LockError."""
    if period.kind != "month" or period.last >= days.clinic_date():
        raise LockError("Bulan dikunci sesudah berakhir.")
    day = days.current_day()
    if day and day.on <= period.last:  # its last night: who comes still counts in it
        raise LockError(f"{long_date(day.on)} belum ditutup. Tutup harinya, lalu kunci bulannya.")
    before = held(period.code)
    if before:
        raise LockError(f"{period.label} sudah dikunci oleh {before.locked_by.display_name}.")
    made = add_row(ReportLock(month=period.code, locked_by_id=actor.user_id))
    db.session.add_all(
        LockedReport(lock_id=made.id, code=code, figures=tables, digest=digest(tables))
        for code, tables in kept.items()
    )
    audit.record(actor, "lock_month", made, details=made.month)
    return made


def reopen(actor: Actor, month: str, reason: str) -> None:
    """End the month's lock; the kept figures stay readable. Raises LockError."""
    words = clean_text(reason, LONGEST_REASON)
    if not words:
        raise LockError("Tulis alasan membuka kunci.")
    found = held(month)
    if found is None:
        raise LockError("Bulan ini tidak terkunci.")
    found.reopened_at, found.reopened_by_id, found.reopen_reason = utcnow(), actor.user_id, words
    audit.record(actor, "reopen_month", found, details=month, reason=words)


# --- Reading ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """A number that the record gives otherwise since the month was locked."""

    section: str
    row: str
    row_key: str
    column: str
    column_key: str
    before: int
    now: int


@dataclass(frozen=True)
class Shown:
    """A report's tables: of the record now, or as locked, with what differs since."""

    tables: list[Table]
    lock: ReportLock | None = None
    differences: tuple[Difference, ...] = ()
    is_damaged: bool = False  # what is kept is not what was locked


def shown(report: Report, period: Period, room: str = "") -> Shown:
    """What a page shows: a locked month as it was locked."""
    now = report_tables.fill(report.sections, period, room)
    lock = of_report(report, period)
    kept = lock and db.session.scalar(
        select(LockedReport).where(
            LockedReport.lock_id == lock.id, LockedReport.code == report.code
        )
    )
    if not kept:
        return Shown(now)
    before = [report_tables.from_json(table) for table in kept.figures]
    is_damaged = digest(kept.figures) != kept.digest
    return Shown(before, lock, tuple(differences(before, now)), is_damaged)


def differences(before: Iterable[Table], now: Iterable[Table]) -> Iterable[Difference]:
    """Every cell that the record gives otherwise, cells of new and gone rows too.

    Of the most frequent only rows that are in both: of another one the list does not say how many
    there were, and 0 would be untrue.
    """
    present = {table.key: table for table in now}
    for kept in before:
        fresh = present.get(kept.key)
        if fresh is None:  # a later version of the program has no such table
            continue
        if kept.outside != fresh.outside:
            told = ("Di luar tabel", report_tables.OUTSIDE, "", kept.whole)
            yield Difference(kept.key, *told, kept.outside, fresh.outside)
        labels = {row.key: row.label for row in (*fresh.all_rows, *kept.all_rows)}
        if kept.key == MOST_FREQUENT:
            both = {row.key for row in fresh.all_rows} & {row.key for row in kept.all_rows}
            labels = {row: label for row, label in labels.items() if row in both}
        columns = {column["key"]: report_tables.name_of(column) for column in kept.columns}
        for row, label in labels.items():
            for column, words in columns.items():
                old, new = kept.cell(row, column), fresh.cell(row, column)
                if old != new:
                    yield Difference(kept.key, label, row, words, column, old, new)


def changed(period: Period) -> dict[str, int]:
    """Of each locked form of a month, how many numbers the record gives otherwise now."""
    forms = [report for report in REPORTS.values() if report.is_form]
    return {report.code: len(shown(report, period).differences) for report in forms}
