"""Every table, in the order of the patient's walk.

Reference    Poli, RoutingRule, ComplaintTerm, Icd10Term, Village, Setting
People       Practitioner, User, UserPoli, LoginSession, Household, Patient, PatientVersion,
             PatientAlias, PatientToken
Visits       ServiceDay, Counter, RegistrationDraft, Visit, Override, VisitCorrection,
             QueueState, QueueEntry, QueueEvent
Records      Examination, Addendum, VitalSigns, Diagnosis, Allergy, RecordAccess
Operations   AuditEntry, OutboxEntry, WorkerBeat

No queries, no texts, no serialisers here. Instants (`*_at`) are UTC, days (`*_on`) are the
clinic's. A row that may leave the house has a `public_id`; nothing is ever deleted.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base, UtcDateTime, new_public_id, utcnow


def public_id_column() -> Mapped[str]:
    return mapped_column(String(36), default=new_public_id, unique=True)


def enum_column(enum: type[StrEnum], **options: Any) -> Mapped[Any]:
    """A text column that holds only the enum's values, in the table's own rule too."""
    kind = Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=24,
        name=enum.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )
    return mapped_column(kind, **options)


# --- Reference --------------------------------------------------------------------------------


class PoliKind(StrEnum):
    OUTPATIENT = "outpatient"
    EMERGENCY = "emergency"
    LABORATORY = "laboratory"
    PHARMACY = "pharmacy"


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    OFF = "off"


class Counted:
    """Rows that say how often they changed, so that a copy in memory knows when it is old."""

    revision: Mapped[int] = mapped_column(default=1, onupdate=text("revision + 1"))


class Poli(Counted, Base):
    """*Poli, ruang pelayanan.* A room with a queue; whom it is for is data, not code."""

    __tablename__ = "poli"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    code: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    prefix: Mapped[str] = mapped_column(String(1), unique=True)
    kind: Mapped[PoliKind] = enum_column(PoliKind, default=PoliKind.OUTPATIENT)
    # AGE: by age and pregnancy; LINTAS: across clusters; KB: by setting; else its number.
    cluster_rule: Mapped[str] = mapped_column(String(8), default="AGE")
    min_age_months: Mapped[int | None]
    max_age_months: Mapped[int | None]  # inclusive
    sex: Mapped[str | None] = mapped_column(String(1))
    pregnancy: Mapped[str | None] = mapped_column(String(24))  # e.g. "ya nifas": one of these
    needs_order: Mapped[bool] = mapped_column(default=False)
    blocks_outside: Mapped[bool] = mapped_column(default=False)
    redirect_code: Mapped[str | None] = mapped_column(String(12))
    has_priority: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    hue: Mapped[int] = mapped_column(default=0)
    pcare_code: Mapped[str | None] = mapped_column(String(8))
    fhir_location_id: Mapped[str | None] = mapped_column(String(64))
    is_active: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (
        CheckConstraint("length(prefix) = 1", name="prefix_one_letter"),
        CheckConstraint(
            "cluster_rule IN ('AGE','1','2','3','4','LINTAS','KB')", name="cluster_rule"
        ),
    )


class RoutingRule(Counted, Base):
    """*Aturan pilihan ruang.* When the conditions hold, the check page shows the message.

    Empty conditions hold always; several rows may share a rule id. Rows with `is_computed` have a
    further condition in `clinic.routing` (complaint score, open visit ...), with `threshold`.
    """

    __tablename__ = "routing_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(String(12), index=True)
    level: Mapped[Level] = enum_column(Level)
    message: Mapped[str] = mapped_column(String(300))
    is_computed: Mapped[bool] = mapped_column(default=False)
    threshold: Mapped[int | None]
    poli_in: Mapped[str | None] = mapped_column(String(120))  # codes parted by spaces
    poli_not_in: Mapped[str | None] = mapped_column(String(120))
    sex: Mapped[str | None] = mapped_column(String(1))
    pregnant_in: Mapped[str | None] = mapped_column(String(40))  # of: ya tidak nifas unknown
    age_from_months: Mapped[int | None]
    age_below_months: Mapped[int | None]
    unless_words: Mapped[str | None] = mapped_column(String(300))  # complaint words, by commas
    target_code: Mapped[str | None] = mapped_column(String(12))
    position: Mapped[int] = mapped_column(default=0)


class ComplaintTerm(Counted, Base):
    """*Kata keluhan.* A word or phrase, folded, that speaks for a poli or is a red flag."""

    __tablename__ = "complaint_term"

    id: Mapped[int] = mapped_column(primary_key=True)
    phrase: Mapped[str] = mapped_column(String(80))  # as staff write it
    folded: Mapped[str] = mapped_column(String(80))
    poli_code: Mapped[str] = mapped_column(String(12))
    weight: Mapped[int] = mapped_column(default=1)
    is_red_flag: Mapped[bool] = mapped_column(default=False)
    age_from_months: Mapped[int | None]
    age_below_months: Mapped[int | None]
    needs_pregnant: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (
        UniqueConstraint("folded", "poli_code"),
        CheckConstraint("weight BETWEEN 1 AND 3", name="weight"),
    )


class Icd10Term(Base):
    """*Kode ICD-10* with its English title and the Indonesian words staff search by."""

    __tablename__ = "icd10_term"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(8), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    title_id: Mapped[str | None] = mapped_column(String(200))
    words: Mapped[str] = mapped_column(Text)  # folded: code, both titles, synonyms
    edition: Mapped[str] = mapped_column(String(16))
    is_national: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)


class Village(Base):
    """*Kelurahan/desa.* Tells whether an address lies in the clinic's working area."""

    __tablename__ = "village"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    folded: Mapped[str] = mapped_column(String(60), unique=True)
    code: Mapped[str | None] = mapped_column(String(13))
    is_in_area: Mapped[bool] = mapped_column(default=True)
    is_active: Mapped[bool] = mapped_column(default=True)


