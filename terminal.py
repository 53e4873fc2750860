"""What the commands share at the terminal: questions asked until answered, faults in sentences."""

import functools
import logging
from collections.abc import Callable

import click
from click.core import ParameterSource
from sqlalchemy.exc import DBAPIError

from clinic import storage_faults
from clinic.settings import SettingError
from validators import FieldError

EXISTS = (
    "Puskesmas sudah ada di folder data ini, jadi {} tidak dipakai: itu hanya untuk puskesmas yang "
    "masih kosong; kepala mengubahnya di Sistem, Pengaturan."
)
OF_DEMO = (
    "Untuk data latihan {} tidak dipakai: puskesmas sendiri dimulai dengan ALUR_DEMO=0 di folder "
    "data lain (ALUR_DATA)."
)
WRONG_CLOCK = "Jam komputer ini salah. Betulkan tanggal dan jamnya dulu, lalu ulangi."

log = logging.getLogger("alur")


def say_unused(sentence: str) -> None:
    """Say so of the options that were typed at this command; nothing where none was."""
    context = click.get_current_context()
    typed = [
        each.opts[0]
        for each in context.command.params
        if context.get_parameter_source(each.name) is ParameterSource.COMMANDLINE
    ]
    if typed:
        click.echo(sentence.format(", ".join(typed)))


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
