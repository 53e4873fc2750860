"""In which visit and stay doses are noted or ended now, in words where they are not."""

from clinic import right_patient
from clinic.queue_steps import NOT_YET_SERVED
from models import QueueEntry

NOT_BEGUN = (
    "Pasien ini belum mulai dilayani. Cocokkan nama dan tanggal lahirnya, lalu tekan Mulai; "
    "sesudah itu imunisasi dapat dicatat."
)
NOT_SERVED = "Pasien ini tidak dilayani di ruang Anda, jadi imunisasi tidak dicatat di sini."


def not_begun(entry: QueueEntry) -> bool:
    """Whether the patient is still to be called in, so that nobody has asked who it is."""
    return entry.state in NOT_YET_SERVED and not right_patient.is_settled(entry)


def refusal(entry: QueueEntry) -> str:
    """Why no dose is added in this stay; '' when one may be."""
    if not_begun(entry):
        return NOT_BEGUN
    return "" if right_patient.is_settled(entry) else NOT_SERVED
