"""Paper slips for when power or server is gone: printed in blocks, entered one by one."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, Row, index_where
from tables.people import User
from tables.visits import Visit


class SlipBlock(PublicRow):
    """*Blok slip.* Numbers that were printed once, by whom and when."""

    __tablename__ = "slip_block"

    form_key: Mapped[str] = mapped_column(String(64), unique=True)  # two presses, one block
    first_number: Mapped[int] = mapped_column(unique=True)
    last_number: Mapped[int] = mapped_column(unique=True)
    printed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    printed_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))

    printed_by: Mapped[User] = relationship()


class Slip(Row):
    """*Slip kertas.* One number: free, the key of its one visit, or void."""

    __tablename__ = "slip"

    block_id: Mapped[int] = mapped_column(ForeignKey("slip_block.id"), index=True)
    number: Mapped[int] = mapped_column(unique=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"), unique=True)
    was_served: Mapped[bool] = mapped_column(default=False)
    # Served on paper, and the room's staff have not written the examination down yet.
    unwritten_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When and by whom it was entered, or marked void.
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    void_reason: Mapped[str] = mapped_column(String(300), default="")

    block: Mapped[SlipBlock] = relationship()
    visit: Mapped[Visit | None] = relationship()
    ended_by: Mapped[User | None] = relationship()

    __table_args__ = (index_where("ix_slip_unwritten", "unwritten_since IS NOT NULL", "visit_id"),)
