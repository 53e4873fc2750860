"""Who pressed "Selesai" where that is not the practitioner: someone else may end what they began.

The step of the queue tells it, which belongs to the stay and is never taken back once it is over.
"""

from sqlalchemy import Select, select

from db import db
from models import Examination, QueueEvent, Source, User

# How "Selesai" of an examination ends a stay, or lends the patient to another room.
ENDS = ("periksa", "rujuk")


def with_finisher() -> Select[tuple[Examination, User | None]]:
    """Examinations, each with the account that finished it, if its queue tells."""
    ended_by = (
        select(QueueEvent.user_id)
        .where(QueueEvent.entry_id == Examination.entry_id, QueueEvent.action.in_(ENDS))
        .order_by(QueueEvent.id.desc())
        .limit(1)
        .correlate(Examination)
        .scalar_subquery()
    )
    return select(Examination, User).outerjoin(User, User.id == ended_by)


def author(examination: Examination) -> str:
    """The practitioner who answers for it; without one, who began to write it."""
    who = examination.practitioner
    return who.name if who else examination.recorded_by.display_name


def another(examination: Examination, finisher: User | None) -> str:
    """The finisher's name; '' of the author's own account, and of what was copied from paper."""
    if finisher is None or not examination.finished_at or examination.source == Source.PAPER:
        return ""
    own = examination.practitioner_id
    is_own = finisher.practitioner_id == own if own else finisher.id == examination.recorded_by_id
    name = finisher.display_name
    return "" if is_own or name == author(examination) else name


def name_of(examination: Examination) -> str:
    """Whoever ended this one: another account, else its author."""
    row = db.session.execute(with_finisher().where(Examination.id == examination.id)).one()
    return another(*row) or author(examination)
