"""What a form knows before it is typed into: the record, a draft, the family, the search."""

from datetime import date

from clinic import days, households, patients
from clinic.nik_checks import MOTHER_FROM_YEARS, infant_born, makes_adult
from clinic.patients import Identity
from formatting import short_date
from models import DatePrecision, Patient
from validators import full_years, nik_facts

WHY_NO_NIK = {
    "BAYI": "bayi",
    "BELUM_BAWA": "kartu belum dibawa",
    "LUPA_KARTU": "lupa kartu",
    "ASING": "warga negara asing",
    "TANPA_DOKUMEN": "tidak punya dokumen",
    "TIDAK_DIKENAL": "tidak dikenal",
}
VISIT_FIELDS = ("complaint", "poli", "pregnant", "priority", "visit_type", "cluster", "bpjs_home")


def fields_of(patient: Patient, today: date) -> dict[str, str]:
    """A known patient's identity as form fields."""
    version = {"patient_version": str(patient.version)}
    return identity_fields(patients.identity_of(patient), today) | version


def identity_fields(patient: Identity, today: date) -> dict[str, str]:
    """An identity as form fields; what is unknown is left out."""
    born = patient.birth_date
    is_exact = patient.birth_precision == DatePrecision.DAY
    same = ("name", "sex", "nik", "phone_owner", "payer", *patients.FILLED_ALONE)
    known = {name: getattr(patient, name) for name in same} | {
        "nik_as_printed": "1" if patient.is_nik_as_printed else "",
        "no_nik_reason": patient.no_nik_reason and str(patient.no_nik_reason),
        "birth_order": patient.birth_order and str(patient.birth_order),
        "birth_date": short_date(born) if born and is_exact else "",
        "birth_date_estimated": patients.estimated_age(patient, today),
    }
    return {name: value for name, value in known.items() if value}


def gaps(patient: Patient) -> str:
    """What is still to be asked of a known patient; empty when the identity is whole."""
    reason = patient.no_nik_reason
    found = []
    if reason == "ASING":  # has no NIK and needs none
        found += [] if patient.passport_no else ["nomor paspor belum ada"]
    elif not patient.nik:
        found.append(f"NIK belum ada ({WHY_NO_NIK.get(reason, 'tanpa alasan')})")
    if patient.birth_date is None:
        found.append("tanggal lahir belum ada")
    elif patient.birth_precision != DatePrecision.DAY:
        found.append("tanggal lahir masih perkiraan")
    return ", ".join(found)


def family_fields(member: Patient, kin: str) -> dict[str, str]:
    """What a further member of the family, perhaps a child or sibling, has in common with one."""
    today = days.clinic_date()
    known = known_fields(member)
    shared = ("kk_number", "address", "village", "rt", "rw", "phone", "payer")
    fields = {name: known[name] for name in shared if name in known}
    return fields | households.mother_of(kin, member, today)


def from_nik(identity: Identity, today: date) -> dict[str, str]:
    """Birth date and sex as the NIK says them, in place of an age; never to make a child an adult.

    The birth date of `identity` is what was typed or the age, if anything.
    """
    told = identity.birth_date or infant_born(identity.name, None, today)
    facts = nik_facts(identity.nik, today, told) if identity.nik else None
    if facts is None or facts.birth_date is None:
        return {}
    is_child = told is not None and full_years(told, today) < MOTHER_FROM_YEARS
    if is_child and makes_adult(told, facts.birth_date):
        return {}
    born = {"birth_date": short_date(facts.birth_date), "birth_date_estimated": ""}
    return born | {"sex": facts.sex or ""}


def to_mother(identity: Identity, owner: Patient | None) -> dict[str, str]:
    """An infant's NIK as its mother's, who is perhaps its registered owner."""
    fields = {"nik": "", "nik_as_printed": "", "no_nik_reason": "BAYI"}
    if owner is not None and not identity.mother_name:
        fields["mother_name"] = owner.name
    return fields | {"mother_nik": identity.nik}


def known_fields(patient: Patient) -> dict[str, str]:
    """The identity to complete; a stand-in for somebody unknown is left out."""
    fields = fields_of(patient, days.clinic_date())
    if patient.is_unknown:
        fields.pop("no_nik_reason", None)
        fields.pop("address", None)
    return fields
