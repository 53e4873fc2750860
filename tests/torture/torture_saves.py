"""A registration desk in full swing, and then the worst: what was acknowledged is there, once."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from clinic.notices import DISK_FULL
from clinic.storage_faults import Fault
from tests.browser import PATIENCE, LiveServer, children_of, until
from tests.clients import Browser, Crew, person, take_seat
from tests.torture import ledger, places

CLERKS = 4
MOST_PEOPLE = 1000  # in one storm
STORM_SECONDS = float(os.environ.get("ALUR_STORM_SECONDS", "6"))


class Clinic:
    """A clinic without patients in this folder, its clerks and their ledgers."""

    def __init__(self, databases, place: Path, notes: Path):
        self.place, self.notes = place, notes
        prepared = databases["sqlite"]
        for name in ("db", "keys"):
            (place / name).mkdir(mode=0o700)
        shutil.copyfile(prepared.template, place / "db" / "alur.db")
        for key in (databases.data / "keys").glob("*.key"):
            shutil.copy2(key, place / "keys")
        os.sync()  # all this has been there for years
        self.server = LiveServer(ALUR_DATA=str(place), ALUR_DEMO="0")
        self.crew = Crew(self.server.address, CLERKS)
        self.serial = 1

    @property
    def ledgers(self) -> list[Path]:
        return [self.notes / f"ledger-{number}" for number in range(CLERKS)]

    @contextmanager
    def storm(self):
        """The clerks register while the block runs; `outcomes` counts theirs afterwards."""
        self.crew.alike(take_seat)
        shares = []
        for path in self.ledgers:
            first = self.serial + len(shares)
            people = [person(n) for n in range(first, first + MOST_PEOPLE, CLERKS)]
            shares.append((people, str(path)))
        self.crew.start(ledger.register_until_told, shares)
        try:
            time.sleep(STORM_SECONDS / 3)
            yield
            time.sleep(STORM_SECONDS / 3)
        finally:
            self.crew.stop.set()
            by_clerk = self.crew.results()
            self.outcomes = sum(by_clerk, Counter())
            # Serials far apart make people who look alike, whom the desk must ask about.
            self.serial += CLERKS * max(sum(counted.values()) for counted in by_clerk)

    def check(self) -> str:
        """The ledgers against the database, after everything has ended."""
        self.server.stop()
        command = [sys.executable, "-m", "tests.torture.books", *map(str, self.ledgers)]
        done = subprocess.run(
            command, env=self.server.environ, capture_output=True, text=True, timeout=10 * PATIENCE
        )
        assert done.returncode == 0, done.stdout + done.stderr[-3000:]
        return done.stdout

    def settle(self) -> None:
        """What got no answer or a refusal is sent again, and is then there once."""
        shares = [
            ([line for line in ledger.read(path) if line["state"] != ledger.OK],)
            for path in self.ledgers
        ]
        for path, lines in zip(self.ledgers, self.crew.each(ledger.settle, shares), strict=True):
            settled = {line["draft"]: line for line in lines}
            unsettled = [line for line in lines if line["state"] != ledger.OK]
            assert not unsettled, Counter(str(line.get("status")) for line in unsettled)
            whole = [settled.get(line["draft"], line) for line in ledger.read(path)]
            path.write_text("".join(ledger.json.dumps(line) + "\n" for line in whole))

    def close(self) -> None:
        self.crew.__exit__()
        self.server.remove()


@contextmanager
def a_clinic(databases, place: Path, notes: Path):
    clinic = Clinic(databases, place, notes)
    try:
        yield clinic
    finally:
        clinic.close()


def test_kill_9_of_the_web_workers(databases, tmp_path):
    place = tmp_path / "data"
    place.mkdir()
    with a_clinic(databases, place, tmp_path) as clinic:
        chance = random.Random(5)
        with clinic.storm():
            for _ in range(8):
                time.sleep(chance.uniform(0.4, 1.2))
                top = next(iter(children_of(clinic.server.process.pid)), 0)
                web = [p for p, name in children_of(top).items() if name == "alur-web"]
                if web:
                    os.kill(chance.choice(web), signal.SIGKILL)
        assert clinic.outcomes[ledger.OK] > CLERKS
        clinic.settle()
        print(clinic.check())


def test_a_disk_that_is_full_and_then_has_room_again(databases, tmp_path):
    with (
        places.small_memory_disk(tmp_path, 96) as place,
        a_clinic(databases, place, tmp_path) as clinic,
    ):
        staff = Browser(clinic.server.address).log_in("umum")
        with clinic.storm():
            _fill(place / "filler")
            time.sleep(STORM_SECONDS)
            told = staff.get("/bantuan").text
            (place / "filler").unlink()
        print(clinic.outcomes)
        assert Fault.FULL.value in told or DISK_FULL in told, "the banner"
        assert clinic.outcomes["no draft"] + clinic.outcomes[ledger.REFUSED] > 0, "never full"
        with clinic.storm():
            pass
        assert clinic.outcomes[ledger.OK] > 0, "it did not resume by itself"
        clinic.settle()
        print(clinic.check())


def _fill(path: Path) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    for size in (1024 * 1024, 4096):
        with contextlib.suppress(OSError):
            while True:
                os.write(descriptor, b"x" * size)
    os.close(descriptor)


def test_a_power_cut(databases, tmp_path):
    with places.loop_disk(tmp_path) as disk:
        place = disk.place / "data"
        place.mkdir()
        with a_clinic(databases, place, tmp_path) as clinic:
            for _ in range(int(os.environ.get("ALUR_POWER_CUTS", "2"))):
                with clinic.storm():
                    disk.cut_power()
                assert clinic.outcomes[ledger.OK] > 0
                clinic.server.process.kill()
                clinic.server.process.wait()
                until(lambda: _unmounted(disk), "nobody holds the disk any more")
                disk.mount()
                clinic.server.start()
            clinic.settle()
            print(clinic.check())


def _unmounted(disk: places.LoopDisk) -> bool:
    try:
        disk.unmount()
    except OSError:
        return False
    return True


def test_a_disk_that_refuses_some_writes(databases, tmp_path):
    if not shutil.which("strace"):
        pytest.skip("there is no strace")
    place = tmp_path / "data"
    place.mkdir()
    with a_clinic(databases, place, tmp_path) as clinic:
        with clinic.storm():
            top = next(iter(children_of(clinic.server.process.pid)))
            web = [p for p, name in children_of(top).items() if name == "alur-web"]
            inject = ["-e", "inject=pwrite64:error=EIO:when=5+7"]
            inject += ["-e", "inject=fdatasync:error=EIO:when=3+5"]
            command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64,fdatasync"]
            traced = subprocess.Popen([*command, *inject, "-p", str(web[0])])
            time.sleep(STORM_SECONDS)
            attached = traced.poll() is None
            traced.terminate()
            traced.wait(PATIENCE)
        if not attached:
            pytest.skip("strace may not attach here")
        print(clinic.outcomes)
        assert clinic.outcomes["no draft"] + clinic.outcomes[ledger.REFUSED] > 0
        clinic.settle()
        print(clinic.check())


def test_a_disk_that_hangs(databases, tmp_path):
    if not shutil.which("fsfreeze"):
        pytest.skip("there is no fsfreeze")
    with places.loop_disk(tmp_path) as disk:
        place = disk.place / "data"
        place.mkdir()
        with a_clinic(databases, place, tmp_path) as clinic:
            with clinic.storm():
                # Armed first: whoever freezes may hang itself.
                thaw = subprocess.Popen(["sh", "-c", f"sleep 4; fsfreeze -u {disk.place}"])
                places.run("fsfreeze", "-f", str(disk.place))
                began = time.monotonic()
                health = Browser(clinic.server.address).get("/healthz").status
                answered = time.monotonic() - began
                thaw.wait(PATIENCE)
            print(clinic.outcomes, f"/healthz {health} after {answered:.2f} s")
            clinic.settle()
            print(clinic.check())
