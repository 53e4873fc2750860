"""Who works here and who comes: accounts, sessions, households, patients."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base, UtcDateTime, utcnow
from tables.columns import PublicRow, Row, enum_column, one_of, unique_where
from tables.reference import Poli


class Role(StrEnum):
    REGISTRATION = "registration"
    POLI = "poli"
    RECORDS = "records"
    HEAD = "head"
    OPERATOR = "operator"


class Practitioner(PublicRow):
    """*Tenaga kesehatan.* Who treats; not the same as who types (`User`)."""

    __tablename__ = "practitioner"

    name: Mapped[str] = mapped_column(String(100))
    profession: Mapped[str] = mapped_column(String(40))
    nik: Mapped[str | None] = mapped_column(String(16))
    licence_no: Mapped[str | None] = mapped_column(String(40))  # SIP/STR
    ihs_number: Mapped[str | None] = mapped_column(String(20))
    is_active: Mapped[bool] = mapped_column(default=True)


class User(PublicRow):
    """*Pengguna.* An account. Ends (`is_active`), is never removed."""

    __tablename__ = "user_account"

    username: Mapped[str] = mapped_column(String(40), unique=True)
    display_name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[Role] = enum_column(Role)
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"))
    is_active: Mapped[bool] = mapped_column(default=True)
    failed_logins: Mapped[int] = mapped_column(default=0)
    wait_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)

    practitioner: Mapped[Practitioner | None] = relationship()
    rooms: Mapped[list[Poli]] = relationship(
        secondary="user_poli",
        primaryjoin="and_(User.id == UserPoli.user_id, UserPoli.is_active)",
        order_by="Poli.position",
        viewonly=True,
    )


class UserPoli(Base):
    """Which rooms an account works in; ended, not removed."""

    __tablename__ = "user_poli"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True)
    poli_id: Mapped[int] = mapped_column(ForeignKey("poli.id"), primary_key=True)
    is_active: Mapped[bool] = mapped_column(default=True)


class LoginSession(Row):
    """A session on the server: the cookie holds only a random token, here is its digest."""

    __tablename__ = "login_session"

    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    device: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    idle_until: Mapped[datetime] = mapped_column(UtcDateTime)  # then the screen is locked
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()


class Household(PublicRow):
    """*Keluarga.* The people of one family card (KK)."""

    __tablename__ = "household"

    kk_number: Mapped[str] = mapped_column(String(16), unique=True)
    # The family's number on the shelf; a medical record number may begin with it.
    folder_no: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (
        CheckConstraint("length(kk_number) = 16", name="kk_length"),
        Index("uq_household_folder_no", "folder_no", unique=True),
    )


class NoNikReason(StrEnum):
    NEWBORN = "BAYI"
    NOT_BROUGHT = "BELUM_BAWA"
    FORGOT_CARD = "LUPA_KARTU"
    FOREIGNER = "ASING"
    NO_PAPERS = "TANPA_DOKUMEN"
    UNKNOWN = "TIDAK_DIKENAL"


class DatePrecision(StrEnum):
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


PAYERS = ("UMUM", "JKN_PBI", "JKN_NON_PBI", "JAMKESDA", "GRATIS_PROGRAM", "ASURANSI_LAIN")
# A merged record, one that an import took back, and a disputed claim hold no number.
NIK_COUNTS = "nik IS NOT NULL AND merged_into_id IS NULL AND NOT is_nik_disputed AND is_active"


class Patient(PublicRow):
    """*Pasien.* `nik` is NULL when unknown, never an empty text."""

    __tablename__ = "patient"

    mrn: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(120), index=True)
    sex: Mapped[str] = mapped_column(String(1))
    birth_date: Mapped[date | None] = mapped_column(index=True)
    birth_precision: Mapped[DatePrecision] = enum_column(DatePrecision, default=DatePrecision.DAY)
    nik: Mapped[str | None] = mapped_column(String(16), index=True)
    is_nik_as_printed: Mapped[bool] = mapped_column(default=False)
    # The true owner of a mistyped NIK must still be registered: both stay, one is disputed.
    is_nik_disputed: Mapped[bool] = mapped_column(default=False, server_default=false())
    no_nik_reason: Mapped[NoNikReason | None] = enum_column(NoNikReason)
    # Of whom has none: the country, a letter of an institution, the place where they were found.
    no_nik_note: Mapped[str | None] = mapped_column(String(100))
    mother_nik: Mapped[str | None] = mapped_column(String(16), index=True)
    birth_order: Mapped[int | None]
    mother_name: Mapped[str | None] = mapped_column(String(100))
    passport_no: Mapped[str | None] = mapped_column(String(20), index=True)
    bpjs_number: Mapped[str | None] = mapped_column(String(13), index=True)
    ihs_number: Mapped[str | None] = mapped_column(String(20))
    household_id: Mapped[int | None] = mapped_column(ForeignKey("household.id"), index=True)
    address: Mapped[str] = mapped_column(String(200))
    village: Mapped[str | None] = mapped_column(String(60))
    rt: Mapped[str | None] = mapped_column(String(3))
    rw: Mapped[str | None] = mapped_column(String(3))
    phone: Mapped[str | None] = mapped_column(String(20), index=True)
    phone_owner: Mapped[str | None] = mapped_column(String(20))
    payer: Mapped[str] = mapped_column(String(20), default="UMUM")
    is_unknown: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    registered_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    household: Mapped[Household | None] = relationship()

    __table_args__ = (
        CheckConstraint("sex IN ('L','P')", name="sex"),
        CheckConstraint("nik IS NULL OR length(nik) = 16", name="nik_length"),
        CheckConstraint("trim(nik, '0123456789') = ''", name="nik_digits"),
        CheckConstraint("nik IS NOT NULL OR no_nik_reason IS NOT NULL", name="nik_or_reason"),
        CheckConstraint("bpjs_number IS NULL OR length(bpjs_number) = 13", name="bpjs_length"),
        CheckConstraint("merged_into_id <> id", name="merged_elsewhere"),
        one_of("payer", PAYERS),
        unique_where("uq_patient_nik_active", NIK_COUNTS, "nik"),
    )
    __mapper_args__ = {"version_id_col": version}


class PatientVersion(Row):
    """*Riwayat identitas.* How the identity stood before a change, who changed it and why."""

    __tablename__ = "patient_version"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    version: Mapped[int]
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(300), default="")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    __table_args__ = (UniqueConstraint("patient_id", "version"),)


class AliasKind(StrEnum):
    MRN = "mrn"
    NAME = "name"
    NIK = "nik"


class PatientAlias(Row):
    """*Nama atau nomor lain* by which a patient is found too."""

    __tablename__ = "patient_alias"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    original_patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[AliasKind] = enum_column(AliasKind)
    value: Mapped[str] = mapped_column(String(100), index=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PatientToken(Base):
    """One folded word of a patient's name beside the birth year: search and match start here.

    An index, not a record: rewritten whenever the name changes.
    """

    __tablename__ = "patient_token"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    # Searched by ranges: only the collation C sorts words letter by letter.
    word: Mapped[str] = mapped_column(
        String(40).with_variant(String(40, collation="C"), "postgresql"), primary_key=True
    )
    prefix: Mapped[str] = mapped_column(String(4))
    birth_year: Mapped[int | None]
    sex: Mapped[str] = mapped_column(String(1))

    __table_args__ = (
        Index("ix_patient_token_word", "word", "patient_id"),
        Index("ix_patient_token_prefix", "prefix", "birth_year", "sex", "patient_id"),
    )
