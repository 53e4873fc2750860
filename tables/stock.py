"""The pharmacy's stock: batches with their balance, and the moves that it comes from."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, enum_column, unique_where
from tables.medicines import Medicine
from tables.people import User

Quantity = Numeric(12, 3)


class StockBatch(PublicRow):
    """*Batch.* Of one medicine, counted in its unit. The balance changes with a move alone."""

    __tablename__ = "stock_batch"

    medicine_id: Mapped[int] = mapped_column(ForeignKey("medicine.id"))
    number: Mapped[str] = mapped_column(String(40))  # '' for what was given beyond the ledger
    expires_on: Mapped[date | None]
    balance: Mapped[Decimal] = mapped_column(Quantity, default=Decimal(0))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))

    medicine: Mapped[Medicine] = relationship()

    __table_args__ = (
        UniqueConstraint("medicine_id", "number", "expires_on"),
        unique_where("uq_stock_batch_nameless", "number = ''", "medicine_id"),
        CheckConstraint("number = '' OR expires_on IS NOT NULL", name="expires_on"),
    )


class StockMoveKind(StrEnum):
    IN = "in"
    OUT = "out"
    CORRECTION = "correction"  # counted another amount than the ledger said
    EXPIRY = "expiry"
    RETURN = "return"  # handed out, and given back


class StockMove(PublicRow):
    """*Mutasi stok.* Insert-only (triggers): a mistake is righted by another move."""

    __tablename__ = "stock_move"

    batch_id: Mapped[int] = mapped_column(ForeignKey("stock_batch.id"), index=True)
    kind: Mapped[StockMoveKind] = enum_column(StockMoveKind)
    quantity: Mapped[Decimal] = mapped_column(Quantity)  # signed
    balance_after: Mapped[Decimal] = mapped_column(Quantity)
    reason: Mapped[str] = mapped_column(String(300), default="")
    source: Mapped[str] = mapped_column(String(100), default="")  # supplier, delivery note
    # What it was handed out by, or is given back from.
    dispensing_id: Mapped[int | None] = mapped_column(ForeignKey("dispensing.id"), index=True)
    key: Mapped[str | None] = mapped_column(String(80), unique=True)  # of the press that made it
    moved_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    moved_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))

    batch: Mapped[StockBatch] = relationship()
    moved_by: Mapped[User] = relationship()

    __table_args__ = (
        CheckConstraint("balance_after >= 0 OR reason <> ''", name="never_negative"),
        CheckConstraint("quantity <> 0", name="quantity"),
        CheckConstraint(
            "kind = 'correction' OR (quantity > 0) = (kind IN ('in', 'return'))", name="sign"
        ),
        CheckConstraint(
            "kind NOT IN ('correction', 'expiry', 'return') OR reason <> ''", name="reason"
        ),
    )
