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

from clinic import card_words
from clinic.card_words import KeyProblem
from clinic.small_files import write_aside

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # of Bech32: no 1, b, i, o
PREFIX = "AGE-SECRET-KEY-1"
PUBLIC, SIGNING, PENDING = "recovery.pub", "recovery-sign.key", "recovery-card.json"
KEY_LENGTH, CHECK_LENGTH = 58, 6
SPARE_BITS = 4  # 52 characters of 5 bits for 32 bytes
# Cards printed before there were words: six lines of ten characters, each with its check.
OLD_LINES, OLD_LENGTH, OLD_CHECK = 6, 10, 2
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Card:
    """What is printed: the private key, and its QR code as runs of dark modules."""

    secret: str
    public: str
    qr: list[str]
    size: int  # of the QR code, in modules

    @property
    def words(self) -> list[str]:
        return card_words.written(_secret_bytes(self.secret))

    @property
    def proof(self) -> str:
        """What the head copies from the printed card: the last word."""
        return self.words[-1]


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
    if card_words.split(typed) != [card.proof]:
        raise KeyProblem(f"Bukan itu. Salin kata ke-{card_words.COUNT} dari kartu cetak.")
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


def parse_secret(typed: str) -> str:
    """The private key from what was typed or scanned. Says which words can't be right."""
    plain = re.sub(r"\s", "", typed).upper()
    if PREFIX in plain:
        return _whole(plain[plain.index(PREFIX) :])
    if _is_old(typed):
        return _from_old_lines(typed)
    return _secret_text(card_words.read(typed))


def parse_part(typed: str) -> str:
    """The same of what is typed line by line; '' while more is to come."""
    if _is_old(typed):
        return parse_secret(typed) if len(_old_lines(typed)) >= OLD_LINES else ""
    is_whole = PREFIX in typed.upper() or len(card_words.look_up(typed)) >= card_words.COUNT
    return parse_secret(typed) if is_whole else ""


def _old_lines(typed: str) -> list[str]:
    lines = [re.sub(r"^\s*\d\s*[.):]\s*|[\s.-]", "", line) for line in typed.splitlines()]
    return [line.upper() for line in lines if line]


def _is_old(typed: str) -> bool:
    """Few words of the list, and a line like an old card's."""
    words = card_words.split(typed)
    known = sum(card_words.found(word) is not None for word in words)
    of_old = set(CHARSET.upper())
    whole = [line for line in _old_lines(typed) if len(line) == OLD_LENGTH + OLD_CHECK]
    return known * 2 <= len(words) and any(set(line) <= of_old for line in whole)


def _from_old_lines(typed: str) -> str:
    lines = _old_lines(typed)
    if len(lines) != OLD_LINES:
        raise KeyProblem(f"Kartu lama punya {OLD_LINES} baris; yang diketik {len(lines)}.")
    parts, wrong = [], []
    for number, line in enumerate(lines, 1):
        part, check = line[:-OLD_CHECK], line[-OLD_CHECK:]
        length = min(OLD_LENGTH, KEY_LENGTH - len(parts) * OLD_LENGTH)
        parts.append(part)
        if len(part) != length or check != _old_check(number, part):
            wrong.append(str(number))
    if wrong:
        raise KeyProblem(
            f"Ada salah ketik di baris {', '.join(wrong)}. Cocokkan lagi dengan kartu."
        )
    return _whole(PREFIX + "".join(parts))


def _old_check(number: int, part: str) -> str:
    digest = hashlib.sha256(f"{number}{part}".encode()).digest()
    return "".join(CHARSET[byte % 32] for byte in digest[:OLD_CHECK]).upper()


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


# --- Bech32, as age writes its keys ---------------------------------------------------------------


def is_bech32(text: str, prefix: str) -> bool:
    """Whether the checksum of an age key is right."""
    body = text.removeprefix(prefix).lower()
    if not text.startswith(prefix) or len(body) != KEY_LENGTH or set(body) - set(CHARSET):
        return False
    return _polymod(_human(prefix) + [CHARSET.index(char) for char in body]) == 1


def _secret_bytes(secret: str) -> bytes:
    bits = 0
    for char in secret.removeprefix(PREFIX)[:-CHECK_LENGTH].lower():
        bits = bits << 5 | CHARSET.index(char)
    return (bits >> SPARE_BITS).to_bytes(card_words.SECRET)


def _secret_text(content: bytes) -> str:
    bits = int.from_bytes(content) << SPARE_BITS
    values = [bits >> 5 * at & 31 for at in reversed(range(KEY_LENGTH - CHECK_LENGTH))]
    check = _polymod(_human(PREFIX) + values + [0] * CHECK_LENGTH) ^ 1
    values += [check >> 5 * at & 31 for at in reversed(range(CHECK_LENGTH))]
    return PREFIX + "".join(CHARSET[value] for value in values).upper()


def _human(prefix: str) -> list[int]:
    human = prefix[:-1].lower()
    return [ord(char) >> 5 for char in human] + [0] + [ord(char) & 31 for char in human]


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
