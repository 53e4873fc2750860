"""How well people are recognised, and how fast: `python -m bench.matching`.

An invented register in SQLite and in PostgreSQL, asked by the function the counter asks
(`clinic.search.likely`), by people who are in it and by people who are not. The figures, and
what they mean, stand in docs/matching.md.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import text

import app
import cli
from bench import addresses, mistakes, register
from bench.mistakes import Query
from bench.processes import machine_busy_seconds
from bench.register import Register
from bench.report import Aim, percentile
from clinic import patients, search, worker
from clinic.audit import SYSTEM
from clinic.search import LikelyMatch
from config import Config
from db import db, transaction, utcnow
from tests import postgres

SHOWN = 5  # so many stand beside the form before one scrolls
PART = 2_000
WARM_UP = 50
LOOKUP_BUDGET = 25  # ms, p95
FULL, BARE, NIK = "A all but numbers", "B name, date, sex, village", "C all, with NIK"
FILLED = {FULL: mistakes.without_numbers, BARE: mistakes.bare, NIK: mistakes.with_nik}
MOST_FALSE = {"strangers": 0.05, "siblings": 0.05, "twins": 0.10}


@dataclass(frozen=True)
class Plan:
    people: int = 100_000
    queries: int = 1_000
    engines: tuple[str, ...] = ("sqlite", "postgresql")
    seed: int = register.SEED
    has_addresses: bool = False


QUICK = Plan(2_000, 60)


@dataclass
class Outcome:
    """What came back for one kind of people in one scenario."""

    kind: str
    scenario: str
    count: int = 0
    first: int = 0  # the right person on top
    shown: int = 0  # among the first SHOWN
    possible: int = 0  # the right person at a level, of either
    strong: int = 0  # the right person interrupts
    false_possible: int = 0  # somebody else at a level
    false_strong: int = 0  # somebody else interrupts
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def share(self, name: str) -> float:
        return getattr(self, name) / self.count

    def note(self, found: list[LikelyMatch], wanted: int | None) -> bool:
        """Count one answer; true when it was what one wishes for."""
        ids = [one.patient.id for one in found if one.match.level]
        strong = {one.patient.id for one in found if one.match.level == "strong"}
        self.count += 1
        self.first += ids[:1] == [wanted]
        self.shown += wanted in ids[:SHOWN]
        self.possible += wanted in ids
        self.strong += wanted in strong
        self.false_possible += bool({*ids} - {wanted})
        self.false_strong += bool(strong - {wanted})
        return wanted in strong if wanted else not strong


# Databases


@contextlib.contextmanager
def opened(engine: str) -> Iterator[Callable[[], float]]:
    """An empty clinic in a database of this kind; gives its clock of CPU seconds."""
    with tempfile.TemporaryDirectory(prefix="alur-bench-") as folder, contextlib.ExitStack() as end:
        url = f"sqlite:///{folder}/db/alur.db"
        if engine == "postgresql":
            server = postgres.Server()
            end.callback(server.stop)
            server.run("CREATE DATABASE matching")
            url = server.url("matching")
        config = Config("127.0.0.1", 1, Path(folder), url, wants_demo=False, hosts=())
        with app.create_app(config).app_context():
            cli.prepare_database()
            yield cpu_clock(engine)
            db.session.remove()
            db.engine.dispose()


def cpu_clock(engine: str) -> Callable[[], float]:
    """CPU seconds of this process and, where there is one, of the database's process for us."""
    if engine == "sqlite":
        return time.process_time
    backend = db.session.scalar(text("SELECT pg_backend_pid()"))
    spent = Path(f"/proc/{backend}/schedstat")  # nanoseconds; /proc/PID/stat knows only ticks
    return lambda: time.process_time() + int(spent.read_text().split()[0]) / 1e9


def fill(people: Register) -> list[int]:
    """Everybody in the database; their ids in the order of the register."""
    ids: list[int] = []
    for start in range(0, len(people.people), PART):
        with transaction():
            part = patients.create_many(SYSTEM, people.people[start : start + PART])
            ids += [patient.id for patient in part]
        db.session.expunge_all()
    if db.engine.dialect.name == "sqlite":
        worker.refresh_statistics(utcnow())
    else:  # what its autovacuum does
        with transaction() as session:
            session.execute(text("ANALYZE"))
    return ids


# Asking


def groups(people: Register, count: int) -> dict[str, list[Query]]:
    """Who comes: people of the register, and three kinds of new ones."""
    return {
        "returning": mistakes.returning(people, count, lambda _: True),
        "with a NIK": mistakes.returning(people, count, lambda one: bool(one.nik)),
        "strangers": mistakes.strangers(people, count),
        "siblings": mistakes.relatives(people, count, register.sibling_of),
        "twins": mistakes.relatives(people, count, register.twin_of),
    }


ASKED = [
    *(("returning", FULL), ("returning", BARE), ("with a NIK", NIK)),
    *((kind, scenario) for scenario in (FULL, BARE) for kind in MOST_FALSE),
]
Note = Callable[[Outcome, Query, list[LikelyMatch]], None]


def ask_all(
    asked: dict[str, list[Query]], ids: list[int], cpu: Callable[[], float], note: Note
) -> list[Outcome]:
    for query in asked["returning"][:WARM_UP]:
        look(mistakes.bare(query.typed))
    return [ask(Outcome(*pair), asked[pair[0]], ids, cpu, note) for pair in ASKED]


