"""Walks a patient through the clinic in Chromium 64, the oldest browser that Alur promises.

    .venv/bin/python -m bench.old_chromium [--address http://127.0.0.1:8000]

Opt-in: it fetches that browser once, 31 MB, with `npm pack` (package chrome-aws-lambda) into
.tools/, so it needs npm and node; Debian's chromium package brings the libraries. Without an
address it starts a demo clinic of its own. It prints each step that worked, keeps pictures in
.tools/chromium-64/, and ends with 1 at the first step that failed or if the page's scripts
reported an error. Playwright does not speak to such an old browser, so this speaks its protocol.
"""

import argparse
import base64
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from websocket import WebSocket, create_connection

from cli import DEMO_PASSWORD
from tests.browser import LiveServer
from tests.postgres import free_port

PACKAGE = "chrome-aws-lambda@64.0.3264"
FOLDER = Path(__file__).parent.parent / ".tools" / "chromium-64"
BROWSER = FOLDER / "chromium"
UNPACK = """
const fs = require('fs'), zlib = require('zlib');
fs.writeFileSync(process.argv[2], zlib.brotliDecompressSync(fs.readFileSync(process.argv[1])));
"""
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--single-process", "--no-zygote", "--headless"),
    *("--hide-scrollbars", "--window-size=1366,768"),
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
PATIENCE = 20  # seconds for anything to appear


class StepFailed(Exception):
    pass


