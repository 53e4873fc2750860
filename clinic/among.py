"""A statement's `IN`, whose values come with each call."""

from sqlalchemy import ARRAY, Boolean, any_, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class among(FunctionElement):
    """`column IN values`, the values given by name at each call: for statements built once.

    On PostgreSQL the text is the same for any number of values, so that it is planned once.
    """

    name = "among"
    type = Boolean()
    inherit_cache = True

    def __init__(self, column, values: str) -> None:
        super().__init__(column, bindparam(values, type_=column.type))

    def self_group(self, against=None):
        return self  # else SQLite reads "IN (...) = 1" and uses no index


@compiles(among)
def _in_list(element, compiler, **options) -> str:
    column, values = element.clauses
    return compiler.process(column.in_(bindparam(values.key, expanding=True)), **options)


@compiles(among, "postgresql")
def _in_array(element, compiler, **options) -> str:
    column, values = element.clauses
    array = bindparam(values.key, type_=ARRAY(column.type))
    return compiler.process(column == any_(array), **options)
