"""Reads a complaint as clerks type it: folding, phrases, ages.

Pure. Lexicon and complaint go through the same `fold`, so whatever it does to a spelling it does
to both; phrases are compared word by word, never letter by letter ("digigit" holds no "gigi").
"""

import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from clinic.complaint_spellings import PARTED, SPELLINGS
from clinic.denials import MINUS, PLUS, Denial, Words
from clinic.namesakes import is_namesake
from clinic.taken_at_once import with_too_many

HEIGHTS_CM = range(40, 231)
WEEKS_PREGNANT = range(1, 46)  # "UK 20 minggu"
# "TB, BB turun" is the illness, "ukur TB BB" a height.
WEIGHT_CHANGES = frozenset({"turun", "naik", "tidak", "susut", "kurang"})

UNIT_DAYS = {
    unit: days
    for units, days in (
        ("hari hr", 1),
        ("mingu mgu mg mgg mng pekan", 7),
        ("bulan bln bl", 30),
        ("tahun thn th", 365),
    )
    for unit in units.split()
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

NUMBER = rf"\d{{1,3}}|{'|'.join(NUMBER_WORDS)}"
UNIT = "|".join(sorted(UNIT_DAYS, key=len, reverse=True))
AGED = re.compile(
    r"\b(?:umur|usia|anak|bayi|balita|batita)(?: (?:umur|usia|saya|kami|laki|perempuan|pr|lk))*"
    rf" ({NUMBER}) ({UNIT})\b"
)
# "(-)" and "(+)" are a sign's own; other marks part clauses, a hyphen within a word doesn't.
_MARK = re.compile(r"[(\[]\s*([-+\u2212\u2013])\s*[)\]]")
_BREAK = re.compile(r"[^\w\s'\u2019-]|\n|\s-+\s")
_DECIMAL_TIME = re.compile(r"(?<![\d.,])(\d{1,2})[.,](\d)\s*([a-z]+)\b")
# "1/2 bulan", "satu setengah bulan"; a date's or a blood pressure's strokes are none.
_HALF_TIME = re.compile(
    rf"(?<![\w.,/])(?:(\d{{1,2}}|{'|'.join(NUMBER_WORDS)})\s+)?(?:1/2|se?tengah)\s*([a-z]+)\b"
)
# What may stand between a cough or vomit and its blood: "batuk sudah 3 minggu keluar darah".
# And between a period and its end: "haid 2 minggu tidak berhenti".
_BLEEDERS = frozenset({"batuk", "muntah", "dahak", "haid"})
_BLOOD = frozenset({"darah", "berdarah", "berhenti"})
PASSED_OVER = (
    frozenset(UNIT_DAYS)
    | frozenset(NUMBER_WORDS)
    | {
        *("kadang", "sering", "sedikit", "juga", "terus", "sampai", "sudah", "sejak", "selama"),
        *("lama", "lalu", "yang", "ini", "kali", "x"),
    }
)
_SAID_COMMA = re.compile(r"(?<=\d)\s*koma\s*(?=\d)")  # "38 koma 5" is no coma
_OF_IT = re.compile(r"(?<=[a-z]{4})nya$")
# "Lamanya" tells a time where "batuk lama" is a chronic cough; the others would deny.
_KEEP_NYA = frozenset({"lamanya", "tidaknya", "bukannya"})
# Beside these "anak" and "bayi" are the mother's words, no age of hers.
OF_MOTHERS = frozenset({"hamil", "bumil", "nifas", "kb"})
# Typical ages for words without a number: enough to propose a room, never to refuse one.
AGE_WORDS = {"neonatus": 0, "bayi": 6, "batita": 24, "balita": 36, "anak": 36}


def fold(text: str) -> str:
    """Lower-case words with single spaces: accents, punctuation, "-nya", doubled letters gone.

    "gatal2", "gatal-gatal" and "GATAL" are one; two-letter words (TT, GG) keep their letters.
    """
    return " ".join(read(text).words)


def read(text: str) -> Words:
    """The folded words of a text, and where a comma, full stop or the like parted them."""
    plain = unicodedata.normalize("NFKD", text.replace("\u00bd", " 1/2 ")).lower()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = _MARK.sub(lambda found: f" {PLUS if found[1] == '+' else MINUS} ", plain)
    plain = _SAID_COMMA.sub(",", plain)
    plain = _HALF_TIME.sub(_with_decimal, plain)
    plain = _DECIMAL_TIME.sub(_in_smaller_units, plain)
    plain = re.sub(r"\b([a-z]{3,})2(an|nya)?\b", r"\1 \1\2", plain)
    plain = re.sub(r"[^a-z0-9|]+", " ", _BREAK.sub(" | ", plain))
    plain = re.sub(r"(?<=\d)(?=[a-z])", " ", plain)
    words: list[str] = []
    breaks: set[int] = set()
    for word in plain.split():
        if word == "|":
            breaks.add(len(words))
            continue
        word = word if word in _KEEP_NYA else _OF_IT.sub("", word)
        if words and len(words) not in breaks and (words[-1], word) in PARTED:
            word = words.pop() + word
        short = _short(word)
        short = SPELLINGS.get(word) or SPELLINGS.get(short, short)
        if words[-1:] != [short] or short.isdigit():
            words.append(short)
    parted = frozenset(breaks)
    return Words(tuple(_with_measures(with_too_many(words, parted, NUMBER_WORDS))), parted)


def _with_decimal(found: re.Match) -> str:
    """ "Satu setengah bulan" is 1.5 of them; "setengah sadar" is no time."""
    is_time = _short(found[2]) in UNIT_DAYS
    return f"{count(found[1] or '0')}.5 {found[2]}" if is_time else found[0]


def _in_smaller_units(found: re.Match) -> str:
    """ "1,5 bulan" is 45 days: its comma parts nothing."""
    tenths, unit = int(found[1] + found[2]), _short(found[3])
    if found[3] == "mg":
        return f"{found[1]},{found[2]} miligram"  # so nobody tells weeks, but a medicine's strength
    if unit not in UNIT_DAYS:
        return found[0]
    if UNIT_DAYS[unit] == UNIT_DAYS["tahun"]:
        return f"{tenths * 12 // 10} bulan"
    return f"{tenths * UNIT_DAYS[unit] // 10} hari"


def _short(word: str) -> str:
    """A word without its doubled letters; two-letter words (TT, GG) keep theirs."""
    return word if len(word) < 3 else re.sub(r"([a-z])\1+", r"\1", word)


def _with_measures(words: Sequence[str]) -> Iterable[str]:
    """ "TB 165" is a height, "TB 6 bulan" the illness as "TB" alone; "UK 20" a pregnancy."""
    before = ""
    for word, number, unit in zip(words, [*words[1:], ""], [*words[2:], "", ""], strict=False):
        is_height = word == "tb" and number.isdigit() and int(number) in HEIGHTS_CM
        is_measure = word == "tb" and (
            before == "bb" or (number == "bb" and unit not in WEIGHT_CHANGES)
        )
        if word == "uk" and number.isdigit() and int(number) in WEEKS_PREGNANT:
            word = "kehamilan"
        yield "tinggi" if is_measure or (is_height and unit not in UNIT_DAYS) else word
        before = word


def hinted_age(folded: str) -> int | None:
    """Age in months that the complaint itself tells ("anak 3 th", "bayi"), or None."""
    found = AGED.search(folded)
    if found:
        return _months(found[1], found[2])
    if "bayi baru lahir" in folded:
        return 0
    words = set(folded.split())
    if words & OF_MOTHERS:
        return None  # "hamil anak ke 2"
    return next((months for word, months in AGE_WORDS.items() if word in words), None)


def count(number: str) -> int:
    return NUMBER_WORDS.get(number) or int(number)


def _days(number: str, unit: str) -> int:
    return count(number) * UNIT_DAYS[unit]


def _months(number: str, unit: str) -> int:
    per_unit = {365: 12, 30: 1}.get(UNIT_DAYS[unit])
    return count(number) * per_unit if per_unit else _days(number, unit) // 30


class Hit(NamedTuple):
    """A phrase found in a complaint: its key, its first word's place, its length in words."""

    key: Hashable
    start: int
    length: int
    denial: Denial

    @property
    def is_denied(self) -> bool:
        return self.denial is not Denial.NONE

    def runs_into(self, other: "Hit") -> bool:
        """Whether it ends within another that begins later and goes on."""
        end = self.start + self.length
        return self.start < other.start < end < other.start + other.length


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

    def find(self, read: Words) -> list[Hit]:
        """Every place where a phrase stands, denied ones ("tidak demam") marked.

        "Batuk, darah tinggi" holds no "batuk darah": what goes on after the comma is one phrase.
        """
        words, hits = read.words, []
        denied: dict[int, Denial] = {}
        for start, word in enumerate(words):
            for phrase, key in self.by_first.get(word, ()):
                end = _end_of(read.words, start, phrase)
                if end and not is_namesake(read, start, end):
                    hits.append(Hit(key, start, end - start, read.denial(start, end, denied)))
                    if hits[-1].is_denied:
                        denied[end] = hits[-1].denial
        parted = [hit for hit in hits if hit.start in read.breaks]
        return [hit for hit in hits if not any(hit.runs_into(other) for other in parted)]


def _end_of(words: Sequence[str], start: int, phrase: Sequence[str]) -> int:
    """Where the phrase that begins here ends, or 0; only blood may be told some words later."""
    end = start + len(phrase)
    if words[start:end] == phrase:
        return end
    if phrase[0] not in _BLEEDERS or phrase[-1] not in _BLOOD:
        return 0
    at = start + 1
    for word in phrase[1:]:
        while at < len(words) and words[at] != word and _is_passed_over(words[at]):
            at += 1
        if words[at : at + 1] != (word,):
            return 0
        at += 1
    return at


def _is_passed_over(word: str) -> bool:
    return word in PASSED_OVER or word.isdigit()


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
