"""A PostgreSQL server of our own for the length of a test run: loopback only, nothing kept."""

import atexit
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from tests.folders import temporary_folder

PR_SET_PDEATHSIG = 1


def binary(name: str) -> str | None:
    """Where this program of PostgreSQL is; Debian keeps them outside the PATH."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    return str(newest) if newest else shutil.which(name)


def is_installed() -> bool:
    return bool(binary("initdb") and binary("postgres"))


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom the server runs as: it refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("no account to run PostgreSQL as")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _die_with_parent() -> None:
    # A killed test run leaves no server behind. SIGQUIT: at once.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


# For a server whose data nobody needs after the run: no fsync, nothing must survive.
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off")


class Server:
    """In a folder of its own (default: a temporary one), with these settings."""

    def __init__(self, folder: Path | None = None, settings: Sequence[str] = QUICK) -> None:
        self.folder = folder or temporary_folder(Path(tempfile.gettempdir()))
        self.folder.mkdir(exist_ok=True)
        self.settings = settings
        self.port = free_port()
        owner = _unprivileged()
        self._as_owner = {"cwd": self.folder, "env": {**os.environ, "HOME": str(self.folder)}}
        if owner:
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as_owner |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self._init()
        self.start()
        atexit.register(self.stop)  # also when what came after this failed

    def _init(self) -> None:
        command = [binary("initdb"), "-D", self.folder / "data", "-U", "alur", "-A", "trust"]
        command += ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(command, capture_output=True, text=True, **self._as_owner)
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stderr}")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [binary("postgres"), "-D", self.folder / "data", "-p", str(self.port)]
        command += ["-k", self.folder]
        for setting in (
            "listen_addresses=127.0.0.1",
            "shared_buffers=32MB",
            "jit=off",  # it plans for large tables, and compiles for those that were never counted
            "timezone=Asia/Makassar",  # not UTC: whoever forgets the zone shall notice
            *self.settings,
        ):
            command += ["-c", setting]
        with (self.folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent,
                **self._as_owner,
            )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        until = time.monotonic() + 30
        while True:
            try:
                return self.run()
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > until:
                    log = (self.folder / "log").read_text()
                    raise RuntimeError(f"PostgreSQL did not start: {log}") from None
                time.sleep(0.05)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://alur@127.0.0.1:{self.port}/{name}"

    def run(self, *statements: str) -> None:
        """Statements on the maintenance database, each for itself."""
        address = f"host=127.0.0.1 port={self.port} user=alur dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def stop(self) -> None:
        if self.process.poll() is not None:
            return
        # SIGINT closes connections; SIGTERM would wait for pools to give theirs back.
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
