"""The waiting-room board: numbers and rooms only, for everybody inside the clinic's networks."""

from flask import Blueprint, abort, current_app, request
from sqlalchemy import select
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

import access
from clinic import days, queue_watch, settings
from db import db, utcnow
from models import Poli

bp = Blueprint("board", __name__)
NO_ROOM = "Ruang ini tidak ada. Periksa alamat layarnya: /layar, atau /layar/ dan kode ruang."


@bp.get("/layar")
@access.public
def all_rooms():
    return _board("")


@bp.get("/layar/<code>")
@access.public
def one_room(code: str):
    return _board(code.upper())


def _board(code: str) -> Response:
    known, now = settings.values(), utcnow()
    shown = {"clinic_name": known["clinic_name"], "zone": known["time_zone"], "now": now}
    if not queue_watch.may_watch(request.remote_addr, known["board_networks"]):
        return _render("board/refused.html", 403, shown)
    chosen = select(Poli).order_by(Poli.position)
    if code:
        chosen = chosen.where(Poli.code == code)
    polis = queue_watch.in_use(list(db.session.scalars(chosen)))
    if code and not polis:
        abort(404)
    board = queue_watch.board(days.current_day(), polis, now)
    rooms = [room for room in board.rooms if room.waiting or code]
    called = {"calls": board.calls, "further": board.further, "is_one_room": bool(code)}
    return _render("board/board.html", 200, shown | called | {"rooms": rooms})


@bp.errorhandler(HTTPException)
def refused(error: HTTPException) -> Response:
    """A page that asks again by itself, as the board does: nobody stands at a TV with a keyboard.

    What the disk or the database refuses gets the same one (faults.py).
    """
    code = error.code or 500
    known = settings.values() if code < 500 else settings.defaults()
    shown = {"clinic_name": known["clinic_name"]} | ({"message": NO_ROOM} if code == 404 else {})
    return _render("board/wait.html", code, shown)


def _render(name: str, status: int, shown: dict) -> Response:
    # Without what other pages get: a board must neither load nor keep open anybody's session.
    page = current_app.jinja_env.get_template(name).render(shown)
    return Response(page, status, mimetype="text/html")
