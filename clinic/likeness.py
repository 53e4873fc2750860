"""How alike two names or two birth dates are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from clinic.names import NameKey, join_words, typed_words, word_set

Words = tuple[str, ...]
NOTHING: Mapping[str, str] = {}

PARTNER_FROM = 0.80  # a word has found its partner
JOINED_FROM = 0.92  # the differing words, written as one, are still the same name
MISSING_WORD_COST = 0.15
COMMON_WEIGHT = 0.4
INITIAL_WEIGHT = 0.3
COMMON_WORDS = word_set(
    "MUAMAD AMAD ABDUL SITI NUR SRI DWI TRI EKA PUTRA PUTRI DEWI AIU ANDI DAING KARAING LALU "
    "BAIK WAIAN MADE NIUMAN KETUT PUTU KADEK KUMANG GEDE LU"
)
# The first letter of the key may be the second of the name: Khairul is H, Tjahjono C.
INITIALS = {"K": "KH", "H": "HKC", "C": "CHT", "T": "TC", "D": "DJ", "J": "JDZY"}
PLACEHOLDER_DAYS = {(1, 1), (31, 12), (1, 7)}
AGE_TOLERANCE = 2
DIGITS = (0, 1, 2, 3, 6, 7)  # of DDMMYYYY those that may be wrong in a living person's birth date


@dataclass(frozen=True, slots=True)
class NameFit:
    """alike 0-1; evidence 0-1, low when only common words agree."""

    alike: float
    evidence: float
    is_other_person: bool = False
    is_part: bool = False


def compare_names(a: NameKey, b: NameKey) -> NameFit:
    """As `compare_words`, with a slip also looked for in the letters as they were typed."""
    return _compared(a.words, b.words, a.folded, b.folded)


@lru_cache(maxsize=512)
def _compared(a: Words, b: Words, typed_a: Words, typed_b: Words) -> NameFit:
    # Of fifty candidates many are namesakes.
    return compare_words(a, b, {**typed_words(a, typed_a), **typed_words(b, typed_b)})


def compare_words(a: Words, b: Words, typed: Mapping[str, str] = NOTHING) -> NameFit:
    """Two names as sets of key words, common ones weighing less; the order says nothing.

    `typed` gives words as they were before folding.
    """
    mine, theirs = _merge_joined(a, set(b)), _merge_joined(b, set(a))
    short, long = sorted((mine, theirs), key=lambda words: (len(words), words))
    short_weights, long_weights = [*map(_weight, short)], [*map(_weight, long)]
    evidence = min(1.0, sum(short_weights), sum(long_weights))
    if sorted(short) == sorted(long):
        return NameFit(1.0, evidence)
    table = [[_alike_as_typed(word, other, typed) for other in long] for word in short]
    forward = [max(row) for row in table]
    backward = [max(column) for column in zip(*table, strict=True)]
    alike = _mean(forward, short_weights)
    lonely = min(forward) < PARTNER_FROM
    if len(short) == len(long):
        alike = (alike + _mean(backward, long_weights)) / 2
        lonely = lonely or min(backward) < PARTNER_FROM
    missing = _missing(backward, len(long) - len(short))
    alike -= MISSING_WORD_COST * _mean(missing, long_weights)
    # A word that swallowed its neighbour may be alike enough to its first half.
    if (lonely or len(short) < len(long)) and (rest := _rest_alike(short, long)) >= JOINED_FROM:
        lonely, alike = False, max(alike, rest)
    return NameFit(alike, evidence, lonely, not lonely and min(forward) == 1 and any(missing))


def _missing(best: list[float], too_many: int) -> list[float]:
    """1.0 for each word of the longer name without a partner of its own: two can't share one."""
    last = sorted(range(len(best)), key=lambda place: best[place])[:too_many]
    return [float(place in last or one < PARTNER_FROM) for place, one in enumerate(best)]


def _rest_alike(short: list[str], long: list[str]) -> float:
    # Only the words that differ: "Muhammad" in both would make any two names look alike.
    mine = [word for word in short if word not in long]
    theirs = [word for word in long if word not in short]
    if len(mine) == len(theirs) == 1:
        return word_alike(mine[0], theirs[0])
    one, other = join_words(*mine), join_words(*theirs)
    if not (one and other):
        return 0.0
    return 0.93 if one_edit(one, other) else jaro_winkler(one, other)


def _weight(word: str) -> float:
    """What a shared word proves, 0-1: an initial or Siti little."""
    if len(word) == 1:
        return INITIAL_WEIGHT
    return COMMON_WEIGHT if word in COMMON_WORDS else 1.0


@lru_cache(maxsize=4096)
def word_alike(a: str, b: str) -> float:
    """0-1 for two key words; initials, one slip of the finger, else Jaro-Winkler."""
    if a == b:
        return 1.0
    if len(a) == 1 or len(b) == 1:
        return 0.85 if a[0] in INITIALS.get(b[0], b[0]) else 0.0
    if one_edit(a, b):
        return _slip(a, b)
    return min(0.9, jaro_winkler(a, b))


def _alike_as_typed(a: str, b: str, typed: Mapping[str, str]) -> float:
    """As `word_alike`, but folding must not make two slips of one: SLAMEY for SLAMET."""
    alike = word_alike(a, b)
    if alike < PARTNER_FROM and a in typed and b in typed and one_edit(typed[a], typed[b]):
        return max(alike, _slip(typed[a], typed[b]))
    return alike


