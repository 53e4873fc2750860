"""The words by which a patient is found: `PatientToken`, an index rewritten with the name."""

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import delete, insert, select, update

from clinic.names import PREFIX_LENGTH, SHORT_WORD, join_words, name_tokens
from db import db, run
from models import AliasKind, Patient, PatientAlias, PatientToken

# Raise it whenever a name may fold to another key: the worker then rewrites what is stored.
FOLDING = 2
WORDS_KEPT = 8
WORD_LENGTH = 40
KEY_LENGTH = 120
_ADD_WORDS = insert(PatientToken.__table__)


def name_key(name: str) -> str:
    """The folded name as it is stored; of a name without Latin letters its own words."""
    return (name_tokens(name).text or " ".join(own_words(name)))[:KEY_LENGTH]


def index_words(name: str) -> list[str]:
    """The words a name is found by: at most 8, and short ones joined with the next as well."""
    folded = [word for word in name_tokens(name).words if not word.isdigit()]
    words = list(dict.fromkeys(cut_words(folded or own_words(name))))
    # "Nurhayati" must find "Nur Hayati".
    joined = [join_words(a, b) for a, b in pairwise(words) if 1 < len(a) <= SHORT_WORD]
    return list(dict.fromkeys(words + cut_words(joined)))


def cut_words(words: Sequence[str]) -> list[str]:
    """As many words, and as much of each, as the index holds."""
    return [word[:WORD_LENGTH] for word in words[:WORDS_KEPT]]


def own_words(text: str) -> list[str]:
    """The words of another script, which folding to A-Z would lose."""
    return unicodedata.normalize("NFKC", text).upper().split()


def token_rows(patient: Patient, former_names: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The index's rows for a patient who has an id."""
    words = [word for name in (patient.name, *former_names) for word in index_words(name)]
    return [
        {
            "patient_id": patient.id,
            "word": word,
            "prefix": word[:PREFIX_LENGTH],
            "birth_year": patient.birth_date.year if patient.birth_date else None,
            "sex": patient.sex,
        }
        for word in dict.fromkeys(words)
    ]


def fill(patient: Patient) -> None:
    """Write the words of a patient who is new."""
    run(_ADD_WORDS, token_rows(patient, []))


def refresh(patient: Patient) -> None:
    """Rewrite the patient's words: those of the name and of former names."""
    former = _former_names([patient.id]).get(patient.id, [])
    rows = {row["word"]: row for row in token_rows(patient, former)}
    old = select(PatientToken).where(PatientToken.patient_id == patient.id)
    for token in db.session.scalars(old):
        row = rows.pop(token.word, None)
        if row is None:
            db.session.delete(token)
        else:
            token.birth_year, token.sex = row["birth_year"], row["sex"]
    db.session.add_all(PatientToken(**row) for row in rows.values())
    db.session.flush()


def forget(patient_ids: Sequence[int]) -> None:
    """Take away the words of patients who are to be found no more."""
    db.session.execute(delete(PatientToken).where(PatientToken.patient_id.in_(patient_ids)))


def refold(after: int, limit: int) -> int | None:
    """Rewrite keys and words of the next patients by id; the last id, None when there are none.

    What stands right is left alone. A key is no statement of anybody: the version stays.
    """
    rows = select(Patient).where(Patient.id > after).order_by(Patient.id).limit(limit)
    people = list(db.session.scalars(rows.execution_options(populate_existing=True)))
    if not people:
        return None
    ids = [patient.id for patient in people]
    stored, former = _stored_words(ids), _former_names(ids)
    for patient in people:
        key = name_key(patient.name)
        if patient.name_key != key:
            changed = update(Patient.__table__).where(Patient.__table__.c.id == patient.id)
            db.session.execute(changed.values(name_key=key))
        # Words without a row are those of an import that was taken back: it is found no more.
        words = stored.get(patient.id)
        rows = token_rows(patient, former.get(patient.id, []))
        if words and words != {row["word"] for row in rows}:
            refresh(patient)
    return people[-1].id


def _former_names(patient_ids: Sequence[int]) -> dict[int, list[str]]:
    rows = select(PatientAlias.patient_id, PatientAlias.value).where(
        PatientAlias.patient_id.in_(patient_ids),
        PatientAlias.kind == AliasKind.NAME,
        PatientAlias.ended_at.is_(None),
    )
    found: dict[int, list[str]] = {}
    for patient_id, name in db.session.execute(rows):
        found.setdefault(patient_id, []).append(name)
    return found


def _stored_words(patient_ids: Sequence[int]) -> dict[int, set[str]]:
    rows = select(PatientToken.patient_id, PatientToken.word)
    found: dict[int, set[str]] = {}
    for patient_id, word in db.session.execute(
        rows.where(PatientToken.patient_id.in_(patient_ids))
    ):
        found.setdefault(patient_id, set()).add(word)
    return found
