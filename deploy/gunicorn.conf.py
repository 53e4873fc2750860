"""gunicorn's settings, for `make run` and production alike; HOST and PORT come from config."""

import os

from config import read_config
from db import db

_config = read_config()
_host = f"[{_config.host}]" if ":" in _config.host else _config.host

bind = f"{_host}:{_config.port}"
worker_class = "gthread"
workers = 2
threads = 4
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
