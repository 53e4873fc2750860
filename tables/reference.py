"""What the clinic sets up: rooms, rules, lexicon, diagnoses, villages, settings."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db import Base
from tables.columns import PublicRow, Row, enum_column


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


class Poli(Counted, PublicRow):
    """*Poli, ruang pelayanan.* A room with a queue; whom it is for is data, not code."""

    __tablename__ = "poli"

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
    # Names of clinic.form_items.FORMS parted by spaces; of several the patient decides.
    room_forms: Mapped[str] = mapped_column(String(60), default="", server_default="")
    is_active: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (
        CheckConstraint("length(prefix) = 1", name="prefix_one_letter"),
        CheckConstraint(
            "cluster_rule IN ('AGE','1','2','3','4','LINTAS','KB')", name="cluster_rule"
        ),
    )


class RoutingRule(Counted, Row):
    """*Aturan pilihan ruang.* When the conditions hold, the check page shows the message.

    Empty conditions hold always; several rows may share a rule id. Rows with `is_computed` have a
    further condition in `clinic.routing` (complaint score, open visit ...), with `threshold`.
    """

    __tablename__ = "routing_rule"

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


class ComplaintTerm(Counted, Row):
    """*Kata keluhan.* A word or phrase, folded, that speaks for a poli or is a red flag."""

    __tablename__ = "complaint_term"

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


class Icd10Term(Row):
    """*Kode ICD-10* with its English title and the Indonesian words staff search by."""

    __tablename__ = "icd10_term"

    code: Mapped[str] = mapped_column(String(8), unique=True)
    title: Mapped[str] = mapped_column(String(300))
    title_id: Mapped[str | None] = mapped_column(String(200))
    words: Mapped[str] = mapped_column(Text)  # folded: code, both titles, synonyms
    edition: Mapped[str] = mapped_column(String(16))
    is_national: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)


class Village(Row):
    """*Kelurahan/desa.* Tells whether an address lies in the clinic's working area."""

    __tablename__ = "village"

    name: Mapped[str] = mapped_column(String(60))
    folded: Mapped[str] = mapped_column(String(60), unique=True)
    code: Mapped[str | None] = mapped_column(String(13))
    short_code: Mapped[str | None] = mapped_column(String(4))  # in folder and record numbers
    is_in_area: Mapped[bool] = mapped_column(default=True)
    is_active: Mapped[bool] = mapped_column(default=True)


class Setting(Base):
    """*Pengaturan.* One named value; `clinic.settings` knows names, types and defaults."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