class Setting(Base):
    """*Pengaturan.* One named value; `clinic.settings` knows names, types and defaults."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


# --- People -----------------------------------------------------------------------------------


class Role(StrEnum):
    REGISTRATION = "registration"
    POLI = "poli"
    RECORDS = "records"
    HEAD = "head"
    OPERATOR = "operator"


class Practitioner(Base):
    """*Tenaga kesehatan.* Who treats; not the same as who types (`User`)."""

    __tablename__ = "practitioner"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    name: Mapped[str] = mapped_column(String(100))
    profession: Mapped[str] = mapped_column(String(40))
    nik: Mapped[str | None] = mapped_column(String(16))
    licence_no: Mapped[str | None] = mapped_column(String(40))  # SIP/STR
    ihs_number: Mapped[str | None] = mapped_column(String(20))
    is_active: Mapped[bool] = mapped_column(default=True)


class User(Base):
    """*Pengguna.* An account. Ends (`is_active`), is never removed."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
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


class LoginSession(Base):
    """A session on the server: the cookie holds only a random token, here is its digest."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
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


class Household(Base):
    """*Keluarga.* The people of one family card (KK)."""

    __tablename__ = "household"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    kk_number: Mapped[str] = mapped_column(String(16), unique=True)

    __table_args__ = (CheckConstraint("length(kk_number) = 16", name="kk_length"),)


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


class Patient(Base):
    """*Pasien.* `nik` is NULL when unknown, never an empty text."""

    __tablename__ = "patient"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
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
        CheckConstraint("nik IS NOT NULL OR no_nik_reason IS NOT NULL", name="nik_or_reason"),
        CheckConstraint("bpjs_number IS NULL OR length(bpjs_number) = 13", name="bpjs_length"),
        Index(
            "uq_patient_nik_active",
            "nik",
            unique=True,
            sqlite_where=text("nik IS NOT NULL AND merged_into_id IS NULL AND NOT is_nik_disputed"),
            postgresql_where=text(
                "nik IS NOT NULL AND merged_into_id IS NULL AND NOT is_nik_disputed"
            ),
        ),
    )
    __mapper_args__ = {"version_id_col": version}


class PatientVersion(Base):
    """*Riwayat identitas.* How the identity stood before a change, who changed it and why."""

    __tablename__ = "patient_version"

    id: Mapped[int] = mapped_column(primary_key=True)
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


class PatientAlias(Base):
    """*Nama atau nomor lain* by which a patient is found too."""

    __tablename__ = "patient_alias"

    id: Mapped[int] = mapped_column(primary_key=True)
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


# --- Visits -----------------------------------------------------------------------------------


class ServiceDay(Base):
    """*Hari layanan.* Opened once, by a save; neither midnight nor a clock jump resets it."""

    __tablename__ = "service_day"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
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


class RegistrationDraft(Base):
    """*Pendaftaran belum disimpan.* Its id is the save's idempotency key."""

    __tablename__ = "registration_draft"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    kind: Mapped[DraftKind] = enum_column(DraftKind)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    patient_ref: Mapped[str | None] = mapped_column(String(36))  # public_id of a known patient
    # The visit that an IDENTITY or ROOM draft is about.
    about_visit_ref: Mapped[str | None] = mapped_column(String(36))
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)  # as typed
    version: Mapped[int] = mapped_column(default=1)
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


