"""The pharmacy's work on a prescription: looked over, handed out from batches, given back."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, Row, unique_where
from tables.medicines import Medicine
from tables.people import User
from tables.prescriptions import Amount, PrescriptionComponent, PrescriptionLine
from tables.stock import StockBatch


class PrescriptionReview(Row):
    """*Telaah resep.* What was looked at before anything is handed out; written once."""

    __tablename__ = "prescription_review"

    prescription_id: Mapped[int] = mapped_column(ForeignKey("prescription.id"), index=True)
    is_administrative: Mapped[bool]
    is_pharmaceutical: Mapped[bool]
    is_clinical: Mapped[bool]
    problems: Mapped[str] = mapped_column(String(500), default="")
    reviewed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    reviewed_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))

    reviewed_by: Mapped[User] = relationship()

    __table_args__ = (
        CheckConstraint(
            "(is_administrative AND is_pharmaceutical AND is_clinical) OR problems <> ''",
            name="problems",
        ),
    )


class DispensedLine(Row):
    """What became of a prescription's line when its prescription was closed; written once."""

    __tablename__ = "dispensed_line"

    line_id: Mapped[int] = mapped_column(ForeignKey("prescription_line.id"), unique=True)
    asked: Mapped[Decimal] = mapped_column(Amount)
    given: Mapped[Decimal] = mapped_column(Amount)
    is_outside: Mapped[bool] = mapped_column(default=False)  # *resep luar*: only copied
    reason: Mapped[str] = mapped_column(String(300), default="")  # why less
    closed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    closed_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))

    line: Mapped[PrescriptionLine] = relationship()
    closed_by: Mapped[User] = relationship()

    __table_args__ = (
        CheckConstraint("given >= 0 AND given <= asked", name="given"),
        CheckConstraint("given = asked OR is_outside OR reason <> ''", name="reason"),
        CheckConstraint("NOT is_outside OR given = 0", name="outside"),
    )


class Dispensing(PublicRow):
    """*Penyerahan obat.* From one batch, for one line or one part of a compound.

    A return ends it; what stays with the patient is another row.
    """

    __tablename__ = "dispensing"

    line_id: Mapped[int] = mapped_column(ForeignKey("prescription_line.id"), index=True)
    component_id: Mapped[int | None] = mapped_column(ForeignKey("prescription_component.id"))
    medicine_id: Mapped[int] = mapped_column(ForeignKey("medicine.id"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("stock_batch.id"))
    quantity: Mapped[Decimal] = mapped_column(Amount)  # of the medicine's unit
    given_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    given_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    end_reason: Mapped[str] = mapped_column(String(300), default="")

    line: Mapped[PrescriptionLine] = relationship()
    component: Mapped[PrescriptionComponent | None] = relationship()
    medicine: Mapped[Medicine] = relationship()
    batch: Mapped[StockBatch] = relationship()
    given_by: Mapped[User] = relationship(foreign_keys=given_by_id)
    ended_by: Mapped[User | None] = relationship(foreign_keys=ended_by_id)

    __table_args__ = (
        unique_where(
            "uq_dispensing_held",
            "ended_at IS NULL AND component_id IS NOT NULL",
            *("line_id", "component_id", "batch_id"),
        ),
        unique_where(
            "uq_dispensing_line",
            "ended_at IS NULL AND component_id IS NULL",
            *("line_id", "batch_id"),
        ),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint(
            "(ended_at IS NULL) = (ended_by_id IS NULL) AND (ended_at IS NULL) = (end_reason = '')",
            name="ended",
        ),
    )
