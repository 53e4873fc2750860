"""What many tables have: ids, columns of one kind, rules that hold for some of the rows."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Enum, Index, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import CreateIndex

from db import Base, new_public_id


class Row(Base):
    """A table whose rows have a number."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-2)


class PublicRow(Row):
    """One whose rows are named in addresses and may leave the house."""

    __abstract__ = True

    public_id: Mapped[str] = mapped_column(
        String(36), default=new_public_id, unique=True, sort_order=-1
    )


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


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """The column holds only these, where their list stands elsewhere and code needs no enum."""
    listed = ",".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def index_where(name: str, condition: str, *columns: str, unique: bool = False) -> Index:
    """An index of the rows that fit the condition, on both engines.

    `postgresql_where` would load PostgreSQL's side of the ORM where nobody uses it: 2 MB.
    """
    return Index(name, *columns, unique=unique, info={"where": condition})


def unique_where(name: str, condition: str, *columns: str) -> Index:
    """No two of the rows that fit the condition are alike in these columns."""
    return index_where(name, condition, *columns, unique=True)


@compiles(CreateIndex)
def _create_index(element: CreateIndex, compiler, **options) -> str:
    made = compiler.visit_create_index(element, **options)
    where = element.element.info.get("where")
    return f"{made} WHERE {where}" if where else made
