"""What the commands share at the terminal: questions asked until answered, faults in sentences."""

import functools
import logging
from collections.abc import Callable

import click
from sqlalchemy.exc import DBAPIError

from clinic import storage_faults
from clinic.settings import SettingError
from validators import FieldError

WRONG_CLOCK = "Jam komputer ini salah. Betulkan tanggal dan jamnya dulu, lalu ulangi."

log = logging.getLogger("alur")


class StorageProblem(click.ClickException):
    """The clinic is told by a page, so Alur starts all the same (deploy/start.py)."""

    exit_code = 74


def storage_problem(problem: DBAPIError | OSError) -> Exception:
    """In sentences, if it is one of those; else as it is."""
    fault = storage_faults.fault_of(problem)
    if fault in (None, storage_faults.Fault.BUSY):
        return problem
    log.error("the database can't be used: %s", problem)
    steps = storage_faults.STEPS.get(fault, ())
    lines = [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
    return StorageProblem("\n".join([fault.value, *lines]))


def tells_storage_faults(command: Callable[..., None]) -> Callable[..., None]:
    """A command that says in sentences what is wrong with the database or its disk."""

    @functools.wraps(command)
    def told(*arguments, **options) -> None:
        try:
            command(*arguments, **options)
        except (DBAPIError, OSError) as problem:
            raise storage_problem(problem) from problem

    return told


def asked(
    question: str, parse: Callable[[str], str], given: str | None = None, default: str | None = None
) -> str:
    """An answer that `parse` takes: asked for until it does. A wrong given one ends the command."""
    while True:
        typed = given or click.prompt(question, default=default)
        try:
            return parse(typed)
        except (SettingError, FieldError) as problem:
            if given:
                raise click.ClickException(f"{question}: {problem}") from None
            click.echo(str(problem))
