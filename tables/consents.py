"""What patients have agreed to."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, enum_column
from tables.people import User


class ConsentDecision(StrEnum):
    GIVEN = "setuju"
    REFUSED = "menolak"


class Signer(StrEnum):
    PATIENT = "pasien"
    PARENT = "orang_tua"
    SPOUSE = "suami_istri"
    CHILD = "anak"
    GUARDIAN = "wali"


class Consent(PublicRow):
    """*Persetujuan umum.* What was signed on paper; a newer one ends it, nothing is changed."""

    __tablename__ = "consent"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    original_patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    decision: Mapped[ConsentDecision] = enum_column(ConsentDecision)
    signer: Mapped[Signer] = enum_column(Signer)
    signed_by: Mapped[str] = mapped_column(String(100))  # as on the paper
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    recorded_by: Mapped[User] = relationship(foreign_keys=recorded_by_id)

    __table_args__ = (CheckConstraint("length(signed_by) > 0", name="signed"),)
