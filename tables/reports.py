"""What of the reports is kept: locked months, the recap of a closed day, what went into P-Care."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, Row, unique_where
from tables.people import User
from tables.visits import ServiceDay, Visit


class ReportLock(PublicRow):
    """*Kunci bulan.* The month's figures stay as they were; opened again with a reason."""

    __tablename__ = "report_lock"

    month: Mapped[str] = mapped_column(String(7))  # "2026-11"
    locked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    locked_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    reopened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reopened_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    reopen_reason: Mapped[str] = mapped_column(String(300), default="")

    locked_by: Mapped[User] = relationship(foreign_keys=locked_by_id)
    reopened_by: Mapped[User | None] = relationship(foreign_keys=reopened_by_id)

    __table_args__ = (
        CheckConstraint(
            "(reopened_at IS NULL) = (reopened_by_id IS NULL)"
            " AND (reopened_at IS NULL) = (reopen_reason = '')",
            name="reopened",
        ),
        unique_where("uq_report_lock_month", "reopened_at IS NULL", "month"),
    )


class LockedReport(Row):
    """One report's tables as they were when its month was locked, with their digest."""

    __tablename__ = "locked_report"

    lock_id: Mapped[int] = mapped_column(ForeignKey("report_lock.id"))
    code: Mapped[str] = mapped_column(String(20))
    figures: Mapped[list[Any]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))

    lock: Mapped[ReportLock] = relationship()

    __table_args__ = (UniqueConstraint("lock_id", "code"),)


class DayRecap(PublicRow):
    """*Rekap hari* as a close of day kept it; a later one that differs is a version of its own."""

    __tablename__ = "day_recap"

    service_day_id: Mapped[int] = mapped_column(ForeignKey("service_day.id"))
    version: Mapped[int]
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    service_day: Mapped[ServiceDay] = relationship()

    __table_args__ = (UniqueConstraint("service_day_id", "version"),)


class PcareMark(Row):
    """*Sudah diketik di P-Care.* Taken back, it ends."""

    __tablename__ = "pcare_mark"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    typed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    typed_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    visit: Mapped[Visit] = relationship()
    typed_by: Mapped[User] = relationship(foreign_keys=typed_by_id)

    __table_args__ = (unique_where("uq_pcare_mark_visit", "ended_at IS NULL", "visit_id"),)
