"""Folders that a test run leaves to nobody: removed at its end, or by the next run if killed."""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

_NAMED = re.compile(r"alur-test-(\d+)-")


def temporary_folder(where: Path | None = None) -> Path:
    """An empty folder under `where` (default: in memory, tests must not wait for the disk)."""
    shm = Path("/dev/shm")  # noqa: S108
    parent = where or (shm if os.access(shm, os.W_OK) else Path(tempfile.gettempdir()))
    _remove_orphans(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"alur-test-{os.getpid()}-", dir=parent))
    atexit.register(_remove, folder, os.getpid())
    return folder


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
