"""What is typed and not saved yet: working storage beside the record."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db import UtcDateTime, utcnow
from tables.columns import Row
from tables.people import User
from tables.queues import QueueEntry


class UnsavedText(Row):
    """*Ketikan belum disimpan.* One row for each opened form; only its author ever sees it.

    It is not part of the record. When the form is saved or its text thrown away, the row ends and
    its fields are blanked; it stays a while, so that a late request of that form finds its step.
    """

    __tablename__ = "unsaved_text"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    entry_id: Mapped[int] = mapped_column(ForeignKey(QueueEntry.id))
    page: Mapped[str] = mapped_column(String(12), default="", server_default="")
    key: Mapped[str] = mapped_column(String(12))  # of the opened form
    step: Mapped[int] = mapped_column(default=0)  # requests of one form may overtake each other
    fields: Mapped[list[list[str]]] = mapped_column(JSON, default=list)  # name and value, as sent
    version: Mapped[int] = mapped_column(default=0)  # of the examination, as the form showed it
    typed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (UniqueConstraint("user_id", "entry_id", "key"),)


class KeptAnswer(Row):
    """The page that answered a form which was not stored (`clinic/answers.py`)."""

    __tablename__ = "kept_answer"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    key: Mapped[str] = mapped_column(String(12), unique=True)
    status: Mapped[int] = mapped_column()
    page: Mapped[bytes] = mapped_column(LargeBinary)  # zlib: one line about it, and the page
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
