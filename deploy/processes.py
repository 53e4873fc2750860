"""Forks that are watched over: named, started again when they die, stopped together.

The supervisor imports this, and little else: what stands here must stay small.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable

FIRST_DELAY, LONGEST_DELAY = 1, 60  # seconds before a dead process is started again
STOP_WITHIN = 9
PREPARE_AGAIN = 75  # exit code of a server that asks for the set-up before it is started again
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15


def say(text: str) -> None:
    print(text, flush=True)


def die_with_parent() -> None:
    """Even `kill -9` of the supervisor leaves no server behind (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def name_process(name: str, does: str) -> None:
    """What `ps` and `top` show of a fork, which else looks like its parent (Linux only)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode())
    # Where the command line lies in memory; proc(5), arg_start and arg_end.
    with open("/proc/self/stat") as file:
        start, end = map(int, file.read().rpartition(")")[2].split()[45:47])
    ctypes.memmove(start, does.encode()[: end - start - 1].ljust(end - start, b"\0"), end - start)


def fork(name: str, does: str, work: Callable[[], None]) -> int:
    """Do this in a process of its own; its process id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals():
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        die_with_parent()
        name_process(name, does)
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # back in the parent's frames there is nothing for a fork to do


class Child:
    """A process that is started again when it dies, each time a little later."""

    def __init__(
        self,
        name: str,
        does: str,
        work: Callable[[], None],
        *,
        leads_group: bool = False,
        prepare: Callable[[], bool] = lambda: True,
    ):
        self.name = name
        self.does = does
        self.work = work
        self.leads_group = leads_group  # it and its own children get signals together
        self.prepare = prepare
        self.pid = 0
        self.status: int | None = None
        self.delay = FIRST_DELAY
        self.started = 0.0
        self.due: float | None = 0.0  # when to start it; None until its death is noticed

    def start(self) -> None:
        self.started, self.due = time.monotonic(), None
        self.pid = fork(self.name, self.does, self._work)
        if self.leads_group:
            with contextlib.suppress(OSError):  # it may have done so, or even ended, already
                os.setpgid(self.pid, self.pid)

    def _work(self) -> None:
        if self.leads_group:
            os.setpgid(0, 0)  # a Ctrl-C at the terminal reaches the supervisor alone
        self.work()

    def is_alive(self) -> bool:
        if self.pid:
            try:
                ended, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # somebody who waits for any child was quicker
                self.pid, self.status = 0, None
            else:
                if ended:
                    self.pid, self.status = 0, os.waitstatus_to_exitcode(status)
        return bool(self.pid)

    def look_after(self) -> None:
        """Notice a death, and start it again when its delay is over."""
        if self.is_alive():
            return
        now = time.monotonic()
        if self.status == PREPARE_AGAIN and now >= (self.due or 0):
            say(f"{self.name} menyiapkan basis data lain ...")
            if self.prepare():
                self.status = None
                self.start()
            else:  # without a database it must not start
                self.due = now + LONGEST_DELAY
        if self.status == PREPARE_AGAIN or self.pid:
            return
        if self.due is None:
            if now - self.started > LONGEST_DELAY:
                self.delay = FIRST_DELAY
            say(f"{self.name} berhenti ({self.status}), mulai lagi dalam {self.delay} detik")
            self.due = now + self.delay
            self.delay = min(self.delay * 2, LONGEST_DELAY)
        if now >= self.due:
            self.start()

    def signal(self, number: int) -> None:
        if self.is_alive():
            (os.killpg if self.leads_group else os.kill)(self.pid, number)


class Supervisor:
    """Waits for deaths and signals without waking up in between."""

    def __init__(self, child: Child):
        self.child = child
        self.is_stopping = False
        self.is_hurried = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def listen(self) -> None:
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self._on_stop)

    def _on_stop(self, number: int, _frame) -> None:
        # A SIGTERM may come twice, from make too; only a second Ctrl-C is in a hurry.
        self.is_hurried = self.is_stopping and number == signal.SIGINT
        self.is_stopping = True

    def wait(self, seconds: float, *also: int) -> bool:
        """Until something happens, at most so long; whether one of these files can be read."""
        found = select.select([self._reader, *also], [], [], max(seconds, 0))[0]
        with contextlib.suppress(BlockingIOError):
            while self._reader in found and os.read(self._reader, 4096):
                pass
        return any(file in found for file in also)

    def run(self) -> None:
        while not self.is_stopping:
            self.child.look_after()
            due = self.child.due
            self.wait(3600 if due is None else due - time.monotonic())

    def stop(self) -> None:
        """Ask it to finish, and end it by force if it has not after STOP_WITHIN seconds."""
        say("Alur berhenti ...")
        until = time.monotonic() + STOP_WITHIN
        self.child.signal(signal.SIGTERM)
        while self.child.is_alive():
            if self.is_hurried or time.monotonic() > until:
                self.child.signal(signal.SIGKILL)
            self.wait(0.2)
