"""Disks of our own to torment, and what else a torture needs: `why_not` says what can't be had."""

import contextlib
import fcntl
import functools
import os
import platform
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests import postgres
from tests.folders import temporary_folder
from tests.test_clock_jumps import LIBRARY

EXT4_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2
MEGABYTES = 320


def run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [str(done.returncode)]
        raise OSError(f"{command[0]}: {said[0]}")


class Folder:
    """Where no disk can be made: a place like any other."""

    def __init__(self, folder: Path):
        self.place = folder / "disk"
        self.place.mkdir()

    def remove(self) -> None:
        pass


class MemoryDisk(Folder):
    """A small disk, which can be filled and made read-only."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.mount()

    def mount(self) -> None:
        run("mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "alur-torture", self.place)

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """A second mount over the first one: the kernel refuses to change one that is written to.

        What was opened before goes on writing, whatever is opened now can only be read.
        """
        run("mount", "--bind", self.place, self.place)
        try:
            run("mount", "-o", "remount,bind,ro", self.place)
            yield
        finally:
            run("umount", "-l", self.place)

    def remove(self) -> None:
        subprocess.run(["umount", "-l", str(self.place)], capture_output=True)


class LoopDisk(MemoryDisk):
    """An ext4 in a file, which can lose its power too."""

    def __init__(self, folder: Path):
        self.image = folder / "disk.img"
        with self.image.open("wb") as file:
            file.truncate(MEGABYTES * 1024 * 1024)
        run("mkfs.ext4", "-q", "-F", self.image)
        super().__init__(folder)

    def mount(self) -> None:
        run("mount", "-o", "loop", self.image, self.place)

    def unmount(self) -> None:
        run("umount", self.place)

    def cut_power(self) -> None:
        """From here on nothing reaches the disk, what was not synced is lost."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)


def disk(folder: Path) -> Folder:
    """The best that can be had here."""
    kind = MemoryDisk if why_not("ext4") else LoopDisk
    return (Folder if why_not("mount") else kind)(folder)


# --- What this computer allows ------------------------------------------------------------------


@contextlib.contextmanager
def _tried(kind: type[MemoryDisk]) -> Iterator[MemoryDisk]:
    folder = temporary_folder(Path(tempfile.gettempdir()))
    try:
        made = kind(folder)
        yield made
        made.remove()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mount() -> None:
    with _tried(MemoryDisk) as disk, disk.read_only():
        pass


def _ext4() -> None:
    with _tried(LoopDisk) as disk:
        disk.cut_power()


def _freeze() -> None:
    with _tried(LoopDisk) as disk:
        run("fsfreeze", "-f", disk.place)
        run("fsfreeze", "-u", disk.place)


def _strace() -> None:
    with subprocess.Popen(["sleep", "1"]) as other:  # it attaches, and ends with that
        run("strace", "-qq", "-o", "/dev/null", "-p", other.pid)


def _faketime() -> None:
    if not LIBRARY or platform.machine() != "x86_64":
        raise OSError("libfaketime is not installed")


def _postgresql() -> None:
    if not postgres.is_installed():
        raise OSError("PostgreSQL is not installed")


PROBES = {
    "mount": _mount,
    "ext4": _ext4,
    "fsfreeze": _freeze,
    "strace": _strace,
    "libfaketime": _faketime,
    "postgresql": _postgresql,
}


@functools.cache
def why_not(need: str) -> str:
    """Why this can't be had here, tried out; empty when it can."""
    try:
        PROBES[need]()
    except OSError as problem:  # also a program that is missing
        return f"no {need} here ({problem})"
    return ""
