"""The demo clinic's prescriptions: what its cases' therapy says, as lines of medicines."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from sqlalchemy import select

from clinic import prescription_warnings
from clinic.data_files import texts
from clinic.demo_bulk import insert_only, insert_rows
from clinic.demo_stays import Stay
from clinic.prescription_lines import LineInput, WantedLine, wanted_lines
from clinic.prescriptions import PrescriptionInput
from db import db
from models import (
    Counter,
    EntryKind,
    Examination,
    Prescription,
    PrescriptionLine,
    PrescriptionState,
    User,
    Visit,
)

PHARMACY = "FARMASI"
KEPT = timedelta(days=120)  # of the history: the latest months
UNTIL_GIVEN = timedelta(minutes=12)
REASON = "Sudah ditanyakan, pasien tidak berkeberatan"


@cache
def _lines() -> dict[str, LineInput]:
    names = ("code", "sig", "days", "quantity", "note")
    return {
        row["therapy"]: LineInput(*(row[name] for name in names))
        for row in texts("demo_prescriptions.csv")
    }


def lines_for(therapy: str) -> list[LineInput]:
    """Of a case's therapy what can be prescribed, each medicine once."""
    known, found = _lines(), {}
    for item in therapy.lower().replace("; ", ", ").split(", "):
        line = known.get(item.strip())
        if line is not None:
            found.setdefault(line.what, line)
    return list(found.values())


def prescription_for(visit: Visit, therapy: str) -> PrescriptionInput | None:
    """As a careful doctor fills in the form: nothing the patient is allergic to."""
    kept = []
    for line in lines_for(therapy):
        found = prescription_warnings.of_lines(visit, wanted_lines([line]))
        if not any(each.rule == "ALERGI" for each in found):
            kept.append(line)
    if not kept:
        return None
    found = prescription_warnings.of_lines(visit, wanted_lines(kept))
    return PrescriptionInput(kept, reasons={each.key: REASON for each in found})


@dataclass
class Prescribed:
    """Prescriptions of the last months, given by the pharmacy on the same day."""

    stays: Sequence[Stay]
    users: Mapping[str, User]  # by room

    def write(self, entry_ids: Mapping[tuple[int, EntryKind], int]) -> None:
        """Insert them with their lines and the numbers' counters."""
        if PHARMACY not in self.users:
            return
        given = list(self._given(entry_ids))
        numbers: dict[str, int] = defaultdict(int)
        rows = [self._row(stay, examination, numbers) for stay, examination, _ in given]
        ids = insert_rows(Prescription, rows)
        insert_only(
            PrescriptionLine,
            [
                self._line(stay, id_, place, line)
                for (stay, _, lines), id_ in zip(given, ids, strict=True)
                for place, line in enumerate(lines)
            ],
        )
        counted = [{"name": f"prescription:{on}", "value": n} for on, n in numbers.items()]
        insert_only(Counter, counted)

    def _given(self, entry_ids: Mapping) -> Iterator[tuple[Stay, Examination, list[WantedLine]]]:
        wanted = {code: wanted_lines([line])[0] for code, line in _lines().items()}
        by_input = {line: wanted[code] for code, line in _lines().items()}
        since = max(stay.ended_at for stay in self.stays) - KEPT
        seen = [each for each in self.stays if each.is_seen and each.is_last]
        recent = [stay for stay in seen if stay.ended_at > since]
        examinations = self._examinations([entry_ids[stay.place, stay.kind] for stay in recent])
        for stay in sorted(recent, key=lambda each: each.ended_at):
            lines = lines_for(stay.plan.case.therapy_for(stay.months))
            examination = examinations.get(entry_ids[stay.place, stay.kind])
            if lines and examination is not None:
                yield stay, examination, [by_input[line] for line in lines]

    def _examinations(self, entry_ids: Sequence[int]) -> dict[int, Examination]:
        first = min(entry_ids, default=0)
        rows = select(Examination.id, Examination.visit_id, Examination.entry_id)
        rows = rows.where(Examination.entry_id >= first)
        return {row.entry_id: row for row in db.session.execute(rows)}

    def _row(self, stay: Stay, examination: Examination, numbers: dict[str, int]) -> dict:
        day, user = f"{stay.plan.on:%Y%m%d}", self.users[stay.room.code]
        numbers[day] += 1
        return {
            "number": f"RX-{day}-{numbers[day]:04}",
            "visit_id": examination.visit_id,
            "examination_id": examination.id,
            "practitioner_id": user.practitioner_id,
            "state": PrescriptionState.DISPENSED,
            "recorded_at": stay.ended_at,
            "recorded_by_id": user.id,
            "sent_at": stay.ended_at,
            "closed_at": stay.ended_at + UNTIL_GIVEN,
            "closed_by_id": self.users[PHARMACY].id,
        }

    def _line(self, stay: Stay, prescription_id: int, place: int, line: WantedLine) -> dict:
        return {
            "prescription_id": prescription_id,
            "position": place,
            "medicine_id": line.medicine.id,
            "title": line.title,
            "dose": line.dose,
            "dose_unit": line.dose_unit,
            "times_a_day": line.times_a_day,
            "days": line.days,
            "is_as_needed": line.is_as_needed,
            "quantity": line.quantity,
            "unit": line.unit,
            "instruction": line.instruction,
            "recorded_at": stay.ended_at,
            "recorded_by_id": self.users[stay.room.code].id,
        }
