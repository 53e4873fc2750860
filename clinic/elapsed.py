"""Time that passed between two instants, counted by the database."""

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class seconds_between(FunctionElement):
    """Whole seconds from the first instant to the second, on both databases."""

    type = Integer()
    inherit_cache = True


@compiles(seconds_between)
def _unix(element, compiler, **options) -> str:
    first, last = (compiler.process(each, **options) for each in element.clauses)
    return f"(CAST(strftime('%s', {last}) AS INTEGER) - CAST(strftime('%s', {first}) AS INTEGER))"


@compiles(seconds_between, "postgresql")
def _epoch(element, compiler, **options) -> str:
    first, last = (compiler.process(each, **options) for each in element.clauses)
    return f"CAST(floor(extract(epoch FROM {last} - {first})) AS INTEGER)"
