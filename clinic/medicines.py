"""The clinic's medicines: which there are, and those that somebody means by a few letters."""

from collections.abc import Iterable

from sqlalchemy import select

from clinic.medicine_words import key
from db import db
from models import Medicine

MOST_FOUND = 12
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
    columns = (Medicine.id, Medicine.code, Medicine.name, Medicine.strength, Medicine.form)
    rows = select(*columns, Medicine.ingredients, Medicine.synonyms, Medicine.position)
    found = []
    for row in db.session.execute(rows.where(Medicine.is_active | also_ended)):
        name = key(row.name)
        rest = f"{row.strength} {row.form} {row.ingredients} {row.synonyms} {row.code}"
        everything = f" {name} {key(rest)}"
        if all(f" {word}" in everything for word in words):
            # What is called so comes before what holds it or is known by it.
            found.append((not f" {name}".startswith(f" {words[0]}"), row.position, row.id))
    return [id_ for _, _, id_ in sorted(found)]


def _in_this_order(ids: list[int]) -> list[Medicine]:
    rows = {row.id: row for row in db.session.scalars(select(Medicine).where(Medicine.id.in_(ids)))}
    return [rows[id_] for id_ in ids]
