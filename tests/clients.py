"""Staff in processes of their own: each with a browser that keeps its connection and its cookie.

    with Crew(address, 4) as crew:
        tickets = crew.each(register_all, [(people,) for people in shares])

`each` lets a job run in every process at once and gives their results back; a job is a function
of this module whose first argument is its process's `Desk`. Imports nothing of Alur, so that a
process starts quickly and knows only what stands on the pages.
"""

import http.client
import multiprocessing
import re
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

PASSWORD = "coba-alur-sekarang"
PATIENCE = 60  # seconds until a client gives up; nothing here is timed
IDLE = 45  # seconds; gunicorn keeps a connection for 75
TOKEN = re.compile(r'name="(?:csrf_token|csrf-token)" (?:value|content)="([^"]+)"')
MESSAGE = re.compile(r'role="status"[^>]*>\s*([^<]*)')


class Dropped(Exception):
    """The connection ended before the answer: whether the server did it is not known."""


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    text: str

    def expect(self, status: int) -> "Answer":
        plain = " ".join(re.sub(r"<[^>]*>", " ", self.text).split())
        assert self.status == status, f"{self.status} instead of {status}: {plain[:500]}"
        return self

    @property
    def message(self) -> str:
        """What the page says has happened."""
        found = MESSAGE.search(self.text)
        return unescape(found[1]).strip() if found else ""


