"""`make upgrade`: this source takes over from the installed release, or nothing has changed.

    HOME/releases/ID          a release with its own environment; HOME/current leads to one
    DATA/state/upgrade.json   how far an upgrade is
    DATA/backups/before-ID    the database that it can go back to

Nothing stops before the new release is ready, a copy of the database is checked and its migration
was rehearsed. Then: stop, copy, migrate, switch, start, ask /healthz. What fails goes back by
itself. One that was killed is taken up by the next `make upgrade`, or by the next start of either
release (`recover`). Nobody's save is ever undone: if one was made since, it stays as it is.
"""

import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config import Config, read_config  # noqa: E402
from deploy import releases  # noqa: E402
from deploy.processes import say  # noqa: E402
from deploy.service import Service, account_of, own, service_of  # noqa: E402
from deploy.settings_file import read_settings  # noqa: E402

HOME = "/opt/alur"
HEALTHY_WITHIN = 90
# While one of these is going on the old release still stands, and nothing was changed.
HARMLESS = {"stopping", "copying"}


BESIDE = "upgrade"  # folder of a rehearsal, in DATA/tmp
NOT_REHEARSED = (
    "Pemindahan skema TIDAK dicoba dulu pada salinan; sebabnya di atas. Bila nanti gagal, basis "
    "data dikembalikan dari salinan. Supaya dicoba dulu: ALTER ROLE ... CREATEDB di PostgreSQL."
)


class UpgradeError(Exception):
    """Why it does not go on; for the person at the terminal."""


FAILURES = (UpgradeError, subprocess.CalledProcessError, OSError)


class Upgrade:
    """One upgrade of the clinic in DATA from the release in use to another one."""

    def __init__(self, home: Path, config: Config, service: Service):
        self.home, self.config, self.service = home, config, service
        self.state_file = config.data / "state" / "upgrade.json"

    @property
    def current(self) -> Path:
        return (self.home / "current").resolve()

    # --- What is remembered -------------------------------------------------------------------

    def state(self) -> dict:
        """How far an upgrade has come, empty when there is none."""
        try:
            return json.loads(self.state_file.read_text())
        except (FileNotFoundError, ValueError):
            return {}

    def note(self, step: str, **more: object) -> None:
        """From here on a killed upgrade is found at this step."""
        aside = self.state_file.with_suffix(".new")
        with aside.open("w") as file:
            json.dump({**self.state(), **more, "step": step}, file)
            file.flush()
            os.fsync(file.fileno())
        own(aside, self.config.data)
        aside.replace(self.state_file)

    def forget(self) -> None:
        self.state_file.unlink(missing_ok=True)

    # --- The way there --------------------------------------------------------------------------

    def run(self, release: Path) -> None:
        """Let this release take over."""
        self.take_up()
        if release == self.current:
            say(f"Rilis {release.name} sudah dipakai.")
            return
        copy = self.config.data / "backups" / f"before-{release.name}"
        say("Menyalin dan memeriksa basis data ...")
        self._database(release, "take", copy)
        self._rehearse(release, copy)
        self.note("stopping", old=str(self.current), new=str(release), copy=str(copy))
        try:
            self._change(release, copy)
        except FAILURES as problem:
            say(f"Gagal: {problem}")
            self.go_back()
            raise UpgradeError("Pembaruan dibatalkan; rilis lama berjalan lagi.") from None
        self.forget()
        releases.clear_old(self.home, release)
        say(f"Selesai: rilis {release.name} berjalan. Salinan sebelum pembaruan: {copy}")

    def _change(self, release: Path, copy: Path) -> None:
        say("Menghentikan Alur, menyalin yang terakhir, memindahkan skema ...")
        self.service.stop()
        self.note("copying")
        self._database(release, "take", copy)
        self.note("migrating")
        self._set_up(release, {})
        self.note("switching", entries=self._entries(release))
        self._switch(release)
        self.note("starting")
        self._start_healthy(release)

    def _rehearse(self, release: Path, copy: Path) -> None:
        """The migration on a database of its own, filled from the copy."""
        say("Mencoba pemindahan skema pada salinan ...")
        aside = self.config.tmp / BESIDE
        shutil.rmtree(aside, ignore_errors=True)
        (aside / "db").mkdir(parents=True, mode=0o700)
        (aside / "keys").mkdir(mode=0o700)
        with contextlib.suppress(FileNotFoundError):  # the copied trail goes on with the same key
            shutil.copy(self.config.keys / "audit.key", aside / "keys")
        own(aside, self.config.data)
        try:
            address = self._database(release, "beside", copy).strip()
            if not address:
                say(NOT_REHEARSED)
                return
            self._set_up(release, {"ALUR_DATA": str(aside), "DATABASE_URL": address})
        except subprocess.CalledProcessError:
            raise UpgradeError(
                "Pemindahan skema gagal pada salinan. Tidak ada yang diubah, Alur tetap berjalan."
            ) from None
        finally:
            self._database(release, "drop-beside", copy)
            shutil.rmtree(aside, ignore_errors=True)

    # --- And back -------------------------------------------------------------------------------

    def go_back(self) -> None:
        """The old release on the database as it was."""
        state = self.state()
        old = Path(state["old"])
        self.service.stop()
        if state["step"] not in HARMLESS:
            since = state.get("entries")
            if since is not None and self._entries(old) > since:
                self.forget()
                self.service.start()
                raise UpgradeError(
                    "Rilis baru belum menjawab dengan baik, tetapi sudah ada yang disimpan di "
                    "dalamnya, jadi tidak dikembalikan sendiri. Hubungi petugas TI."
                )
            self._database(old, "put-back", Path(state["copy"]))
        self._switch(old)
        self.forget()
        self._start_healthy(old)

    def take_up(self) -> None:
        """Bring one that was killed to an end, forward where the new release runs already."""
        state = self.state()
        if not state:
            return
        say(f"Pembaruan sebelumnya terputus pada langkah {state['step']}.")
        if self.current == Path(state["new"]):
            try:
                self._start_healthy(self.current)
                self.forget()
                return
            except UpgradeError as problem:
                say(f"Gagal: {problem}")
        self.go_back()

    # --- Small steps ----------------------------------------------------------------------------

    def _switch(self, release: Path) -> None:
        link, fresh = self.home / "current", self.home / ".current"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(release)
        fresh.replace(link)

    def _start_healthy(self, release: Path) -> None:
        self.service.start()
        until = time.monotonic() + HEALTHY_WITHIN
        while not _answers(self.config):
            if time.monotonic() > until or self.service.has_failed():
                raise UpgradeError(f"rilis {release.name} tidak menjawab di /healthz.")
            time.sleep(0.3)

    def _entries(self, release: Path) -> int:
        return int(self._database(release, "entries", Path("-")))

    def _database(self, release: Path, what: str, file: Path) -> str:
        program = release / "deploy" / "databases.py"
        return self._as_owner(release, [str(program), what, str(file)], {})

    def _set_up(self, release: Path, environ: dict) -> None:
        self._as_owner(release, ["-m", "flask", "--app", "app", "setup"], environ)

    def _as_owner(self, release: Path, arguments: list[str], environ: dict) -> str:
        """Run Python of this release as the account that owns the data."""
        done = subprocess.run(
            [str(release / ".venv" / "bin" / "python"), *arguments],
            cwd=release,
            env={**os.environ, "ALUR_DATA": str(self.config.data), **environ},
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            check=True,
            **account_of(self.config.data),
        )
        return done.stdout


