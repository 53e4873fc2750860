"""A form that was not stored is answered by an address, not by a page.

Answered by a page, what was typed would lie on a shared computer's disk: the browser writes the
body of a request with its history. Nor can such a page be loaded again or come back to. So the
page is kept on the server, and the browser is led to it; `static/sent.js` stands in for the case
that nothing can be stored. A script has no such history: it gets the page, with its status.
"""

import json
import logging
import secrets
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask, Response, flash, g, redirect, render_template, request
from sqlalchemy.exc import DBAPIError

import access
import sessions
import viewing
from clinic import answers, clock, patients
from clinic.answers import LARGEST, SENT, Answer
from db import transaction
from kept_forms import OF_ANOTHER, known_path, typed_fields

# Desks where patients' data is typed. Others show secrets once (keys, passwords), or pages that
# load themselves again, where what is kept would stand still.
DESKS = {"consents", "examination", "families", "papers", "patients", "pharmacy"}
DESKS |= {"records", "registration"}
REFUSALS = {200, 400, 409, 422}
KEY = "jawaban"
# What browsers send where they go to a page themselves, also over plain http, where they leave
# out `Sec-Fetch-Mode`; no script sends it, unless it means to be one.
OF_A_BROWSER = "Upgrade-Insecure-Requests"
# Nobody can type them: what is typed stands escaped in a page.
TOKEN, FORM_KEY = b"<!--token-->", b"<!--key-->"
# What whoever opens these desks may see of anybody.
OF_IDENTITY = {"view_identity", "view_identity_history"}
LOCKED = "Layar tadi terkunci atau sesinya habis, jadi belum ada yang disimpan."

log = logging.getLogger(__name__)


def lead_to(response: Response) -> Response:
    """In place of a page that answers a form: the way to it, past the login if need be."""
    views = viewing.take()
    led = _led(response, views)
    if led is response and views and response.status_code < 500:
        viewing.record(g.actor, views)
    return led


def _led(response: Response, views: list[dict[str, str]]) -> Response:
    if not _answers_a_form(response):
        return response
    if response.status_code == 401:
        author, fields = sessions.form_author(), typed_fields()
        if author is None or not fields:
            return response  # nobody knows whose it is: the login's page carries it on
        way = _kept(author, SENT, json.dumps([request.path, fields]).encode(), [])
        return redirect(access.login_address(way), 303) if way else response
    way = _kept(g.actor.user_id, response.status_code, response.get_data(), views)
    place = f"#{g.answer_at}" if "answer_at" in g else ""  # on the page, where the view named one
    return redirect(f"{way}{place}", 303) if way else response


def _answers_a_form(response: Response) -> bool:
    return (
        request.method == "POST"
        and request.blueprint in DESKS
        and OF_A_BROWSER in request.headers
        and "HX-Request" not in request.headers
        and (response.status_code in REFUSALS if "actor" in g else response.status_code == 401)
        and response.mimetype == "text/html"
        and clock.is_right()  # nothing is stored at a time that is not believed
    )


def _kept(user_id: int, status: int, page: bytes, views: list[dict[str, str]]) -> str:
    """The address at which the page is kept; '' when it can't be."""
    place = _place()
    if not place or len(page) > LARGEST:
        return ""
    for value, mark in ((_token(), TOKEN), (g.get("form_key", "").encode(), FORM_KEY)):
        page = page.replace(value, mark) if value else page
    answer = Answer(status, page, place.partition("?")[0], views)
    try:
        with transaction():
            return f"{place}{KEY}={answers.keep(user_id, answer)}"
    except (DBAPIError, OSError):
        log.exception("an answer could not be kept: %s", request.endpoint)
        return ""


def _token() -> bytes:
    """That of the forms of this request's pages; kept pages get the one of who loads them."""
    return g.get("csrf_token", "").encode()


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
    if found is None:
        if answers.is_anothers_form(g.actor.user_id, key):
            flash(OF_ANOTHER, "warning")
        return None
    # What was typed must come back, though a colleague moved the visit in this moment.
    if found.path != request.path or not (found.is_on_its_way or _may_read(found.views)):
        return None
    if found.views:
        viewing.record(g.actor, found.views)
    if found.status == SENT:
        path, fields = json.loads(found.page)
        page = render_template("auth/resend.html", path=path, fields=fields, problem=LOCKED)
        return Response(page, 409, mimetype="text/html")
    # Loaded again, its form begins anew: what it sent before is not what it shows (typed.py).
    page = found.page.replace(TOKEN, _token()).replace(FORM_KEY, secrets.token_hex(4).encode())
    return Response(page, found.status, mimetype="text/html")


def _may_read(views: list[dict[str, str]]) -> bool:
    """Whether what the page shows may be seen still; a record that was opened closes again."""
    refs = {view["patient_ref"] for view in views if view["action"] not in OF_IDENTITY}
    people = [patients.current(access.patient_or_404(ref)) for ref in refs]
    return all(access.has_record_access(person) for person in people)


def init_app(app: Flask) -> None:
    """After access, so that a stranger is refused first, and after responses, which packs."""
    app.before_request(show)
    app.after_request(lead_to)
