"""What the check page has to ask about who the person is: numbers, mother, death, other records."""

from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

from sqlalchemy import bindparam, func, select

from clinic import deaths, identity_change, names, patients, shared_numbers
from clinic.nik_checks import (
    age_findings,
    agreement,
    mothers_nik,
    nik_findings,
    no_nik_findings,
)
from db import run
from formatting import age_on
from models import DatePrecision, Patient
from validators import Finding, phone_finding

TODDLER_YEARS = 5
OF_PERSON = {"NIK-DATE", "NIK-SEX"}  # have no more to say of the mother's NIK
ENOUGH_PATIENTS = 200  # before, each region is new
_OF_REGION = select(
    select(Patient.id).where(Patient.nik.between(bindparam("low"), bindparam("high"))).exists(),
    select(func.max(Patient.id)).scalar_subquery(),
)


WITHDRAWN = (
    "Catatan RM {} sudah ditarik dari impor dan tidak dipakai lagi. Cari pasiennya sekali lagi; "
    "bila belum ada, daftarkan sebagai pasien baru."
)
_TO_SEARCH = "kembali dan cari orangnya."
_TO_MOVE = 'buka tiketnya, lalu "Betulkan kunjungan" dan "Ganti pasien".'
_UNUSED_CARD = "Ada nomor BPJS, tetapi pembiayaannya Umum: tanyakan apakah JKN-nya dipakai."
_NO_CARD = "Pembiayaan JKN, tetapi nomor BPJS belum diisi: minta kartunya."


@dataclass(frozen=True)
class Warned:
    """One warning of the check page; `patient` when it is about who has the NIK already."""

    rule: str
    level: str
    message: str
    target_code: str | None = None
    patient: Patient | None = None
    is_final: bool = False  # no reason answers it
    is_same_person: bool = False  # by NIK, name and date: one reason for all is no answer

    @property
    def mark(self) -> str:
        """What a page says that has shown this sentence: of one rule there may be others."""
        return f"{self.rule}:{blake2b(self.message.encode(), digest_size=4).hexdigest()}"


def identity_warnings(
    identity: patients.Identity,
    patient: Patient | None,
    on: date,
    *,
    is_returning: bool,
    is_shown: bool,
    is_completed: bool = False,
    typed_phone: str = "",
) -> list[Warned]:
    """What to ask about an identity typed over `patient`, or about somebody new.

    is_returning: the form was filled from a record at the counter; is_completed: from that of a
    visit. is_shown: for the page that is read; a save needs no mere information about the region.
    """
    owner = nik_owner(identity.nik, patient)
    found = _of_nik(identity, on, owner, is_shown=is_shown) if identity.nik else []
    found += age_findings(identity, on)
    found += no_nik_findings(identity, on, patient.no_nik_reason if patient else None)
    found += shared_numbers.findings(identity, patient)
    phone = phone_finding(typed_phone or identity.phone or "")
    warnings = [Warned(f.rule, f.level, f.message) for f in [*found, *([phone] if phone else [])]]
    warnings += _withdrawn_warning(patient) if is_returning and patient else []
    warnings += _mother_warning(identity, on)
    warnings += _death_warning(patient)
    warnings += payer_notes(identity, patient, is_returning=is_returning) if is_shown else []
    if patient and (is_returning or is_completed):
        way = _TO_MOVE if is_completed else _TO_SEARCH
        warnings += _other_person_warning(identity, patient, way)
    return warnings + ([taken_warning(owner, identity)] if owner else [])


def nik_agreement(identity: patients.Identity, on: date) -> str:
    """What of the person the NIK confirms, in words; empty when nothing."""
    if not identity.nik:
        return ""
    is_exact = identity.birth_precision == DatePrecision.DAY
    born = identity.birth_date if is_exact else None
    return agreement(identity.nik, sex=identity.sex, birth_date=born, today=on)


