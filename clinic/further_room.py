"""A further room for a visit that goes on: where none can be given, and what is said there."""

from clinic import days, queue_steps
from formatting import short_date
from models import Visit

ROOM, PAST = "ROOM-1", "ROOM-2"


def refusal(visit: Visit, poli_code: str) -> tuple[str, str] | None:
    """Rule and sentence where this visit can't be queued in this room; no reason answers it."""
    if not days.goes_on(visit.service_day):
        return PAST, past(visit)
    for entry in visit.entries:
        if entry.poli.code == poli_code and entry.state in days.STILL_HERE:
            return ROOM, (
                f"{queue_steps.present(entry)}. Nomor {visit.label} berlaku di sana, jadi tidak "
                "perlu ditambahkan lagi. Pilih ruang lain, atau kembali ke tiketnya."
            )
    return None


def past(visit: Visit) -> str:
    """What is said of a visit whose day is over."""
    return (
        f"Hari kunjungan {visit.label}, {short_date(visit.service_day.on)}, sudah lewat, jadi "
        "ruang tidak dapat ditambahkan. Daftarkan kunjungan baru untuk pasien ini."
    )


def add_complaint(visit: Visit, complaint: str) -> None:
    """Said later, at another room's registration: it stands beside what was said first."""
    said = f"; {visit.complaint}; ".casefold()
    if complaint and f"; {complaint}; ".casefold() not in said:  # "sesak" is in "tidak sesak"
        visit.complaint = f"{visit.complaint}; {complaint}"
