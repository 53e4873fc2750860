"""What the desks ask costs the database as much however many patients it holds.

Counted in the instructions of SQLite's virtual machine: exact, on any computer and however busy.
The times beside are the benchmark's (`make bench`, 1,000 and 100,000 patients).
"""

import contextlib
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import event, text

from bench import fill
from bench.people import FIRST_NEW, person
from db import db, transaction
from tests.pages import PageClient, post

pytestmark = pytest.mark.engines("sqlite")
FEW, MORE = 200, 4_000


@contextlib.contextmanager
def counted() -> Iterator[list[int]]:
    """Instructions that connections taken from the pool inside have run, one item each."""
    done: list[int] = []

    def listen(connection, *_rest) -> None:
        connection.set_progress_handler(lambda: done.append(1), 1)

    def leave(connection, *_rest) -> None:
        if connection is not None:
            connection.set_progress_handler(None, 1)

    db.session.remove()
    pool = db.engine.pool
    event.listen(pool, "checkout", listen)
    event.listen(pool, "checkin", leave)
    try:
        yield done
    finally:
        event.remove(pool, "checkout", listen)
        event.remove(pool, "checkin", leave)


def steps(ask: Callable[[], object]) -> int:
    with counted() as done:
        ask()
    return len(done)


class Desks:
    """A clerk and a nurse, and what a request of theirs costs now."""

    def __init__(self, clerk: PageClient, nurse: PageClient):
        self.clerk, self.nurse = clerk, nurse
        self.serial = FIRST_NEW

    def costs(self) -> dict[str, int]:
        with transaction():
            db.session.execute(text("ANALYZE"))
        for _ in range(2):  # the first time fills what the process keeps
            found = {"queue page": self.queue(), "poll": self.poll(), "save": self.save()}
        return found

    def queue(self) -> int:
        return steps(lambda: self.nurse.get("/poli/UMUM"))

    def poll(self) -> int:
        rows = self.nurse.get("/poli/UMUM/baris").get_data(as_text=True)
        version = re.search(r'data-version="([^"]+)"', rows)[1]
        answers = []
        cost = steps(lambda: answers.append(self.nurse.get(f"/poli/UMUM/baris?v={version}")))
        assert answers[0].status_code == 204
        return cost

    def save(self) -> int:
        self.serial += 1
        form = person(self.serial) | {"poli": "GIGI"}
        check = post(self.clerk, "/pendaftaran/baru", form).location
        page = self.clerk.get(check).get_data(as_text=True)
        names = re.findall(r'name="(override_reason[^"]*|ditanya)"(?: value="([^"]+)")?', page)
        sure = {name: value or "sudah ditanya" for name, value in names}
        version = re.search(r'name="version" value="(\d+)"', page)[1]
        answers = []
        cost = steps(lambda: answers.append(post(self.clerk, check, {"version": version} | sure)))
        assert answers[0].status_code == 303, answers[0].get_data(as_text=True)
        return cost


def test_queue_page_poll_and_save_cost_the_same_among_few_and_many(app: Flask, sign_in):
    fill.fill_patients(FEW)
    desks = Desks(sign_in("loket"), sign_in("umum"))
    few = desks.costs()
    for start in range(1_000, 1_000 + MORE, fill.PART):
        with transaction():
            fill._fill_part(range(start, start + fill.PART))
    many = desks.costs()
    for what, cost in few.items():
        assert cost > 50, f"{what}: nothing was counted"
        assert many[what] <= 1.1 * cost, (what, cost, many[what])
