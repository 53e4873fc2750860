"""What the search box was told: number, date, name. The search and the new form read alike."""

import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from clinic.likeness import compare_names
from clinic.month_names import in_digits
from clinic.names import name_tokens
from clinic.typed_birth import NUMBER, SHORT_DATE, Span, Told, on_day, without_short
from formatting import short_date
from validators import FieldError, parse_birth_date, parse_date, phone_finding

NIK_LENGTH, BPJS_LENGTH, PHONE_LENGTHS = 16, 13, range(6, 21)
NEARLY_NIK, NEARLY_BPJS = range(14, 18), range(11, 14)  # a digit too few or too many
SHORTEST_NUMBER = 5  # "Siti 2" is a name

_DATE = re.compile(
    r"(?<![0-9])(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}"
    r"|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}|[0-9]{8})(?![0-9])"
)
# With spaces it is told from a phone number by its year, and by one other number at most beside it.
_SPACED = (
    r"(?:[0-9]{1,2}[-/.\s]+[0-9]{1,2}[-/.\s]+(?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2}[-/.\s]+[0-9]{1,2}[-/.\s]+[0-9]{1,2})"
)
_WITH_SPACED = re.compile(rf"(?:\S+\s+)?(?P<last>{_SPACED})|(?P<first>{_SPACED})\s+\S+")
_IN_OUR_TIME = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")
# A passport's letters are a part of its number: glued to it, or nothing else beside it.
_LETTERED = re.compile(r"(?<!\w)[A-Z]{1,3}-?(?=(?:[A-Z]*[0-9]){5})[0-9A-Z]+(?!\w)", re.IGNORECASE)
_LETTERED_ALONE = re.compile(r"[A-Z]{1,2}[\s.-]*(?:[0-9][\s.-]?){5,9}", re.IGNORECASE)
_ANY_NUMBER = re.compile(f"{_LETTERED.pattern}|{NUMBER.pattern}", re.IGNORECASE)
_DIGITS = re.compile(r"[+(]?[0-9][0-9\s.:/()+\-]*")
# What people write before a number; "Nik" and "Wa" are names too, "Nik 17-08-1985" is a person.
_LABEL = re.compile(
    r"(?<!\w)(?:(?:NO(?:MOR)?|NIK|KTP|KK|BPJS|JKN|KIS|HP|TELEPON|TELP?|TLP|WA|N?RM|MRN)"
    r"[\s.:=/]*)+(?=[+(]?[0-9])",
    re.IGNORECASE,
)
_PASSPORT = re.compile(
    r"(?<!\w)(?:NO(?:MOR)?[\s.:]+)?PASS?PORT?[\s.:=]*([A-Z]{0,3}[\s-]?[0-9][A-Z0-9-]{3,17})(?!\w)",
    re.IGNORECASE,
)
_KK = re.compile(
    r"(?<!\w)(?:NO(?:MOR)?[\s.:]+)?KK[\s.:=]*((?:[0-9][\s.-]?){16})(?![0-9])", re.IGNORECASE
)
_TOLD_MRN = re.compile(
    r"(?<!\w)((?:NO(?:MOR)?[\s.:]*)?(?:N?RM|MRN)[\s.:=/-]*"
    r"(?:[0-9]{2}(?:\s[0-9]{2}){2,3}(?!\s*[0-9])|(?:[0-9][./-]?){1,10}))(?!\w)",
    re.IGNORECASE,
)
# The number alone does not say it.
_OF_LABEL = {"mrn": _TOLD_MRN, "kk_number": _KK, "passport_no": _PASSPORT}
_WRITTEN_MRN = re.compile(r"[A-Z]*[\s.-]*[0-9][0-9\s./-]*", re.IGNORECASE)
_MRN = re.compile(r"(?:NO(?:MOR)?\b[\s.:]*)?(?:N?RM|MRN)[\s.:]*(\S.*)", re.IGNORECASE)


class Typed(NamedTuple):
    """What stands in the search box, part by part."""

    name: str
    born: tuple[Span, ...]  # a day, or one a century, or a year; empty when nothing is told
    numbers: list[str]
    short: Told | None = None  # how the birth date was told, unless in full


def compact(text: str) -> str:
    """A number without what people write between its parts."""
    return re.sub(r"[\s.:/()\-]+", "", text).upper()


