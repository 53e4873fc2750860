"""*Riwayat identitas*: when, by whom and why an identity was corrected, and what it said before."""

from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace

from flask import render_template

import access
from blueprints.records.blueprint import bp, staff
from blueprints.records.comparison import PARTS, both_in_words
from clinic import allergies, days, identity_history
from clinic.identity_history import Change
from clinic.patients import identity_of
from formatting import PHONE_OWNER_LABELS

MOST = 50  # changes of a page; hardly a record has more
YES_OR_NO = {True: "ya", False: "tidak"}
# What changes how a part is read, though not its own words.
BESIDE = {
    "is_nik_as_printed": ("NIK tertulis begitu di kartunya", YES_OR_NO),
    "phone_owner": ("Pemilik nomor HP", PHONE_OWNER_LABELS),
    "is_unknown": ("Belum dikenal", YES_OR_NO),
}
# Said in the words of another part.
WITHIN = {"birth_date": {"birth_precision"}, "nik": {"no_nik_reason"}}


@dataclass(frozen=True)
class Line:
    at: datetime
    author: str
    reason: str
    parts: list[tuple[str, str, str]]  # label, before, after


@bp.get("/pasien/<patient>/identitas/riwayat")
@staff
def identity_changes(patient: str):
    """The newest changes first."""
    found = access.patient_or_404(patient)
    access.record_view("view_identity_history", found)
    changes = identity_history.changes(found, vars(identity_of(found)), MOST + 1)
    lines = [Line(one.at, one.author, one.reason, _parts(one)) for one in changes[:MOST]]
    return render_template(
        "records/identity_history.html",
        patient=found,
        labels=allergies.banner(found),
        today=days.clinic_date(),
        lines=lines,
        has_more=len(changes) > MOST,
    )


def _parts(change: Change) -> list[tuple[str, str, str]]:
    before, after = SimpleNamespace(**change.before), SimpleNamespace(**change.after)
    found = [
        (label, *both_in_words(before, after, name))
        for name, (label, fields) in PARTS.items()
        if change.fields & {*fields, *WITHIN.get(name, ())}
    ]
    for name, (label, texts) in BESIDE.items():
        if name in change.fields:
            said = (texts.get(one[name], "") for one in (change.before, change.after))
            found.append((label, *said))
    return found
