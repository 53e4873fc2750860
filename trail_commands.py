"""The audit trail's key from the terminal: asked for before a command writes, and found again."""

import fcntl
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app

from clinic import audit, trail_key
from db import db, transaction
from terminal import tells_storage_faults

YES = "MULAI"
RUNNING = "Alur sedang berjalan. Hentikan dulu (Ctrl-C, atau systemctl stop alur), lalu ulangi."
LOST = (
    "Kunci lama tidak ada di server ini. Cari dulu: di disk atau server lama, atau di cadangan "
    "(make restore dengan USB dan kartu pemulihan). Yang berikut hanya bila benar-benar hilang."
)
BROKEN = "Kuncinya cocok, tetapi rantai jejak audit putus di catatan {}."
ANEW = (
    "Jejak audit dapat dimulai lagi. Catatan lama tetap ada dan terbaca, tetapi keasliannya tidak "
    "dapat diperiksa lagi, dan itu selalu dikatakan di Sistem."
)


def refuse_other_key() -> None:
    """Raises ClickException, before anything is written, where the trail's key is not there."""
    problem = trail_key.problem(current_app.config["ALUR"].data)
    if problem:
        raise click.ClickException(problem)


@contextmanager
def _stopped(data: Path):
    """Holds what deploy/start.py holds: a running server would go on with the key that it has."""
    with (data / "start.lock").open("a") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise click.ClickException(RUNNING) from None
        yield


@click.command("audit-key")
@tells_storage_faults
def audit_key_command() -> None:
    """Bring the audit trail's lost key back, or let the trail begin anew where it is lost."""
    config = current_app.config["ALUR"]
    with _stopped(config.data):
        is_lost = trail_key.problem(config.data) is not None
        if is_lost and trail_key.bring_back(config.data):
            click.echo("Kunci jejak audit diambil kembali dari potret terakhir di server ini.")
            is_lost = False
        audit.use_key(config.audit_key())
        broken = audit.broken_link()
        db.session.rollback()
        if broken is None:
            click.echo("Kunci jejak audit ada dan cocok, jejaknya utuh. Nyalakan Alur.")
            return
        click.echo(LOST if is_lost else BROKEN.format(broken))
        _begin_anew()


def _begin_anew() -> None:
    click.echo(ANEW)
    reason = click.prompt("Sebabnya (tercatat di jejak audit)").strip()
    if click.prompt(f"Ketik {YES} untuk memulainya lagi", default="batal").strip().upper() != YES:
        raise click.ClickException("Dibatalkan; tidak ada yang berubah.")
    audit.use_key(current_app.config["ALUR"].key("audit"))
    with transaction():
        audit.begin_anew(audit.SYSTEM, reason)
    click.echo("Jejak audit dimulai lagi. Nyalakan Alur, lalu buat cadangan: make backup.")


COMMANDS = (audit_key_command,)
