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
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from gunicorn.app.base import Application

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import cli  # noqa: E402
from app import create_app  # noqa: E402
from config import Config, ConfigError, read_config  # noqa: E402
from deploy.processes import Child, Supervisor, die_with_parent, fork, say  # noqa: E402

SETUP = [sys.executable, "-m", "flask", "--app", "app", "setup"]
READY_WITHIN = 60
WORKER_NICENESS = 10  # background work must not make the web wait
M_MMAP_THRESHOLD = -3

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
    """The application, in memory that all forks share as long as they only read it."""
    with contextlib.suppress(AttributeError):  # glibc only
        # Else each thread that has checked a passphrase keeps the 19 MiB for the next one.
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 128 * 1024)
    gc.disable()  # else it leaves holes that the forks fill with pages of their own
    application = create_app(config)
    gc.freeze()  # else each collection writes to every object: 30 MB more for the two workers
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


def address_on_network(config: Config) -> str:
    """Where other machines find this one, when it listens to all of them; else empty."""
    targets = {"0.0.0.0": "192.0.2.1", "::": "2001:db8::1"}  # noqa: S104
    if config.host not in targets:
        return ""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect((targets[config.host], 9))  # sends nothing, only chooses a way out
        return address(replace(config, host=probe.getsockname()[0]))
    return ""


def serve(config: Config) -> int:
    application = load(config)
    web = Child("alur-web", "gunicorn (Alur)", lambda: WebServer(application).run())
    worker = Child("alur-worker", "worker (Alur)", lambda: work_in_background(application))
    supervisor = Supervisor([web, worker])
    supervisor.listen()
    supervisor.look_after()
    is_ready = wait_until_ready(supervisor, web, config)
    if is_ready:
        elsewhere = address_on_network(config)
        if elsewhere:
            say(f"Dari komputer lain di jaringan ini: {elsewhere}")
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
