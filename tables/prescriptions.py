"""Prescriptions: what was ordered, in which words, and which warnings were answered how."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, Row, enum_column, index_where, unique_where
from tables.medicines import Medicine
from tables.people import Practitioner, User
from tables.records import Examination
from tables.visits import Visit

Amount = Numeric(10, 3)


class PrescriptionState(StrEnum):
    DRAFT = "draft"  # with the examination's draft; the pharmacy does not see it
    SENT = "sent"
    REVIEWED = "reviewed"
    DISPENSED = "dispensed"
    PARTIAL = "partial"  # closed, not all of it was given
    CANCELLED = "cancelled"


class Prescription(PublicRow):
    """*Resep* of one examination; at most one that was not cancelled."""

    __tablename__ = "prescription"

    number: Mapped[str | None] = mapped_column(String(24), unique=True)  # from "Selesai" on
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"))
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"))
    state: Mapped[PrescriptionState] = enum_column(
        PrescriptionState, default=PrescriptionState.DRAFT
    )
    note: Mapped[str] = mapped_column(String(300), default="")  # to the pharmacy
    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # dispensed, partial, cancelled
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    close_reason: Mapped[str] = mapped_column(String(300), default="")

    visit: Mapped[Visit] = relationship()
    examination: Mapped[Examination] = relationship()
    practitioner: Mapped[Practitioner | None] = relationship()
    recorded_by: Mapped[User] = relationship(foreign_keys=recorded_by_id)
    reviewed_by: Mapped[User | None] = relationship(foreign_keys=reviewed_by_id)
    closed_by: Mapped[User | None] = relationship(foreign_keys=closed_by_id)
    lines: Mapped[list["PrescriptionLine"]] = relationship(
        order_by="PrescriptionLine.position, PrescriptionLine.id", back_populates="prescription"
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        index_where("ix_prescription_open", "state IN ('sent', 'reviewed')", "visit_id"),
        unique_where("uq_prescription_examination", "state <> 'cancelled'", "examination_id"),
        CheckConstraint(
            "state IN ('draft', 'cancelled') OR (number IS NOT NULL AND sent_at IS NOT NULL)",
            name="sent",
        ),
        CheckConstraint("(reviewed_at IS NULL) = (reviewed_by_id IS NULL)", name="reviewed"),
        CheckConstraint(
            "(state IN ('dispensed', 'partial', 'cancelled')) = (closed_at IS NOT NULL)"
            " AND (closed_at IS NULL) = (closed_by_id IS NULL)",
            name="closed",
        ),
        CheckConstraint(
            "state NOT IN ('partial', 'cancelled') OR close_reason <> ''", name="close_reason"
        ),
    )


class PrescriptionLine(PublicRow):
    """One medicine, or one compound (*racikan*) of several; a change ends it and adds another.

    What is not on the clinic's list has no medicine: it is written for an outside pharmacy.
    """

    __tablename__ = "prescription_line"

    prescription_id: Mapped[int] = mapped_column(ForeignKey("prescription.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    medicine_id: Mapped[int | None] = mapped_column(ForeignKey("medicine.id"))
    title: Mapped[str] = mapped_column(String(160))  # as it was written: name, strength, form
    is_compound: Mapped[bool] = mapped_column(default=False)
    dose: Mapped[Decimal | None] = mapped_column(Amount)
    dose_unit: Mapped[str] = mapped_column(String(20), default="")
    times_a_day: Mapped[int | None]
    days: Mapped[int | None]
    is_as_needed: Mapped[bool] = mapped_column(default=False)
    # Units; of a compound, packets. Empty only in a draft that is not complete yet.
    quantity: Mapped[Decimal | None] = mapped_column(Amount)
    unit: Mapped[str] = mapped_column(String(20))
    instruction: Mapped[str] = mapped_column(String(200), default="")
    # The pharmacy's substitute names what it stands for, and why.
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("prescription_line.id"))
    replace_reason: Mapped[str] = mapped_column(String(300), default="")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    end_reason: Mapped[str] = mapped_column(String(300), default="")

    prescription: Mapped[Prescription] = relationship(back_populates="lines")
    medicine: Mapped[Medicine | None] = relationship()
    recorded_by: Mapped[User] = relationship(foreign_keys=recorded_by_id)
    replaces: Mapped["PrescriptionLine | None"] = relationship(remote_side="PrescriptionLine.id")
    components: Mapped[list["PrescriptionComponent"]] = relationship(
        order_by="PrescriptionComponent.position, PrescriptionComponent.id", back_populates="line"
    )

    __table_args__ = (
        CheckConstraint("title <> ''", name="title"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("dose IS NULL OR dose > 0", name="dose"),
        CheckConstraint("times_a_day IS NULL OR times_a_day BETWEEN 1 AND 24", name="times_a_day"),
        CheckConstraint("days IS NULL OR days BETWEEN 1 AND 365", name="days"),
        CheckConstraint("NOT is_compound OR medicine_id IS NULL", name="compound"),
        CheckConstraint("(replaces_id IS NULL) = (replace_reason = '')", name="replaces"),
        CheckConstraint("(ended_at IS NULL) = (ended_by_id IS NULL)", name="ended"),
    )


class PrescriptionComponent(Row):
    """What one packet of a compound holds; written once with its line."""

    __tablename__ = "prescription_component"

    line_id: Mapped[int] = mapped_column(ForeignKey("prescription_line.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    medicine_id: Mapped[int | None] = mapped_column(ForeignKey("medicine.id"))
    title: Mapped[str] = mapped_column(String(160))
    amount: Mapped[Decimal] = mapped_column(Amount)  # of `unit`, in one packet
    unit: Mapped[str] = mapped_column(String(20))

    line: Mapped[PrescriptionLine] = relationship(back_populates="components")
    medicine: Mapped[Medicine | None] = relationship()

    __table_args__ = (CheckConstraint("amount > 0", name="amount"),)


class PrescriptionWarning(Row):
    """*Peringatan* (allergy, the same ingredient twice ...) and the reason it was overridden."""

    __tablename__ = "prescription_warning"

    prescription_id: Mapped[int] = mapped_column(ForeignKey("prescription.id"))
    line_id: Mapped[int | None] = mapped_column(ForeignKey("prescription_line.id"))
    rule: Mapped[str] = mapped_column(String(24))
    subject: Mapped[str] = mapped_column(String(200))  # what it is about, as a key
    message: Mapped[str] = mapped_column(String(300))
    reason: Mapped[str] = mapped_column(String(300))
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    answered_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the warning is no longer true

    answered_by: Mapped[User] = relationship()

    __table_args__ = (
        unique_where(
            "uq_prescription_warning", "ended_at IS NULL", *("prescription_id", "rule", "subject")
        ),
        CheckConstraint("reason <> ''", name="reason"),
    )
