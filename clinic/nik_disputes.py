"""One NIK on two records of two people: who has it, and who must show another card."""

from dataclasses import replace

from sqlalchemy import select

from clinic import audit, patients
from db import db
from models import NoNikReason, Patient


class HeldElsewhere(Exception):
    """A third record still holds the number, with a sentence for the records staff."""


def is_disputed(one: Patient, other: Patient) -> bool:
    """Whether both records carry the same NIK."""
    return one.nik is not None and one.nik == other.nik and one.id != other.id


def settle(actor: audit.Actor, owner: Patient, other: Patient, reason: str) -> None:
    """The NIK is the owner's; the other record waits for its own at the next visit.

    The other one goes on being found by the NIK, as by every former number. Raises HeldElsewhere.
    """
    _refuse_third(owner, other)
    identity = patients.identity_of(other)
    without = replace(
        identity, nik=None, is_nik_as_printed=False, no_nik_reason=NoNikReason.NOT_BROUGHT
    )
    why = f"NIK milik No. RM {owner.mrn}: {reason}".rstrip(": ")
    patients.update(actor, other, without, why)
    owner.is_nik_disputed = False
    db.session.flush()


def _refuse_third(owner: Patient, other: Patient) -> None:
    third = db.session.scalar(
        select(Patient).where(
            Patient.nik == owner.nik,
            Patient.id.not_in([owner.id, other.id]),
            Patient.merged_into_id.is_(None),
            Patient.is_active,
            ~Patient.is_nik_disputed,
        )
    )
    if third:
        raise HeldElsewhere(
            f"NIK ini masih tercatat sebagai milik No. RM {third.mrn}. Bandingkan dulu rekam itu "
            f"dengan No. RM {owner.mrn} dan putuskan milik siapa; pilih “Belum tahu” di sini."
        )
