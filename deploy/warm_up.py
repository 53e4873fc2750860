"""Shows the commonest pages to nobody, before the web workers are forked.

What a page needs at its first time (its template, its statements, what the ORM knows of its
tables) is then made once and shared, instead of in each worker while somebody waits. Only reads.
"""

import logging
from datetime import timedelta

from flask import Flask, session

import sessions
from clinic import clock, storage_faults
from clinic.signed_in import Account, OpenSession
from db import db, utcnow
from models import Role

PAGES = ("/pendaftaran", "/pendaftaran/baru", "/poli/UMUM")
FRAGMENTS = ("/pendaftaran/cari", "/pendaftaran/mirip", "/pendaftaran/saran")
TYPED = {
    "q": "Siti Aminah",
    "name": "Siti Aminah",
    "sex": "P",
    "birth_date": "1990-01-01",
    "complaint": "demam",
}

log = logging.getLogger("alur.warm_up")


def warm_up(application: Flask) -> None:
    """Leaves no connection open: they must not be used by two processes."""
    try:
        with application.app_context():
            clock.judge()  # before anything is stored
        _show(application, "/masuk")
        token = {"csrf_token": ""}
        for path in PAGES:
            token["csrf_token"] = _show(application, path, is_head=True)
        for path in FRAGMENTS:
            _show(application, path, is_head=True, method="POST", data=TYPED | token)
    except Exception as problem:  # slower first pages are no reason not to start
        is_known = storage_faults.fault_of(problem) is not None
        log.warning("pages were not warmed up: %s", problem, exc_info=not is_known)
    with application.app_context():
        db.engine.dispose()


def _show(application: Flask, path: str, *, is_head: bool = False, **request) -> str:
    """Answer this request, from the head or a stranger; the token that the next form needs."""
    headers = {"Accept-Encoding": "gzip"}
    with application.test_request_context(path, headers=headers, **request):
        if is_head:
            session.adopt(_open_session(), "")
        application.full_dispatch_request()
        return sessions.csrf_token() if is_head else ""


def _open_session() -> OpenSession:
    """A session of the head's that is in no table."""
    now = utcnow()
    data = {"csrf_token": "-", "last_search": {key: TYPED[key] for key in ("q", "birth_date")}}
    return OpenSession(0, data, now, now + timedelta(hours=1), Account(0, "", "", Role.HEAD))
