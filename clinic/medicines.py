"""The clinic's medicines: which there are, and those that somebody means by a few letters."""

import re
from collections.abc import Iterable

from sqlalchemy import select

from clinic import medicine_words
from clinic.medicine_words import key
from db import db
from models import Medicine

MOST_FOUND = 12
SHORT = {"vit": "vitamin"}  # "vit k" is known as "vitamin k"; "vitamin A, kapsul" is not
MAX_WORDS = 6


def active() -> list[Medicine]:
    """The medicines that can be prescribed, in the order of the list."""
    rows = select(Medicine).where(Medicine.is_active).order_by(Medicine.position, Medicine.id)
    return list(db.session.scalars(rows))


def by_code(code: str) -> Medicine | None:
    """The medicine of this code, an ended one too."""
    return db.session.scalar(select(Medicine).where(Medicine.code == code.strip()[:24].upper()))


def by_codes(codes: Iterable[str]) -> dict[str, Medicine]:
    """The medicines of these codes, ended ones too."""
    wanted = {code[:24] for code in codes if code}
    if not wanted:
        return {}
    rows = db.session.scalars(select(Medicine).where(Medicine.code.in_(wanted)))
    return {row.code: row for row in rows}


def search(text: str, limit: int = MOST_FOUND, *, also_ended: bool = False) -> list[Medicine]:
    """Medicines of which each typed word begins some word, in any spelling; best first."""
    return _in_this_order(ids_of(text, also_ended=also_ended)[:limit])


def ids_of(text: str, *, also_ended: bool = False) -> list[int]:
    """All that `search` would find, as ids; one query."""
    words = key(text[:100]).split()[:MAX_WORDS]
    if not words:
        return []
    called = [" ".join(words), " ".join(SHORT.get(word, word) for word in words)]
    columns = (Medicine.id, Medicine.code, Medicine.name, Medicine.strength, Medicine.form)
    rows = select(*columns, Medicine.ingredients, Medicine.synonyms, Medicine.position)
    found = []
    for row in db.session.execute(rows.where(Medicine.is_active | also_ended)):
        name, known = key(row.name), key(row.synonyms)
        rest = f"{row.strength} {row.form} {row.ingredients} {row.code}"
        everything = f" {name} {known} {key(rest)}"
        if all(_begins(word, everything) for word in words):
            # Known by just these words, then called so, then what holds it.
            is_known_so = any(f" {each} " in f" {known} " for each in called)
            is_called_so = f" {name}".startswith(f" {words[0]}")
            found.append((not is_known_so, not is_called_so, row.position, row.id))
    return [row[-1] for row in sorted(found)]


def _begins(word: str, everything: str) -> bool:
    """Whether some word begins so; "b1" begins no "b12"."""
    is_numbered = re.fullmatch(r"[a-z]\d+", word)
    return f" {word}{' ' if is_numbered else ''}" in f"{everything} "


def offered(text: str) -> tuple[list[Medicine], bool]:
    """What a search finds, else what is called nearly so; and whether it is only that."""
    found = search(text)
    return (found, False) if found else (alike(text), True)


def alike(text: str, limit: int = MOST_FOUND) -> list[Medicine]:
    """Where a search finds nothing: what is called nearly so, to be read before it is chosen.

    A stocked medicine must not become one from outside by a letter.
    """
    words = key(text[:100]).split()[:MAX_WORDS]
    found = [one for one in active() if words and _is_near(words, _called(one))]
    return found[:limit]


def _called(medicine: Medicine) -> str:
    return key(f"{medicine.name} {medicine.strength} {medicine.synonyms}")


def _is_near(words: list[str], name: str) -> bool:
    """Each word begins a word of the name, or is a slip away from one; its first letter stands."""
    return all(
        f" {word}" in f" {name}"
        or any(medicine_words.alike(word, each) for each in name.split() if each[0] == word[0])
        for word in words
    )


def _in_this_order(ids: list[int]) -> list[Medicine]:
    rows = {row.id: row for row in db.session.scalars(select(Medicine).where(Medicine.id.in_(ids)))}
    return [rows[id_] for id_ in ids]
