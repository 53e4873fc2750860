"""Runs the numbered migrations on the application's own engine, SQLite and PostgreSQL alike."""

from alembic import context
from flask import current_app

import models  # noqa: F401  the tables that autogenerate compares with
from db import Base, db


def run() -> None:
    options = {"render_as_batch": True, **current_app.extensions["migrate"].configure_args}
    with db.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()


run()
