"""`make upgrade` with real servers: what fails goes back, and a kill anywhere loses nothing."""

import signal

import pytest

from deploy import upgrade
from tests.test_upgrade import KILLED_AT, clinic
from tests.torture.clinic import Clerks, lay_data

__all__ = ["clinic"]
pytestmark = pytest.mark.long
STEPS = ["stopping", "copying", "migrating", "switching", "starting"]


def test_an_upgrade_takes_over_or_changes_nothing(clinic):
    clinic.start()
    old, before = clinic.upgrade.current, clinic.revision
    clinic.query("INSERT INTO setting (key, value) VALUES ('mark', '\"x\"')")

    broken = clinic.newer("broken", "raise RuntimeError('half-way')")
    refused = clinic.run(broken, "deploy/upgrade.py")
    assert refused.returncode == 1
    assert "Tidak ada yang diubah, Alur tetap berjalan" in refused.stdout
    assert clinic.upgrade.service._pid(), "it was not even stopped"

    dead = clinic.newer("dead")
    server = dead / "deploy" / "server.py"
    server.write_text(server.read_text() + "\nraise RuntimeError('does not serve')\n")
    undone = clinic.run(dead, "deploy/upgrade.py")
    assert undone.returncode == 1, undone.stdout
    assert "rilis lama berjalan lagi" in undone.stdout
    assert (clinic.upgrade.current, clinic.revision) == (old, before)
    assert clinic.is_whole()
    assert upgrade._answers(clinic.upgrade.config)

    good = clinic.newer("good")
    killed = clinic.run(good, "-c", KILLED_AT.format(step="switching"))
    assert killed.returncode == -signal.SIGKILL
    assert (clinic.upgrade.current, clinic.revision) == (old, "good")
    clinic.start()  # as after a power cut: the old release finds a newer database
    assert clinic.revision == before
    assert clinic.is_whole()

    done = clinic.run(good, "deploy/upgrade.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert clinic.upgrade.current != old
    assert clinic.revision == "good"
    assert clinic.is_whole()
    assert upgrade._answers(clinic.upgrade.config)
    assert "sudah dipakai" in clinic.run(good, "deploy/upgrade.py").stdout


@pytest.fixture
def clerks(clinic, databases, tmp_path):
    lay_data(databases, clinic.data)
    clinic.start()
    config = clinic.upgrade.config
    made = Clerks(f"http://{config.host}:{config.port}", tmp_path, clinic.environ)
    yield made
    made.crew.__exit__()


@pytest.mark.parametrize("step", STEPS)
def test_one_that_was_killed_is_brought_to_an_end(clinic, clerks, step):
    good = clinic.newer("good")
    with clerks.storm():
        killed = clinic.run(good, "-c", KILLED_AT.format(step=step))
        assert killed.returncode == -signal.SIGKILL
        done = clinic.run(good, "deploy/upgrade.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert clinic.revision == "good"
    print(f"\n  during {dict(clerks.outcomes)}\n  {clerks.prove()}")
