"""Forks that are watched over: named, started again when they die, stopped together."""

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

FIRST_DELAY, LONGEST_DELAY = 1, 60  # seconds before a dead process is started again
STOP_WITHIN = 9
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
    start, end = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[45:47])
    ctypes.memmove(start, does.encode()[: end - start - 1].ljust(end - start, b"\0"), end - start)


def fork(name: str, does: str, work: Callable[[], None]) -> int:
    """Do this in a process of its own; its process id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):  # it may have done so, or even ended, already
            os.setpgid(pid, pid)
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)  # a Ctrl-C at the terminal reaches the supervisor alone
        die_with_parent()
        name_process(name, does)
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # back in the supervisor's frames there is nothing for a fork to do


class Child:
    """A process that is started again when it dies, each time a little later."""

    def __init__(self, name: str, does: str, work: Callable[[], None]):
        self.name = name
        self.does = does
        self.work = work
        self.pid = 0
        self.status = 0
        self.delay = FIRST_DELAY
        self.due = 0.0
        self.started = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        self.pid = fork(self.name, self.does, self.work)

    def is_alive(self) -> bool:
        if self.pid:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.pid, self.status = 0, os.waitstatus_to_exitcode(status)
        return bool(self.pid)

    def look_after(self) -> None:
        """Notice a death, and start it again when its delay is over."""
        now = time.monotonic()
        if self.pid and not self.is_alive():
            if now - self.started > LONGEST_DELAY:
                self.delay = FIRST_DELAY
            say(f"{self.name} berhenti ({self.status}), mulai lagi dalam {self.delay} detik")
            self.due = now + self.delay
            self.delay = min(self.delay * 2, LONGEST_DELAY)
        if not self.pid and now >= self.due:
            self.start()

    def signal(self, number: int) -> None:
        if self.is_alive():
            os.killpg(self.pid, number)


class Supervisor:
    """Waits for deaths and signals without waking up in between."""

    def __init__(self, children: list[Child]):
        self.children = children
        self.is_stopping = False
        self.is_hurried = False
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def listen(self) -> None:
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self._on_stop)

    def _on_stop(self, number: int, _frame) -> None:
        # A SIGTERM may come twice, from make too; only a second Ctrl-C is in a hurry.
        self.is_hurried = self.is_stopping and number == signal.SIGINT
        self.is_stopping = True

    def wait(self, seconds: float) -> None:
        """Until something happens, at most so long."""
        if select.select([self._reader], [], [], max(seconds, 0))[0]:
            with contextlib.suppress(BlockingIOError):
                while self._reader.recv(4096):
                    pass

    def look_after(self) -> None:
        for child in self.children:
            child.look_after()

    def run(self) -> None:
        while not self.is_stopping:
            self.look_after()
            dead = [child.due for child in self.children if not child.pid]
            self.wait(min(dead) - time.monotonic() if dead else 3600)

    def stop(self) -> None:
        """Ask both to finish, and end by force what has not after STOP_WITHIN seconds."""
        say("Alur berhenti ...")
        until = time.monotonic() + STOP_WITHIN
        for child in self.children:
            child.signal(signal.SIGTERM)
        while any(child.is_alive() for child in self.children):
            if self.is_hurried or time.monotonic() > until:
                for child in self.children:
                    child.signal(signal.SIGKILL)
            self.wait(0.2)
