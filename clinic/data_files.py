"""The tables in `clinic/data`: what a clinic starts with, rules, forms, the demo's people."""

import csv
from pathlib import Path

DATA = Path(__file__).parent / "data"


def texts(name: str) -> list[dict[str, str]]:
    """The rows of a file as they are written, by column."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def labels(name: str, kind: str) -> dict[str, str]:
    """The words of one kind, from a file with the columns kind, word and label."""
    return {row["word"]: row["label"] for row in texts(name) if row["kind"] == kind}
