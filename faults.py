"""The page of a save that the disk or the database refused: nothing is stored, nothing is lost.

It must come out whatever is broken, so it asks the database nothing: the session, its token and
the settings are used as far as this request has read them already.
"""

import logging

from flask import Flask, current_app, g, make_response, render_template, request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import InternalServerError
from werkzeug.wrappers import Response

from clinic import settings, storage_faults
from clinic.storage_faults import ADVICE, Fault
from db import db
from kept_forms import typed_fields
from logs import scrub

log = logging.getLogger("alur.faults")
READ = "Halaman ini belum dapat ditampilkan. Data yang sudah disimpan tidak berubah."
NOT_SAVED = "Isian ini belum disimpan."
KEPT = "Yang diketik masih ada di bawah ini; kirim lagi begitu gangguan selesai."
UNSURE = "Belum pasti apakah isian ini tersimpan."
LOOK = (
    "Yang diketik masih ada di bawah ini. Begitu gangguan selesai, periksa dulu; kirim lagi bila "
    "memang belum ada."
)


def show(error: DBAPIError | OSError) -> Response:
    """Say what has happened and what to do; else it is a mistake of ours, as any."""
    fault = storage_faults.fault_of(error)
    if fault is None:
        log.exception("%s %s", request.method, request.endpoint)
        db.session.rollback()
        return current_app.handle_http_exception(InternalServerError())
    log.error("%s %s: %s", request.method, request.endpoint, error)
    storage_faults.note(fault)
    outcome, then = (UNSURE, LOOK) if _is_unsure(fault) else (NOT_SAVED, KEPT)
    _let_go(fault)
    has_typed = request.method == "POST"
    fields = typed_fields() if has_typed else []
    page = render_template(
        "errors/fault.html",
        title=fault.value,
        sentences=[outcome if has_typed else READ, ADVICE[fault], *([then] if fields else [])],
        path=request.path,
        token=request.form.get("csrf_token", ""),  # its session can't always be read for it
        fields=fields,
        shown=[(name, scrub(text)) for name, text in fields if text],
    )
    return make_response(page, 503, {"Retry-After": "5"})


def _is_unsure(fault: Fault) -> bool:
    """Whether it may be stored: the answer to a commit was lost, or something else failed later."""
    commit = db.session.info.get("commit")
    return commit == "done" or (commit == "begun" and fault is Fault.UNREACHABLE)


def _let_go(fault: Fault) -> None:
    """End what was begun. Connections to a disk that failed are opened anew, which also heals."""
    g.has_failed = True
    g.settings = g.get("settings") or settings.defaults()
    db.session.rollback()
    if fault is not Fault.BUSY:
        db.session.remove()
        db.engine.dispose()


def init_app(app: Flask) -> None:
    app.register_error_handler(DBAPIError, show)
    app.register_error_handler(OSError, show)
    with app.app_context():
        storage_faults.listen(db.engine)