def labelled_mrn(text: str) -> str:
    """The number of "RM 000701", as it is printed and told; empty where it is not called so."""
    found = _MRN.fullmatch(text.strip())
    return found[1].strip() if found else ""


def plain(text: str) -> str:
    """The text without words for what kind of number follows, its dates in digits.

    "RM 000123" stays: a clinic's own numbers may begin so.
    """
    text = in_digits(text)
    if _is_mrn(text):
        return text
    return _LABEL.sub(_without_label, _PASSPORT.sub(r" \1", text)).strip()


def _is_mrn(text: str) -> bool:
    return bool(_WRITTEN_MRN.fullmatch(labelled_mrn(text)))


def _without_label(found: re.Match[str]) -> str:
    number = _DIGITS.match(found.string, found.end())[0].strip()
    is_date = _DATE.fullmatch(number) or re.fullmatch(_SPACED, number)
    is_number = len(compact(number)) >= SHORTEST_NUMBER and not is_date
    return " " if is_number else found[0]


def read(text: str, today: date) -> Typed:
    """The parts of a text that is not a number as a whole."""
    rest, told = _without_told(text)
    rest, born = without_date(plain(rest))
    rest, short = (rest, None) if born else without_short(rest, today)
    name, numbers = without_numbers(rest)
    if short and short.may_be_number:
        numbers = [short.text, *numbers]
    days = on_day(born) if born else short.spans if short else ()
    return Typed(name, days, [*told.values(), *numbers], short)


def _without_told(text: str) -> tuple[str, dict[str, str]]:
    """The text without the numbers whose kind only a word before them says, and these."""
    told = {}
    for name, pattern in _OF_LABEL.items():
        if found := pattern.search(text):
            told[name] = found[1]
            text = f"{text[: found.start()]} {text[found.end() :]}"
    return text, told


def without_date(text: str) -> tuple[str, date | None]:
    """The text without the first date in it that exists, and that date."""
    spaced = (_spaced_date(text, run) for run in NUMBER.finditer(text))
    for start, end in [*(found.span() for found in _DATE.finditer(text)), *filter(None, spaced)]:
        try:
            born = parse_date(text[start:end])
        except FieldError:
            continue
        return f"{text[:start]} {text[end:]}", born
    return text, None


def _spaced_date(text: str, run: re.Match[str]) -> tuple[int, int] | None:
    """Where "27 12 2018" stands in a run of digits."""
    number = run[0].rstrip(" .")
    found = _WITH_SPACED.fullmatch(number)
    if not found or phone_finding(number) is None:
        return None
    start, end = found.span("last" if found["last"] else "first")
    return run.start() + start, run.start() + end


def without_numbers(text: str) -> tuple[str, list[str]]:
    """The text without the numbers in it, and these as they were typed."""
    if _LETTERED_ALONE.fullmatch(text.strip()):
        return "", [text.strip()]
    numbers = [found[0].strip() for found in _ANY_NUMBER.finditer(text)]
    numbers = [number for number in numbers if len(compact(number)) >= SHORTEST_NUMBER]
    for number in numbers:
        text = text.replace(number, " ", 1)
    return text, numbers


def may_mean(before: str, now: str) -> bool:
    """Whether two typed searches may be about one person: the name put right, or a part of it."""
    if not before or not now or before == now:
        return True
    one, other = name_tokens(before), name_tokens(now)
    both_named = bool(one.words and other.words)
    return both_named and not compare_names(one, other).is_other_person


def length_note(q: str) -> str:
    """What to say of a number that nobody has: a digit too few or too many is soon typed."""
    text = plain(q)
    digits = compact(text)
    is_phone = digits.startswith(("08", "628")) and phone_finding(text) is None
    if is_phone or not re.fullmatch("[0-9]{11,18}", digits):
        return ""
    return f"Diketik {len(digits)} angka; NIK {NIK_LENGTH} angka, nomor BPJS {BPJS_LENGTH} angka."