def _of_nik(
    identity: patients.Identity, on: date, owner: Patient | None, *, is_shown: bool
) -> list[Finding]:
    mothers = mothers_nik(identity, owner, on)
    found = nik_findings(
        identity.nik,
        sex=identity.sex,
        birth_date=identity.birth_date,
        today=on,
        is_estimate=identity.birth_precision != DatePrecision.DAY,
        kk_number=identity.kk_number,
        mother_nik=identity.mother_nik,
        as_printed=identity.is_nik_as_printed,
        is_new_region=is_shown and _is_new_region(identity.nik),
    )
    return mothers + [one for one in found if not mothers or one.rule not in OF_PERSON]


def _is_new_region(nik: str) -> bool:
    region = {"low": nik[:6] + "0" * 10, "high": nik[:6] + "9" * 10}
    is_known, newest = run(_OF_REGION, region).one()
    return not is_known and (newest or 0) >= ENOUGH_PATIENTS


def withdrawn(patient: Patient) -> str:
    """What to say of a record that its import took back; empty for one that counts."""
    return "" if patient.is_active else WITHDRAWN.format(patient.mrn)


def _withdrawn_warning(patient: Patient) -> list[Warned]:
    sentence = withdrawn(patient)  # nobody would find the visit, nor the person the next time
    return [Warned("WITHDRAWN", "error", sentence, is_final=True)] if sentence else []


def _mother_warning(identity: patients.Identity, on: date) -> list[Warned]:
    born = identity.birth_date
    is_told = identity.mother_name or names.is_called_after_mother(identity.name)
    if not born or born > on or age_on(born, on).years >= TODDLER_YEARS or is_told:
        return []
    return [
        Warned(
            "MOTHER-1",
            "warning",
            "Nama ibu belum diisi. Anak di bawah 5 tahun mudah tertukar tanpa nama ibunya.",
        )
    ]


def _death_warning(patient: Patient | None) -> list[Warned]:
    more = "menurut catatannya. Bila keliru, minta ruang yang memeriksa membetulkannya."
    told = deaths.mark(patient) if patient else []
    return [Warned("DEATH-1", "warning", f"{mark} {more}") for mark in told]


def payer_notes(
    identity: patients.Identity, patient: Patient | None = None, *, is_returning: bool = False
) -> list[Warned]:
    """Card and payer that do not go together: the clinic would lose the claim.

    A member who comes to pay is told of at each visit; a card that is not known was asked for.
    """
    is_known = patient is not None and (
        (patient.payer, patient.bpjs_number or "") == (identity.payer, identity.bpjs_number or "")
    )
    if identity.payer == "UMUM" and identity.bpjs_number and (is_returning or not is_known):
        return [Warned("BPJS-UNUSED", "info", _UNUSED_CARD)]
    if identity.payer.startswith("JKN") and not identity.bpjs_number and not is_known:
        return [Warned("BPJS-NONE", "info", _NO_CARD)]
    return []


def _other_person_warning(identity: patients.Identity, patient: Patient, way: str) -> list[Warned]:
    found = identity_change.replaced(patient, identity)
    if not found:
        return []
    sentence = (
        f"Catatan RM {patient.mrn} akan diganti: {', '.join(found)}. Bila yang datang "
        f"orang lain, jangan simpan: {way}"
    )
    return [Warned("PERSON-1", "error", sentence)]


def nik_owner(nik: str | None, patient: Patient | None = None) -> Patient | None:
    """Who has this NIK, if that is not `patient`."""
    owner = patients.by_nik(nik) if nik else None
    return None if owner is None or (patient and owner.id == patient.id) else owner


def is_surely(identity: patients.Identity, owner: Patient) -> bool:
    """Name and birth date are those of the NIK's owner; else the two must be compared."""
    same_name = names.name_tokens(identity.name).text == names.name_tokens(owner.name).text
    return same_name and identity.birth_date == owner.birth_date


def taken_warning(owner: Patient, identity: patients.Identity | None = None) -> Warned:
    """NIK-TAKEN: never attached silently, never a dead end."""
    return Warned(
        "NIK-TAKEN",
        "error",
        f"NIK ini sudah tercatat pada pasien {owner.name} (No. RM {owner.mrn}). Bila orangnya "
        "sama, pakai catatan itu. Bila berbeda, tulis alasannya; rekam medis akan memeriksa.",
        patient=owner,
        is_same_person=identity is not None and is_surely(identity, owner),
    )
