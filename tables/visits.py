"""A day's work: drafts, visits with their numbers, and the queues."""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base, UtcDateTime, utcnow
from tables.columns import PublicRow, Row, enum_column, one_of
from tables.people import PAYERS, Patient, User
from tables.reference import Level

if TYPE_CHECKING:
    from tables.queues import QueueEntry


class ServiceDay(PublicRow):
    """*Hari layanan.* Opened once, by a save; neither midnight nor a clock jump resets it."""

    __tablename__ = "service_day"

    on: Mapped[date] = mapped_column("day_on", unique=True)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Counter(Base):
    """A dense counter, raised inside the save that uses it: a rollback gives the number back."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[int]


class DraftKind(StrEnum):
    NEW = "new"
    RETURNING = "returning"
    EMERGENCY = "emergency"
    IDENTITY = "identity"  # completes the identity of a visit's patient
    ROOM = "room"  # a further room for a visit of today


class RegistrationDraft(PublicRow):
    """*Pendaftaran belum disimpan.* Its id is the save's idempotency key."""

    __tablename__ = "registration_draft"

    kind: Mapped[DraftKind] = enum_column(DraftKind)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    patient_ref: Mapped[str | None] = mapped_column(String(36))  # public_id of a known patient
    # The visit that an IDENTITY or ROOM draft is about.
    about_visit_ref: Mapped[str | None] = mapped_column(String(36))
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)  # as typed
    # Of each likely patient that was asked about: public_id -> "beda", "ragu" or "" (no answer).
    answers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, server_default="{}")
    # Typed on the check page: rule -> reason, "" for one that answers all.
    reasons: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, server_default="{}")
    # Of a paper slip: what only its line says, as typed; see clinic.slips.
    paper: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # its form, where known
    drafted_on: Mapped[date] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    saved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dropped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The visit whose ticket a saved draft leads to.
    visit_ref: Mapped[str | None] = mapped_column(String(36))

    user: Mapped[User] = relationship()


class VisitStatus(StrEnum):
    OPEN = "open"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    LEFT = "left"
    UNFINISHED = "unfinished"


class Source(StrEnum):
    LIVE = "live"
    PAPER = "paper"
    IMPORT = "import"


class Priority(StrEnum):
    NONE = ""
    ELDERLY = "LANSIA"
    PREGNANT = "HAMIL"
    DISABLED = "DISABILITAS"
    TODDLER = "BALITA"
    EMERGENCY = "GAWAT"


# Their words stand in formatting.py.
VISIT_TYPES = ("SAKIT", "SEHAT")
BPJS_HOMES = ("", "sini", "lain")
PREGNANCIES = ("", "ya", "tidak", "nifas")
CLUSTERS = ("1", "2", "3", "4", "LINTAS")


class Visit(PublicRow):
    """*Kunjungan.* Snapshots what reports need as it was on the day."""

    __tablename__ = "visit"

    service_day_id: Mapped[int] = mapped_column(ForeignKey("service_day.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    original_patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    draft_id: Mapped[int | None] = mapped_column(ForeignKey("registration_draft.id"), unique=True)
    series: Mapped[str] = mapped_column(String(2))
    number: Mapped[int]
    label: Mapped[str] = mapped_column(String(8))  # what is called out, "U012"
    status: Mapped[VisitStatus] = enum_column(VisitStatus, default=VisitStatus.OPEN)
    visit_type: Mapped[str] = mapped_column(String(8), default="SAKIT")
    complaint: Mapped[str] = mapped_column(Text)
    payer: Mapped[str] = mapped_column(String(20))
    bpjs_number: Mapped[str | None] = mapped_column(String(13))
    # A JKN member's own clinic: sini, lain, or empty where nobody asked.
    bpjs_home: Mapped[str] = mapped_column(String(4), default="", server_default="")
    village: Mapped[str | None] = mapped_column(String(60))
    is_in_area: Mapped[bool | None]
    pregnant: Mapped[str] = mapped_column(String(8), default="")  # ya, tidak, nifas or empty
    priority: Mapped[Priority] = enum_column(Priority, default=Priority.NONE)
    age_years: Mapped[int | None]
    age_months: Mapped[int | None]  # completed months in all
    age_days: Mapped[int | None]  # completed days in all
    cluster: Mapped[str] = mapped_column(String(8))
    cluster_rule: Mapped[str] = mapped_column(String(60))  # what gave it, in words
    computed_cluster: Mapped[str] = mapped_column(String(8))
    is_new_patient: Mapped[bool] = mapped_column(default=False)
    source: Mapped[Source] = enum_column(Source, default=Source.LIVE)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    registered_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    patient: Mapped[Patient] = relationship(foreign_keys=patient_id)
    service_day: Mapped[ServiceDay] = relationship()
    entries: Mapped[list["QueueEntry"]] = relationship(
        back_populates="visit", order_by="QueueEntry.id"
    )

    __table_args__ = (
        UniqueConstraint("service_day_id", "series", "number"),
        one_of("payer", PAYERS),
        one_of("visit_type", VISIT_TYPES),
        one_of("bpjs_home", BPJS_HOMES),
        one_of("pregnant", PREGNANCIES),
        one_of("cluster", CLUSTERS),
        one_of("computed_cluster", CLUSTERS),
        CheckConstraint("status <> 'open' OR ended_at IS NULL", name="ended"),
        Index("ix_visit_patient", "patient_id", "id"),
    )


class Override(Row):
    """*Alasan tetap dilanjutkan.* A warning of the check page that a clerk answered."""

    __tablename__ = "override"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    rule: Mapped[str] = mapped_column(String(16))
    level: Mapped[Level] = enum_column(Level)
    message: Mapped[str] = mapped_column(String(400))
    reason: Mapped[str] = mapped_column(String(300))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))


class VisitCorrection(Row):
    """*Pembetulan kunjungan.* Payer, complaint, patient ... as they stood, and why they changed."""

    __tablename__ = "visit_correction"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    field: Mapped[str] = mapped_column(String(24))
    before: Mapped[str] = mapped_column(Text)  # a patient stands here by public_id
    after: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(300))
    corrected_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    corrected_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
