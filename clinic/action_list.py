"""The clinic's list of actions: kept by the head, searched and offered in the rooms.

ICD-9-CM codes stand where they are sure; the clinic's own code always does.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import case, func, or_, select

from clinic import audit, icd10_spelling
from clinic.administration import AdministrationError, change_row, create_row
from clinic.favourites import most_used
from clinic.icd10 import MAX_WORDS, fold, search_words
from db import db
from models import ActionTerm, Poli, Procedure

OFFERED = 6


def search(text: str, first: Sequence[str] = (), limit: int = 20) -> list[ActionTerm]:
    """Actions where each word begins some word, `first` ones (codes) before the others."""
    return offered(text, first, limit)[0]


def offered(text: str, first: Sequence[str] = (), limit: int = 20) -> tuple[list[ActionTerm], bool]:
    """What `search` finds; and whether it is only alike, to be read before it is chosen."""
    words = fold(text)[:100].split()[:MAX_WORDS]
    found = _by_words([[word] for word in words], first, limit) if words else []
    if found or not words:
        return found, False
    known = select(ActionTerm.words).where(ActionTerm.is_active).order_by(ActionTerm.id)
    meant = icd10_spelling.meant(words, tuple(db.session.scalars(known)))
    return _by_words(meant, first, limit) if meant else [], True


def _by_words(words: list[list[str]], first: Sequence[str], limit: int) -> list[ActionTerm]:
    rows = select(ActionTerm).where(
        ActionTerm.is_active, *icd10_spelling.one_of_each(ActionTerm.words, words)
    )
    if first:
        places = {code: place for place, code in enumerate(first)}
        rows = rows.order_by(case(places, value=ActionTerm.code, else_=len(places)))
    typed = " ".join(group[0] for group in words)
    begins = or_(
        func.lower(ActionTerm.name).startswith(typed), func.lower(ActionTerm.code).startswith(typed)
    )
    rows = rows.order_by(case((begins, 0), else_=1), ActionTerm.name)
    return list(db.session.scalars(rows.limit(limit)))


def is_known(text: str) -> bool:
    """Whether the text is the code of an action, and no word that others are found by too."""
    found = search(text, limit=2)
    return [term.code for term in found] == [text.strip().upper()]


def usual_codes(poli: Poli) -> list[str]:
    """What the room did of late, the most frequent first; then what the list gives to the room."""
    done = most_used(poli, Procedure, Procedure.code != "")
    rooms = " " + ActionTerm.rooms + " "
    given = select(ActionTerm.code).where(rooms.contains(f" {poli.code} "))
    codes = [*db.session.scalars(done), *db.session.scalars(given.order_by(ActionTerm.id))]
    return list(dict.fromkeys(codes))


def offers(poli: Poli, listed: Collection[str]) -> list[ActionTerm]:
    """The room's usual actions to tick, without those that are listed."""
    codes = [code for code in usual_codes(poli) if code not in listed][: 2 * OFFERED]
    rows = select(ActionTerm).where(ActionTerm.code.in_(codes), ActionTerm.is_active)
    terms = {term.code: term for term in db.session.scalars(rows)}
    return [terms[code] for code in codes if code in terms][:OFFERED]


# --- The head's page ----------------------------------------------------------------------------


def all_terms() -> list[ActionTerm]:
    """Every action, ended ones too, by name."""
    return list(db.session.scalars(select(ActionTerm).order_by(ActionTerm.name, ActionTerm.id)))


def create_term(actor: audit.Actor, values: dict[str, Any]) -> ActionTerm:
    """A new action. Raises AdministrationError when its code or name is there already."""
    values = values | {"code": values["code"].upper()}
    if db.session.scalar(select(ActionTerm.id).where(ActionTerm.code == values["code"])):
        raise AdministrationError("Kode ini sudah dipakai.", "code")
    _refuse_name(values["name"], None)
    term = ActionTerm(**values, words=_words(values["code"], values))
    return create_row(actor, "create_action_term", term, term.code)


def change_term(actor: audit.Actor, term: ActionTerm, values: dict[str, Any]) -> None:
    """Change or end an action; its code stays, and what was recorded keeps its words."""
    wanted = {name: value for name, value in values.items() if name != "code"}
    _refuse_name(wanted["name"], term)
    if change_row(actor, "change_action_term", term, wanted, term.code):
        term.words = _words(term.code, wanted)


def _words(code: str, values: dict[str, Any]) -> str:
    return search_words(code, values["name"], values["synonyms"], values["icd9_code"])


def _refuse_name(name: str, term: ActionTerm | None) -> None:
    others = select(ActionTerm).where(ActionTerm.id != (term.id if term else 0))
    same = next((each for each in db.session.scalars(others) if fold(each.name) == fold(name)), 0)
    if same:
        state = "" if same.is_active else ", tetapi tidak dipakai"
        raise AdministrationError(f"{same.name} sudah ada di daftar{state}.", "name")
