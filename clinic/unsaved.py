"""What is typed about a visit and not saved yet: working storage, not the record.

Only the author reads it; nobody else does, the head included, and neither log nor audit trail
holds a word of it. It is blanked when its form is saved or its author throws it away, and KEPT
after the last keystroke if nobody came back for it; its row is removed a day later. Nothing that
was ever saved is touched here.

Each form that a browser opens has a key. It also names the keys of the forms whose text it took
over, and up to which step: so far they are ended with it. What the author types in another tab
stays, and so do the last words of a page that was left, which arrive behind the page after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, false, or_, select, update

from clinic import audit
from clinic.audit import Actor
from db import db, utcnow
from models import QueueEntry, UnsavedText

KEPT = timedelta(days=7)
# A request that was under way when its form was saved has long arrived by then.
ENDED_KEPT = timedelta(days=1)
LAST_STEP = 2**31 - 1  # nothing of a form comes after it
EXAMINATION, AMENDMENT, SCREENING = PAGES = ("", "pembetulan", "tanda-vital")


class Place(NamedTuple):
    """A page's form. The screening desk is in no room: it takes the visit's first entry."""

    entry: QueueEntry
    page: str = EXAMINATION


class Key(NamedTuple):
    """A form's, and the step up to which its text is meant: what it sends later is newer."""

    name: str
    step: int = LAST_STEP


@dataclass(frozen=True)
class Typed:
    """What a form sent by itself; its own key stands last."""

    keys: Sequence[Key]
    step: int
    version: int
    fields: list[tuple[str, str]]


def keep(actor: Actor, place: Place, typed: Typed) -> None:
    """Store what was typed, unless its form was saved meanwhile or has sent later text already.

    Where another form took it over, only what that one has not read is taken: it was typed later.
    """
    *taken_over, own_key = typed.keys
    row = _row(actor, place, own_key)
    if row and (row.page != place.page or typed.step <= row.step):
        return
    _end(actor, place, taken_over)
    if row is None:
        row = _new_row(actor, place, own_key)
    row.step, row.version, row.ended_at = typed.step, typed.version, None
    row.fields, row.typed_at = [list(pair) for pair in typed.fields], utcnow()
    db.session.flush()


def own(user_id: int, place: Place) -> UnsavedText | None:
    """What this account typed last there and has not saved."""
    return next(iter(all_own(user_id, place)), None)


def all_own(user_id: int, place: Place) -> list[UnsavedText]:
    """The same of each form that was opened there, what was typed last first."""
    rows = select(UnsavedText).where(*_of(user_id, place), UnsavedText.ended_at.is_(None))
    return list(db.session.scalars(rows.order_by(UnsavedText.typed_at.desc())))


def has_later(user_id: int, place: Place, at: datetime, keys: Sequence[Key]) -> bool:
    """Whether text has come there since that the form with these keys has not read."""
    read = dict(keys)
    rows = all_own(user_id, place)
    return any(row.typed_at > at and row.step > read.get(row.key, -1) for row in rows)


def step_of(user_id: int, place: Place, key: Key) -> int:
    """How far the server has that form's text."""
    step = select(UnsavedText.step).where(*_of(user_id, place), UnsavedText.key == key.name)
    return db.session.scalar(step) or 0


def forget(row: UnsavedText) -> None:
    """It says what has been saved. Not ended: its form may be open still, and typed in."""
    db.session.delete(row)


def end(actor: Actor, place: Place, keys: Sequence[Key]) -> None:
    """The form was saved: its text goes, and what it still sends is ignored.

    Without a key (a form that never heard of them) all that the author typed there goes.
    """
    _end(actor, place, keys or None)
    _close(actor, place, keys)


def drop(actor: Actor, place: Place, keys: Sequence[Key]) -> bool:
    """The author throws the text away; that it was done is logged, the text is not."""
    is_dropped = _end(actor, place, keys) > 0
    _close(actor, place, keys)
    if is_dropped:
        audit.record(actor, "drop_unsaved_text", place.entry)
    return is_dropped


def clear(at: datetime) -> int:
    """Blank what nobody came back for, remove what has ended; how many texts were blanked."""
    old = select(UnsavedText).where(
        UnsavedText.ended_at.is_(None), UnsavedText.typed_at <= at - KEPT
    )
    rows = list(db.session.scalars(old))
    for row in rows:
        row.fields, row.ended_at = [], at
        entry = db.session.get_one(QueueEntry, row.entry_id)
        audit.record(audit.SYSTEM, "expire_unsaved_text", entry)
    db.session.flush()
    db.session.execute(delete(UnsavedText).where(UnsavedText.ended_at <= at - ENDED_KEPT))
    return len(rows)


def _of(user_id: int, place: Place) -> tuple[ColumnElement[bool], ...]:
    return (
        UnsavedText.user_id == user_id,
        UnsavedText.entry_id == place.entry.id,
        UnsavedText.page == place.page,
    )


def _row(actor: Actor, place: Place, key: Key) -> UnsavedText | None:
    return db.session.scalar(
        select(UnsavedText).where(
            UnsavedText.user_id == actor.user_id,
            UnsavedText.entry_id == place.entry.id,
            UnsavedText.key == key.name,  # one form's, whatever page it stands on
        )
    )


def _new_row(actor: Actor, place: Place, key: Key) -> UnsavedText:
    row = UnsavedText(user_id=actor.user_id, entry_id=place.entry.id, page=place.page, key=key.name)
    db.session.add(row)
    return row


def _close(actor: Actor, place: Place, keys: Sequence[Key]) -> None:
    """The form itself is gone: a request of it that is under way still brings nothing back."""
    if keys:
        row = _row(actor, place, keys[-1]) or _new_row(actor, place, keys[-1])
        if row.page == place.page:
            row.fields, row.ended_at, row.step = [], utcnow(), LAST_STEP
    db.session.flush()


def _end(actor: Actor, place: Place, keys: Sequence[Key] | None) -> int:
    open_rows = update(UnsavedText).where(
        *_of(actor.user_id, place), UnsavedText.ended_at.is_(None)
    )
    if keys is not None:
        meant = (and_(UnsavedText.key == key, UnsavedText.step <= step) for key, step in keys)
        open_rows = open_rows.where(or_(false(), *meant))
    return db.session.execute(open_rows.values(fields=[], ended_at=utcnow())).rowcount
