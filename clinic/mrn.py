"""Gives out medical record numbers, and the numbers of family folders, inside the save."""

from sqlalchemy import bindparam, select

from clinic import counters, settings, villages
from clinic.mrn_template import Part, parse
from db import run
from models import Household, Patient

_TAKEN = select(Patient.id).where(Patient.mrn == bindparam("mrn"))
_FOLDER_TAKEN = select(Household.id).where(Household.folder_no == bindparam("folder"))


def next_mrn(household: Household | None, village: str | None) -> str:
    """The next free number by the clinic's template; a save that is rolled back gives it back."""
    template = parse(settings.value("mrn_template"))
    while True:
        if template.by_family:
            number = _in_family(template.parts, household, village)
        else:
            number = _written(template.parts, village)
        # An earlier template may have given it out.
        if run(_TAKEN, {"mrn": number}).scalar() is None:
            return number


def _in_family(parts: tuple[Part, ...], household: Household | None, village: str | None) -> str:
    """Folder, then the next place in it; who has no KK gets a folder alone."""
    end = [name for name, _ in parts].index("anggota")
    folder = household.folder_no if household else None
    if folder is None:
        folder = _new_folder(parts[:end], village)
        if household:
            household.folder_no = folder
    place = str(counters.next_value(f"member:{folder}")).zfill(parts[end][1])
    return folder + place + _written(parts[end + 1 :], village)


def _new_folder(parts: tuple[Part, ...], village: str | None) -> str:
    while True:
        folder = _written(parts, village)
        if run(_FOLDER_TAKEN, {"folder": folder}).scalar() is None:
            return folder


def _written(parts: tuple[Part, ...], village: str | None) -> str:
    text = ""
    for name, width in parts:
        if not width:
            text += name
        elif name == "desa":
            text += _village_code(village).zfill(width)[-width:]
        else:
            # Families are counted within what stands before: the village, where it does.
            counter = "mrn" if name == "urut" else f"folder:{text}"
            text += str(counters.next_value(counter)).zfill(width)
    return text


def _village_code(village: str | None) -> str:
    """The village's digits; zeros for one that the head gave none, or that is not listed."""
    return villages.short_code(village) or "0"
