"""How long an import of patients takes, and how much memory: `python -m bench.imports [ROWS]`.

A register of 20,000 people, then a CSV of 50,000 rows: most of them new, some known by their
NIK, some nearly like somebody who is there. The worker's own steps, in this process; CPU seconds
beside wall seconds, because a busy machine stretches only the latter.
"""

import csv
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select

import app
import cli
from bench.fill import identity
from bench.people import person
from clinic import accounts, demo, import_work, imports, patients, worker
from clinic.audit import SYSTEM, Actor
from clinic.import_columns import guess_all
from clinic.import_rows import Defaults
from config import read_config
from db import db, transaction
from models import ImportBatch, ImportState, Patient, Role, RowFate, User

REGISTER, ROWS = 20_000, 50_000
PART = 1_000
FIRST_OF_LIST = 100_000
HEADINGS = {
    "No RM": "",
    "NIK": "nik",
    "Nama": "name",
    "JK": "sex",
    "Tgl Lahir": "birth_date",
    "Alamat": "address",
    "Desa": "village",
    "RT": "rt",
    "RW": "rw",
    "No KK": "kk_number",
    "No BPJS": "bpjs_number",
    "Nama Ibu": "mother_name",
    "No HP": "phone",
}


def fill_register(count: int) -> None:
    with transaction():
        demo.create_staff(accounts.hash_passphrase(cli.DEMO_PASSWORD))
    for start in range(0, count, PART):
        with transaction():
            part = range(start, min(start + PART, count))
            patients.create_many(SYSTEM, [identity(index) for index in part])
    worker.run_once()


def write_list(path: Path, count: int, known: int) -> None:
    """Of ten rows one is in the register, one is too but without its NIK and misspelt."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for index in range(count):
            row = person(index % known if index % 10 < 2 else FIRST_OF_LIST + index)
            if index % 10 == 1:
                row |= {"nik": "", "bpjs_number": "", "name": f"{row['name']}h"}
            writer.writerow([row[name] if name else index for name in HEADINGS.values()])


def measured(name: str, rows: int, step: Callable[[], None]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    step()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{name:<10}{wall:>8.1f} s wall{cpu:>8.1f} s CPU{1000 * cpu / rows:>7.2f} ms a row"
        f"{rss():>8.1f} MiB"
    )


def rss() -> float:
    """Resident memory now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def work(data: Path, longest: list[float]) -> None:
    while prepared := import_work.prepare(data):
        start = time.process_time()
        with transaction():
            import_work.store(prepared)
        longest.append(time.process_time() - start)


def batch_of(ref: str) -> ImportBatch:
    found = imports.by_ref(ref)
    db.session.refresh(found)
    return found


def run(rows: int, data: Path) -> None:
    fill_register(REGISTER)
    path = data / "list.csv"
    write_list(path, rows, REGISTER)
    head = db.session.scalars(select(User).where(User.role == Role.HEAD)).first()
    actor = Actor(head.id, Role.HEAD, "bench")
    with path.open("rb") as file:
        kept = imports.keep_file(data, file)
    with transaction():
        ref = imports.upload(actor, "list.csv", kept).public_id
    before, holding = rss(), []
    print(f"register {REGISTER:,}, list {rows:,} rows, {path.stat().st_size / 2**20:.1f} MiB")
    measured("read", rows, lambda: work(data, holding))
    batch = batch_of(ref)
    columns = {place: field for field, place in guess_all(batch.headings).items()}
    chosen = [columns.get(place, "") for place in range(len(batch.headings))]
    with transaction():
        imports.check(actor, batch_of(ref), chosen, Defaults(), is_sure=True)
    measured("check", rows, lambda: work(data, holding))
    print("         ", {fate.value: n for fate, n in imports.counts(batch_of(ref)).items()})
    with transaction():
        imports.start(actor, batch_of(ref))
    writing: list[float] = []
    measured("import", rows, lambda: work(data, writing))
    done = batch_of(ref)
    assert done.state == ImportState.DONE, done.problem
    created = imports.counts(done)[RowFate.CREATED]
    there = db.session.scalar(select(func.count()).select_from(Patient))
    assert there == REGISTER + created
    with transaction():
        imports.undo(actor, batch_of(ref), "pengukuran")
    measured("undo", created, lambda: work(data, writing))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{created:,} created; longest transaction {1000 * max(writing):.0f} ms of CPU")
    print(f"memory: {before:.1f} MiB before, peak {peak:.1f}, grown by {peak - before:.1f}")


def main(arguments: list[str]) -> int:
    rows = int(arguments[0]) if arguments else ROWS
    with tempfile.TemporaryDirectory(prefix="alur-bench-") as folder:
        os.environ |= {"ALUR_DATA": folder, "ALUR_DEMO": "0"}
        with app.create_app(read_config()).app_context():
            cli.prepare_database()
            run(rows, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
