"""/etc/alur.env as the service manager reads it: NAME=value lines, maybe quotes around a value.

Run with a command (deploy/install.sh), it goes on as that command with these settings. A shell
would read the file another way: it ends a DATABASE_URL at its `&`.
"""

import os
import sys
from pathlib import Path

SETTINGS_FILE = Path("/etc/alur.env")


def settings_in(text: str) -> dict[str, str]:
    """The settings that these lines give."""
    found = {}
    for line in text.splitlines():
        name, has_value, value = (part.strip() for part in line.partition("="))
        if has_value and not name.startswith(("#", ";")):
            is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[name] = value[1:-1] if is_quoted else value
    return found


def read_settings() -> None:
    """What the service manager gives the service; what stands in our environment goes first."""
    if SETTINGS_FILE.exists():
        for name, value in settings_in(SETTINGS_FILE.read_text()).items():
            os.environ.setdefault(name, value)


if __name__ == "__main__":
    os.environ.update(settings_in(SETTINGS_FILE.read_text()))
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606
