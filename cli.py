"""Commands for the people who run the clinic's server. Each can be repeated."""

import contextlib
import fcntl
import os
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import click
from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

import account_commands
import background
import backup_commands
import demo_commands
import report_commands
import restore_commands
import timekeeping
import trail_commands
from clinic import (
    accounts,
    audit,
    backup_keys,
    clock,
    disk_space,
    reference,
    restore_reading,
    restoring,
    settings,
    support,
    trail_key,
)
from db import SQLITE_IS_WAL_SAFE, db, sqlite_driver, transaction, utcnow
from models import Role, User
from terminal import (
    EXISTS,
    OF_DEMO,
    WRONG_CLOCK,
    asked,
    say_unused,
    storage_problem,
    tells_storage_faults,
)

DEMO_PASSWORD = accounts.DEMO_PASSPHRASE
NOBODY_TO_ASK = (
    "Basis data masih kosong dan tidak ada terminal untuk bertanya. Pernah dipakai? Pasang dulu "
    "disk datanya. Puskesmas baru: make run di terminal (terpasang: README, PostgreSQL), atau "
    "sebutkan --clinic, --time-zone, --head-name, --head-username, dan --head-password-file."
)
NO_BOOT_ID = (
    "Perhatian: /proc/sys/kernel/random/boot_id tidak terbaca, jadi sesudah Alur dinyalakan ulang "
    "jam yang melompat tidak dikenali. Unit systemd lama? Jalankan deploy/install.sh lagi."
)
NEWER = (
    "Basis data ini dari versi Alur yang lebih baru; tidak ada yang diubah. Jalankan versi itu, "
    "atau kembalikan cadangan dari versi ini: make restore."
)


@contextlib.contextmanager
def _alone(name: str, *, wait: bool = True):
    """Hold a lock file of the data folder, so that two processes don't do this at once."""
    path: Path = current_app.config["ALUR"].data / f"{name}.lock"
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


def is_empty() -> bool:
    return db.session.scalar(select(User.id).limit(1)) is None


def _parse_internet(_context, _option, typed: str) -> str:
    try:
        return settings.parse("internet_target", typed)
    except settings.SettingError as problem:
        raise click.ClickException(f"--internet: {problem}") from None


@click.command("setup")
@click.option("--clinic", help="Nama puskesmas (basis data kosong).")
@click.option("--time-zone", metavar="WIB|WITA|WIT", help="Zona waktu.")
@click.option("--head-name", help="Nama kepala puskesmas.")
@click.option("--head-username", help="Nama pengguna kepala.")
@click.option("--head-password-file", help="Berkas berisi kata sandi kepala.")
@click.option(
    "--internet",
    callback=_parse_internet,
    default=settings.NATIONAL_HOST,
    help="Server:porta yang dicoba tiap menit untuk mengukur internet; kosong: tidak diukur.",
)
@tells_storage_faults
def setup_command(
    clinic, time_zone, head_name, head_username, head_password_file, internet
) -> None:
    """Create or migrate the database; fill an empty one. Safe to repeat."""
    with _alone("setup"):
        if has_prepared_a_used_one():
            say_unused(EXISTS)
            demo_commands.greet_a_new_day()
            return
        if current_app.config["ALUR"].wants_demo:
            say_unused(OF_DEMO)
            demo_commands.fill_demo()
            return
        given = account_commands.passphrase_in(head_password_file)
        answers = (clinic, time_zone, head_name, head_username)
        if not all((*answers, given)) and not account_commands.has_terminal():
            raise click.ClickException(NOBODY_TO_ASK)
        _first_head(*_asked(*answers), given, internet)


def has_prepared_a_used_one() -> bool:
    """Switch, migrate, make what is missing; whether this database has been filled before."""
    switched = switch_if_asked()
    if restore_reading.is_newer(db.engine):
        raise click.ClickException(NEWER)
    trail_commands.refuse_other_key()
    if not restore_reading.is_current(db.engine):
        click.echo("Menyiapkan basis data ...")
    prepare_database()
    if switched:
        note_switch(switched)
    make_recovery_key()
    if not is_empty():
        return True
    if not clock.is_right():
        raise click.ClickException(WRONG_CLOCK)
    return False


def _asked(clinic, zone, name, username) -> tuple[str, str, str, str]:
    """Each answer by the rules of its page, at once: not after the last question."""
    clinic_name = partial(settings.parse, "clinic_name")
    return (
        asked("Nama puskesmas", clinic_name, clinic),
        asked("Zona waktu (WIB, WITA, WIT)", _parse_zone, zone),
        asked("Nama kepala puskesmas", accounts.parse_display_name, name),
        asked("Nama pengguna kepala", accounts.parse_username, username, default="kepala"),
    )


def _parse_zone(text: str) -> str:
    zones = {short: zone for zone, short in settings.TIME_ZONES.items()}
    return settings.parse("time_zone", zones.get(text.strip().upper(), ""))


def use_migrations(app: Flask) -> None:
    """Load Alembic: 8 MB and half a second, for a set-up that has something to migrate."""
    migrate = import_module("flask_migrate").Migrate(directory=f"{app.root_path}/migrations")
    migrate.init_app(app, db)


