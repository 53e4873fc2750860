"""Looks into the databases: what is known before a run, and afterwards what was really stored."""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.scenarios import SAVED_IN, Ground, Known

SAMPLE = 400


@dataclass(frozen=True)
class Finding:
    """One thing that was counted, and whether it is as it must be."""

    what: str
    is_right: bool
    details: str


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        yield connection


def learn(ground: Ground) -> None:
    """Who waits in UMUM, and some hundred patients to look for, common names among them."""
    with _reading(_alur(ground)) as connection:
        waiting = connection.execute(
            "SELECT e.public_id FROM queue_entry e JOIN poli p ON p.id = e.poli_id"
            " WHERE p.code = 'UMUM' AND e.state = 'waiting'"
        )
        ground.waiting = {ref for (ref,) in waiting}
        rows = connection.execute(
            "SELECT public_id, name, nik, birth_date, sex FROM patient"
            " WHERE nik IS NOT NULL ORDER BY (id * 7919) % 100003 LIMIT ?",  # spread, repeatable
            (SAMPLE,),
        )
        ground.patients = [Known(*row) for row in rows]


def _alur(ground: Ground) -> Path:
    return ground.server.data / "db" / "alur.db"


def check_alur(ground: Ground) -> list[Finding]:
    """Every acknowledged save stands there once, with the number that its ticket showed."""
    with _reading(_alur(ground)) as connection:
        return [
            _saves_are_stored(connection, ground),
            _numbers_are_dense(connection),
            _nothing_is_stored_twice(connection, ground),
        ]


def _saves_are_stored(connection: sqlite3.Connection, ground: Ground) -> Finding:
    rows = connection.execute(
        "SELECT d.public_id, v.public_id, v.label, p.nik, count(e.id)"
        " FROM registration_draft d JOIN visit v ON v.draft_id = d.id"
        " JOIN patient p ON p.id = v.patient_id LEFT JOIN queue_entry e ON e.visit_id = v.id"
        " WHERE d.saved_at IS NOT NULL GROUP BY v.id"
    )
    stored = {row[0]: row[1:] for row in rows}
    wrong = [
        save.draft
        for save in ground.saved
        if (found := stored.get(save.draft)) is None
        or found[0] != save.visit
        or found[1] != (save.number or found[1])
        or found[2:] != (save.nik, 1)
    ]
    told = len({save.draft for save in ground.saved})
    is_right = not wrong and told == len(ground.saved) == len(stored)
    text = f"{len(ground.saved)} acknowledged, {len(stored)} stored, {len(wrong)} wrong"
    return Finding("saves", is_right, text)


def _numbers_are_dense(connection: sqlite3.Connection) -> Finding:
    rows = connection.execute(
        "SELECT service_day_id, series, count(*), count(DISTINCT number), min(number), max(number)"
        " FROM visit GROUP BY service_day_id, series"
    ).fetchall()
    wrong = [row[:2] for row in rows if not row[2] == row[3] == row[5] or row[4] != 1]
    most = max(row[5] for row in rows)
    text = f"{len(rows)} series of 1..n, the longest to {most}, {len(wrong)} with gap or double"
    return Finding("queue numbers", not wrong, text)


def _nothing_is_stored_twice(connection: sqlite3.Connection, ground: Ground) -> Finding:
    doubles = connection.execute(
        "SELECT count(*) FROM (SELECT nik FROM patient WHERE nik IS NOT NULL"
        " GROUP BY nik HAVING count(*) > 1)"
    ).fetchone()[0]
    audited = connection.execute(
        "SELECT count(*) FROM audit_entry a JOIN visit v ON v.public_id = a.object_ref"
        " WHERE a.action = 'register_visit' AND v.draft_id IS NOT NULL"
    ).fetchone()[0]
    is_right = not doubles and audited == len(ground.saved)
    text = f"{doubles} patients twice, {audited} saves in the audit trail"
    return Finding("patients", is_right, text)


def check_floor(ground: Ground) -> list[Finding]:
    """The floor must be right too, or its speed means nothing."""
    with _reading(ground.server.data / "floor.db") as connection:
        stored = [
            number
            for (number,) in connection.execute(
                "SELECT number FROM visit WHERE poli = ? AND state = 'waiting'", (SAVED_IN,)
            )
        ]
    expected = list(range(1, len(ground.numbers) + 1))
    is_right = sorted(stored) == sorted(ground.numbers) == expected
    text = f"{len(ground.numbers)} acknowledged, {len(stored)} stored, 1..n"
    return [Finding("saves", is_right, text)]
