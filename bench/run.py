"""The whole benchmark: `python -m bench.run`, or a smoke test of it with `--quick`."""

import argparse
import contextlib
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from bench import clinics, database, febrl, matching, scenarios, servers, starts
from bench.load import Client, Run, Script, drive
from bench.memory import BUDGET as MEMORY_BUDGET
from bench.memory import open_every_page, settled
from bench.peak import BUDGETS, SCREENS, peak
from bench.processes import cpu_seconds, machine_busy_seconds, mebibytes, memory
from bench.report import Aim, Results, Round, percentile, ratios, table
from bench.scenarios import Ground
from db import sqlite_driver

RESULTS = Path(__file__).parent / "results"
LIKELY_BUDGET = 25  # ms, p95


@dataclass(frozen=True)
class Plan:
    sizes: tuple[int, int] = (1_000, 100_000)
    clients: tuple[int, ...] = (1, 8, 16)
    rounds: int = 3
    seconds: float = 1.0
    saves: dict[int, int] = field(default_factory=lambda: {1: 40, 8: 15, 16: 10})  # per client
    peak_seconds: float = 60.0
    factors: tuple[float, ...] = (1, 10)
    register: matching.Plan = matching.Plan()  # how people are recognised


QUICK = Plan((200, 1_000), (1, 8), 1, 0.4, {1: 10, 8: 3}, 8.0, (10,), matching.QUICK)

# Scenario, and the account that it needs; each row is measured at every server of its kind in
# turn, so that what is compared was measured side by side.
READS: list[tuple[str, Callable, str]] = [
    ("hello", scenarios.hello, "hello"),
    ("unchanged poll", scenarios.poll, "staff"),
    ("fragment", scenarios.fragment, "staff"),
    ("queue page", scenarios.floor_queue, "floor"),
    ("queue page", scenarios.queue_page, "staff"),
    ("search, name", scenarios.search_name, "clerks"),
    ("search, NIK", scenarios.search_nik, "clerks"),
    ("likely patients", scenarios.likely, "clerks"),
    ("likely, name alone", scenarios.likely_by_name, "clerks"),
]