class Browser:
    """One tab. `tab()` opens another one of the same log-in, with a connection of its own."""

    def __init__(self, address: str, cookie: str = "", token: str = ""):
        self.address = address
        self.cookie, self.token = cookie, token
        self._used_at = time.monotonic()
        self._connection = http.client.HTTPConnection(
            address.removeprefix("http://"), timeout=PATIENCE
        )

    def tab(self) -> "Browser":
        return Browser(self.address, self.cookie, self.token)

    def close(self) -> None:
        self._connection.close()

    def send(self, method: str, path: str, fields: dict[str, str] | None = None) -> None:
        """Send a request without waiting for its answer."""
        headers = {"Upgrade-Insecure-Requests": "1"}  # as browsers open a page or send a form
        if self.cookie:
            headers["Cookie"] = self.cookie
        body = None
        if method == "POST":
            body = urlencode({"csrf_token": self.token, **(fields or {})})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if time.monotonic() - self._used_at > IDLE:
            self.close()  # the server may close it this very moment; http.client opens another
        self._used_at = time.monotonic()
        try:
            self._connection.request(method, path, body, headers)
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            raise Dropped(repr(problem)) from problem

    def receive(self) -> Answer:
        try:
            response = self._connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            raise Dropped(repr(problem)) from problem
        cookie = response.getheader("Set-Cookie")
        if cookie:
            self.cookie = cookie.partition(";")[0]
        token = TOKEN.search(text)
        if token:
            self.token = token[1]
        return Answer(response.status, response.getheader("Location") or "", text)

    def get(self, path: str) -> Answer:
        """Looking may be repeated, so a dropped connection does not matter here."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.send("GET", path)
                return self.receive()
            except Dropped:
                if time.monotonic() > end:
                    raise

    def post(self, path: str, fields: dict[str, str] | None = None) -> Answer:
        self.send("POST", path, fields)
        return self.receive_page()

    def receive_page(self) -> Answer:
        """The answer to a form; what refuses it stands at an address of its own."""
        answer = self.receive()
        return self.get(answer.location) if "jawaban=" in answer.location else answer

    def log_in(self, username: str, password: str = PASSWORD) -> "Browser":
        self.get("/masuk").expect(200)
        for _ in range(100):
            answer = self.post("/masuk", {"username": username, "password": password})
            if answer.status != 503:  # else as many as may be in line are
                break
            time.sleep(0.1)
        answer.expect(303)
        self.get("/bantuan").expect(200)  # the session is another one, and so is its token
        return self


class Desk:
    """What one process has: its browsers by account, and where all processes meet."""

    def __init__(self, number: int, address: str, gate, stop):
        self.number, self.address, self.stop = number, address, stop
        self._gate = gate
        self._browsers: dict[str, Browser] = {}

    def browser(self, username: str = "loket") -> Browser:
        if username not in self._browsers:
            self._browsers[username] = Browser(self.address).log_in(username)
        return self._browsers[username]

    def meet(self) -> None:
        """Wait for the others: what follows happens in all processes at the same moment."""
        self._gate.wait(PATIENCE)


Job = Callable[..., Any]


def _work(number: int, address: str, pipe, gate, stop) -> None:
    desk = Desk(number, address, gate, stop)
    while True:
        try:
            job, arguments = pipe.recv()
        except EOFError:  # the test has ended, in whatever way
            return
        try:
            pipe.send((job(desk, *arguments), ""))
        except Exception:
            gate.abort()  # the others must not wait for this one
            pipe.send((None, traceback.format_exc()))


class Crew:
    """Processes that wait for jobs until the crew is closed."""

    def __init__(self, address: str, size: int):
        context = multiprocessing.get_context("spawn")  # nothing of the test's own state
        self.size = size
        self.stop = context.Event()
        self._gate = context.Barrier(size)
        self._members = []
        for number in range(size):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_work, args=(number, address, theirs, self._gate, self.stop), daemon=True
            )
            process.start()
            theirs.close()
            self._members.append((process, ours))

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_) -> None:
        for process, pipe in self._members:
            pipe.close()
            process.join(5)
            if process.is_alive():
                process.kill()
                process.join()

    def start(self, job: Job, shares: Sequence[tuple]) -> None:
        """Begin a job everywhere; `shares` are the arguments of each process."""
        self.stop.clear()
        self._gate.reset()
        for (_, pipe), share in zip(self._members, shares, strict=True):
            pipe.send((job, share))

    def results(self) -> list[Any]:
        answers = []
        for process, pipe in self._members:
            assert pipe.poll(10 * PATIENCE), f"client {process.pid} does not come to an end"
            answers.append(pipe.recv())
        problems = [problem for _, problem in answers if problem]
        # A process that only missed the others at the gate is not the one to read about.
        problems.sort(key=lambda problem: "BrokenBarrierError" in problem)
        assert not problems, problems[0]
        return [result for result, _ in answers]

    def each(self, job: Job, shares: Sequence[tuple]) -> list[Any]:
        self.start(job, shares)
        return self.results()

    def alike(self, job: Job, *arguments: Any) -> list[Any]:
        """The same job with the same arguments in every process."""
        return self.each(job, [arguments] * self.size)


# --- People -----------------------------------------------------------------------------------

SYLLABLES = ["ba", "ci", "du", "ha", "ja", "ko", "li", "ma", "nu", "ra"]


def _word(serial: int) -> str:
    """A name of its own: people who share words would look like each other to the matching."""
    return "".join(SYLLABLES[int(digit)] for digit in f"{serial:04}"[::-1]).capitalize()


def person(serial: int, poli: str = "UMUM") -> dict[str, str]:
    """The form of somebody who is nobody else (up to 9,999): adult, with a NIK that fits."""
    is_woman = serial % 2 == 0
    born = date(1960, 1, 1) + timedelta(days=serial * 7 % 13_999)
    day = born.day + (40 if is_woman else 0)
    return {
        "nik": f"317101{day:02}{born:%m%y}{serial % 10_000:04}",
        "name": f"{_word(serial)} {_word(serial * 37 % 10_000)}",
        "sex": "P" if is_woman else "L",
        "birth_date": f"{born:%d-%m-%Y}",
        "address": f"Jalan Kenanga {serial}",
        "complaint": "pusing sejak kemarin",
        "poli": poli,
    }


# --- At the counter ---------------------------------------------------------------------------

NEW = "/pendaftaran/baru"
REASON = {"override_reason": "sudah ditanyakan"}


@dataclass(frozen=True)
class Draft:
    ref: str
    version: str

    @property
    def path(self) -> str:
        return f"/pendaftaran/periksa/{self.ref}"


@dataclass(frozen=True)
class Ticket:
    """A saved registration as the ticket's page shows it."""

    draft: str
    visit: str
    label: str
    poli: str
    entry: str


