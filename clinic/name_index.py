"""The words by which a patient is found: `PatientToken`, an index rewritten with the name."""

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import delete, insert, select

from clinic.names import PREFIX_LENGTH, SHORT_WORD, join_words, name_tokens
from db import db
from models import AliasKind, Patient, PatientAlias, PatientToken

WORDS_KEPT = 8
WORD_LENGTH = 40
KEY_LENGTH = 120


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
    db.session.execute(insert(PatientToken), token_rows(patient, []))


def refresh(patient: Patient) -> None:
    """Rewrite the patient's words: those of the name and of former names."""
    former = select(PatientAlias.value).where(
        PatientAlias.patient_id == patient.id,
        PatientAlias.kind == AliasKind.NAME,
        PatientAlias.ended_at.is_(None),
    )
    rows = {row["word"]: row for row in token_rows(patient, db.session.scalars(former))}
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
