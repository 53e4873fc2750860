"""Stops and starts the installed Alur: by systemd where it is a service, else as a process."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from config import Config

UNIT = "alur.service"
STOPPED_WITHIN = 30


def account_of(data: Path) -> dict:
    """For a new process: the account that owns the data, when root starts it."""
    owner = data.stat()
    if os.geteuid() or not owner.st_uid:
        return {}
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": [], "umask": 0o077}


def own(path: Path, like: Path) -> None:
    """Give what root has made to the account that owns the data, whose service it would stop."""
    if os.geteuid() == 0:
        owner = like.stat()
        for found in (path, *(path.rglob("*") if path.is_dir() else ())):
            os.chown(found, owner.st_uid, owner.st_gid)


class Service:
    """None at all: for a start, which has no other one to stop."""

    def stop(self) -> None:
        pass

    def start(self) -> None:
        pass

    def has_failed(self) -> bool:
        """Whether it is known that it will not come up."""
        return False


class Unit(Service):
    def stop(self) -> None:
        subprocess.run(["systemctl", "stop", UNIT], check=True)

    def start(self) -> None:
        subprocess.run(["systemctl", "start", UNIT], check=True)


class Process(Service):
    """One that `deploy/start.py` runs in the background; its id stands in DATA/state/alur.pid."""

    def __init__(self, home: Path, config: Config):
        self.home, self.config = home, config
        self.started: subprocess.Popen | None = None

    def stop(self) -> None:
        pid = self._pid()
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + STOPPED_WITHIN
        while self._pid() and time.monotonic() < until:
            if self.started:
                self.started.poll()  # else it stays as a zombie
            time.sleep(0.1)
        if self._pid():
            raise OSError("Alur tidak mau berhenti.")

    def _pid(self) -> int:
        """Its id, if that is (still) ours."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.config.data / "state" / "alur.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            return pid if b"start.py" in command else 0
        return 0

    def start(self) -> None:
        if self._pid():
            return
        release = (self.home / "current").resolve()
        python = release / ".venv" / "bin" / "python"
        environ = {key: text for key, text in os.environ.items() if not key.startswith("MAKE")}
        path = self.config.data / "logs" / "start.log"
        with path.open("ab") as log:
            own(path, self.config.data)
            self.started = subprocess.Popen(
                [str(python), str(release / "deploy" / "start.py")],
                cwd=release,
                env={**environ, "ALUR_DATA": str(self.config.data)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **account_of(self.config.data),
            )

    def has_failed(self) -> bool:
        return self.started is not None and self.started.poll() is not None


def service_of(home: Path, config: Config) -> Service:
    """How the Alur of this folder is run."""
    if Path("/run/systemd/system").exists():
        known = subprocess.run(["systemctl", "cat", UNIT], capture_output=True)
        if known.returncode == 0:
            return Unit()
    return Process(home, config)
