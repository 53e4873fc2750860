"""Folded keys of Indonesian names, for search and for finding the same person twice.

The stored key and the typed search go through the same folding. It looks at the letters to the
left only, so a typed beginning of a word gives a beginning of the word's key; the exceptions
are the digraphs CH KH CK DJ TJ DZ TS EE EI EY, right again with their second letter.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

PREFIX_LENGTH = 4
SHORT_WORD = 3
# What the columns hold; a longer key would stop the save on PostgreSQL.
WORD_LENGTH = 40
TEXT_LENGTH = 120

APOSTROPHES = str.maketrans("", "", "'`´‘’ʻʼ")
NOT_FOLDED = re.compile(r"[^A-Z0-9]+")
UNDECOMPOSED = str.maketrans({"Ø": "O", "Đ": "D", "Ð": "D", "Ł": "L", "Æ": "AE", "Œ": "OE"})


def word_set(text: str) -> frozenset[str]:
    """The words of a list written as one line."""
    return frozenset(text.split())


TITLES = word_set(
    "TN TUAN NY NYONYA NJ NJONJA NYI NYAI NN NONA AN ANAK BY BAYI BBL SDR SDRA SDRI SAUDARA "
    "SAUDARI BP BPK BAPAK PAK IBU BU MBAH NENEK KAKEK MAS MBAK MBA ALM ALMH ALMARHUM ALMARHUMAH "
    "H HJ HAJI HAJJAH HAJAH KH KYAI KIAI TGH UST USTAD USTADZ USTADZAH "
    "DR DRG DRS DRA IR PROF NS BD BDN APT R RR RA RM RADEN RORO"
)
# Written with dots they arrive as two words.
SPLIT_TITLES = word_set("KH RA RM RR")
BABY_TITLES = word_set("AN ANAK BY BAYI BBL")
MOTHER_TITLES = word_set("NY NYONYA NJ NN IBU BU")
PARENT_TITLES = MOTHER_TITLES | word_set("TN TUAN BP BPK BAPAK PAK DARI")
BABY_FILLERS = word_set("DARI KEMBAR KE")
ORDINALS = {"I": "1", "II": "2", "III": "3", "1": "1", "2": "2", "3": "3"}
_AFTER_MOTHER = re.compile(
    "(?:{})(?: (?:{}))* (?:{}) .".format(
        *("|".join(words) for words in (BABY_TITLES, BABY_FILLERS.union(ORDINALS), MOTHER_TITLES))
    )
)

DEGREES = word_set(
    "SE SH ST SP SPD SPDI SPDSD SKM SKEP SKEB SST SAG SSI SSOS SKOM SIP SPT SGZ SKG SKED SFARM "
    "SPSI STP STRKEB STRKES STRKEP STRGZ AMD AMDKEB AMDKEP AMDKES AMDGZ AMDAK AMKEB AMKEP AMK "
    "AMKG NS APT BDN MM MH MSI MPD MPDI MKES MKEP MKEB MKM MSC MKOM MAG MBA PHD MT MA MHUM MAP "
    "SHI SHUM SHUT SAK SEI SIKOM BA BSC LC AK AMAPD AMPD SPA SPB SPOG SPPD SPM SPKJ SPKFR"
)
# Names or initials as well: degrees only after a comma, or with dots.
UNSURE_DEGREES = word_set("ST MT MA MAP BA LC AK")

# Families of one name; whatever the spelling rules bring together by themselves is not listed.
ALIASES = {
    "MUAMAD": "MUH MOH MOCH MUCH MOKH MUKH MHD MHMD MUHD MOHD MOHAMED MUHAMED MUHAMMED MOHAMMED",
    "SITI": "ST STI",
    "ABDUL": "ABD ABDL",
    "AMAD": "ACH AKH AHM AHMED ACHMED",
    "NUR": "NR",
    "WAIAN": "WYN WY",
    "MADE": "MD",
    "NIUMAN": "NYM",
    "KETUT": "KT",
    "PUTU": "PT",
    "KUMANG": "KMG",
    "KADEK": "KDK",
    "GEDE": "GD",
    "GUSTI": "GST",
    "DAING": "DG",
    "KARAING": "KR",
    "BAIK": "BQ",
    "NGURA": "NGR",
}
_INITIALS = "IB IDA BAGUS; IGN GUSTI NGURA; IGM GUSTI MADE; IGP GUSTI PUTU; IGK GUSTI KETUT"
EXPANDED = {first: tuple(words) for first, *words in map(str.split, _INITIALS.split(";"))}
CANONICAL = {word: key for key, words in ALIASES.items() for word in words.split()}
BALINESE = word_set("WAIAN MADE NIUMAN KETUT PUTU KADEK KUMANG GEDE GUSTI LU NENGA DEWA")
# "Abdur Rahman", but a typed ABDUR may go on as ABDURRAHMAN.
ABDUL_BEFORE_A_NAME = word_set("ABDUR ABDUS ABDUN ABDUD ABDUT ABDUZ ABDUSY ABDUSH")
PATRONYMIC = word_set("BIN BINTI BINTE BINT BT BTE")

# Applied in this order to one upper-case word: old (van Ophuijsen) and regional spellings.
SPELLING = [
    (re.compile(pattern), key)
    for pattern, key in (
        (r"^CHR", "KR"),
        (r"DJ", "J"),
        (r"TJ", "C"),
        (r"DZ", "Z"),
        (r"TS", "S"),
        (r"OE|OO", "U"),
        (r"EE|IE", "I"),
        (r"[CK]H", "H"),
        (r"CK|Q", "K"),
        (r"S[YJ]", "S"),
        (r"X", "KS"),
        (r"[FV]", "P"),
        (r"^[YZ]", "J"),
        (r"Z", "S"),
        (r"(?<!^)[YJ]", "I"),
        (r"AE|EI", "AI"),
        (r"(?<=[UO])W", ""),
        (r"O", "U"),
        (r"(?<!^)H", ""),
        (r"(.)\1+", r"\1"),
    )
]
# The L of Abdul becomes the letter that follows, which is then one of a pair.
ASSIMILATED = re.compile(r"^ABDUL(?=[DNRST])")


@dataclass(frozen=True, slots=True)
class NameKey:
    """What a name is compared by: its words, the father's after bin/binti, the By-Ny flag."""

    tokens: tuple[str, ...]
    is_baby_of: bool = False
    father: tuple[str, ...] = ()
    folded: tuple[str, ...] = field(default=(), compare=False)

    @property
    def words(self) -> tuple[str, ...]:
        return self.tokens + self.father

    @property
    def text(self) -> str:
        """The key as it is stored: words with one space between."""
        return " ".join(self.words)[:TEXT_LENGTH].rstrip()