MARKS = {"label": "number", "poli": "poli", "entry": "entry"}


def write_draft(browser: Browser, fields: dict[str, str], path: str = NEW) -> Draft:
    location = browser.post(path, fields).expect(303).location
    page = browser.get(location).expect(200).text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version, f"no check page at {location}"
    return Draft(location.rpartition("/")[2], version[1])


def read_ticket(browser: Browser, draft: Draft, location: str) -> Ticket:
    assert location.startswith("/pendaftaran/tiket/"), location
    page = browser.get(location).expect(200).text
    marks = {field: re.search(rf'data-{mark}="([^"]+)"', page)[1] for field, mark in MARKS.items()}
    return Ticket(draft.ref, location.rpartition("/")[2], **marks)


def register(browser: Browser, fields: dict[str, str], path: str = NEW) -> Ticket:
    draft = write_draft(browser, fields, path)
    saved = browser.post(draft.path, {"version": draft.version, **REASON}).expect(303)
    return read_ticket(browser, draft, saved.location)


def take_seat(desk: Desk) -> None:
    """Log in beforehand: a log-in is not sent twice when the server dies meanwhile."""
    desk.browser()


def register_all(desk: Desk, people: list[dict[str, str]]) -> list[Ticket]:
    browser = desk.browser()
    desk.meet()
    return [register(browser, fields) for fields in people]


def write_drafts(desk: Desk, forms: list[tuple[str, dict[str, str]]]) -> list[Draft]:
    """Drafts from (address, fields)."""
    return [write_draft(desk.browser(), fields, path) for path, fields in forms]


def confirm_together(
    desk: Desk, rounds: list[list[Draft]], tabs: int, reason: dict[str, str]
) -> list[list[Answer]]:
    """In each round save the drafts at once, each from so many tabs; the answers of each round."""
    windows = [desk.browser()] + [desk.browser().tab() for _ in range(tabs - 1)]
    answers = []
    for drafts in rounds:
        desk.meet()
        got = []
        for draft in drafts:
            for window in windows:  # a double click: the second does not wait for the first
                window.send("POST", draft.path, {"version": draft.version, **reason})
            got += [window.receive_page() for window in windows]
        answers.append(got)
    return answers


def press_emergency(desk: Desk, keys: list[str]) -> list[Answer]:
    browser, answers = desk.browser(), []
    for key in keys:
        desk.meet()
        fields = {"draft": key, "name": "", "sex": "L", "complaint": "tidak sadar"}
        answers.append(browser.post("/pendaftaran/gawat", fields))
    return answers


SHEET = "/pendaftaran/kertas/isi"
SLIP_CLERKS = ("loket", "kepala")


def enter_slips(desk: Desk, rounds: list[dict[str, str]]) -> list[str]:
    """Two clerks, each with a sheet of their own, save the same slip at once; the sheets after."""
    pages = []
    for serial, fields in enumerate(rounds, 100 * desk.number):
        browser = desk.browser(SLIP_CLERKS[desk.number]) if desk.number < 2 else None
        fields = fields | {
            "name": f"{_word(serial)} {_word(serial * 37)}",
            "born": str(20 + serial % 30),
        }
        line = {f"{name}-1": text for name, text in fields.items()}
        if browser:
            sheet = browser.get(browser.post(SHEET, line).expect(303).location).expect(200).text
            line |= dict(re.findall(r'name="((?:draft|version)-1)" value="([^"]+)"', sheet))
        desk.meet()
        if browser:
            after = browser.post(SHEET, line | {"aksi": "simpan"}).expect(303).location
            pages.append(browser.get(after).expect(200).text)
            browser.post(SHEET, line | {"aksi": "buang:1"}).expect(303)
    return pages


