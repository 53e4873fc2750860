"""Reads a complaint as clerks type it: folding, phrases, denials, ages, how long a cough lasts.

Pure. Lexicon and complaint go through the same `fold`, so whatever it does to a spelling it does
to both; phrases are compared word by word, never letter by letter ("digigit" holds no "gigi").
"""

import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

SPELLINGS = {
    variant: word
    for word, variants in {
        "tidak": "tdk tak gak ngak engak ga gk ndak nda nga enga kagak",
        "sakit": "skt sakid",
        "batuk": "btk batok watuk",
        "demam": "dmm demem",
        "pilek": "plk",
        "mencret": "mncret menceret",
        "muntah": "mntah munta",
        "sesak": "sesek ssk",
        "gatal": "gatel gtl",
        "pusing": "psing puyeng",
        "kepala": "kpala kpl",
        "perut": "prt",
        "hamil": "hml",
        "imunisasi": "imun",
        "napas": "nafas",
        "bengkak": "bengkek bngkak",
    }.items()
    for variant in variants.split()
}
DENIALS = frozenset({"tidak", "tanpa", "bukan"})

UNIT_DAYS = {
    unit: days
    for units, days in (
        ("hari hr", 1),
        ("mingu mgu mg mgg mng", 7),
        ("bulan bln bl", 30),
        ("tahun thn th", 365),
    )
    for unit in units.split()
}
WHOLE_SPANS = {
    "semingu": 7,
    "sebulan": 30,
    "setahun": 365,
    "bermingu": 14,
    "berbulan": 60,
    "bertahun": 365,
}
NUMBER_WORDS = {
    "satu": 1,
    "dua": 2,
    "tiga": 3,
    "empat": 4,
    "lima": 5,
    "enam": 6,
    "tujuh": 7,
    "delapan": 8,
    "sembilan": 9,
    "sepuluh": 10,
}

_NUMBER = rf"\d{{1,3}}|{'|'.join(NUMBER_WORDS)}"
_UNIT = "|".join(sorted(UNIT_DAYS, key=len, reverse=True))
_SPAN = rf"(?:({_NUMBER}) ({_UNIT})|({'|'.join(WHOLE_SPANS)}))\b"
_AGED = re.compile(
    r"\b(?:umur|usia|anak|bayi|balita|batita)(?: (?:umur|usia|saya|kami|laki|perempuan|pr|lk))*"
    rf" ({_NUMBER}) ({_UNIT})\b"
)
_PREGNANT_FOR = re.compile(rf"\b(?:hamil|kehamilan|kandungan) (?:{_NUMBER}) (?:{_UNIT})\b")
_COUGH_FOR = re.compile(rf"(?<!tidak )(?<!tanpa )(?<!bukan )\bbatuk\b(?: \w+){{0,5}}? {_SPAN}")
_FOR_COUGH = re.compile(rf"\b{_SPAN}(?: (?:ini|terakhir|sudah|lebih))* batuk\b")
_CHRONIC_COUGH = re.compile(
    r"(?<!tidak )(?<!tanpa )(?<!bukan )\b(batuk lama|batuk menahun|batuk kronis|batuk darah"
    r"|batuk berdarah|batuk campur darah|dahak darah|dahak berdarah)\b"
)
# Typical ages for words without a number: enough to propose a room, never to refuse one.
AGE_WORDS = {"neonatus": 0, "bayi": 6, "batita": 24, "balita": 36, "anak": 36}


def fold(text: str) -> str:
    """Lower-case words with single spaces: accents, punctuation, doubled letters and words gone.

    "gatal2", "gatal-gatal" and "GATAL" are one; two-letter words (TT, KK) keep their letters.
    """
    plain = unicodedata.normalize("NFKD", text).lower()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = re.sub(r"\b([a-z]{4,})2(an|nya)?\b", r"\1 \1\2", plain)
    plain = re.sub(r"(?<=\d)(?=[a-z])", " ", re.sub(r"[^a-z0-9]+", " ", plain))
    words: list[str] = []
    for word in plain.split():
        short = word if len(word) < 3 else re.sub(r"([a-z])\1+", r"\1", word)
        short = SPELLINGS.get(word) or SPELLINGS.get(short, short)
        if words[-1:] != [short] or short.isdigit():
            words.append(short)
    return " ".join(words)


