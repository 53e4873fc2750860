"""Numbers into sentences and tables."""

from dataclasses import dataclass, field
from statistics import median

# A round in which strangers used more of a core than this is left out, if a quieter one exists.
QUIET = 0.35


def percentile(times: list[float], share: float) -> float:
    """Nearest rank, in milliseconds."""
    ordered = sorted(times)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True)
class Round:
    """One measurement of a few seconds."""

    times: list[float]
    per_second: float
    cpu_ms: float | None  # of the server, per request
    received: float  # bytes of an answer on the wire
    sent: int
    other_cpu: float


@dataclass
class Row:
    """One scenario at one server with so many clients, all its rounds."""

    label: str
    server: str
    patients: int
    clients: int
    rounds: list[Round] = field(default_factory=list)

    @property
    def quiet(self) -> list[Round]:
        calm = [one for one in self.rounds if one.other_cpu <= QUIET]
        return calm or [min(self.rounds, key=lambda one: one.other_cpu)]

    def at(self, share: float) -> float:
        return percentile([seconds for one in self.quiet for seconds in one.times], share)

    @property
    def per_second(self) -> float:
        return median(one.per_second for one in self.quiet)

    @property
    def cpu_ms(self) -> float | None:
        known = [one.cpu_ms for one in self.quiet if one.cpu_ms is not None]
        return median(known) if known else None

    def summary(self) -> dict:
        return {
            "label": self.label,
            "server": self.server,
            "patients": self.patients,
            "clients": self.clients,
            "requests": sum(len(one.times) for one in self.quiet),
            "p50_ms": round(self.at(0.5), 2),
            "p95_ms": round(self.at(0.95), 2),
            "p99_ms": round(self.at(0.99), 2),
            "per_second": round(self.per_second, 1),
            "cpu_ms": None if self.cpu_ms is None else round(self.cpu_ms, 2),
            "bytes_received": round(median(one.received for one in self.quiet)),
            "bytes_sent": median(one.sent for one in self.quiet),
            "other_cpu": round(max(one.other_cpu for one in self.quiet), 2),
            "rounds_left_out": len(self.rounds) - len(self.quiet),
        }


HEAD = (
    f"{'scenario':<22}{'server':<8}{'patients':>9}{'clients':>8}{'p50 ms':>9}{'p95':>8}{'p99':>8}"
    f"{'per s':>9}{'CPU ms':>8}{'bytes':>8}{'others':>8}"
)


def table(rows: list[Row]) -> list[str]:
    lines, before = [HEAD], ""
    for row in rows:
        one = row.summary()
        if row.label != before and before:
            lines.append("")
        before = row.label
        cpu = "" if one["cpu_ms"] is None else f"{one['cpu_ms']:.2f}"
        lines.append(
            f"{row.label:<22}{row.server:<8}{row.patients or '':>9}{row.clients:>8}"
            f"{one['p50_ms']:>9.2f}{one['p95_ms']:>8.1f}{one['p99_ms']:>8.1f}"
            f"{one['per_second']:>9.1f}{cpu:>8}{one['bytes_received']:>8}{one['other_cpu']:>8.2f}"
        )
    return lines


@dataclass(frozen=True)
class Aim:
    """One aim of the design, what was measured, and whether it is kept."""

    what: str
    value: float
    aim: str
    is_kept: bool

    def line(self) -> str:
        return (
            f"{'ok  ' if self.is_kept else 'MISS'} {self.what:<66}{self.value:>9.3f}   {self.aim}"
        )


class Results:
    """All rows, found by what they measure."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, int, int], Row] = {}

    def add(self, label: str, server: str, patients: int, clients: int, one: Round) -> None:
        key = (label, server, patients, clients)
        self.rows.setdefault(key, Row(*key)).rounds.append(one)

    def row(self, label: str, server: str, patients: int, clients: int) -> Row:
        return self.rows[label, server, patients, clients]

    def sorted(self) -> list[Row]:
        first = list(dict.fromkeys(row.label for row in self.rows.values()))
        order = {"hello": 0, "floor": 1, "alur": 2}
        return sorted(
            self.rows.values(),
            key=lambda r: (first.index(r.label), order[r.server], r.patients, r.clients),
        )


def ratios(results: Results, sizes: tuple[int, int], clients: tuple[int, ...]) -> list[Aim]:
    """Alur against the floor and hello, and against itself with fewer patients.

    With one client by the median time, with more by what a second brings: each client waits then
    for the others, and its time says little about the server.
    """
    small, large = sizes
    aims = []
    for count in clients:
        how = "time at 1 client" if count == 1 else f"rate at {count} clients"
        for label in ("save", "queue page"):
            value = _slower(
                results.row(label, "alur", large, count), results.row(label, "floor", large, count)
            )
            aims.append(Aim(f"{label} / floor, {how}", value, "<= 3", value <= 3))
        polls = results.row("unchanged poll", "alur", large, count)
        hello = results.row("hello", "hello", 0, count)
        value = polls.per_second / hello.per_second
        what = f"unchanged poll / hello, rate at {count} clients"
        aims.append(Aim(what, value, ">= 0.6", value >= 0.6))
        for label in ("save", "queue page", "unchanged poll"):
            value = _slower(
                results.row(label, "alur", large, count), results.row(label, "alur", small, count)
            )
            what = f"{label}, {large:,} / {small:,} patients, {how}"
            aims.append(Aim(what, value, "<= 1.1", value <= 1.1))
    return aims


def _slower(one: Row, other: Row) -> float:
    if one.clients == 1:
        return one.at(0.5) / other.at(0.5)
    return other.per_second / one.per_second
