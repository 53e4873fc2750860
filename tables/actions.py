"""What is done for a patient: the clinic's list of actions, and those of an examination."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, Row


class ActionTerm(Row):
    """*Tindakan* of the clinic's list, kept by the head; ended (`is_active`), never removed."""

    __tablename__ = "action_term"

    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    synonyms: Mapped[str] = mapped_column(String(200), default="")
    icd9_code: Mapped[str] = mapped_column(String(8), default="")  # ICD-9-CM volume 3, if sure
    rooms: Mapped[str] = mapped_column(Text, default="")  # codes between spaces; "" all
    words: Mapped[str] = mapped_column(Text)  # folded: code, name, synonyms
    is_active: Mapped[bool] = mapped_column(default=True)

    @property
    def room_list(self) -> list[str]:
        return self.rooms.split()


class Procedure(PublicRow):
    """*Tindakan* that was done. Ended and added like a diagnosis; code "" for text alone."""

    __tablename__ = "procedure"

    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"), index=True)
    code: Mapped[str] = mapped_column(String(16), default="")  # of the clinic's list
    title: Mapped[str] = mapped_column(String(300))
    icd9_code: Mapped[str] = mapped_column(String(8), default="")  # as the list had it then
    quantity: Mapped[int] = mapped_column(default=1)
    note: Mapped[str] = mapped_column(String(200), default="")  # which tooth, side, dose
    position: Mapped[int] = mapped_column(default=0)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    __table_args__ = (
        CheckConstraint("quantity BETWEEN 1 AND 99", name="quantity"),
        CheckConstraint("title <> ''", name="title"),
        CheckConstraint("(ended_at IS NULL) = (ended_by_id IS NULL)", name="ended"),
    )