def fetch() -> None:
    """The browser, unpacked, in .tools/chromium-64."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        print(f"fetching {PACKAGE} ...")
        packed = subprocess.run(
            ["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True
        )
        name = packed.stdout.decode().split()[-1]
        subprocess.run(["tar", "xzf", name], cwd=folder, check=True)
        source = f"{folder}/package/bin/chromium.br"
        subprocess.run(["node", "-e", UNPACK, source, f"{BROWSER}.new"], check=True)
    Path(f"{BROWSER}.new").chmod(0o755)
    Path(f"{BROWSER}.new").rename(BROWSER)


class Tab:
    """One page of the old browser."""

    def __init__(self, socket: WebSocket, address: str):
        self.socket, self.address = socket, address
        self.problems: list[str] = []
        self.number = 0
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters):
        self.number += 1
        sent = {"id": self.number, "method": method, "params": parameters}
        self.socket.send(json.dumps(sent))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                return answer.get("result", {})
            self._note(answer)

    def _note(self, event: dict) -> None:
        details = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(details["exceptionDetails"])[:400])
        if event.get("method") == "Log.entryAdded" and details["entry"]["level"] == "error":
            self.problems.append(details["entry"]["text"])

    def ask(self, script: str):
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        return answer.get("result", {}).get("value")

    def wait(self, script: str) -> None:
        """Until the script says something true."""
        end = time.monotonic() + PATIENCE
        while not self.ask(f"Boolean({script})"):
            if time.monotonic() > end:
                raise StepFailed(f"never true: {script}\nat {self.ask('location.href')}")
            time.sleep(0.1)

    def open(self, path: str) -> None:
        self.send("Page.navigate", url=self.address + path)
        time.sleep(0.2)
        self.wait(f"document.readyState == 'complete' && location.pathname == '{path}'")

    def key(self, name: str) -> None:
        code = {"Enter": 13, "Tab": 9}[name]
        key = {"key": name, "code": name, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if name == "Enter" else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", **key, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **key)

    def type(self, selector: str, text: str) -> None:
        self.wait(f"document.querySelector('{selector}')")
        self.ask(f"document.querySelector('{selector}').focus()")
        for letter in text:
            self.send("Input.dispatchKeyEvent", type="char", text=letter)

    def click(self, selector: str) -> None:
        self.wait(f"document.querySelector('{selector}')")
        self.ask(f"document.querySelector('{selector}').click()")

    def picture(self, name: str) -> None:
        data = self.send("Page.captureScreenshot", format="png")["data"]
        (FOLDER / f"{name}.png").write_bytes(base64.b64decode(data))


class OldBrowser:
    def __init__(self, address: str):
        self.address = address
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        debugging = [f"--remote-debugging-port={self.port}", f"--user-data-dir={self.folder.name}"]
        self.process = subprocess.Popen(
            [str(BROWSER), *OPTIONS, *debugging, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _ask(self, path: str) -> dict:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
                    return json.load(answer)
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.1)

    @property
    def version(self) -> str:
        return self._ask("/json/version")["Browser"]

    def tab(self) -> Tab:
        url = self._ask("/json/new")["webSocketDebuggerUrl"]
        return Tab(create_connection(url, suppress_origin=True, timeout=60), self.address)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


def walk(counter: Tab, room: Tab) -> None:
    """The head stands in at the counter in one tab and in the dental room in the other."""
    counter.open("/masuk")
    counter.type("#f-username", "kepala")
    counter.type("#f-password", DEMO_PASSWORD)
    counter.key("Enter")
    counter.wait("document.querySelector('html.private')")
    print("ok: log in")
    room.open("/poli/GIGI")
    room.ask("window.samePage = true")

    counter.open("/pendaftaran")
    nik = "317101520491" + time.strftime("%M%S")  # a woman of 12-04-1991
    counter.ask("window.samePage = true")
    counter.type("#f-q", nik)
    counter.wait("/Tidak ada yang cocok/.test(document.querySelector('#hasil').textContent)")
    assert counter.ask("window.samePage")
    print("ok: type-ahead search")
    counter.click("button[value=baru]")
    counter.wait("location.pathname == '/pendaftaran/baru'")
    counter.click("#dari-nik")
    counter.wait("document.querySelector('#f-birth_date').value == '12-04-1991'")
    print("ok: birth date and sex taken from the NIK")
    name = f"Kromium Lama {nik[-4:]}"
    counter.type("#f-name", name)
    counter.type("#f-address", "Jalan Kenanga 7")
    counter.type("#f-complaint", "sakit gigi sejak kemarin")
    counter.wait("document.querySelector('#saran .pick[value=GIGI]')")
    counter.picture("form")
    print("ok: room proposed while typing")
    counter.key("Tab")
    counter.key("Enter")
    counter.wait("/periksa/.test(location.pathname) && document.readyState == 'complete'")
    counter.picture("check")
    print("ok: check page by Tab and Enter")
    counter.key("Enter")
    counter.wait("document.querySelector('.ticket')")
    number = counter.ask("document.querySelector('.ticket').getAttribute('data-number')")
    print(f"ok: saved by Enter, ticket {number}")

    row = f".queue-row[data-number={number}]"
    room.wait(f"document.querySelector('{row}')")
    assert room.ask("window.samePage")
    room.picture("queue")
    print("ok: the patient came into the open queue by itself")
    examine(room, row)
    counter.open("/bantuan")


def examine(room: Tab, row: str) -> None:
    room.click(f"{row} button[formaction$=panggil]")
    room.wait(f"document.querySelector('{row}[data-state=called]')")
    print("ok: called")
    room.click(f"{row} button[formaction$=mulai]")
    room.type("#f-systolic", "118")
    room.type("#f-diastolic", "76")
    room.type("#f-subjective", "Gigi kanan bawah sakit")
    room.type("#f-diagnosis_search", "gigi berlubang")
    room.click('#diagnosis-options input[value="K02.9"]')
    print("ok: diagnosis found by Indonesian words")
    room.wait("/Tersimpan otomatis/.test(document.querySelector('[data-keep-state]').textContent)")
    room.picture("examination")
    print("ok: what is typed is kept by itself")
    room.click("input[name=disposition][value=pulang]")
    room.click("button[value=selesai]")
    room.wait(f"document.querySelector('{row}[data-state=done]')")
    print("ok: examination finished")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", help="a running demo clinic; else one is started")
    address = parser.parse_args().address
    if not BROWSER.exists():
        fetch()
    server = None if address else LiveServer()
    browser = OldBrowser(address or server.address)
    try:
        print(browser.version)
        tabs = [browser.tab(), browser.tab()]
        walk(*tabs)
        problems = [problem for tab in tabs for problem in tab.problems]
    except StepFailed as failed:
        problems = [str(failed)]
    finally:
        browser.close()
        if server:
            server.remove()
    print("\n".join(f"FAILED: {problem}" for problem in problems) or "everything worked")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
