"""Asks whether the internet is there: a connection that sends nothing. For the worker only."""

import contextlib
import socket
import threading

PATIENCE = 10.0  # seconds


def is_reachable(target: str, patience: float = PATIENCE) -> bool:
    """Whether host:port takes a connection within this time.

    Looking a name up can hang for half a minute and can't be stopped: its thread is left behind.
    """
    answers: list[bool] = []
    asking = threading.Thread(target=_connect, args=(target, patience, answers), daemon=True)
    asking.start()
    asking.join(patience)
    return bool(answers)


def _connect(target: str, patience: float, answers: list[bool]) -> None:
    host, _, port = target.rpartition(":")
    with (
        contextlib.suppress(OSError, UnicodeError),
        socket.create_connection((host, int(port)), timeout=patience),
    ):
        answers.append(True)
