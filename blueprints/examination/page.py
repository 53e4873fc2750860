"""What the examination page shows: who it is, what was before, the form or the finished text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

import access
from blueprints.examination.forms import ExaminationForm, choices, filled_form, stored_lines
from clinic import (
    allergies,
    consents,
    diagnoses,
    history,
    icd10,
    lab_orders,
    records,
    right_patient,
)
from clinic.vital_signs import vital_findings
from db import db
from formatting import DISPOSITION_LABELS
from models import (
    ConsentDecision,
    Disposition,
    EntryKind,
    EntryState,
    Examination,
    LabOrderState,
    LabTest,
    Patient,
    Poli,
    QueueEntry,
    Role,
    Visit,
)

EARLIER_VISITS = 5
SHORTEST_SEARCH = 2
# Of several rooms' entries the page takes the one that is most likely meant.
PREFERRED = (
    EntryState.IN_SERVICE,
    EntryState.CALLED,
    EntryState.WAITING,
    EntryState.SKIPPED,
    EntryState.AWAITING_RESULT,
)
TEXT_LABELS = {
    "subjective": "Anamnesis",
    "objective": "Pemeriksaan",
    "assessment": "Penilaian",
    "plan": "Rencana",
    "therapy": "Tindakan dan terapi",
    "refer_external": "Tujuan rujukan",
    "lab_note": "Catatan untuk laboratorium",
}


@dataclass
class Typed:
    """What a request typed, to be shown again when it could not be stored."""

    form: ExaminationForm
    lines: list[diagnoses.Line]
    version: int
    options: list[Any] = field(default_factory=list)
    problem: str = ""
    is_conflict: bool = False

    @property
    def texts(self) -> list[str]:
        return [f"{line.code} {line.title}".strip() for line in self.lines]


def readable_visit(ref: str) -> Visit:
    """The visit, if the account may read this patient's record now; else leads to its page."""
    visit = access.visit_or_404(ref)
    if not access.has_record_access(visit.patient):
        abort(redirect(url_for("patients.record", patient=visit.patient.public_id), 303))
    return visit


def entries_of(visit: Visit) -> list[QueueEntry]:
    rows = (
        select(QueueEntry)
        .where(QueueEntry.visit_id == visit.id, QueueEntry.undone_at.is_(None))
        .options(joinedload(QueueEntry.poli))
        .order_by(QueueEntry.id)
    )
    return list(db.session.scalars(rows))


def chosen_entry(visit: Visit, ref: str = "") -> QueueEntry | None:
    """The entry that was asked for, else the one in the account's rooms that is being served."""
    mine = [entry for entry in entries_of(visit) if access.may_use_room(entry.poli)]
    if ref:
        return next((entry for entry in mine if entry.public_id == ref), None) or abort(404)
    return min(mine, key=preference, default=None)


def preference(entry: QueueEntry) -> tuple[int, int]:
    """Sorts a visit's entries: the one that is most likely meant first."""
    is_open = entry.state in PREFERRED
    return (PREFERRED.index(entry.state) if is_open else len(PREFERRED), -entry.id)


