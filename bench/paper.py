"""How long the back entry of paper slips takes: `python -m bench.paper [--keys-per-second 5]`.

In a demo clinic of its own a real Chromium is driven by the keyboard alone, at the pace of somebody
who types: twenty slips at the counter (twelve new patients, eight known ones), checked, asked
about and saved, then their examinations in the room. A key is a letter, a Tab, a space, an arrow,
or a chord such as Alt+S.
"""

import argparse
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta

from playwright.sync_api import Page, sync_playwright

from bench.people import person
from cli import DEMO_PASSWORD
from tests.browser import ARGUMENTS, SCREEN, LiveServer, chromium_path
from tests.walk import press_access_key

SLIPS, KNOWN, A_SHEET = 20, 8, 10
MOST_TABS, MOST_ROUNDS = 400, 6
REASON = "tertulis di slip"
FINDINGS = (
    ("TD 120/80, tenggorok merah", "Parasetamol 3x500 mg, CTM 2x1", "ISPA", "J06.9"),
    ("TD 160/95", "Amlodipin 1x10 mg", "Tekanan darah tinggi", "I10"),
    ("Abdomen: nyeri tekan ulu hati", "Antasida 3x1", "Maag", "K29.7"),
    ("Luka lecet lutut kanan, dirawat", "Povidon iodin", "Luka lecet", ""),
)
SHEET = (
    *("slip", "at", "name", "sex", "born", "number", "why"),
    *("payer", "address", "village", "poli", "complaint", "served"),
)
ACTIVE = "() => document.activeElement.id"
# What a checked line still asks, in the order of the page: who it is, else the reasons.
ASKED = """() => [].concat(...[...document.querySelectorAll("[data-state=todo]")].map(line => {
    const all = what => [...line.querySelectorAll(what)];
    const open = all("[data-patient]").filter(one => !one.querySelector("input:checked"));
    const strong = open.filter(one => one.matches("[data-level=strong]"));
    const who = line.querySelector("[data-rule=NIK-TAKEN]") ? open.slice(0, 1) : strong;
    const reasons = all("input[name^=alasan-]").filter(one => !one.value);
    const radios = who.map(one => one.querySelector("input").name);
    return radios.length ? radios : reasons.map(one => one.id);
  }))"""


class Typist:
    """Presses one key after the other, and counts them."""

    def __init__(self, page: Page, rate: float) -> None:
        self.page, self.pause, self.keys, self.last = page, 1 / rate, 0, 0.0

    def _wait(self) -> None:
        """So long after the last key: what the driver itself takes is not the typist's."""
        time.sleep(max(0.0, self.last + self.pause - time.monotonic()))
        self.last = time.monotonic()
        self.keys += 1

    def press(self, *keys: str) -> None:
        for key in keys:
            self._wait()
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        for letter in text:
            self._wait()
            self.page.keyboard.type(letter)

    def send(self, key: str) -> None:
        """An access key that leads to the next page."""
        with self.page.expect_navigation():
            self._wait()
            press_access_key(self.page, key)

    def go_to(self, is_there: Callable[[], bool]) -> None:
        for _ in range(MOST_TABS):
            if is_there():
                return
            self.press("Tab")
        raise RuntimeError("Tab does not lead there")

    def go_to_field(self, name: str) -> None:
        self.go_to(lambda: self.page.evaluate(ACTIVE) == f"f-{name}")

    def choose(self, name: str, value: str) -> None:
        """An option by the first letters of its label, as few as it takes."""
        field = self.page.locator(f"#f-{name}")
        label = field.locator(f"option[value='{value}']").inner_text()
        for letter in label:
            if field.input_value() == value:
                return
            self.type(letter)


def slips(known: list[tuple]) -> list[dict[str, str]]:
    """What stands on each: every third new patient has no card with him."""
    found = []
    for index in range(SLIPS):
        one = person(900_000 + index)
        born = date.fromisoformat(one["birth_date"])
        line = {"name": one["name"], "sex": one["sex"], "born": f"{born:%d%m%Y}"}
        line |= {"number": one["nik"], "address": "Jl. Melati 4", "village": "Tirta"}
        if index < KNOWN:
            name, sex, birth_date, nik = known[index]
            day = date.fromisoformat(birth_date)
            line |= {"name": name, "sex": sex, "born": f"{day:%d%m%Y}", "number": nik}
        elif index % 3 == 0:
            line |= {"number": "", "born": str(40 + index)}
        line |= {"at": f"{8 + index // 6:02}{index % 6 * 10:02}", "complaint": one["complaint"]}
        found.append(line | {"payer": "UMUM", "poli": "UMUM", "served": "sudah"})
    return found


def known_patients(server: LiveServer) -> list[tuple]:
    with closing(sqlite3.connect(server.data / "db" / "alur.db")) as connection:
        return connection.execute(
            "SELECT name, sex, birth_date, nik FROM patient WHERE nik IS NOT NULL AND "
            "birth_date BETWEEN '1970-01-01' AND '1995-12-31' AND merged_into_id IS NULL "
            "ORDER BY id LIMIT ? OFFSET 40",
            (KNOWN,),
        ).fetchall()


