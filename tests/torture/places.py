"""Disks of our own to torment: they need root, and say so where it can't be had."""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

EXT4_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")


@contextlib.contextmanager
def small_memory_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    place = folder / "small"
    place.mkdir()
    _or_skip("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "alur-torture", place)
    try:
        yield place
    finally:
        run("umount", "-l", str(place))


class LoopDisk:
    """An ext4 in a file, which can lose its power."""

    def __init__(self, folder: Path, megabytes: int = 256):
        self.image, self.place = folder / "disk.img", folder / "disk"
        self.place.mkdir()
        with self.image.open("wb") as file:
            file.truncate(megabytes * 1024 * 1024)
        run("mkfs.ext4", "-q", "-F", str(self.image))
        self.mount()

    def mount(self) -> None:
        run("mount", "-o", "loop", str(self.image), str(self.place))

    def cut_power(self) -> None:
        """From here on nothing reaches the disk, what was not synced is lost."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def unmount(self) -> None:
        run("umount", str(self.place))


@contextlib.contextmanager
def loop_disk(folder: Path) -> Iterator[LoopDisk]:
    if not shutil.which("mkfs.ext4"):
        pytest.skip("there is no mkfs.ext4")
    try:
        disk = LoopDisk(folder)
    except OSError as problem:
        pytest.skip(f"no loop disk can be mounted here: {problem}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk.place)], capture_output=True)


def _or_skip(*command: object) -> None:
    try:
        run(*map(str, command))
    except OSError as problem:
        pytest.skip(f"nothing can be mounted here: {problem}")
