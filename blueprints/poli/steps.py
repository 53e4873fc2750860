"""The steps of one entry of a queue, those behind a question included."""

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

import access
from blueprints.poli import queue
from blueprints.poli.blueprint import bp, staff
from blueprints.poli.forms import MoveForm, ReasonForm, StartForm
from clinic import allergies, history, immunizations, papers, queues, right_patient
from clinic.queue_steps import (
    STEPS,
    OwnStep,
    ServedMeanwhile,
    elsewhere,
    past_steps,
    possible,
    served_by_another,
)
from clinic.queue_undo import AlreadyUndone, step_to_undo
from db import db
from models import Poli, QueueEntry
from page_form import choices
from patient_forms import refuse_other, writing
from validators import FieldError

BUTTONS = {action for action, step in STEPS.items() if step.is_button} | {"urungkan"}


@bp.get("/antrean/<entry>/<action>")
@staff
def confirm(entry: str, action: str):
    found = access.entry_or_404(entry)
    if action not in BUTTONS:
        abort(404)
    if action == "mulai" and (asked := right_patient.question(found)):
        return _ask_who(found, asked, StartForm())
    if action == "urungkan" or not STEPS[action].needs_reason:
        return redirect(url_for("poli.queue", code=found.poli.code), 303)
    return _confirm_page(found, action, _form(found, action))


@bp.post("/antrean/<entry>/<action>")
@staff
def step(entry: str, action: str):
    found = access.entry_or_404(entry)
    if action not in BUTTONS:
        abort(404)
    refuse_other(found.visit.patient.public_id)
    form = _form(found, action)
    if form and found.state in STEPS[action].sources and not form.validate():
        return Response(_confirm_page(found, action, form), 422, mimetype="text/html")
    try:
        with writing(found.visit):
            _take(found, action, form)
    except right_patient.Unconfirmed as unconfirmed:
        # The button in the queue has asked nothing yet.
        problem = str(unconfirmed) if "jawaban" in request.form else ""
        return _ask_again(found, unconfirmed.question, problem)
    except FieldError as too_long:
        return _ask_again(found, right_patient.question(found), str(too_long))
    except OwnStep:
        pass  # answered as the first press was
    except ServedMeanwhile:
        return Response(_confirm_page(found, action, form), 409, mimetype="text/html")
    except AlreadyUndone as resent:
        return queue.show(found.poli.code, message=str(resent))
    except queues.QueueError as refused:
        return queue.show(found.poli.code, problem=str(refused), status=409)
    if action == "mulai":
        visit = found.visit.public_id
        return redirect(url_for("examination.visit", visit=visit, antrean=entry), 303)
    return redirect(_back(found), 303)


def _back(entry: QueueEntry) -> str:
    """The queue's page, which says what was done with this entry."""
    return url_for("poli.queue", code=entry.poli.code, langkah=entry.public_id)


@bp.get("/antrean/<entry>/lainnya")
@staff
def more(entry: str):
    """All that can be done with this entry now, and what happened to it so far."""
    found = access.entry_or_404(entry)
    # What somebody began to write is finished on its own page.
    is_begun = found.examination is not None
    return render_template(
        "poli/more.html",
        **_about(found),
        actions=[step for step in possible(found) if step != "selesai" or not is_begun],
        undoable=step_to_undo(found),
        steps=past_steps(found),
    )


@bp.get("/antrean/<entry>/buka")
@staff
def open_record(entry: str):
    """To the visit's record; a row of the queue then carries one id instead of two."""
    visit = access.entry_or_404(entry).visit.public_id
    return redirect(url_for("examination.visit", visit=visit, antrean=entry), 303)


@bp.get("/antrean/<entry>/vital")
@staff
def measure(entry: str):
    visit = access.entry_or_404(entry).visit.public_id
    return redirect(url_for("examination.vital_signs", visit=visit), 303)


def _form(entry: QueueEntry, action: str) -> ReasonForm | MoveForm | None:
    if action == "urungkan" or not STEPS[action].needs_reason:
        return None
    if action != "pindah":
        return ReasonForm(request.form)
    form = MoveForm(request.form)
    others = select(Poli).where(Poli.is_active, Poli.id != entry.poli_id).order_by(Poli.position)
    rooms = {room.code: room.name for room in db.session.scalars(others)}
    form.poli.choices = choices(rooms, "Pilih ruang")
    return form


def _take(entry: QueueEntry, action: str, form: ReasonForm | MoveForm | None) -> None:
    target = None
    if action == "pindah":
        target = db.session.scalar(select(Poli).where(Poli.code == form.poli.data))
    typed, answer = request.form.get("alasan", ""), request.form.get("jawaban", "")
    reason = form.alasan.cleaned if form and form.validate() else typed
    seen = request.form.get("seen", "")
    queues.act(access.current_actor(), entry, action, reason, target, answer=answer, seen=seen)


def _ask_again(entry: QueueEntry, asked: right_patient.Question, problem: str) -> Response:
    page = _ask_who(entry, asked, StartForm(request.form), problem)
    return Response(page, 422, mimetype="text/html")


def _ask_who(
    entry: QueueEntry, asked: right_patient.Question, form: StartForm, problem: str = ""
) -> str:
    return render_template(
        "poli/who.html",
        **_about(entry),
        asked=asked,
        form=form,
        problem=problem,
    )


def _confirm_page(entry: QueueEntry, action: str, form: ReasonForm | MoveForm) -> str:
    return render_template(
        "poli/confirm.html",
        **_about(entry),
        action=action,
        form=form,
        served=served_by_another(current_user.id, entry),
        **(_recorded(entry) if action == "batal" else {"doses": [], "recorded": []}),
        papers=papers.in_force(entry.visit) if action == "batal" else [],
    )


def _recorded(entry: QueueEntry) -> dict[str, list[str]]:
    """What was written in the visit so far, in words; its vaccines by name."""
    summary = history.visit_summary(entry.visit)
    doses = [each.name for each in immunizations.given_in(entry.visit)]
    parts = {"tanda vital": summary.vitals, "catatan triase": summary.triage}
    parts["isi pemeriksaan"] = summary.examined
    return {
        "doses": doses,
        "recorded": [f"imunisasi {each}" for each in doses] + [one for one in parts if parts[one]],
    }


def _about(entry: QueueEntry) -> dict[str, Any]:
    """Whom the page is about, allergies first of all."""
    visit = entry.visit
    access.record_view("view_visit", visit.patient, "visit", visit.public_id)
    return {
        "entry": entry,
        "today": entry.visit.service_day.on,
        "allergies": allergies.banner(entry.visit.patient),
        "elsewhere": elsewhere(entry),
    }
