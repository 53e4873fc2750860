"""Work in a process of its own: one that hangs, eats memory or crashes takes nobody along."""

import ctypes
import json
import logging
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clinic.backup_manifest import BackupProblem

log = logging.getLogger("alur.side_work")
STANDARD_FILES = 3
MOST_FILES = 4096
END_SECONDS = 2
NICENESS = 9
PR_SET_PDEATHSIG = 1
# What a process may use that reads a file from elsewhere.
DISTRUST = {resource.RLIMIT_CORE: 0, resource.RLIMIT_AS: 1024**3, resource.RLIMIT_NOFILE: 64}


def in_child(
    work: Callable[[], Any], *, seconds: float, limits: Mapping[int, int] | None = None
) -> Any:
    """What `work` returns (as JSON takes it). Raises BackupProblem: its own, or that it hung.

    A child that even SIGKILL doesn't end, as on a dead network disk, is left behind.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        _be_child(work, writer, limits or {})
    os.close(writer)
    try:
        told = _read_all(reader, time.monotonic() + seconds)
    finally:
        os.close(reader)
        _end(pid)
    if told is None:
        raise BackupProblem("Tidak menjawab.")
    answer = json.loads(told or '{"problem": "Proses pembacanya berhenti mendadak."}')
    if "problem" in answer:
        raise BackupProblem(answer["problem"])
    return answer["result"]


def _be_child(work: Callable[[], Any], writer: int, limits: Mapping[int, int]) -> None:
    """Never returns; holds none of the parent's files, so none of its locks."""
    answer: dict[str, Any] = {"problem": "Kesalahan yang tidak terduga; sebabnya ada di log."}
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _end_with_parent()
        os.nice(NICENESS)
        os.closerange(STANDARD_FILES, writer)
        os.closerange(writer + 1, MOST_FILES)
        for kind, most in limits.items():
            if kind == resource.RLIMIT_AS:  # over what came with the fork, which may be large
                most += _address_space()
            resource.setrlimit(kind, (most, most))
        answer = {"result": work()}
    except BackupProblem as problem:
        answer = {"problem": str(problem)}
    except MemoryError:
        answer = {"problem": "Berkas ini meminta memori terlalu banyak."}
    except BaseException:
        log.exception("work in a child failed")
    finally:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        os._exit(0)


def _address_space() -> int:
    """Bytes that this process has mapped, used or not (Linux; elsewhere 0)."""
    try:
        pages = Path("/proc/self/statm").read_text("ascii").split()[0]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


def _end_with_parent() -> None:
    """Whoever would have read the answer is gone (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _read_all(reader: int, until: float) -> bytes | None:
    """Until the child closes it; None when that takes too long."""
    found = b""
    while (left := until - time.monotonic()) > 0:
        if select.select([reader], [], [], left)[0]:
            piece = os.read(reader, 65536)
            if not piece:
                return found
            found += piece
    return None


def _end(pid: int) -> None:
    """It has said all, or had its time."""
    until = time.monotonic() + END_SECONDS
    while not os.waitpid(pid, os.WNOHANG)[0] and time.monotonic() < until:
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
