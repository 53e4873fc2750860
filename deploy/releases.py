"""A source becomes a release: a copy with an environment of its own, named by its content."""

import contextlib
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

LEFT_OUT = {".git", ".venv", ".tools", "__pycache__", ".pytest_cache", ".ruff_cache"}
KEPT = 2


class ReleaseError(Exception):
    """Why there is no release; for the person at the terminal."""


def install(source: Path, home: Path) -> Path:
    """The source as a release, with its environment; made once for the same content."""
    part = home / "releases" / ".part"
    shutil.rmtree(part, ignore_errors=True)
    copy_source(source, part)
    release = home / "releases" / digest_of(part)
    if release.exists():
        shutil.rmtree(part)
    else:
        part.rename(release)
    if (source / ".venv").is_symlink():  # a developer's
        with contextlib.suppress(FileExistsError):
            (release / ".venv").symlink_to((source / ".venv").resolve())
    made = subprocess.run(
        [sys.executable, "deploy/environment.py", "requirements.txt"], cwd=release
    )
    if made.returncode:
        raise ReleaseError("Paket rilis baru tidak dapat dipasang. Tidak ada yang diubah.")
    compile_all(release)
    return release


def compile_all(release: Path) -> None:
    """The service can't write here, and would compile all of it at each start.

    Twice: deploy/start.py serves without docstrings, commands run with them.
    """
    python = release / ".venv" / "bin" / "python"
    command = [python, "-m", "compileall", "-q", "-o", "0", "-o", "2", "-x", "/(tests|bench)/", "."]
    subprocess.run(command, cwd=release)


def copy_source(source: Path, target: Path) -> None:
    """What belongs to Alur itself: neither a clinic's data nor what is made from the source."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        return LEFT_OUT & set(names) | ({"data"} if Path(folder) == source else set())

    shutil.copytree(source, target, ignore=left_out)


def digest_of(tree: Path) -> str:
    """A name that tells two releases apart."""
    seen = hashlib.sha256()
    for path in sorted(path for path in tree.rglob("*") if path.is_file()):
        seen.update(str(path.relative_to(tree)).encode() + b"\0")
        seen.update(hashlib.sha256(path.read_bytes()).digest())
    return seen.hexdigest()[:12]


def clear_old(home: Path, current: Path) -> None:
    """Of the releases before this one the newest stay, with their environments."""
    others = [path for path in (home / "releases").iterdir() if path != current]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in others[KEPT:]:
        shutil.rmtree(path)
