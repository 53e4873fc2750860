"""A record beside what was typed: which parts differ, and the fields that a decision gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from werkzeug.datastructures import MultiDict

from blueprints.registration.forms import RegistrationForm
from blueprints.registration.prefill import VISIT_FIELDS, WHY_NO_NIK, fields_of, identity_fields
from clinic import patients
from clinic.names import fold
from clinic.number_masks import both_masked
from clinic.patients import Identity
from formatting import NIK_FIELDS, PAYER_LABELS, PHONE_OWNER_LABELS, SEX_LABELS, age_on
from models import DraftKind, Patient
from validators import is_birth_year

RECORD, TYPED = "catatan", "ketik"

# What is said in one breath is decided in one: the label and the form's fields.
PARTS = {
    "name": ("Nama", ("name",)),
    "birth": ("Tanggal lahir", ("birth_date", "birth_date_estimated")),
    "sex": ("Jenis kelamin", ("sex",)),
    "nik": ("NIK", ("nik", "nik_as_printed")),
    "no_nik_note": ("Keterangan", ("no_nik_note",)),
    "mother_name": ("Nama ibu", ("mother_name",)),
    "mother_nik": ("NIK ibu", ("mother_nik",)),
    "birth_order": ("Bayi ke-", ("birth_order",)),
    "passport_no": ("Nomor paspor", ("passport_no",)),
    "address": ("Alamat", ("address", "village", "rt", "rw")),
    "phone": ("Nomor HP", ("phone", "phone_owner")),
    "bpjs_number": ("Nomor BPJS", ("bpjs_number",)),
    "payer": ("Pembiayaan", ("payer",)),
    "kk_number": ("Nomor KK", ("kk_number",)),
}
# Where the columns of an identity are not called like the fields.
COLUMNS = {
    "name": ("name", "is_unknown"),
    "birth": ("birth_date", "birth_precision"),
    "nik": ("nik", "is_nik_as_printed", "no_nik_reason"),
}


@dataclass(frozen=True)
class Part:
    """One part of the identity on both sides, in words; `choice` is what counts if nobody says."""

    name: str
    label: str
    kept: str
    typed: str
    differs: bool
    choice: str = RECORD


def parts(patient: Patient, typed: Mapping[str, str], today: date) -> list[Part]:
    """Every part that either side knows, those that differ with their default choice."""
    record = fields_of(patient, today)
    ours, theirs = _cleaned(record), _cleaned(typed)
    found = []
    for name, (label, fields) in PARTS.items():
        said = [field for field in fields if typed.get(field)]
        differs = any(_value(ours, field) != _value(theirs, field) for field in said)
        if name == "birth" and said:
            differs = not _same_birth(ours, theirs)
        texts = _texts(name, fields, record, typed)
        if any(texts):
            choice = TYPED if differs and _is_better(name, record, typed) else RECORD
            found.append(Part(name, label, *texts, differs, choice))
    return found


def changes(patient: Patient, identity: Identity, today: date) -> list[Part]:
    """Every part as the record says it and as it will say it; what is cleared differs too."""
    stood = patients.identity_of(patient)
    before, after = identity_fields(stood, today), identity_fields(identity, today)
    found = []
    for name, (label, fields) in PARTS.items():
        columns = COLUMNS.get(name, fields)
        differs = any(
            (getattr(stood, c) or None) != (getattr(identity, c) or None) for c in columns
        )
        texts = _texts(name, fields, before, after)
        if differs or any(texts):
            found.append(Part(name, label, *texts, differs))
    return found


def decided(
    patient: Patient, typed: Mapping[str, str], picks: Mapping[str, str], today: date
) -> dict[str, str]:
    """The returning patient's form: the record, what was picked, the visit as typed."""
    fields = fields_of(patient, today)
    for part in parts(patient, typed, today):
        if part.differs and picks.get(part.name, part.choice) == TYPED:
            names = PARTS[part.name][1]
            fields = {name: text for name, text in fields.items() if name not in names}
            fields |= {name: typed[name] for name in names if typed.get(name)}
    if fields.get("nik"):
        fields.pop("no_nik_reason", None)
    elif typed.get("no_nik_reason"):  # why it is missing today
        fields["no_nik_reason"] = typed["no_nik_reason"]
    return fields | {name: typed[name] for name in VISIT_FIELDS if typed.get(name)}


