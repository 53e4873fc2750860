"""What the record says that a paper may print, and what a form therefore begins with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from clinic import allergies, history, lab_entry, paper_sheets, procedures, settings
from clinic.form_definitions import PREGNANCY
from clinic.history import RoomSummary, VisitSummary
from clinic.lab_reports import Report
from clinic.prescription_reports import Report as Prescribed
from clinic.records import WITHOUT_DIAGNOSIS
from formatting import day_in_zone, number_text, short_date
from models import Disposition, Examination, PaperKind, Patient, PoliKind, Visit

_SIGNS = {
    "pulse": ("nadi", "/menit"),
    "respiration": ("napas", "/menit"),
    "temperature": ("suhu", " °C"),
    "weight": ("berat", " kg"),
    "height": ("tinggi", " cm"),
    "saturation": ("SpO₂", "%"),
}
LONGEST_TEXT = 4_000  # letters of one field of a paper
USUAL_CONTROL = timedelta(days=3)
SUNDAY = 6


@dataclass(frozen=True)
class Facts:
    """One visit, seen from the examination that the paper comes from."""

    examination: Examination
    summary: VisitSummary
    allergies: tuple[str, ...]
    alerts: tuple[str, ...]  # what else to beware of
    today: date

    @property
    def visit(self) -> Visit:
        return self.examination.visit

    @property
    def patient(self) -> Patient:
        return self.visit.patient

    @property
    def on(self) -> date:
        """The calendar day of the visit: at night the day of the queue may be the one before."""
        return day_in_zone(self.visit.occurred_at, settings.value("time_zone"))

    @property
    def room(self) -> RoomSummary:
        """The stay that the paper comes from."""
        rooms = (room for room in self.summary.rooms if room.examination)
        return next(room for room in rooms if room.examination.id == self.examination.id)

    @property
    def vitals(self) -> dict[str, Decimal | int]:
        return self.summary.last_vitals

    @property
    def reports(self) -> tuple[Report, ...]:
        """The laboratory's reports that nobody may change any more without a correction."""
        return tuple(report for report in self.summary.lab if is_final(report))

    @property
    def rooms(self) -> list[RoomSummary]:
        """Where something was written that may be told: finished, or the paper's own."""
        return [room for room in self.summary.examined if room.is_finished or room == self.room]

    @property
    def pregnancy(self) -> str:
        """Weeks and expected day, as the visit's newest form tells; '' without one."""
        sheets = [sheet for room in self.rooms for sheet in room.sheets if sheet.form == PREGNANCY]
        dated = [sheet.summary for sheet in sheets if sheet.summary]
        return dated[-1] if dated else ""

    def forms(self, *, with_notes: bool = False) -> str:
        """What the rooms' forms say, a line for each."""
        sheets = paper_sheets.newest(sheet for room in self.rooms for sheet in room.sheets)
        return paper_sheets.text(sheets, with_notes=with_notes)

    @property
    def vaccines(self) -> str:
        """The doses noted in this visit; with their day where it was another one."""
        found = []
        for name, row in self.summary.immunizations:
            is_today = row.given_on == self.summary.on
            found.append(name if is_today else f"{name} ({short_date(row.given_on)})")
        return ", ".join(found)


def load(examination: Examination, today: date) -> Facts:
    """All that a paper of this examination may need."""
    visit = examination.visit
    held = allergies.held(visit.patient)
    known, alerts = (
        tuple(allergies.labels([row for row in held if row.is_alert is kind]))
        for kind in (False, True)
    )
    return Facts(examination, history.visit_summary(visit), known, alerts, today)


def is_final(report: Report) -> bool:
    """Whether the results are finished, and validated where the clinic asks for it."""
    return report.is_closed and not report.waits_for_validation


def vital_text(values: dict[str, Decimal | int]) -> str:
    """Such as "tekanan darah 120/80 mmHg, nadi 88/menit"."""
    parts = []
    if "systolic" in values and "diastolic" in values:
        parts.append(f"tekanan darah {values['systolic']}/{values['diastolic']} mmHg")
    for name, (label, unit) in _SIGNS.items():
        if name in values:
            parts.append(f"{label} {number_text(values[name])}{unit}")
    return ", ".join(parts)


def diagnosis_words(room: RoomSummary, *, with_codes: bool = False) -> list[str]:
    """The room's diagnoses; its assessment where it made none."""
    found = []
    for row in room.diagnoses:
        title = row.title or row.code
        has_code = with_codes and row.code and row.code != title
        found.append(f"{title} ({row.code})" if has_code else title)
    return found or [text for text in [room.examination.assessment.strip()] if text]


def defaults(kind: PaperKind, facts: Facts) -> dict[str, str]:
    """What the form of this kind begins with, as it would be typed."""
    return _DEFAULTS[kind](facts)


def _sick(facts: Facts) -> dict[str, str]:
    return {"from_on": short_date(facts.today)}


def _health(facts: Facts) -> dict[str, str]:
    names = ("height", "weight", "systolic", "diastolic")
    return {name: number_text(facts.vitals[name]) for name in names if name in facts.vitals}


