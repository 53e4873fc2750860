"""How often and for how long, as directions say it: "seminggu sekali", "tiap 2 hari", "5 hari".

Pure. The directions as a whole are read by `prescription_directions`.
"""

import re

from clinic import prescription_text as words

DAY, WEEK = 1, 7

# How often, as a mark of one spelling: <t1> any number a day, <e7> once in seven days, <r7> any
# number in seven days, <w7> in a week or for a week. "Selang 2 hari" is two or three days: none.
_START = r"(?<![a-wyz])"  # "3xsehari"
EACH = rf"{_START}(?:se)?tiap"
_PERIODS = (
    (rf"{_START}selang\s+(?:se|1\s*)hari(?:\s+sekali)?\b", "<e2>"),
    (rf"(?:{EACH}|{_START}per)\s*(\d{{1,2}})\s*hari(?:\s+sekali)?\b", r"<e\1>"),
    (r"(?<![\d.,/-])(\d{1,2})\s*hari\s+sekali\b", r"<e\1>"),
    (rf"(?:{_START}(?:1\s*|se)minggu|{EACH}\s+minggu)\s+sekali\b", "<e7>"),
    (rf"{_START}sekali\s+seminggu\b|{EACH}\s+minggu\b", "<e7>"),
    (rf"(?:/\s*|{_START}per\s*)minggu\b", "<r7>"),
    (rf"{_START}seminggu\b", "<w7>"),
    (rf"{_START}(?:sehari\s+sekali|sekali\s+sehari)\b", "<e1>"),
    (rf"{EACH}\s+hari\b", "<t1>"),
    (rf"(?:/\s*|{_START}per\s*|{_START}se)hari\b", "<r1>"),
)
_WEEKS = re.compile(r"\bselama\s+(?:(\d{1,2})\s*|se)minggu\b")
_DAYS = re.compile(r"(?:\bselama\s+)?(?<![\d.,/-])(?<![/-]\s)\b(\d{1,3})\s*(?:hari|hr|h)\b")

# In the box beside it these change what the numbers say, so both are read together.
_INTERVAL = re.compile(
    r"\b(?:seminggu|sepekan|mingguan|sebulan|bulanan|selang|senin|selasa|rabu|kamis|jumat|sabtu)\b"
    r"|(?:\bper|tiap|/)\s*(?:\d+\s*)?(?:minggu|pekan|bulan|hari|jam)\b"
    r"|\b(?:hari|minggu|pekan|bulan)\s+sekali\b|\bsekali\s+se|\d\s*(?:x|dd|kali)\s*\d"
)
PHASE = re.compile(r"\b(?:minggu|pekan|bulan|lalu|kemudian|selanjutnya)\b")


def durations(plain: str) -> tuple[str, list[int]]:
    """The text with its intervals marked and without its durations, and those, in days."""
    found: list[int] = []

    def take(match: re.Match, of_one: int) -> str:
        found.append(int(match[1] or 1) * of_one)
        return " "

    plain = _WEEKS.sub(lambda match: take(match, WEEK), plain)
    for pattern, mark in _PERIODS:
        plain = re.sub(pattern, f" {mark} ", plain)
    plain = _DAYS.sub(lambda match: take(match, DAY), plain)
    return words.tidied(plain), found


def speaks_of_interval(note: str) -> bool:
    """Whether it says how often, so that it belongs to the numbers: "seminggu sekali"."""
    return _INTERVAL.search(note.lower()) is not None