class Visit(Base):
    """*Kunjungan.* Snapshots what reports need as it was on the day."""

    __tablename__ = "visit"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
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
        Index("ix_visit_patient", "patient_id", "id"),
    )


class Override(Base):
    """*Alasan tetap dilanjutkan.* A warning of the check page that a clerk answered."""

    __tablename__ = "override"

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    rule: Mapped[str] = mapped_column(String(16))
    level: Mapped[Level] = enum_column(Level)
    message: Mapped[str] = mapped_column(String(400))
    reason: Mapped[str] = mapped_column(String(300))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))


class VisitCorrection(Base):
    """*Pembetulan kunjungan.* Payer, complaint, patient ... as they stood, and why they changed."""

    __tablename__ = "visit_correction"

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    field: Mapped[str] = mapped_column(String(24))
    before: Mapped[str] = mapped_column(Text)  # a patient stands here by public_id
    after: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(300))
    corrected_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    corrected_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))


class QueueState(Base):
    """The version of a room's queue on a day, raised by every change that its page shows."""

    __tablename__ = "queue_state"

    service_day_id: Mapped[int] = mapped_column(ForeignKey("service_day.id"), primary_key=True)
    poli_id: Mapped[int] = mapped_column(ForeignKey("poli.id"), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    # Priority patients called since the last regular one.
    priority_run: Mapped[int] = mapped_column(default=0)


class EntryKind(StrEnum):
    REGISTERED = "registered"
    MOVED = "moved"
    REFERRED = "referred"
    ORDERED = "ordered"
    RESULT_BACK = "result_back"


class EntryState(StrEnum):
    WAITING = "waiting"
    CALLED = "called"
    IN_SERVICE = "in_service"
    AWAITING_RESULT = "awaiting_result"
    DONE = "done"
    SKIPPED = "skipped"
    MOVED = "moved"
    CANCELLED = "cancelled"
    LEFT = "left"
    UNFINISHED = "unfinished"


_STILL_HERE = "state IN ('waiting','called','in_service','awaiting_result','skipped')"


class QueueEntry(Base):
    """*Antrean.* A visit's stay in one room's queue; a move ends one and starts the next."""

    __tablename__ = "queue_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    service_day_id: Mapped[int] = mapped_column(ForeignKey("service_day.id"))
    poli_id: Mapped[int] = mapped_column(ForeignKey("poli.id"))
    kind: Mapped[EntryKind] = enum_column(EntryKind, default=EntryKind.REGISTERED)
    previous_entry_id: Mapped[int | None] = mapped_column(ForeignKey("queue_entry.id"))
    state: Mapped[EntryState] = enum_column(EntryState, default=EntryState.WAITING)
    rank: Mapped[int] = mapped_column(default=2)  # 0 emergency, 1 back with a result, 2 others
    is_priority: Mapped[bool] = mapped_column(default=False)
    seq: Mapped[int]  # order of arrival within the day, in all rooms; kept by a move
    place: Mapped[int]  # place in line: seq * 1000, changed by "put back"
    calls: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(300), default="")
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    called_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    queued_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    visit: Mapped[Visit] = relationship(back_populates="entries")
    poli: Mapped[Poli] = relationship()
    previous_entry: Mapped["QueueEntry | None"] = relationship(remote_side=id)
    examination: Mapped["Examination | None"] = relationship(back_populates="entry")

    __table_args__ = (
        Index("ix_queue_entry_line", "service_day_id", "poli_id", "state"),
        # Without the many NULLs, else SQLite's planner takes the index for worthless.
        Index(
            "ix_queue_entry_previous",
            "previous_entry_id",
            sqlite_where=text("previous_entry_id IS NOT NULL"),
            postgresql_where=text("previous_entry_id IS NOT NULL"),
        ),
        Index(
            "uq_queue_entry_visit_room",
            "visit_id",
            "poli_id",
            unique=True,
            sqlite_where=text(_STILL_HERE),
            postgresql_where=text(_STILL_HERE),
        ),
    )


class QueueEvent(Base):
    """*Riwayat antrean.* One change of state: who, when, why, and what undo puts back."""

    __tablename__ = "queue_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entry.id"), index=True)
    action: Mapped[str] = mapped_column(String(16))
    from_state: Mapped[EntryState | None] = enum_column(EntryState)
    to_state: Mapped[EntryState] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(String(300), default="")
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    key: Mapped[str | None] = mapped_column(String(64), unique=True)  # of a press, if it had one
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    entry: Mapped[QueueEntry] = relationship()


# --- Records ----------------------------------------------------------------------------------


class Disposition(StrEnum):
    HOME = "pulang"
    CONTROL = "kontrol"
    INTERNAL = "rujuk_internal"
    EXTERNAL = "rujuk_eksternal"


