"""What people type around a value, or in place of one: taken off before the value is read."""

import re
import unicodedata

# Invisible marks that reverse or hide text; the joiners inside emoji are not among them.
_HIDDEN = re.compile(r"[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_NOTHING = re.compile(r"[-\u2010-\u2015\u2212.\s]+")  # every kind of dash

# What stands before a value that was pasted with its label, by what the screens call it. Not more:
# "KK: 3171..." in the field for the NIK is another number.
_LABELS = {
    "NIK": "nik|e-?ktp|ktp",
    "NIK ibu": "nik|e-?ktp|ktp|ibu",
    "Nomor BPJS": "bpjs|jkn|kis|kartu|peserta",
    "Nomor KK": "kk|kartu|keluarga",
    "Nomor HP": "hp|wa|whatsapp|tel|te?lp|telepon|telpon|ponsel",
    "Tanggal lahir": "tgl|tanggal|lahir",
}
_BEFORE = {
    name: re.compile(rf"\A\s*(?:(?:no|nomor|{words})(?![a-z])[\s.:=/]*)+(?=[0-9+(])", re.IGNORECASE)
    for name, words in _LABELS.items()
}
# Whose phone it is, in the words of the field beside it.
_OWNERS = {
    "sendiri": "sendiri|pribadi",
    "keluarga": "suami|istri|isteri|ibu|mama|bapak|bpk|ayah|anak|kakak|adik|kakek|nenek|keluarga",
    "tetangga": "tetangga",
}
_OWNED = {
    owner: re.compile(rf"(.*[0-9])[\s,]*[(\s](?:{words})(?:nya)?\)?\s*", re.IGNORECASE)
    for owner, words in _OWNERS.items()
}

_PHONE_WITHIN = 60  # letters from the beginning; nobody writes more before a number

_ABOUT = re.compile(
    r"(?:(?:umur|usia|kira[\s-]*kira|kira2|kurang lebih|sekitar|\+/?-|[±~])[\s.:]*)+(?=\w)"
)
_ONE = re.compile(r"\bse(?=(?:tahun|bulan|minggu|hari)\b)|\bsatu\b\s*")
_HALF = r"(?:[.,]5|\s*½|\s+1/2|\s+setengah)"
_YEARS = r"\s*(?:tahun|thn|th)"
_AND_A_HALF = re.compile(
    rf"([0-9]{{1,3}})(?:{_HALF}(?:{_YEARS})?|{_YEARS} setengah)\.?|(?:½|1/2|setengah){_YEARS}\.?"
)
_DECADE = re.compile(r"([0-9]+0)[\s-]*an\b")


def printable(text: str) -> str:
    """Without what databases refuse (NUL is Cc, half surrogates are Cs) and nobody sees."""
    return "".join(c for c in _HIDDEN.sub("", text) if unicodedata.category(c) not in ("Cc", "Cs"))


def is_seen(text: str) -> bool:
    """Whether anything of this text can be read on paper."""
    return any(c.isalnum() for c in text) or bool(printable(text).strip())


def or_nothing(text: str | None) -> str | None:
    """A filter for fields that may stay empty: "-" is how paper forms say that there is none."""
    return "" if text and _NOTHING.fullmatch(text) else text


def without_label(text: str, name: str) -> str:
    """The text without what calls it by its `name`, as in "No. BPJS: 000..."."""
    return _BEFORE[name].sub("", text)


def phone_and_owner(text: str) -> tuple[str, str]:
    """A phone number as told, and whose it is if that stands behind it: "0812... (suami)"."""
    number = without_label(text, "Nomor HP")
    for owner, pattern in _OWNED.items():
        if found := pattern.fullmatch(number):
            return found[1], owner
    return number, ""


def phone_number(text: str) -> str | None:
    """The number in E.164, Indonesian or foreign; None when the text is not one number."""
    number = re.sub(r"[\s.()\-]+", "", phone_and_owner(printable(text))[0])
    if re.fullmatch(r"\+(?!62)[1-9][0-9]{7,14}", number):
        return number
    mobile = re.fullmatch(r"(?:\+?62)?0?(8[0-9]{8,11})", number)
    found = mobile or re.fullmatch(r"(?:\+?620?|0)([2-79][0-9]{7,10})", number)
    return f"+62{found[1]}" if found else None


def first_phone_number(text: str) -> str | None:
    """The number that comes first in a text with more in it: a second one, whose it is."""
    told = re.sub(r"\A[^0-9+]+", "", text[:_PHONE_WITHIN])
    ends = [digits.end() for digits in re.finditer("[0-9]+", told)]
    return next(filter(None, (phone_number(told[:end]) for end in reversed(ends))), None)


def age_in_units(text: str) -> str:
    """A told age in whole units: "1,5 th" is "1 tahun 6 bulan", "± 60-an" is 60."""
    age = _ABOUT.sub("", text.strip().lower(), count=1)
    age = _DECADE.sub(r"\1", _ONE.sub("1 ", age))
    half = _AND_A_HALF.fullmatch(age.strip())
    return f"{half[1] or 0} tahun 6 bulan" if half else age.strip()
