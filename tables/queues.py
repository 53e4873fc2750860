"""The rooms' queues: a visit's stations, and every step with what undo puts back."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base, UtcDateTime, utcnow
from tables.columns import PublicRow, Row, enum_column, index_where, one_of, unique_where
from tables.reference import Poli
from tables.visits import Visit

if TYPE_CHECKING:
    from tables.records import Examination


class QueueState(Base):
    """The version of a room's queue on a day, raised by every change that its page shows."""

    __tablename__ = "queue_state"

    service_day_id: Mapped[int] = mapped_column(ForeignKey("service_day.id"), primary_key=True)
    poli_id: Mapped[int] = mapped_column(ForeignKey("poli.id"), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    # Priority patients called since the last regular one.
    priority_run: Mapped[int] = mapped_column(default=0)


class EntryKind(StrEnum):
    REGISTERED = "registered"
    MOVED = "moved"
    REFERRED = "referred"
    ORDERED = "ordered"
    RESULT_BACK = "result_back"


class EntryState(StrEnum):
    WAITING = "waiting"
    CALLED = "called"
    IN_SERVICE = "in_service"
    AWAITING_RESULT = "awaiting_result"
    DONE = "done"
    SKIPPED = "skipped"
    MOVED = "moved"
    CANCELLED = "cancelled"
    LEFT = "left"
    UNFINISHED = "unfinished"


_STILL_HERE = "state IN ('waiting','called','in_service','awaiting_result','skipped')"


class QueueEntry(PublicRow):
    """*Antrean.* A visit's stay in one room's queue; a move ends one and starts the next."""

    __tablename__ = "queue_entry"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    service_day_id: Mapped[int] = mapped_column(ForeignKey("service_day.id"))
    poli_id: Mapped[int] = mapped_column(ForeignKey("poli.id"))
    kind: Mapped[EntryKind] = enum_column(EntryKind, default=EntryKind.REGISTERED)
    previous_entry_id: Mapped[int | None] = mapped_column(ForeignKey("queue_entry.id"))
    state: Mapped[EntryState] = enum_column(EntryState, default=EntryState.WAITING)
    rank: Mapped[int] = mapped_column(default=2)  # 0 emergency, 1 back with a result, 2 others
    is_priority: Mapped[bool] = mapped_column(default=False)
    seq: Mapped[int]  # order of arrival within the day, in all rooms; kept by a move
    place: Mapped[int]  # place in line: seq * 1000, changed by "put back"
    calls: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(300), default="")
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    called_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    queued_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    visit: Mapped[Visit] = relationship(back_populates="entries")
    poli: Mapped[Poli] = relationship()
    previous_entry: Mapped["QueueEntry | None"] = relationship(remote_side="QueueEntry.id")
    examination: Mapped["Examination | None"] = relationship(back_populates="entry")

    __table_args__ = (
        CheckConstraint(f"NOT ({_STILL_HERE}) OR ended_at IS NULL", name="ended"),
        CheckConstraint("state <> 'in_service' OR started_at IS NOT NULL", name="started"),
        Index("ix_queue_entry_line", "service_day_id", "poli_id", "state"),
        Index("ix_queue_entry_room", "poli_id", "id"),  # a room's newest, for its favourites
        # Without the many NULLs, else SQLite's planner takes the index for worthless.
        index_where(
            "ix_queue_entry_previous", "previous_entry_id IS NOT NULL", "previous_entry_id"
        ),
        index_where("ix_queue_entry_unfinished", "state = 'unfinished'", "poli_id", "ended_at"),
        unique_where("uq_queue_entry_visit_room", _STILL_HERE, "visit_id", "poli_id"),
    )


class QueueEvent(Row):
    """*Riwayat antrean.* One change of state: who, when, why, and what undo puts back."""

    __tablename__ = "queue_event"

    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entry.id"), index=True)
    action: Mapped[str] = mapped_column(String(16))
    from_state: Mapped[EntryState | None] = enum_column(EntryState)
    to_state: Mapped[EntryState] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(String(300), default="")
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    key: Mapped[str | None] = mapped_column(String(64), unique=True)  # of a press, if it had one
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    entry: Mapped[QueueEntry] = relationship()

    __table_args__ = (one_of("to_state", EntryState),)
