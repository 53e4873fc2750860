"""Memory of Alur, web server and worker together, as proportional set size.

python -m bench.memory PID     of a running `make run`: every process that this one has started
python -m bench.memory         of a clinic with 2,000 patients, after it was used for a while and
                               each desk's pages were opened
"""

import html
import re
import sys
import tempfile
import time
from pathlib import Path

from bench import clinics, pages, scenarios, servers
from bench.load import Client, Request, Run, Script, drive
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
DESKS = ("loket", "umum", "gigi", "kia", "lab", "farmasi", "rekammedis", "kepala", "ti")
PAGES = 120  # of one desk, a page of each kind
LOOKS, LOOK_EVERY = 21, 0.4  # seconds
LINK = re.compile(r'href="(/(?!static/)[^"#]*)')
REF = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\?.*")


def used_clinic(folder: Path) -> list[Usage]:
    """Start a clinic, let many people work in it at once, and look at its processes."""
    servers.finish([servers.run_module(folder, "bench.fill", str(PATIENTS))], within=120)
    with servers.alur("alur", folder, PATIENTS) as server:
        ground, run = clinics.opened(server, CLIENTS)
        for scenario, account in USES:
            run = Run(SECONDS)
            scripts = [(one, scenario(run, one, ground)) for one in getattr(ground, account)]
            drive(server.address, scripts, run)
        open_every_page(server)
        return settled(server.process.pid)


def open_every_page(server: servers.Server) -> Run:
    """Each account reads what it can, one after the other; what was wrong meanwhile."""
    run = Run()
    for username in DESKS:
        client = Client()
        drive(server.address, [(client, every_page(run, client, username))], run)
    return run


def every_page(run: Run, client: Client, username: str) -> Script:
    """What this account can read, by the links from its desk on: a page of each kind once."""
    yield from pages.log_in(run, client, username, "/bantuan")
    waiting, kinds = ["/"], set()
    while waiting and len(kinds) < PAGES:
        path = waiting.pop(0)
        if REF.sub("*", path) in kinds:
            continue
        kinds.add(REF.sub("*", path))
        answer = yield Request("GET", path)
        if pages.location(answer):
            waiting.insert(0, pages.location(answer))
        elif "text/html" in answer.headers.get("content-type", ""):
            waiting += map(html.unescape, LINK.findall(answer.text))
    run.expect(len(kinds) > 5, f"pages for {username}")


def settled(root: int) -> list[Usage]:
    """What is usual while no background work is done, which comes as a fork for a moment."""
    looks = []
    for _ in range(LOOKS):
        time.sleep(LOOK_EVERY)
        looks.append(memory(root))
    fewest = min(map(len, looks))
    alone = sorted((one for one in looks if len(one) == fewest), key=mebibytes)
    return alone[len(alone) // 2]


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
