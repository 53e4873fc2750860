"""What a form had sent when it could not be answered yet: kept on the page, to be sent again.

Past the login it names the account that typed it, and is shown to that one alone.
"""

import json
import re

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, UnsupportedMediaType

# Never on a page again: whoever stands at a locked screen must not read a key in its source.
SECRET = {"csrf_token", "password", "password_again", "password_now", "kunci_pemulihan"}
NOT_IN_PATHS = re.compile(r"[\\\x00-\x1f\x7f]")  # a line break would end the header it goes into
OF_ANOTHER = (
    "Isian yang belum terkirim di layar ini bukan dari akun Anda, jadi tidak ditampilkan dan tidak "
    "disimpan di sini."
)


def typed_fields() -> list[tuple[str, str]]:
    """What a form sent, to be sent again; only if the form was one of our own pages."""
    origin = request.headers.get("Origin")
    if origin and origin.split("://", 1)[-1] != request.host:
        return []
    try:
        return [pair for pair in request.form.items(multi=True) if pair[0] not in SECRET]
    except (RequestEntityTooLarge, UnsupportedMediaType):  # a file for a page that is not theirs
        return []


def carried_fields() -> list[tuple[str, str]]:
    """What a page of one account (the clock's) carries on in its `resend`."""
    try:
        pairs = json.loads(request.form.get("resend") or "[]")
        return [(str(name), str(text)) for name, text in pairs]
    except (ValueError, TypeError):
        return []


def sealed(author: int | None, fields: list[tuple[str, str]]) -> str:
    """For the login's page, which anybody may send: '' where nobody knows who typed it."""
    return _signer().dumps([author, fields]) if author is not None and fields else ""


def unsealed(seal: str) -> tuple[int | None, list[tuple[str, str]]]:
    """Who typed what; nothing of what is not ours."""
    try:
        author, pairs = _signer().loads(seal)
    except BadSignature:
        return None, []
    return author, [(name, text) for name, text in pairs]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key, salt="alur-carried-form")


def known_path(path: str, method: str) -> str:
    """The path if it is a page of ours (never another site's address), else ''."""
    if not path.startswith("/") or path.startswith("//") or NOT_IN_PATHS.search(path):
        return ""
    try:
        current_app.url_map.bind("").match(path.partition("?")[0], method=method)
    except HTTPException:
        return ""
    return path
