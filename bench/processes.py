"""What the processes of a server use: /proc of Linux, read for a whole tree of processes."""

import os
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")

MIB = 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """Proportional set size counts a page that n processes share as 1/n in each of them."""

    pid: int
    command: str
    pss: int  # bytes
    rss: int


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def tree(root: int) -> list[int]:
    """This process and everything it has started that still runs."""
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            fields = _stat(int(entry))
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += parents.get(pid, [])
    return found


def cpu_seconds(pids: list[int]) -> float:
    """Processor time that these have used so far, in the kernel too."""
    fields = [_stat(pid) for pid in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields if field) / TICK


def cpu_seconds_of_all(root: int) -> float:
    """Processor time of this process and everything it has started, what has ended included."""
    fields = [_stat(pid) for pid in tree(root)]
    return sum(sum(map(int, field[11:15])) for field in fields if field) / TICK


def machine_busy_seconds() -> float:
    """Processor time of everybody on this machine; tells how quiet it was."""
    times = [int(part) for part in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    idle = times[3] + times[4]
    return (sum(times[:8]) - idle) / TICK


def usage(pid: int) -> Usage | None:
    """Memory of one process; None when it is gone."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return None
    sizes = {line.split()[0]: int(line.split()[1]) * 1024 for line in rollup}
    return Usage(pid, command, sizes["Pss:"], sizes["Rss:"])


def memory(root: int) -> list[Usage]:
    """Every process of this tree, biggest first."""
    found = [use for pid in tree(root) if (use := usage(pid))]
    return sorted(found, key=lambda use: -use.pss)


def mebibytes(uses: list[Usage]) -> float:
    return sum(use.pss for use in uses) / MIB
