"""Starts Alur and keeps it running: `make run`, or the service manager in production.

Prepares the database, then watches over two processes, the web server and the worker. One that
dies is started again. SIGTERM or Ctrl-C stops both within ten seconds; a second one at once.
Options are handed to the setup command, which asks for what is missing where there is a terminal.
"""

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config import Config, ConfigError, read_config  # noqa: E402  found through the line above

FLASK = [sys.executable, "-m", "flask", "--app", "app"]
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "app:create_app()"]
FIRST_DELAY, LONGEST_DELAY = 1, 60  # seconds before a dead process is started again
STOP_WITHIN = 9
READY_WITHIN = 60
WORKER_NICENESS = 10  # background work must not make the web wait
PR_SET_PDEATHSIG = 1


def say(text: str) -> None:
    print(text, flush=True)


# --- Processes --------------------------------------------------------------------------------


def die_with_parent() -> None:
    """Even `kill -9` of the supervisor leaves no server behind (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One process that is started again when it dies, each time a little later."""

    def __init__(self, name: str, command: list[str], niceness: int = 0):
        self.name = name
        self.command = command
        self.niceness = niceness
        self.process: subprocess.Popen | None = None
        self.delay = FIRST_DELAY
        self.due = 0.0
        self.started = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        # Its own session: a Ctrl-C at the terminal reaches the supervisor alone.
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, start_new_session=True, preexec_fn=self._before_exec
        )

    def _before_exec(self) -> None:
        die_with_parent()
        os.nice(self.niceness)

    def look_after(self) -> None:
        """Notice a death, and start it again when its delay is over."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            if now - self.started > LONGEST_DELAY:
                self.delay = FIRST_DELAY
            say(f"{self.name} berhenti ({self.process.returncode}), lagi dalam {self.delay} detik")
            self.due = now + self.delay
            self.delay = min(self.delay * 2, LONGEST_DELAY)
            self.process = None
        if self.process is None and now >= self.due:
            self.start()

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


class Supervisor:
    """Waits for deaths and signals without waking up in between."""

    def __init__(self, children: list[Child]):
        self.children = children
        self.is_stopping = False
        self.is_hurried = False
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def listen(self) -> None:
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self._on_stop)

    def _on_stop(self, number: int, _frame) -> None:
        # A SIGTERM may come twice, from make too; only a second Ctrl-C is in a hurry.
        self.is_hurried = self.is_stopping and number == signal.SIGINT
        self.is_stopping = True

    def wait(self, seconds: float) -> None:
        """Until something happens, at most so long."""
        if select.select([self._reader], [], [], max(seconds, 0))[0]:
            with contextlib.suppress(BlockingIOError):
                while self._reader.recv(4096):
                    pass

    def look_after(self) -> None:
        for child in self.children:
            child.look_after()

    def run(self) -> None:
        while not self.is_stopping:
            self.look_after()
            dead = [child.due for child in self.children if child.process is None]
            self.wait(min(dead) - time.monotonic() if dead else 3600)

    def stop(self) -> None:
        """Ask both to finish, and end by force what has not after STOP_WITHIN seconds."""
        say("Alur berhenti ...")
        until = time.monotonic() + STOP_WITHIN
        for child in self.children:
            child.signal(signal.SIGTERM)
        while any(child.is_alive() for child in self.children):
            if self.is_hurried or time.monotonic() > until:
                for child in self.children:
                    child.signal(signal.SIGKILL)
            self.wait(0.2)


# --- Before and after the start ---------------------------------------------------------------


def port_problem(config: Config) -> str | None:
    """Why this address can't be listened on, or None."""
    try:
        found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return f"Alamat HOST={config.host} tidak dikenal di komputer ini."
    family, kind, _, _, address = found[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            return f"Port {config.port} hanya boleh dipakai root. Pilih yang lain, misalnya 8000."
        except OSError:
            return (
                f"Port {config.port} di {config.host} tidak dapat dipakai, mungkin sudah dipakai "
                f"program lain. Pilih yang lain: PORT={config.port % 65535 + 1} make run"
            )
    return None


def is_healthy(config: Config) -> bool:
    """Whether /healthz says ok. By hand: an HTTP library would stay in memory for good."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104
    named = config.hosts[0].lstrip(".") if config.hosts else config.host
    request = f"GET /healthz HTTP/1.0\r\nHost: {named}\r\n\r\n"
    try:
        with socket.create_connection((host, config.port), timeout=2) as connection:
            connection.sendall(request.encode())
            return connection.recv(64).split()[1:2] == [b"200"]
    except OSError:
        return False


def wait_until_ready(supervisor: Supervisor, web: Child, config: Config) -> bool:
    """Whether the web server answers; at the first start a dead one is not tried again."""
    until = time.monotonic() + READY_WITHIN
    while not supervisor.is_stopping and web.is_alive() and time.monotonic() < until:
        if is_healthy(config):
            return True
        supervisor.wait(0.1)
    return False


def address(config: Config) -> str:
    host = f"[{config.host}]" if ":" in config.host else config.host
    return f"http://{host}:{config.port}"


def serve(config: Config) -> int:
    web = Child("Server web", GUNICORN)
    worker = Child("Pekerja latar", [*FLASK, "worker"], WORKER_NICENESS)
    supervisor = Supervisor([web, worker])
    supervisor.listen()
    supervisor.look_after()
    # Asked for while the server starts, so that it costs no time.
    message = subprocess.Popen(
        [*FLASK, "ready-message"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    is_ready = wait_until_ready(supervisor, web, config)
    notes = message.communicate()[0].rstrip()
    if is_ready:
        say(f"Alur siap: {address(config)}" + (f"\n{notes}" if notes else ""))
        supervisor.run()
    supervisor.stop()
    if is_ready or supervisor.is_stopping:
        return 0
    say("Server web tidak menjawab; sebabnya tertulis di atas.")
    return 1


def main(options: list[str]) -> int:
    if "MAKELEVEL" in os.environ:  # killing `make` must not leave a server behind
        die_with_parent()
    try:
        config = read_config()
    except ConfigError as problem:
        say(str(problem))
        return 1
    problem = port_problem(config)
    if problem:
        say(problem)
        return 1
    setup = [*FLASK, "setup", *options]
    prepared = subprocess.run(setup, cwd=ROOT, preexec_fn=die_with_parent)
    return prepared.returncode or serve(config)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
