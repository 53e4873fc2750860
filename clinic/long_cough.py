"""How long a complaint's cough lasts, and whether it has blood (P1: a mask, tuberculosis). Pure.

A miss costs more than a mask too many: a time that may be the cough's counts as the cough's.
The words are gathered from what clerks type, without a published source. All are folded.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from clinic.complaint_text import AGED, NUMBER, PASSED_OVER, UNIT, UNIT_DAYS, count
from clinic.denials import Denial, Words

WHOLE_SPANS = {
    "semingu": 7,
    "sepekan": 7,
    "sebulan": 30,
    "setahun": 365,
    "bermingu": 14,
    "berpekan": 14,
    "berbulan": 60,
    "bertahun": 365,
}
# What comes with a cough and shares its time, also in a list with commas.
_FELLOWS = (
    r"pilek|flu|demam|panas|meriang|mengigil|dahak|(?:ber)?lendir|kering"
    r"|(?:ber)?keringat(?: dingin)?(?: (?:di )?malam)?(?: hari)?|sesak(?: napas)?|mengi|serak"
    r"|(?:berat badan|bb|nafsu makan) (?:turun|menurun|susut|berkurang|kurang|hilang|tidak ada)"
    r"(?: \d{1,2} kg)?|(?:turun|penurunan) (?:berat badan|bb)"
    r"|tidak (?:nafsu|mau) makan|lemas|lemah|lesu"
    r"|(?:nyeri|sakit) (?:dada|tengorokan|menelan)|gatal tengorokan|terus|menerus|malam|pagi"
    r"|disertai|dengan|dan|serta|juga|ada|hilang timbul|tidak (?:sembuh|hilang)|keluhan|disangkal"
)
_SINCE = (
    r"sudah|sejak|semenjak|dari|selama|lamanya|lebih|kurang|hampir|sekitar|kira|dalam|mulai"
    r"|\d{1,3}"  # "2-3 minggu"
)
_AGO = r"ini|terakhir|sudah|lebih|lamanya|yang|yg|lalu|yl"
# What has a time of its own: "batuk gatal 1 bulan", "telat haid 2 bulan batuk".
_OTHERS = (
    r"gatal(?! tengorokan)|sendi|telat|terlambat|haid|habis|kontrol|luka|bisul"
    r"|benjolan|gigi|mata|telinga|kulit|kaki|tangan|lutut|pingang|kencing|keputihan|nifas|hamil"
    r"|kehamilan|melahirkan|operasi|imunisasi|kb|suntik"
)
FEW_WORDS = 5
_FELLOW = re.compile(rf"\b(?:{_FELLOWS}|{_SINCE}) ")
_UNTIL_COUGH = re.compile(rf"(?:(?:{_AGO}) )*(?:(?:{_FELLOWS}) )*")
_UNTIL_COMMA = re.compile(rf"(?:(?:{_AGO}) )*\| ")
_SINCE_ONLY = re.compile(rf"(?:(?:{_SINCE}) )*")
_ANOTHER = re.compile(rf"\b(?:{_OTHERS})\b")

_TIME = re.compile(
    rf"\b(?:({NUMBER}) ({UNIT})|({'|'.join(WHOLE_SPANS)})|({UNIT}) ke ?(\d{{1,3}}))\b"
)
# "Batuk 3 mg" is weeks, "batuk, minum ambroxol 30 mg" a medicine's strength.
_OF_TIME = re.compile(rf"(?:^|\b(?:batuk|{_FELLOWS}|{_SINCE}) )$")
_PREGNANT_FOR = re.compile(rf"\b(?:hamil|kehamilan|kandungan) (?:{NUMBER}) (?:{UNIT})\b")
_PASSED = rf"\d+|{'|'.join(sorted(PASSED_OVER))}"
_PASSED_WORD = re.compile(rf"\b(?:{_PASSED}) ")
_CHRONIC = re.compile(
    r"\b(batuk (?:(?:pilek|kering|dahak|sudah|sejak|semenjak|dari) )*lama"
    r"|(?:sudah|sejak) lama batuk|batuk menahun|batuk kronis"
    r"|(?:batuk|dahak|ludah) (?:(?:keluar|ada|campur|disertai|dengan|dan|bercak|lendir|berlendir"
    rf"|dahak|kemerahan|{_PASSED}) )*(?:berdarah|darah(?! tingi| rendah| manis))"
    r"|(?:keluar darah|darah keluar) (?:sat|waktu|kalau|ketika|pas) batuk)\b"
)


class _Time(NamedTuple):
    """A length of time in a complaint: its words' places, `end` not among them."""

    start: int
    end: int
    days: int
    is_day: bool  # "hari ke 20"


