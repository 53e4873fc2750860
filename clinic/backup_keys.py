"""The clinic's recovery key: public here, private on a printed card alone.

The private key is an age X25519 key. It is kept beside the others only until the head has proved
that the card is printed; a demo clinic, which has nothing to protect, keeps it. From it comes also
the key that backups are signed with: who holds the card can tell a forged backup from a real one.
"""

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from clinic.small_files import write_aside

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # of Bech32: no 1, b, i, o
PREFIX = "AGE-SECRET-KEY-1"
PUBLIC, SIGNING, PENDING = "recovery.pub", "recovery-sign.key", "recovery-card.json"
LINE_LENGTH, GROUP = 10, 5
KEY_LENGTH = 58
LINES = -(-KEY_LENGTH // LINE_LENGTH)
_ROOT = Path(__file__).parent.parent


class KeyProblem(ValueError):
    """A key that can't be used; the sentence is for whoever typed it."""


@dataclass(frozen=True)
class Card:
    """What is printed: the private key, and its QR code as runs of dark modules."""

    secret: str
    public: str
    qr: list[str]
    size: int  # of the QR code, in modules

    @property
    def lines(self) -> list[str]:
        return card_lines(self.secret)

    @property
    def proof(self) -> str:
        """What the head copies from the printed card: the last line's check."""
        return self.lines[-1].split()[-1]


# --- Making and keeping ---------------------------------------------------------------------------


def make(keys: Path) -> None:
    """A new pair. Used at once when it is the first, else once its card is confirmed."""
    made = subprocess.run(  # a process of its own: the web needs neither library
        [sys.executable, "-m", "clinic.recovery_card"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    write_aside(keys / PENDING, made.stdout.encode())
    if not (keys / PUBLIC).exists():
        _use(keys, pending(keys))


def _use(keys: Path, card: Card) -> None:
    write_aside(keys / SIGNING, signing_key(card.secret))
    write_aside(keys / PUBLIC, card.public.encode())


def pending(keys: Path) -> Card | None:
    """The card that waits to be printed; a demo clinic's stays."""
    try:
        return Card(**json.loads((keys / PENDING).read_text()))
    except FileNotFoundError:
        return None


def confirm(keys: Path, typed: str) -> None:
    """The card is printed: use its key from now on, and forget the private one."""
    card = pending(keys)
    if card is None:
        raise KeyProblem("Kartu ini sudah dikonfirmasi, atau belum pernah dibuat.")
    if typed.strip().upper() != card.proof:
        last = len(card.lines)
        raise KeyProblem(f"Bukan itu. Salin dua huruf terakhir di baris {last} dari kartu cetak.")
    _use(keys, card)
    os.unlink(keys / PENDING)


def keep(keys: Path, secret: str, public: str) -> None:
    """What a server needs of the card that a backup was opened with."""
    _use(keys, Card(secret, public, [], 0))


def take_over(keys: Path, other: Path) -> None:
    """A new server, whose own card nobody has printed, goes on with the card that was used."""
    is_unprinted = (keys / PENDING).exists() or not (keys / PUBLIC).exists()
    if (other / PUBLIC).exists() and is_unprinted and public_key(keys) != public_key(other):
        for name in (SIGNING, PUBLIC):
            os.replace(other / name, keys / name)
        (keys / PENDING).unlink(missing_ok=True)


def public_key(keys: Path) -> str:
    """The clinic's public key, or ''."""
    path = keys / PUBLIC
    return path.read_text().strip() if path.exists() else ""


def own_signing_key(keys: Path) -> bytes:
    """What this server signs its backups with, or b''."""
    path = keys / SIGNING
    return path.read_bytes() if path.exists() else b""


def signing_key(secret: str) -> bytes:
    """The signing key that goes with a private key; it doesn't lead back."""
    return hmac.new(secret.strip().upper().encode(), b"alur backup manifest", "sha256").digest()


# --- The card, printed and typed ------------------------------------------------------------------


def card_lines(secret: str) -> list[str]:
    """The private key in numbered lines of two groups, each line with its check."""
    body = secret.removeprefix(PREFIX)
    lines = []
    for number, start in enumerate(range(0, len(body), LINE_LENGTH), 1):
        part = body[start : start + LINE_LENGTH]
        groups = " ".join(part[at : at + GROUP] for at in range(0, len(part), GROUP))
        lines.append(f"{number}. {groups} {_check(number, part)}")
    return lines


def _check(number: int, part: str) -> str:
    digest = hashlib.sha256(f"{number}{part}".encode()).digest()
    return "".join(CHARSET[byte % 32] for byte in digest[:2]).upper()


def parse_secret(typed: str) -> str:
    """The private key from what was typed or scanned. Names the lines that can't be right."""
    plain = re.sub(r"\s", "", typed).upper()
    if PREFIX in plain:
        return _whole(plain[plain.index(PREFIX) :])
    lines = [line for line in typed.upper().splitlines() if line.strip()]
    if len(lines) != LINES:
        raise KeyProblem(f"Kartu punya {LINES} baris; yang diketik {len(lines)}.")
    parts = [part_of(number, line) for number, line in enumerate(lines, 1)]
    wrong = [str(number) for number, part in enumerate(parts, 1) if not part]
    if wrong:
        raise KeyProblem(
            f"Ada salah ketik di baris {', '.join(wrong)}. Cocokkan lagi dengan kartu."
        )
    return _whole(PREFIX + "".join(parts))


def part_of(number: int, line: str) -> str:
    """The part of the key on this line of the card; '' when the line is mistyped."""
    part = re.sub(r"^\s*\d\s*[.):]\s*|[\s.-]", "", line.upper())
    length = min(LINE_LENGTH, KEY_LENGTH - (number - 1) * LINE_LENGTH)
    is_right = len(part) == length + 2 and part[-2:] == _check(number, part[:-2])
    return part[:-2] if is_right else ""


def _whole(secret: str) -> str:
    if not is_bech32(secret, PREFIX):
        raise KeyProblem("Kunci ini tidak lengkap atau salah ketik. Cocokkan lagi dengan kartu.")
    return secret


def parse_public(typed: str) -> str:
    """Somebody's public key, or ''. Raises KeyProblem."""
    plain = typed.strip().lower()
    if plain and not is_bech32(plain, "age1"):
        raise KeyProblem("Bukan kunci publik age. Bentuknya age1 diikuti 58 huruf dan angka.")
    return plain


def is_bech32(text: str, prefix: str) -> bool:
    """Whether the checksum of an age key is right."""
    body = text.removeprefix(prefix).lower()
    if not text.startswith(prefix) or len(body) != KEY_LENGTH or set(body) - set(CHARSET):
        return False
    human = prefix[:-1].lower()
    values = [ord(char) >> 5 for char in human] + [0] + [ord(char) & 31 for char in human]
    return _polymod(values + [CHARSET.index(char) for char in body]) == 1


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(
            (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
        ):
            check ^= generator if top >> bit & 1 else 0
    return check