def hinted_age(folded: str) -> int | None:
    """Age in months that the complaint itself tells ("anak 3 th", "bayi"), or None."""
    found = _AGED.search(folded)
    if found:
        return _months(found[1], found[2])
    if "bayi baru lahir" in folded:
        return 0
    words = set(folded.split())
    return next((months for word, months in AGE_WORDS.items() if word in words), None)


def cough_sign(folded: str, from_days: int) -> str | None:
    """The words for a cough that lasts `from_days` or longer, or with blood; else None."""
    chronic = _CHRONIC_COUGH.search(folded)
    if chronic:
        return chronic[1]
    rest = _PREGNANT_FOR.sub(" ", _AGED.sub(" ", folded))
    found = _COUGH_FOR.search(rest) or _FOR_COUGH.search(rest)
    if not found:
        return None
    days = WHOLE_SPANS[found[3]] if found[3] else _days(found[1], found[2])
    return f"batuk {_span_text(days)}" if days >= from_days else None


def _count(number: str) -> int:
    return NUMBER_WORDS.get(number) or int(number)


def _days(number: str, unit: str) -> int:
    return _count(number) * UNIT_DAYS[unit]


def _months(number: str, unit: str) -> int:
    per_unit = {365: 12, 30: 1}.get(UNIT_DAYS[unit])
    return _count(number) * per_unit if per_unit else _days(number, unit) // 30


def _span_text(days: int) -> str:
    for size, unit in ((365, "tahun"), (30, "bulan"), (7, "minggu")):
        if days >= size and days % size == 0:
            return f"{days // size} {unit}"
    return f"{days} hari"


class Hit(NamedTuple):
    """A phrase found in a complaint: its key, its first word's place, its length in words."""

    key: Hashable
    start: int
    length: int
    is_denied: bool


@dataclass(frozen=True)
class PhraseIndex:
    """Phrases by their first word: one walk over the complaint finds them all."""

    by_first: Mapping[str, Sequence[tuple[tuple[str, ...], Hashable]]]

    @classmethod
    def of(cls, phrases: Iterable[tuple[str, Hashable]]) -> "PhraseIndex":
        """An index of (folded phrase, key)."""
        by_first: dict[str, list[tuple[tuple[str, ...], Hashable]]] = {}
        for folded, key in phrases:
            words = tuple(folded.split())
            if words:
                by_first.setdefault(words[0], []).append((words, key))
        return cls(by_first)

    def find(self, folded: str) -> list[Hit]:
        """Every place where a phrase stands, denied ones ("tidak demam") marked."""
        words = tuple(folded.split())
        return [
            Hit(key, start, len(phrase), _is_denied(words, start))
            for start, word in enumerate(words)
            for phrase, key in self.by_first.get(word, ())
            if words[start : start + len(phrase)] == phrase
        ]


def _is_denied(words: Sequence[str], start: int) -> bool:
    if start >= 2 and words[start - 1] == "ada":  # "tidak ada demam"
        start -= 1
    return start >= 1 and words[start - 1] in DENIALS


def longest_first(hits: Iterable[Hit]) -> list[Hit]:
    """Hits of one room, each word used once: "sakit gigi" leaves no "gigi" to count again."""
    taken: set[int] = set()
    kept: dict[Hashable, Hit] = {}
    for hit in sorted(hits, key=lambda hit: (-hit.length, hit.start)):
        places = range(hit.start, hit.start + hit.length)
        if taken.isdisjoint(places):
            taken.update(places)
            if not hit.is_denied:
                kept.setdefault(hit.key, hit)
    return sorted(kept.values(), key=lambda hit: hit.start)
