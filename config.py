"""Reads the environment once and refuses nonsense. Every name here stands in the README."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KEY_BYTES = 32
BOOLEAN_WORDS = {"1": True, "true": True, "ya": True, "0": False, "false": False, "tidak": False}


class ConfigError(Exception):
    """A setting that can't be used; its text is for the person who starts the program."""


@dataclass(frozen=True)
class Config:
    host: str
    port: int
    data: Path
    database_url: str
    wants_demo: bool
    hosts: tuple[str, ...]
    behind_proxy: bool = False
    web_processes: int = 1

    @property
    def keys(self) -> Path:
        return self.data / "keys"

    @property
    def tmp(self) -> Path:
        return self.data / "tmp"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    def key(self, name: str) -> bytes:
        """The 32-byte key of this name, made at its first use. Raises ConfigError when exposed."""
        path = self.keys / f"{name}.key"
        if not path.exists():
            _make_key(path)
        if path.stat().st_mode & 0o077:
            raise ConfigError(
                f"Berkas kunci {path} terbaca pengguna lain. Jalankan: chmod 600 {path}"
            )
        key = path.read_bytes()
        if len(key) != KEY_BYTES and name == "session":  # in no backup, and soon replaced
            path.unlink()
            return self.key(name)
        if len(key) != KEY_BYTES:
            raise ConfigError(
                f"Berkas kunci {path} rusak. Singkirkan (mv {path} {path}.rusak), lalu kembalikan "
                "dari cadangan: make audit-key, atau make restore."
            )
        return key

    def audit_key(self) -> bytes | None:
        """The key of the audit trail if it is there: made only for an empty trail (cli.py)."""
        return self.key("audit") if (self.keys / "audit.key").exists() else None

    def make_folders(self) -> None:
        for name in ("db", "keys", "backups", "tmp", "state", "logs"):
            (self.data / name).mkdir(parents=True, exist_ok=True, mode=0o700)


def _make_key(path: Path) -> None:
    # Written aside and linked into place: two processes that start at once agree on one key.
    aside = path.with_suffix(f".{secrets.token_hex(4)}")
    with open(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())  # what it signs is on the disk at once; so must it be
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _flag(environ: Mapping[str, str], name: str, default: bool) -> bool:
    word = environ.get(name, "").strip().lower()
    if not word:
        return default
    if word not in BOOLEAN_WORDS:
        raise ConfigError(f"{name}={word!r} tidak dikenal; isi 1 atau 0.")
    return BOOLEAN_WORDS[word]


def _number(environ: Mapping[str, str], name: str, default: int, most: int, what: str) -> int:
    word = (environ.get(name) or str(default)).strip()
    if not word.isdecimal() or not 0 < int(word) <= most:
        raise ConfigError(f"{name}={word!r} bukan {what} (1-{most}).")
    return int(word)


def read_config(environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration of this process. Raises ConfigError with a sentence for its operator."""
    data = Path(environ.get("ALUR_DATA") or "data").resolve()
    url = environ.get("DATABASE_URL") or f"sqlite:///{data / 'db' / 'alur.db'}"
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigError("DATABASE_URL harus sqlite:///... atau postgresql+psycopg://...")
    return Config(
        host=environ.get("HOST") or "127.0.0.1",
        port=_number(environ, "PORT", 8000, 65535, "nomor port"),
        data=data,
        database_url=url,
        wants_demo=_flag(environ, "ALUR_DEMO", True),
        hosts=tuple(environ.get("ALUR_HOSTS", "").split()),
        behind_proxy=_flag(environ, "ALUR_PROXY", False),
        web_processes=_number(environ, "ALUR_WEB_PROCESSES", 1, 8, "jumlah proses"),
    )
