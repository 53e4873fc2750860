"""Columns that many tables have."""

from enum import StrEnum
from typing import Any

from sqlalchemy import Enum, String
from sqlalchemy.orm import Mapped, mapped_column

from db import new_public_id


def public_id_column() -> Mapped[str]:
    return mapped_column(String(36), default=new_public_id, unique=True)


def enum_column(enum: type[StrEnum], **options: Any) -> Mapped[Any]:
    """A text column that holds only the enum's values, in the table's own rule too."""
    kind = Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=24,
        name=enum.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )
    return mapped_column(kind, **options)
