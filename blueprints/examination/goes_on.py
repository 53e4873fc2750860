"""Where the patient goes after "Selesai", in sentences for whoever pressed it."""

from clinic import prescription_queue, queue_lines, queue_loans
from models import Disposition, EntryKind, Examination, QueueEntry


def said(entry: QueueEntry, examination: Examination) -> str:
    """Which room has the patient next, and which one waited and has them back, or has not."""
    if examination.disposition == Disposition.INTERNAL:
        pharmacy = prescription_queue.pharmacy()  # from there patients go home
        if pharmacy is None or pharmacy.code != examination.refer_to:
            return f"Pasien antre di {examination.refer_name} dan kembali ke sini sesudahnya."
        return f"Pasien antre di {examination.refer_name}{_not_back(entry)}."
    after = queue_lines.entry_after(entry)
    if after is not None and after.kind is EntryKind.RESULT_BACK:
        return f"Pasien kembali ke antrean {after.poli.name}."
    left_out = _not_back(entry)
    return f"Pasien{left_out.removeprefix(',')}." if left_out else ""


def _not_back(entry: QueueEntry) -> str:
    """The room that had lent the patient and waits no more since this stay ended."""
    sender = queue_loans.sender_of(entry)
    has_ended = sender is not None and sender.ended_at is not None
    # One step ended both; who ended the wait before knows it.
    if not has_ended or sender.ended_at != entry.ended_at:
        return ""
    return f", tidak kembali ke {sender.poli.name}"
