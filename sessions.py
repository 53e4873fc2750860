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
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from flask import Flask, Request, Response, request, session
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import bindparam, select
from sqlalchemy.exc import OperationalError

from clinic import settings
from db import db, transaction, utcnow
from models import LoginSession, Poli, Role, User, UserPoli

COOKIE = "alur"
LIFETIME = timedelta(hours=12)
# A page load moves the idle limit at most this often: not every page need write.
EXTEND_EVERY = timedelta(minutes=1)
# Pages that reload themselves say so, and do not keep an unattended screen open.
AUTOMATIC = "otomatis"

log = logging.getLogger(__name__)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def token_digest() -> str:
    """What the session table knows this request's cookie by."""
    return digest(request.cookies.get(COOKIE, ""))


# Every page asks these: they are put together once, and go straight to the tables, for nobody
# needs the objects, which take five times as long.
_LOGIN, _USER = LoginSession.__table__.c, User.__table__.c
_OPEN_SESSION = (
    select(
        _LOGIN.id,
        _LOGIN.data,
        _LOGIN.seen_at,
        _LOGIN.idle_until,
        _USER.id,
        _USER.username,
        _USER.display_name,
        _USER.role,
    )
    .join_from(LoginSession.__table__, User.__table__, _USER.id == _LOGIN.user_id)
    .where(
        _LOGIN.token_digest == bindparam("digest"),
        _LOGIN.ended_at.is_(None),
        _LOGIN.expires_at > bindparam("now"),
        _USER.is_active,
    )
)
_POLI, _WORKS_IN = Poli.__table__.c, UserPoli.__table__.c
_ROOMS = select(_POLI.id, _POLI.code, _POLI.name, _POLI.hue, _POLI.is_active).order_by(
    _POLI.position
)
_ROOMS_OF_STAFF = _ROOMS.join(UserPoli.__table__, _WORKS_IN.poli_id == _POLI.id).where(
    _WORKS_IN.user_id == bindparam("user_id"), _WORKS_IN.is_active
)


@dataclass(frozen=True)
class Room:
    """A room that somebody works in, as pages show it."""

    id: int
    code: str
    name: str
    hue: int
    is_active: bool


@dataclass
class Account:
    """Who is logged in, as far as pages and access checks must know; read anew at each request."""

    id: int
    username: str
    display_name: str
    role: Role

    # What Flask-Login asks of an account.
    is_authenticated = True

    @cached_property
    def rooms(self) -> list[Room]:
        """The rooms that the account works in: poli staff in their own, the head in all."""
        if self.role is Role.HEAD:
            found = db.session.execute(_ROOMS)
        elif self.role is Role.POLI:
            found = db.session.execute(_ROOMS_OF_STAFF, {"user_id": self.id})
        else:
            return []
        return [Room(*columns) for columns in found]


@dataclass
class OpenSession:
    """A session that is going on: what its row holds, and whose it is."""

    id: int
    data: dict[str, Any]
    seen_at: datetime
    idle_until: datetime
    user: Account


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
        self.row = _find(digest(self._cookie))
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

    def abandon(self) -> None:
        self.row, self._data, self.new_cookie = None, {}, ""


def _find(token_hash: str) -> OpenSession | None:
    found = db.session.execute(_OPEN_SESSION, {"digest": token_hash, "now": utcnow()}).first()
    return OpenSession(*found[:4], Account(*found[4:])) if found else None


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
        now - row.seen_at > EXTEND_EVERY and AUTOMATIC not in request.args and not is_idle(row, now)
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
    except OperationalError:
        log.exception("session not stored")


def _idle_time() -> timedelta:
    return timedelta(minutes=settings.value("idle_minutes"))


def is_idle(row: LoginSession | OpenSession, now: datetime) -> bool:
    return now >= row.idle_until


def current_row() -> OpenSession | None:
    """The session of this request, also when its screen is locked."""
    _ = session.data
    return session.row


def active_user() -> Account | None:
    """The account that this request may act as; None when locked."""
    row = current_row()
    return None if row is None or is_idle(row, utcnow()) else row.user


def begin(user: User) -> None:
    """Open a session for this account, in the login's transaction; ends one it replaces."""
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
    session.adopt(OpenSession(row.id, row.data, row.seen_at, row.idle_until, account), token)


def end() -> None:
    """End this request's session, in the logout's transaction."""
    row = current_row()
    if row is not None:
        db.session.get(LoginSession, row.id).ended_at = utcnow()
    session.abandon()


def init_app(app: Flask) -> None:
    app.session_interface = TableSessions()
