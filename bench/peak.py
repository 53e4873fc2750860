"""The peak of a very large puskesmas, open loop: requests come when they come, late or not.

500 registrations in two hours, 60 screens that poll every 5 seconds, 25 rooms that examine what
was registered. A factor multiplies registrations and examinations, because one minute at 1 x
holds only four of each. The server is held to half a core.
"""

import contextlib
import random
import re
import subprocess
import sys
from collections.abc import Iterator

from bench import pages
from bench.load import Client, Request, Run, Script, Until, drive
from bench.people import registration
from bench.processes import tree
from bench.scenarios import Ground, register
from bench.servers import ROOT, Server

# Of two people with one name it is asked who came in.
SURE = {"alasan": "cocok dengan kartunya"}
REGISTRATIONS = 500 / 7200  # per second
SCREENS, EVERY = 60, 5.0
SHARE = 0.5
ROOMS = ("UMUM", "LANSIA", "TB", "UGD", "GIZI")  # of the account `umum`
# Milliseconds that 99 of 100 answers must keep.
BUDGETS = {"poll": 80, "search": 150, "save": 250}

_ENTRY = re.compile(r'name="entry" value="([^"]+)"')


def _screen(run: Run, _client: Client, room: str, first: float) -> Script:
    due, version = run.began + first, ""
    while not run.is_over:
        yield Until(due)
        path = f"/poli/{room}/baris" + (f"?v={version}" if version else "")
        answer = yield Request("GET", path, label="poll", is_fragment=True, due=due)
        run.expect(answer.status in (200, 204), f"poll of {room}", answer)
        if answer.status == 200:
            version = pages.queue_version(answer.text)
            run.note("poll that brought news", run.now() - due)
        due += EVERY


def _registration(run: Run, client: Client, ground: Ground, at: float) -> Script:
    """Search, half-filled form, form, check page, save, ticket."""
    due = run.began + at
    yield Until(due)
    form = registration(next(ground.serial), "UMUM")
    token = {"csrf_token": client.csrf}
    typed = {"q": form["name"], "birth_date": ""} | token
    answer = yield Request("POST", "/pendaftaran/cari", typed, "search", True, due)
    run.expect('id="hasil"' in answer.text, "search results", answer)
    half = {name: form[name] for name in ("name", "sex", "birth_date")} | token
    answer = yield Request("POST", "/pendaftaran/mirip", half, "search", True)
    run.expect('id="mirip"' in answer.text, "likely patients", answer)
    answer = yield Request("POST", "/pendaftaran/saran", form | token, "proposal", True)
    run.expect("data-poli" in answer.text, "a proposed room", answer)
    yield from register(run, client, ground, form, "registration")


def _examination(run: Run, client: Client, at: float) -> Script:
    """Call the next, start, read the history, save a draft, finish."""
    due = run.began + at
    yield Until(due)
    token = {"csrf_token": client.csrf}
    answer = yield Request("POST", "/poli/UMUM/panggil", token, "call", due=due)
    entry = pages.location(answer).partition("dipanggil=")[2]
    if not run.expect(bool(entry), "somebody called", answer):
        return
    answer = yield Request("POST", f"/antrean/{entry}/mulai", token | SURE, "call")
    visit = pages.location(answer)
    answer = yield Request("GET", visit, label="examination page")
    found = _ENTRY.search(answer.text)
    if not run.expect(bool(found) and found[1] == entry, "this entry's form", answer):
        return
    path = visit.partition("?")[0]
    for action in ("simpan", "selesai"):
        form = _findings(entry, answer.text) | token | {"aksi": action}
        answer = yield Request("POST", path, form, "save")
        run.expect(answer.status == 303, f"examination: {action}", answer)
        if action == "simpan":
            answer = yield Request("GET", visit, label="examination page")


def _findings(entry: str, page: str) -> dict[str, str]:
    return {
        "entry": entry,
        "version": pages.draft_version(page),
        "vitals_seen": pages.vitals_seen(page),
        "systolic": "120",
        "diastolic": "80",
        "pulse": "84",
        "temperature": "37,8",
        "subjective": "Demam dua hari, batuk berdahak, tidak sesak.",
        "objective": "Faring hiperemis, paru vesikuler.",
        "assessment": "ISPA",
        "plan": "Istirahat, banyak minum, kontrol bila sesak.",
        "diagnosis": "J06.9",
        "case_type-0": "baru",
        "therapy": "Parasetamol 500 mg 3 x 1",
        "disposition": "pulang",
    }


@contextlib.contextmanager
def half_a_core(server: Server) -> Iterator[None]:
    """Hold the server's working processes to half a core, all together."""
    parents = {pid for pid in server.pids if len(tree(pid)) > 1}
    workers = [str(pid) for pid in server.pids if pid not in parents]
    command = [sys.executable, "-m", "bench.half_core", str(SHARE), *workers]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def peak(ground: Ground, seconds: float, factor: float) -> Run:
    """One peak of so many seconds, answers checked."""
    run = Run(seconds)
    chance = random.Random(7)
    spread = seconds - 2  # the last arrivals still get their answers within the run
    count = max(1, round(REGISTRATIONS * factor * seconds))
    scripts = []
    for number in range(SCREENS):
        client = ground.staff[number % len(ground.staff)]
        first = EVERY * number / SCREENS
        scripts.append((client, _screen(run, client, ROOMS[number % len(ROOMS)], first)))
    for number in range(count):
        clerk = ground.clerks[number % len(ground.clerks)]
        doctor = ground.staff[number % len(ground.staff)]
        at = spread * chance.random()
        scripts.append((clerk, _registration(run, clerk, ground, at)))
        scripts.append((doctor, _examination(run, doctor, spread * chance.random())))
    with half_a_core(ground.server):
        drive(ground.server.address, scripts, run, connects_first=False)
    run.times["save"] += run.times["registration: save"]
    return run
