"""The process that serves: gunicorn with the application loaded once, and the worker beside it.

The web workers and the background worker are its forks: they share its memory as long as they
only read it, and one that dies is back at once.
"""

import gc
import os
import signal
import time
from pathlib import Path

from flask import Flask
from gunicorn.app.base import Application
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

import cli
from app import create_app
from clinic import restoring
from deploy.memory import return_large_blocks, return_unused
from deploy.processes import PREPARE_AGAIN, Child, fork
from deploy.ready import announce
from deploy.warm_up import warm_up
from logs import keep_server_messages

SETTINGS = Path(__file__).with_name("gunicorn.conf.py")
WORKER_NICENESS = 10  # background work must not make the web wait


class Master(Arbiter):
    """gunicorn's master, which looks after the background worker too."""

    def __init__(self, server: "WebServer"):
        super().__init__(server)
        self.background = Child("alur-worker", "worker (Alur)", self.work_in_background)

    def setup(self, app: Application) -> None:
        super().setup(app)  # gunicorn opens its log
        keep_server_messages(self.app.application.config["ALUR"].logs)

    def work_in_background(self) -> None:
        for listener in self.LISTENERS:  # only who answers may hold the port
            listener.close()
        os.nice(WORKER_NICENESS)
        with self.app.application.app_context():
            cli.worker_command(args=[])

    def manage_workers(self) -> None:
        if restoring.is_switch_asked(self.app.application.config["ALUR"].data):
            raise HaltServer("a restored database takes over", PREPARE_AGAIN)
        super().manage_workers()
        self.background.look_after()

    def reap_workers(self) -> None:
        self.background.is_alive()  # else gunicorn, which waits for any child, learns its end
        super().reap_workers()

    def stop(self, graceful: bool = True) -> None:
        until = time.monotonic() + self.cfg.graceful_timeout
        self.background.signal(signal.SIGTERM)
        super().stop(graceful)
        while self.background.is_alive() and time.monotonic() < until:
            time.sleep(0.05)
        self.background.signal(signal.SIGKILL)


class WebServer(Application):
    """gunicorn, with the application that is loaded already."""

    def __init__(self, application: Flask):
        self.application = application
        super().__init__()

    def load_config(self) -> None:
        self.load_config_from_file(str(SETTINGS))

    def load(self) -> Flask:
        return self.application

    def run(self) -> None:
        Master(self).run()


def load() -> Flask:
    """The application, in memory that all forks share as long as they only read it."""
    gc.disable()  # what is loaded stays: to look through it each time is a tenth of the start
    return_large_blocks()
    application = create_app()
    warm_up(application)
    gc.enable()
    gc.collect()
    return_unused()
    gc.freeze()  # else each collection writes to every object: 30 MB more for the two workers
    gc.collect()  # a fork's full collections wait until a quarter of what this one saw is new
    return application


def serve(tell_ready: int) -> None:
    application = load()
    fork("alur-ready", "ready-message", lambda: announce(application, tell_ready))
    WebServer(application).run()
