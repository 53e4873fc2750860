"""How long `make run` takes until it answers: at first, with a demo clinic to make, and again.

python -m bench.starts
"""

import sys
import tempfile
import time
from pathlib import Path

from bench import servers
from bench.processes import cpu_seconds_of_all
from bench.report import Aim

AIMS = {"first start, with its demo data": 30, "second start of the same folder": 5}  # seconds


def measure(folder: Path) -> list[Aim]:
    """Seconds from the command to the first answer; without what `make run` downloads before."""
    aims = []
    for what, most in AIMS.items():
        began = time.monotonic()
        with servers.alur("start", folder, ALUR_DEMO="1") as server:
            took = time.monotonic() - began
            used = cpu_seconds_of_all(server.process.pid)
        aims.append(Aim(f"{what}, s ({used:.1f} s of CPU)", took, f"<= {most}", took <= most))
    return aims


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="alur-bench-") as folder:
        aims = measure(Path(folder))
    print("\n".join(aim.line() for aim in aims))
    return int(not all(aim.is_kept for aim in aims))


if __name__ == "__main__":
    sys.exit(main())
