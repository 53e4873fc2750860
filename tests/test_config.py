"""What the environment may say, and what is refused with a sentence."""

import multiprocessing
import os
from pathlib import Path

import pytest

from config import Config, ConfigError, read_config


def config_in(folder: Path) -> Config:
    found = read_config({"ALUR_DATA": str(folder)})
    found.make_folders()
    return found


def test_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = read_config({})
    assert (found.host, found.port, found.wants_demo) == ("127.0.0.1", 8000, True)
    assert found.data == tmp_path / "data"
    assert found.database_url == f"sqlite:///{tmp_path}/data/db/alur.db"
    assert not found.behind_proxy
    assert found.web_processes == 1


def test_web_processes_are_a_small_number():
    assert read_config({"ALUR_WEB_PROCESSES": "2"}).web_processes == 2
    for word in ("0", "9", "two", "-1"):
        with pytest.raises(ConfigError, match="ALUR_WEB_PROCESSES"):
            read_config({"ALUR_WEB_PROCESSES": word})


def test_empty_values_count_as_unset():
    found = read_config(
        dict.fromkeys(("HOST", "PORT", "ALUR_DATA", "DATABASE_URL", "ALUR_DEMO"), "")
    )
    assert (found.host, found.port, found.wants_demo) == ("127.0.0.1", 8000, True)
    assert found.database_url.startswith("sqlite:///")


@pytest.mark.parametrize("word", ["0", "false", "tidak", " Tidak "])
def test_demo_can_be_declined(word):
    assert not read_config({"ALUR_DEMO": word}).wants_demo


@pytest.mark.parametrize("port", ["0", "-1", "65536", "http", "80 80", " "])
def test_port_must_be_a_port(port):
    with pytest.raises(ConfigError, match="PORT"):
        read_config({"PORT": port})


@pytest.mark.parametrize(
    "environ",
    [
        {"ALUR_DEMO": "maybe"},
        {"ALUR_PROXY": "2"},
        {"DATABASE_URL": "mysql://clinic"},
        {"DATABASE_URL": "sqlite://"},
        {"DATABASE_URL": "postgresql+asyncpg://clinic"},
    ],
)
def test_nonsense_is_refused_in_a_sentence(environ):
    with pytest.raises(ConfigError) as refused:
        read_config(environ)
    assert next(iter(environ)) in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_by_psycopg_3(scheme):
    found = read_config({"DATABASE_URL": f"{scheme}://alur@/alur"})
    assert found.database_url == "postgresql+psycopg://alur@/alur"


def test_folders_are_closed_to_others(tmp_path):
    found = config_in(tmp_path / "clinic")
    for name in ("db", "keys", "backups", "tmp"):
        assert (found.data / name).stat().st_mode & 0o077 == 0, name


def test_a_key_stays_the_same_and_is_ones_own(tmp_path):
    found = config_in(tmp_path)
    key = found.key("session")
    assert len(key) == 32
    assert found.key("session") == key
    assert found.key("audit") != key
    assert (found.keys / "session.key").stat().st_mode & 0o777 == 0o600


def test_an_exposed_key_is_refused(tmp_path):
    found = config_in(tmp_path)
    found.key("session")
    (found.keys / "session.key").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        found.key("session")


def test_a_key_that_a_power_cut_emptied_is_not_used(tmp_path):
    found = read_config({"ALUR_DATA": str(tmp_path)})
    found.make_folders()
    found.key("audit")
    (found.keys / "audit.key").write_bytes(b"")
    with pytest.raises(ConfigError, match="rusak"):
        found.key("audit")


def _read_key(folder: str) -> bytes:
    return read_config({"ALUR_DATA": folder}).key("session")


def test_processes_that_start_together_agree_on_the_key(tmp_path):
    config_in(tmp_path)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.map(_read_key, [str(tmp_path)] * 16)
    assert len(set(keys)) == 1
    assert os.listdir(tmp_path / "keys") == ["session.key"]