def reading_note(q: str, birth_date: date | None, today: date, found: Iterable = ()) -> str:
    """What to say of a piece that was read in one of several ways, or that nothing was made of.

    Nothing when the text as a whole is the number of one who was found, as `search` finds them.
    """
    typed = read(q.strip(), today)
    if any(compact(q) == compact(one.patient.mrn) for one in found):
        return ""
    notes, unused = [], []
    if typed.short and not birth_date:
        notes.append(typed.short.reading)
    elif typed.short:
        unused.append(typed.short.text)
    if any(map(str.isalpha, typed.name)):
        words = (word.strip(".,;") for word in typed.name.split())
        unused += [word for word in words if compact(word).isdigit()]
        read_ones = {typed.short.text} if typed.short else set()
        no_dates = [one for one in typed.numbers if one not in read_ones and _is_no_date(one)]
        notes += [f'"{one}" bukan tanggal yang ada; dicari sebagai nomor.' for one in no_dates]
    if unused:
        shown = ", ".join(f'"{one}"' for one in unused)
        notes.append(f"{shown} tidak dipakai dalam pencarian.")
    return " ".join(notes)


def _is_no_date(number: str) -> bool:
    """Whether it is written as a date, though none was read from it ("31-02-1985")."""
    return not number.isdigit() and bool(_DATE.fullmatch(number) or SHORT_DATE.fullmatch(number))


def form_fields(q: str, birth_date: str, today: date) -> tuple[dict[str, str], str]:
    """Registration fields by what was searched for, and what of it belongs into none.

    A number that is nearly one goes to its field as typed: there the clerk sees what is wrong.
    """
    fields = {"birth_date": birth_date} if birth_date else {}
    if _is_mrn(q.strip()):
        return fields, _shown([q.strip()])
    rest, told = _without_told(q.strip())
    left = [told.pop("mrn")] if "mrn" in told else []
    fields |= {name: compact(number) for name, number in told.items()}
    rest = plain(rest)
    shorter, born = without_date(rest)
    # "000015 27 12 2018" is no NIK of 14 digits.
    whole = "" if born and _WITH_SPACED.fullmatch(rest) else _field_of(rest, today)
    if whole and whole not in fields:
        return fields | {whole: _written(whole, rest)}, _shown(left)
    if born and not birth_date:
        fields["birth_date"], rest = short_date(born), shorter
    elif not born:
        rest, short = without_short(rest, today)
        told = _birth_field(short) if short and not birth_date else {}
        fields |= told
        left += [short.text] if short and not told else []
    rest, numbers = without_numbers(rest)
    for number in numbers:
        name = _field_of(number, today)
        if name and name not in fields:
            fields[name] = _written(name, number)
        else:
            left.append(number)
    return _with_name(fields, left, " ".join(rest.split()))


def _birth_field(short: Told) -> dict[str, str]:
    """Into which field a short date or year belongs; nowhere when it may be of two centuries."""
    first = short.spans[0].first
    if not short.spans[0].is_day:
        return {"birth_date_estimated": str(first.year)}
    return {"birth_date": short_date(first)} if len(short.spans) == 1 else {}


def _with_name(fields: dict[str, str], left: list[str], rest: str) -> tuple[dict[str, str], str]:
    """What is neither date nor number is the name."""
    words = rest.split()
    if not any(map(str.isalpha, re.sub(r"\S*[0-9]\S*", "", rest))):
        return fields, _shown([*words, *left])
    return fields | {"name": rest}, _shown(left)


def _shown(left: list[str]) -> str:
    """It stands on the page outside any field, where no whole NIK may stand."""
    return re.sub(r"(?<=[0-9]{6})[0-9]{6,}(?=[0-9]{4})", "••••••", " ".join(left))


def _written(name: str, text: str) -> str:
    return compact(text) if name in ("nik", "bpjs_number") else text


def _field_of(text: str, today: date) -> str:
    """The form's field for a number or date; empty for what is neither, or an MRN."""
    try:
        parse_birth_date(text, today)
    except FieldError:
        digits = compact(text).removeprefix("+")
    else:
        return "birth_date"
    if re.fullmatch(_SPACED, text) or (_DATE.fullmatch(text) and _IN_OUR_TIME.search(text)):
        return "birth_date"  # 31-02-1985 is to be put right there
    if not re.fullmatch(r"[0-9]{5,}", digits):
        return ""
    if len(digits) == NIK_LENGTH:
        return "nik"
    is_mobile = digits.startswith(("08", "628")) and len(digits) <= BPJS_LENGTH
    if is_mobile or phone_finding(text) is None:
        return "phone"
    if len(digits) in NEARLY_NIK:
        return "nik"
    return "bpjs_number" if len(digits) in NEARLY_BPJS else ""
