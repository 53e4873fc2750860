"""Whether a known patient's form has become another person's: a record is easily overwritten.

Two people of one name, the wrong line of the search, and somebody's record takes the other's name
or birth date. What tells people apart is therefore never replaced without a reason.
"""

from clinic.likeness import compare_names
from clinic.names import fold, name_tokens
from clinic.patients import Identity
from formatting import SEX_LABELS, mask_nik, short_date
from models import DatePrecision, Patient

ALIKE_FROM = 0.8  # below, a name is another one, not another spelling


def replaced(patient: Patient, identity: Identity) -> list[str]:
    """What of the record another person would have: "nama Siti menjadi Budi", ready to be read."""
    if patient.is_unknown:  # nothing tells who it is yet
        return []
    found = []
    if _is_other_name(patient, identity):
        found.append(("nama", patient.name, identity.name))
    days = (patient.birth_precision, identity.birth_precision) == (DatePrecision.DAY,) * 2
    if days and patient.birth_date != identity.birth_date:
        dates = (patient.birth_date, identity.birth_date)
        found.append(("tanggal lahir", *map(short_date, dates)))
    if patient.sex != identity.sex:
        sexes = (SEX_LABELS[sex].lower() for sex in (patient.sex, identity.sex))
        found.append(("jenis kelamin", *sexes))
    if patient.nik and identity.nik and patient.nik != identity.nik:
        found.append(("NIK", mask_nik(patient.nik), mask_nik(identity.nik)))
    return [f"{what} {before} menjadi {after}" for what, before, after in found]


def _is_other_name(patient: Patient, identity: Identity) -> bool:
    """Not so: one more word, a slip, or the first name of a baby."""
    if fold(patient.name) == fold(identity.name):
        return False
    before, after = name_tokens(patient.name), name_tokens(identity.name)
    if before.is_baby_of:
        return False
    fit = compare_names(before, after)
    return fit.is_other_person or (fit.alike < ALIKE_FROM and not fit.is_part)
