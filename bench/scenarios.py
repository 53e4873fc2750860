"""What a client does in each scenario, over and over, and what it must get for it."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from bench import pages
from bench.load import Answer, Client, Request, Run, Script
from bench.people import registration
from bench.servers import Server

SAVED_IN = "GIGI"  # another room than the queue of 40 that is read


@dataclass(frozen=True)
class Known:
    """A patient whom the database holds."""

    ref: str
    name: str
    nik: str
    birth_date: str
    sex: str


@dataclass(frozen=True)
class Saved:
    """What a clerk was told about one save."""

    draft: str
    visit: str
    nik: str
    number: str = ""  # empty where the ticket was not looked at


@dataclass
class Ground:
    """One server under test: what its database held before, and what it has promised since."""

    server: Server
    waiting: set[str] = field(default_factory=set)
    patients: list[Known] = field(default_factory=list)
    clerks: list[Client] = field(default_factory=list)
    staff: list[Client] = field(default_factory=list)
    saved: list[Saved] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)  # of the floor
    prepared: dict[int, list[tuple[str, str, dict[str, str]]]] = field(default_factory=dict)
    serial: Iterator[int] = field(default_factory=itertools.count)
    turn: Iterator[int] = field(default_factory=itertools.count)

    def next_patient(self) -> Known:
        return self.patients[next(self.turn) % len(self.patients)]


# --- Hello and the floor ------------------------------------------------------------------------


def hello(run: Run, _client: Client, _ground: Ground) -> Script:
    while not run.is_over:
        answer = yield Request("GET", "/", label="hello")
        run.expect(answer.body == b"Halo", "the text", answer)


def floor_save(run: Run, _client: Client, ground: Ground) -> Script:
    while not run.is_over:
        form = registration(next(ground.serial), SAVED_IN)
        answer = yield Request("POST", "/save", form, "save")
        if run.expect(b'"number"' in answer.body, "a number", answer):
            digits = answer.text.partition('"number":')[2]
            ground.numbers.append(int(digits.split(",")[0].strip(' }\n"')))


def floor_queue(run: Run, _client: Client, _ground: Ground) -> Script:
    while not run.is_over:
        answer = yield Request("GET", "/queue/UMUM", label="queue page")
        run.expect(answer.text.count("data-entry=") == 40, "40 rows", answer)


# --- The queue ----------------------------------------------------------------------------------


# Begins with what is rare: the client shares the server's cores, and reading each tag took it
# 0.7 ms a page, the floor's 0.02.
_WAITING = re.compile(r'data-entry="([^"]+)" data-number="[^"]+" data-state="waiting"')


def _check_rows(run: Run, ground: Ground, answer: Answer) -> None:
    shown = _WAITING.findall(answer.text)
    is_right = len(shown) == len(ground.waiting) and set(shown) == ground.waiting
    run.expect(is_right, f"all {len(ground.waiting)} who wait, each once", answer)


def queue_page(run: Run, _client: Client, ground: Ground) -> Script:
    while not run.is_over:
        answer = yield Request("GET", "/poli/UMUM", label="queue page")
        _check_rows(run, ground, answer)


def fragment(run: Run, _client: Client, ground: Ground) -> Script:
    while not run.is_over:
        answer = yield Request("GET", "/poli/UMUM/baris", label="fragment", is_fragment=True)
        _check_rows(run, ground, answer)


def poll(run: Run, _client: Client, _ground: Ground) -> Script:
    answer = yield Request("GET", "/poli/UMUM/baris", is_fragment=True)
    path = f"/poli/UMUM/baris?v={pages.queue_version(answer.text)}"
    while not run.is_over:
        answer = yield Request("GET", path, label="unchanged poll", is_fragment=True)
        run.expect(answer.status == 204 and not answer.body, "204 without a body", answer)


# --- The counter --------------------------------------------------------------------------------


def search_name(run: Run, client: Client, ground: Ground) -> Script:
    while not run.is_over:
        wanted = ground.next_patient()
        form = {"q": wanted.name, "birth_date": "", "csrf_token": client.csrf}
        answer = yield Request("POST", "/pendaftaran/cari", form, "search, name", True)
        is_first = pages.first_name_found(answer.text) == pages.words(wanted.name)
        run.expect(is_first, f"{wanted.name} found first", answer)


def search_nik(run: Run, client: Client, ground: Ground) -> Script:
    while not run.is_over:
        wanted = ground.next_patient()
        form = {"q": wanted.nik, "birth_date": "", "csrf_token": client.csrf}
        answer = yield Request("POST", "/pendaftaran/cari", form, "search, NIK", True)
        run.expect(pages.patients(answer.text) == [wanted.ref], "the one of this NIK", answer)


def likely(run: Run, client: Client, ground: Ground) -> Script:
    """By name, sex and birth date, as a clerk has typed them before the NIK."""
    while not run.is_over:
        wanted = ground.next_patient()
        form = {"name": wanted.name, "sex": wanted.sex, "birth_date": wanted.birth_date}
        form |= {"csrf_token": client.csrf}
        answer = yield Request("POST", "/pendaftaran/mirip", form, "likely patients", True)
        run.expect(wanted.ref in pages.patients(answer.text), f"{wanted.name} is likely", answer)


def likely_by_name(run: Run, client: Client, ground: Ground) -> Script:
    """By name alone: more people come into question."""
    while not run.is_over:
        wanted = ground.next_patient()
        form = {"name": wanted.name, "csrf_token": client.csrf}
        answer = yield Request("POST", "/pendaftaran/mirip", form, "likely, name alone", True)
        run.expect('id="mirip"' in answer.text, "the panel", answer)


# --- Saving -------------------------------------------------------------------------------------


def _ref(path: str) -> str:
    return PurePosixPath(path.partition("?")[0]).name


def prepare(run: Run, client: Client, ground: Ground, count: int) -> Script:
    """Drafts with their check pages open, to be confirmed later."""
    ready = ground.prepared.setdefault(client.number, [])
    for _ in range(count):
        form = registration(next(ground.serial), SAVED_IN)
        check, confirmation = yield from pages.enter(run, client, form)
        ready.append((check, form["nik"], confirmation))


def save(run: Run, client: Client, ground: Ground) -> Script:
    """Only the confirmation: the save's transaction, from press to redirect."""
    for check, nik, confirmation in ground.prepared.pop(client.number, []):
        answer = yield Request("POST", check, confirmation, "save")
        ticket = pages.location(answer)
        if run.expect("/pendaftaran/tiket/" in ticket, "a ticket's address", answer):
            ground.saved.append(Saved(_ref(check), _ref(ticket), nik))


def walk(run: Run, client: Client, ground: Ground, room: str = SAVED_IN) -> Script:
    """Form, check page, confirmation, ticket, one patient after the other."""
    while not run.is_over:
        began = run.now()
        form = registration(next(ground.serial), room)
        yield from register(run, client, ground, form, "walk")
        run.note("whole walk", run.now() - began)


def register(run: Run, client: Client, ground: Ground, form: dict[str, str], label: str) -> Script:
    """One new patient from the filled form to the ticket that shows the number."""
    check, confirmation = yield from pages.enter(run, client, form, label)
    answer = yield Request("POST", check, confirmation, f"{label}: save")
    ticket = pages.location(answer)
    if not run.expect("/pendaftaran/tiket/" in ticket, "a ticket's address", answer):
        return
    answer = yield Request("GET", ticket, label=f"{label}: ticket")
    shown = pages.entries(answer.text)
    number = shown[0]["number"] if shown else ""
    is_theirs = bool(number) and form["name"] in answer.text
    run.expect(is_theirs and shown[0]["poli"] == form["poli"], "the patient's own ticket", answer)
    ground.saved.append(Saved(_ref(check), _ref(ticket), form["nik"], number))
