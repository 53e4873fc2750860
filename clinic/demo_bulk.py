"""Bulk inserts of the demo clinic's history: thousands of rows in a few statements."""

from sqlalchemy import func, insert, select

from db import Base, db

# Else rows with a None are parted from those without, into hundreds of statements.
TOGETHER = {"render_nulls": True}


def insert_rows(model: type[Base], rows: list[dict]) -> list[int]:
    """Insert the rows; their new ids in the same order.

    Nobody else writes meanwhile (`db.transaction`), so the new rows are those with higher ids.
    To let the database return them makes psycopg read megabytes of SQL, a third of the fill.
    """
    before = db.session.scalar(select(func.max(model.id))) or 0
    insert_only(model, rows)
    return list(db.session.scalars(select(model.id).where(model.id > before).order_by(model.id)))


def insert_only(model: type[Base], rows: list[dict]) -> None:
    """Insert rows whose ids nobody asks for."""
    if rows:
        db.session.execute(insert(model), rows, execution_options=TOGETHER)
