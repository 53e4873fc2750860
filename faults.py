"""The page of a save that the disk or the database refused: nothing is stored, nothing is lost.

It must come out whatever is broken, so it asks the database nothing: the session, its token and
the settings are used as far as this request has read them already.
"""

import contextlib
import logging
from pathlib import Path

from flask import Flask, current_app, g, make_response, render_template, request, session
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import InternalServerError
from werkzeug.wrappers import Response

import access
from clinic import disk_space, settings, storage_faults
from clinic.field_words import typed_rows
from clinic.storage_faults import ADVICE, STEPS, Fault
from db import db
from kept_forms import typed_fields
from logs import scrub

log = logging.getLogger("alur.faults")
READ = "Halaman ini belum dapat ditampilkan. Data yang sudah disimpan tidak berubah."
NOT_SAVED = "Isian ini belum disimpan."
NOT_IN = "Anda belum masuk."
HERE = "Yang diketik masih ada di bawah ini. "
KEPT = "Bila belum berhasil, kirim lagi sebentar lagi."
UNSURE = "Belum pasti apakah isian ini tersimpan."
LOOK = "Begitu gangguan selesai, periksa dulu; kirim lagi bila memang belum ada."
ROOM_MADE = "Ruang simpanan {} sudah dibuka sendiri, jadi ulangi sekarang."


def show(error: DBAPIError | OSError) -> Response:
    """Say what has happened and what to do; else it is a mistake of ours, as any."""
    fault = _fault_of(error)
    if fault is None:
        log.exception("%s %s", request.method, request.endpoint)
        db.session.rollback()
        return current_app.handle_http_exception(InternalServerError())
    if request.endpoint != "system.healthz" or storage_faults.may_tell_of_probe():
        log.error("%s %s: %s", request.method, request.endpoint, error)
    storage_faults.note(fault)
    outcome = (UNSURE, LOOK) if _is_unsure(error) else (NOT_SAVED, KEPT)
    _let_go(fault)
    advice = [*_made_room(fault), ADVICE[fault]]
    if request.endpoint == "auth.enter":
        page = _login_page(fault, advice)
    elif request.blueprint == "board":
        page = render_template("board/wait.html")
    else:
        page = _fault_page(fault, advice, *outcome)
    return make_response(page, 503, {"Retry-After": "5"})


def _fault_of(error: DBAPIError | OSError) -> Fault | None:
    fault = storage_faults.fault_of(error)
    if fault in (Fault.BROKEN_DISK, Fault.UNREACHABLE) and disk_space.is_full(_data()):
        return Fault.FULL  # where SQLite finds no room to open a database, it says "I/O error"
    return fault


def _data() -> Path:
    return current_app.config["ALUR"].data


def _made_room(fault: Fault) -> list[str]:
    """On a full disk nobody could even log in: part of what is held back for that day."""
    freed = 0
    if fault is Fault.FULL:
        with contextlib.suppress(OSError):
            freed = disk_space.give_up_half(_data())
    if not freed:
        return []
    size = disk_space.size_text(freed)
    log.error("the disk is full: %s of what was held back were given up", size)
    return [ROOM_MADE.format(size)]


def _fault_page(fault: Fault, advice: list[str], outcome: str, then: str) -> str:
    has_typed = request.method == "POST"
    fields = typed_fields() if has_typed else []
    shown = typed_rows([(name, scrub(text)) for name, text in fields], {})
    closing = [(HERE if shown else "") + then] if fields else []
    return render_template(
        "errors/fault.html",
        title=fault.value,
        sentences=[outcome if has_typed else READ, *advice, *closing],
        again="" if has_typed else request.full_path.rstrip("?"),
        steps=STEPS.get(fault, ()),
        path=request.path,
        token=request.form.get("csrf_token", ""),  # its session can't always be read for it
        fields=fields,
        shown=shown,
    )


def _login_page(fault: Fault, advice: list[str]) -> str:
    """The same form again, with what an earlier form had sent."""
    context = access.login_context(
        request.form.get("lanjut", ""),
        request.form.get("resend", ""),
        username=request.form.get("username", ""),
        message=" ".join([fault.value, NOT_IN, *advice]),
        steps=STEPS.get(fault, ()),
    )
    return render_template("auth/login.html", **context)


def _is_unsure(error: DBAPIError | OSError) -> bool:
    """Whether it may be stored: the commit's own outcome is not known, or a later thing failed."""
    commit = db.session.info.get("commit")
    return commit == "done" or (commit == "begun" and not storage_faults.is_surely_undone(error))


def _let_go(fault: Fault) -> None:
    """End what was begun. Connections to a disk that failed are opened anew, which also heals."""
    g.has_failed = True
    g.settings = g.get("settings") or settings.defaults()
    # The page must neither load a session that was not asked for yet, nor begin another one.
    g.csrf_token = request.form.get("csrf_token", "")
    session.leave_unread()
    db.session.rollback()
    if fault is not Fault.BUSY:
        db.session.remove()
        db.engine.dispose()


def init_app(app: Flask) -> None:
    app.register_error_handler(DBAPIError, show)
    app.register_error_handler(OSError, show)
    with app.app_context():
        app.register_error_handler(db.engine.dialect.dbapi.Error, show)  # as a poll meets it
        storage_faults.listen(db.engine)