def typed_words(words: tuple[str, ...], folded: tuple[str, ...]) -> dict[str, str]:
    """Each key word's letters before the spelling rules; empty where one word became two."""
    return dict(zip(words, folded, strict=True)) if len(words) == len(folded) else {}


@lru_cache(maxsize=1024)
def fold(text: str) -> str:
    """Upper-case A-Z and 0-9 with single spaces; accents and apostrophes vanish."""
    plain = text.translate(APOSTROPHES)
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain)
        plain = "".join(char for char in plain if not unicodedata.combining(char))
        plain = plain.upper().translate(UNDECOMPOSED)
    return NOT_FOLDED.sub(" ", plain.upper()).strip()


def with_birth_order(name: str, nth: int | None) -> str:
    """Twins share all the rest; an only child's "bayi ke-1" says nothing once it has a name."""
    is_told = nth and (nth > 1 or name[:3].lower() == "by ")
    return f"{name} (bayi ke-{nth})" if is_told else name


class Named(Protocol):
    """A patient, what was typed of one, or a row with these two."""

    name: str
    birth_order: int | None


def called(person: Named) -> str:
    """The name by which a page tells a person from another; twins are told apart in it."""
    return with_birth_order(person.name, person.birth_order)


def is_called_after_mother(name: str) -> bool:
    """Whether it is one like "By Ny Siti" or "Bayi kembar 2 dari Ibu Siti"."""
    return bool(_AFTER_MOTHER.match(fold(name)))


@lru_cache(maxsize=1024)
def name_tokens(name: str) -> NameKey:
    """The key of a name: no titles, degrees or digits, aliases and spellings brought together.

    For "By Ny X" the tokens are the mother's and is_baby_of is set; twins keep their ordinal.
    """
    words, is_baby_of = _bare_words(name)
    if len(words) == 1 and words[0] in TITLES and len(words[0]) <= SHORT_WORD:
        words = []
    own, father = _split_father(words)
    keys = tuple(_key_words(own)), is_baby_of, tuple(_key_words(father))
    return NameKey(*keys, folded=(*own, *father))


