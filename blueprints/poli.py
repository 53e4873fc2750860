"""The room's desk: its queue, which refreshes itself, and the steps that staff take in it."""

import secrets
from functools import partial

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import Form, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, ValidationError

import access
import responses
import sessions
from clinic import days, queue_watch, queues, right_patient
from clinic.queue_lines import present_version, room_after
from clinic.queue_steps import STEPS, last_action, past_steps, possible
from clinic.queue_undo import can_undo
from clinic.signed_in import Room
from db import db, transaction, utcnow
from models import Poli, QueueEntry, Role
from validators import checked_by, clean_text

bp = Blueprint("poli", __name__)
staff = access.allow(Role.POLI, Role.HEAD)

BUTTONS = {action for action, step in STEPS.items() if step.is_button} | {"urungkan"}
DONE_SHOWN = 10
AFTER = {
    "panggil": "Memanggil {label} {name} ke {room}.",
    "lewati": "{label} {name} dilewati.",
    "kembali": "{label} {name} kembali ke antrean.",
    "mulai": "{label} {name} mulai dilayani.",
    "selesai": "{label} {name} selesai di {room}.",
    "pindah": "{label} {name} pindah ke {next_room}. Tempatnya di antrean tetap.",
    "batal": "Antrean {label} {name} dibatalkan.",
    "pulang": "{label} {name} dicatat pulang tanpa dilayani.",
    "urungkan": "Langkah terakhir {label} {name} diurungkan.",
}


def reason_field() -> StringField:
    return StringField(
        "Alasan",
        [
            DataRequired("Tulis alasannya, supaya jelas bagi petugas lain."),
            checked_by(partial(clean_text, max_length=300)),
        ],
    )


class ReasonForm(Form):
    alasan = reason_field()


class MoveForm(Form):
    poli = SelectField("Ruang tujuan", validate_choice=False)
    alasan = reason_field()

    def validate_poli(self, field: SelectField) -> None:
        if field.data not in {choice.value for choice in field.choices if choice.value}:
            raise ValidationError("Pilih ruang tujuannya.")


class StartForm(Form):
    """Who it is, where somebody else of this name is here today."""

    jawaban = StringField()
    alasan = StringField("Alasan", [checked_by(partial(clean_text, max_length=300))])


# --- The queue --------------------------------------------------------------------------------


@bp.get("/poli")
@staff
def rooms():
    mine = _my_rooms()
    if mine and not access.has_role(Role.HEAD):
        return redirect(url_for("poli.queue", code=mine[0].code), 303)
    board = queue_watch.board(days.current_day(), mine)
    return render_template("poli/rooms.html", rooms=zip(mine, board.rooms, strict=True))


@bp.get("/poli/<code>")
@staff
def queue(code: str):
    if code != code.upper():
        return redirect(url_for("poli.queue", code=code.upper(), **request.args))
    return _page(code)


@bp.get("/poli/<code>/baris")
@access.polled
def queue_rows(code: str):
    """The list alone; an unchanged one costs one query and a 204, and touches no session."""
    state = queue_watch.poll(sessions.token_digest(), code, utcnow(), db.engine)
    if state.user_id is None:
        address = access.login_address(url_for("poli.queue", code=code))
        return Response(status=401, headers={"HX-Redirect": address})
    if not state.may_see:
        return Response(status=404 if state.role in (Role.POLI, Role.HEAD) else 403)
    if request.args.get("v") == state.version:
        return Response(status=204, headers={"Cache-Control": "no-store"})
    return responses.answer(_drawn_rows(code, state.version))


@bp.post("/poli/<code>/panggil")
@staff
def call(code: str):
    room = access.room_or_404(code)
    with transaction():
        poli = db.session.get_one(Poli, room.id)
        entry = queues.call_next(access.current_actor(), poli, request.form.get("key"))
    if entry is None:
        return _page(code, message=f"Tidak ada pasien yang menunggu di {room.name}.")
    return redirect(url_for("poli.queue", code=code, dipanggil=entry.public_id), 303)


def _my_rooms() -> list[Room]:
    return [room for room in current_user.rooms if room.is_active]