def _referral(facts: Facts) -> dict[str, str]:
    note = facts.examination
    is_outside = note.disposition == Disposition.EXTERNAL
    return _referred(facts) | {"to_whom": note.refer_to if is_outside else ""}


def _internal(facts: Facts) -> dict[str, str]:
    note = facts.examination
    is_inside = note.disposition == Disposition.INTERNAL
    return _referred(facts) | {"to_room": note.refer_to if is_inside else ""}


def treatment_text(room: RoomSummary, prescribed: Iterable[Prescribed] = ()) -> str:
    """What was done and given: the actions and medicines, a line each, then the text."""
    done = [procedures.line_of(row).words for row in room.procedures]
    mine = (each for each in prescribed if each.examination_id == room.examination.id)
    given = [line.paper_text for each in mine for line in each.held]
    return "\n".join(filter(None, [*done, *given, room.examination.therapy]))


def _referred(facts: Facts) -> dict[str, str]:
    note = facts.examination
    measured = vital_text(facts.vitals)
    first = [*_told(note), measured[:1].upper() + measured[1:]]
    rest = [facts.pregnancy, f"Imunisasi: {facts.vaccines}" if facts.vaccines else ""]
    lab = "; ".join(report.short_text for report in facts.reports if report.short_text)
    rest += [f"Laboratorium: {lab}"] if lab else []
    # What other stays and the forms say gives way: the own words and the results stand as they are.
    left = LONGEST_TEXT - sum(len(text) + 1 for text in (*first, *rest) if text)
    earlier = _elsewhere(facts, left)
    left -= sum(len(text) + 1 for text in earlier)
    forms = paper_sheets.within(facts.forms(with_notes=True), left)
    return {
        "reason": note.plan,
        "findings": "\n".join(text for text in (*earlier, *first, forms, *rest) if text),
        "diagnosis": "\n".join(diagnosis_words(facts.room, with_codes=True)),
        "therapy": _treatment(facts),
    }


def _elsewhere(facts: Facts, length: int) -> list[str]:
    """What the visit's other stays wrote of the patient, after their room's name, as far as it
    fits: who came back from the laboratory told everything in the first one."""
    found: list[str] = []
    for room in facts.rooms:
        words = "\n".join(filter(None, _told(room.examination)))
        if room == facts.room or not words:
            continue
        line = f"{room.name}: {words}"
        length -= len(line) + 1
        if length >= 0:
            found.append(line)
    return found


def _told(note: Examination) -> list[str]:
    # The laboratory's own sentence says where its results stand in the record: no news to a reader.
    return [note.subjective, "" if note.objective == lab_entry.DONE else note.objective]


def _treatment(facts: Facts) -> str:
    """What was done and given in the whole visit."""
    each = (treatment_text(room, facts.summary.prescriptions) for room in facts.rooms)
    return "\n".join(filter(None, each))


def _summary(facts: Facts) -> dict[str, str]:
    found = [
        words
        for room in facts.rooms
        if _is_last_word(room, facts)
        for words in diagnosis_words(room)
    ]
    advice = [room.examination.plan for room in facts.rooms if _is_advice(room, facts)]
    is_control = facts.examination.disposition == Disposition.CONTROL
    return {
        "complaint": facts.visit.complaint,
        "diagnosis": "\n".join(dict.fromkeys(found)),
        "therapy": _treatment(facts),
        "advice": "\n".join(filter(None, advice)),
        "control_on": short_date(_usual_control(facts)) if is_control else "",
    }


def _usual_control(facts: Facts) -> date:
    """Three days on, from the day on which it is written; on Sundays the clinic is closed."""
    day = max(facts.summary.on, facts.today) + USUAL_CONTROL
    return day + timedelta(days=1) if day.weekday() == SUNDAY else day


def _is_last_word(room: RoomSummary, facts: Facts) -> bool:
    """Whether the stay's diagnoses count; a thought without one only if its room wrote no more."""
    if room.diagnoses:
        return True
    later = facts.rooms[facts.rooms.index(room) + 1 :]
    is_revised = any(each.code == room.code and diagnosis_words(each) for each in later)
    return room.kind not in WITHOUT_DIAGNOSIS and not is_revised


def _is_advice(room: RoomSummary, facts: Facts) -> bool:
    """Whether the stay's plan is for the patient, not for colleagues in the next room."""
    pharmacies = {each.code for each in facts.summary.rooms if each.kind is PoliKind.PHARMACY}
    note = room.examination
    return note.disposition != Disposition.INTERNAL or note.refer_to in pharmacies


def _lab(facts: Facts) -> dict[str, str]:
    return {}


_DEFAULTS = {
    PaperKind.SUMMARY: _summary,
    PaperKind.SICK: _sick,
    PaperKind.HEALTH: _health,
    PaperKind.REFERRAL: _referral,
    PaperKind.INTERNAL: _internal,
    PaperKind.LAB: _lab,
}
