"""Who is logged in, and in which rooms they work: what every page and access check must know."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import bindparam, select

from db import run, utcnow
from models import LoginSession, Poli, Role, User, UserPoli

# Every page asks these: they are put together once, and go straight to the tables, for nobody
# needs the objects, which take five times as long.
_LOGIN, _USER = LoginSession.__table__.c, User.__table__.c
_SESSION = (
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
            return all_rooms()
        if self.role is not Role.POLI:
            return []
        found = run(_ROOMS_OF_STAFF, {"user_id": self.id})
        return [Room(*columns) for columns in found]


@dataclass
class OpenSession:
    """A session that is going on: what its row holds, and whose it is."""

    id: int
    data: dict[str, Any]
    seen_at: datetime
    idle_until: datetime
    user: Account


def all_rooms() -> list[Room]:
    """Every room of the clinic, in its order."""
    return [Room(*columns) for columns in run(_ROOMS)]


def by_token(token_digest: str) -> OpenSession | None:
    """The session whose cookie has this digest, unless it or its account has ended."""
    found = run(_SESSION, {"digest": token_digest, "now": utcnow()}).first()
    return OpenSession(*found[:4], Account(*found[4:])) if found else None
