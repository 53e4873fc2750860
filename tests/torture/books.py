"""The ledgers against the database.

Each OK must be there exactly once as it was sent, each REFUSED not at all, each UNKNOWN at most
once. Beside that all must hold that holds anyway: `check_books`, and no row has a date that
nobody's watch has shown.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from db import db
from models import Patient, RegistrationDraft, Visit
from tests import test_concurrency
from tests.test_clock_jumps import wrong_dates
from tests.torture.ledger import OK, REFUSED, UNKNOWN, digest


def stored() -> dict[str, list[tuple[str, str]]]:
    """Visit and digest by draft."""
    rows = select(
        RegistrationDraft.public_id, Visit.public_id, Patient.name, Patient.nik, Visit.complaint
    )
    rows = rows.join(Visit, Visit.draft_id == RegistrationDraft.id).join(Visit.patient)
    found: dict[str, list[tuple[str, str]]] = {}
    for draft, visit, name, nik, complaint in db.session.execute(rows):
        found.setdefault(draft, []).append((visit, digest(name, nik, complaint)))
    return found


def wrong_lines(lines: list[dict]) -> list[str]:
    found, wrong = stored(), []
    for line in lines:
        there = found.get(line["draft"], [])
        expected = {
            OK: [[(line.get("visit"), line["digest"])]],
            REFUSED: [[]],
            UNKNOWN: [[], [(visit, line["digest"]) for visit, _ in there[:1]]],
        }[line["state"]]
        if there not in expected:
            wrong.append(f"{line}: {there}")
    return wrong


def check(lines: list[dict]) -> str:
    """Nothing is wrong; how much was looked at."""
    test_concurrency.check_books()  # numbers, drafts, outbox, audit chain, integrity
    wrong = wrong_lines(lines)
    assert not wrong, "\n".join(wrong)
    wrong = wrong_dates(datetime.now(UTC) - timedelta(hours=1))
    assert not wrong, wrong
    return f"{dict(Counter(line['state'] for line in lines))} in the ledgers and the database"