def _slip(a: str, b: str) -> float:
    # In a short word one letter makes another name: Adi, Ari, Ali.
    return {1: 0.0, 2: 0.7, 3: 0.8, 4: 0.87}.get(min(len(a), len(b)), 0.93)


def one_edit(a: str, b: str) -> bool:
    """True when one letter is changed, missing, extra or swapped with its neighbour."""
    if len(a) > len(b):
        a, b = b, a
    if len(b) - len(a) > 1 or a == b:
        return False
    start = 0
    while start < len(a) and a[start] == b[start]:
        start += 1
    if len(a) < len(b):
        return a[start:] == b[start + 1 :]
    is_swapped = a[start : start + 2] == b[start : start + 2][::-1]
    return a[start + 1 :] == b[start + 1 :] or (is_swapped and a[start + 2 :] == b[start + 2 :])


def jaro_winkler(a: str, b: str) -> float:
    """0-1; the bonus for a common beginning only above 0.8, where twins' names rarely are."""
    # Which is first changes the pairing of repeated letters: always the same one.
    if (len(a), a) > (len(b), b):
        a, b = b, a
    if not a:
        return 0.0
    reach = max(len(b) // 2 - 1, 0)
    taken = [False] * len(b)
    first = []
    for i, letter in enumerate(a):
        j = b.find(letter, max(0, i - reach), i + reach + 1)
        while j >= 0 and taken[j]:
            j = b.find(letter, j + 1, i + reach + 1)
        if j >= 0:
            taken[j] = True
            first.append(letter)
    if not first:
        return 0.0
    second = [letter for letter, is_taken in zip(b, taken, strict=True) if is_taken]
    swapped = sum(x != y for x, y in zip(first, second, strict=True)) / 2
    common = len(first)
    jaro = (common / len(a) + common / len(b) + (common - swapped) / common) / 3
    if jaro <= 0.8:
        return jaro
    prefix = next((i for i in range(min(4, len(a))) if a[i] != b[i]), min(4, len(a)))
    return jaro + prefix * 0.1 * (1 - jaro)


def _merge_joined(words: Words, others: set[str]) -> list[str]:
    """Nur Haliza becomes one word where the other name has Nurhaliza."""
    merged: list[str] = []
    for word in words:
        if merged and word not in others and join_words(merged[-1], word) in others:
            merged[-1] = join_words(merged[-1], word)
        else:
            merged.append(word)
    return merged


def _mean(values: list[float], weights: list[float]) -> float:
    return sum(map(float.__mul__, values, weights)) / sum(weights)


@lru_cache(maxsize=256)
def near_dates(born: date) -> frozenset[date]:
    """The birth dates that one slip turns into this one, and itself: digit, order, year.

    An estimated date has no neighbours: its day and month were never told.
    """
    if (born.day, born.month) in PLACEHOLDER_DAYS:
        return frozenset({born})
    digits = _digits(born)
    slips = {digits[2:4] + digits[:2] + digits[4:]}
    slips |= {digits[:at] + digit + digits[at + 1 :] for at in DIGITS for digit in "0123456789"}
    slips |= {digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :] for at in range(7)}
    years = range(max(1, born.year - AGE_TOLERANCE), born.year + AGE_TOLERANCE + 1)
    slips |= {f"{digits[:4]}{year:04}" for year in years}
    return frozenset(found for text in slips if (found := _date(text))) | {born}


def _digits(day: date) -> str:
    return f"{day.day:02}{day.month:02}{day.year:04}"


def _date(digits: str) -> date | None:
    day, month, year = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    is_plausible = 0 < month <= 12 and 0 < day <= 31 and year >= 1
    try:
        return date(year, month, day) if is_plausible else None
    except ValueError:
        return None


def birth_rule(a: date, b: date, precisions: set[str]) -> str:
    """The rule born_* of the score that fits two birth dates; precisions day, month, year."""
    years = abs(a.year - b.year)
    if "year" in precisions and years <= 1:
        return "born_told" if years else "born_year"
    is_estimated = bool({(d.day, d.month) for d in (a, b)} & PLACEHOLDER_DAYS)
    if precisions == {"day"} and (rule := _day_rule(a, b, is_estimated)):
        return rule
    if (a.year, a.month) == (b.year, b.month) and not is_estimated:
        return "born_month"
    is_vague = is_estimated or precisions != {"day"}
    if years == 0 and is_vague:
        return "born_year"
    return "born_age" if is_vague and years <= AGE_TOLERANCE else "born_other"


def _day_rule(a: date, b: date, is_estimated: bool) -> str | None:
    if a == b:
        return "born_placeholder" if is_estimated else "born_same"
    if is_estimated:
        return None
    if a.year == b.year and (a.day, a.month) == (b.month, b.day):
        return "born_swapped"
    if (a.day, a.month) == (b.day, b.month) and abs(a.year - b.year) <= AGE_TOLERANCE:
        return "born_year_off" if abs(a.year - b.year) == 1 else "born_years_off"
    return "born_digit" if one_edit(_digits(a), _digits(b)) else None
