"""What the counter answered to its warnings: for the room to read, and for whoever corrects it."""

from dataclasses import dataclass

from sqlalchemy import select

from db import db
from models import Level, Override, RoutingRule, User, Visit


@dataclass(frozen=True)
class CounterNote:
    messages: tuple[str, ...]  # one reason may answer several
    reason: str
    by: str


def counter_notes(visit: Visit, *, of_identity: bool = False) -> list[CounterNote]:
    """The reasons given for this visit, oldest first; one query.

    Those about room, cluster and danger; the ones about identity name other patients, so only
    who corrects it reads them. Without signs that a correction of the complaint has ended.
    """
    said: dict[str, tuple[str, str, str]] = {}
    rows = _ANSWERED.where(Override.visit_id == visit.id)
    if not of_identity:
        rows = rows.where(Override.rule.in_(select(RoutingRule.rule)))
    for rule, level, *words in db.session.execute(rows):
        said.pop(rule, None)
        if level != Level.OFF:
            said[rule] = tuple(words)
    notes: dict[tuple[str, str], list[str]] = {}
    for message, reason, by in said.values():
        if reason:
            notes.setdefault((reason, by), []).append(message)
    return [CounterNote(tuple(messages), *given) for given, messages in notes.items()]


_ANSWERED = (
    select(Override.rule, Override.level, Override.message, Override.reason, User.display_name)
    .join(User, User.id == Override.recorded_by_id)
    .order_by(Override.id)
)
