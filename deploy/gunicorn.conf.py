"""gunicorn's settings, for `make run` and production alike; HOST and PORT come from config."""

import os
import selectors
import time
from functools import partial

from gunicorn.workers.gthread import TConn, ThreadWorker

from config import read_config
from db import db
from deploy.memory import return_unused

TIDY_EVERY = 5  # seconds


class PatientWorker(ThreadWorker):
    """Threads, but none of them waits for the first words on a new connection.

    Browsers open connections before they need them. gunicorn 27 gives each of these a thread for
    up to 5 seconds; beside twelve of them a page took 15 seconds. Here they wait in the poller,
    as connections that were used before do.
    """

    tidied_at = 0.0
    tidied_after = 0  # so many requests

    def notify(self) -> None:
        """Say that it lives; while there is work, also give back what that left behind."""
        super().notify()
        now = time.monotonic()
        if self.nr != self.tidied_after and now > self.tidied_at + TIDY_EVERY:
            return_unused()  # 5 MB a worker
            self.tidied_at, self.tidied_after = now, self.nr

    def accept(self, listener) -> None:
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # another process was quicker, or the client has left
        self.nr_conns += 1
        connection = TConn(self.cfg, client, address, listener.getsockname())
        client.setblocking(False)
        connection.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(connection)
        readable = partial(self.on_pending_socket_readable, connection)
        self.poller.register(client, selectors.EVENT_READ, readable)


_config = read_config()
_host = f"[{_config.host}]" if ":" in _config.host else _config.host

bind = f"{_host}:{_config.port}"
worker_class = PatientWorker
# One answers a hundred saves a second. A second takes 45 MB, doubles that where there are two
# cores, and goes on answering while the first is stuck.
workers = _config.web_processes
threads = 8 if workers == 1 else 4
keepalive = 75  # longer than any poll interval, else each poll opens a connection
# Below the busy timeout of db.py: a stuck worker is ended before others give up waiting for it.
timeout = 10
graceful_timeout = 8
# deploy/start.py has loaded the application before: less memory, and a dead worker is back at once.
preload_app = True
# Workers prove life through a file; a busy disk must not delay it.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
control_socket_disable = True  # would write into the home folder of the service's user
loglevel = "warning"
accesslog = None  # who looked at what stands in the audit trail


def post_fork(server, worker) -> None:
    # A connection opened before the fork must not be used by two processes.
    with server.app.wsgi().app_context():
        db.engine.dispose(close=False)
