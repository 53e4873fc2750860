"""How long a year's reports take, and what the counter feels of them: `python -m bench.reports`.

A clinic of 100,000 visits in 365 days, three in four of BPJS members, each examined with one or two
diagnoses, one in ten referred. Every report of the whole year is computed on SQLite and on
PostgreSQL; then, on SQLite, one head asks for reports of the month, then of the year, without a
pause while clerks save and screens poll.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

from sqlalchemy import case, select, text, update

import app
import cli
from bench import clinics, fill, pages, scenarios, servers
from bench.load import Client, Request, Run, Script, Until, drive
from bench.matching import cpu_clock, opened
from bench.report import percentile
from clinic import days, demo_bulk, report_lists, report_tables
from clinic.report_definitions import REPORTS
from clinic.report_periods import Period
from config import Config
from db import db, new_public_id, transaction
from models import Diagnosis, Disposition, Examination, QueueEntry, User, Visit

VISITS, DAYS = 100_000, 365
CODES = "J06.9 I10 E11.9 K29.7 A09 M54.5 K02.1 R50.9 L23 B86 A15.0 J18.9 H10.9 R51 K04.0 Z34.9"
LEFT = [{"disposition": Disposition.HOME, "refer_to": ""}] * 9
LEFT += [{"disposition": Disposition.EXTERNAL, "refer_to": "RSUD"}]
PART = 5_000
CLIENTS, SAVES, SECONDS = 2, 30, 20.0


def fill_year(count: int) -> None:
    """So many patients with a visit each in the last year, examined."""
    fill.VISITS_A_DAY = -(-count // DAYS)
    fill.fill(count)
    user_id = db.session.scalar(select(User.id).where(User.username == "umum"))
    rows = select(QueueEntry.id, QueueEntry.visit_id, QueueEntry.ended_at)
    seen = db.session.execute(rows.where(QueueEntry.ended_at.is_not(None))).all()
    random, codes = Random(5), CODES.split()
    with transaction():
        _insure()
    for start in range(0, len(seen), PART):
        with transaction():
            _examine(seen[start : start + PART], user_id, random, codes)
    with transaction() as session:
        session.execute(text("ANALYZE"))


def _insure() -> None:
    """Of twenty past visits PBI pays eleven, non-PBI four; one card in seven is unknown."""
    share = Visit.id % 20
    payer = case((share < 11, "JKN_PBI"), (share < 15, "JKN_NON_PBI"), else_="UMUM")
    card = case(((share < 15) & (Visit.id % 7 > 0), "0001234567890"), else_=None)
    past = update(Visit).where(Visit.ended_at.is_not(None))
    is_new = Visit.id % 3 == 0
    db.session.execute(past.values(payer=payer, bpjs_number=card, is_new_patient=is_new))


def _examine(stays, user_id: int, random: Random, codes: list[str]) -> None:
    examinations = [
        {"public_id": new_public_id(), "entry_id": entry_id, "visit_id": visit_id}
        | {"recorded_by_id": user_id, "version": 1, "finished_at": at}
        | {"occurred_at": at, "recorded_at": at}
        | random.choice(LEFT)
        for entry_id, visit_id, at in stays
    ]
    ids = demo_bulk.insert_rows(Examination, examinations)
    found = [
        {"public_id": new_public_id(), "examination_id": id_, "code": code, "title": code}
        | {"case_type": random.choice(("baru", "lama")), "recorded_by_id": user_id}
        | {"is_primary": not place, "position": place}
        for id_ in ids
        for place, code in enumerate(random.sample(codes, random.choice((1, 1, 2))))
    ]
    demo_bulk.insert_only(Diagnosis, found)


def last_year() -> Period:
    today = days.clinic_date()
    return Period(str(today.year), today - timedelta(days=DAYS + 5), today)


def time_reports(engine: str, period: Period) -> None:
    spent = cpu_clock(engine)
    print(f"{engine}: each report of {DAYS} days with what is incomplete: seconds, CPU, counted")
    for report in REPORTS.values():
        began, cpu = time.perf_counter(), spent()
        tables = report_tables.fill(report.sections, period)
        report_lists.gaps(report, period)
        wall, cpu = time.perf_counter() - began, spent() - cpu
        counted = max(table.counted for table in tables)
        print(f"  {report.code:<12}{wall:>7.2f}{cpu:>7.2f}   {counted:>9,}", flush=True)
        assert not any(table.problems for table in tables)


# --- The counter meanwhile ----------------------------------------------------------------------


def reading(run: Run, client: Client, period: str, seconds: list[float]) -> Script:
    """The head opens one report of this period after the other."""
    for code in [*REPORTS] * 1000:
        if run.is_over:
            return
        began = run.now()
        answer = yield Request("GET", f"/laporan/{code}?periode={period}")
        run.expect(answer.status == 200, "a report", answer)
        seconds.append(run.now() - began)


def paced(run: Run, script: Script, every: float) -> Script:
    """The script's requests, one each so many seconds."""
    answer = None
    with contextlib.suppress(StopIteration):
        for turn in range(1_000_000):
            request = script.send(answer)
            yield Until(run.began + turn * every)
            answer = yield request


def watch_counter(server: servers.Server, period: str) -> None:
    ground, run = clinics.opened(server, CLIENTS)
    head, read = Client(number=99), []
    drive(server.address, [(head, pages.log_in(run, head, "kepala", "/bantuan"))], run)
    scripts = [(one, scenarios.prepare(run, one, ground, SAVES)) for one in ground.clerks]
    drive(server.address, scripts, run)
    measured = Run(SECONDS)
    scripts = [
        (one, paced(measured, scenarios.save(measured, one, ground), SECONDS / SAVES))
        for one in ground.clerks
    ]
    scripts += [
        (one, paced(measured, scenarios.poll(measured, one, ground), 0.1)) for one in ground.staff
    ]
    if period:
        scripts.append((head, reading(measured, head, period, read)))
    drive(server.address, scripts, measured)
    words = f"beside {len(read)} reports of {period}" if period else "alone"
    for label in ("save", "unchanged poll"):
        times = measured.times[label]
        p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
        print(f"  {label:<16}{len(times):>6}  p50 {p50:>6.1f}  p95 {p95:>6.1f} ms  {words}")
    if measured.wrong or run.wrong:
        raise RuntimeError([*run.wrong, *measured.wrong])


@contextlib.contextmanager
def _clinic(count: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="alur-bench-") as folder:
        url = f"sqlite:///{folder}/db/alur.db"
        config = Config("127.0.0.1", 1, Path(folder), url, wants_demo=False, hosts=())
        with app.create_app(config).app_context():
            cli.prepare_database()
            fill_year(count)
            time_reports("sqlite", last_year())
            db.session.remove()
            db.engine.dispose()
        yield Path(folder)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=VISITS)
    parser.add_argument("--sqlite-only", action="store_true")
    asked = parser.parse_args(arguments)
    os.environ["ALUR_DEMO"] = "0"
    with _clinic(asked.visits) as data, servers.alur("alur", data) as server, _context(data):
        for period in ("", month := f"{days.clinic_date():%Y-%m}", month[:4]) * 2:
            watch_counter(server, period)
    if not asked.sqlite_only:
        with opened("postgresql"):
            fill_year(asked.visits)
            time_reports("postgresql", last_year())
    return 0


def _context(data: Path):
    """The clinic's own clock, for what day it is."""
    url = f"sqlite:///{data}/db/alur.db"
    return app.create_app(
        Config("127.0.0.1", 1, data, url, wants_demo=False, hosts=())
    ).app_context()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
