"""What keeps the house in order: audit trail, outbox, signs of life."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, UtcDateTime, utcnow
from tables.columns import PublicRow, enum_column


class AuditEntry(Base):
    """*Jejak audit.* Insert-only (triggers), chained by an HMAC with a key kept elsewhere."""

    __tablename__ = "audit_entry"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    device: Mapped[str] = mapped_column(String(80), default="")
    action: Mapped[str] = mapped_column(String(40), index=True)
    object_type: Mapped[str] = mapped_column(String(24), default="")
    object_ref: Mapped[str] = mapped_column(String(40), default="")  # public_id
    patient_ref: Mapped[str] = mapped_column(String(36), default="", index=True)  # public_id
    reason: Mapped[str] = mapped_column(String(300), default="")
    details: Mapped[str] = mapped_column(String(300), default="")  # no clinical text, no NIK
    hash: Mapped[str] = mapped_column(String(64))


class OutboxState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"


class OutboxEntry(PublicRow):
    """*Antrean kirim.* What must leave the building; the payload is built when it is sent."""

    __tablename__ = "outbox_entry"

    target: Mapped[str] = mapped_column(String(20))
    business_key: Mapped[str] = mapped_column(String(80), unique=True)
    subject_type: Mapped[str] = mapped_column(String(24))
    subject_ref: Mapped[str] = mapped_column(String(36))
    state: Mapped[OutboxState] = enum_column(OutboxState, default=OutboxState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    last_error: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_outbox_entry_due", "state", "next_at"),)


class WorkerBeat(Base):
    """The worker's sign of life."""

    __tablename__ = "worker_beat"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(String(200), default="")
