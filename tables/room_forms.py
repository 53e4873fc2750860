"""What single rooms ask: answers of their forms, immunisations, the screening desk's note."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, enum_column, unique_where
from tables.people import User
from tables.records import Examination
from tables.visits import Visit

_CURRENT = "ended_at IS NULL"


class ExaminationAnswer(PublicRow):
    """*Isian ruang.* One answer of a room's form (`clinic.form_items`); ended and added.

    No row: nothing was answered.
    """

    __tablename__ = "examination_answer"

    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"), index=True)
    form: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(24))
    value: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    examination: Mapped[Examination] = relationship()

    __table_args__ = (
        unique_where("uq_examination_answer_current", _CURRENT, "examination_id", "code"),
        CheckConstraint("value <> ''", name="value"),
        CheckConstraint("(ended_at IS NULL) = (ended_by_id IS NULL)", name="ended"),
    )


class Immunization(PublicRow):
    """*Imunisasi* noted in a visit; also one given elsewhere, that a card tells of.

    A mistake ends with a reason and is noted anew.
    """

    __tablename__ = "immunization"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    vaccine: Mapped[str] = mapped_column(String(16))  # a code of clinic.vaccines
    dose: Mapped[int]
    given_on: Mapped[date]
    batch: Mapped[str] = mapped_column(String(40), default="")
    site: Mapped[str] = mapped_column(String(40), default="")
    given_by: Mapped[str] = mapped_column(String(80), default="")  # who, or where elsewhere
    override_reason: Mapped[str] = mapped_column(String(300), default="")  # of a warning
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    end_reason: Mapped[str] = mapped_column(String(300), default="")

    visit: Mapped[Visit] = relationship()
    recorded_by: Mapped[User] = relationship(foreign_keys=recorded_by_id)
    ended_by: Mapped[User | None] = relationship(foreign_keys=ended_by_id)

    __table_args__ = (
        unique_where("uq_immunization_current", _CURRENT, "visit_id", "vaccine", "dose"),
        CheckConstraint("dose BETWEEN 0 AND 9", name="dose"),
        CheckConstraint(
            "(ended_at IS NULL) = (ended_by_id IS NULL) AND (ended_at IS NULL) = (end_reason = '')",
            name="ended",
        ),
    )


class TriagePriority(StrEnum):
    RED = "merah"
    YELLOW = "kuning"
    GREEN = "hijau"


class TriageNote(PublicRow):
    """*Catatan triase.* What the screening desk saw and proposes; one current one a person."""

    __tablename__ = "triage_note"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    seen: Mapped[str] = mapped_column(String(300), default="")
    priority: Mapped[TriagePriority | None] = enum_column(TriagePriority)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str] = mapped_column(String(300), default="", server_default="")

    recorded_by: Mapped[User] = relationship()

    __table_args__ = (
        unique_where("uq_triage_note_current", _CURRENT, "visit_id", "recorded_by_id"),
        CheckConstraint("seen <> '' OR priority IS NOT NULL", name="content"),
    )
