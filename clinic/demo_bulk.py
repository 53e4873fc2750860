"""Bulk inserts of the demo clinic's history: thousands of rows in a few statements."""

from sqlalchemy import insert

from db import Base, db

# Else rows with a None are parted from those without, into hundreds of statements.
TOGETHER = {"render_nulls": True}


def insert_rows(model: type[Base], rows: list[dict]) -> list[int]:
    """Insert the rows; their new ids in the same order."""
    if not rows:
        return []
    adding = insert(model).returning(model.id, sort_by_parameter_order=True)
    return list(db.session.scalars(adding, rows, execution_options=TOGETHER))


def insert_only(model: type[Base], rows: list[dict]) -> None:
    """Insert rows whose ids nobody asks for."""
    if rows:
        db.session.execute(insert(model), rows, execution_options=TOGETHER)
