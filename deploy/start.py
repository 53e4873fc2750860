"""Starts Alur and keeps it running: `make run`, or the service manager in production.

Prepares the database and watches over one fork of itself, the web server (deploy/server.py),
which has the worker beside it. Small on purpose: only the fork loads the application, so what
stays here costs little. SIGTERM or Ctrl-C stops all within ten seconds; a second Ctrl-C at once.
Options are handed to the setup command, which asks for what is missing where there is a terminal.
"""

import fcntl
import gc
import os
import signal
import sys
import time
from importlib import import_module

if __name__ == "__main__" and sys.flags.optimize < 2:  # without docstrings: 7 MB less
    os.execv(sys.executable, [sys.executable, "-OO", *sys.orig_argv[1:]])  # noqa: S606

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from deploy.processes import Child, Supervisor, die_with_parent, say  # noqa: E402

PREPARE = [sys.executable, os.path.join(ROOT, "deploy", "prepare.py")]
SET_UP = [sys.executable, "-m", "flask", "--app", os.path.join(ROOT, "app.py"), "setup"]
READY_WITHIN = 60
UNUSABLE = 74  # exit code of a set-up whose database can't be used: a page says so meanwhile


def wait_until_ready(supervisor: Supervisor, ready: int) -> bool:
    """Whether the web server answers; at the first start a dead one is not tried again."""
    until = time.monotonic() + READY_WITHIN
    while not supervisor.is_stopping and supervisor.child.is_alive() and time.monotonic() < until:
        if supervisor.wait(1.0, ready):
            return True
    return False


def set_up() -> bool:
    """The set-up again, which switches to a restored database while nothing has one open."""
    return os.spawnv(os.P_WAIT, SET_UP[0], SET_UP) == 0  # noqa: S606


def prepare(options: list[str]) -> int:
    """The set-up's exit code."""
    return os.spawnv(os.P_WAIT, PREPARE[0], [*PREPARE, *options])  # noqa: S606


def serve(options: list[str]) -> int:
    """Load the application in the fork while the set-up runs; it serves once that is done."""
    ready, tell_ready = os.pipe()
    go, tell_go = os.pipe()
    is_prepared = False

    def work() -> None:
        os.close(tell_go)  # so that our end closes it
        server = import_module("deploy.server")
        if is_prepared or os.read(go, 1):
            server.serve(tell_ready)

    child = Child("alur-web", "gunicorn (Alur)", work, leads_group=True, prepare=set_up)
    supervisor = Supervisor(child)
    gc.freeze()  # else the fork's collections write to all that it shares with this process
    child.start()
    unprepared = prepare(options)
    if unprepared not in (0, UNUSABLE):
        child.signal(signal.SIGKILL)
        return abs(unprepared)
    supervisor.listen()
    is_prepared = True
    os.write(tell_go, b".")
    is_ready = unprepared or wait_until_ready(supervisor, ready)
    if is_ready:
        supervisor.run()
    supervisor.stop()
    if is_ready or supervisor.is_stopping:
        return 0
    say("Server web tidak menjawab; sebabnya tertulis di atas.")
    return 1


def take_data(folder: str) -> bool:
    """Whether no other Alur has these data: it would migrate or switch what that one serves."""
    try:
        os.makedirs(folder, exist_ok=True)
        lock = os.open(os.path.join(folder, "start.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        return True  # what is wrong with it deploy/prepare.py says
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of this process alone, not of its forks
    except (BlockingIOError, PermissionError):
        return False
    return True


def main(options: list[str]) -> int:
    if "--help" in options:
        return os.spawnv(os.P_WAIT, SET_UP[0], [*SET_UP, "--help"])  # noqa: S606
    if "MAKELEVEL" in os.environ:  # killing `make` must not leave a server behind
        die_with_parent()
    folder = os.environ.get("ALUR_DATA") or "data"
    if not take_data(folder):
        say(f"Data di {folder} sudah dipakai Alur lain yang berjalan. Hentikan dulu yang itu.")
        return 1
    return serve(options)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
