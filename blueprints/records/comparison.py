"""Two records side by side: every part of the identity in words, and whose differs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace

from clinic.merge_fields import BESIDE, Side
from clinic.number_masks import both_masked
from clinic.patients import identity_of
from formatting import NIK_FIELDS, PAYER_LABELS, SEX_LABELS, mask_nik, short_date
from models import DatePrecision, Patient
from validators import NO_NIK_REASONS

# What is decided in one breath: the label, and the fields that go together.
PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "name": ("Nama", ("name",)),
    "birth_date": ("Tanggal lahir", ("birth_date",)),
    "sex": ("Jenis kelamin", ("sex",)),
    "nik": ("NIK", ("nik",)),
    "no_nik_note": ("Keterangan", ("no_nik_note",)),
    "mother_name": ("Nama ibu", ("mother_name",)),
    "mother_nik": ("NIK ibu", ("mother_nik",)),
    "birth_order": ("Bayi ke-", ("birth_order",)),
    "passport_no": ("Nomor paspor", ("passport_no",)),
    "bpjs_number": ("Nomor BPJS", ("bpjs_number",)),
    "kk_number": ("Nomor KK", ("kk_number",)),
    "address": ("Alamat", ("address", "village", "rt", "rw")),
    "phone": ("Nomor HP", ("phone",)),
    "payer": ("Pembiayaan", ("payer",)),
    "ihs_number": ("Nomor IHS", ("ihs_number",)),
}
PICK = "ambil-"
OLDER, NEWER = "satu", "dua"


@dataclass(frozen=True)
class Row:
    """One part on both sides, in words; `picked` is the side that counts unless changed."""

    name: str
    label: str
    older: str
    newer: str
    differs: bool
    picked: str


def rows(older: Patient, newer: Patient, main: str, picks: Mapping[str, str]) -> list[Row]:
    """Every part that either side knows; `main` is the side whose record goes on."""
    one, other = _side(older), _side(newer)
    found = []
    for name, (label, fields) in PARTS.items():
        texts = dict(zip((OLDER, NEWER), both_in_words(one, other, name), strict=True))
        if not any(texts.values()):
            continue
        differs = any(getattr(one, field) != getattr(other, field) for field in fields)
        aside = NEWER if main == OLDER else OLDER
        usual = main if _is_known(one if main == OLDER else other, name) else aside
        chosen = picks.get(PICK + name, usual)
        found.append(Row(name, label, texts[OLDER], texts[NEWER], differs, chosen))
    return found


def both_in_words(one: SimpleNamespace, other: SimpleNamespace, name: str) -> tuple[str, str]:
    """One part of two identities; of masked numbers the digits that differ by a slip are open."""
    if name in NIK_FIELDS and all(getattr(each, name) for each in (one, other)):
        return both_masked(getattr(one, name), getattr(other, name))
    return words(one, name), words(other, name)


def picked(found: list[Row], main: str) -> dict[str, Side]:
    """The fields of an identity that are not the main record's, as a merge wants them."""
    return {
        field: "loser"
        for row in found
        if row.differs and row.picked != main
        for field in PARTS[row.name][1]
    }


def _side(patient: Patient) -> SimpleNamespace:
    """All that may be picked from a record."""
    beside = {name: getattr(patient, name) for name in BESIDE}
    return SimpleNamespace(**vars(identity_of(patient)), **beside)


def _is_known(identity: SimpleNamespace, name: str) -> bool:
    return bool(getattr(identity, name))


def words(identity: SimpleNamespace, name: str) -> str:
    """One part of an identity as the screen says it; numbers of 16 digits masked."""
    value = getattr(identity, name)
    if name == "birth_date":
        exact = identity.birth_precision == DatePrecision.DAY
        return f"{short_date(value)}{'' if exact else ' (perkiraan)'}" if value else ""
    if name == "nik" and not value:
        return f"tidak ada ({NO_NIK_REASONS.get(identity.no_nik_reason, 'tanpa alasan')})"
    if name in NIK_FIELDS:
        return mask_nik(value) if value else ""
    if name == "address":
        rt = f"RT {identity.rt}" if identity.rt else ""
        rw = f"RW {identity.rw}" if identity.rw else ""
        return ", ".join(filter(None, [identity.address, rt, rw, identity.village]))
    labels = {"sex": SEX_LABELS, "payer": PAYER_LABELS}.get(name)
    return labels.get(value, value) if labels else str(value or "")
