"""Accounts from the terminal: a passphrase is asked for, and the one that nobody knows replaced."""

import secrets
import sys
from collections.abc import Sequence

import click
from flask import current_app
from sqlalchemy import select

import trail_commands
from clinic import accounts, administration, audit, card_words, settings
from db import db, transaction
from models import Role, User
from terminal import tells_storage_faults

GENERATED_WORDS = 6
NO_REAL_CLINIC = (
    "Perhatian: folder {folder} berisi data latihan. Puskesmas sungguhan dimulai di folder lain:\n"
    "  ALUR_DATA=~/puskesmas ALUR_DEMO=0 make run"
)


def has_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def asked_passphrase(
    username: str, whose: str, given: str | None = None, names: Sequence[str] = ()
) -> str:
    """A passphrase that is strong enough, typed twice; the given one is judged alike.

    `names`: what it must not be made of, besides the username.
    """
    while True:
        typed = given or click.prompt(
            f"Kata sandi {whose} ({accounts.MIN_PASSPHRASE} huruf atau lebih)",
            hide_input=True,
        )
        try:
            accounts.check_passphrase(typed, username, *names)
        except accounts.PassphraseError as problem:
            if given:
                raise click.ClickException(str(problem)) from None
            click.echo(str(problem))
            continue
        if given or click.prompt("Ulangi kata sandi", hide_input=True) == typed:
            return typed
        click.echo("Kedua kata sandi tidak sama. Ketik lagi.")


def passphrase_in(file: str | None) -> str | None:
    """What is in the file, looked for where it is needed only: later starts may be without it."""
    if file is None:
        return None
    try:
        with click.open_file(file) as opened:
            return opened.read().strip()
    except OSError:
        raise click.ClickException(f"--head-password-file: {file} tidak dapat dibaca.") from None


def with_demo_passphrase() -> list[User]:
    """Active accounts that whoever runs a demo can use: not those that its head has added."""
    users = db.session.scalars(select(User).where(User.is_active).order_by(User.id)).all()
    # All of the demo's own came with one hash; trying one takes tens of milliseconds.
    shared = [user.password_hash for user in users]
    of_hash = {user.password_hash: user for user in users if shared.count(user.password_hash) > 1}
    known = [
        one for one, user in of_hash.items() if accounts.matches(user, accounts.DEMO_PASSPHRASE)
    ]
    return [user for user in users if user.password_hash in known]


def tell_demo_accounts() -> None:
    """Who can be logged in as; what was expected, where a real clinic was."""
    config = current_app.config["ALUR"]
    if not config.wants_demo:
        click.echo(NO_REAL_CLINIC.format(folder=config.data))
    click.echo(f"Akun latihan (kata sandi semua: {accounts.DEMO_PASSPHRASE}):")
    for user in with_demo_passphrase():
        rooms = " ".join(room.code for room in user.rooms)
        click.echo(f"  {user.username:<12} {user.display_name:<28} {rooms}")


@click.command("passphrase")
@click.argument("username")
@tells_storage_faults
def passphrase_command(username: str) -> None:
    """Give an account a new passphrase, for a head who has forgotten the only one."""
    trail_commands.refuse_other_key()
    user = accounts.by_username(username)
    if user is None:
        raise click.ClickException(f"Tidak ada akun '{username}' yang dipakai. {_heads()}")
    is_asked = has_terminal()
    if is_asked:
        names = user.display_name, settings.value("clinic_name")
        typed = asked_passphrase(user.username, f"baru untuk {user.display_name}", names=names)
    else:
        typed = " ".join(secrets.choice(card_words.WORDS) for _ in range(GENERATED_WORDS))
    password_hash = accounts.hash_passphrase(typed)
    with transaction():
        administration.replace_passphrase(audit.SYSTEM, user, password_hash)
    click.echo(f"Kata sandi {user.username} diganti; semua sesinya diakhiri.")
    if not is_asked:
        click.echo(f"Kata sandi baru, hanya tampil sekali ini: {typed}")


def _heads() -> str:
    heads = select(User.username).where(User.role == Role.HEAD, User.is_active)
    names = list(db.session.scalars(heads.order_by(User.id)))
    if not names:
        return "Belum ada akun kepala: jalankan make run, yang menanyakannya."
    return f"Akun kepala: {', '.join(names)}. Misalnya: make passphrase USER={names[0]}"


COMMANDS = (passphrase_command,)
