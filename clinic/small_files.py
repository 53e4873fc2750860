"""Files that are either there whole or not at all, and never flood the disk."""

import contextlib
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

SYNC_EVERY = 0.05  # seconds


def write_aside(path: Path, content: bytes) -> None:
    """Put this content there, for this account alone, even if the power fails meanwhile."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed in it last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def paced(path: Path) -> Iterator[None]:
    """What is written to this file meanwhile goes to the disk bit by bit.

    All at once, at its end, it would hold up the saves of everybody else.
    """
    is_over = threading.Event()

    def sync() -> None:
        descriptor = os.open(path, os.O_RDONLY)
        with contextlib.suppress(OSError):  # whoever writes the file hears of it too
            while not is_over.wait(SYNC_EVERY):
                os.fdatasync(descriptor)
        os.close(descriptor)

    thread = threading.Thread(target=sync, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
