"""What the tests of backups share: a clinic with a recovery key, places, and a backup by the way
that the worker makes it."""

import shutil
from pathlib import Path

import pytest

from clinic import audit, backup_keys, backup_making, backup_worker, backups, settings
from db import db, transaction
from models import Backup, BackupKind
from tests import factories

FOLDERS = ("backups", "restore", "tmp")


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory) -> Path:
    """One recovery key for the whole run."""
    keys = tmp_path_factory.mktemp("keys")
    backup_keys.make(keys)
    return keys


@pytest.fixture
def folder(app, made_keys) -> Path:
    """The clinic's folder with a key, and nothing of another test's."""
    data = app.config["ALUR"].data
    _empty(data)
    for path in made_keys.iterdir():
        shutil.copy(path, data / "keys")
    yield data
    db.session.rollback()
    _empty(data)
    for path in made_keys.iterdir():
        (data / "keys" / path.name).unlink(missing_ok=True)


@pytest.fixture
def alur_data(folder) -> Path:
    """The same, and three patients."""
    for name in ("Siti Aminah", "Budi Santoso", "Wayan Sukerta"):
        factories.visit(factories.patient(name))
    return folder


def _empty(data: Path) -> None:
    for folder in FOLDERS:
        shutil.rmtree(data / folder, ignore_errors=True)
        if folder != "restore":
            (data / folder).mkdir(mode=0o700)
    backup_making.newest_path(data).unlink(missing_ok=True)


def secret(data: Path) -> str:
    return backup_keys.pending(data / "keys").secret


def use_places(*places: Path) -> None:
    with transaction():
        settings.set_value("backup_places", "\n".join(map(str, places)))


def back_up(data: Path, kind: BackupKind = BackupKind.MANUAL) -> Backup:
    """Ask, and let the worker's part do what is due; no drill."""
    with transaction():
        asked = backups.ask(audit.SYSTEM, kind).id
    with backup_making.alone(data):
        backup_worker.make(data, asked)
    db.session.rollback()
    return db.session.get_one(Backup, asked)