def show(
    visit: Visit,
    entry: QueueEntry | None,
    typed: Typed | None = None,
    addendum: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The page: a form while the patient is served, else what was recorded."""
    examination = records.open_examination(entry) if entry else None
    today, earlier = history.visit_and_earlier(visit, EARLIER_VISITS)
    writes = _may_write(entry, examination)
    context = {
        "visit": visit,
        "patient": visit.patient,
        "entry": entry,
        "on": today.on,
        "today": today,
        "earlier": earlier,
        "allergies": allergies.labels(allergies.current(visit.patient)),
        "consent_note": _consent_note(visit.patient),
        "findings": vital_findings(today.last_vitals, visit.age_months),
        "examination": examination,
        "my_rooms": _my_rooms(today),
        "writes": writes,
        "typed": typed,
        "addendum": addendum or {},
        "theirs": theirs(examination, typed) if typed and typed.is_conflict else {},
        "writer": records.last_writer(examination) if typed and typed.is_conflict else None,
        "labels": TEXT_LABELS,
    }
    if writes:
        context |= _form_context(entry, examination, typed)
    return Response(
        render_template("examination/visit.html", **context),
        status,
        mimetype="text/html",
    )


def _consent_note(patient: Patient) -> str:
    held = consents.current(patient)
    if held is None:
        return "persetujuan umum belum ada"
    return "persetujuan umum ditolak" if held.decision == ConsentDecision.REFUSED else ""


def _my_rooms(today: history.VisitSummary) -> set[str]:
    """Codes of the visit's rooms in which the account may add to what was finished."""
    if access.has_role(Role.HEAD):
        return {room.code for room in today.rooms}
    return {room.code for room in current_user.rooms}


def only_typed(
    form: ExaminationForm, visit: Visit, labels: Mapping[str, str] = TEXT_LABELS
) -> Response:
    """Access has ended meanwhile (a new day, say): the text is given back, the record is not."""
    lines = [text for text in request.form.getlist("diagnosis") if text.strip()]
    html = render_template(
        "examination/typed.html", visit=visit, form=form, labels=labels, diagnoses=lines
    )
    return Response(html, 409, mimetype="text/html")


def _may_write(entry: QueueEntry | None, examination: Examination | None) -> bool:
    if entry is None or (examination and examination.finished_at):
        return False
    return right_patient.may_write(entry)


def _form_context(
    entry: QueueEntry, examination: Examination | None, typed: Typed | None
) -> dict[str, Any]:
    own = records.own_measurement(current_user.id, entry.visit, entry)
    form = typed.form if typed else filled_form(examination, own)
    if not typed:
        order = lab_orders.order_of(entry)
        form.lab_note.data = order.note if order else ""
    polis = list(db.session.scalars(select(Poli).where(Poli.is_active).order_by(Poli.position)))
    rooms = {poli.code: poli.name for poli in polis if poli.id != entry.poli_id}
    form.refer_to.choices = choices({"": "Pilih ruang"} | rooms)
    sender = _sender(entry)
    if sender:
        back = {"pulang": f"Selesai, kembali ke {sender.name}"}
        form.disposition.choices = choices(DISPOSITION_LABELS | back)
    lab = _lab_context(entry, typed)
    if lab["lab_codes"] and not form.disposition.data:  # what is asked for leads there
        form.disposition.data, form.refer_to.data = Disposition.INTERNAL.value, lab["lab_room"]
    return lab | {
        "form": form,
        "lines": typed.lines if typed else stored_lines(examination),
        "version": _version(examination, typed),
        "options": typed.options if typed else [],
        "ticked": [],
        "query": form.diagnosis_search.data or "",
        "has_own_vitals": own is not None or bool(form.errors.keys() & set(records.VITALS)),
    }


def _lab_context(entry: QueueEntry, typed: Typed | None) -> dict[str, Any]:
    """The tests to tick, by group, and those that are ticked; none once a sample was taken."""
    room, order = lab_orders.laboratory(), lab_orders.order_of(entry)
    is_fixed = order is not None and order.state is not LabOrderState.ORDERED
    if room is None or room.id == entry.poli_id or is_fixed:
        return {"lab_groups": {}, "lab_codes": set(), "lab_room": ""}
    asked = [item.test for item in lab_orders.asked(order)]
    groups: dict[str, list[LabTest]] = {}
    for test in dict.fromkeys([*lab_orders.active_tests(), *asked]):
        groups.setdefault(test.group, []).append(test)
    sent = typed is not None and "lab_sent" in request.form
    codes = set(request.form.getlist("lab")) if sent else {test.code for test in asked}
    return {"lab_groups": groups, "lab_codes": codes, "lab_room": room.code}


def _version(examination: Examination | None, typed: Typed | None) -> int:
    # Only who has seen the other's text may save over it.
    if typed and not typed.is_conflict:
        return typed.version
    return examination.version if examination else 0


def _sender(entry: QueueEntry) -> Poli | None:
    """The room that waits for this one's result."""
    while entry.kind == EntryKind.MOVED:
        entry = entry.previous_entry
    before = entry.previous_entry
    if entry.kind not in (EntryKind.REFERRED, EntryKind.ORDERED) or before is None:
        return None
    return before.poli if before.state == EntryState.AWAITING_RESULT else None


def theirs(examination: Examination | None, typed: Typed) -> dict[str, str]:
    """What stands stored where it differs from what was typed, by field."""
    if examination is None:
        return {}
    stored = {name: getattr(examination, name) for name in records.TEXTS}
    found = {
        name: text
        for name, text in stored.items()
        if typed.form[name].raw_data and (typed.form[name].data or "").strip() != text
    }
    codes = [f"{line.code} {line.title}".strip() for line in stored_lines(examination)]
    if codes != typed.texts:
        found["diagnosis"] = "; ".join(codes) or "belum ada diagnosis"
    if examination.disposition and examination.disposition != typed.form.disposition.data:
        found["disposition"] = DISPOSITION_LABELS[examination.disposition]
    return found


def queue_address(poli: Poli) -> str:
    return url_for("poli.queue", code=poli.code)


def search_options(text: str) -> list[Any]:
    """ICD-10 terms for what was typed in the search box."""
    return icd10.search(text.strip()) if len(text.strip()) >= SHORTEST_SEARCH else []
