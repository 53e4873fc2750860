"""Is this the patient? The record beside what was typed, field by field, before they are joined."""

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import access
from blueprints.registration import asked, differences, drafted
from blueprints.registration.blueprint import bp, counter
from blueprints.registration.drafted import Drafted, form_address
from blueprints.registration.forms import RegistrationForm
from clinic import asking, drafts, identity_warnings, patients, search
from clinic.drafts import DraftSubject
from db import transaction
from models import DraftKind, Patient

CHANGED = "Catatan atau isian ini baru saja diubah. Periksa lagi sebelum memilih."
PICK = "pilih-"


@bp.get("/pendaftaran/banding/<draft>/<patient>")
@counter
def compare(draft, patient):
    return page(*_both(draft, patient), request.args.get("dari", ""))


@bp.post("/pendaftaran/banding/<draft>/<patient>")
@counter
def decide(draft, patient):
    read, record = _both(draft, patient)
    came_from, action = request.form.get("dari", ""), request.form.get("aksi", "")
    if action in asking.STATES:
        with transaction():
            drafts.answer(read.draft, {record.public_id: action})
        return redirect(_back(read, came_from), 303)
    if read.about_visit:
        return redirect(asked.moving_address(read.about_visit, record), 303)
    if not _is_as_seen(read, record):
        return make_response(page(read, record, came_from, problem=CHANGED), 409)
    fields = differences.decided(record, read.draft.fields, _picks(), read.form.today)
    form = RegistrationForm(MultiDict(fields), kind=DraftKind.RETURNING)
    waiting = asked.to_answer(form.identity(record) if form.validate() else None, record)
    subject = DraftSubject(DraftKind.RETURNING, record.public_id)
    with transaction():
        is_as_seen = _is_as_seen(read, record)  # which nobody changes from here on
        if is_as_seen:
            answers = asked.noted(read.draft, waiting)
            answers.pop(record.public_id, None)
            drafts.store(access.current_actor(), fields, subject, read.draft, answers)
    if not is_as_seen:
        return make_response(page(*_both(draft, patient), came_from, problem=CHANGED), 409)
    return redirect(url_for("registration.check", draft=draft), 303)


def _is_as_seen(read: Drafted, record: Patient) -> bool:
    """Whether the draft and the record are those that the page showed."""
    seen = (request.form.get("version"), request.form.get("patient_version"))
    is_same = seen == (str(read.draft.version), str(record.version))
    return is_same and drafts.is_editable(read.draft)


def page(read: Drafted, record: Patient, came_from: str, problem: str = "") -> str:
    """The comparison; also shown in the check page's place for a NIK under another name."""
    access.record_view("view_identity", record)
    parts = differences.parts(record, read.draft.fields, read.form.today)
    nik = read.form.cleaned("nik")
    owner = identity_warnings.nik_owner(nik, read.patient) if nik else None
    is_taken = owner is not None and owner.id == record.id
    return render_template(
        "registration/compare.html",
        draft=read.draft,
        patient=record,
        base=read.patient if not read.about_visit else None,
        visit=read.about_visit,
        taken=identity_warnings.taken_warning(record) if is_taken else None,
        differing=[part for part in parts if part.differs],
        equal=[part for part in parts if not part.differs],
        picks=_picks(),
        household=patients.household_members(record),
        last_visit_on=search.last_visits([record.id]).get(record.id),
        came_from="isian" if came_from == "isian" else "periksa",
        back=_back(read, came_from),
        problem=problem,
        today=read.form.today,
    )


def _both(draft: str, patient: str) -> tuple[Drafted, Patient]:
    read = drafted.editable(draft)
    if read.draft.kind == DraftKind.ROOM:
        abort(404)  # a further room is never about somebody else
    return read, patients.current(access.patient_or_404(patient))


def _picks() -> dict[str, str]:
    return {name[len(PICK) :]: side for name, side in request.form.items() if name.startswith(PICK)}


def _back(read: Drafted, came_from: str) -> str:
    if came_from == "isian":
        return form_address(read.draft)
    return url_for("registration.check", draft=read.draft.public_id)
