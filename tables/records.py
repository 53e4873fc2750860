"""What is found and done: examinations, vital signs, diagnoses, allergies."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Numeric,
    String,
    Text,
    case,
    false,
    type_coerce,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from db import UtcDateTime, utcnow
from tables.columns import PublicRow, Row, enum_column, index_where, unique_where
from tables.people import Practitioner, User
from tables.queues import QueueEntry
from tables.reference import Poli
from tables.visits import Source, Visit


class Disposition(StrEnum):
    HOME = "pulang"
    CONTROL = "kontrol"
    INTERNAL = "rujuk_internal"
    EXTERNAL = "rujuk_eksternal"


class Death(StrEnum):
    """*Meninggal*, here or before the arrival: the other ways in which a stay ends."""

    HERE = "meninggal"
    ON_ARRIVAL = "doa"


class Examination(PublicRow):
    """*Pemeriksaan.* One for each queue entry; once finished, addenda and amendments only."""

    __tablename__ = "examination"

    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entry.id"), unique=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"))
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    subjective: Mapped[str] = mapped_column(Text, default="")
    objective: Mapped[str] = mapped_column(Text, default="")
    assessment: Mapped[str] = mapped_column(Text, default="")
    plan: Mapped[str] = mapped_column(Text, default="")
    therapy: Mapped[str] = mapped_column(Text, default="")
    leads_to: Mapped[Disposition | None] = enum_column(Disposition, name="disposition")
    refer_to: Mapped[str] = mapped_column(String(120), default="")  # poli code or where to
    # In a column of its own: SQLite can't widen the rule of the other one's values.
    death: Mapped[str] = mapped_column(String(12), default="", server_default="")
    death_time: Mapped[str] = mapped_column(String(5), default="", server_default="")  # 08.05
    version: Mapped[int] = mapped_column(default=1)
    source: Mapped[Source] = enum_column(Source, default=Source.LIVE)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    entry: Mapped[QueueEntry] = relationship(back_populates="examination")
    visit: Mapped[Visit] = relationship()
    practitioner: Mapped[Practitioner | None] = relationship()
    recorded_by: Mapped[User] = relationship()
    refer_room: Mapped[Poli | None] = relationship(
        primaryjoin=lambda: foreign(Examination.refer_to) == Poli.code, viewonly=True
    )
    diagnoses: Mapped[list["Diagnosis"]] = relationship(order_by="Diagnosis.position")
    addenda: Mapped[list["Addendum"]] = relationship(order_by="Addendum.id")

    __table_args__ = (index_where("ix_examination_death", "death <> ''", "visit_id"),)
    __mapper_args__ = {"version_id_col": version}

    @property
    def refer_name(self) -> str:
        """Where the patient is sent, as people say it: a room by its name, not its code."""
        room = self.refer_room if self.leads_to == Disposition.INTERNAL else None
        return room.name if room else self.refer_to

    @hybrid_property
    def disposition(self) -> Disposition | Death | None:
        """*Tindak lanjut*: where to, or the death."""
        return Death(self.death) if self.death else self.leads_to

    @disposition.inplace.setter
    def _end_with(self, ending: str | None) -> None:
        has_died = ending in list(Death)
        self.death, self.leads_to = (ending, None) if has_died else ("", ending)

    @disposition.inplace.expression
    @classmethod
    def _of_either(cls) -> ColumnElement[str]:
        return case((cls.death != "", cls.death), else_=type_coerce(cls.leads_to, String))


class Addendum(PublicRow):
    """*Tambahan.* Written after an examination was finished."""

    __tablename__ = "addendum"

    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))

    recorded_by: Mapped[User] = relationship()


_POSITIVE = (
    "systolic > 0 AND diastolic > 0 AND pulse > 0 AND respiration > 0"
    " AND temperature > 0 AND weight > 0 AND height > 0 AND saturation > 0"
)


class VitalSigns(PublicRow):
    """*Tanda vital.* Measured once, by one person; a correction ends the row and adds another."""

    __tablename__ = "vital_signs"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("queue_entry.id"))
    systolic: Mapped[int | None]  # mmHg
    diastolic: Mapped[int | None]  # mmHg
    pulse: Mapped[int | None]  # per minute
    respiration: Mapped[int | None]  # per minute
    temperature: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))  # degrees Celsius
    weight: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))  # kg
    height: Mapped[Decimal | None] = mapped_column(Numeric(5, 1))  # cm
    saturation: Mapped[int | None]  # percent
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    source: Mapped[Source] = enum_column(Source, default=Source.LIVE)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    recorded_by: Mapped[User] = relationship()

    __table_args__ = (CheckConstraint(_POSITIVE, name="positive"),)


class CaseType(StrEnum):
    NEW = "baru"
    OLD = "lama"


_PRIMARY_NOW = "is_primary AND ended_at IS NULL"


class Diagnosis(PublicRow):
    """*Diagnosis.* Ended and added, never wiped by a form save."""

    __tablename__ = "diagnosis"

    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"), index=True)
    code: Mapped[str] = mapped_column(String(16), index=True)  # an unknown code is kept as text
    title: Mapped[str] = mapped_column(String(300))
    edition: Mapped[str] = mapped_column(String(16), default="")
    case_type: Mapped[CaseType] = enum_column(CaseType)
    is_primary: Mapped[bool] = mapped_column(default=False)
    # The rule of sex or age that asked for a reason, and the reason; "" where none did.
    warned_by: Mapped[str] = mapped_column(String(16), default="", server_default="")
    override_reason: Mapped[str] = mapped_column(String(300), default="", server_default="")
    position: Mapped[int] = mapped_column(default=0)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    __table_args__ = (unique_where("uq_diagnosis_primary", _PRIMARY_NOW, "examination_id"),)


class Allergy(PublicRow):
    """*Alergi*, or another thing to beware of (falls, deafness), which warns of no medicine.

    Belongs to the person; ended with a reason, never removed.
    """

    __tablename__ = "allergy"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    original_patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    substance: Mapped[str] = mapped_column(String(100))
    reaction: Mapped[str] = mapped_column(String(200), default="")
    is_alert: Mapped[bool] = mapped_column(default=False, server_default=false())
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    end_reason: Mapped[str] = mapped_column(String(300), default="")

    recorded_by: Mapped[User] = relationship(foreign_keys=recorded_by_id)
    ended_by: Mapped[User | None] = relationship(foreign_keys=ended_by_id)


class RecordAccess(Row):
    """*Izin membuka rekam medis* of a patient who is not in one's rooms: why, until when."""

    __tablename__ = "record_access"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    patient_ref: Mapped[str] = mapped_column(String(36), index=True)  # public_id
    reason: Mapped[str] = mapped_column(String(300))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
