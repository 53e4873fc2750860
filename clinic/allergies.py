"""Allergies, and what else to beware of, belong to the person, not to a visit.

One that does not hold is ended, with why.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from clinic import audit, deaths, patients, queues
from clinic.audit import Actor
from clinic.data_files import texts
from clinic.names import fold
from clinic.record_errors import RecordError
from db import add_row, db, utcnow
from models import Allergy, Patient
from validators import clean_text

WORDS = {False: "Alergi", True: "Waspada"}


def held(patient: Patient) -> list[Allergy]:
    """What holds now: allergies, then what else to beware of; the oldest first."""
    rows = select(Allergy).where(Allergy.patient_id == patient.id, Allergy.ended_at.is_(None))
    return list(db.session.scalars(rows.order_by(Allergy.is_alert, Allergy.id)))


def current(patient: Patient) -> list[Allergy]:
    """The allergies that hold now."""
    return [row for row in held(patient) if not row.is_alert]


def banner(patient: Patient) -> list[str]:
    """What stands in red: "Meninggal ...", "Alergi: Amoksisilin (gatal)", "Waspada: tuli"."""
    kinds = groupby(held(patient), key=lambda row: row.is_alert)
    return deaths.mark(patient) + [
        f"{WORDS[kind]}: {', '.join(labels(list(rows)))}" for kind, rows in kinds
    ]


def labels(rows: Sequence[Allergy]) -> list[str]:
    """In words: "Amoksisilin (gatal)"."""
    return [f"{row.substance} ({row.reaction})" if row.reaction else row.substance for row in rows]


def mark(patient: Patient | None) -> list[str] | None:
    """For the counter, which reads nothing clinical: that there is something, not what."""
    if patient is None:
        return None
    kinds = dict.fromkeys(row.is_alert for row in held(patient))
    known = [f"{WORDS[kind]}: ada, lihat di ruang periksa" for kind in kinds]
    return deaths.mark(patient) + known or None


def among(patient_ids: Iterable[int]) -> set[int]:
    """Which of these people have an allergy; 1 query."""
    rows = select(Allergy.patient_id).where(
        Allergy.patient_id.in_(set(patient_ids)), Allergy.ended_at.is_(None), ~Allergy.is_alert
    )
    return set(db.session.scalars(rows))


def ended(patient: Patient) -> list[Allergy]:
    """What was once recorded and does not hold, the newest first."""
    rows = select(Allergy).where(Allergy.patient_id == patient.id, Allergy.ended_at.is_not(None))
    rows = rows.options(joinedload(Allergy.recorded_by), joinedload(Allergy.ended_by))
    return list(db.session.scalars(rows.order_by(Allergy.ended_at.desc(), Allergy.id.desc())))


def add_allergy(
    actor: Actor, patient: Patient, substance: str, reaction: str = "", *, is_alert: bool = False
) -> Allergy:
    """Record an allergy or alert of the person; the same words sent twice are recorded once.

    It stands on the record that counts, even if this one was merged a moment ago. Raises
    RecordError when empty, when it says that there is none, or when it is already there.
    """
    substance, reaction = clean_text(substance, 100), clean_text(reaction, 200)
    if not substance:
        what = "yang perlu diwaspadai" if is_alert else "obat, makanan, atau zat penyebab alergi"
        escape = ", atau kosongkan reaksinya" if reaction else ""
        raise RecordError(f"Tulis {what}{escape}.", "substance")
    if _is_denial(substance):
        raise RecordError(
            "Kosongkan bila tidak ada: yang diisi di sini tampil merah di semua ruang.", "substance"
        )
    patient = patients.current(patient)
    for known in held(patient):
        if known.substance.lower() == substance.lower():
            is_same = (known.reaction, known.is_alert) == (reaction, is_alert)
            if is_same and known.recorded_by_id == actor.user_id:
                return known
            raise RecordError(
                f"{WORDS[known.is_alert]} {known.substance} sudah tercatat.", "substance"
            )
    allergy = add_row(
        Allergy(
            patient_id=patient.id,
            original_patient_id=patient.id,
            substance=substance,
            reaction=reaction,
            is_alert=is_alert,
            recorded_by_id=actor.user_id,
        )
    )
    queues.bump_rooms_of(patient)
    audit.record(actor, "add_allergy", allergy, patient_ref=patient.public_id)
    return allergy


@cache
def _denying_words() -> dict[str, str]:
    """The kinds of the words of "tidak ada alergi obat"."""
    return {fold(row["word"]): row["kind"] for row in texts("no_allergy_words.csv")}


def _is_denial(substance: str) -> bool:
    """Whether it names nothing: "tidak ada", "belum diketahui", "(-)".

    "Tidak tahan susu" does; so does "obat tidak diketahui", an allergy to something unknown.
    """
    is_denied = not any(letter.isalnum() for letter in substance)
    for word in fold(substance).split():
        kind = _denying_words().get(word)
        if kind is None or (kind == "denied" and not is_denied):
            return False
        is_denied = is_denied or kind == "denies"
    return is_denied


def end_allergy(actor: Actor, allergy: Allergy, reason: str) -> Allergy:
    """End an allergy that does not hold; it stays in the record. Raises RecordError."""
    reason = clean_text(reason, 300)
    if not reason:
        raise RecordError("Tulis alasan mengakhiri alergi ini.", "reason")
    if allergy.ended_at:
        raise RecordError("Alergi ini sudah diakhiri.")
    allergy.ended_at, allergy.ended_by_id, allergy.end_reason = utcnow(), actor.user_id, reason
    db.session.flush()
    patient = db.session.get(Patient, allergy.patient_id)
    queues.bump_rooms_of(patient)
    audit.record(actor, "end_allergy", allergy, patient_ref=patient.public_id, reason=reason)
    return allergy
