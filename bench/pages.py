"""Reads Alur's pages by the marks that it promises: `data-entry`, `data-version`, `csrf_token`."""

import html
import re
import time
from collections.abc import Generator

from bench.load import Answer, Client, Request, Run, Script, Until
from clinic.names import name_tokens

PASSWORD = "coba-alur-sekarang"

_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
_TAG = re.compile(r"<[^>]*\bdata-entry=[^>]*>")
_ATTRIBUTE = re.compile(r'data-([a-z]+)="([^"]*)"')
_VERSION = re.compile(r'data-version="([^"]*)"')
_DRAFT_VERSION = re.compile(r'name="version" value="(\d+)"')
_VITALS_SEEN = re.compile(r'name="vitals_seen" value="([^"]*)"')
_PATIENT = re.compile(r'data-patient="([^"]+)"')
_FOUND = re.compile(r'data-patient="[^>]*>\s*<b>([^<]*)</b>')
_REASON = re.compile(r'name="(override_reason[^"]*)"')
_ASKED = re.compile(r'name="ditanya" value="([^"]+)"')


def csrf(text: str) -> str:
    found = _CSRF.search(text)
    return found[1] if found else ""


def entries(text: str) -> list[dict[str, str]]:
    """The marks of each queue row or ticket, in the page's order."""
    return [dict(_ATTRIBUTE.findall(tag)) for tag in _TAG.findall(text)]


def queue_version(text: str) -> str:
    found = _VERSION.search(text)
    return found[1] if found else ""


def draft_version(text: str) -> str:
    found = _DRAFT_VERSION.search(text)
    return found[1] if found else ""


def vitals_seen(text: str) -> str:
    """What the page said of unusual values: it lets an examination end with them."""
    found = _VITALS_SEEN.search(text)
    return found[1] if found else ""


def patients(text: str) -> list[str]:
    """Public ids of the patients that are shown, best first."""
    return list(dict.fromkeys(_PATIENT.findall(text)))


def first_name_found(text: str) -> list[str]:
    """The folded words of the first search result's name, sorted: any order and spelling of it."""
    found = _FOUND.search(text)
    return words(html.unescape(found[1])) if found else []


def words(name: str) -> list[str]:
    return sorted(name_tokens(name).words)


def reason_fields(text: str) -> list[str]:
    return _REASON.findall(text)


def location(answer: Answer) -> str:
    return answer.headers.get("location", "")


def log_in(run: Run, client: Client, username: str, desk: str) -> Script:
    """Through the real form; leaves cookie and CSRF token with the client."""
    answer = yield Request("GET", "/masuk")
    form = {"csrf_token": csrf(answer.text), "username": username, "password": PASSWORD}
    for _ in range(100):
        answer = yield Request("POST", "/masuk", form)
        if answer.status != 503:  # else others are in line, and one presses again
            break
        yield Until(time.perf_counter() + 0.2)
    run.expect(answer.status == 303, f"log in as {username}", answer)
    answer = yield Request("GET", desk)
    client.csrf = csrf(answer.text)
    run.expect(bool(client.csrf), f"a CSRF token on {desk}", answer)


Steps = Generator[Request, Answer, str]


def enter(run: Run, client: Client, form: dict[str, str], label: str = "") -> Steps:
    """From a filled form to the check page: the draft's address and how it is confirmed."""
    answer = yield Request(
        "POST", "/pendaftaran/baru", form | {"csrf_token": client.csrf}, label and f"{label}: form"
    )
    check = location(answer)
    run.expect("/pendaftaran/periksa/" in check, f"form of {form['name']} accepted", answer)
    answer = yield Request("GET", check, label=label and f"{label}: check page")
    text = answer.text
    run.expect(form["name"].split()[0] in text, "check page shows the name", answer)
    confirmation = {"csrf_token": csrf(text), "version": draft_version(text)}
    confirmation |= dict.fromkeys(reason_fields(text), "sudah ditanyakan")
    confirmation |= {f"jawab-{ref}": "beda" for ref in _ASKED.findall(text)}
    return check, confirmation