def _answers(config: Config) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104
    name = config.hosts[0].lstrip(".") if config.hosts else "localhost"
    try:
        with socket.create_connection((host, config.port), timeout=5) as connection:
            connection.sendall(f"GET /healthz HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
            return connection.recv(64).split()[1:2] == [b"200"]
    except OSError:
        return False


@contextlib.contextmanager
def alone(data: Path) -> Iterator[bool]:
    """Whether no other upgrade is going on, and none will until the end."""
    path = data / "state" / "upgrade.lock"
    with path.open("a") as file:
        own(path, data)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def recover(config: Config) -> None:
    """At each start, before the database is opened: undo an upgrade that was killed half-way."""
    upgrade = Upgrade(Path(HOME), config, Service())
    state = upgrade.state()
    if not state or Path(state["new"]) == ROOT:
        return
    with alone(config.data) as is_alone:
        if not is_alone:
            return  # it is that upgrade which starts us
        if state["step"] not in HARMLESS:
            say("Pembaruan terputus: basis data dikembalikan seperti sebelumnya.")
            upgrade._database(ROOT, "put-back", Path(state["copy"]))
        upgrade.forget()


def main(options: list[str]) -> int:
    read_settings()
    home, config = Path(os.environ.get("ALUR_HOME") or HOME), read_config()
    if options == ["--first"]:  # for deploy/install.sh, which goes on from there
        upgrade = Upgrade(home, config, Service())
        upgrade._switch(releases.install(ROOT, home))
        return 0
    if not (home / "current").exists():
        say(f"Belum ada Alur di {home}. Pasang dulu: deploy/install.sh (atau: make run).")
        return 1
    with alone(config.data) as is_alone:
        if not is_alone:
            say("Pembaruan lain sedang berjalan.")
            return 1
        try:
            Upgrade(home, config, service_of(home, config)).run(releases.install(ROOT, home))
        except (*FAILURES, releases.ReleaseError) as problem:
            say(str(problem))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
