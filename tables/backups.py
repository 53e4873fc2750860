"""Backups: what was taken, where its copies are, and whether one was ever read back."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, Row, enum_column
from tables.people import User


class BackupKind(StrEnum):
    PERIODIC = "periodic"
    CLOSE = "close"
    BEFORE_UPGRADE = "before_upgrade"
    MANUAL = "manual"


class BackupState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DOUBTFUL = "doubtful"  # kept, but a check found something: the earlier ones are not rotated
    FAILED = "failed"


class Backup(PublicRow):
    """*Cadangan.* One snapshot of the whole database, checked, encrypted and copied."""

    __tablename__ = "backup"

    kind: Mapped[BackupKind] = enum_column(BackupKind)
    state: Mapped[BackupState] = enum_column(BackupState, default=BackupState.WAITING, index=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    attempts: Mapped[int] = mapped_column(default=0)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    name: Mapped[str] = mapped_column(String(80), default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    digest: Mapped[str] = mapped_column(String(64), default="")
    patients: Mapped[int] = mapped_column(default=0)
    visits: Mapped[int] = mapped_column(default=0)
    audit_seq: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(String(500), default="")

    asked_by: Mapped[User | None] = relationship()
    copies: Mapped[list["BackupCopy"]] = relationship(
        back_populates="backup", order_by="BackupCopy.id"
    )

    __table_args__ = (
        CheckConstraint("state <> 'done' OR (name <> '' AND digest <> '')", name="done"),
    )


class CopyState(StrEnum):
    GOOD = "good"
    BAD = "bad"
    ROTATED = "rotated"  # gone again, as younger ones took its turn


class BackupCopy(Row):
    """*Salinan.* A backup at one place, as it was last read back from there."""

    __tablename__ = "backup_copy"

    backup_id: Mapped[int] = mapped_column(ForeignKey("backup.id"))
    place: Mapped[str] = mapped_column(String(300))
    state: Mapped[CopyState] = enum_column(CopyState)
    reason: Mapped[str] = mapped_column(String(300), default="")
    tried_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reread_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    backup: Mapped[Backup] = relationship(back_populates="copies")

    __table_args__ = (
        UniqueConstraint("backup_id", "place"),
        Index("ix_backup_copy_place", "place", "id"),
        CheckConstraint("state <> 'bad' OR reason <> ''", name="reason"),
    )


class DrillKind(StrEnum):
    NIGHTLY = "nightly"  # the snapshot kept here, by the worker
    PAPER = "paper"  # an encrypted file, with the key on the head's card


class Drill(PublicRow):
    """*Latihan pemulihan.* A backup was restored aside and read; what that showed."""

    __tablename__ = "drill"

    kind: Mapped[DrillKind] = enum_column(DrillKind)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    name: Mapped[str] = mapped_column(String(80))  # of the backup's file
    is_good: Mapped[bool]
    patients: Mapped[int] = mapped_column(default=0)  # compared, one by one
    copies: Mapped[int] = mapped_column(default=0)  # re-read, with the right hash
    problem: Mapped[str] = mapped_column(String(500), default="")

    by: Mapped[User | None] = relationship()

    __table_args__ = (
        Index("ix_drill_newest", "kind", "at"),
        CheckConstraint("is_good OR problem <> ''", name="problem"),
    )
