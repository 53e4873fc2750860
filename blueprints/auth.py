"""Log in, log out, unlock, and send again what a form had sent meanwhile."""

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
)
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.wrappers import Response

import access
import navigation
import sessions
from clinic import accounts, audit, clock, log_in_tries
from clinic.log_in_tries import Device, Nobody
from clinic.signed_in import Account, OpenSession
from db import db, transaction
from kept_forms import OF_ANOTHER, known_path, sealed, typed_fields, unsealed
from models import User

bp = Blueprint("auth", __name__)
WRONG = "Nama pengguna atau kata sandi salah. Periksa huruf besar dan ejaannya, lalu coba lagi."
BUSY = "Banyak yang masuk bersamaan. Isi kata sandi dan tekan Masuk sekali lagi."
MISSING = "Isi nama pengguna dan kata sandi."


@bp.get("/")
@access.allow(*access.EVERYONE)
def home():
    return redirect(navigation.desk_address(), 303)


@bp.get("/masuk")
@access.public
def login():
    goes_on = known_path(request.args.get("lanjut", ""), "GET")
    if current_user.is_authenticated:
        return redirect(goes_on or "/", 303)
    return render_template("auth/login.html", **access.login_context(goes_on, ""))


@bp.post("/masuk")
@access.public
def enter():
    username, passphrase = request.form.get("username", ""), request.form.get("password", "")
    if not username.strip() or not passphrase:
        return _again(username, MISSING)  # a slip of the Enter key is no try
    user = accounts.by_username(username)
    device = sessions.device_of(user)
    tried = user or log_in_tries.nobody(username)
    wait = log_in_tries.seconds_to_wait(tried, device)
    if wait:
        return _again(username, accounts.WAIT.format(wait))
    compared_with = user and user.password_hash
    try:
        is_right, opened = accounts.matches(user, passphrase), None
    except accounts.TooManyAtOnce:
        return _again(username, BUSY, 503)
    with transaction():
        user = user and db.session.get(User, user.id, with_for_update=True, populate_existing=True)
        # Comparing takes long enough for the account to be closed or to get another passphrase.
        is_right = is_right and user.is_active and user.password_hash == compared_with
        # Tries that were sent together came one by one.
        wait = log_in_tries.seconds_to_wait(user or tried, device)
        if is_right and not wait:
            opened = _let_in(user, device)
        elif not wait:
            _note_failure(user or tried, device)
    if opened is None:
        return _again(username, accounts.WAIT.format(wait) if wait else WRONG)
    session.adopt(*opened)
    author, fields = unsealed(request.form.get("resend", ""))
    goes_on = request.form.get("lanjut", "")
    if fields and author != opened[0].user.id:
        flash(OF_ANOTHER, "warning")
    elif fields and known_path(goes_on, "POST"):
        return render_template("auth/resend.html", path=goes_on, fields=fields, problem="")
    return redirect(known_path(goes_on, "GET") or "/", 303)


def _let_in(user: User, device: Device) -> tuple[OpenSession, str]:
    log_in_tries.note_success(user, device)
    opened = sessions.begin(user)
    audit.record(_as_actor(user), "log_in")
    return opened


def _as_actor(user: User | Account) -> audit.Actor:
    return audit.Actor(user.id, user.role, request.remote_addr or "")


def _note_failure(tried: User | Nobody, device: Device) -> None:
    log_in_tries.note_failure(tried, device)
    is_known = isinstance(tried, User)
    if is_known or log_in_tries.may_note_unknown(device):
        # Without the name that was typed: it may be a passphrase.
        audit.record(access.current_actor(), "log_in_failed", tried if is_known else None)


def _again(username: str, message: str, status: int = 422) -> Response:
    context = access.login_context(
        request.form.get("lanjut", ""),
        request.form.get("resend", ""),
        username=username,
        message=message,
    )
    page = render_template("auth/login.html", **context)
    return make_response(page, status, {"Retry-After": "1"} if status == 503 else {})


@bp.get("/masuk/kunci")
@access.public
def lock():
    """Hides a page that stands open while its author's session is locked or over, typing and all.

    In the same session, or after a new log-in of the same person, it comes back as it was.
    """
    author, user = request.args.get("oleh", 0, int), sessions.active_user()
    is_locked = clock.is_right() and (user is None or user.id != author)
    if request.args.get("tampak") == ("kunci" if is_locked else "buka"):
        return Response(status=204)
    row = sessions.current_row()
    pause = (sessions.extends_after(row) if row else sessions.EXTEND_EVERY).seconds
    return render_template("auth/_lock.html", author=author, is_locked=is_locked, pause=pause)


@bp.post("/keluar")
@access.public
def logout():
    with transaction():
        if ended := sessions.current_row():
            audit.record(_as_actor(ended.user), "log_out")
        sessions.end()
    response = redirect("/masuk", 303)
    if request.is_secure:  # elsewhere browsers only complain about it
        response.headers["Clear-Site-Data"] = '"cache"'
    return response


@bp.app_errorhandler(CSRFError)
def form_expired(error: CSRFError):
    """Nothing typed is lost: it is shown again, ready to send."""
    try:
        return _shown_again()
    except DBAPIError as problem:  # else, within a handler, it would be a mistake of ours
        return current_app.handle_user_exception(problem)


def _shown_again():
    if request.endpoint == "auth.enter":
        message = "Halaman ini sudah lama terbuka. Masukkan kata sandi sekali lagi."
        return _again(request.form.get("username", ""), message, 400)
    fields, author = typed_fields(), sessions.form_author()
    if not current_user.is_authenticated:
        context = access.login_context(request.path, sealed(author, fields))
        return render_template("auth/login.html", **context), 400
    if author != current_user.id:  # a form of a tab that a colleague left open
        flash(OF_ANOTHER, "warning")
        return redirect(known_path(request.path, "GET") or "/", 303)
    problem = "Halaman tadi sudah lama terbuka, jadi belum ada yang disimpan."
    page = render_template("auth/resend.html", path=request.path, fields=fields, problem=problem)
    return page, 400
