"""A real Chromium and a real server for tests marked `browser`.

live_server   address of a demo clinic of its own, started as `make run` starts it
page          a fresh page in a context of its own; fails the test on script errors, on
              anything that the CSP refused, on a dialog, and on a request to anywhere else
no_script     the same without JavaScript
open_page     open_page(**options) gives further such pages, each in a context of its own
violations(page)   what axe-core finds on the page as it stands
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.folders import temporary_folder
from tests.install_tools import has_libatomic
from tests.postgres import free_port

ROOT = Path(__file__).parent.parent
PATIENCE = 60  # seconds until a test gives up; nothing here is timed
# A first start takes at most 30 seconds where nothing else runs; here the whole suite does.
START_PATIENCE = 120
NAMES = ("chromium", "chromium-browser", "google-chrome")
# Of two such lists Chromium reads the last, so Playwright's comes first. Ours: two pages of its own
# that each window loads behind its address bar, 0.7 s of CPU.
OFF = [
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect"),
    *("OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    f"--disable-features={','.join(OFF)}",
    # Else the browser itself asks its maker's hosts; ours is the only one that exists. Browsers
    # trust 127.0.0.1 like https; by this name they treat it like any clinic's plain http.
    "--host-resolver-rules=MAP klinik.test 127.0.0.1 , MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
OURS = {"127.0.0.1", "klinik.test"}
SCREEN = {"width": 1366, "height": 768}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def chromium_path() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser():
    path = chromium_path()
    if path is None:
        pytest.skip("Chromium is not installed")
    if not has_libatomic():
        pytest.skip("libatomic1 is not installed, which Playwright needs")
    # Imported here at run time: where there is no browser, the package may be missing too.
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=ARGUMENTS,
            # Playwright hides by default what a user's Back button shows.
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(_watched_page(browser, **options))


@pytest.fixture
def page(open_page):
    return open_page()


@pytest.fixture
def no_script(open_page):
    return open_page(java_script_enabled=False)


@contextmanager
def _watched_page(browser, **options):
    context = browser.new_context(**{"viewport": SCREEN, "locale": "id-ID", **options})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
    page.on("console", lambda message: _note_message(problems, message))
    page.on("dialog", lambda dialog: _note_dialog(problems, dialog))
    page.on("request", lambda request: _note_request(problems, request))
    yield page
    context.close()
    assert not problems, problems


def _note_message(problems: list[str], message) -> None:
    # An answer of 4xx, or none, is logged as an error too; whether it was right is the test's
    # business. htmx repeats the browser.
    fine = (
        "Failed to load resource",
        "Response Status Error Code",
        "htmx:sendError",
        "htmx:sendAbort",  # a newer request took its place
        "htmx:afterRequest",
    )
    if message.type == "error" and not any(text in message.text for text in fine):
        problems.append(message.text)


def _note_dialog(problems: list[str], dialog) -> None:
    if dialog.type == "beforeunload":  # a test that leaves what it has typed means it
        dialog.accept()
        return
    problems.append(f"dialog: {dialog.message}")
    dialog.dismiss()


def _note_request(problems: list[str], request) -> None:
    if urlsplit(request.url).hostname not in OURS:
        problems.append(f"a request to {request.url}")


# Where no scripts run, what the debugger evaluates does, but no timer; axe waits for one of 0 ms.
WITHOUT_TIMERS = """() => {
  window.setTimeout = (act, wait) => { if (!wait) Promise.resolve().then(() => act()); };
}"""

# What sticks to the window's end covers a part of whatever is scrolled behind it just then, which
# axe takes for a small target.
LOOK = """async options => {
  const stuck = [...document.querySelectorAll('.actions, .side, .late')]
    .filter(each => getComputedStyle(each).position === 'sticky');
  stuck.forEach(each => { each.style.position = 'static'; });
  try { return (await axe.run(document, options)).violations; }
  finally { stuck.forEach(each => { each.style.position = ''; }); }
}"""


def violations(
    page, *, without: tuple[str, ...] = (), only: tuple[str, ...] = (), has_script: bool = True
) -> list[str]:
    """What axe-core finds, one line each; `without` names rules that don't apply."""
    if not has_script:
        page.evaluate(WITHOUT_TIMERS)
    if not page.evaluate("() => Boolean(window.axe)"):
        source = resources.files("axe_playwright_python").joinpath("axe.min.js")
        page.evaluate(source.read_text(encoding="utf-8"))  # by the debugger: the CSP stays on
    tags = {"type": "tag", "values": WCAG}
    found = page.evaluate(
        LOOK,
        {
            "runOnly": {"type": "rule", "values": only} if only else tags,
            "rules": {name: {"enabled": False} for name in without},
            "resultTypes": ["violations"],
            "preload": False,  # for rules that are not asked for
        },
    )
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:120]}"
        for rule in found
        for node in rule["nodes"]
    ]


def until(condition, what: str):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


def children_of(pid: int) -> dict[int, str]:
    """Process id and name of the direct children."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
            state, parent = rest.split()[:2]
            if parent == str(pid) and state != "Z":  # one that died waits to be noticed
                found[int(folder.name)] = name
    return found


class LiveServer:
    """Alur as `make run` starts it, with data of its own: empty, or as they stand elsewhere."""

    def __init__(self, *options: str, like: Path | None = None, **environ: str):
        self.data = temporary_folder()
        if like:
            shutil.copytree(like, self.data, dirs_exist_ok=True)
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environ = {
            **os.environ,
            "ALUR_DATA": str(self.data),
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            **environ,
        }
        if "DATABASE_URL" not in environ:
            self.environ.pop("DATABASE_URL", None)
        self.start(*options)

    @property
    def lines(self) -> list[str]:
        """What it has printed."""
        return (self.data / "printed").read_text().splitlines()

    def start(self, *options: str) -> None:
        """Start it, and wait until it says that it is ready."""
        with (self.data / "printed").open("w") as printed:
            self.process = subprocess.Popen(
                [sys.executable, "deploy/start.py", *options],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + START_PATIENCE
        while not any(line.startswith("Alur siap") for line in self.lines):
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                told = [f"Alur did not start within {START_PATIENCE} s:", *self.lines]
                raise RuntimeError("\n".join(told))
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def remove(self) -> None:
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.data, ignore_errors=True)


def set_up(data: Path, *options: str, **environ: str) -> None:
    """What the first start of a clinic does with this folder, before anything runs."""
    environ = {**os.environ, "ALUR_DATA": str(data), **environ}
    environ.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "flask", "--app", "app", "setup", *options]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=START_PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory) -> Path:
    """A demo clinic's folder to copy, filled by the first process of the run that needs it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    made = shared / "demo"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            aside = shared / "demo.new"
            set_up(aside)
            aside.rename(made)
    return made


@pytest.fixture(scope="session")
def live_server(demo_data):
    server = LiveServer(like=demo_data)
    yield server.address
    server.remove()
