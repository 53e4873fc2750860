"""The laboratory: the clinic's tests with their ranges, orders, and results that are never lost."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, Row, enum_column, index_where, unique_where
from tables.people import User
from tables.queues import QueueEntry
from tables.reference import Counted
from tables.visits import Visit

Measure = Numeric(12, 4)


class LabKind(StrEnum):
    NUMERIC = "numeric"
    CHOICE = "choice"
    TEXT = "text"


class LabTest(Counted, Row):
    """*Jenis pemeriksaan.* What the laboratory can do, in which unit and by which answers."""

    __tablename__ = "lab_test"

    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    group: Mapped[str] = mapped_column("group_name", String(40))
    unit: Mapped[str] = mapped_column(String(20), default="")
    kind: Mapped[LabKind] = enum_column(LabKind)
    decimals: Mapped[int] = mapped_column(default=0)
    choices: Mapped[str] = mapped_column(Text, default="")  # parted by |
    abnormal: Mapped[str] = mapped_column(Text, default="")  # those of the choices, parted by |
    critical: Mapped[str] = mapped_column(Text, default="", server_default="")  # of the abnormal
    # Outside of these a number is asked for twice: a slip of the hand.
    plausible_low: Mapped[Decimal | None] = mapped_column(Measure)
    plausible_high: Mapped[Decimal | None] = mapped_column(Measure)
    loinc: Mapped[str] = mapped_column(String(12), default="")
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)

    references: Mapped[list["LabReference"]] = relationship(
        order_by="LabReference.age_from_months, LabReference.sex"
    )

    __table_args__ = (
        CheckConstraint("decimals BETWEEN 0 AND 4", name="decimals"),
        CheckConstraint("kind <> 'choice' OR choices <> ''", name="choices"),
    )

    @property
    def choice_list(self) -> list[str]:
        return [each for each in self.choices.split("|") if each]

    @property
    def abnormal_list(self) -> list[str]:
        return [each for each in self.abnormal.split("|") if each]

    @property
    def critical_list(self) -> list[str]:
        return [each for each in self.critical.split("|") if each]


class LabReference(Row):
    """*Nilai rujukan* of a test by sex and age; a change ends a row and adds one.

    `sex` is '' for both, and H (*hamil*) for pregnant women.
    """

    __tablename__ = "lab_reference"

    test_id: Mapped[int] = mapped_column(ForeignKey("lab_test.id"))
    sex: Mapped[str] = mapped_column(String(1), default="")
    age_from_months: Mapped[int] = mapped_column(default=0)
    age_below_months: Mapped[int | None]
    low: Mapped[Decimal | None] = mapped_column(Measure)
    high: Mapped[Decimal | None] = mapped_column(Measure)
    critical_low: Mapped[Decimal | None] = mapped_column(Measure)
    critical_high: Mapped[Decimal | None] = mapped_column(Measure)
    is_active: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (
        unique_where(
            "uq_lab_reference_in_force", "is_active", *("test_id", "sex", "age_from_months")
        ),
        CheckConstraint("sex IN ('', 'L', 'P', 'H')", name="sex"),
        CheckConstraint("age_from_months >= 0", name="age_from"),
        CheckConstraint("age_below_months > age_from_months", name="ages"),
        CheckConstraint("low <= high", name="range"),
        CheckConstraint("critical_low < low", name="critical_low"),
        CheckConstraint("critical_high > high", name="critical_high"),
        CheckConstraint("critical_low < critical_high", name="critical"),
    )


class LabOrderState(StrEnum):
    ORDERED = "ordered"
    SAMPLED = "sampled"
    RESULTED = "resulted"
    VALIDATED = "validated"
    CANCELLED = "cancelled"


_IN_FORCE = "state <> 'cancelled'"


class LabOrder(PublicRow):
    """*Permintaan laboratorium* of one stay in a room; at most one that was not cancelled."""

    __tablename__ = "lab_order"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entry.id"))  # who asked
    state: Mapped[LabOrderState] = enum_column(LabOrderState, default=LabOrderState.ORDERED)
    note: Mapped[str] = mapped_column(String(500), default="")
    # As the clinic's setting was when the results were finished.
    needs_validation: Mapped[bool] = mapped_column(default=False)
    ordered_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    ordered_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    resulted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    cancel_reason: Mapped[str] = mapped_column(String(300), default="")

    visit: Mapped[Visit] = relationship()
    entry: Mapped[QueueEntry] = relationship()
    ordered_by: Mapped[User] = relationship(foreign_keys=ordered_by_id)
    items: Mapped[list["LabOrderTest"]] = relationship(
        order_by="LabOrderTest.id", back_populates="order"
    )

    __table_args__ = (
        unique_where("uq_lab_order_entry", _IN_FORCE, "entry_id"),
        CheckConstraint(
            "(state = 'cancelled') = (cancelled_at IS NOT NULL)"
            " AND (state = 'cancelled') = (cancelled_by_id IS NOT NULL)"
            " AND (state = 'cancelled') = (cancel_reason <> '')",
            name="cancelled",
        ),
        CheckConstraint(
            "(state IN ('resulted', 'validated')) = (resulted_at IS NOT NULL)", name="resulted"
        ),
    )


class LabOrderTest(PublicRow):
    """One ordered test. Ended when the sender takes it off, or the laboratory says why not."""

    __tablename__ = "lab_order_test"

    order_id: Mapped[int] = mapped_column(ForeignKey("lab_order.id"), index=True)
    test_id: Mapped[int] = mapped_column(ForeignKey("lab_test.id"))
    sampled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sampled_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    not_done_reason: Mapped[str] = mapped_column(String(300), default="")

    order: Mapped[LabOrder] = relationship(back_populates="items")
    test: Mapped[LabTest] = relationship()
    sampled_by: Mapped[User | None] = relationship(foreign_keys=sampled_by_id)

    __table_args__ = (
        unique_where("uq_lab_order_test_asked", "ended_at IS NULL", "order_id", "test_id"),
        CheckConstraint("(sampled_at IS NULL) = (sampled_by_id IS NULL)", name="sampled"),
        CheckConstraint("(ended_at IS NULL) = (ended_by_id IS NULL)", name="ended"),
        CheckConstraint("ended_at IS NOT NULL OR not_done_reason = ''", name="not_done"),
    )


class LabFlag(StrEnum):
    NORMAL = "normal"
    LOW = "low"
    HIGH = "high"
    CRITICAL_LOW = "critical_low"
    CRITICAL_HIGH = "critical_high"
    ABNORMAL = "abnormal"
    CRITICAL = "critical"  # a choice


_CRITICAL = "'critical_low', 'critical_high', 'critical'"
_UNREAD = f"ended_at IS NULL AND read_at IS NULL AND flag IN ({_CRITICAL})"
_CORRECTED = f"ended_at IS NOT NULL AND flag IN ({_CRITICAL})"


class LabResult(PublicRow):
    """*Hasil.* One current one for an order's test; a correction ends it and adds another."""

    __tablename__ = "lab_result"

    order_id: Mapped[int] = mapped_column(ForeignKey("lab_order.id"))
    test_id: Mapped[int] = mapped_column(ForeignKey("lab_test.id"))
    value: Mapped[str] = mapped_column(String(500))  # as typed
    number: Mapped[Decimal | None] = mapped_column(Measure)
    flag: Mapped[LabFlag | None] = enum_column(LabFlag)  # None: nothing to judge it by
    # What it was judged by, as it was then.
    unit: Mapped[str] = mapped_column(String(20), default="")
    low: Mapped[Decimal | None] = mapped_column(Measure)
    high: Mapped[Decimal | None] = mapped_column(Measure)
    critical_low: Mapped[Decimal | None] = mapped_column(Measure)
    critical_high: Mapped[Decimal | None] = mapped_column(Measure)
    sampled_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sampled_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    resulted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    resulted_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    validated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    validated_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    # A critical value, or one in the place of such a value: who of the sender's room has seen it.
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    end_reason: Mapped[str] = mapped_column(String(300), default="")

    order: Mapped[LabOrder] = relationship()
    test: Mapped[LabTest] = relationship()
    resulted_by: Mapped[User] = relationship(foreign_keys=resulted_by_id)
    validated_by: Mapped[User | None] = relationship(foreign_keys=validated_by_id)

    __table_args__ = (
        Index("ix_lab_result_order", "order_id"),
        unique_where("uq_lab_result_current", "ended_at IS NULL", "order_id", "test_id"),
        index_where("ix_lab_result_unread", _UNREAD, "order_id"),
        index_where("ix_lab_result_corrected", _CORRECTED, "order_id"),
        CheckConstraint("value <> ''", name="value"),
        CheckConstraint(
            "flag IS NULL OR flag IN ('normal', 'abnormal', 'critical') OR number IS NOT NULL",
            name="number",
        ),
        CheckConstraint("validated_by_id <> resulted_by_id", name="second_person"),
        CheckConstraint("(validated_at IS NULL) = (validated_by_id IS NULL)", name="validated"),
        CheckConstraint("(read_at IS NULL) = (read_by_id IS NULL)", name="read"),
        CheckConstraint(
            "(ended_at IS NULL) = (ended_by_id IS NULL) AND (ended_at IS NULL) = (end_reason = '')",
            name="ended",
        ),
    )
