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
