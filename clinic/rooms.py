"""Whom a room is for, and where a patient goes who is outside it. Pure, over rows of Poli."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from clinic.complaint_text import hinted_age, read
from clinic.denials import Words
from formatting import age_on, age_text
from models import PoliKind, Priority

# The rooms that rules of age and pregnancy speak of; all others are only rows.
GENERAL, ELDERLY, MATERNAL, DENTAL = "UMUM", "LANSIA", "KIA", "GIGI"
TODDLER_MONTHS = 60
SEX_WORDS = {"L": "laki-laki", "P": "perempuan"}
PREGNANCY_WORDS = {"ya": "hamil", "nifas": "nifas", "tidak": "tidak hamil"}


@dataclass(frozen=True)
class Case:
    """What is known of a patient and a complaint, half-filled forms included."""

    complaint: str
    sex: str
    birth_date: date | None
    age_months: int | None
    pregnant: str  # ya, tidak, nifas, or empty: unknown
    poli_code: str
    on: date

    @cached_property
    def read(self) -> Words:
        return read(self.complaint)

    @cached_property
    def folded(self) -> str:
        return " ".join(self.read.words)

    @cached_property
    def known_months(self) -> int | None:
        """Completed months by birth date, else as estimated."""
        if self.birth_date and self.birth_date <= self.on:
            return age_on(self.birth_date, self.on).total_months
        return self.age_months

    @cached_property
    def months(self) -> int | None:
        """Known months, else what the complaint tells: enough to propose, not to refuse."""
        return hinted_age(self.folded) if self.known_months is None else self.known_months

    @property
    def age_words(self) -> str:
        if self.birth_date and self.birth_date <= self.on:
            return age_text(self.birth_date, self.on)
        if self.months is None:
            return "umur tidak diketahui"
        return f"{self.months} bulan" if self.months < 24 else f"{self.months // 12} tahun"


class Outside(NamedTuple):
    """Why a room isn't for a patient: "sex", "age" or "pregnancy", and it in words."""

    about: str
    words: str


@dataclass(frozen=True)
class Rooms:
    by_code: Mapping[str, Any]
    elderly_months: int

    def is_active(self, code: str | None) -> bool:
        return code in self.by_code and self.by_code[code].is_active

    def name(self, code: str | None) -> str:
        return self.by_code[code].name if code in self.by_code else code or ""

    def is_elderly(self, months: int | None) -> bool:
        return months is not None and months >= self.elderly_months

    def priority(self, code: str, months: int | None, pregnant: str) -> Priority:
        """Who goes first by rule: emergency room, pregnancy, age; a disability the clerk sees."""
        room = self.by_code.get(code)
        if room and room.kind == PoliKind.EMERGENCY:
            return Priority.EMERGENCY
        if pregnant == "ya":
            return Priority.PREGNANT
        if self.is_elderly(months):
            return Priority.ELDERLY
        is_toddler = months is not None and months < TODDLER_MONTHS
        return Priority.TODDLER if is_toddler else Priority.NONE

    def is_other_sex(self, code: str, case: Case) -> bool:
        room = self.by_code.get(code)
        return bool(room and room.sex and case.sex and room.sex != case.sex)

    def outside(self, code: str, case: Case, months: int | None) -> Outside | None:
        """Why the room isn't for this patient; None when it is.

        What is unknown (age, sex, pregnancy) is never outside: it is asked elsewhere.
        """
        room = self.by_code[code]
        if self.is_other_sex(code, case):
            return Outside("sex", f"pasien {SEX_WORDS[case.sex]}")
        youngest = self.elderly_months if code == ELDERLY else room.min_age_months
        is_young = months is not None and months < (youngest or 0)
        oldest = room.max_age_months
        if is_young or (months is not None and oldest is not None and months > oldest):
            return Outside("age", f"umur {case.age_words}")
        if room.pregnancy and case.pregnant and case.pregnant not in room.pregnancy.split():
            words = PREGNANCY_WORDS.get(case.pregnant, case.pregnant)
            return Outside("pregnancy", f"pasien {words}")
        return None

    def suitable(self, code: str | None, case: Case) -> str | None:
        """The open room for this patient, following redirects from `code`.

        Where every redirect leads outside, `code` itself if it is open; else None.
        """
        seen: list[str] = []
        while code in self.by_code and code not in seen:
            if self.is_active(code) and not self.outside(code, case, case.months):
                return code
            seen.append(code)
            code = self.by_code[code].redirect_code or (None if self.is_active(code) else GENERAL)
        return seen[0] if seen and self.is_active(seen[0]) else None
