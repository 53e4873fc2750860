"""What a reader sees of a visit: its rooms, texts, measurements, results; no queries here."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from clinic import lab_reports, prescription_reports, vital_marks
from clinic.form_case import Case
from clinic.form_sheets import Sheet
from clinic.immunizations import Noted
from clinic.lab_reports import Report
from models import (
    Addendum,
    Amendment,
    AmendmentState,
    Diagnosis,
    EntryState,
    Examination,
    PoliKind,
    Procedure,
    TriageNote,
    VisitStatus,
)


@dataclass(frozen=True)
class RoomSummary:
    """A stay in one room; `examination` is None when nobody examined there.

    What was begun and never finished (moved on, went home) is there, but not `is_finished`;
    what was drafted in a cancelled entry is not.
    """

    code: str
    name: str
    hue: int
    state: EntryState
    kind: PoliKind
    examination: Examination | None = None
    author: str = ""
    finisher: str = ""  # another account that ended it
    diagnoses: tuple[Diagnosis, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    addenda: tuple[Addendum, ...] = ()
    amendments: tuple[Amendment, ...] = ()  # newest first, without their lines
    sheets: tuple[Sheet, ...] = ()  # the room's forms
    back_to: str = ""  # the room to which the patient went back with the result

    @property
    def is_finished(self) -> bool:
        return self.examination is not None and self.examination.finished_at is not None

    @property
    def amended(self) -> int:
        """How many corrections the text holds."""
        return sum(each.state == AmendmentState.APPLIED for each in self.amendments)


@dataclass(frozen=True)
class Measured:
    """Vital signs with who measured them, and where ('' at the screening desk).

    Of those that were corrected what does not hold any more, and since when.
    """

    values: dict[str, Decimal | int]
    author: str
    room: str
    at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True)
class VisitSummary:
    """One visit as a reader sees it.

    Of a cancelled visit only date, rooms, payer and the vaccines noted in it remain.
    """

    ref: str
    on: date
    label: str
    status: VisitStatus
    payer: str
    complaint: str
    rooms: tuple[RoomSummary, ...]
    vitals: tuple[Measured, ...] = ()  # those that hold
    corrected_vitals: tuple[Measured, ...] = ()
    lab: tuple[Report, ...] = ()
    prescriptions: tuple[prescription_reports.Report, ...] = ()
    age_months: int | None = None
    pregnant: str = ""
    paper_at: datetime | None = None  # when it was written down from a paper slip
    triage: tuple[TriageNote, ...] = ()  # also those that were corrected
    ended_at: datetime | None = None
    immunizations: tuple[Noted, ...] = ()

    @property
    def is_cancelled(self) -> bool:
        return self.status == VisitStatus.CANCELLED

    @property
    def room_names(self) -> str:
        return ", ".join(dict.fromkeys(room.name for room in self.rooms))

    @property
    def last_vitals(self) -> dict[str, Decimal | int]:
        """The newest value of each sign, whoever measured it."""
        newest = {}
        for measured in self.vitals:
            newest |= measured.values
        return newest

    @property
    def case(self) -> Case:
        """What the forms' answers are judged by."""
        hb = lab_reports.number_of("HB", self.lab)
        return Case(self.on, self.age_months, self.last_vitals, hb, self.pregnant)

    @property
    def bmi(self) -> vital_marks.Bmi | None:
        return vital_marks.bmi(self.last_vitals, self.age_months, self.pregnant)

    @property
    def marks(self) -> list[str]:
        """What of the vital signs asks to be looked at."""
        return vital_marks.marks(self.last_vitals, self.age_months, self.pregnant)

    @property
    def diagnosis_titles(self) -> list[str]:
        return list(dict.fromkeys(row.title for room in self.examined for row in room.diagnoses))

    @property
    def examined(self) -> tuple[RoomSummary, ...]:
        return tuple(room for room in self.rooms if room.examination)
