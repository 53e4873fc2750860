"""Notes in the audit trail who looked at whose record: the one write that a GET makes.

A form that is refused shows the record as well. Its page is noted when it leaves, or, where the
browser is led to it (`kept_answers.py`), each time that it is read there.

A disk that is full or broken must not keep a record from whoever treats the patient now. The note
then goes to the log at once, and into the trail with the next one that can be written.
"""

import logging
import threading

from flask import g, request
from sqlalchemy.exc import DBAPIError

from clinic import audit, storage_faults
from db import transaction, utcnow

MOST_WAITING = 1000
_lock = threading.Lock()
_waiting: list[tuple[audit.Actor, dict[str, str]]] = []

log = logging.getLogger("alur.viewing")


def note(actor: audit.Actor, views: list[dict[str, str]]) -> None:
    """What this answer shows: of a GET before the rows are read, of a form with its answer."""
    if request.method == "POST":
        g.setdefault("views", []).extend(views)
    else:
        record(actor, views)


def take() -> list[dict[str, str]]:
    """What the answer to a form shows, to be noted now or kept with it."""
    return g.pop("views", [])


def record(actor: audit.Actor, views: list[dict[str, str]]) -> None:
    """Write these entries, and those that could not be written before, in one transaction."""
    with _lock:
        late, _waiting[:] = _waiting[:], []
    try:
        with transaction():
            for who, view in [*late, *((actor, view) for view in views)]:
                audit.record(who, **view)
    except (DBAPIError, OSError) as problem:
        if storage_faults.fault_of(problem) is None:
            raise
        _keep(late, [(actor, {**view, "details": f"at {utcnow():%F %T} UTC"}) for view in views])


def _keep(late: list, fresh: list) -> None:
    for actor, view in fresh:
        log.warning("not written yet: user %s %s", actor.user_id, view)
    with _lock:
        _waiting[:] = [*late, *fresh, *_waiting][-MOST_WAITING:]
