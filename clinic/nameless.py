"""What somebody is called whom nobody can name: Tn. X 27-11-2026, the next man that day Tn. X2."""

import re
from datetime import date

from sqlalchemy import bindparam, select, union_all

from clinic.among import among
from clinic.name_index import name_key
from db import run
from formatting import short_date
from models import AliasKind, Patient, PatientAlias

SEXES = {"TN": "L", "NY": "P"}
MOST = 99  # of one day and sex; the next ones share the last name
_TYPED = re.compile(r"(?:(TN|NY)[\s.]+)?X\s?([0-9]{0,2})[\s.,]*", re.IGNORECASE)
_TAKEN = union_all(
    select(Patient.name).where(
        Patient.name_key == bindparam("key"), among(Patient.name, "stand_ins")
    ),
    # Who has been named since keeps it as a former name: labels and slips say it.
    select(PatientAlias.value).where(
        PatientAlias.kind == AliasKind.NAME, among(PatientAlias.value, "stand_ins")
    ),
)


def next_name(sex: str, on: date, patient: Patient | None = None) -> str:
    """The first stand-in of the day that nobody has; `patient`, if unknown, keeps the one it has.

    Two who are called alike would be taken for each other in the queue and on labels.
    """
    if patient is not None and patient.is_unknown:
        return patient.name
    stand_ins = [_stand_in(sex, on, number) for number in range(1, MOST + 1)]
    values = {"key": name_key(stand_ins[0]), "stand_ins": stand_ins}
    taken = set(run(_TAKEN, values).scalars())
    return next((name for name in stand_ins if name not in taken), stand_ins[-1])


def typed_names(text: str, on: date | None) -> list[str]:
    """The stand-ins that a typed name and the date beside it may mean."""
    found = _TYPED.fullmatch(text.strip())
    if not (found and on):
        return []
    sexes = [SEXES[found[1].upper()]] if found[1] else SEXES.values()
    return [_stand_in(sex, on, int(found[2] or 1)) for sex in sexes]


def _stand_in(sex: str, on: date, number: int) -> str:
    title, which = "Ny." if sex == "P" else "Tn.", number if number > 1 else ""
    return f"{title} X{which} {short_date(on)}"
