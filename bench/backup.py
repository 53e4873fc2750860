"""How much a backup slows the counter's saves: `python -m bench.backup [PATIENTS] [FOLDER]`.

A clinic of 100,000 patients (kept in FOLDER, if one is given), registrations one after the other
from one process, while another, niced as the worker's, makes backups, then as long alone. How long
each save took, how long the steps of a backup, and its memory.
"""

import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

import app
from bench import servers
from bench.fill import _put_in_line
from clinic import audit, backup_keys, backup_making, backup_worker, backups
from config import read_config
from db import db, transaction
from models import Backup, BackupKind, Patient

PATIENTS = 100_000
PAUSE = 0.02  # between two saves: about twenty times a large clinic's peak
BACKUPS = 3
BUDGET_MS = 300


def save_until(is_over, first: int) -> list[float]:
    """Registrations until it is over; milliseconds of each."""
    took = []
    while not is_over():
        began = time.perf_counter()
        with transaction():
            _put_in_line(first + len(took))
        took.append(1000 * (time.perf_counter() - began))
        time.sleep(PAUSE)
    return took


def back_up(data: Path) -> None:
    """Some backups one after the other, in a fork as the worker's; how each went."""
    os.nice(10)
    for _ in range(BACKUPS):
        began = time.perf_counter()
        with transaction():
            asked = backups.ask(audit.SYSTEM, BackupKind.CLOSE).id
        with backup_making.alone(data):
            backup_worker.make(data, asked)
        done = db.session.get_one(Backup, asked)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        seconds = time.perf_counter() - began
        print(f"backup: {done.state}, {seconds:.1f} s, {done.size / 1e6:.0f} MB, {peak:.0f} MiB")


def line(name: str, took: list[float]) -> str:
    ranked = sorted(took)
    p99 = ranked[int(len(ranked) * 0.99)]
    figures = f"p50 {statistics.median(ranked):.1f}  p99 {p99:.1f}  worst {ranked[-1]:.1f} ms"
    late = sum(one > BUDGET_MS for one in took)
    return f"{name:<14}{len(took):>6} saves  {figures}  over {BUDGET_MS} ms: {late}"


def measure(data: Path) -> float:
    if not backup_keys.public_key(data / "keys"):
        backup_keys.make(data / "keys")
    first = db.session.scalar(select(func.max(Patient.id)))
    db.session.remove()
    db.engine.dispose()
    began = time.monotonic()
    child = os.fork()
    if not child:
        back_up(data)
        sys.stdout.flush()
        os._exit(0)
    beside = save_until(lambda: os.waitpid(child, os.WNOHANG)[0], first)
    end = 2 * time.monotonic() - began  # as long again, as a busy machine shows in both
    alone = save_until(lambda: time.monotonic() > end, first + len(beside))
    print(line("with backups", beside))
    print(line("alone", alone))
    return max(beside)


def main(arguments: list[str]) -> int:
    patients = int(arguments[0]) if arguments else PATIENTS
    with tempfile.TemporaryDirectory(prefix="alur-bench-") as scratch:
        folder = Path(arguments[1] if len(arguments) > 1 else scratch).resolve()
        if not (folder / "db" / "alur.db").exists():
            servers.finish([servers.run_module(folder, "bench.fill", str(patients))], within=1800)
        os.environ["ALUR_DATA"] = str(folder)
        with app.create_app(read_config()).app_context():
            worst = measure(folder)
    print(f"budget {BUDGET_MS} ms: {'kept' if worst <= BUDGET_MS else 'BROKEN'}")
    return int(worst > BUDGET_MS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
