"""What Alur finds when it looks after itself."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db import UtcDateTime
from tables.columns import Row


class SelfCheck(Row):
    """*Pemeriksaan diri.* One line of one day's check; the newest of each name counts."""

    __tablename__ = "self_check"

    name: Mapped[str] = mapped_column(String(40))
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12))  # as at /sistem: Baik, Perhatian, Masalah
    figures: Mapped[str] = mapped_column(String(120), default="")
    sentence: Mapped[str] = mapped_column(String(300), default="")

    __table_args__ = (Index("ix_self_check_name", "name", "checked_at"),)


class InternetSpan(Row):
    """*Internet ada* or *putus*, without a gap in the measuring; the newest one goes on."""

    __tablename__ = "internet_span"

    target: Mapped[str] = mapped_column(String(100))  # what was tried, host:port
    is_there: Mapped[bool] = mapped_column(default=True)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime)  # of the last try
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the last try, if it failed

    __table_args__ = (Index("ix_internet_span_ended_at", "ended_at"),)
