"""The demo clinic from the terminal: its first fill, and a living queue for each new day."""

import logging
from importlib import import_module
from types import ModuleType

import click

from clinic import accounts, clock, settings
from db import transaction
from terminal import WRONG_CLOCK

FILLING = "Mengisi data latihan, sekitar setengah menit ..."

log = logging.getLogger("alur")


def _demo() -> ModuleType:
    """Loaded where it is needed: a real clinic's server carries none of it."""
    return import_module("clinic.demo")


def fill_demo() -> None:
    """The demo clinic: staff, patients, two years of visits and a living today."""
    click.echo(FILLING)
    password_hash = accounts.hash_passphrase(accounts.DEMO_PASSPHRASE)
    demo = _demo()
    with transaction():  # one for all: an interrupted first start leaves an empty database
        demo.create_staff(password_hash)
        demo.fill()


def greet_a_new_day() -> None:
    """At a start: in a demo clinic a day that nobody has begun gets a living queue."""
    if not settings.value("is_demo") or not clock.is_right():
        return
    try:
        with transaction():
            added = _demo().begin_today()
    except Exception:  # a demo clinic that somebody changed beyond our script starts all the same
        log.exception("today's demo queue could not be filled")
        click.echo("Antrean latihan hari ini tidak dapat diisi; sebabnya ada di log.")
        return
    if added:
        click.echo(f"Antrean latihan hari ini diisi: {added} kunjungan.")


@click.command("demo-data")
@click.option("--today", is_flag=True, help="Isi hari ini dengan antrean yang hidup (bawaan).")
def demo_data_command(today: bool) -> None:
    """Top the demo clinic up with a living today, said or not: there is nothing else to add."""
    if not settings.value("is_demo"):
        raise click.ClickException("Ini bukan data latihan; tidak ada yang diubah.")
    if not clock.is_right():
        raise click.ClickException(WRONG_CLOCK)
    with transaction():
        added = _demo().fill_today()
    click.echo(f"{added} kunjungan ditambahkan pada hari ini.")


COMMANDS = (demo_data_command,)
