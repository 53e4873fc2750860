"""One person, one record: pairs that look alike, merges that can be undone, imports."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base, UtcDateTime, utcnow
from tables.columns import PublicRow, enum_column, unique_where
from tables.people import Patient, User


class PairState(StrEnum):
    OPEN = "open"  # nobody knows yet: on the worklist of the records staff
    DIFFERENT = "different"  # two people, remembered for ever
    MERGED = "merged"


class PairSource(StrEnum):
    COUNTER = "counter"
    RECORDS = "records"
    IMPORT = "import"
    SCAN = "scan"  # found by the worker, among those registered since its last look


class SuspectedPair(PublicRow):
    """*Pasangan mirip.* Two records that may be one person, and what was answered."""

    __tablename__ = "suspected_pair"

    # Always the older record first, so that a pair is one row whoever was asked about.
    first_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    second_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    state: Mapped[PairState] = enum_column(PairState, index=True)
    source: Mapped[PairSource] = enum_column(PairSource)
    level: Mapped[str] = mapped_column(String(8), default="")  # strong, possible or empty
    points: Mapped[float] = mapped_column(default=0.0)
    reasons: Mapped[str] = mapped_column(Text, default="")  # in words, without numbers of persons
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    raised_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    note: Mapped[str] = mapped_column(String(300), default="")

    first: Mapped[Patient] = relationship(foreign_keys=first_id)
    second: Mapped[Patient] = relationship(foreign_keys=second_id)
    decided_by: Mapped[User | None] = relationship(foreign_keys=decided_by_id)

    __table_args__ = (
        UniqueConstraint("first_id", "second_id"),
        CheckConstraint("first_id < second_id", name="older_first"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
    )


class PatientMerge(PublicRow):
    """*Penggabungan.* One record taken into another, with all that its undo needs."""

    __tablename__ = "patient_merge"

    survivor_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    loser_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    pair_id: Mapped[int | None] = mapped_column(ForeignKey("suspected_pair.id"))
    reason: Mapped[str] = mapped_column(String(300))
    # The survivor's fields that were changed: name -> how it stood before and after.
    fields: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    # The ids of the rows that went over, by table.
    moved: Mapped[dict[str, list[int]]] = mapped_column(JSON, default=dict)
    merged_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    merged_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    undo_reason: Mapped[str] = mapped_column(String(300), default="")

    survivor: Mapped[Patient] = relationship(foreign_keys=survivor_id)
    loser: Mapped[Patient] = relationship(foreign_keys=loser_id)
    pair: Mapped[SuspectedPair | None] = relationship()
    merged_by: Mapped[User | None] = relationship(foreign_keys=merged_by_id)
    undone_by: Mapped[User | None] = relationship(foreign_keys=undone_by_id)

    __table_args__ = (
        CheckConstraint("survivor_id <> loser_id", name="two_records"),
        unique_where("uq_patient_merge_in_force", "undone_at IS NULL", "loser_id"),
    )


class ImportState(StrEnum):
    UPLOADED = "uploaded"  # columns are not mapped yet
    CHECKING = "checking"  # the worker reads it and says what would happen
    CHECKED = "checked"
    IMPORTING = "importing"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    CANCELLED = "cancelled"
    FAILED = "failed"  # the file itself can't be read


class ImportBatch(PublicRow):
    """*Impor pasien.* One file from elsewhere, and how far the worker has come with it."""

    __tablename__ = "import_batch"

    file_name: Mapped[str] = mapped_column(String(120))
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the stored file
    headings: Mapped[list[str]] = mapped_column(JSON, default=list)
    # What is in which column (field -> column number), and what holds for all rows.
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[ImportState] = enum_column(ImportState, default=ImportState.UPLOADED)
    rows: Mapped[int] = mapped_column(default=0)  # in the file, below the headings
    rows_done: Mapped[int] = mapped_column(default=0)  # of the present state's work
    problem: Mapped[str] = mapped_column(String(300), default="")
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    uploaded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    imported_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    uploaded_by: Mapped[User] = relationship()


class RowFate(StrEnum):
    NEW = "new"  # would become a patient
    KNOWN = "known"  # surely a patient that is here already
    ALIKE = "alike"  # perhaps one that is here: becomes a patient and a suspected pair
    BROKEN = "broken"
    CREATED = "created"
    REMOVED = "removed"  # created, and taken back with its batch
    KEPT = "kept"  # created, and already in use when its batch was taken back


class ImportRow(Base):
    """*Baris impor.* What became of one row; its content stays in the file."""

    __tablename__ = "import_row"

    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # as a spreadsheet shows it
    fate: Mapped[RowFate] = enum_column(RowFate)
    reason: Mapped[str] = mapped_column(String(300), default="")
    # Who it became, or whom it resembles.
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)

    patient: Mapped[Patient | None] = relationship()

    __table_args__ = (Index("ix_import_row_fate", "batch_id", "fate", "number"),)
