"""Makes `.venv` and installs the pinned packages, only when something changed.

Runs with whatever `python3` the machine has, so it must stay readable for old ones: it is the
one that says, in a sentence, what is missing.
"""

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)


def main(names):
    missing = what_is_missing()
    if missing:
        return missing
    wanted = [ROOT / name for name in names if stamp(ROOT / name) != digest(ROOT / name)]
    if PYTHON.exists() and not wanted:
        return None
    if not works():
        say("Membuat lingkungan Python di .venv ...")
        # --clear: one that was interrupted, or whose Python was upgraded away, starts anew.
        if run([sys.executable, "-m", "venv", "--clear", VENV]):
            return f"Lingkungan Python tidak dapat dibuat di {VENV}."
        wanted = [ROOT / name for name in names]
    say("Memasang paket dari " + ", ".join(path.name for path in wanted) + " ...")
    if run(pip_install(wanted)):
        return (
            "Paket tidak dapat dipasang. Periksa sambungan internet, atau taruh berkas paketnya "
            "di folder wheels/. / Packages could not be installed: check the connection, or put "
            "them into wheels/."
        )
    for path in wanted:
        stamp_file(path).write_text(digest(path))
    return None


def what_is_missing():
    if sys.version_info < OLDEST:
        found = sys.version.split()[0]
        return (
            f"Alur memerlukan Python 3.11 atau lebih baru; di sini {found}. / "
            f"Alur needs Python 3.11 or newer, this is {found}."
        )
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        return (
            "Modul venv Python belum ada. / Python's venv module is missing. "
            "Debian, Ubuntu: apt install python3-venv"
        )
    return None


def works():
    if not PYTHON.exists():
        return False
    tried = subprocess.run([str(PYTHON), "-c", "import pip"], stderr=subprocess.DEVNULL)
    return tried.returncode == 0


def pip_install(paths):
    command = [PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    command += ["--no-input", "--prefer-binary"]
    wheels = ROOT / "wheels"  # a folder of packages, for places without internet
    if wheels.is_dir():
        command += ["--no-index", "--find-links", wheels]
    for path in paths:
        command += ["-r", path]
    return command


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stamp_file(path):
    return VENV / f"{path.name}.sha256"


def stamp(path):
    file = stamp_file(path)
    return file.read_text() if file.exists() else ""


def run(command):
    return subprocess.run([str(part) for part in command]).returncode


def say(text):
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
