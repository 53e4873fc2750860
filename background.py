"""The background process: rounds of work every few seconds, and a backup beside them when due."""

import contextlib
import logging
import mmap
import os
import select
import signal
import time
from collections.abc import Callable

from flask import current_app

from clinic import backup_worker, clock, closing_work, storage_faults, worker
from db import db, utcnow

BEAT_SECONDS = 5
INTERNET_SECONDS = 60
FAULT_TOLD_EVERY = 60  # seconds
BACKUP_DUE = 3  # how a round of work says that a backup should be made

# The fault that was last told, and when: shared with the forks, each of which would tell it anew.
_told = memoryview(mmap.mmap(-1, 16)).cast("d")

log = logging.getLogger("alur")


class Stop:
    """Whether one of these signals has asked to stop.

    No `threading.Event`: a signal may come while its lock is held, by the handler of the one
    before it or by `wait`, and the process would wait for itself for ever.
    """

    def __init__(self, *signals: signal.Signals) -> None:
        self.is_asked = False
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)
        for number in signals:
            signal.signal(number, self._ask)

    def _ask(self, number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)  # many in a row would interrupt each other
        self.is_asked = True
        with contextlib.suppress(BlockingIOError):  # it is full of them
            os.write(self._write_end, b".")

    def wait(self, seconds: float) -> None:
        """Until it is asked, or so long."""
        written, _, _ = select.select([self._read_end], [], [], seconds)
        if written:  # a fork that has not its own yet may have written it
            os.read(self._read_end, 4096)


class Beside:
    """Work that may take long, in a fork of its own beside the rounds; never two at once."""

    def __init__(self, work: Callable[[Callable[[], bool]], int]) -> None:
        self.work, self.pid = work, 0

    def start(self) -> None:
        if not self.pid:
            self.pid = _fork(self.work)

    def reap(self) -> None:
        if self.pid and _ended(self.pid) is not None:
            self.pid = 0

    def kill(self) -> None:
        """The next start clears up, and takes it up again."""
        self.reap()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)


def work_until_stopped() -> None:
    """Each round of work is a fork: whatever it needed goes back to the system at its end.

    What takes long or may hang, backups and the internet, has a fork of its own beside the rounds.
    """
    stop = Stop(signal.SIGTERM, signal.SIGINT)
    backup, internet, asked = Beside(_back_up), Beside(_try_internet), time.monotonic()
    while not stop.is_asked:
        round_of_work = _fork(_work)
        while (ended := _ended(round_of_work)) is None:
            if stop.is_asked:
                os.kill(round_of_work, signal.SIGTERM)
            time.sleep(0.02)
        backup.reap()
        internet.reap()
        if ended == BACKUP_DUE and not stop.is_asked:
            backup.start()
        if time.monotonic() - asked >= INTERNET_SECONDS and not stop.is_asked:
            internet.start()
            asked = time.monotonic()
        stop.wait(BEAT_SECONDS)
    backup.kill()
    internet.kill()


def _fork(work: Callable[[Callable[[], bool]], int]) -> int:
    """Do this in a process of its own; it is asked to stop by SIGTERM or its parent's death."""
    pid = os.fork()
    if pid:
        return pid
    stop, parent, code = Stop(signal.SIGTERM), os.getppid(), 0
    try:
        code = work(lambda: stop.is_asked or os.getppid() != parent)
        db.session.remove()
        db.engine.dispose()
    except Exception as problem:  # the next round may find that the disk has room again
        _tell(problem)
    finally:
        os._exit(code)


def _tell(problem: Exception) -> None:
    """In the log. A fault of the disk comes again every few seconds: a line a minute, no trace."""
    fault = storage_faults.fault_of(problem)
    kind = list(storage_faults.Fault).index(fault) + 1 if fault else 0
    now = time.monotonic()
    if kind and _told[0] == kind and now < _told[1] + FAULT_TOLD_EVERY:
        return
    _told[0], _told[1] = kind, now
    log.error("worker step: %s", getattr(problem, "orig", None) or problem, exc_info=not fault)


def _ended(pid: int) -> int | None:
    """Its exit code, None while it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _work(must_stop: Callable[[], bool]) -> int:
    """All that is due now."""
    data, has_more = current_app.config["ALUR"].data, True
    worker.keep_watch(data)
    while has_more and not must_stop():
        worker.run_once()
        if not clock.is_right():
            return 0
        closing_work.work(data, utcnow(), must_stop)
        has_more = worker.import_patients(data, must_stop)
    worker.check_itself(data)
    return BACKUP_DUE if backup_worker.is_due(utcnow()) else 0


def _back_up(must_stop: Callable[[], bool]) -> int:
    backup_worker.run(current_app.config["ALUR"].data, must_stop)
    return 0


def _try_internet(_must_stop: Callable[[], bool]) -> int:
    worker.try_internet()
    return 0
