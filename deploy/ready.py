"""Waits until the web server answers, and says so: the last lines of `make run`."""

import contextlib
import os
import socket
import time
from dataclasses import replace

from flask import Flask

import cli
from config import Config
from deploy.processes import say

QUICK_TRIES, SLOW = 100, 10.0  # a database that can't be opened may be so for hours


def host_name(config: Config) -> str:
    """A name that the application answers to."""
    return config.hosts[0].lstrip(".") if config.hosts else "localhost"


def is_healthy(config: Config) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104
    request = f"GET /healthz HTTP/1.0\r\nHost: {host_name(config)}\r\n\r\n"
    try:
        with socket.create_connection((host, config.port), timeout=2) as connection:
            connection.sendall(request.encode())
            return connection.recv(64).split()[1:2] == [b"200"]
    except OSError:
        return False


def address(config: Config) -> str:
    host = f"[{config.host}]" if ":" in config.host else config.host
    return f"http://{host}:{config.port}"


def address_on_network(config: Config) -> str:
    """Where other machines find this one, when it listens to all of them; else empty."""
    targets = {"0.0.0.0": "192.0.2.1", "::": "2001:db8::1"}  # noqa: S104
    if config.host not in targets:
        return ""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect((targets[config.host], 9))  # sends nothing, only chooses a way out
        return address(replace(config, host=probe.getsockname()[0]))
    return ""


def announce(application: Flask, tell_ready: int) -> None:
    """Tell the person at the terminal, and the supervisor by one byte into this pipe."""
    config = application.config["ALUR"]
    tries = 0
    while not is_healthy(config):
        tries += 1
        if tries == QUICK_TRIES:
            say(f"Basis data belum menjawab. Langkahnya ada di {address(config)}")
        time.sleep(0.1 if tries < QUICK_TRIES else SLOW)
    elsewhere = address_on_network(config)
    if elsewhere:
        say(f"Dari komputer lain di jaringan ini: {elsewhere}")
    say(f"Alur siap: {address(config)}")
    os.write(tell_ready, b".")
    with application.app_context():
        cli.ready_message_command(args=[])
