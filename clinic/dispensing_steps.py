"""What each step of the pharmacy on a prescription begins with: is it still as it was seen?"""

from collections.abc import Mapping
from datetime import date, timedelta

from clinic import days, prescriptions, settings
from clinic.prescription_directions import days_supplied
from clinic.record_errors import RecordError
from formatting import clock_time
from models import Prescription, PrescriptionLine, PrescriptionState, Visit

CLOSED_WORDS = {
    PrescriptionState.DISPENSED: "sudah diserahkan",
    PrescriptionState.PARTIAL: "sudah ditutup, tidak semua diserahkan,",
    PrescriptionState.CANCELLED: "sudah dibatalkan",
}


class Changed(RecordError):
    """Somebody else did something with the prescription since the page was opened."""


class NotReady(RecordError):
    """What can't be handed out so; `problems` has a sentence for each line, by its public id."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("Belum ada yang diserahkan. Periksa baris berikut.")
        self.problems = problems


def is_late(visit: Visit) -> bool:
    """Whether the visit's day is over: nobody stands in its queues any more."""
    day = days.current_day()
    return day is None or visit.service_day_id != day.id


def therapy_end(line: PrescriptionLine) -> date | None:
    """The last day of use of what is handed out today; None when nobody can say."""
    length = line.days
    if not length and line.quantity:
        per_unit = line.medicine.doses_per_unit if line.medicine else 1
        length = days_supplied(line.quantity, line.times_a_day, line.dose, per_unit)
    return days.clinic_date() + timedelta(days=length - 1) if length else None


def open_prescription(ref: str, version: int) -> Prescription:
    """The prescription to work on, as somebody saw it. Raises Changed when it no longer is."""
    found = prescriptions.by_ref(ref)
    if found is None or found.state is PrescriptionState.DRAFT:
        raise Changed("Resep ini tidak ada lagi.")
    if found.state not in prescriptions.OPEN:
        who = found.closed_by.display_name
        clock = clock_time(found.closed_at, settings.value("time_zone"))
        raise Changed(f"Resep {found.number} {CLOSED_WORDS[found.state]} oleh {who} pukul {clock}.")
    if found.version != version:
        raise Changed(
            f"Resep {found.number} baru saja diubah petugas lain. Periksa lagi, lalu tekan sekali "
            "lagi."
        )
    return found