def _cleaned(fields: Mapping[str, str]) -> RegistrationForm:
    form = RegistrationForm(MultiDict(fields), kind=DraftKind.RETURNING)
    form.validate()
    return form


def _value(form: RegistrationForm, name: str):
    """As it would be stored; letters compare without case and accents."""
    value = form.cleaned(name)
    if value is None:
        value = form[name].data or ""
    return fold(value) if isinstance(value, str) else value


def _same_birth(ours: RegistrationForm, theirs: RegistrationForm) -> bool:
    known, said = ours.cleaned("birth_date"), theirs.cleaned("birth_date")
    if known or said:
        guess = theirs.cleaned("birth_date_estimated")
        if known and not said and guess:  # an age that fits says nothing against the date
            if is_birth_year(theirs["birth_date_estimated"].data):
                return known.year == guess.birth_date.year
            return age_on(known, theirs.today).years == age_on(guess.birth_date, theirs.today).years
        return known == said
    field = "birth_date_estimated"
    return ours[field].data == theirs[field].data or _value(ours, field) == _value(theirs, field)


def _is_better(name: str, record: Mapping[str, str], typed: Mapping[str, str]) -> bool:
    """Whether the typed counts unless said otherwise: the record has nothing, or but a guess."""
    if name == "birth" and typed.get("birth_date") and not record.get("birth_date"):
        return True
    return not any(record.get(field) for field in PARTS[name][1])


# In words


def _texts(name: str, fields, record: Mapping[str, str], typed: Mapping[str, str]):
    if name in NIK_FIELDS:
        kept, said = both_masked(record.get(fields[0], ""), typed.get(fields[0], ""))
        if name == "nik":
            kept, said = kept or _without(record), said or _without(typed)
            kept, said = kept + _as_printed(record), said + _as_printed(typed)
        return kept, said
    words = WORDS.get(name, _joined(fields))
    return words(record), words(typed)


def _without(fields: Mapping[str, str]) -> str:
    reason = fields.get("no_nik_reason", "")
    return f"tidak ada ({WHY_NO_NIK[reason]})" if reason in WHY_NO_NIK else ""


def _as_printed(fields: Mapping[str, str]) -> str:
    return " (tertulis begitu di kartu)" if fields.get("nik_as_printed") else ""


def _joined(names: tuple[str, ...]) -> Callable[[Mapping[str, str]], str]:
    return lambda fields: ", ".join(fields[name] for name in names if fields.get(name))


def _birth(fields: Mapping[str, str]) -> str:
    guess = fields.get("birth_date_estimated")
    return fields.get("birth_date") or (f"kira-kira {guess}" if guess else "")


def _address(fields: Mapping[str, str]) -> str:
    labels = {"address": "", "rt": "RT ", "rw": "RW ", "village": ""}
    return ", ".join(f"{label}{fields[name]}" for name, label in labels.items() if fields.get(name))


def _phone(fields: Mapping[str, str]) -> str:
    owner = PHONE_OWNER_LABELS.get(fields.get("phone_owner", ""), "")
    return (
        f"{fields['phone']}{f' ({owner.lower()})' if owner else ''}" if fields.get("phone") else ""
    )


WORDS: dict[str, Callable[[Mapping[str, str]], str]] = {
    "birth": _birth,
    "address": _address,
    "phone": _phone,
    "sex": lambda fields: SEX_LABELS.get(fields.get("sex", ""), ""),
    "payer": lambda fields: PAYER_LABELS.get(fields.get("payer", ""), ""),
}
