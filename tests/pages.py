"""A browser that looks closely: every page a test opens must hold what all pages hold.

`login(client, "loket")` logs in by the form; `post(client, url, data)` sends a form with the
CSRF token of the last page that the client saw.
"""

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser

from flask import session
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

import cli
import sessions
from clinic.field_words import is_known
from db import db, transaction
from models import User

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
# Their end tags may be left out.
LAX = {"p", "li", "dt", "dd", "td", "th", "tr", "thead", "tbody", "option", "colgroup"}
# Of what is typed into an address, up to 9 bytes each there: gunicorn reads a line of 4094.
LONGEST_IN_ADDRESS = 300
CHOSEN = {"checkbox", "radio"}
NO_LABEL = {"hidden", "submit", "button", "reset", "image"}
# What a browser keeps for the next time it meets the field's name.
REMEMBERED = {"text", "search", "tel", "email", "number", "url", "date", "textarea"}
TOKEN = re.compile(rb'name="csrf_token" value="([^"]+)"')
LONG_NUMBER = re.compile(r"(?<!\d)\d{16}(?!\d)")
# What a mark is for happens only where its script is loaded.
SCRIPTS = {
    "data-poll": "polling.js",
    "data-seconds": "polling.js",
    "data-fill": "forms.js",
    "data-keep": "typing.js",
}
REFUSED = {409, 422}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Page(HTMLParser):
    """What of a page the checks need."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.count: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.access_keys: Counter[str] = Counter()
        self.labels: set[str] = set()
        self.fields: list[dict[str, str]] = []
        self.token = ""
        self.title = ""
        self.scripts: set[str] = set()  # loaded, and needed for the marks that were seen
        self.needed: set[str] = set()
        self.focused: dict[str, str] | None = None  # which element has the focus at first
        self._open: list[str] = []
        self._form: dict[str, str] | None = None
        self._form_fields: set[str] = set()
        self.is_whole = html.lstrip()[:9].lower() == "<!doctype"
        self.feed(html)
        self.close()
        unclosed = [tag for tag in self._open if tag not in LAX]
        if unclosed:
            self.problems.append(f"never closed: {unclosed}")

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attributes = {name: text or "" for name, text in pairs}
        self.count[tag] += 1
        self.ids.update([attributes["id"]] if "id" in attributes else [])
        if "accesskey" in attributes:
            self.access_keys[attributes["accesskey"].lower()] += 1
        if tag not in VOID:
            self._open.append(tag)
        if self.focused is None and attributes.keys() & {"autofocus", "data-autofocus"}:
            self.focused = attributes | {"tag": tag}
        self._look_for_inline_code(tag, attributes)
        self._look_at_addresses(attributes)
        self.needed |= {SCRIPTS[name] for name in attributes if name in SCRIPTS}
        if tag == "script":
            name = attributes.get("src", "").rpartition("/")[2]
            self.problems += [f"loaded twice: {name}"] if name in self.scripts else []
            self.scripts.add(name)
        if tag == "form":
            self._open_form(attributes)
        if tag == "label":
            self.labels.add(attributes.get("for", ""))
        if tag in {"input", "select", "textarea"}:
            self._note_field(tag, attributes)
        if tag == "meta" and attributes.get("name") == "csrf-token":
            self.token = attributes["content"]
        if tag == "img" and "alt" not in attributes:
            self.problems.append(f"image without alt: {attributes}")

    def _open_form(self, attributes: dict[str, str]) -> None:
        self._form, self._form_fields = attributes, set()
        for name in ("method", "action"):
            if not attributes.get(name):
                self.problems.append(f"form without {name}: {attributes}")

    def _look_at_addresses(self, attributes: dict[str, str]) -> None:
        for name in ("href", "src", "action"):
            if LONG_NUMBER.search(attributes.get(name, "")):
                self.problems.append(f"a NIK in an address: {attributes[name]}")

    def _look_for_inline_code(self, tag: str, attributes: dict[str, str]) -> None:
        bad = [name for name in attributes if name == "style" or name.startswith("on")]
        if bad or tag == "style" or (tag == "script" and "src" not in attributes):
            self.problems.append(f"inline code or style, which the CSP refuses: <{tag}> {bad}")

    def _note_field(self, tag: str, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "")
        self._form_fields.add(name)
        if self._form and self._form.get("method") == "post" and not is_known(name):
            self.problems.append(f"a field without a word in field_words.csv: {name}")
        if name == "csrf_token":
            self.token = attributes.get("value", "")
        kind = attributes.get("type", "text") if tag == "input" else tag
        if kind in REMEMBERED:
            self._look_at_typed(name, attributes)
        if kind in NO_LABEL:
            return
        self._look_at_length(tag, attributes)
        if "label" not in self._open:
            self.fields.append(attributes)

    def _look_at_typed(self, name: str, attributes: dict[str, str]) -> None:
        form = self._form or {}
        if form and "autocomplete" not in attributes.keys() | form.keys():
            self.problems.append(f"typed here, the browser offers it to the next one: {name}")
        if "data-once" in form and "data-keep" not in form and "autocomplete" in form:
            self.needed.add("held.js")

    def _look_at_length(self, tag: str, attributes: dict[str, str]) -> None:
        is_in_address = "hx-get" in attributes or (self._form or {}).get("method") == "get"
        is_typed = tag == "textarea" or (tag == "input" and attributes.get("type") not in CHOSEN)
        longest = int(attributes.get("maxlength", LONGEST_IN_ADDRESS + 1))
        if is_in_address and is_typed and longest > LONGEST_IN_ADDRESS:
            self.problems.append(f"a field of any length in an address: {attributes}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None:
            is_post = self._form.get("method", "").lower() == "post"
            if is_post and "csrf_token" not in self._form_fields:
                self.problems.append(f"POST form without csrf_token: {self._form}")
            self._form = None
        while self._open and self._open[-1] != tag and self._open[-1] in LAX:
            self._open.pop()
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> at line {self.getpos()[0]} closes nothing")

    def handle_data(self, text: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title += text
        if LONG_NUMBER.search(text) and "textarea" not in self._open:
            self.problems.append(f"an unmasked number of 16 digits: {text.strip()[:60]}")

    def all_problems(self) -> list[str]:
        found = list(self.problems)
        found += [f"id {name} used {n} times" for name, n in self.ids.items() if n > 1]
        # Chromium presses the last of them, whichever was meant.
        found += [f"accesskey {key} used {n} times" for key, n in self.access_keys.items() if n > 1]
        for field in self.fields:
            if field.get("id") not in self.labels and not field.keys() & {
                "aria-label",
                "aria-labelledby",
            }:
                found.append(f"field without label: {field}")
        if self.is_whole:
            if self.count["h1"] != 1:
                found.append(f"{self.count['h1']} h1 instead of one")
            if not self.title.strip():
                found.append("no title")
            # The script that keeps what is typed holds a form as well.
            loaded = self.scripts | ({"held.js"} if "typing.js" in self.scripts else set())
            if not self.needed <= loaded:
                found.append(f"not loaded: {sorted(self.needed - loaded)}")
        return found

    def unseen_refusal(self) -> list[str]:
        """On a page that refuses what was sent: whether its reason is where one looks.

        A page that is nothing but a question has the focus on its answer.
        """
        focused = self.focused or {}
        says_why = focused.get("role") == "alert" or focused.get("aria-invalid") == "true"
        if says_why or focused.get("id") == "f-jawaban" or focused.get("tag") == "h1":
            return []
        return [f"the reason of the refusal has no focus, but {focused or 'nothing'}"]


def check(response: TestResponse) -> Page | None:
    """Fail when the response lacks what all of ours have; the parsed page, if it is one."""
    if response.status_code == 204:
        assert dict(response.headers) == {"Cache-Control": "no-store"}, response.headers
        return None
    static = response.request.path.startswith("/static/")
    for name, expected in HEADERS.items():
        if not (static and name == "Cache-Control"):
            assert expected in response.headers.get(name, ""), f"{name} missing"
    if response.mimetype != "text/html" or response.status_code in {301, 302, 303, 307, 308}:
        return None
    page = Page(response.get_data(as_text=True))
    problems = page.all_problems()
    if page.is_whole and response.status_code in REFUSED:
        problems += page.unseen_refusal()
    assert not problems, f"{response.request.path}: " + "; ".join(problems)
    return page


class PageClient(FlaskClient):
    """A test client that checks each answer and remembers the CSRF token."""

    token = ""
    is_checking = True
    is_led = True  # as a browser to the page that answers a refused form

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.environ_base["HTTP_UPGRADE_INSECURE_REQUESTS"] = "1"  # as browsers send it

    def open(self, *args, **options) -> TestResponse:
        # What the test itself read must not hide what this request writes, and the request must
        # not see the test's `g`: so the one ends its read, the other gets its own context.
        assert not db.session.new, "store it with transaction() before the request"
        assert not db.session.info.get("is_writing"), "a request inside transaction() would wait"
        db.session.rollback()
        with self.application.app_context():
            response = super().open(*args, **options)
            if self.is_led and "jawaban=" in response.headers.get("Location", ""):
                response = super().open(response.headers["Location"])
        if self.is_checking:
            page = check(response)
            self.token = page.token if page and page.token else self.token
        elif found := TOKEN.search(response.get_data()):
            self.token = found[1].decode()
        return response


def polled(response: TestResponse) -> str:
    """The address that this page asks again and again."""
    return unescape(re.search(r'data-poll="\d+" hx-get="([^"]+)"', response.text)[1])


def text_of(response: TestResponse) -> str:
    """The page as it came, its entities read."""
    return unescape(response.get_data(as_text=True))


def words_of(response: TestResponse) -> str:
    """What a page says, without its tags, on one line."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))))


def enter(client: PageClient, username: str) -> PageClient:
    """Log in without the form's two pages, which `login` and the tests of the login go through."""
    with client.application.test_request_context("/masuk"):
        with transaction():
            user = db.session.scalars(select(User).where(User.username == username)).one()
            opened = sessions.begin(user)
        session.adopt(*opened)
        client.set_cookie(sessions.COOKIE, session.new_cookie)
        client.token = sessions.csrf_token()
    return client


def login(client: PageClient, username: str, password: str = cli.DEMO_PASSWORD) -> PageClient:
    """Log in by the form, as everybody does; gives the client back."""
    client.get("/masuk")
    response = post(client, "/masuk", {"username": username, "password": password})
    assert response.status_code == 303, response.get_data(as_text=True)
    client.token = ""  # the session is another one now
    return client


def post(client: PageClient, url: str, data: dict | None = None, **options) -> TestResponse:
    """POST a form with the CSRF token; lists send a field several times."""
    if not client.token:
        client.get("/bantuan")
    return client.post(url, data={"csrf_token": client.token, **(data or {})}, **options)
