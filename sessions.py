"""Sessions on the server: the cookie is a random token, everything else is a row.

A row can be ended at once (Flask's own cookie still logs in after a logout), and no answer of a
slow poll can bring an older session back, because polls never load one. Before the login there
is no row: a signed cookie then carries the CSRF token and nothing else.
"""

import contextlib
import hashlib
import logging
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response, current_app, request, session
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from clinic import settings, signed_in, storage_faults
from clinic.log_in_tries import Device
from clinic.signed_in import Account, OpenSession
from clinic.storage_faults import Fault
from db import db, transaction, utcnow
from models import LoginSession, User

COOKIE = "alur"
LIFETIME = timedelta(hours=12)
# How old a session may be of which a form is still known to come.
FORMS_KNOWN = timedelta(days=2)
# A page load moves the idle limit at most this often, where it is short four times in it: not
# every page need write, and nobody who works is locked.
EXTEND_EVERY = timedelta(minutes=1)
# Pages that reload themselves say so, and do not keep an unattended screen open.
AUTOMATIC = "otomatis"

log = logging.getLogger(__name__)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def token_digest() -> str:
    """What the session table knows this request's cookie by."""
    return digest(request.cookies.get(COOKIE, ""))


class ServerSession(SessionMixin):
    """Loads its row when it is first looked at, and remembers which keys changed."""

    def __init__(self, cookie: str | None, key: str):
        self._cookie = cookie
        self._key = key
        self._data: dict[str, Any] | None = None
        self.row: OpenSession | None = None
        self.changed: set[str] = set()
        self.new_cookie: str | None = None

    @property
    def data(self) -> dict[str, Any]:
        if self._data is None:
            self._data = {}  # should it fail, the page that says so must not ask again
            self._data = self._load()
        return self._data

    @property
    def is_loaded(self) -> bool:
        return self._data is not None

    @property
    def signer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self._key, salt="alur-before-login")

    def _load(self) -> dict[str, Any]:
        if not self._cookie:
            return {}
        if "." in self._cookie:  # signed, before the login; a token has no dot
            with contextlib.suppress(BadSignature):
                return dict(self.signer.loads(self._cookie))
            return {}
        self.row = signed_in.by_token(digest(self._cookie))
        return dict(self.row.data) if self.row else {}

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.data[key] = value
        self.changed.add(key)

    def __delitem__(self, key: str) -> None:
        del self.data[key]
        self.changed.add(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def adopt(self, row: OpenSession, token: str) -> None:
        self.row, self._data, self.new_cookie = row, dict(row.data), token
        self.changed = set()

    def leave_unread(self) -> None:
        """Be empty, if it was not looked at yet; its row and its cookie stay as they are."""
        self._data = self._data or {}

    def abandon(self) -> None:
        self.row, self._data, self.new_cookie = None, {}, ""


class TableSessions(SessionInterface):
    def open_session(self, app: Flask, request: Request) -> ServerSession:
        return ServerSession(request.cookies.get(COOKIE), app.secret_key)

    def save_session(self, app: Flask, session: ServerSession, response: Response) -> None:
        if session.new_cookie is not None:
            _set_cookie(response, session.new_cookie)
        if not session.is_loaded:
            return
        if session.row:
            _store(session)
        elif session.changed and session.new_cookie is None:
            _set_cookie(response, session.signer.dumps(session.data))


def _set_cookie(response: Response, value: str) -> None:
    if value:
        response.set_cookie(
            COOKIE, value, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
        )
    else:
        response.delete_cookie(COOKIE, httponly=True, samesite="Lax", path="/")


def _store(current: ServerSession) -> None:
    now = utcnow()
    row = current.row
    extends = (
        now - row.seen_at > extends_after(row)
        and AUTOMATIC not in request.args
        and not is_idle(row, now)
        and storage_faults.present() is not Fault.STUCK  # else the page would wait too
    )
    if not extends and not current.changed:
        return
    # A disk that is full must not take the page away that says so.
    try:
        with transaction():
            fresh = db.session.get(LoginSession, row.id)
            if current.changed:
                kept = {k: v for k, v in fresh.data.items() if k not in current.changed}
                mine = {k: current.data[k] for k in current.changed if k in current.data}
                fresh.data = kept | mine
            if extends:
                fresh.seen_at = now
                fresh.idle_until = now + _idle_time()
    except (DBAPIError, OSError) as problem:
        known = storage_faults.fault_of(problem)
        log.warning("session not stored: %s", problem, exc_info=known is None)


def _idle_time() -> timedelta:
    return timedelta(minutes=settings.value("idle_minutes"))


def extends_after(row: LoginSession | OpenSession) -> timedelta:
    """How long after the idle limit was moved a page moves it again."""
    return min(EXTEND_EVERY, (row.idle_until - row.seen_at) / 4)


def is_idle(row: LoginSession | OpenSession, now: datetime) -> bool:
    return now >= row.idle_until


def current_row() -> OpenSession | None:
    """The session of this request, also when its screen is locked."""
    _ = session.data
    return session.row


def device_of(user: User | None) -> Device:
    """Where this request tries to log the account in, or to show that it is its own."""
    row = current_row()
    is_own = row is not None and user is not None and row.user.id == user.id
    return Device(request.remote_addr or "", row.id if is_own else None)


def last_user_id() -> int | None:
    """Whose session this request's cookie opens, or opened before it ended."""
    return db.session.scalar(
        select(LoginSession.user_id).where(LoginSession.token_digest == token_digest())
    )


def form_author() -> int | None:
    """Whose page the form stood on that this request sent: its token was that session's.

    The cookie says less: another account may have logged in at this browser since.
    """
    try:
        token = _token_signer(current_app.secret_key).loads(request.form.get("csrf_token", ""))
    except BadSignature:
        return last_user_id()
    issued = LoginSession.data["csrf_token"].as_string() == token
    recent = LoginSession.created_at > utcnow() - FORMS_KNOWN
    return db.session.scalar(select(LoginSession.user_id).where(issued, recent).limit(1))


def active_user() -> Account | None:
    """The account that this request may act as; None when locked."""
    row = current_row()
    return None if row is None or is_idle(row, utcnow()) else row.user


def polling_user() -> Account | None:
    """The same for a poll of more than one room: its session is neither loaded nor kept open."""
    row = signed_in.by_token(token_digest())
    return None if row is None or is_idle(row, utcnow()) else row.user


def csrf_token() -> str:
    """The token of this session's forms, for `g.csrf_token`, where Flask-WTF looks for it first."""
    return _signed(session["csrf_token"], current_app.secret_key)


@lru_cache(maxsize=1000)  # signing takes as long as a query
def _signed(token: str, key: str) -> str:
    """As Flask-WTF signs it."""
    return _token_signer(key).dumps(token)


def _token_signer(key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="wtf-csrf-token")


def begin(user: User) -> tuple[OpenSession, str]:
    """Open a session for this account, in the login's transaction; ends one it replaces.

    To be adopted (`session.adopt`) once it is stored.
    """
    now = utcnow()
    old = current_row()
    kept = {}
    if old is not None:
        old = db.session.get(LoginSession, old.id)
        old.ended_at = now
        # After unlocking, the same person finds the desk as it was.
        kept = dict(old.data) if old.user_id == user.id else {}
    token = secrets.token_urlsafe(24).replace(".", "-")
    row = LoginSession(
        token_digest=digest(token),
        user_id=user.id,
        data=kept | {"csrf_token": secrets.token_hex(20)},
        device=request.remote_addr or "",
        seen_at=now,
        idle_until=now + _idle_time(),
        expires_at=now + LIFETIME,
    )
    db.session.add(row)
    db.session.flush()
    account = Account(user.id, user.username, user.display_name, user.role)
    return OpenSession(row.id, row.data, row.seen_at, row.idle_until, account), token


def end() -> None:
    """End this request's session, in the logout's transaction."""
    row = current_row()
    if row is not None:
        db.session.get(LoginSession, row.id).ended_at = utcnow()
    session.abandon()


def init_app(app: Flask) -> None:
    app.session_interface = TableSessions()