def search_words(text: str, as_written: bool = False) -> list[str]:
    """The folded words of a typed search; each is to be found as the beginning of a key's word.

    as_written: what may be an abbreviation is one no more, IGN only begins Ignatius.
    """
    words, _ = _bare_words(text)
    own, father = _split_father([word for word in words if not word.isdigit()])
    if as_written:
        return [spell_word(word) for word in own + father]
    keys = _key_words(own) + _key_words(father)
    # The last word may be half typed: ABD is then more than ABDUL (ABDURRAHMAN, ABDI).
    if keys and keys[-1].startswith(half := spell_word((own + father)[-1])):
        keys[-1] = half
    return keys


def prefix_tokens(name: str) -> set[str]:
    """First four letters of each key word: the words of the candidate table."""
    words = name_tokens(name).words
    found = {word[:PREFIX_LENGTH] for word in words if len(word) > 1} or set(words)
    # "Nur Hayati" must meet "Nurhayati".
    for first, second in zip(words, words[1:], strict=False):
        if 1 < len(first) <= SHORT_WORD:
            found.add(join_words(first, second)[:PREFIX_LENGTH])
    return found


def join_words(*words: str) -> str:
    """The key of key words written as one: Abdul Rahman gives that of Abdurrahman."""
    return ASSIMILATED.sub("ABDU", spell_word("".join(words)))


@lru_cache(maxsize=2048)
def spell_word(word: str) -> str:
    """One upper-case word in the folded spelling: Soeharto and Suharto give one key."""
    for pattern, key in SPELLING:
        word = pattern.sub(key, word)
    return word[:WORD_LENGTH]


def _bare_words(text: str) -> tuple[list[str], bool]:
    """Folded words without titles and degrees (one word is always left), and the By-Ny flag."""
    head_text, _, tail_text = text.partition(",")
    head, tail = fold(head_text).split(), fold(tail_text).split()
    # Card indexes write the title last: "AMINAH, NY".
    if tail and all(word in TITLES for word in tail):
        head, tail = tail + head, []
    if "".join(head[:2]) in SPLIT_TITLES and len(head) > 2:
        head = head[2:]
    words = _without_degrees(head, keep=1) + _without_degrees(tail, keep=0)
    start, is_baby_of = _title_end(words)
    ordinals = [ORDINALS[word] for word in words if word in ORDINALS] if is_baby_of else []
    if is_baby_of:
        kept = (word for word in words[start:] if word not in ORDINALS)
        words, start = [word for word in kept if word not in BABY_FILLERS], 0
    letters = [re.sub(r"[0-9]+", "", word) for word in words[start:] or words[-1:]]
    letters = [word for word in letters if word]
    return letters + (ordinals if letters else []), is_baby_of


def _without_degrees(words: list[str], keep: int) -> list[str]:
    while len(words) > keep:
        # "S.Tr.Keb" arrives as three words.
        for size in range(min(3, len(words) - keep), 0, -1):
            degree = "".join(words[-size:])
            if degree in DEGREES and (degree not in UNSURE_DEGREES or size > 1 or keep == 0):
                words = words[:-size]
                break
        else:
            break
    return words


def _title_end(words: list[str]) -> tuple[int, bool]:
    has_baby_title = is_baby_of = False
    for position, word in enumerate(words):
        is_name = word == "ANAK" and words[position + 1 : position + 2] == ["AGUNG"]
        is_filler = has_baby_title and (word in BABY_FILLERS or word in ORDINALS)
        if is_name or not (word in TITLES or is_filler):
            return _balinese_marker_end(words, position), is_baby_of
        is_baby_of = is_baby_of or (has_baby_title and word in PARENT_TITLES)
        has_baby_title = has_baby_title or word in BABY_TITLES
    return len(words), is_baby_of


def _balinese_marker_end(words: list[str], position: int) -> int:
    """I and Ni before a Balinese birth name say only the sex and are often left out."""
    following = words[position + 1 : position + 2]
    is_marker = words[position] in ("I", "NI") and following
    return position + 1 if is_marker and _key_words(following)[0] in BALINESE else position


def _split_father(words: list[str]) -> tuple[list[str], list[str]]:
    for position, word in enumerate(words):
        if position and word in PATRONYMIC:
            return words[:position], words[position + 1 :]
    return words, []


def _key_words(words: list[str]) -> list[str]:
    keys = [CANONICAL.get(word) or spell_word(word) for word in words]
    if len(words) < 2:
        return keys
    for place, word in enumerate(words[:-1]):
        if word in ABDUL_BEFORE_A_NAME:
            keys[place] = "ABDUL"
    if words[0] in ("M", "HM"):
        keys[0] = "MUAMAD"
    return [*EXPANDED.get(words[0], keys[:1]), *keys[1:]]
