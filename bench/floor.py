"""The floor: what a queue costs with Flask and plain SQLite, and nothing that a clinic needs.

No ORM, no login, no CSRF, no audit, no routing, no search for duplicates. The same durability
(WAL, synchronous=FULL, one transaction a save, writers in line on a file lock) and the same
number of rows. `python -m bench.floor PATIENTS` fills FLOOR_DB.
"""

import fcntl
import os
import sys
import threading
from datetime import date

from flask import Flask, jsonify, render_template, request
from jinja2 import DictLoader

from bench.people import person
from db import sqlite_driver

PATH = os.environ.get("FLOOR_DB", "floor.db")
TODAY = date.today().isoformat()
VISITS_A_DAY = 100
WAITING = 40

SCHEMA = """
CREATE TABLE patient (
    id INTEGER PRIMARY KEY, nik TEXT UNIQUE, name TEXT, sex TEXT, born TEXT, address TEXT);
CREATE INDEX patient_name ON patient (name);
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER);
CREATE TABLE visit (
    id INTEGER PRIMARY KEY, patient_id INTEGER REFERENCES patient, day TEXT, poli TEXT,
    number INTEGER, state TEXT, complaint TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (day, poli, number));
CREATE INDEX visit_line ON visit (day, poli, state, number);
"""
QUEUE = """
SELECT v.id, v.number, v.complaint, v.at, p.name, p.sex, p.born
FROM visit v JOIN patient p ON p.id = v.patient_id
WHERE v.day = ? AND v.poli = ? AND v.state = 'waiting' ORDER BY v.number
"""
PAGE = """<!doctype html><title>Antrean</title><table>
{% for row in rows %}<tr data-entry="{{ row[0] }}"><td>U{{ row[1] }}</td><td>{{ row[4] }}</td>
<td>{{ row[5] }} {{ row[6] }}</td><td>{{ row[2] }}</td><td>{{ row[3] }}</td></tr>
{% endfor %}</table>"""

app = Flask(__name__, static_folder=None)
app.jinja_loader = DictLoader({"queue.html": PAGE})
_thread = threading.local()


def database():
    """This thread's connection, opened at its first request: after the server has forked."""
    if not hasattr(_thread, "database"):
        _thread.database = sqlite_driver.connect(PATH, isolation_level=None, timeout=15)
        _thread.database.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON"
        )
        _thread.lock = open(f"{PATH}.writer", "a")  # noqa: SIM115  kept as long as the thread
    return _thread.database


@app.post("/save")
def save():
    form = request.form
    connection = database()
    fcntl.flock(_thread.lock, fcntl.LOCK_EX)
    try:
        connection.execute("BEGIN IMMEDIATE")
        patient = connection.execute(
            "INSERT INTO patient (nik, name, sex, born, address) VALUES (?, ?, ?, ?, ?)",
            (form["nik"], form["name"], form["sex"], form["birth_date"], form["address"]),
        ).lastrowid
        number = _next_number(connection, form["poli"])
        visit = connection.execute(
            "INSERT INTO visit (patient_id, day, poli, number, state, complaint)"
            " VALUES (?, ?, ?, ?, 'waiting', ?)",
            (patient, TODAY, form["poli"], number, form["complaint"]),
        ).lastrowid
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    finally:
        fcntl.flock(_thread.lock, fcntl.LOCK_UN)
    return jsonify(visit=visit, number=number)


def _next_number(connection, poli: str) -> int:
    statement = (
        "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"
        " RETURNING value"
    )
    return connection.execute(statement, (f"{TODAY}:{poli}",)).fetchone()[0]


@app.get("/queue/<poli>")
def queue(poli: str):
    return render_template("queue.html", rows=database().execute(QUEUE, (TODAY, poli)).fetchall())


def fill(patients: int) -> None:
    """So many patients with one visit each in the past, and 40 who wait in UMUM today."""
    connection = database()
    connection.executescript(SCHEMA)
    connection.execute("BEGIN")
    for index in range(patients + WAITING):
        one = person(index)
        connection.execute(
            "INSERT INTO patient VALUES (?, ?, ?, ?, ?, ?)",
            (index + 1, one["nik"], one["name"], one["sex"], one["birth_date"], one["address"]),
        )
        is_past = index < patients
        day = f"past-{index // VISITS_A_DAY}" if is_past else TODAY
        number = index % VISITS_A_DAY + 1 if is_past else _next_number(connection, "UMUM")
        connection.execute(
            "INSERT INTO visit (patient_id, day, poli, number, state, complaint)"
            " VALUES (?, ?, 'UMUM', ?, ?, ?)",
            (index + 1, day, number, "done" if is_past else "waiting", one["complaint"]),
        )
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


if __name__ == "__main__":
    fill(int(sys.argv[1]))
