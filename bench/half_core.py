"""Holds processes to a share of one core: `python -m bench.half_core SHARE PID...`, until ended.

As the kernel's own bandwidth control does it: in each period of 100 ms they get SHARE of it as
processor time, all together; once that is used they stand still until the next period. Done
with SIGSTOP and SIGCONT, because a control group needs root.
"""

import contextlib
import os
import signal
import sys
import time

PERIOD = 0.1
TICK = 0.004


def used(pids: list[int]) -> float:
    """Processor seconds of these processes, all their threads, by their own clocks."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += time.clock_gettime((~pid << 3) | 2)
    return total


def tell(pids: list[int], what: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, what)


def hold(share: float, pids: list[int]) -> None:
    while True:
        ends, allowed = time.monotonic() + PERIOD, used(pids) + share * PERIOD
        while (left := ends - time.monotonic()) > 0:
            if used(pids) >= allowed:
                tell(pids, signal.SIGSTOP)
                time.sleep(left)
                tell(pids, signal.SIGCONT)
                break
            time.sleep(min(TICK, left))


def _end(*_: object) -> None:
    raise SystemExit


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    limited = [int(word) for word in sys.argv[2:]]
    try:
        hold(float(sys.argv[1]), limited)
    finally:
        tell(limited, signal.SIGCONT)
