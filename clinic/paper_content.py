"""A whole paper as it is printed: the clinic's head, who it is about, its parts, who signs."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from clinic.names import with_birth_order
from clinic.paper_facts import Facts
from clinic.paper_texts import KINDS, PATIENT, Part, Said, rows, text
from formatting import age_text, letter_date, sex_text
from models import DatePrecision, PaperKind, Patient, Practitioner

FORMAT = 1


def checked_content(
    kind: PaperKind,
    facts: Facts,
    said: Said,
    signer: Practitioner,
    known: Mapping[str, Any],
) -> dict[str, Any]:
    """The paper as it will be kept; `known` are the clinic's settings. Raises RecordError."""
    about = KINDS[kind]
    said = {**said, "limit": known["sick_days"], "zone": known["time_zone"]}
    about.check(facts, said)
    identity = _identity(facts, shows_record_no=about.shows_record_no)
    parts = about.body(facts, said)
    if PATIENT not in parts:
        parts = [*([text(about.opening)] if about.opening else []), PATIENT, *parts]
    return {
        "format": FORMAT,
        "size": about.size,
        "title": about.title,
        "head": _head(known),
        "parts": [identity if each == PATIENT else each for each in parts],
        "place": known["clinic_city"],
        "date": letter_date(facts.today),
        "signer": {
            "profession": signer.profession,
            "name": signer.name,
            "licence": signer.licence_no or "",
        },
    }


def digest(content: Mapping[str, Any]) -> str:
    """Tells whether what is issued is what was read back."""
    line = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(line.encode()).hexdigest()


def _head(known: Mapping[str, Any]) -> dict[str, str]:
    return {
        "office": known["clinic_office"],
        "name": known["clinic_name"],
        "address": known["clinic_address"],
        "phone": known["clinic_phone"],
    }


def _identity(facts: Facts, *, shows_record_no: bool) -> Part:
    patient = facts.patient
    return rows(
        ("Nama", _name(patient)),
        ("Tanggal lahir", _born(facts)),
        ("Jenis kelamin", sex_text(patient.sex)),
        ("No. rekam medis", patient.mrn if shows_record_no else ""),
        ("Alamat", _address(patient)),
    )


def _name(patient: Patient) -> str:
    """With the birth order of a baby that has no name yet; a named twin's letters need none."""
    is_unnamed = patient.name[:3].lower() == "by "
    return with_birth_order(patient.name, patient.birth_order if is_unnamed else None)


def _born(facts: Facts) -> str:
    patient = facts.patient
    if patient.birth_date is None:
        return "tidak diketahui"
    is_estimated = patient.birth_precision is not DatePrecision.DAY
    age = age_text(patient.birth_date, facts.today, is_estimated)
    if is_estimated:
        return f"{age} (perkiraan)"
    return f"{letter_date(patient.birth_date)} ({age})"


def _address(patient: Patient) -> str:
    near = [f"RT {patient.rt}" if patient.rt else "", f"RW {patient.rw}" if patient.rw else ""]
    whole = [patient.address, " ".join(part for part in near if part), patient.village or ""]
    return ", ".join(dict.fromkeys(part for part in whole if part))
