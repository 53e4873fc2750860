"""The ledgers against the database, in a process of its own:

    python -m tests.torture.books LEDGER...    (ALUR_DATA names the clinic)

Each OK must be there exactly once as it was sent, each REFUSED not at all, each UNKNOWN at most
once. Beside that all must hold that holds anyway: `check_books`.
"""

import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from app import create_app
from db import db
from models import Patient, RegistrationDraft, Visit
from tests import test_concurrency
from tests.torture.ledger import OK, REFUSED, UNKNOWN, digest, read


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


def check(lines: list[dict]) -> list[str]:
    """What is wrong between the ledger and the database."""
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


def main(paths: list[str]) -> int:
    lines = sum((read(Path(path)) for path in paths), [])
    with create_app().app_context():
        test_concurrency.check_books()  # numbers, drafts, outbox, audit chain, integrity
        wrong = check(lines)
    print(Counter(line["state"] for line in lines), *wrong, sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
