"""*Telaah resep*, and what the pharmacy gives in the place of what was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from clinic import audit, medicines, prescription_warnings, prescriptions, substitute_doses
from clinic.audit import Actor
from clinic.dispensing_steps import Changed, open_prescription
from clinic.prescription_lines import LineInput, WantedLine, wanted_lines
from clinic.record_errors import RecordError
from db import db, utcnow
from models import (
    Medicine,
    Prescription,
    PrescriptionLine,
    PrescriptionReview,
    PrescriptionState,
    User,
)
from validators import clean_text

SAME_INGREDIENTS = "Dengan zat aktif yang sama"
SOME_INGREDIENTS = "Mengandung zat aktif yang sama"
LONGEST_PROBLEMS, LONGEST_REASON = 500, 300
ASPECTS = {
    "administrative": ("Administratif", "nama, tanggal lahir, dokter, tanggal, paraf"),
    "pharmaceutical": ("Farmasetik", "obat, bentuk, kekuatan, jumlah, aturan pakai, stok"),
    "clinical": ("Klinis", "indikasi, dosis, alergi, obat ganda, interaksi, kehamilan"),
}


@dataclass(frozen=True)
class ReviewInput:
    """Which aspects were looked at and are in order, and what is not."""

    in_order: frozenset[str]
    problems: str = ""


@dataclass(frozen=True)
class Substitute:
    """What the form says of the medicine that takes a line's place."""

    line: LineInput
    reason: str
    reasons: Mapping[str, str] = field(default_factory=dict)  # of warnings, by their key
    dose_asked: str = ""  # code of the medicine whose other dose was shown already


class Alternatives(NamedTuple):
    """Medicines that are offered in the place of a line, and what they are."""

    title: str
    medicines: list[Medicine]


def review(actor: Actor, ref: str, version: int, said: ReviewInput) -> Prescription:
    """Look it over, once. Raises RecordError while an aspect is open and nothing is said of it."""
    prescription = open_prescription(ref, version)
    if prescription.state is PrescriptionState.REVIEWED:
        who = db.session.get(User, prescription.reviewed_by_id).display_name
        raise Changed(f"Resep {prescription.number} sudah ditelaah {who}.")
    problems = clean_text(said.problems, LONGEST_PROBLEMS, newlines=True)
    if not said.in_order >= ASPECTS.keys() and not problems:
        raise RecordError(
            "Centang ketiga hal yang ditelaah, atau tulis masalah yang ditemukan.", "problems"
        )
    now, me = utcnow(), actor.user_id
    aspects = {f"is_{name}": name in said.in_order for name in ASPECTS}
    db.session.add(
        PrescriptionReview(
            prescription_id=prescription.id,
            problems=problems,
            reviewed_at=now,
            reviewed_by_id=me,
            **aspects,
        )
    )
    prescription.state = PrescriptionState.REVIEWED
    prescription.reviewed_at, prescription.reviewed_by_id = now, me
    db.session.flush()
    details = f"masalah: {'ada' if problems else 'tidak ada'}"
    audit.record(actor, "review_prescription", prescription, details=details)
    return prescription


def last_reviews(prescription_ids: list[int]) -> dict[int, PrescriptionReview]:
    """The newest review of each of these prescriptions."""
    rows = (
        select(PrescriptionReview)
        .options(joinedload(PrescriptionReview.reviewed_by))
        .where(PrescriptionReview.prescription_id.in_(prescription_ids))
        .order_by(PrescriptionReview.id)
    )
    return {row.prescription_id: row for row in db.session.scalars(rows)}


# --- Substitutes ------------------------------------------------------------------------------


def found_substitutes(query: str) -> list[Alternatives]:
    """What was searched for."""
    return [Alternatives("Yang ditemukan", medicines.search(query))]


def alternatives(line: PrescriptionLine) -> list[Alternatives]:
    """What may stand for a line: taken the same way, with all its ingredients, or some of them."""
    if line.medicine is None:
        return [Alternatives(SAME_INGREDIENTS, [])]
    wanted = set(line.medicine.ingredient_list)
    shared = or_(
        *(
            ("|" + Medicine.ingredients + "|").contains(f"|{each}|", autoescape=True)
            for each in wanted
        )
    )
    rows = select(Medicine).where(shared, Medicine.is_active, Medicine.id != line.medicine_id)
    rows = rows.where(Medicine.route == line.medicine.route).order_by(Medicine.position)
    found = list(db.session.scalars(rows))
    same = [each for each in found if set(each.ingredient_list) == wanted]
    some = [each for each in found if each not in same]
    left = medicines.MOST_FOUND - len(same)
    told = [Alternatives(SAME_INGREDIENTS, same[: medicines.MOST_FOUND])]
    return told + ([Alternatives(SOME_INGREDIENTS, some[:left])] if some and left > 0 else [])


def substitute(
    actor: Actor, ref: str, version: int, line_ref: str, said: Substitute
) -> PrescriptionLine:
    """End a line and put another one in its place.

    Raises LineError, RecordError, Unanswered, and DoseChanged once for a medicine of another dose.
    """
    prescription = open_prescription(ref, version)
    line = active_line(prescription, line_ref)
    reason = clean_text(said.reason, LONGEST_REASON)
    if not reason:
        raise RecordError("Tulis alasan penggantian, dan siapa yang menyetujui.", "reason")
    (wanted,) = wanted_lines([said.line])
    _refuse_incomplete(line, wanted)
    if said.dose_asked != said.line.what:
        substitute_doses.refuse_unseen(line, wanted, said.line.sig)
    line.ended_at, line.ended_by_id = utcnow(), actor.user_id
    line.end_reason = "Diganti farmasi"
    added = prescriptions.add_line(actor, prescription, wanted)
    added.position, added.replaces_id, added.replace_reason = line.position, line.id, reason
    prescriptions.touch(prescription)
    db.session.flush()
    _answer(actor, prescription, said.reasons)
    details = f"{line.title} menjadi {added.title}"
    audit.record(actor, "substitute_medicine", prescription, reason=reason, details=details)
    return added


class Unanswered(RecordError):
    """Warnings of the substitute that ask for a reason first."""

    def __init__(self, warnings: list) -> None:
        super().__init__("Obat pengganti menimbulkan peringatan. Tulis alasannya, atau pilih lain.")
        self.warnings = warnings


def active_line(prescription: Prescription, ref: str) -> PrescriptionLine:
    """The line of this public id that still holds. Raises Changed when it does not."""
    for line in prescriptions.active_lines(prescription):
        if line.public_id == ref:
            return line
    raise Changed("Baris resep ini sudah diganti. Muat ulang halaman.")


def _refuse_incomplete(line: PrescriptionLine, wanted: WantedLine) -> None:
    if line.medicine_id is not None and wanted.medicine is not None:
        same = line.medicine_id == wanted.medicine.id
        if same and prescriptions.identity(line) == wanted.identity:
            raise RecordError("Ini obat yang sama. Pilih obat lain.", "what")
    if not wanted.instruction:
        raise RecordError("Isi aturan pakai obat pengganti.", "sig")
    if wanted.quantity is None:
        raise RecordError(
            f"Jumlahnya tidak dapat dihitung dari “{wanted.instruction}”. Isi lamanya (hari), "
            "atau jumlahnya.",
            "quantity",
        )


def _answer(actor: Actor, prescription: Prescription, reasons: Mapping[str, str]) -> None:
    prescription_warnings.answer(actor, prescription, reasons)
    open_ones = prescription_warnings.unanswered(prescription)
    if open_ones:
        raise Unanswered(open_ones)