def _drawn_rows(code: str, version: str) -> responses.Content:
    """The room's list, drawn once for all who ask for this version in this minute."""
    shows_all = request.args.get("selesai") == "semua"
    # Waiting times are in it, so it is never older than the minute that they say.
    valid = (version, int(utcnow().timestamp()) // 60)
    drawn = current_app.extensions.setdefault("drawn_queues", {})
    found, content = drawn.get((code, shows_all), (None, None))
    if found != valid:
        content = responses.Content(_draw_rows(code, shows_all).encode(), "text/html")
        drawn[code, shows_all] = (valid, content)
    return content


def _draw_rows(code: str, shows_all: bool) -> str:
    poli = db.session.scalars(select(Poli).where(Poli.code == code)).one()
    queue = queues.room_queue(poli, days.current_day())
    # Rendered without what every page gets: that would load the session.
    return current_app.jinja_env.get_template("poli/_queue_rows.html").render(
        poli=poli,
        queue=queue,
        shows_all=shows_all,
        done=queue.done if shows_all else queue.done[:DONE_SHOWN],
    )


def _page(code: str, *, message: str = "", problem: str = "", status: int = 200) -> Response:
    room = access.room_or_404(code)
    ref = request.args.get("dipanggil") or request.args.get("langkah") or ""
    moved = None
    if ref and not message and not problem:
        moved, message = _what_happened(room, ref)
    page = render_template(
        "poli/queue.html",
        rooms=_my_rooms(),
        sees_all=access.has_role(Role.HEAD),
        message=message,
        problem=problem,
        moved=moved,
        key=secrets.token_hex(8),
        poli=room,
        rows=responses.SEAM,
    )
    rows = _drawn_rows(code, present_version(room.id))
    return responses.answer_around(page, rows, status)


def _what_happened(room: Room, ref: str) -> tuple[QueueEntry | None, str]:
    """The entry of the step just taken, if it is of this room, and the step in words."""
    entry = db.session.scalar(
        select(QueueEntry).where(QueueEntry.public_id == ref, QueueEntry.poli_id == room.id)
    )
    action = last_action(entry) if entry else ""
    if action not in AFTER:
        return None, ""
    names = {"label": entry.visit.label, "name": entry.visit.patient.name, "room": room.name}
    sentence = AFTER[action].format(next_room=room_after(entry) or "ruang lain", **names)
    return (None if action == "urungkan" else entry), sentence


# --- Steps of one entry -----------------------------------------------------------------------


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
    form = _form(found, action)
    if form and found.state in STEPS[action].sources and not form.validate():
        return Response(_confirm_page(found, action, form), 422, mimetype="text/html")
    try:
        with transaction():
            _take(found, action, form)
    except right_patient.Unconfirmed as unconfirmed:
        # The button in the queue has asked nothing yet.
        problem = str(unconfirmed) if "jawaban" in request.form else ""
        page = _ask_who(found, unconfirmed.question, StartForm(request.form), problem)
        return Response(page, 422, mimetype="text/html")
    except queues.QueueError as refused:
        return _page(found.poli.code, problem=str(refused), status=409)
    if action == "mulai":
        visit = found.visit.public_id
        return redirect(url_for("examination.visit", visit=visit, antrean=entry), 303)
    return redirect(url_for("poli.queue", code=found.poli.code, langkah=entry), 303)


@bp.get("/antrean/<entry>/lainnya")
@staff
def more(entry: str):
    """All that can be done with this entry now, and what happened to it so far."""
    found = access.entry_or_404(entry)
    # What somebody began to write is finished on its own page.
    is_begun = found.examination is not None
    return render_template(
        "poli/more.html",
        entry=found,
        actions=[step for step in possible(found) if step != "selesai" or not is_begun],
        can_undo=can_undo(found),
        steps=past_steps(found),
        today=found.visit.service_day.on,
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
    rooms = [SelectChoice(value=room.code, label=room.name) for room in db.session.scalars(others)]
    form.poli.choices = [SelectChoice(value="", label="Pilih ruang"), *rooms]
    return form


def _take(entry: QueueEntry, action: str, form: ReasonForm | MoveForm | None) -> None:
    target = None
    if action == "pindah":
        target = db.session.scalar(select(Poli).where(Poli.code == form.poli.data))
    typed, answer = request.form.get("alasan", "")[:300], request.form.get("jawaban", "")[:40]
    reason = form.alasan.cleaned if form and form.validate() else typed
    queues.act(access.current_actor(), entry, action, reason, target, answer=answer)


def _ask_who(
    entry: QueueEntry, asked: right_patient.Question, form: StartForm, problem: str = ""
) -> str:
    return render_template(
        "poli/who.html",
        entry=entry,
        asked=asked,
        form=form,
        problem=problem,
        today=entry.visit.service_day.on,
    )


def _confirm_page(entry: QueueEntry, action: str, form: ReasonForm | MoveForm) -> str:
    return render_template(
        "poli/confirm.html",
        entry=entry,
        action=action,
        form=form,
        today=entry.visit.service_day.on,
    )
