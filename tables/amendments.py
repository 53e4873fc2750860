"""Corrections of finished examinations: what was changed, by whom, why, and who agreed."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, Row, enum_column, unique_where
from tables.people import User
from tables.records import Examination


class AmendmentState(StrEnum):
    APPLIED = "applied"
    WAITING = "waiting"
    REFUSED = "refused"


class Amendment(PublicRow):
    """*Pembetulan.* What one press changed; decided at most once, never changed afterwards.

    Without a decision it was applied at once. A refusal by who asked is a withdrawal.
    """

    __tablename__ = "amendment"

    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"), index=True)
    state: Mapped[AmendmentState] = enum_column(AmendmentState)
    reason: Mapped[str] = mapped_column(String(300))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decision_reason: Mapped[str] = mapped_column(String(300), default="")
    base_version: Mapped[int]  # of the examination, as the one who typed saw it
    applied_version: Mapped[int | None]  # of the examination, once it holds the new text

    examination: Mapped[Examination] = relationship()
    requested_by: Mapped[User] = relationship(foreign_keys=requested_by_id)
    decided_by: Mapped[User | None] = relationship(foreign_keys=decided_by_id)
    lines: Mapped[list["AmendmentLine"]] = relationship(order_by="AmendmentLine.id")

    __table_args__ = (
        UniqueConstraint("examination_id", "applied_version"),
        CheckConstraint("length(reason) > 0", name="reason"),
        CheckConstraint("(decided_at IS NULL) = (decided_by_id IS NULL)", name="decided"),
        CheckConstraint("(state = 'applied') = (applied_version IS NOT NULL)", name="applied"),
        CheckConstraint("state <> 'waiting' OR decided_at IS NULL", name="waiting"),
        CheckConstraint(
            "state <> 'refused' OR (decided_at IS NOT NULL AND length(decision_reason) > 0)",
            name="refused",
        ),
        # Nobody approves what they asked for themselves.
        CheckConstraint(
            "state <> 'applied' OR decided_by_id IS NULL OR decided_by_id <> requested_by_id",
            name="two_people",
        ),
        unique_where(
            "uq_amendment_waiting", "state = 'waiting'", "examination_id", "requested_by_id"
        ),
        Index("ix_amendment_state", "state", "id"),
    )


class AmendmentLine(Row):
    """One changed part, whole, before and after; triggers keep it as it was written.

    Diagnoses and vital signs are JSON (`clinic.amended_fields`). `subject_ref` is the row of
    vital signs that is corrected, `result_ref` the one that takes its place.
    """

    __tablename__ = "amendment_line"

    amendment_id: Mapped[int] = mapped_column(ForeignKey("amendment.id"), index=True)
    field: Mapped[str] = mapped_column(String(24))
    subject_ref: Mapped[str] = mapped_column(String(36), default="")
    result_ref: Mapped[str] = mapped_column(String(36), default="")
    old_value: Mapped[str] = mapped_column(Text)
    new_value: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("amendment_id", "field", "subject_ref"),
        CheckConstraint("old_value <> new_value", name="differs"),
    )
