"""Fills the reference tables: rooms, rules, lexicon, ICD-10, tests, medicines. Only adds.

The files in `clinic/data` are where a clinic starts; what its head edits afterwards stays. What
is worked out of a row's words (folded, searched by) follows this version.
"""

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from clinic import icd10, icd10_source, settings
from clinic.complaint_text import fold
from clinic.data_files import DATA as DATA
from clinic.data_files import texts
from clinic.names import fold as fold_name
from db import Base, db, new_public_id
from models import (
    ActionTerm,
    ComplaintTerm,
    Icd10Term,
    LabKind,
    LabReference,
    LabTest,
    Level,
    Medicine,
    Poli,
    PoliKind,
    Route,
    RoutingRule,
    Village,
)

NATIONAL_EDITION = "nasional"
NUMBERS = {
    *("min_age_months", "max_age_months", "age_from_months", "age_below_months"),
    *("position", "hue", "weight", "threshold", "doses_per_unit", "reorder_level"),
}
FLAGS = {
    *("needs_order", "blocks_outside", "has_priority", "is_computed", "is_red_flag"),
    *("needs_pregnant", "is_in_area", "is_national"),
}
KINDS = {"level": Level}


def seed() -> None:
    """Add missing rooms, rules, terms and codes. Call it inside a transaction; repeat at will."""
    _seed_polis()
    _add_missing(RoutingRule, rows("rules.csv"), ("rule", "position"))
    _fold_anew()
    _add_missing(ComplaintTerm, complaint_terms(), ("folded", "poli_code"))
    _seed_icd10()
    _add_missing(ActionTerm, _action_terms(), ("code",))
    _gather_words_anew()
    _add_missing(LabTest, _lab_tests(), ("code",))
    _add_missing(LabReference, _lab_references(), ("test_id", "sex", "age_from_months"))
    _add_missing(Medicine, _medicines(), ("code",))


def seed_demo_villages() -> None:
    """The villages of the demo clinic's invented sub-district."""
    villages = [{**row, "folded": fold_name(row["name"])} for row in rows("villages.csv")]
    _add_missing(Village, villages, ("folded",))


def rows(name: str) -> list[dict[str, Any]]:
    """A file of `clinic/data` as typed rows; an empty cell is None, an empty flag False."""
    return [{column: _typed(column, cell) for column, cell in row.items()} for row in texts(name)]


def _typed(column: str, cell: str) -> Any:
    if column in FLAGS:
        return cell == "1"
    if not cell:
        return None
    if column in KINDS:
        return KINDS[column](cell)
    return int(cell) if column in NUMBERS else cell


def _add_missing(table: type[Base], wanted: Iterable[dict[str, Any]], key: tuple[str, ...]) -> None:
    columns = [getattr(table, name) for name in key]
    present = {tuple(row) for row in db.session.execute(select(*columns))}
    missing = [row for row in wanted if tuple(row[name] for name in key) not in present]
    if missing:
        db.session.execute(insert(table), missing)


def _seed_polis() -> None:
    # A clinic may have given a new room's letter to one of its own.
    taken = set(db.session.scalars(select(Poli.prefix)))
    codes = set(db.session.scalars(select(Poli.code)))
    free = [
        row
        | {"kind": PoliKind(row["kind"]), "public_id": new_public_id()}
        | {"room_forms": row["room_forms"] or ""}
        for row in rows("poli.csv")
        if row["prefix"] not in taken or row["code"] in codes
    ]
    _add_missing(Poli, free, ("code",))


def complaint_terms() -> list[dict[str, Any]]:
    """The lexicon's rows; "tangan/kaki kiri/kanan lemas" in the file stands for four of them."""
    return [
        {**row, "phrase": phrase, "folded": fold(phrase)}
        for row in rows("complaint_terms.csv")
        for phrase in _each_way(row["phrase"])
    ]


def _each_way(phrase: str) -> Iterable[str]:
    return map(" ".join, product(*(word.split("/") for word in phrase.split())))


def _fold_anew() -> None:
    """The lexicon's words, the head's too, as this version folds them.

    One that meets another row of its room stays as it was: the other speaks for both.
    """
    columns = (ComplaintTerm.id, ComplaintTerm.phrase, ComplaintTerm.folded)
    present = db.session.execute(select(*columns, ComplaintTerm.poli_code)).all()
    taken = {(row.folded, row.poli_code) for row in present}
    changed = []
    for row in present:
        folded = fold(row.phrase)
        if (folded, row.poli_code) not in taken:
            taken.add((folded, row.poli_code))
            changed.append({"id": row.id, "folded": folded})
    if changed:
        db.session.execute(update(ComplaintTerm), changed)


