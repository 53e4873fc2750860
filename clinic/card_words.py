"""The words of the recovery card: 32 bytes as 34 words, the last two of them a check.

A byte is a word. The check is a CRC over the bytes in their order: it finds every single wrong
word and every two that changed places, and of worse mistakes all but one in 65,536.
"""

import re
from binascii import crc_hqx
from difflib import get_close_matches
from pathlib import Path

WORDS = (Path(__file__).parent / "data" / "card_words.txt").read_text().split()
SECRET, CHECK = 32, 2  # bytes, and so words
COUNT = SECRET + CHECK
ENOUGH = 4  # letters: no two words begin with the same
START = 0xFFFF
LONGEST, MOST_NAMED = 20, 5


class KeyProblem(ValueError):
    """A key that can't be used; the sentence is for whoever typed it."""


class UnknownWord(KeyProblem):
    """A word that is not in the list."""


def written(secret: bytes) -> list[str]:
    """The words of a secret."""
    check = crc_hqx(secret, START).to_bytes(CHECK)
    return [WORDS[byte] for byte in secret + check]


def split(typed: str) -> list[str]:
    """The words that were typed, without numbers and what stands between them."""
    return re.findall(r"[^\W\d_]+", typed.lower())


def found(word: str) -> int | None:
    """Where a word stands in the list; its first four letters are enough."""
    for at, one in enumerate(WORDS):
        if word == one or len(word) >= ENOUGH and one.startswith(word):
            return at
    return None


def look_up(typed: str) -> list[int]:
    """The bytes of these words, as many as there are. Raises UnknownWord."""
    words = split(typed)
    bytes_ = [found(word) for word in words]
    unknown = [at for at, byte in enumerate(bytes_) if byte is None]
    if unknown:
        raise UnknownWord(" ".join(_named(at + 1, words[at]) for at in unknown[:MOST_NAMED]))
    return bytes_


def _named(number: int, word: str) -> str:
    near = get_close_matches(word, WORDS, 1)
    hint = f"; maksudnya '{near[0]}'?" if near else "."
    return f"Kata ke-{number} '{word[:LONGEST]}' tidak ada di daftar{hint}"


def read(typed: str) -> bytes:
    """The secret that these words stand for. Raises KeyProblem."""
    content = bytes(look_up(typed))
    if len(content) != COUNT:
        raise KeyProblem(f"Kartu punya {COUNT} kata; yang diketik {len(content)}.")
    if crc_hqx(content, START):
        raise KeyProblem(
            "Semua kata ada di daftar, tetapi tidak cocok satu dengan yang lain: ada kata yang "
            "tertukar tempatnya, atau kata lain dari yang di kartu. Cocokkan satu demi satu."
        )
    return content[:SECRET]
