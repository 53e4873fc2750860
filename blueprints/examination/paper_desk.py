"""Examinations that were written on paper: one line a patient, as many as fit on a page."""

import re
from dataclasses import dataclass, field
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user

import access
from blueprints.examination.blueprint import bp, clinical
from clinic import diagnoses, slip_records
from clinic.diagnoses import DiagnosisInput, Line
from clinic.diagnosis_rules import Finding
from clinic.record_errors import Conflict, NotOpen, RecordError
from clinic.records import ExaminationInput
from clinic.signed_in import Account
from db import db, transaction
from formatting import DISPOSITION_LABELS
from models import Disposition, QueueEntry, User
from validators import FieldError, clean_text

LINES = 10
TEXTS = ("objective", "assessment", "therapy", "refer_to")
FIELDS = (*TEXTS, "diagnosis", "practitioner", "disposition", "reason")
WRITTEN_MEANWHILE = "Baru saja ditulis oleh rekan Anda. Buka rekam medisnya untuk membetulkan."
WHO = "Pilih siapa yang memeriksa."
NOT_HERE = "Pilih tindak lanjutnya."


@dataclass
class PaperLine:
    """One patient as the page shows it; `lines` are the diagnoses read back."""

    entry: QueueEntry
    typed: dict[str, str]
    problem: str = ""
    is_saved: bool = False
    lines: list[Line] = field(default_factory=list)
    unusual: list[Finding] = field(default_factory=list)


@bp.get("/pemeriksaan/kertas")
@clinical
def paper_desk():
    who = _own_practitioner(current_user)
    start = dict.fromkeys(FIELDS, "") | {"disposition": "pulang", "practitioner": who}
    return _page([PaperLine(entry, start) for entry in _entries()])


@bp.post("/pemeriksaan/kertas")
@clinical
def paper_desk_post():
    sent = request.form.getlist("entry")[:LINES]
    shown = [line for line in (_typed(access.entry_or_404(ref)) for ref in sent) if line]
    for line in shown:
        _take(line)
    left = [line for line in shown if not line.is_saved]
    saved = len(shown) - len(left)
    if saved:
        flash(f"{saved} pemeriksaan dari kertas tersimpan.", "success")
    if not left:
        return redirect(url_for("examination.paper_desk"), 303)
    return _page(left, is_refused=True), 422


def _typed(entry: QueueEntry) -> PaperLine | None:
    """What was typed for this stay; None when nothing was."""
    names = {name: f"{name}-{entry.public_id}" for name in FIELDS}
    typed = {name: request.form.get(sent, "").strip() for name, sent in names.items()}
    said = any(typed[name] for name in (*TEXTS, "diagnosis"))
    return PaperLine(entry, typed) if said else None


def _take(line: PaperLine) -> None:
    """Save the line, or read back what must be looked at first."""
    ref = line.entry.public_id
    try:
        with transaction():
            entry = access.entry_or_404(ref)
            form = _input(line.typed)
            line.lines = diagnoses.lines(form.diagnoses, entry.visit)
            line.unusual = diagnoses.findings(line.lines, entry.visit)
            if _were_shown(ref, line.lines):
                slip_records.write(access.current_actor(), entry, form, _practitioner(line.typed))
                line.is_saved = True
    except Conflict:
        line.problem = WRITTEN_MEANWHILE
    except (RecordError, NotOpen, FieldError) as problem:
        line.problem = str(problem)
    line.entry = access.entry_or_404(ref)  # what the transaction read is no longer read


def _were_shown(ref: str, found: list[Line]) -> bool:
    """A code says little: it is saved once its title was read."""
    return request.form.get(f"shown-{ref}", "") == " ".join(each.code for each in found)


def _diagnoses(typed: dict[str, str]) -> list[DiagnosisInput]:
    parts = re.split(r"[,;\n]+", typed["diagnosis"])
    reasons = {"": typed["reason"]} if typed["reason"] else {}
    return [DiagnosisInput(part.strip(), reasons=reasons) for part in parts if part.strip()]


def _input(typed: dict[str, str]) -> ExaminationInput:
    if typed["disposition"] not in _dispositions():
        raise RecordError(NOT_HERE)
    texts = {name: clean_text(typed[name], 10_000, newlines=True) for name in TEXTS}
    return ExaminationInput(**texts, disposition=typed["disposition"], diagnoses=_diagnoses(typed))


def _practitioner(typed: dict[str, str]) -> int:
    named = {one.public_id: one.id for one in slip_records.practitioners()}
    if typed["practitioner"] not in named:
        raise RecordError(WHO)
    return named[typed["practitioner"]]


def _dispositions() -> dict[str, str]:
    """Without the referral to another room: the patient has gone."""
    return {k: v for k, v in DISPOSITION_LABELS.items() if k != Disposition.INTERNAL}


def _own_practitioner(account: Account) -> str:
    own = db.session.get_one(User, account.id).practitioner
    return own.public_id if own else ""


def _entries() -> list[QueueEntry]:
    return slip_records.unwritten([room.id for room in current_user.rooms], LINES)


def _page(lines: list[PaperLine], is_refused: bool = False) -> str:
    context: dict[str, Any] = {
        "lines": lines,
        "count": slip_records.count_unwritten([room.id for room in current_user.rooms]),
        "practitioners_of": [(one.public_id, one.name) for one in slip_records.practitioners()],
        "dispositions": _dispositions(),
        "is_refused": is_refused,
    }
    return render_template("examination/paper_desk.html", **context)
