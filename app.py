"""Puts the parts together: `create_app()`. Imported by nobody but gunicorn, flask and the tests."""

from flask import Flask, current_app, g, render_template, request
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

import access
import cli
import faults
import kept_answers
import navigation
import patient_forms
import polling
import responses
import sessions
import timing
from blueprints import (
    account,
    auth,
    board,
    closing,
    consents,
    examination,
    families,
    papers,
    patients,
    pharmacy,
    poli,
    records,
    registration,
    reports,
    self_statistics,
    system,
)
from clinic import audit, field_words, names, notices, settings, signed_in
from config import Config, read_config
from db import db, engine_options, utcnow
from formatting import FILTERS
from kept_forms import typed_fields
from logs import init_logging
from validators import NO_NIK_REASONS

DESKS = (
    *(auth, registration, poli, examination, pharmacy, families, patients, papers, consents),
    *(records, reports, board, closing, self_statistics, system, account),
)
SENTENCES = {
    400: ("Permintaan tidak lengkap", "Kembali ke halaman sebelumnya dan coba lagi."),
    403: ("Tidak diizinkan", "Akun Anda tidak membuka halaman ini. Tanyakan kepada kepala."),
    404: ("Tidak ditemukan", "Halaman ini tidak ada, atau bukan bagian ruang Anda."),
    405: ("Bukan begini caranya", "Halaman ini hanya menerima kiriman dari formulirnya."),
    413: ("Terlalu besar", "Teks paling banyak 1 MB, impor 30 MB, cadangan 512 MB."),
    415: ("Kiriman tidak terbaca", "Ganti nama berkas dengan huruf dan angka biasa; kirim lagi."),
    500: ("Ada kesalahan di server", "Kesalahan sudah dicatat. Isian di halaman sebelumnya aman."),
    503: ("Server sedang sibuk", "Tunggu sebentar, lalu muat ulang halaman ini."),
}


def create_app(config: Config | None = None) -> Flask:
    """The application. Raises ConfigError when its settings can't be used."""
    config = config or read_config()
    config.make_folders()
    init_logging(config.logs)
    app = Flask(__name__, static_folder=None)
    app.secret_key = config.key("session").hex()
    app.config.update(
        ALUR=config,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        # Parameters hold patients' data, and error texts go to the log.
        SQLALCHEMY_ENGINE_OPTIONS={**engine_options(config.database_url), "hide_parameters": True},
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=1024 * 1024,
        TRUSTED_HOSTS=list(config.hosts) or None,
    )
    app.jinja_options = {
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    audit.use_key(config.audit_key())
    db.init_app(app)
    timing.init_app(app)
    sessions.init_app(app)
    access.init_app(app)  # before CSRF: a stranger is refused first
    CSRFProtect(app)
    responses.init_app(app)
    kept_answers.init_app(app)
    for desk in DESKS:
        app.register_blueprint(desk.bp)
    app.jinja_env.filters.update(
        FILTERS,
        typed_rows=typed_rows,
        no_nik_text=NO_NIK_REASONS.get,
        called=names.called,
    )
    app.context_processor(page_context)
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(patient_forms.OtherPatient, patient_forms.show_other)
    faults.init_app(app)
    cli.init_app(app)
    app.wsgi_app = polling.UnchangedPolls(app)
    if config.behind_proxy:  # else every screen would seem to stand at the server itself
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)
    return app


def page_context() -> dict:
    """What every page may use; after a failure it must not ask the database again."""
    known = g.get("settings") if g.get("has_failed") else access.page_settings()
    return {
        "clinic_name": known["clinic_name"],
        "clinic_address": known["clinic_address"],
        "is_demo": known["is_demo"],
        "zone": known["time_zone"],
        "now": utcnow(),
        "nav_items": [] if g.get("has_failed") else navigation.links(),
        "top_notice": lambda role: notices.top(current_app.config["ALUR"].data, role),
    }


def typed_rows(pairs: list[tuple[str, str]]) -> list[field_words.Typed]:
    """What a form sent, in words; after a failure the database is not asked for the rooms."""
    rooms = () if g.get("has_failed") else signed_in.all_rooms()
    return field_words.typed_rows(pairs, {room.code: room.name for room in rooms})


def show_error(error: HTTPException):
    if error.response is not None or (error.code or 500) < 400:
        return error
    code = error.code or 500
    if code >= 500:
        g.has_failed = True
        g.settings = settings.defaults()
    # Whose room or role was taken away while they typed keeps the text, and sees nothing else.
    is_refused = request.method == "POST" and code in (403, 404)
    title, message = SENTENCES.get(code, SENTENCES[400 if code < 500 else 500])
    try:
        shown = typed_rows(typed_fields()) if is_refused else []
        said = {"code": code, "title": title, "message": message, "shown": shown}
        page = render_template("errors/error.html", **said)
    except DBAPIError as problem:  # as it found out who asks
        return faults.show(problem)
    response = error.get_response()
    response.set_data(page)
    response.content_type = "text/html; charset=utf-8"
    return response
