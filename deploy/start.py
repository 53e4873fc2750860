"""Starts Alur and keeps it running: `make run`, or the service manager in production.

Prepares the database, loads the application once and watches over two forks of itself, the web
server and the worker: so they share its memory, and one that dies is back at once. SIGTERM or
Ctrl-C stops both within ten seconds; a second Ctrl-C at once. Options are handed to the setup
command, which asks for what is missing where there is a terminal.
"""

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from gunicorn.app.base import Application
from sqlalchemy.orm import configure_mappers

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import cli  # noqa: E402
from app import create_app  # noqa: E402
from config import Config, ConfigError, read_config  # noqa: E402
from db import db  # noqa: E402

SETUP = [sys.executable, "-m", "flask", "--app", "app", "setup"]
FIRST_DELAY, LONGEST_DELAY = 1, 60  # seconds before a dead process is started again
STOP_WITHIN = 9
READY_WITHIN = 60
WORKER_NICENESS = 10  # background work must not make the web wait
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
M_MMAP_THRESHOLD = -3


def say(text: str) -> None:
    print(text, flush=True)


# --- Processes --------------------------------------------------------------------------------


def die_with_parent() -> None:
    """Even `kill -9` of the supervisor leaves no server behind (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def name_process(name: str, does: str) -> None:
    """What `ps` and `top` show of a fork, which else looks like its parent (Linux only)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode())
    # Where the command line lies in memory; proc(5), arg_start and arg_end.
    start, end = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[45:47])
    ctypes.memmove(start, does.encode()[: end - start - 1].ljust(end - start, b"\0"), end - start)


def fork(name: str, does: str, work: Callable[[], None]) -> int:
    """Do this in a process of its own; its process id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):  # it may have done so, or even ended, already
            os.setpgid(pid, pid)
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)  # a Ctrl-C at the terminal reaches the supervisor alone
        die_with_parent()
        name_process(name, does)
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # back in the supervisor's frames there is nothing for a fork to do


class Child:
    """A process that is started again when it dies, each time a little later."""

    def __init__(self, name: str, does: str, work: Callable[[], None]):
        self.name = name
        self.does = does
        self.work = work
        self.pid = 0
        self.status = 0
        self.delay = FIRST_DELAY
        self.due = 0.0
        self.started = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        self.pid = fork(self.name, self.does, self.work)

    def is_alive(self) -> bool:
        if self.pid:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.pid, self.status = 0, os.waitstatus_to_exitcode(status)
        return bool(self.pid)

    def look_after(self) -> None:
        """Notice a death, and start it again when its delay is over."""
        now = time.monotonic()
        if self.pid and not self.is_alive():
            if now - self.started > LONGEST_DELAY:
                self.delay = FIRST_DELAY
            say(f"{self.name} berhenti ({self.status}), mulai lagi dalam {self.delay} detik")
            self.due = now + self.delay
            self.delay = min(self.delay * 2, LONGEST_DELAY)
        if not self.pid and now >= self.due:
            self.start()

    def signal(self, number: int) -> None:
        if self.is_alive():
            os.killpg(self.pid, number)


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
            dead = [child.due for child in self.children if not child.pid]
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


# --- What the processes do --------------------------------------------------------------------


class WebServer(Application):
    """gunicorn, with the application that is loaded already."""

    def __init__(self, application):
        self.application = application
        super().__init__()

    def load_config(self) -> None:
        self.load_config_from_file(str(ROOT / "deploy" / "gunicorn.conf.py"))

    def load(self):
        return self.application


def work_in_background(application) -> None:
    os.nice(WORKER_NICENESS)
    with application.app_context():
        cli.worker_command(args=[])


def show_ready_message(application) -> None:
    with application.app_context():
        cli.ready_message_command(args=[])


def load(config: Config):
    """The application, used once: what its first pages build, all forks then share."""
    with contextlib.suppress(AttributeError):  # glibc only
        # Else each thread that has checked a passphrase keeps the 19 MiB for the next one.
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 128 * 1024)
    gc.disable()  # else it leaves holes that the forks fill with pages of their own
    application = create_app(config)
    configure_mappers()
    for name in application.jinja_env.list_templates():
        application.jinja_env.get_template(name)
    client = application.test_client()
    for _ in range(3):
        client.get("/masuk", base_url=f"http://{host_name(config)}")
    with application.app_context():
        db.engine.dispose()  # no connection may live in two processes
    gc.collect()
    gc.freeze()
    gc.enable()
    return application


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


def host_name(config: Config) -> str:
    """A name that the application answers to."""
    return config.hosts[0].lstrip(".") if config.hosts else "localhost"


def is_healthy(config: Config) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104
    request = f"GET /healthz HTTP/1.0\r\nHost: {host_name(config)}\r\n\r\n"
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
    application = load(config)
    web = Child("alur-web", "gunicorn (Alur)", lambda: WebServer(application).run())
    worker = Child("alur-worker", "worker (Alur)", lambda: work_in_background(application))
    supervisor = Supervisor([web, worker])
    supervisor.listen()
    supervisor.look_after()
    is_ready = wait_until_ready(supervisor, web, config)
    if is_ready:
        say(f"Alur siap: {address(config)}")
        os.waitpid(fork("alur-ready", "ready-message", lambda: show_ready_message(application)), 0)
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
    prepared = subprocess.run([*SETUP, *options], cwd=ROOT, preexec_fn=die_with_parent)
    return prepared.returncode or serve(config)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
