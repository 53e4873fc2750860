"""`make backup`, `restore` and others of the Makefile, and `report`, on the clinic's own data.

On a server where deploy/install.sh has been, that is the installed clinic, wherever the command
is given: its release, its settings, and the account that owns its data. Else, and where ALUR_DATA
says so, it is the folder's own.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config import Config, ConfigError, read_config  # noqa: E402
from deploy.service import account_of  # noqa: E402
from deploy.settings_file import SETTINGS_FILE, read_settings  # noqa: E402
from deploy.upgrade import HOME, say  # noqa: E402

NEED_DATABASE = {"backup", "passphrase", "audit-key", "report"}


def release() -> Path:
    """Whose program it is; reads the installed clinic's settings."""
    home = Path(os.environ.get("ALUR_HOME") or HOME)
    is_installed = (home / "current").exists()
    if not is_installed or ("ALUR_DATA" in os.environ and "ALUR_HOME" not in os.environ):
        return ROOT
    read_settings()
    return (home / "current").resolve()


def has_database(config: Config) -> bool:
    """Whether its file is there; PostgreSQL says itself what it lacks."""
    path = Path(config.database_url.removeprefix("sqlite:///"))
    return path.exists() or not config.database_url.startswith("sqlite:////")


def main(arguments: list[str]) -> int:
    try:
        program = release()
        config = read_config()
        if arguments[0] in NEED_DATABASE and not has_database(config):
            say(f"Tidak ada basis data Alur di {config.data}. Periksa ALUR_DATA; di puskesmas baru")
            say("jalankan make run dulu; di server terpasang: systemctl start alur.")
            return 1
        if not config.data.exists() and program == ROOT:
            config.make_folders()
        config.audit_key()
        account = account_of(config.data)
    except PermissionError:
        say(f"Puskesmas yang terpasang di server ini ({SETTINGS_FILE}) dibuka sebagai root: sudo")
        return 1
    except ConfigError as problem:
        say(str(problem))
        return 1
    if arguments == ["support"] and account:  # it may not write into root's folder
        arguments = ["support", str(config.tmp)]
    if arguments[0] != "report":  # what that one prints is a file
        say(f"Folder data: {config.data}")
    python = program / ".venv" / "bin" / "python"
    command = [str(python), "-m", "flask", "--app", "app", *arguments]
    environ = {**os.environ, "ALUR_DATA": str(config.data)}
    return subprocess.run(command, cwd=program, env=environ, **account).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
