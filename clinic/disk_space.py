"""Room on the disk where the clinic's files are, and a file that keeps some of it back.

The ballast only takes room. A save that finds the disk full gives half of it up by itself, so
that people can go on, and log in, while the disk is cleared; a button gives up all of it.
"""

import os
import shutil
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from formatting import number_text

MB = 1024**2
GB = 1024**3
# On small disks the marks lie lower: a fifth and a twentieth of them.
LOW, ALARM = 2 * GB, 500 * MB
BALLAST = "ballast"
BALLAST_SIZE, SMALL_DISK_PART = 256 * MB, 40


class Room(IntEnum):
    ENOUGH = 0
    SHRINKING = 1  # less than a tenth is free
    LOW = 2
    ALARM = 3


@dataclass(frozen=True)
class Space:
    free: int
    total: int

    @property
    def room(self) -> Room:
        if self.free < min(ALARM, self.total // 20):
            return Room.ALARM
        if self.free < min(LOW, self.total // 5):
            return Room.LOW
        return Room.SHRINKING if self.free < self.total // 10 else Room.ENOUGH


def space(folder: Path) -> Space:
    """What is free there for who is not root."""
    usage = shutil.disk_usage(folder)
    return Space(usage.free, usage.total)


def is_full(folder: Path) -> bool:
    """Whether nothing can be written there any more."""
    return space(folder).free < MB


def held_back(data: Path) -> int:
    """Size of the ballast, 0 when it was given up."""
    path = data / BALLAST
    return path.stat().st_size if path.exists() else 0


def hold_back(data: Path) -> bool:
    """Lay the whole ballast once there is plenty of room; true when done."""
    there = space(data)
    size = min(BALLAST_SIZE, there.total // SMALL_DISK_PART)
    if held_back(data) >= size or Space(there.free - 2 * size, there.total).room >= Room.LOW:
        return False
    aside = data / "tmp" / BALLAST
    with aside.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)
    aside.replace(data / BALLAST)
    return True


def give_up_half(data: Path) -> int:
    """Half of what is left of it, for what may fill the disk again; the bytes that became free."""
    size = held_back(data)
    if size < 2 * MB:
        return give_up(data)
    os.truncate(data / BALLAST, size // 2)
    return size - size // 2


def give_up(data: Path) -> int:
    """Remove the ballast; the bytes that became free."""
    size = held_back(data)
    (data / BALLAST).unlink(missing_ok=True)
    return size


def size_text(size: int) -> str:
    """Such as "12,4 MB"."""
    for unit, factor in (("GB", GB), ("MB", MB)):
        if size >= factor:
            return f"{number_text(round(size / factor, 1))} {unit}"
    return f"{number_text(round(size / 1024))} KB"