def cough_sign(read: Words, from_days: int) -> str | None:
    """The words for a cough that lasts `from_days` or longer, or with blood; else None."""
    folded = " ".join(read.words)
    for found in _CHRONIC.finditer(folded):
        start, length = folded.count(" ", 0, found.start()), len(found[0].split())
        if not _is_denied(read, start, start + 1, start + length):
            return _PASSED_WORD.sub("", found[0]) if "darah" in found[0] else found[0]
    times = list(_times(folded))
    for place in (at for at, word in enumerate(read.words) if word == "batuk"):
        days = _days_of_cough(read, place, times)
        if days is not None and days >= from_days:
            return f"batuk {_span_text(days)}"
    return None


def _times(folded: str) -> Iterable[_Time]:
    """The times told, but for ages and weeks of a pregnancy."""
    others = [found.span() for spans in (AGED, _PREGNANT_FOR) for found in spans.finditer(folded)]
    for found in _TIME.finditer(folded):
        if any(start <= found.start() < end for start, end in others):
            continue
        number, unit, whole, nth_unit, nth = found.groups()
        if unit == "mg" and not _OF_TIME.search(folded[: found.start()]):
            continue
        if nth:
            days = max(int(nth) - 1, 0) * UNIT_DAYS[nth_unit] + 1
        else:
            days = WHOLE_SPANS[whole] if whole else count(number) * UNIT_DAYS[unit]
        start = folded.count(" ", 0, found.start())
        yield _Time(start, start + len(found[0].split()), days, bool(nth))


def _days_of_cough(read: Words, place: int, times: list[_Time]) -> int | None:
    """Of the cough at this place: the nearer of the times behind and before it, behind first."""
    behind = next((time for time in times if time.start > place), None)
    before = next((time for time in reversed(times) if time.end <= place), None)
    near: list[tuple[int, int]] = []
    if behind and _is_of_cough_before(read, place, behind):
        near.append((behind.start - place - 1, behind.days))
    if before and _is_of_cough_behind(read, place, before):
        near.append((place - before.end, before.days))
    return min(near, key=lambda one: one[0])[1] if near else None


def _is_of_cough_before(read: Words, place: int, time: _Time) -> bool:
    """Of "batuk pilek sejak 3 minggu", "batuk, 3 minggu"; none of "batuk, gatal 1 bulan"."""
    first, *later = _said(read, place + 1, time.start).split("|")
    after = _said(read, time.end, len(read.words)).partition("|")[0] if later else ""
    if _ANOTHER.search(first) or _ANOTHER.search(after):
        return False
    is_few = len(_FELLOW.sub("", first).split()) <= FEW_WORDS
    is_shared = is_few and not any(_FELLOW.sub("", clause).strip() for clause in later)
    return is_shared and not _is_denied(read, place, place + 1, time.end)


def _is_of_cough_behind(read: Words, place: int, time: _Time) -> bool:
    """Of "3 minggu yang lalu batuk", "sejak 3 minggu: batuk"; none of "haid 2 bulan batuk"."""
    between = _said(read, time.end, place)
    clause = max((at for at in read.breaks if at <= time.start), default=0)
    earlier = _said(read, clause, time.start).removeprefix("| ")
    if _UNTIL_COUGH.fullmatch(between):
        told = not time.is_day and not _ANOTHER.search(earlier)
    else:
        told = _UNTIL_COMMA.fullmatch(between) and _SINCE_ONLY.fullmatch(earlier)
    return bool(told) and not _is_denied(read, place, place + 1)


def _said(read: Words, start: int, end: int) -> str:
    """The words from one place to another, each with a space behind it, breaks as "|"."""
    told = ""
    for at in range(start, end):
        told += ("| " if at in read.breaks else "") + f"{read.words[at]} "
    return told + ("| " if end in read.breaks else "")


def _is_denied(read: Words, start: int, *ends: int) -> bool:
    return any(read.denial(start, end, {}) is not Denial.NONE for end in ends)


def _span_text(days: int) -> str:
    for size, unit in ((365, "tahun"), (30, "bulan"), (7, "minggu")):
        if days >= size and days % size == 0:
            return f"{days // size} {unit}"
    return f"{days} hari"
