"""What the database holds, as tests ask for it."""

from sqlalchemy import func, select

from db import db
from models import RegistrationDraft


def count(table, *conditions) -> int:
    """How many rows, of those that fulfil the conditions."""
    return db.session.scalar(select(func.count()).select_from(table).where(*conditions))


def draft_row() -> RegistrationDraft:
    """The only draft."""
    return db.session.scalars(select(RegistrationDraft)).one()
