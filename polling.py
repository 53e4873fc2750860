"""Answers what 60 screens ask all day: "has the queue of this room changed since?".

Only the commonest answer, that it has not, is given here, before Flask begins its work, which
costs four times as much. All else, a refusal or an error too, is left to the view that stands
behind (`poli.queue_rows`) and asks again.
"""

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.http import parse_cookie
from werkzeug.sansio.utils import host_is_trusted

import sessions
import timekeeping
from clinic import queue_watch
from db import db, utcnow

_ASKED = re.compile(r"/poli/(\w+)/baris\?v=([\w.]+)(?:&selesai=semua)?")


class UnchangedPolls:
    def __init__(self, app: Flask):
        self.otherwise: WSGIApplication = app.wsgi_app
        self.hosts = app.config["TRUSTED_HOSTS"]
        with app.app_context():
            self.engine = db.engine
        self.failures = (SQLAlchemyError, self.engine.dialect.dbapi.Error)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if self._is_unchanged(environ):
            start("204 NO CONTENT", [("Cache-Control", "no-store")])
            return []
        return self.otherwise(environ, start)

    def _is_unchanged(self, environ: WSGIEnvironment) -> bool:
        asked = _ASKED.fullmatch(f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}")
        if not asked or environ["REQUEST_METHOD"] != "GET" or not timekeeping.is_fine():
            return False
        if self.hosts and not host_is_trusted(environ.get("HTTP_HOST"), self.hosts):
            return False
        code, version = asked.groups()
        token = parse_cookie(environ).get(sessions.COOKIE, "")
        try:
            state = queue_watch.poll(sessions.digest(token), code, utcnow(), self.engine)
        except self.failures:
            return False  # the view meets it too, and tells it properly
        return state.may_see and state.version == version