# --- In the room ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    entry: str
    message: str


def call(browser: Browser, code: str, **fields: str) -> Call | None:
    """Press "Panggil berikutnya"; None when nobody waits."""
    answer = browser.post(f"/poli/{code}/panggil", fields)
    if answer.status == 200:
        assert "Tidak ada pasien yang menunggu" in answer.message, answer.message
        return None
    location = answer.expect(303).location
    return Call(location.rpartition("dipanggil=")[2], browser.get(location).expect(200).message)


def call_until_empty(desk: Desk, username: str, code: str) -> list[Call]:
    browser, calls = desk.browser(username), []
    desk.meet()
    while found := call(browser, code):
        calls.append(found)
    return calls


def press_call(desk: Desk, username: str, code: str, keys: list[str]) -> list[Call | None]:
    browser, calls = desk.browser(username), []
    for key in keys:
        desk.meet()
        calls.append(call(browser, code, key=key))
    return calls


# --- At the records desk ----------------------------------------------------------------------

HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')


def hidden_fields(page: str) -> dict[str, str]:
    return {name: value for name, value in HIDDEN.findall(page) if name != "csrf_token"}


def press_together(desk: Desk, username: str, forms: list[tuple[str, dict[str, str]]]):
    """Read each page first; then all send the form of it at the same moment."""
    browser, answers = desk.browser(username), []
    read = [
        (path, hidden_fields(browser.get(path).expect(200).text) | fields) for path, fields in forms
    ]
    for path, fields in read:
        desk.meet()
        answers.append(browser.post(fields.pop("to", path), fields))
    return answers


def correct_identity(desk: Desk, username: str, forms: list[tuple[str, dict[str, str]]]):
    """Corrections of identities up to the page before the save; the addresses of those pages."""
    browser, pages = desk.browser(username), []
    for path, fields in forms:
        filled = hidden_fields(browser.get(path).expect(200).text) | fields
        pages.append(browser.post(path, filled).expect(303).location)
    return pages


# --- While the server's processes die ---------------------------------------------------------

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"
LEFT_ALONE = 3  # each third dropped save is not sent again until all is quiet


@dataclass(frozen=True)
class Line:
    """One line of a client's ledger: what it knows of a save that it sent."""

    draft: Draft
    state: str
    ticket: Ticket | None = None
    status: int = 0
    drops: int = 0


def register_in_storm(desk: Desk, people: list[dict[str, str]]) -> list[Line]:
    """Register until told to stop; what was dropped is sent again, or left for later."""
    browser, ledger, dropped = desk.browser(), [], 0
    desk.meet()
    for fields in people:
        if desk.stop.is_set():
            return ledger
        draft = _draft_in_storm(browser, fields)
        line = confirm_once(browser, draft)
        if line.state == UNKNOWN:
            dropped += 1
            if dropped % LEFT_ALONE:
                line = replace(settle(browser, draft), drops=1)
        ledger.append(line)
    raise AssertionError("the storm outlasted the people")


def _draft_in_storm(browser: Browser, fields: dict[str, str]) -> Draft:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return write_draft(browser, fields)
        except Dropped:  # the draft may be there; a clerk would fill in the form again
            if time.monotonic() > end:
                raise


def confirm_once(browser: Browser, draft: Draft) -> Line:
    try:
        answer = browser.post(draft.path, {"version": draft.version, **REASON})
    except Dropped:
        return Line(draft, UNKNOWN)
    if answer.status != 303:
        return Line(draft, REFUSED, status=answer.status)
    return Line(draft, OK, read_ticket(browser, draft, answer.location))


def settle(browser: Browser, draft: Draft) -> Line:
    """Send the same save until it is answered."""
    end = time.monotonic() + PATIENCE
    while True:
        line = confirm_once(browser, draft)
        if line.state != UNKNOWN or time.monotonic() > end:
            return line


def settle_all(desk: Desk, drafts: list[Draft]) -> list[Line]:
    return [settle(desk.browser(), draft) for draft in drafts]