class Bench:
    """The servers of one run, what was measured at them, and what was wrong."""

    def __init__(self, plan: Plan, folder: Path):
        self.plan = plan
        self.folder = folder
        self.results = Results()
        self.grounds: dict[str, list[Ground]] = {"hello": [], "floor": [], "alur": []}
        self.wrong: list[str] = []
        self.wrong_count = 0

    # --- Preparing ---

    def fill(self) -> None:
        say("Filling the databases: " + ", ".join(f"{size:,}" for size in self.plan.sizes) + " ...")
        started = []
        for size in self.plan.sizes:
            started.append(servers.run_module(self._data("alur", size), "bench.fill", str(size)))
            started.append(servers.run_module(self._data("floor", size), "bench.floor", str(size)))
        try:
            servers.finish(started, within=600)
        finally:
            for process in started:
                process.kill()

    def _data(self, kind: str, size: int) -> Path:
        return self.folder / f"{kind}-{size}"

    def start(self, stack: contextlib.ExitStack) -> None:
        hello = servers.flask("hello", self.folder / "hello", "bench.hello")
        self.grounds["hello"] = [Ground(stack.enter_context(hello))]
        for size in self.plan.sizes:
            floor = servers.flask("floor", self._data("floor", size), "bench.floor", size)
            self.grounds["floor"].append(Ground(stack.enter_context(floor)))
            clinic = servers.alur("alur", self._data("alur", size), size)
            ground, run = clinics.opened(stack.enter_context(clinic), max(self.plan.clients))
            self._note_wrong(run, "log in")
            self.grounds["alur"].append(ground)

    # --- Measuring ---

    def measure(self) -> None:
        for number in range(self.plan.rounds):
            say(f"Round {number + 1} of {self.plan.rounds}: reading ...")
            for count in self.plan.clients:
                self._reads(count)
        for number in range(self.plan.rounds):
            say(f"Round {number + 1} of {self.plan.rounds}: saving ...")
            for count in self.plan.clients:
                self._saves(count)

    def warm_up(self) -> None:
        kept, self.results = self.results, Results()
        quick = Plan(seconds=0.3, saves=dict.fromkeys(self.plan.clients, 2))
        plan, self.plan = self.plan, quick
        self._reads(4)
        self._saves(4)
        self.plan, self.results = plan, kept

    def _reads(self, count: int) -> None:
        for label, scenario, account in READS:
            kind = account if account in self.grounds else "alur"
            for ground in self.grounds[kind]:
                clients = getattr(ground, account, None) or self._strangers(count)
                self._measure(label, scenario, ground, clients[:count])

    @staticmethod
    def _strangers(count: int) -> list[Client]:
        return [Client(number=number) for number in range(count)]

    def _saves(self, count: int) -> None:
        for floor, clinic in zip(self.grounds["floor"], self.grounds["alur"], strict=True):
            self._measure("save", scenarios.floor_save, floor, self._strangers(count))
            clerks = clinic.clerks[:count]
            share = self.plan.saves.get(count, 2)
            run = Run()
            prepared = [(one, scenarios.prepare(run, one, clinic, share)) for one in clerks]
            drive(clinic.server.address, prepared, run)
            self._note_wrong(run, "prepare")
            self._measure("save", scenarios.save, clinic, clerks)
            self._measure("whole walk", scenarios.walk, clinic, clerks)

    def _measure(
        self, label: str, scenario: Callable[..., Script], ground: Ground, clients: list[Client]
    ) -> None:
        run, server = Run(self.plan.seconds), ground.server
        pids = server.pids
        before = cpu_seconds(pids), machine_busy_seconds(), time.process_time()
        drive(server.address, [(one, scenario(run, one, ground)) for one in clients], run)
        after = cpu_seconds(pids), machine_busy_seconds(), time.process_time()
        used, busy, own = (b - a for a, b in zip(before, after, strict=True))
        self._note_wrong(run, f"{label}, {server.name}, {server.patients}, {len(clients)} clients")
        for name, times in run.times.items():
            one = Round(
                times=times,
                per_second=len(times) / run.elapsed,
                # Only what the scenario is about: its parts share the server's time.
                cpu_ms=1000 * used / len(times) if name == label else None,
                received=run.wire[name] / len(times),
                sent=run.sent.get(name, 0),
                other_cpu=max(0.0, (busy - used - own) / run.elapsed),
            )
            self.results.add(name, server.name, server.patients, len(clients), one)

    def _note_wrong(self, run: Run, where: str) -> None:
        self.wrong_count += run.wrong_count
        self.wrong += [f"{where}: {what}" for what in run.wrong]

    def peaks(self) -> tuple[list[str], list[Aim], dict]:
        """The peak at the large database, held to half a core."""
        ground, lines, aims, kept = self.grounds["alur"][-1], [], [], {}
        for factor in self.plan.factors:
            say(f"Peak: {SCREENS} screens, {factor} x registrations and examinations ...")
            run = peak(ground, self.plan.peak_seconds, factor)
            self._note_wrong(run, f"peak, {factor} x")
            for label, times in sorted(run.times.items()):
                figures = [percentile(times, share) for share in (0.5, 0.95, 0.99, 1)]
                kept[f"{label}, {factor} x"] = [len(times), *figures]
                shown = "".join(f"{figure:>9.1f}" for figure in figures)
                lines.append(f"{factor:>4} x  {label:<28}{len(times):>7}{shown}")
            for label, budget in BUDGETS.items():
                value = percentile(run.times[label], 0.99)
                what = f"peak {factor} x on half a core: {label}, p99 ms"
                aims.append(Aim(what, value, f"<= {budget}", value <= budget))
        return lines, aims, kept

    # --- Afterwards ---

    def memory(self) -> tuple[list[str], dict[str, float]]:
        """After all this use, and at Alur after each desk's pages were opened too."""
        self._note_wrong(open_every_page(self.grounds["alur"][-1].server), "each desk's pages")
        lines, found = [], {}
        for kind, grounds in self.grounds.items():
            look = settled if kind == "alur" else memory
            uses = look(grounds[-1].server.process.pid)
            found[kind] = mebibytes(uses)
            parts = ", ".join(f"{use.pss / 2**20:.0f}" for use in uses)
            lines.append(f"{kind:<8}{found[kind]:>7.1f} MiB   ({parts})")
        return lines, found

    def check(self) -> list[str]:
        """Count what is stored; the servers have stopped."""
        lines = []
        for kind, look in (("floor", database.check_floor), ("alur", database.check_alur)):
            for ground in self.grounds[kind]:
                for found in look(ground):
                    word = "ok  " if found.is_right else "WRONG"
                    where = f"{kind}, {ground.server.patients:,} patients"
                    lines.append(f"{word} {where:<24}{found.what}: {found.details}")
                    self.wrong_count += not found.is_right
        return lines


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run_all(plan: Plan, folder: Path) -> int:
    began, bench = time.monotonic(), Bench(plan, folder)
    bench.fill()
    with contextlib.ExitStack() as stack:
        bench.start(stack)
        bench.warm_up()
        bench.measure()
        peak_lines, peak_aims, peak_figures = bench.peaks()
        memory_lines, memory_found = bench.memory()
    checked = bench.check()
    say("Starting a demo clinic, and again ...")
    start_aims = starts.measure(folder / "starts")
    say("Recognising people: an invented register, and FEBRL ...")
    known = matching.run(plan.register)
    febrl_lines, febrl_aims = febrl.run()
    aims = ratios(bench.results, plan.sizes, plan.clients)
    lookup = bench.results.row("likely patients", "alur", plan.sizes[1], 1).at(0.95)
    what = f"duplicate lookup at {plan.sizes[1]:,} patients, p95 ms"
    aims.append(Aim(what, lookup, f"<= {LIKELY_BUDGET}", lookup <= LIKELY_BUDGET))
    used = memory_found["alur"]
    what = "memory of web and worker, each desk in use, PSS MiB"
    aims.append(Aim(what, used, f"<= {MEMORY_BUDGET}", used <= MEMORY_BUDGET))
    aims += [*start_aims, *peak_aims, *known.aims, *febrl_aims]
    rows = bench.results.sorted()
    lines = [machine(), "", *table(rows), "", "Aims", *[aim.line() for aim in aims]]
    head = f"{'Peak, half a core':<35}{'n':>7}{'p50 ms':>9}{'p95':>9}{'p99':>9}{'most':>9}"
    lines += ["", head, *peak_lines, "", "Memory after use of each desk (PSS)", *memory_lines]
    lines += ["", "Recognising people", *known.lines, "", "FEBRL", *febrl_lines]
    lines += ["", f"Answers with wrong content: {bench.wrong_count}", *bench.wrong[:10], *checked]
    minutes = (time.monotonic() - began) / 60
    lines += ["", f"{minutes:.1f} minutes. How to read this: bench/README.md"]
    print("\n".join(lines))
    keep(
        {
            "machine": machine(),
            "minutes": round(minutes, 1),
            "rows": [row.summary() for row in rows],
            "aims": [asdict(aim) for aim in aims],
            "matching": known.figures,
            "peak": peak_figures,
            "memory_mib": memory_found,
            "wrong": bench.wrong_count,
            "checked": checked,
        },
        lines,
    )
    return 1 if bench.wrong_count else 0


def machine() -> str:
    return (
        f"{datetime.now():%Y-%m-%d %H:%M}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, SQLite {sqlite_driver.sqlite_version}, "
        "clients on the same cores"
    )


def keep(figures: dict, lines: list[str]) -> None:
    RESULTS.mkdir(exist_ok=True)
    name = RESULTS / f"{datetime.now():%Y%m%d-%H%M%S}"
    name.with_suffix(".json").write_text(json.dumps(figures, indent=1))
    name.with_suffix(".txt").write_text("\n".join(lines) + "\n")
    say(f"Kept in {name.relative_to(Path.cwd())}.json and .txt")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test, under a minute")
    plan = QUICK if parser.parse_args().quick else Plan()
    with tempfile.TemporaryDirectory(prefix="alur-bench-") as folder:
        return run_all(plan, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
