"""The villages that the clinic has listed, found by the name that somebody typed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from clinic.names import fold
from clinic.places import village_key
from db import run
from models import Village

_LISTED = select(Village.name, Village.folded, Village.is_in_area, Village.short_code)
_IN_USE = _LISTED.where(Village.is_active).order_by(Village.name, Village.id)


def names() -> list[str]:
    """Those in use, to choose from."""
    return [row.name for row in run(_IN_USE)]


def is_in_area(village: str | None) -> bool | None:
    """Whether the village lies in the clinic's area; None when it has not said which do."""
    listed = run(_IN_USE).all() if village else ()
    if not listed:
        return None
    found = _of_name(listed, village)
    return bool(found and found.is_in_area)


def short_code(village: str | None) -> str | None:
    """The village's digits in record numbers; None if the head gave none, or lists no such one."""
    found = _of_name(run(_LISTED).all(), village) if village else None
    return found.short_code if found else None


def _of_name(listed: Sequence[Row[Any]], village: str) -> Row[Any] | None:
    """Not one letter off: "Sukamaju I" and "Sukamaju II" may belong to two clinics."""
    folded, key = fold(village), village_key(village)
    exact = (row for row in listed if row.folded == folded)
    alike = (row for row in listed if village_key(row.folded) == key)
    return next(exact, None) or next(alike, None)
