"""After "Selesai": a prescription or a line of it taken back, or another one written instead."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from clinic import audit, days, dispensing_reports, prescription_queue, prescriptions, queues
from clinic.audit import Actor
from clinic.prescriptions import OPEN, PrescriptionInput
from clinic.record_errors import RecordError
from db import db, utcnow
from models import Examination, Prescription, PrescriptionLine, PrescriptionState
from validators import clean_text

LONGEST_REASON = 300
AT_ONCE = "Resep ini baru saja diubah orang lain. Muat ulang halaman, lalu periksa lagi."


def cancel(actor: Actor, prescription: Prescription, reason: str) -> Prescription:
    """Take it back before it is given; who only waits for it leaves the pharmacy's queue.

    Raises RecordError without a reason, or when the pharmacy has closed it.
    """
    reason = _reason(reason)
    prescription = _open(prescription)
    try:
        prescriptions.close_cancelled(actor, prescription, reason)
    except StaleDataError as error:
        raise RecordError(AT_ONCE) from error
    _tell_pharmacy(actor, prescription, reason)
    return prescription


def cancel_line(actor: Actor, line: PrescriptionLine, reason: str) -> Prescription:
    """Take one line back; with the last one the whole prescription is cancelled."""
    reason = _reason(reason)
    prescription = _open(line.prescription)
    if line.ended_at is not None:
        raise RecordError("Obat ini sudah dihapus dari resep.")
    if len(prescriptions.active_lines(prescription)) == 1:
        return cancel(actor, prescription, reason)
    line.ended_at, line.ended_by_id, line.end_reason = utcnow(), actor.user_id, reason
    prescriptions.touch(prescription)
    try:
        db.session.flush()
    except StaleDataError as error:
        raise RecordError(AT_ONCE) from error
    audit.record(actor, "cancel_prescription_line", prescription, reason=reason)
    _tell_pharmacy(actor, prescription, reason)
    return prescription


def write_anew(actor: Actor, examination: Examination, entered: PrescriptionInput) -> Prescription:
    """A prescription for an examination that has ended, sent at once. Raises RecordError."""
    refuse_second(examination)
    try:
        prescriptions.write(actor, examination, entered)
    except IntegrityError as error:
        raise RecordError(AT_ONCE) from error
    prescription = prescriptions.of(examination)
    if not prescriptions.active_lines(prescription):
        raise RecordError("Pilih dahulu obatnya.", "medicine_search")
    prescriptions.refuse_incomplete(prescription)
    prescriptions.send(actor, prescription)
    visit = examination.visit
    entry = examination.entry
    room = prescription_queue.next_room(entry)
    if room and not prescription_queue.waiting_there(visit):
        queues.bump(entry.service_day_id, room.id)
        prescription_queue.go_on(actor, entry, room, utcnow())
    return prescription


def refuse_second(examination: Examination) -> None:
    """Raise RecordError where no prescription can be written any more, or one is there."""
    if examination.finished_at is None:
        raise RecordError("Pemeriksaan belum selesai. Tulis resepnya di formulir pemeriksaan.")
    day = days.current_day()
    if day is None or examination.visit.service_day_id != day.id:
        raise RecordError("Hari layanannya sudah lewat. Daftarkan kunjungan baru untuk resep baru.")
    if prescriptions.of(examination) is not None:
        raise RecordError("Pemeriksaan ini sudah punya resep. Batalkan dahulu bila perlu diganti.")


def line_by_ref(ref: str) -> PrescriptionLine | None:
    """The line of this public id."""
    return db.session.scalar(select(PrescriptionLine).where(PrescriptionLine.public_id == ref))


def _reason(text: str) -> str:
    reason = clean_text(text, LONGEST_REASON)
    if not reason:
        raise RecordError("Tulis alasan membatalkannya.", "alasan")
    return reason


def _open(prescription: Prescription) -> Prescription:
    # The pharmacy may be closing it at this moment.
    db.session.execute(
        select(Prescription.id).where(Prescription.id == prescription.id).with_for_update()
    )
    prescription = prescriptions.by_ref(prescription.public_id)
    if prescription.state is PrescriptionState.CANCELLED:
        raise RecordError("Resep ini sudah dibatalkan.")
    # The state alone is not asked: what a patient holds is not taken back by a word.
    if prescription.state not in OPEN or dispensing_reports.is_begun(prescription.id):
        raise RecordError("Farmasi sudah menyerahkan obat resep ini, jadi tidak dibatalkan.")
    return prescription


def _tell_pharmacy(actor: Actor, prescription: Prescription, reason: str) -> None:
    room = prescription_queue.pharmacy()
    waits = prescription_queue.leave(prescription.visit)
    if waits is not None:
        queues.act(actor, waits, "batal", reason)
    elif room is not None:
        queues.bump(prescription.visit.service_day_id, room.id)
