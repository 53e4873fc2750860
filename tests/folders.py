"""Folders that a test run leaves to nobody: removed at its end, or by the next run if killed."""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

_NAMED = re.compile(r"alur-test-(\d+)-")
# In a container /dev/shm often has 64 MB, which the databases of one run outgrow.
ROOM = 1024**3


def temporary_folder(where: Path | None = None) -> Path:
    """An empty folder under `where` (default: in memory, tests must not wait for the disk)."""
    parent = where or _roomiest()
    _remove_orphans(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"alur-test-{os.getpid()}-", dir=parent))
    atexit.register(_remove, folder, os.getpid())
    return folder


def _roomiest() -> Path:
    memory = Path("/dev/shm")  # noqa: S108
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOM:
        return memory
    return Path(tempfile.gettempdir())


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # not a fork that came by the same exit handlers
        shutil.rmtree(folder, ignore_errors=True)


def _remove_orphans(parent: Path) -> None:
    for folder in parent.glob("alur-test-*"):
        named = _NAMED.match(folder.name)
        if named and not _is_running(int(named[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
