"""One NIK on two records of two people: who has it, and who must show another card."""

from dataclasses import replace

from clinic import audit, patients
from db import db
from models import NoNikReason, Patient


def is_disputed(one: Patient, other: Patient) -> bool:
    """Whether both records carry the same NIK."""
    return one.nik is not None and one.nik == other.nik and one.id != other.id


def settle(actor: audit.Actor, owner: Patient, other: Patient, reason: str) -> None:
    """The NIK is the owner's; the other record waits for its own at the next visit.

    The other one goes on being found by the NIK, as by every former number.
    """
    identity = patients.identity_of(other)
    without = replace(
        identity, nik=None, is_nik_as_printed=False, no_nik_reason=NoNikReason.NOT_BROUGHT
    )
    why = f"NIK milik No. RM {owner.mrn}: {reason}".rstrip(": ")
    patients.update(actor, other, without, why)
    owner.is_nik_disputed = False
    db.session.flush()
