"""Memory of Alur, web server and worker together, as proportional set size.

python -m bench.memory PID     of a running `make run`: every process that this one has started
python -m bench.memory         of a clinic with 2,000 patients, after it was used for a while
"""

import sys
import tempfile
from pathlib import Path

from bench import clinics, scenarios, servers
from bench.load import Run, drive
from bench.processes import MIB, Usage, mebibytes, memory

BUDGET = 150  # MiB
PATIENTS = 2_000
CLIENTS = 8
SECONDS = 3.0  # of each kind of use
USES = [
    (scenarios.queue_page, "staff"),
    (scenarios.poll, "staff"),
    (scenarios.search_name, "clerks"),
    (scenarios.likely, "clerks"),
    (scenarios.walk, "clerks"),
]


def used_clinic(folder: Path) -> list[Usage]:
    """Start a clinic, let many people work in it at once, and look at its processes."""
    servers.finish([servers.run_module(folder, "bench.fill", str(PATIENTS))], within=120)
    with servers.alur("alur", folder, PATIENTS) as server:
        ground, run = clinics.opened(server, CLIENTS)
        for scenario, account in USES:
            run = Run(SECONDS)
            scripts = [(one, scenario(run, one, ground)) for one in getattr(ground, account)]
            drive(server.address, scripts, run)
        return memory(server.process.pid)


def table(uses: list[Usage]) -> str:
    lines = [f"{'PID':>8}{'PSS MiB':>9}{'RSS MiB':>9}  command"]
    for use in uses:
        words = " ".join(Path(word).name for word in use.command.split()[:6])
        lines.append(f"{use.pid:>8}{use.pss / MIB:>9.1f}{use.rss / MIB:>9.1f}  {words[:60]}")
    lines.append(f"{'together':>8}{mebibytes(uses):>9.1f}           budget {BUDGET}")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    if arguments:
        uses = memory(int(arguments[0]))
    else:
        with tempfile.TemporaryDirectory(prefix="alur-bench-") as folder:
            uses = used_clinic(Path(folder))
    print(table(uses))
    return int(mebibytes(uses) > BUDGET)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
