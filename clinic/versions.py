"""Which Alur this is, on what it runs, and since when."""

import platform
import time
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from db import db, sqlite_driver, utcnow

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"
ALUR = tomllib.loads(_PROJECT.read_text())["project"]["version"]
# Loaded with the application, before the web workers are forked; counts on when the clock jumps.
_LOADED = time.monotonic()


@dataclass(frozen=True)
class Versions:
    alur: str
    python: str
    database: str
    schema: str
    system: str
    started_at: datetime


def versions() -> Versions:
    """Asks the database two things."""
    if db.engine.dialect.name == "sqlite":
        database = f"SQLite {sqlite_driver.sqlite_version}"
    else:
        database = f"PostgreSQL {db.session.scalar(text('SHOW server_version')).split()[0]}"
    return Versions(
        alur=ALUR,
        python=platform.python_version(),
        database=database,
        schema=db.session.scalar(text("SELECT version_num FROM alembic_version")) or "",
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        started_at=utcnow() - timedelta(seconds=time.monotonic() - _LOADED),
    )
