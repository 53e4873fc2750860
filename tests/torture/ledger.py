"""Clerks who write down what the server told them.

A line is OK (it said "saved"), REFUSED (it said "not saved") or UNKNOWN (no answer, or it was
unsure); the ledger lies outside the disk that is tormented. Imports nothing of Alur: each clerk is
a process.
"""

import hashlib
import json
import time
from collections import Counter
from pathlib import Path

from tests.clients import PATIENCE, REASON, Browser, Desk, Draft, Dropped, write_draft

OK, REFUSED, UNKNOWN, NO_DRAFT = "ok", "refused", "unknown", "no draft"
UNSURE = "Belum pasti"  # the page says it itself
TROUBLE = ".trouble"  # beside the ledger of whom something was not saved in this storm
BREATH = 0.05  # seconds between two tries while the server is in trouble


def digest(name: str, nik: str, complaint: str) -> str:
    return hashlib.sha256("|".join((name.upper(), nik, complaint)).encode()).hexdigest()[:16]


def register_until_told(desk: Desk, people: list[dict[str, str]], ledger: str) -> Counter:
    """Register one after the other until the test says stop; how it went, by outcome."""
    browser, outcomes = desk.browser(), Counter()
    desk.meet()
    with open(ledger, "a") as file:
        for fields in people:
            line = None
            while not line:
                if desk.stop.is_set():
                    return outcomes
                line = _register(browser, fields)
                outcomes[line["state"] if line else NO_DRAFT] += 1
                if not line or line["state"] != OK:
                    Path(ledger).with_suffix(TROUBLE).touch()
                    time.sleep(BREATH)
            print(json.dumps(line), file=file, flush=True)
    raise AssertionError("the storm outlasted the people")


def _register(browser: Browser, fields: dict[str, str]) -> dict | None:
    try:
        draft = write_draft(browser, fields)
    except (Dropped, AssertionError):  # nothing was promised; a clerk would type it again
        return None
    line = {"draft": draft.ref, "version": draft.version}
    line["digest"] = digest(fields["name"], fields["nik"], fields["complaint"])
    return line | confirm(browser, draft)


def confirm(browser: Browser, draft: Draft) -> dict:
    try:
        answer = browser.post(draft.path, {"version": draft.version, **REASON})
    except Dropped:
        return {"state": UNKNOWN}
    if answer.status != 303:
        return {"state": UNKNOWN if UNSURE in answer.text else REFUSED, "status": answer.status}
    return {"state": OK, "visit": answer.location.rpartition("/")[2]}


def settle(desk: Desk, lines: list[dict]) -> list[dict]:
    """Send again, until it is answered, what was not acknowledged; the lines as they are then."""
    return [line | _answered(desk.browser(), line) for line in lines]


def _answered(browser: Browser, line: dict) -> dict:
    end = time.monotonic() + PATIENCE
    while True:
        told = confirm(browser, Draft(line["draft"], line["version"]))
        if told["state"] != UNKNOWN or time.monotonic() > end:
            return told


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
