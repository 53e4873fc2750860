"""Keeps patients out of the logs, whatever a library writes there, and the logs small.

Besides stderr, which the service manager keeps, there is a file in ALUR_DATA/logs: what stands
there can be sent along with a call for help.
"""

import contextlib
import faulthandler
import fcntl
import logging
import os
import re
import time
from pathlib import Path

import timekeeping

FILE = "alur.log"
CRASHES = "crash.log"  # what Python itself was doing when a process died in somebody's C code
LARGEST = 1024 * 1024  # bytes, then the next file begins
FILES = 5
DAY, DAYS_IN_ONE, DAYS_KEPT = 24 * 3600, 7, 30

_LONG_NUMBER = re.compile(r"(?<!\d)(\d{6})\d{6,7}(\d{1,4})(?!\d)")
# PostgreSQL tells a whole row of the patient who could not be stored.
_ROW = re.compile(r"(DETAIL|CONTEXT):.*")


def scrub(text: str) -> str:
    """Mask runs of 13 to 16 digits (NIK, family card, BPJS) and the rows in database errors."""
    return _LONG_NUMBER.sub(r"\1******\2", _ROW.sub(r"\1: ...", text))


class Scrubber(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = scrub(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = scrub(logging.Formatter().formatException(record.exc_info))
        return True


class SharedFile(logging.Handler):
    """Appends to one file from several processes, and turns it when it is large or old.

    Opened for each line: lines are few, and so no process goes on writing into a turned one. A
    disk that is full loses the line, never the work.
    """

    def __init__(self, path: Path):
        super().__init__()
        self.path = path

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record) + "\n"
        with contextlib.suppress(OSError), self._locked():
            if self._is_full(len(line)):
                self._turn()
            descriptor = os.open(self.path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
            with open(descriptor, "a", encoding="utf-8") as file:
                file.write(line)

    def _is_full(self, more: int) -> bool:
        """Large, or begun over a week ago: its first line says when."""
        if not self.path.exists():
            return False
        with self.path.open(encoding="utf-8", errors="replace") as file:
            began = file.read(len("2026-11-25"))
        oldest = time.strftime(
            "%Y-%m-%d", time.localtime(timekeeping.system_now().timestamp() - DAYS_IN_ONE * DAY)
        )
        return self.path.stat().st_size + more > LARGEST or began < oldest

    @contextlib.contextmanager
    def _locked(self):
        with self.path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _turn(self) -> None:
        """alur.log becomes alur.log.1, and so on; the last one goes, and all that are too old."""
        names = [self.path, *(Path(f"{self.path}.{number}") for number in range(1, FILES))]
        for newer, older in zip(names[-2::-1], names[:0:-1], strict=True):
            if newer.exists():
                newer.replace(older)
        for path in names:
            if (
                path.exists()
                and timekeeping.system_now().timestamp() - path.stat().st_mtime > DAYS_KEPT * DAY
            ):
                path.unlink()


def last_lines(path: Path, count: int) -> list[str]:
    """The newest lines of this log, the oldest first, from the turned files too."""
    lines: list[str] = []
    for name in (f"{path}.1", path):
        with contextlib.suppress(OSError):
            lines += Path(name).read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-count:]


def init_logging(folder: Path) -> None:
    """Two handlers, scrubbed: stderr, and the file in this folder."""
    root = logging.getLogger()
    if not any(isinstance(f, Scrubber) for h in root.handlers for f in h.filters):
        root.setLevel(logging.INFO)
        for handler in (logging.StreamHandler(), SharedFile(folder / FILE)):
            handler.addFilter(Scrubber())
            line = "%(asctime)s %(levelname)s %(name)s %(message)s"
            handler.setFormatter(logging.Formatter(line))
            root.addHandler(handler)
    logging.getLogger("flask_wtf").setLevel(logging.WARNING)  # anybody can send forms without token
    logging.getLogger("alembic").setLevel(logging.WARNING)  # each start checks the migrations


def keep_server_messages(folder: Path) -> None:
    """gunicorn's errors go to the file too: a web process that died or hung stands only there.

    And the trace of one that dies in C code, which no logger could write any more: file names and
    lines, no values. The processes forked later write to the same file.
    """
    server = logging.getLogger("gunicorn.error")
    for handler in logging.getLogger().handlers:
        if isinstance(handler, SharedFile):
            server.addHandler(handler)
    path = folder / CRASHES
    is_large = path.exists() and path.stat().st_size > LARGEST
    flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY | (os.O_TRUNC if is_large else 0)
    with contextlib.suppress(OSError):
        faulthandler.enable(os.open(path, flags, 0o600))  # open for as long as the process lives
