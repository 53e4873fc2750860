"""*Tutup hari*: the steps that end a service day."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime
from tables.columns import Row, enum_column
from tables.people import User
from tables.visits import ServiceDay


class StepName(StrEnum):
    """In the order in which they are taken."""

    VISITS = "visits"
    BACKUP = "backup"
    REPORT = "report"
    OUTBOX = "outbox"


class StepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    OUTDATED = "outdated"  # the day went on after it


class ClosingStep(Row):
    """One step of one day: how its newest try went. Each try is in the audit trail."""

    __tablename__ = "closing_step"

    service_day_id: Mapped[int] = mapped_column(ForeignKey("service_day.id"))
    name: Mapped[StepName] = enum_column(StepName)
    state: Mapped[StepState] = enum_column(StepState, default=StepState.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(String(300), default="")  # what came of it, or why not
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))  # None: itself
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    day: Mapped[ServiceDay] = relationship()
    asked_by: Mapped[User | None] = relationship()

    __table_args__ = (UniqueConstraint("service_day_id", "name"),)