def prepare_database() -> None:
    """Migrate, and add reference data that a newer version brings; an empty trail gets its key."""
    if trail_key.is_first_use():
        audit.use_key(current_app.config["ALUR"].key("audit"))
    if not restore_reading.is_current(db.engine):
        use_migrations(current_app)
        import_module("flask_migrate").upgrade()
    with transaction():
        reference.seed()
        for key, make in (("epoch", settings.new_epoch), ("clinic_ref", settings.new_clinic_ref)):
            if not settings.value(key):
                settings.set_value(key, make())


def switch_if_asked() -> dict[str, str] | None:
    """Put a restored database in the place of the one in use, while nothing has it open."""
    config = current_app.config["ALUR"]
    switched = restoring.apply_switch(config.data, db.engine.url)
    if switched:
        audit.use_key(config.audit_key())
        click.echo("Basis data hasil pemulihan sekarang dipakai.")
    return switched


def note_switch(switched: dict[str, str]) -> None:
    """Who asked, in the trail of the database that is used now."""
    with transaction():
        details = f"oleh {switched['by']}"
        audit.record(audit.SYSTEM, "switch_database", reason=switched["reason"], details=details)


def make_recovery_key() -> None:
    """The clinic's first recovery key; /sistem asks the head to print its card."""
    keys = current_app.config["ALUR"].keys
    if not backup_keys.public_key(keys):
        backup_keys.make(keys)


@click.command("prepare-restored")
def prepare_restored_command() -> None:
    """Bring a restored database, aside in an ALUR_DATA of its own, up to date for use."""
    prepare_database()
    with transaction():
        settings.set_value("epoch", settings.new_epoch())  # no queue version comes again
        accounts.end_all_sessions()
        audit.record(audit.SYSTEM, "prepare_restored")


def _first_head(clinic, zone, name, username, given, internet) -> None:
    passphrase = account_commands.asked_passphrase(username, "kepala", given, (name, clinic))
    password_hash = accounts.hash_passphrase(passphrase)
    with transaction():
        settings.set_value("clinic_name", clinic)
        settings.set_value("time_zone", zone)
        settings.set_value("internet_target", internet)
        accounts.create_user(
            audit.SYSTEM,
            username=username,
            display_name=name,
            password_hash=password_hash,
            role=Role.HEAD,
        )


@click.command("ready-message")
def ready_message_command() -> None:
    """What to know once the server answers: notices, and a demo's accounts."""
    if current_app.config["ALUR"].database_url.startswith("sqlite") and not SQLITE_IS_WAL_SAFE:
        click.echo(
            f"Perhatian: SQLite {sqlite_driver.sqlite_version} punya cacat WAL; hanya pekerja "
            "latar yang menulis checkpoint. Pasang paket pysqlite3 bila tersedia."
        )
    if not clock.is_right():
        click.echo("Perhatian: jam komputer ini tampaknya salah. Masuk ke Alur, lalu pastikan.")
    if not timekeeping.boot():
        click.echo(NO_BOOT_ID)
    if accounts.is_new_clinic():
        click.echo("Puskesmas baru: masuk sebagai kepala; langkahnya di /bantuan/pengelola")
    if settings.value("is_demo"):
        account_commands.tell_demo_accounts()


@click.command("support")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
def support_command(folder: Path) -> None:
    """Write a file for whoever helps from outside: versions, states, errors, and no patient."""
    path = folder / f"alur-bantuan-{utcnow():%Y%m%d-%H%M}.zip"
    path.write_bytes(support.bundle(current_app.config["ALUR"].data))
    click.echo(f"Berkas bantuan: {path}")
    with contextlib.suppress(SQLAlchemyError, OSError):  # the file says it too
        trail_commands.refuse_other_key()


@click.command("give-up-ballast")
def give_up_ballast_command() -> None:
    """Room on a full disk, where nobody can log in to press the button."""
    freed = disk_space.give_up(current_app.config["ALUR"].data)
    click.echo(f"{disk_space.size_text(freed)} dibuka. Kosongkan disk sekarang.")


@click.command("worker")
def worker_command() -> None:
    """The one background process: sign of life, database care, later sending and backups."""
    try:
        with _alone("worker", wait=False):
            background.work_until_stopped()
    except BlockingIOError:
        raise click.ClickException("Pekerja latar sudah berjalan.") from None
    except OSError as problem:
        raise storage_problem(problem) from None


def init_app(app: Flask) -> None:
    own = (setup_command, prepare_restored_command, ready_message_command)
    own += (worker_command, support_command, give_up_ballast_command)
    for command in (
        *own,
        *account_commands.COMMANDS,
        *backup_commands.COMMANDS,
        *demo_commands.COMMANDS,
        *report_commands.COMMANDS,
        *restore_commands.COMMANDS,
        *trail_commands.COMMANDS,
    ):
        app.cli.add_command(command)
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true" and "db" in sys.argv:
        use_migrations(app)  # for `flask db ...`
