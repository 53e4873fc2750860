"""Brings what tests need and pip can't: Chromium, a library of its driver, PostgreSQL, strace.

On Debian as root they are installed. Elsewhere it says what is missing: those tests are then
left out, and pytest names them.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path


def has_postgresql() -> bool:
    return bool(shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))


def has_chromium() -> bool:
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))


def has_libatomic() -> bool:
    """The Node that Playwright brings is linked to it, and a minimal Debian has none."""
    if sys.platform != "linux":
        return True
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        return False
    return True


def has_ext4() -> bool:
    return bool(shutil.which("mkfs.ext4", path=f"{os.environ['PATH']}:/usr/sbin:/sbin"))


TOOLS = {
    "chromium": has_chromium,
    "libatomic1": has_libatomic,
    "postgresql": has_postgresql,
    "e2fsprogs": has_ext4,  # this and strace for the torture
    "strace": lambda: bool(shutil.which("strace")),
}


def main() -> int:
    missing = [package for package, is_there in TOOLS.items() if not is_there()]
    if not missing:
        return 0
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        say(f"Not installed here: {', '.join(missing)}. Tests that need them are left out.")
        return 0
    say(f"Installing {', '.join(missing)} ...")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        done = subprocess.run(
            ["apt-get", "-qq", *step],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # hundreds of lines; what went wrong is on stderr
        )
        if done.returncode:
            say(f"apt-get {step[0]} failed; tests that need {', '.join(missing)} are left out.")
            return 0
    return 0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