class Examination(Base):
    """*Pemeriksaan.* One for each queue entry; after `finished_at` only addenda are added."""

    __tablename__ = "examination"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entry.id"), unique=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    practitioner_id: Mapped[int | None] = mapped_column(ForeignKey("practitioner.id"))
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    subjective: Mapped[str] = mapped_column(Text, default="")
    objective: Mapped[str] = mapped_column(Text, default="")
    assessment: Mapped[str] = mapped_column(Text, default="")
    plan: Mapped[str] = mapped_column(Text, default="")
    therapy: Mapped[str] = mapped_column(Text, default="")
    disposition: Mapped[Disposition | None] = enum_column(Disposition)
    refer_to: Mapped[str] = mapped_column(String(120), default="")  # poli code or where to
    version: Mapped[int] = mapped_column(default=1)
    source: Mapped[Source] = enum_column(Source, default=Source.LIVE)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    entry: Mapped[QueueEntry] = relationship(back_populates="examination")
    visit: Mapped[Visit] = relationship()
    practitioner: Mapped[Practitioner | None] = relationship()
    recorded_by: Mapped[User] = relationship()
    diagnoses: Mapped[list["Diagnosis"]] = relationship(order_by="Diagnosis.position")
    addenda: Mapped[list["Addendum"]] = relationship(order_by="Addendum.id")

    __mapper_args__ = {"version_id_col": version}


class Addendum(Base):
    """*Tambahan.* Written after an examination was finished."""

    __tablename__ = "addendum"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))

    recorded_by: Mapped[User] = relationship()


class VitalSigns(Base):
    """*Tanda vital.* Measured once, by one person; a correction ends the row and adds another."""

    __tablename__ = "vital_signs"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
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


class CaseType(StrEnum):
    NEW = "baru"
    OLD = "lama"


class Diagnosis(Base):
    """*Diagnosis.* Ended and added, never wiped by a form save."""

    __tablename__ = "diagnosis"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"), index=True)
    code: Mapped[str] = mapped_column(String(16), index=True)  # an unknown code is kept as text
    title: Mapped[str] = mapped_column(String(300))
    edition: Mapped[str] = mapped_column(String(16), default="")
    case_type: Mapped[CaseType] = enum_column(CaseType)
    is_primary: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))


class Allergy(Base):
    """*Alergi.* Belongs to the person; ended with a reason, never removed."""

    __tablename__ = "allergy"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    original_patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    substance: Mapped[str] = mapped_column(String(100))
    reaction: Mapped[str] = mapped_column(String(200), default="")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    end_reason: Mapped[str] = mapped_column(String(300), default="")

    recorded_by: Mapped[User] = relationship(foreign_keys=recorded_by_id)


class RecordAccess(Base):
    """*Izin membuka rekam medis* of a patient who is not in one's rooms: why, until when."""

    __tablename__ = "record_access"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    patient_ref: Mapped[str] = mapped_column(String(36), index=True)  # public_id
    reason: Mapped[str] = mapped_column(String(300))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


# --- Operations -------------------------------------------------------------------------------


class AuditEntry(Base):
    """*Jejak audit.* Insert-only (triggers), chained by an HMAC with a key kept elsewhere."""

    __tablename__ = "audit_entry"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    device: Mapped[str] = mapped_column(String(80), default="")
    action: Mapped[str] = mapped_column(String(40), index=True)
    object_type: Mapped[str] = mapped_column(String(24), default="")
    object_ref: Mapped[str] = mapped_column(String(40), default="")  # public_id
    patient_ref: Mapped[str] = mapped_column(String(36), default="", index=True)  # public_id
    reason: Mapped[str] = mapped_column(String(300), default="")
    details: Mapped[str] = mapped_column(String(300), default="")  # no clinical text, no NIK
    hash: Mapped[str] = mapped_column(String(64))


class OutboxState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"


class OutboxEntry(Base):
    """*Antrean kirim.* What must leave the building; the payload is built when it is sent."""

    __tablename__ = "outbox_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = public_id_column()
    target: Mapped[str] = mapped_column(String(20))
    business_key: Mapped[str] = mapped_column(String(80), unique=True)
    subject_type: Mapped[str] = mapped_column(String(24))
    subject_ref: Mapped[str] = mapped_column(String(36))
    state: Mapped[OutboxState] = enum_column(OutboxState, default=OutboxState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    last_error: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_outbox_entry_due", "state", "next_at"),)


class WorkerBeat(Base):
    """The worker's sign of life."""

    __tablename__ = "worker_beat"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(String(200), default="")