def _lab_tests() -> list[dict[str, Any]]:
    found = []
    for row in rows("lab_tests.csv"):
        names = ("unit", "choices", "abnormal", "critical", "loinc")
        texts = {name: row[name] or "" for name in names}
        limits = {name: _decimal(row[name]) for name in ("plausible_low", "plausible_high")}
        numbers = {"kind": LabKind(row["kind"]), "decimals": int(row["decimals"])}
        found.append(row | texts | limits | numbers)
    return found


def _lab_references() -> list[dict[str, Any]]:
    ids = dict(db.session.execute(select(LabTest.code, LabTest.id)).tuples().all())
    found = []
    for row in rows("lab_references.csv"):
        limits = ("low", "high", "critical_low", "critical_high")
        numbers = {name: _decimal(row[name]) for name in limits}
        about = {"test_id": ids[row.pop("test")], "sex": row["sex"] or ""}
        found.append(row | numbers | about)
    return found


def _medicines() -> list[dict[str, Any]]:
    texts = ("strength", "families", "synonyms", "kfa_code")
    return [
        row | {name: row[name] or "" for name in texts} | {"route": Route(row["route"])}
        for row in rows("medicines.csv")
    ]


def _decimal(cell: str | None) -> Decimal | None:
    return Decimal(cell) if cell else None


def _action_terms() -> list[dict[str, Any]]:
    found = []
    for row in rows("action_terms.csv"):
        texts = {name: cell or "" for name, cell in row.items()}
        words = icd10.search_words(
            *(texts[name] for name in ("code", "name", "synonyms", "icd9_code"))
        )
        found.append(texts | {"words": words, "is_active": True})
    return found


def _gather_words_anew() -> None:
    """What actions are found by: their synonyms may have come with a migration."""
    columns = (ActionTerm.id, ActionTerm.words, ActionTerm.code, ActionTerm.name)
    present = select(*columns, ActionTerm.synonyms, ActionTerm.icd9_code)
    changed = [
        {"id": id_, "words": words}
        for id_, known, *about in db.session.execute(present)
        if (words := icd10.search_words(*about)) != known
    ]
    if changed:
        db.session.execute(update(ActionTerm), changed)


def _seed_icd10() -> None:
    """Nobody edits these: what a newer version calls or finds them by goes to the old rows too.

    To compare its 12,000 rows would take each start most of a second; one fingerprint tells.
    """
    version = _icd10_version()
    if settings.value("icd10_version") == version:
        return
    wanted = list(_icd10_terms())
    _add_missing(Icd10Term, wanted, ("code",))
    columns = (Icd10Term.code, Icd10Term.id, Icd10Term.title_id, Icd10Term.words)
    present = {code: tuple(rest) for code, *rest in db.session.execute(select(*columns))}
    changed = [
        {"id": present[row["code"]][0], "title_id": row["title_id"], "words": row["words"]}
        for row in wanted
        if present[row["code"]][1:] != (row["title_id"], row["words"])
    ]
    if changed:
        db.session.execute(update(Icd10Term), changed)
    settings.set_value("icd10_version", version)


def _icd10_version() -> str:
    """Of the codes, the names, and the modules that make rows of them."""
    modules = (__file__, icd10.__file__, icd10_source.__file__)
    digest = hashlib.sha256()
    for file in (*map(Path, modules), DATA / "icd10_id.csv", icd10_source.data_file()):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _icd10_terms() -> Iterable[dict[str, Any]]:
    names = {row["code"]: row for row in rows("icd10_id.csv")}
    for code, title in icd10_source.titles():
        yield _icd10_term(code, title, icd10_source.EDITION, names.get(code))
    for code, row in names.items():
        if row["is_national"]:
            yield _icd10_term(code, row["title_en"], NATIONAL_EDITION, row)


def _icd10_term(code: str, title: str, edition: str, name: dict[str, Any] | None) -> dict[str, Any]:
    title_id = name["title_id"] if name else None
    synonyms = (name["synonyms"] if name else None) or ""
    return {
        "code": code,
        "title": title,
        "title_id": title_id,
        "words": icd10.search_words(code, title_id or "", synonyms, title),
        "edition": edition,
        "is_national": edition == NATIONAL_EDITION,
    }
