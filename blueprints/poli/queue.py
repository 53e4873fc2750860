"""The queue's page, its list that is asked for again and again, and the call of the next one."""

import secrets

from flask import current_app, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

import access
import responses
import sessions
from blueprints.poli.blueprint import bp, staff
from clinic import (
    days,
    queue_watch,
    queues,
    right_patient,
    room_page,
    unfinished,
)
from clinic.names import called
from clinic.queue_lines import entry_after
from clinic.queue_order import FIRST
from clinic.queue_steps import elsewhere, newest_event
from clinic.signed_in import Room
from db import db, transaction, utcnow
from models import Poli, PoliKind, QueueEntry, QueueEvent, Role

DONE_SHOWN = 10
AFTER = {
    "panggil": "Memanggil {label} {name} ke {room}.",
    "lewati": "{label} {name} dilewati.",
    "kembali": "{label} {name} kembali ke antrean.",
    "jemput": "{label} {name} kembali ke antrean, tanpa menunggu hasil.",
    "mulai": "{label} {name} mulai dilayani.",
    "selesai": "{label} {name} selesai di {room}.",
    "pindah": "{label} {name} pindah ke {next_room}. {place}",
    "batal": "Antrean {label} {name} dibatalkan.",
    "pulang": "{label} {name} dicatat pulang tanpa dilayani.",
    "urungkan": "Langkah terakhir {label} {name} diurungkan.",
}


@bp.get("/poli/<code>")
@staff
def queue(code: str):
    if code != code.upper():
        return redirect(url_for("poli.queue", code=code.upper(), **request.args))
    return show(code)


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


@bp.get("/poli/<code>/belum-selesai")
@staff
def cut_off(code: str):
    """Examinations of days that are over, begun here and never ended; who waited in vain."""
    room = access.room_or_404(code)
    return render_template(
        "poli/cut_off.html",
        poli=room,
        found=unfinished.in_rooms([room.id]),
        unserved=unfinished.unserved_in([room.id]),
    )


@bp.post("/poli/<code>/panggil")
@staff
def call(code: str):
    room = access.room_or_404(code)
    with transaction():
        poli = db.session.get_one(Poli, room.id)
        entry = queues.call_next(access.current_actor(), poli, request.form.get("key"))
    if entry is None:
        return show(code, message=_why_nobody(room))
    return redirect(url_for("poli.queue", code=code, dipanggil=entry.public_id), 303)


def _why_nobody(room: Room) -> str:
    day = days.todays()
    if day and day.closed_at:
        return "Hari ini sudah ditutup, jadi tidak ada pasien yang dipanggil."
    return f"Tidak ada pasien yang menunggu di {room.name}."


def _my_rooms() -> list[Room]:
    return queue_watch.of_staff(current_user.rooms)


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


def show(code: str, *, message: str = "", problem: str = "", status: int = 200) -> Response:
    room = access.room_or_404(code)
    ref = request.args.get("dipanggil") or request.args.get("langkah") or ""
    taken = None
    if ref and not message and not problem:
        taken, message = _what_happened(room, ref)
    around = room_page.present(room.id, [each.id for each in current_user.rooms])
    page = render_template(
        "poli/queue.html",
        rooms=_my_rooms(),
        sees_all=access.has_role(Role.HEAD),
        message=message,
        problem=problem,
        taken=taken,
        cut_off=around.cut_off,
        cut_off_today=around.cut_off_today,
        unserved=around.unserved,
        key=secrets.token_hex(8),
        poli=room,
        rows=responses.SEAM,
        on_paper=around.on_paper,
    )
    return responses.answer_around(page, _drawn_rows(code, around.version), status)


def _what_happened(room: Room, ref: str) -> tuple[QueueEvent | None, str]:
    """The step just taken, if it is of this room and can be taken back, and the step in words."""
    entry = db.session.scalar(
        select(QueueEntry).where(QueueEntry.public_id == ref, QueueEntry.poli_id == room.id)
    )
    step = newest_event(entry) if entry else None
    if step is None or step.action not in AFTER:
        return None, ""
    name = called(entry.visit.patient)
    names = {"label": entry.visit.label, "name": name, "room": room.name}
    after = entry_after(entry)
    there = after.poli.name if after else "ruang lain"
    sentence = AFTER[step.action].format(next_room=there, place=_place_kept(entry, after), **names)
    if step.action == "panggil":
        sentence = f"{sentence} {right_patient.said_of_namesakes(entry)}".rstrip()
    if step.action in ("panggil", "lewati"):
        sentence = f"{sentence} {elsewhere(entry)}".rstrip()
    if step.action == "selesai" and after and after.poli.kind is PoliKind.PHARMACY:
        sentence += f" Pasien antre di {there}."  # for what an earlier room prescribed
    return (None if step.action == "urungkan" else step), sentence


def _place_kept(entry: QueueEntry, after: QueueEntry | None) -> str:
    """What the move did to the place in line: an emergency room ranks by itself."""
    if after is None or after.rank == entry.rank:
        return "Tempatnya di antrean tetap."
    if after.rank == FIRST:
        return "Di sana didahulukan sebagai gawat darurat."
    return "Di sana menurut urutan datang, tidak lagi sebagai gawat darurat."
