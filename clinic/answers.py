"""Pages that answered a form which was not stored: kept for an hour, for who sent it alone.

A browser writes the body of the request whose answer it shows to the computer's disk. So such a
page is kept here, and the browser is led to it by an address (`kept_answers.py`).
Working storage, not the record; a row goes by itself.
"""

import json
import secrets
import zlib
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select

from db import db, utcnow
from models import KeptAnswer

KEPT = timedelta(hours=1)
ON_ITS_WAY = timedelta(minutes=1)  # the line may be slow
SENT = 401  # kept is what a stranger's form sent: its page is drawn for who has logged in
LARGEST = 512 * 1024  # bytes; no page of ours is half as long


class Answer(NamedTuple):
    """A page, the path where it is shown, and whose record was looked at when it was drawn."""

    status: int
    page: bytes
    path: str
    views: list[dict[str, str]]
    is_on_its_way: bool = False  # kept a moment ago: the browser comes for it now


def keep(user_id: int, answer: Answer) -> str:
    """Store the page; its key."""
    clear(utcnow())
    key = secrets.token_urlsafe(9)
    head = json.dumps({"path": answer.path, "views": answer.views}).encode()
    packed = zlib.compress(head + b"\n" + answer.page, 3)
    db.session.add(KeptAnswer(user_id=user_id, key=key, status=answer.status, page=packed))
    db.session.flush()
    return key


def find(user_id: int, key: str) -> Answer | None:
    """The account's own page of this key, while it is kept."""
    row = db.session.scalar(
        select(KeptAnswer).where(
            KeptAnswer.key == key,
            KeptAnswer.user_id == user_id,
            KeptAnswer.at > utcnow() - KEPT,
        )
    )
    return _opened(row) if row else None


def _opened(row: KeptAnswer) -> Answer | None:
    head, _, page = zlib.decompress(row.page).partition(b"\n")
    try:
        about = json.loads(head)
        is_on_its_way = row.at > utcnow() - ON_ITS_WAY
        return Answer(row.status, page, about["path"], about["views"], is_on_its_way)
    except (ValueError, TypeError):  # kept by an earlier version, which wrote the page alone
        return None


def is_anothers_form(user_id: int, key: str) -> bool:
    """Whether what somebody else sent before this login is kept under the key."""
    rows = select(KeptAnswer.user_id).where(KeptAnswer.key == key, KeptAnswer.status == SENT)
    return db.session.scalar(rows) not in (None, user_id)


def clear(at: datetime) -> None:
    db.session.execute(delete(KeptAnswer).where(KeptAnswer.at <= at - KEPT))
