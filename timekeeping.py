"""The one source of time: whatever is stored is dated by `now()`, which all know as `db.utcnow`.

A computer's clock may jump: a dead battery, a hand, a time server. The time since it was switched
on never does, so the two tell a jump at once. Until `clinic.clock` has judged it, the clinic's
time goes on as it was before.
"""

import contextlib
import mmap
import time
from datetime import UTC, datetime
from pathlib import Path

STEP = 60.0  # seconds; less is a time server at work, and simply followed
# Of the clinic's time: nothing is known; as judged; going on as before a jump; the newest known.
UNKNOWN, RIGHT, HELD, GUESSED = range(4)
# Made before any fork, so that all processes go by the same: the instant at which the computer was
# switched on, by the clock as it was judged; what its clock is corrected by; the state.
_shared = memoryview(mmap.mmap(-1, 24)).cast("d")
_START, _OFFSET, _STATE = range(3)


def system_now() -> datetime:
    """What the computer's own clock says."""
    return datetime.fromtimestamp(time.time(), UTC)


def uptime() -> float:
    """Seconds since the computer was switched on, those asleep too where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot() -> str:
    """A name for this run of the computer: `uptime` means something within it only."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def now() -> datetime:
    """The clinic's time."""
    system = time.time()  # once: between two looks it may jump
    if not _is_steady(system):
        return continued()
    return datetime.fromtimestamp(system + _shared[_OFFSET], UTC)


def continued() -> datetime:
    """The clinic's time if no clock had jumped since it was judged, or held."""
    return datetime.fromtimestamp(uptime() + _shared[_START] + _shared[_OFFSET], UTC)


def _is_steady(system: float) -> bool:
    return not _shared[_STATE] or abs(system - uptime() - _shared[_START]) < STEP


def is_fine() -> bool:
    """Whether the clock goes on as it was judged: asked by every poll, without the database."""
    return _shared[_STATE] == RIGHT and _is_steady(time.time())


def state() -> int:
    return int(_shared[_STATE])


def offset() -> float:
    """What the computer's clock is corrected by, in seconds; mostly 0."""
    return _shared[_OFFSET]


def adopt(system: datetime, offset: float) -> None:
    """The computer's clock, which just said `system`, is right with this correction."""
    _shared[_START], _shared[_OFFSET] = system.timestamp() - uptime(), offset
    _shared[_STATE] = RIGHT


def hold(at: datetime, *, goes_on: bool) -> None:
    """Whatever the computer's clock says, it is this time: surely (`goes_on`) or at least."""
    _shared[_START], _shared[_OFFSET] = at.timestamp() - uptime(), 0.0
    _shared[_STATE] = HELD if goes_on else GUESSED


def forget() -> None:
    """What was adopted has not been stored: judge anew."""
    _shared[_STATE] = UNKNOWN
