"""What of a visit's measurements and triage a doctor must have read before the patient leaves."""

from clinic.visit_summaries import Measured, VisitSummary
from clinic.vital_marks import marks_by_sign
from clinic.vital_signs import VITAL_RANGES
from formatting import clock_time, number_text
from models import TriagePriority
from validators import Finding

SIGNS = {"pressure": ("systolic", "diastolic")}  # of a mark that is about more than one value


def of_visit(visit: VisitSummary, zone: str) -> list[Finding]:
    """In sentences that name value, author and time: what somebody else adds is another one."""
    marks = marks_by_sign(visit.last_vitals, visit.age_months, visit.pregnant)
    found = [_measured(visit, sign, mark, zone) for sign, mark in marks.items()]
    held = [note for note in visit.triage if note.ended_at is None and note.priority]
    if held and held[-1].priority is TriagePriority.RED:
        note = held[-1]
        who = f"{note.recorded_by.display_name} pukul {clock_time(note.recorded_at, zone)}"
        seen = f", {note.seen}" if note.seen else ""
        found.append(Finding("TRIASE-merah", "warning", f"Triase merah menurut {who}{seen}."))
    return found


def _measured(visit: VisitSummary, sign: str, mark: str, zone: str) -> Finding:
    names = SIGNS.get(sign, (sign,))
    last: Measured = next(each for each in reversed(visit.vitals) if each.values.keys() & {*names})
    values = [visit.last_vitals.get(name) for name in names]
    text = "/".join("-" if value is None else number_text(value) for value in values)
    who = f"{last.author} pukul {clock_time(last.at, zone)}"
    sentence = f"{mark}: {text} {VITAL_RANGES[names[0]].unit}, diukur {who}."
    return Finding(f"VITAL-{sign}", "warning", sentence)
