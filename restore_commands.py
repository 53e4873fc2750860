"""`make restore`: a backup is brought back, guided, at the terminal."""

import contextlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
from flask import current_app

from backup_commands import trust_of_this_server
from clinic import (
    backup_keys,
    backup_making,
    backup_manifest,
    backups,
    card_words,
    restoring,
    settings,
)
from clinic.backup_manifest import BackupProblem, Manifest
from clinic.card_words import COUNT
from clinic.restore_reading import Trust, is_others_key
from db import db
from formatting import clock_time, day_in_zone, long_date, number_text

YES, CANCELLED = "GANTI", "Dibatalkan; tidak ada yang berubah."


def _data() -> Path:
    return current_app.config["ALUR"].data


@click.command("restore")
@click.option("--undo", is_flag=True, help="Kembali ke data sebelum pemulihan terakhir.")
def restore_command(undo: bool) -> None:
    """Bring a backup back, guided; nothing is changed before the last answer."""
    if undo:
        _undo()
        return
    click.echo("PULIHKAN CADANGAN. Data yang dipakai sekarang tidak dihapus, hanya disisihkan.\n")
    mark, secret, folders = "", "", _folders_known()
    while not mark:
        source, manifest = _choose(folders)
        _show(manifest)
        if not secret or not click.confirm("Pakai kunci yang tadi diketik?", default=True):
            secret = _ask_secret(source)
        mark = _opened_aside(source, secret, _trust_with(manifest, secret))
    click.echo("Cadangan utuh dan siap dipakai.")
    if not _is_confirmed():
        restoring.discard(db.engine.url, mark, restoring.side(_data(), mark))
        raise click.ClickException(CANCELLED)
    _ask_switch(mark, "make restore")


def _is_confirmed() -> bool:
    return click.prompt(f"Ketik {YES} untuk memakainya", default="batal").strip().upper() == YES


def _trust_with(manifest: Manifest, secret: str) -> Trust:
    """With the health office's key a new server can't tell who made the file; somebody says."""
    trust = _trust()
    if trust.signing or not is_others_key(manifest, secret):
        return trust
    click.echo("\nItu kunci dinas: dengannya tidak dapat dipastikan bahwa puskesmas yang membuat")
    said = click.confirm("berkas ini. Diambil sendiri dari simpanan puskesmas? Tetap dibuka?")
    return replace(trust, takes_unsigned=said)


def _opened_aside(source: Path, secret: str, trust: Trust) -> str:
    """The mark of the side copy; '' when it was refused: another copy may be better."""
    click.echo("Membuka dan memeriksa cadangan di samping; data sekarang belum disentuh ...")
    mark = restoring.new_mark()
    try:
        restoring.open_side(_data(), db.engine.url, mark, source, secret, trust)
    except BackupProblem as problem:
        click.echo(f"\nTidak dipakai: {problem}")
        click.echo("Pilih salinan lain, atau cadangan yang lebih lama (Ctrl-C berhenti).\n")
        return ""
    return mark


def _undo() -> None:
    aside = [one for one in restoring.all_sides(_data()) if one.state == "set_aside"]
    if not aside:
        raise click.ClickException("Belum ada data yang disisihkan.")
    click.echo(f"Data yang disisihkan {_moment(aside[0].at)} akan dipakai lagi.")
    if not _is_confirmed():
        raise click.ClickException(CANCELLED)
    try:
        restoring.prepare_set_aside(_data(), db.engine.url, aside[0].mark)
    except BackupProblem as problem:
        raise click.ClickException(str(problem)) from None
    _ask_switch(aside[0].mark, "make restore UNDO=1")


def _ask_switch(mark: str, reason: str) -> None:
    db.session.remove()
    db.engine.dispose()
    restoring.ask_switch(_data(), mark, by="terminal", reason=reason)
    click.echo("Tercatat. Bila Alur sedang berjalan, ia menggantinya sendiri dalam beberapa detik.")
    click.echo("Bila tidak: nyalakan Alur (make run, atau systemctl start alur).")


def _folders_known() -> list[Path]:
    """On this server, and where it copies to."""
    return [_data() / "db", _data() / "backups", *map(backups.folder_at, _places_known())]


def _choose(folders: list[Path]) -> tuple[Path, Manifest]:
    """Of what lies in these folders, or in another one, which then stands in their place."""
    while True:
        found = _backups_in(folders)
        for number, (path, manifest) in enumerate(found, 1):
            free = ", tanpa kartu" if path == backup_making.newest_path(_data()) else ""
            click.echo(f"{number:>3}. {_moment(manifest.at)}  {manifest.clinic}  {path}{free}")
        if not found:
            click.echo("Tidak ada cadangan di sini.")
        typed = click.prompt("Nomor cadangan, atau alamat folder lain (USB)")
        if typed.isdecimal() and 0 < int(typed) <= len(found):
            return found[int(typed) - 1]
        if not Path(typed).is_dir():
            what = "nomor" if typed.isdecimal() else "folder"
            click.echo(f"Tidak ada {what} {typed}.")
            continue
        folders[:] = [Path(typed), *Path(typed).glob("alur-*")]


def _places_known() -> list[str]:
    with contextlib.suppress(Exception):  # a database that can't be read is why one restores
        return backups.places()
    db.session.rollback()
    return []


def _backups_in(folders: list[Path]) -> list[tuple[Path, Manifest]]:
    found = []
    for folder in folders:
        for path in [*folder.glob("*.alur"), *folder.glob("newest.snapshot")]:
            try:
                found.append((path, backup_manifest.read(path)))
            except BackupProblem as problem:
                click.echo(f"  (dilewati) {path}: {problem}")
    return sorted(found, key=lambda one: one[1].taken_at, reverse=True)


def _moment(at: datetime) -> str:
    try:
        zone = settings.value("time_zone")
    except Exception:  # as above
        db.session.rollback()
        zone = "Asia/Makassar"
    return f"{long_date(day_in_zone(at, zone))} {clock_time(at, zone)}"


def _show(manifest: Manifest) -> None:
    click.echo(f"\n{manifest.clinic}, {_moment(manifest.at)}")
    visits = number_text(manifest.visits)
    click.echo(f"  {number_text(manifest.patients)} pasien, {visits} kunjungan")
    for problem in manifest.problems:
        click.echo(f"  Perhatian: {problem}")


def _ask_secret(source: Path) -> str:
    """The key from the card; what was right so far stays. '' where none is needed."""
    if source == backup_making.newest_path(_data()):
        return ""
    click.echo(f"\nKetik {COUNT} kata dari kartu pemulihan (tidak tampil di layar), beberapa")
    click.echo("kata sebaris, sampai kata terakhir; atau pindai kode QR-nya.")
    click.echo("Kartu lama: enam barisnya, satu demi satu.")
    lines, secret = [], ""
    while not secret:
        line = click.prompt(f"Baris {len(lines) + 1}", hide_input=True)
        try:
            secret = backup_keys.parse_part("\n".join([*lines, line]))
            lines.append(line)
        except card_words.UnknownWord as problem:
            click.echo(f"{problem} Ketik baris itu lagi.")
        except backup_keys.KeyProblem as problem:
            click.echo(f"{problem} Mulai lagi dari yang pertama.")
            lines.clear()
    return secret


def _trust() -> Trust:
    """A server whose own database is gone trusts the card alone."""
    with contextlib.suppress(Exception):
        return trust_of_this_server()
    db.session.rollback()
    return Trust(signing=backup_keys.own_signing_key(_data() / "keys"))


COMMANDS = (restore_command,)
