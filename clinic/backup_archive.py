"""A backup's payload: tar of database and audit key, zstd, and age around it.

Reading trusts nothing: names are ours and not the archive's, each size has its limit, and what
was written is gone again unless all of it was right.
"""

import contextlib
import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import IO

from clinic.backup_manifest import BackupProblem, Manifest, read_head
from clinic.disk_errors import disk_error_text
from clinic.small_files import paced

DATABASE, AUDIT_KEY = "database", "audit.key"
LEVEL = 3
LARGEST_WINDOW = 2**27
PIECE = 1024 * 1024
LARGEST_KEY = 4096
_AGE = b"age-encryption.org/"
_STRANGE = "Di dalam cadangan ini ada berkas yang bukan dari Alur."
_BROKEN = "Isi berkas cadangan ini rusak atau terpotong. Pakai salinan lain."
_DIFFERENT = "Isi cadangan tidak sama dengan keterangannya. Pakai salinan lain."
_WRONG_KEY = "Kunci ini bukan kunci untuk berkas itu. Pakai kartu puskesmas dari masa itu."


@contextlib.contextmanager
def _fresh(path: Path) -> Iterator[IO[bytes]]:
    """A new file for this account alone; gone again when what follows fails."""
    file = os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b")
    try:
        with file, paced(path):
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def digest_of(path: Path, after: Callable[[int], None] = lambda done: None) -> str:
    """SHA-256 of a file; `after` hears how far it is."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            done += len(piece)
            after(done)
    return digest.hexdigest()


def is_encrypted(path: Path) -> bool:
    """Whether the payload needs a key."""
    with path.open("rb") as file:
        read_head(file)
        return file.read(len(_AGE)) == _AGE


def pack(manifest: Manifest, database: Path, audit_key: bytes, target: Path) -> None:
    """Head, then the compressed payload, not encrypted: what stays on this server."""
    compressor = import_module("zstandard").ZstdCompressor(level=LEVEL, write_checksum=True)
    with _fresh(target) as file:
        file.write(manifest.head())
        with (
            compressor.stream_writer(file, closefd=False) as packed,
            tarfile.open(fileobj=packed, mode="w|") as tar,
        ):
            _add(tar, AUDIT_KEY, io.BytesIO(audit_key), len(audit_key))
            with database.open("rb") as content:
                _add(tar, DATABASE, content, database.stat().st_size)


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    tar.addfile(entry, content)


def encrypt(packed: Path, target: Path) -> str:
    """The same for whoever holds one of the manifest's keys; SHA-256 of the whole file."""
    pyrage = import_module("pyrage")
    with packed.open("rb") as source, _fresh(target) as file:
        manifest = read_head(source)
        recipients = [pyrage.x25519.Recipient.from_str(key) for key in manifest.recipients]
        file.write(manifest.head())
        pyrage.encrypt_io(source, file, recipients)
    return digest_of(target)


def decrypt(source: Path, secret: str, target: Path) -> None:
    """Back to what `pack` wrote. Raises BackupProblem and leaves nothing behind."""
    pyrage = import_module("pyrage")
    try:
        identity = pyrage.x25519.Identity.from_str(secret)
        with source.open("rb") as file, _fresh(target) as plain:
            plain.write(read_head(file).head())
            pyrage.decrypt_io(file, plain, [identity])
    except pyrage.DecryptError as problem:
        is_other = "No matching keys" in str(problem)
        raise BackupProblem(_WRONG_KEY if is_other else _BROKEN) from problem
    except pyrage.IdentityError as problem:
        raise BackupProblem(_WRONG_KEY) from problem
    except OSError as problem:
        raise BackupProblem(_reading_problem(problem)) from problem


def _reading_problem(problem: OSError) -> str:
    """An error of the disk has a number, one of the decryption none."""
    return f"Gagal membaca atau menulis: {disk_error_text(problem)}." if problem.errno else _BROKEN


def unpack(source: Path, database: Path) -> bytes:
    """Write the database of an unencrypted backup there; returns the audit key.

    Raises BackupProblem when it isn't exactly what its manifest says.
    """
    zstandard = import_module("zstandard")
    decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
    try:
        with source.open("rb") as file:
            manifest = read_head(file)
            with (
                decompressor.stream_reader(file) as stream,
                tarfile.open(fileobj=stream, mode="r|") as tar,
            ):
                return _members(tar, manifest, database)
    except (zstandard.ZstdError, tarfile.TarError, EOFError, ValueError) as problem:
        raise BackupProblem(_BROKEN) from problem
    except OSError as problem:
        raise BackupProblem(_reading_problem(problem)) from problem


def audit_key_of(source: Path) -> bytes:
    """The audit key alone, of an unencrypted backup. Raises BackupProblem."""
    zstandard = import_module("zstandard")
    decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
    try:
        with source.open("rb") as file:
            manifest = read_head(file)
            stream = decompressor.stream_reader(file)
            with stream, tarfile.open(fileobj=stream, mode="r|") as tar:
                key = _member(tar, AUDIT_KEY, LARGEST_KEY).read(LARGEST_KEY)
    except (zstandard.ZstdError, tarfile.TarError, EOFError, ValueError, OSError) as problem:
        raise BackupProblem(_BROKEN) from problem
    if hashlib.sha256(key).hexdigest() != manifest.key_sha256:
        raise BackupProblem(_DIFFERENT)
    return key


def _members(tar: tarfile.TarFile, manifest: Manifest, database: Path) -> bytes:
    """Our two, in our order; anything else is refused."""
    key = _member(tar, AUDIT_KEY, LARGEST_KEY).read(LARGEST_KEY)
    if hashlib.sha256(key).hexdigest() != manifest.key_sha256:
        raise BackupProblem(_DIFFERENT)
    content = _member(tar, DATABASE, manifest.size)
    digest, done = hashlib.sha256(), 0
    with _fresh(database) as file:
        while piece := content.read(PIECE):
            done += len(piece)
            digest.update(piece)
            file.write(piece)
        if done != manifest.size or digest.hexdigest() != manifest.sha256:
            raise BackupProblem(_DIFFERENT)
        if tar.next() is not None:
            raise BackupProblem(_STRANGE)
    return key


def _member(tar: tarfile.TarFile, name: str, largest: int) -> IO[bytes]:
    entry = tar.next()
    if entry is None or entry.name != name or not entry.isreg() or entry.issparse():
        raise BackupProblem(_STRANGE)
    if entry.size > largest:
        raise BackupProblem("Isi cadangan lebih besar daripada keterangannya.")
    return tar.extractfile(entry)