def ask(
    outcome: Outcome, queries: list[Query], ids: list[int], cpu: Callable[[], float], note: Note
) -> Outcome:
    for query in queries:
        typed = FILLED[outcome.scenario](query.typed)
        cpu_before, before = cpu(), time.perf_counter()
        found = look(typed)
        outcome.wall.append(time.perf_counter() - before)
        outcome.cpu.append(cpu() - cpu_before)
        if not outcome.note(found, None if query.place is None else ids[query.place]):
            note(outcome, query, found)
        db.session.rollback()  # each request has a transaction of its own
        db.session.expunge_all()
    return outcome


def look(typed: patients.Identity) -> list[LikelyMatch]:
    """As the counter asks, family and all."""
    return search.likely(search.person_of(typed), with_family=True)


# Reporting

HEAD = (
    f"{'database':<11}{'who':<12}{'known of them':<28}{'n':>6}{'first':>7}{'in 5':>7}{'>= 8':>7}"
    f"{'>= 10':>7}{'false 8':>9}{'false 10':>9}{'p50 ms':>8}{'p95':>7}{'p99':>7}{'CPU p95':>9}"
)


def line(engine: str, one: Outcome) -> str:
    names = ("first", "shown", "possible", "strong")
    known = [f"{one.share(name):>7.3f}" for name in names]
    if one.kind in MOST_FALSE:
        known = [f"{'':>7}"] * len(names)
    times = [percentile(one.wall, share) for share in (0.5, 0.95, 0.99)]
    return (
        f"{engine:<11}{one.kind:<12}{one.scenario:<28}{one.count:>6}{''.join(known)}"
        f"{one.share('false_possible'):>9.3f}{one.share('false_strong'):>9.3f}"
        f"{times[0]:>8.1f}{times[1]:>7.1f}{times[2]:>7.1f}{percentile(one.cpu, 0.95):>9.1f}"
    )


def aims(engine: str, outcomes: list[Outcome]) -> list[Aim]:
    by = {(one.kind, one.scenario): one for one in outcomes}
    bare = by["returning", BARE]
    found = [
        _at_least(f"{engine}: shown in the first five, scenario B", bare.share("shown"), 0.95),
        _at_least(f"{engine}: right person interrupts, scenario B", bare.share("strong"), 0.85),
    ]
    for scenario in (FULL, BARE):
        for kind, most in MOST_FALSE.items():
            what = f"{engine}: false interrupts, {kind}, scenario {scenario[0]}"
            found.append(_at_most(what, by[kind, scenario].share("false_strong"), most))
    everyone = [seconds for one in outcomes for seconds in one.cpu]
    what = f"{engine}: lookup, all scenarios, CPU p95 ms"
    return [*found, _at_most(what, percentile(everyone, 0.95), LOOKUP_BUDGET)]


def _at_least(what: str, value: float, least: float) -> Aim:
    return Aim(what, value, f">= {least}", value >= least)


def _at_most(what: str, value: float, most: float) -> Aim:
    return Aim(what, value, f"<= {most}", value <= most)


def figures(engine: str, one: Outcome) -> dict:
    counts = {name: value for name, value in asdict(one).items() if name not in ("wall", "cpu")}
    times = {
        f"{clock}_{name}_ms": round(percentile(getattr(one, clock), share), 2)
        for clock in ("wall", "cpu")
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }
    return {"engine": engine, **counts, **times}


@dataclass
class Report:
    lines: list[str] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)
    figures: list[dict] = field(default_factory=list)


def run(plan: Plan, note: Note = lambda *_: None) -> Report:
    """The whole measurement; PostgreSQL is left out, in a sentence, where it is not installed."""
    people = register.build(plan.people, plan.seed)
    if plan.has_addresses:
        people = addresses.housed(people)
    asked = groups(people, plan.queries)
    if plan.has_addresses:
        asked = addresses.told(asked, plan.seed)
    report = Report([HEAD])
    for engine in plan.engines:
        if engine == "postgresql" and not postgres.is_installed():
            report.lines.append("PostgreSQL is not installed and was left out.")
            continue
        with opened(engine) as cpu:
            ids = fill(people)
            busy, began = machine_busy_seconds(), time.perf_counter()
            outcomes = ask_all(asked, ids, cpu, note)
            busy = (machine_busy_seconds() - busy) / (time.perf_counter() - began)
        report.lines += [line(engine, one) for one in outcomes]
        report.lines.append(f"{busy:.1f} of {os.cpu_count()} cores were busy, this one included.")
        report.aims += aims(engine, outcomes)
        report.figures += [figures(engine, one) for one in outcomes]
    return report


def print_miss(outcome: Outcome, query: Query, found: list[LikelyMatch]) -> None:
    """One answer that was not what one wishes for."""
    typed = query.typed
    print(f"{outcome.kind}, {outcome.scenario[0]}: {typed.name} {typed.sex} {typed.birth_date}")
    for one in found[:3]:
        there = one.patient
        print(f"    {one.match.points:>5} {there.name} {there.sex} {there.birth_date}", end="  ")
        print(there.id, one.match.reasons)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.matching", description=__doc__)
    parser.add_argument("--people", type=int, default=Plan.people)
    parser.add_argument("--queries", type=int, default=Plan.queries, help="of each kind")
    parser.add_argument("--seed", type=int, default=Plan.seed, help="another register")
    parser.add_argument("--engine", choices=Plan.engines, help="one database only")
    parser.add_argument("--addresses", action="store_true", help="give families a house")
    parser.add_argument("--misses", action="store_true", help="print each wrong answer")
    given = parser.parse_args()
    engines = (given.engine,) if given.engine else Plan.engines
    note = print_miss if given.misses else lambda *_: None
    plan = Plan(given.people, given.queries, engines, given.seed, given.addresses)
    report = run(plan, note)
    print("\n".join([*report.lines, "", *[aim.line() for aim in report.aims]]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
