"""A form that was not stored is answered by an address, not by a page.

Answered by a page, what was typed would lie on a shared computer's disk: the browser writes the
body of a request with its history. Nor can such a page be loaded again or come back to. So the
page is kept on the server, and the browser is led to it; `static/sent.js` stands in for the case
that nothing can be stored.
"""

import logging
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask, Response, g, redirect, request
from sqlalchemy.exc import DBAPIError

from clinic import answers
from clinic.answers import LARGEST, Answer
from db import transaction
from kept_forms import known_path

# Desks where patients' data is typed. Others show secrets once (keys, passwords), or pages that
# load themselves again, where what is kept would stand still.
DESKS = {"consents", "examination", "families", "papers", "patients", "pharmacy"}
DESKS |= {"records", "registration"}
REFUSALS = {200, 400, 409, 422}
KEY = "jawaban"

log = logging.getLogger(__name__)


def lead_to(response: Response) -> Response:
    """In place of a page that answers a form: the way to it."""
    place = _place() if _is_to_be_kept(response) else ""
    if not place:
        return response
    try:
        with transaction():
            key = answers.keep(g.actor.user_id, Answer(response.status_code, response.get_data()))
    except (DBAPIError, OSError):
        log.exception("an answer could not be kept: %s", request.endpoint)
        return response
    return redirect(f"{place}{KEY}={key}", 303)


def _is_to_be_kept(response: Response) -> bool:
    return (
        request.method == "POST"
        and request.blueprint in DESKS
        and "actor" in g
        and "HX-Request" not in request.headers
        and response.status_code in REFUSALS
        and response.mimetype == "text/html"
        and len(response.get_data()) <= LARGEST
    )


def _place() -> str:
    """The form's own address, else that of the page where it stood, up to the key."""
    before = urlsplit(request.referrer or "")
    stood = before.path if before.netloc == request.host else ""
    for path, query in ((request.path, request.query_string.decode()), (stood, before.query)):
        if known_path(path, "GET"):
            kept = [pair for pair in parse_qsl(query) if pair[0] != KEY]
            return f"{path}?{urlencode(kept)}{'&' if kept else ''}"
    return ""


def show() -> Response | None:
    """The page that is asked for by its key; when it is gone, the address's own one."""
    key = request.args.get(KEY, "")
    if not key or request.method != "GET" or "actor" not in g:
        return None
    found = answers.find(g.actor.user_id, key)
    return Response(found.page, found.status, mimetype="text/html") if found else None


def init_app(app: Flask) -> None:
    """After access, so that a stranger is refused first, and after responses, which packs."""
    app.before_request(show)
    app.after_request(lead_to)
