"""Finds ICD-10 codes by code, Indonesian or English words."""

import re
import unicodedata
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from clinic import icd10_spelling
from db import db
from models import Icd10Term

CODE = re.compile(r"[a-z]\d{1,2}(\.?[0-9a-z]{0,3})?")
# What doctors add to a name; left out where nothing is found with it.
_ADDED = """
    suspek susp obs observasi akut acute kronis kronik sindrom reaksi kontrol komplikasi
    grade derajat stage stadium tipe i ii iii iv 1 2 3 4 ringan sedang berat sederhana kompleks
    terkontrol tidak tdk uncontrolled bilateral dextra dekstra sinistra ka ki
    ec e c hari minggu mgg bulan bln tahun thn usia ke dengan dan disertai
    sakit penyakit radang nyeri infeksi luka
"""
ADDED = frozenset(_ADDED.split())
MAX_WORDS = 6  # more says nothing more, and each costs a scan


def fold(text: str) -> str:
    """Lower-case words with single spaces; "J06.9" becomes "j069"."""
    plain = unicodedata.normalize("NFKD", text).lower()
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"(?<=\d)\.(?=\w)", "", plain)).strip()


def search_words(*texts: str) -> str:
    """What a row's `words` holds: each word once, between spaces, so " dem" finds "demam"."""
    return f" {' '.join(dict.fromkeys(fold(' '.join(texts)).split()))} "


def search(text: str, limit: int = 20, first: Sequence[str] = ()) -> list[Icd10Term]:
    """Codes that begin so, or rows where each word begins some word, in any order; best first.

    Where nothing is found, words that sound or look alike are tried, then without `ADDED` words.
    `first` are codes that go before the others, in their order: the room's usual ones.
    """
    return offered(text, limit, first)[0]


def offered(text: str, limit: int = 20, first: Sequence[str] = ()) -> tuple[list[Icd10Term], bool]:
    """What `search` finds; and whether it is only alike, to be read before it is chosen."""
    typed = text.strip().lower()[:100]
    if CODE.fullmatch(typed):
        found = _by_code(typed, limit, first)
        if found:
            return found, False
    words = fold(typed).split()[:MAX_WORDS]
    found = _by_words([[word] for word in words], limit, first) if words else []
    return (found, False) if found or not words else (_alike(words, limit, first), True)


def _alike(words: list[str], limit: int, first: Sequence[str]) -> list[Icd10Term]:
    named = select(Icd10Term.words).where(Icd10Term.title_id.is_not(None))
    meant = icd10_spelling.meant(words, tuple(db.session.scalars(named)))
    found = _by_words(meant, limit, first) if meant else []
    bare = [word for word in words if word not in ADDED and not word.isdigit()]
    if found or not bare or len(bare) == len(words):
        return found
    return search(" ".join(bare), limit, first)


def _by_words(words: list[list[str]], limit: int, first: Sequence[str]) -> list[Icd10Term]:
    """Rows that hold of each word's alternatives one; ranked by the first alternatives."""
    rows = select(Icd10Term).where(*icd10_spelling.one_of_each(Icd10Term.words, words))
    likeliest = [alternatives[0] for alternatives in words]
    return _rows(rows.order_by(*_usual(first), *_best_first(likeliest)), limit)


def _by_code(typed: str, limit: int, first: Sequence[str]) -> list[Icd10Term]:
    bare = typed.replace(".", "").upper()
    dotted = f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 or typed.endswith(".") else bare
    rows = select(Icd10Term).where(Icd10Term.code.startswith(dotted))
    is_exact = case((Icd10Term.code == dotted, 0), else_=1)
    return _rows(rows.order_by(is_exact, *_usual(first), Icd10Term.code), limit)


def _usual(first: Sequence[str]) -> list[ColumnElement]:
    if not first:
        return []
    places = {code: place for place, code in enumerate(first)}
    return [case(places, value=Icd10Term.code, else_=len(places))]


def _best_first(words: list[str]) -> list[ColumnElement]:
    """Rows with an Indonesian name first, in them the title that is what was typed."""
    typed = " ".join(words)
    title = func.lower(func.coalesce(Icd10Term.title_id, Icd10Term.title))
    has_whole_words = and_(*(Icd10Term.words.contains(f" {word} ") for word in words))
    return [
        case((Icd10Term.title_id.is_not(None), 0), else_=1),
        case((title == typed, 0), (has_whole_words, 1), else_=2),
        case((title.startswith(typed), 0), else_=1),
        case((Icd10Term.is_national, 0), else_=1),
        func.length(title),
        Icd10Term.code,
    ]


def _rows(rows: Select, limit: int) -> list[Icd10Term]:
    return list(db.session.scalars(rows.where(Icd10Term.is_active).limit(limit)))