def log_in(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/masuk")
    page.fill("[name=username]", name)
    page.fill("[name=password]", DEMO_PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/masuk" not in url)


def print_slips(page: Page, server: LiveServer) -> list[str]:
    """Numbers of a block that was printed some days ago."""
    page.goto(f"{server.address}/pendaftaran/kertas")
    page.get_by_role("button", name="Buat blok").click()
    page.wait_for_url("**/blok/*")
    with closing(sqlite3.connect(server.data / "db" / "alur.db")) as connection, connection:
        connection.execute("UPDATE slip_block SET printed_at = datetime(printed_at, '-3 days')")
    labels = dict.fromkeys(page.locator(".slip-number").all_inner_texts())
    return [label.removeprefix("KT").lstrip("0") for label in labels][:SLIPS]


# --- The counter ----------------------------------------------------------------------------------


def enter_sheets(typist: Typist, lines: list[dict[str, str]]) -> None:
    for start in range(0, SLIPS, A_SHEET):
        part = lines[start : start + A_SHEET]
        for index, line in enumerate(part, 1):
            _enter_line(typist, index, line)
        typist.send("P")
        _settle(typist, {line["name"] for line in part[: max(0, KNOWN - start)]})


def _enter_line(typist: Typist, index: int, line: dict[str, str]) -> None:
    for name in SHEET:
        wanted, field = line.get(name, ""), typist.page.locator(f"#f-{name}-{index}")
        typist.go_to_field(f"{name}-{index}")
        if field.evaluate("node => node.tagName") == "SELECT":
            if wanted:
                typist.choose(f"{name}-{index}", wanted)
        elif wanted:
            typist.type(wanted)


def _settle(typist: Typist, known: set[str]) -> None:
    """Answer what is asked, and save, until nothing is left."""
    page = typist.page
    for _ in range(MOST_ROUNDS):
        to_say = page.evaluate(ASKED)
        for name in to_say:
            _say(typist, name, known)
        typist.send("P" if any(name.startswith("jawab") for name in to_say) else "S")
        if not page.locator("[data-state]").count():
            return
    raise RuntimeError("not all could be saved")


def _say(typist: Typist, name: str, known: set[str]) -> None:
    if not name.startswith("jawab"):
        typist.go_to(lambda: typist.page.evaluate(ACTIVE) == name)
        typist.type(REASON)
        return
    active = "() => document.activeElement.name"
    typist.go_to(lambda: typist.page.evaluate(active) == name)
    typed = typist.page.locator(f"#f-name-{name.split('-')[1]}").input_value()
    typist.press("Space" if typed in known else "ArrowRight")


# --- The room -------------------------------------------------------------------------------------


def enter_examinations(typist: Typist) -> None:
    page = typist.page
    for _ in range(SLIPS // A_SHEET):
        refs = page.locator("[data-entry]").evaluate_all("all => all.map(n => n.dataset.entry)")
        for place, ref in enumerate(refs[:A_SHEET]):
            for name, text in zip(
                ("objective", "therapy", "assessment", "diagnosis"),
                FINDINGS[place % len(FINDINGS)],
                strict=True,
            ):
                typist.go_to_field(f"{name}-{ref}")
                typist.type(text)
        for _ in range(MOST_ROUNDS):
            typist.send("S")
            if not page.get_by_text("Belum semua tersimpan").count():
                break
            if page.locator("[name^=reason-]").count():
                raise RuntimeError(page.locator("main").inner_text())


def measure(what: str, typist: Typist, work: Callable[[], None]) -> None:
    began, keys = time.monotonic(), typist.keys
    work()
    seconds, keys = time.monotonic() - began, typist.keys - keys
    print(f"  {what:<12}{seconds / SLIPS:>7.1f} s{keys / SLIPS:>8.1f} keys a slip", flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys-per-second", type=float, default=5)
    rate = parser.parse_args(arguments).keys_per_second
    server = LiveServer(ALUR_DEMO="1")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
            page = browser.new_page(viewport=SCREEN, locale="id-ID")
            _run(page, server, rate)
    finally:
        server.remove()
    return 0


def _run(page: Page, server: LiveServer, rate: float) -> None:
    lines, typist = slips(known_patients(server)), Typist(page, rate)
    typed = ("at", "name", "sex", "born", "number", "address", "village", "complaint")
    written = sum(len(line[name]) for line in lines for name in typed) / SLIPS
    print(
        f"{SLIPS} slips at {rate:g} keys a second, {written:.0f} characters on each at the counter"
    )
    log_in(page, server.address, "loket")
    lines = [
        line | {"slip": slip} for line, slip in zip(lines, print_slips(page, server), strict=True)
    ]
    yesterday = date.today() - timedelta(days=1)
    page.goto(f"{server.address}/pendaftaran/kertas/isi?tanggal={yesterday}")
    measure("counter", typist, lambda: enter_sheets(typist, lines))
    page.context.clear_cookies()
    log_in(page, server.address, "umum")
    page.goto(f"{server.address}/pemeriksaan/kertas")
    measure("room", typist, lambda: enter_examinations(typist))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
