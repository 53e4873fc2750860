"""Starts the servers that are measured, each with its own data and port, and stops them again."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.processes import cpu_seconds, tree

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
READY_WITHIN = 60
STOP_WITHIN = 12


@dataclass
class Server:
    """One server under test: where it listens, and its process with all it has started."""

    name: str
    port: int
    process: subprocess.Popen
    data: Path
    patients: int = 0

    @property
    def address(self) -> tuple[str, int]:
        return HOST, self.port

    @property
    def pids(self) -> list[int]:
        return tree(self.process.pid)

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pids)


def environment(data: Path, port: int = 0) -> dict[str, str]:
    """Nothing of the caller's own clinic: its own folder, always SQLite."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "ALUR_HOSTS", "MAKELEVEL"}
    }
    ours = {"ALUR_DATA": str(data), "ALUR_DEMO": "0", "HOST": HOST, "PORT": str(port or 1)}
    return inherited | ours | {"FLOOR_DB": str(data / "floor.db"), "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def run_module(data: Path, *command: str) -> subprocess.Popen:
    """A command of Python in the repository, with this folder as its data."""
    data.mkdir(parents=True, exist_ok=True)
    log = (data / "log.txt").open("a")
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment(data),
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def finish(processes: list[subprocess.Popen], within: float) -> None:
    """Wait for commands to end well."""
    until = time.monotonic() + within
    for process in processes:
        if process.wait(max(1.0, until - time.monotonic())):
            raise RuntimeError(f"{process.args} ended with {process.returncode}; see its log.txt")


@contextlib.contextmanager
def alur(name: str, data: Path, patients: int = 0, **settings: str) -> Iterator[Server]:
    """What `make run` starts: web server and worker."""
    with _started(name, data, ["deploy/start.py"], patients, **settings) as server:
        yield server


@contextlib.contextmanager
def flask(name: str, data: Path, module: str, patients: int = 0) -> Iterator[Server]:
    """A Flask application under Alur's own server settings."""
    command = ["-m", "gunicorn", "-c", "bench/gunicorn.conf.py", f"{module}:app"]
    with _started(name, data, command, patients) as server:
        yield server


@contextlib.contextmanager
def _started(
    name: str, data: Path, command: list[str], patients: int, **settings: str
) -> Iterator[Server]:
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with (data / "log.txt").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment(data, port) | settings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait_until_ready(name, port, process, data)
            yield Server(name, port, process, data, patients)
        finally:
            _stop(process)


def _wait_until_ready(name: str, port: int, process: subprocess.Popen, data: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            if connection.getresponse().status < 500:
                return
        connection.close()
        time.sleep(0.1)
    last = (data / "log.txt").read_text()[-2000:]
    raise RuntimeError(f"{name} does not answer. Its log ends:\n{last}")


def _stop(process: subprocess.Popen) -> None:
    """This process, which stops its own children; by force what outlives that."""
    pids = tree(process.pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(STOP_WITHIN)
