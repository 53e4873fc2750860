"""BPJS-TAKEN and PASSPORT-TAKEN: a number of one person that another record has already.

A borrowed or mistyped card means somebody else's claim and record. Unlike a NIK it is no key of
the register, so both may keep it; the clerk says why.
"""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Select, bindparam, select

from clinic import patients
from clinic.candidates import FEW, FINDABLE
from clinic.patients import Identity
from clinic.usable import usable_card, usable_passport
from db import db, run
from models import Patient
from validators import Finding


class _Number(NamedTuple):
    rule: str
    words: str
    usable: Callable[[str | None], str | None]
    holders: Select


def _holders(column) -> Select:
    return select(Patient.id).where(column == bindparam("number"), FINDABLE).limit(FEW)


# By the column. Built once, as every save asks.
_NUMBERS = {
    "bpjs_number": _Number("BPJS-TAKEN", "Nomor BPJS", usable_card, _holders(Patient.bpjs_number)),
    "passport_no": _Number(
        "PASSPORT-TAKEN", "Nomor paspor", usable_passport, _holders(Patient.passport_no)
    ),
}

# By the form's field; that of a NIK is in clinic/identity_warnings.py.
RULES = {"nik": "NIK-TAKEN"} | {field: number.rule for field, number in _NUMBERS.items()}


def findings(identity: Identity, patient: Patient | None = None) -> list[Finding]:
    """Who else has the typed numbers; `patient` is the record that the identity is about.

    Who came with the number before has been asked why, and is only reminded.
    """
    found = []
    for column, number in _NUMBERS.items():
        typed = number.usable(getattr(identity, column))
        other = _other_holder(number, typed, patient) if typed else None
        if other is not None:
            is_known = patient is not None and getattr(patient, column) == typed
            level = "info" if is_known else "warning"
            found.append(
                Finding(number.rule, level, _sentence(number.words, other, is_known=is_known))
            )
    return found


def _other_holder(number: _Number, typed: str, patient: Patient | None) -> Patient | None:
    holders = run(number.holders, {"number": typed}).scalars().all()
    current = (patients.current(db.session.get_one(Patient, holder)) for holder in holders)
    mine = patient.id if patient else None
    return next((one for one in current if one.is_active and one.id != mine), None)


def _sentence(words: str, other: Patient, *, is_known: bool) -> str:
    held = (
        f"{words} ini sudah tercatat pada pasien {other.name} (No. RM {other.mrn}). Cocokkan "
        "dengan kartunya. "
    )
    if is_known:  # no reason is asked, and the page may be without a field for the number
        return held + "Bila salah, betulkan di data pasien; dari tiket lewat Lengkapi identitas."
    return held + (
        "Bila orangnya sama, pakai catatan itu. Bila berbeda, betulkan nomornya "
        "atau tulis alasannya."
    )
