"""Papers that were handed out: what stood on each, and what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, enum_column, unique_where
from tables.people import User
from tables.records import Examination
from tables.visits import Visit


class PaperKind(StrEnum):
    SUMMARY = "ringkasan"
    SICK = "sakit"
    HEALTH = "sehat"
    REFERRAL = "rujukan"
    INTERNAL = "rujukan-internal"
    LAB = "lab"


class PaperState(StrEnum):
    ISSUED = "issued"
    REPLACED = "replaced"
    CANCELLED = "cancelled"


_IN_FORCE = "state = 'issued'"


class Paper(PublicRow):
    """*Surat.* Kept word for word as it was printed; it is cancelled or replaced, never changed."""

    __tablename__ = "paper"

    kind: Mapped[PaperKind] = enum_column(PaperKind)
    number: Mapped[str] = mapped_column(String(60), unique=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"))
    # What tells two papers of one kind apart: to whom, for what, which laboratory order.
    subject: Mapped[str] = mapped_column(String(200), default="")
    form_key: Mapped[str] = mapped_column(String(64), unique=True)  # two presses, one paper
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)  # as typed, for one that replaces it
    content: Mapped[dict[str, Any]] = mapped_column(JSON)  # as printed, see clinic.paper_content
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    issued_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    state: Mapped[PaperState] = enum_column(PaperState, default=PaperState.ISSUED)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("paper.id"), unique=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    end_reason: Mapped[str] = mapped_column(String(300), default="")

    visit: Mapped[Visit] = relationship()
    examination: Mapped[Examination] = relationship()
    issued_by: Mapped[User] = relationship(foreign_keys=issued_by_id)
    ended_by: Mapped[User | None] = relationship(foreign_keys=ended_by_id)
    replaces: Mapped["Paper | None"] = relationship(
        remote_side="Paper.id", foreign_keys=replaces_id, back_populates="replaced_by"
    )
    replaced_by: Mapped["Paper | None"] = relationship(
        foreign_keys=replaces_id, back_populates="replaces", uselist=False
    )

    __table_args__ = (
        unique_where("uq_paper_in_force", _IN_FORCE, "examination_id", "kind", "subject"),
        CheckConstraint(
            "(state = 'issued') = (ended_at IS NULL) AND (state = 'issued') = (ended_by_id IS NULL)"
            " AND (state = 'issued') = (end_reason = '')",
            name="ended",
        ),
        CheckConstraint("number <> ''", name="number"),
    )
